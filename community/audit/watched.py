"""What the log keeps of the admin beyond what services record: rows that rules follow from, and Wagtail's own log."""

from typing import Any

from django.db import transaction
from django.db.models.signals import post_save
from wagtail.models import ModelLogEntry, PageLogEntry

from advocates.models import Badge, Rank
from community.accounts.models import Department
from community.core.models import BrandSettings, Numbers
from community.escalation.models import Channel, DeskSettings, SavedReply
from community.events import acting
from community.events.log import record
from community.events.watching import watch
from community.moderation.models import ModerationRules
from products.models import Family, Product, Responsibility, Shop, Version

COUNTED = (
    "rating_count", "rating_sum", "verified_count", "imported_count", "review_count", "thread_count", "solved_count",
    "recipe_count", "tip_count",
)  # fmt: skip


def begin() -> None:
    watch(Numbers, BrandSettings, DeskSettings, Badge, Rank, Department, Family, Shop, Version, Responsibility)
    watch(ModerationRules)
    watch(SavedReply, leave=("changed_at", "changed_by"))
    watch(Channel, leave=("secret", "previous_secret"))  # that it was changed stands in the log, not what it is
    watch(Product, leave=COUNTED)
    for entry in (PageLogEntry, ModelLogEntry):
        post_save.connect(_mirror, sender=entry, dispatch_uid=f"audit.{entry.__name__}")


def _mirror(sender: Any, instance: Any, created: bool, raw: bool = False, **kwargs: Any) -> None:
    """An entry of Wagtail's log stands in ours, too, unless the service behind it told more already."""
    current = acting.now()
    if not created or raw or current is None or current.staff is None:
        return
    pk = getattr(instance, "page_id", None) or instance.object_id
    number = int(pk) if str(pk).isdigit() else None
    if (instance.content_type_id, number) in current.acts:
        return
    model = instance.content_type.model_class() if instance.content_type else None
    row = model._base_manager.filter(pk=pk).first() if model and number else None
    with transaction.atomic():
        record(
            "admin.acted", actor=current.staff, subject=row, note=instance.label, action=instance.action,
            model=f"{instance.content_type.app_label}.{instance.content_type.model}" if instance.content_type else "",
        )  # fmt: skip

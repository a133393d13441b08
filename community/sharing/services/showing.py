"""Where recipes and tips show: in the window, and in the numbers of their products."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core import clock, text
from community.core.errors import Conflict, require
from community.core.rows import locked, retried
from community.events.log import record
from community.moderation import services as moderation
from products.models import Product

from .. import permissions
from ..models import Recipe, Shared, Tip
from .ground import Visibility, copy_back


@retried
def feature(thing: Shared, by: User, *, on: bool = True, reason: str = "") -> None:
    """Staff put a recipe or tip into the window, or take it out. Twice is harmless."""
    require(permissions.why_not_feature(by))
    row = locked(thing)
    if row.visibility != Visibility.VISIBLE:
        raise Conflict(_("Only what is online can be featured."))
    if on != (row.featured_at is not None):
        row.featured_at = clock.now() if on else None
        row.featured_by = by if on else None
        row.featured_reason = text.clean_line(reason)[:300] if on else ""
        row.save(update_fields=["featured_at", "featured_by", "featured_reason"])
        if on:
            record(f"{moderation.noun(row)}.featured", actor=by, subject=row, note=row.featured_reason)
    copy_back(row, thing, "featured_at", "featured_by_id", "featured_reason")


def recount_products(ids: Iterable[int]) -> None:
    """Bring the numbers of recipes and tips of these products in line with what is visible."""
    for product in Product.objects.select_for_update(no_key=True).filter(pk__in=set(ids)).order_by("pk"):
        product.recipe_count = Recipe.objects.visible().filter(uses__product=product).count()
        product.tip_count = Tip.objects.visible().filter(product=product).count()
        product.save(update_fields=["recipe_count", "tip_count"])

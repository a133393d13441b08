"""States of whatever members publish, and the flags that question it."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils.translation import gettext_lazy as _

from community.core import clock


class Moderated(models.Model):
    """Whether a thing may be seen, by whom, and why not (RULINGS 14)."""

    class Visibility(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PENDING = "pending", _("Waits for a look")
        VISIBLE = "visible", _("Visible")
        HIDDEN = "hidden", _("Hidden")
        DELETED = "deleted", _("Deleted")

    visibility = models.CharField(max_length=10, choices=Visibility, default=Visibility.VISIBLE)
    published_at = models.DateTimeField(null=True, blank=True, help_text=_("First time it was public."))
    hidden_reason = models.CharField(max_length=300, blank=True, default="")
    hidden_at = models.DateTimeField(null=True, blank=True)
    hidden_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        abstract = True

    # The name of the relation to what stands for others, e.g. the threads that were merged into a thread.
    instead_of = ""

    def published_event(self) -> tuple[str, dict[str, Any]]:
        """Kind and data of the event that says it went online; a concrete model gives its own."""
        raise NotImplementedError

    def people_called(self) -> list[int]:
        """Ids of the people its words mention: who hear of it when it goes online after a look."""
        return []

    def why_closed_to_words(self) -> str:
        """Why nobody can comment or answer here now; empty when they can."""
        return ""

    def is_news_to(self, user: Any, since: datetime | None) -> bool:
        """Whether it came after a moment, by somebody else: written, let through, or brought by a merge."""
        if since is None or self.author_id == user.pk or not self.is_visible:  # type: ignore[attr-defined]
            return False
        came_at = getattr(self, "moved_at", None) or self.published_at or self.created_at  # type: ignore[attr-defined]
        return bool(came_at > since)

    @property
    def is_visible(self) -> bool:
        return self.visibility == self.Visibility.VISIBLE

    @property
    def is_gone(self) -> bool:
        """Once public and deleted: 410, not 404."""
        return self.visibility == self.Visibility.DELETED and self.published_at is not None


class Flag(models.Model):
    """Somebody says that a post should be looked at. Its author never learns who."""

    class Reason(models.TextChoices):
        SPAM = "spam", _("Spam")
        RUDE = "rude", _("Rude or hurtful")
        PERSONAL_DATA = "personal_data", _("Personal data")
        OFF_TOPIC = "off_topic", _("Off topic")
        WRONG_PRODUCT = "wrong_product", _("Wrong product")
        DUPLICATE = "duplicate", _("Asked before")
        OUTDATED = "outdated", _("Outdated")
        ILLEGAL = "illegal", _("Illegal")
        OTHER = "other", _("Something else")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        UPHELD = "upheld", _("Agreed")
        DECLINED = "declined", _("Not agreed")

    target_type = models.ForeignKey(ContentType, on_delete=models.CASCADE, related_name="+")
    target_id = models.BigIntegerField()
    target = GenericForeignKey("target_type", "target_id")
    reporter = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="flags_raised")
    reason = models.CharField(_("reason"), max_length=20, choices=Reason)
    note = models.CharField(_("note"), max_length=500, blank=True, default="")
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    created_at = models.DateTimeField(default=clock.now)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        permissions = [("moderate", "Can hide, restore, move and lock what members write")]
        constraints = [
            models.UniqueConstraint(fields=["reporter", "target_type", "target_id"], name="flag_one_per_person")
        ]
        indexes = [
            models.Index(fields=["state", "created_at"], name="flag_open"),
            models.Index(fields=["target_type", "target_id"], name="flag_target"),
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()} on {self.target_type}#{self.target_id}"

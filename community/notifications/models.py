"""Notices in the house. The library's model is swapped for ours before its first migration (STACK.md)."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from notifications.base.models import AbstractNotification

from community.core import clock
from community.events.models import Event


class Notification(AbstractNotification):
    """One notice to one person. The key makes the same notice impossible to give twice."""

    kind = models.CharField(max_length=60)
    dedupe_key = models.CharField(max_length=200, blank=True, default="")
    group_key = models.CharField(
        max_length=120, blank=True, default="", help_text=_("The thread or thing it is about.")
    )

    class Meta(AbstractNotification.Meta):
        abstract = False
        constraints = [
            models.UniqueConstraint(fields=["recipient", "dedupe_key"], condition=~Q(dedupe_key=""), name="notice_once")
        ]
        indexes = [
            *AbstractNotification.Meta.indexes,
            models.Index(fields=["recipient", "-timestamp"], name="notice_recipient_time"),
        ]


class Announcement(models.Model):
    """An event that people must hear of. Written with the event; done when everybody has their notice (RULINGS 29)."""

    event = models.OneToOneField(Event, on_delete=models.CASCADE, related_name="announcement")
    due_at = models.DateTimeField(default=clock.now)
    told_to = models.BigIntegerField(default=0, help_text=_("Everybody up to this person's id has been told."))
    attempts = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["due_at"], condition=Q(done_at__isnull=True), name="announcement_due")]

    def __str__(self) -> str:
        return f"announcement of event {self.event_id}"


class Preference(models.Model):
    """How somebody wants to hear of a kind of thing. Without a row the kind's own default holds."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notice_preferences")
    kind = models.CharField(max_length=60)
    in_app = models.BooleanField(_("here"), default=True)
    mail = models.BooleanField(_("by mail"), default=True)
    changed_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "kind"], name="preference_unique")]

    def __str__(self) -> str:
        return f"{self.user}, {self.kind}"

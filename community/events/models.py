"""The append-only log of everything that happened."""

from typing import Any

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q

from community.core import clock

from .querysets import AppendOnly, EventQuerySet


class Event(models.Model):
    """Who did what to what, and when. Holds ids and enumerations only, never text (RULINGS 28)."""

    class Origin(models.TextChoices):
        LIVE = "live"
        DEMO = "demo"
        IMPORT = "import"

    kind = models.CharField(max_length=60)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="events"
    )
    subject_type = models.ForeignKey(ContentType, null=True, on_delete=models.PROTECT, related_name="+")
    subject_id = models.BigIntegerField(null=True)
    subject = GenericForeignKey("subject_type", "subject_id")
    data = models.JSONField(default=dict)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(default=clock.now)
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.LIVE)
    act = models.BooleanField(default=False, help_text="Staff did it as staff: it stands in the audit.")
    whom = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,  # the index of acts has it, and few events are acts
        help_text="Of an act: whose post, account or data it was done to.",
    )

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["subject_type", "subject_id", "kind"], name="event_subject"),
            models.Index(fields=["kind", "occurred_at"], name="event_kind_time"),
            models.Index(fields=["actor", "occurred_at"], name="event_actor_time"),
            models.Index(fields=["occurred_at", "id"], condition=Q(act=True), name="event_act_time"),
            models.Index(fields=["whom", "occurred_at"], condition=Q(act=True), name="event_act_whom"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise AppendOnly


class EventNote(models.Model):
    """What an event can't hold, since it can be erased: the reason, and a setting before and after."""

    event = models.OneToOneField(Event, on_delete=models.CASCADE, related_name="note")
    text = models.TextField()
    changes = models.JSONField(default=dict, blank=True, help_text="{'field': [before, after]}")

    def __str__(self) -> str:
        return self.text[:60]

"""The append-only log of everything that happened."""

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models

from community.core import clock

from .querysets import EventQuerySet


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

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["subject_type", "subject_id", "kind"], name="event_subject"),
            models.Index(fields=["kind", "occurred_at"], name="event_kind_time"),
            models.Index(fields=["actor", "occurred_at"], name="event_actor_time"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"


class EventNote(models.Model):
    """The reason somebody gave, in words; erasable, unlike the event it belongs to."""

    event = models.OneToOneField(Event, on_delete=models.CASCADE, related_name="note")
    text = models.TextField()

    def __str__(self) -> str:
        return self.text[:60]

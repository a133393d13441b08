"""Notices in the house. The library's model is swapped for ours before its first migration (STACK.md)."""

from django.db import models
from django.db.models import Q
from notifications.base.models import AbstractNotification


class Notification(AbstractNotification):
    """One notice to one person. The key makes the same notice impossible to give twice."""

    kind = models.CharField(max_length=60)
    dedupe_key = models.CharField(max_length=200, blank=True, default="")
    group_key = models.CharField(max_length=120, blank=True, default="")

    class Meta(AbstractNotification.Meta):
        abstract = False
        constraints = [
            models.UniqueConstraint(fields=["recipient", "dedupe_key"], condition=~Q(dedupe_key=""), name="notice_once")
        ]
        indexes = [
            *AbstractNotification.Meta.indexes,
            models.Index(fields=["recipient", "-timestamp"], name="notice_recipient_time"),
        ]

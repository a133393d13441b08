"""Where a case can go on outside of the community, and what comes back."""

import secrets
import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from community.accounts.models import Department
from community.core import clock

from .base import Escalation


def new_secret() -> str:
    return secrets.token_urlsafe(32)


class Channel(models.Model):
    """A helpdesk's address or a webhook. The secret is shown once, to whoever makes it; the old one holds for a day
    after a change."""

    class Kind(models.TextChoices):
        MAIL = "mail", _("mail to a helpdesk")
        WEBHOOK = "webhook", _("webhook")
        CALL = "call", _("telephone: an agent calls back")

    slug = models.SlugField(_("short name"), unique=True, max_length=60)
    name = models.CharField(_("name"), max_length=80, help_text=_("The customer reads it: the workshop, the helpdesk."))
    kind = models.CharField(_("how"), max_length=10, choices=Kind)
    address = models.EmailField(_("mail address"), blank=True, default="")
    url = models.URLField(_("address of the webhook"), max_length=500, blank=True, default="")
    departments = models.ManyToManyField(
        Department, blank=True, related_name="channels", verbose_name=_("departments"),
        help_text=_("None chosen: for all of them."),
    )  # fmt: skip
    active = models.BooleanField(_("in use"), default=True)
    secret = models.CharField(max_length=80, default=new_secret, editable=False)
    previous_secret = models.CharField(max_length=80, blank=True, default="", editable=False)
    changed_secret_at = models.DateTimeField(null=True, blank=True, editable=False)
    disabled_at = models.DateTimeField(null=True, blank=True, editable=False)
    disabled_because = models.CharField(max_length=300, blank=True, default="", editable=False)

    class Meta:
        ordering = ["name", "id"]
        verbose_name = _("hand-off channel")
        verbose_name_plural = _("hand-off channels")

    def __str__(self) -> str:
        return self.name

    @property
    def is_usable(self) -> bool:
        return self.active and self.disabled_at is None


class HandOff(models.Model):
    """A case goes on elsewhere. The thread stays open to everybody, with the reference, and gets what came of it."""

    class State(models.TextChoices):
        WAITING = "waiting", _("on its way")
        SENT = "sent", _("handed over")
        FAILED = "failed", _("could not be handed over")
        DONE = "done", _("outcome posted")
        WITHDRAWN = "withdrawn", _("taken back")

    RUNNING = (State.WAITING, State.SENT, State.FAILED)

    escalation = models.ForeignKey(Escalation, on_delete=models.CASCADE, related_name="hand_offs")
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="hand_offs")
    reference = models.CharField(max_length=40, unique=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    department = models.ForeignKey(Department, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    note = models.TextField(_("what is to be done"), max_length=2000, blank=True, default="")
    with_private = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=clock.now)
    remind_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When somebody is asked what came of it, where no clock of the case does.")
    )
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    outcome = models.TextField(_("what came of it"), max_length=4000, blank=True, default="")
    outcome_at = models.DateTimeField(null=True, blank=True)
    outcome_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    outcome_note = models.TextField(_("note, staff only"), max_length=2000, blank=True, default="")
    # Of a webhook: the same id at every try, the body as it was first written.
    delivery = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    payload = models.TextField(blank=True, default="")
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["next_try_at"], condition=Q(next_try_at__isnull=False), name="hand_off_due"),
            models.Index(fields=["escalation", "state"], name="hand_off_of_case"),
            models.Index(
                fields=["remind_at"],
                condition=Q(remind_at__isnull=False, state__in=["waiting", "sent", "failed"]),
                name="hand_off_to_remind",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["escalation", "channel"],
                condition=Q(state__in=["waiting", "sent", "failed"]),
                name="hand_off_once_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def is_running(self) -> bool:
        return self.state in self.RUNNING


class Alarm(models.Model):
    """What a rung tells a webhook of its department: the same id and body at every try."""

    class State(models.TextChoices):
        WAITING = "waiting", _("on its way")
        SENT = "sent", _("told")
        FAILED = "failed", _("could not be told")
        DROPPED = "dropped", _("not told: the thread is gone")

    escalation = models.ForeignKey(Escalation, on_delete=models.CASCADE, related_name="alarms")
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="alarms")
    round = models.PositiveSmallIntegerField()
    position = models.PositiveSmallIntegerField()
    delivery = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    payload = models.TextField()
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True, default="")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["next_try_at"], condition=Q(next_try_at__isnull=False), name="alarm_due")]
        constraints = [
            models.UniqueConstraint(fields=["escalation", "round", "position", "channel"], name="alarm_once_a_rung")
        ]

    def __str__(self) -> str:
        return f"alarm {self.pk}"


class ReceivedOutcome(models.Model):
    """An id that a channel has used: the same one is never listened to twice."""

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="+")
    delivery = models.CharField(max_length=100)
    at = models.DateTimeField(default=clock.now, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel", "delivery"], name="received_outcome_once")]

    def __str__(self) -> str:
        return self.delivery

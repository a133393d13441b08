"""Who works when, who takes over from whom, and what agents keep of their queues."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from community.accounts.models import Department
from community.core import clock

from .base import Escalation


class HandOver(models.Model):
    """One act in which an agent gave open cases to a colleague, or back to the department, at the end of a shift."""

    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    giver = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    to = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)
    note = models.CharField(max_length=500, blank=True, default="")
    cases = models.ManyToManyField(Escalation, related_name="handovers")

    def __str__(self) -> str:
        return f"hand-over {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("escalation:handover", args=[self.pk])


class Absence(models.Model):
    """Days on which an agent is given nothing new, and who sees to the agent's cases meanwhile. No reason is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="absences")
    since = models.DateField(_("first day"))
    until = models.DateField(_("last day"))
    stand_in = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="stands_in",
        verbose_name=_("stand-in"),
    )  # fmt: skip
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["since", "id"]
        indexes = [models.Index(fields=["user", "until"], name="absence_user")]
        constraints = [
            models.CheckConstraint(condition=Q(until__gte=models.F("since")), name="absence_ends_after_it_begins"),
            models.CheckConstraint(condition=~Q(stand_in=models.F("user")), name="absence_stand_in_is_another"),
        ]

    def __str__(self) -> str:
        return f"{self.user} away {self.since} to {self.until}"


class AgentHours(models.Model):
    """When an agent works, where that is not whenever the department is open."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="agent_hours")
    hours = models.JSONField(default=dict, help_text=_("As a department's, in the department's time zone."))

    def __str__(self) -> str:
        return f"hours of {self.user}"


class DeskFilter(models.Model):
    """A queue as somebody narrowed it down, under a name: for oneself, or for everybody of a department."""

    MOST, LONGEST = 20, 500

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="desk_filters")
    department = models.ForeignKey(
        Department, null=True, blank=True, on_delete=models.CASCADE, related_name="desk_filters",
        help_text=_("Whoever works in it sees the filter, too."),
    )  # fmt: skip
    name = models.CharField(_("name"), max_length=40)
    query = models.CharField(max_length=LONGEST)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="desk_filter_name_once")]

    def __str__(self) -> str:
        return self.name


class DeskCheck(models.Model):
    """What a look for forgotten threads found: kind, thread and case of each finding, the first hundred of them."""

    at = models.DateTimeField(default=clock.now)
    count = models.PositiveIntegerField(default=0)
    findings = models.JSONField(default=list)

    class Meta:
        indexes = [models.Index(fields=["-at"], name="desk_check_at")]

    def __str__(self) -> str:
        return f"{self.count} forgotten at {self.at}"

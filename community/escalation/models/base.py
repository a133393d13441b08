"""Who looks after a thread, until when, and who is next. Facts stand on the thread, due times here (RULINGS 11)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from wagtail.contrib.settings.models import BaseGenericSetting, register_setting

from community.accounts.models import Department
from community.core import clock
from community.questions.models import Thread

from ..querysets import DESK_DUE, RANK, STAFF_HAVE_IT, EscalationQuerySet


class StepKind(models.TextChoices):
    """What a rung of a ladder does. The labels are the words of the policy files."""

    ADVOCATES = "advocates_notified", _("advocates notified")
    DEPARTMENT = "department_notified", _("department notified")
    ASSIGNED = "assigned", _("assigned")
    LEAD = "lead_notified", _("lead notified")
    MANAGER = "manager_notified", _("community manager notified")
    LATE = "late", _("late")
    REMINDED = "asker_reminded", _("asker reminded")
    SILENT = "asker_silent", _("settled, the asker is silent")


class Reach(models.TextChoices):
    """How a rung reaches people."""

    OWN = "own", _("as each of them chose")
    MAIL = "mail", _("as each of them chose, and a mail at once")
    WEBHOOK = "webhook", _("as each of them chose, and the department's webhook at once")


class EscalationPolicy(models.Model):
    """A ladder as data: whom it is for, and who is asked when nothing happens."""

    class Until(models.TextChoices):
        REPLY = "reply", _("a reply by anybody")
        RESOLVE = "resolve", _("staff or the asker settle it")

    class Clock(models.TextChoices):
        ELAPSED = "elapsed", _("the clock on the wall")
        BUSINESS = "business", _("business hours of the department")

    slug = models.SlugField(_("short name"), unique=True, max_length=60)
    name = models.CharField(_("name"), max_length=120)
    active = models.BooleanField(_("in use"), default=True)
    position = models.PositiveSmallIntegerField(
        _("order"), default=100, help_text=_("The first policy that matches is used; defaults come last.")
    )
    match = models.JSONField(
        _("for"),
        default=dict,
        blank=True,
        help_text=_('Everything must hold, e.g. {"kind": ["problem"], "any_tag": ["firmware"], "me_too_at_least": 4}.'),
    )
    department = models.ForeignKey(
        Department,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="policies",
        verbose_name=_("department"),
        help_text=_("Empty: by product and topic."),
    )
    route_by_tag = models.JSONField(
        _("departments by tag"), default=dict, blank=True, help_text=_('Tag to department: {"refund": "pricing"}.')
    )
    until = models.CharField(_("ends with"), max_length=10, choices=Until, default=Until.REPLY)
    clock = models.CharField(_("counts on"), max_length=10, choices=Clock, default=Clock.ELAPSED)
    acknowledge_hours = models.FloatField(
        _("acknowledge within"),
        null=True,
        blank=True,
        help_text=_(
            "Business hours after the department was told. Empty: as the department says; ideas and praise have none."
        ),
    )
    resolve_hours = models.FloatField(
        _("resolve within"),
        null=True,
        blank=True,
        help_text=_(
            "Business hours after the acknowledgement. Empty: as the department says; ideas and praise have none."
        ),
    )
    me_too_skips_at = models.PositiveSmallIntegerField(
        _("reporters that skip a rung"), null=True, blank=True, help_text=_("The next rung is due at once.")
    )
    start_one_level_up = models.BooleanField(_("begins one level up"), default=False)
    asker_sees = models.CharField(
        _("the asker reads"), max_length=300, blank=True, default="", help_text="{department}, {until}"
    )
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        ordering = ["position", "id"]
        verbose_name = _("escalation policy")
        verbose_name_plural = _("escalation policies")
        permissions = [("manage_policies", "Can change escalation policies")]

    def __str__(self) -> str:
        return self.name

    @property
    def default_for(self) -> str:
        """The kind of thread for which this is the last resort, or nothing."""
        kind = self.match.get("kind")
        kinds = [kind] if isinstance(kind, str) else kind
        return kinds[0] if set(self.match) == {"kind"} and isinstance(kinds, list) and len(kinds) == 1 else ""


class PolicyStep(models.Model):
    """A rung: after so many hours, this."""

    policy = models.ForeignKey(EscalationPolicy, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    hours = models.FloatField(_("hours"))
    kind = models.CharField(_("what happens"), max_length=30, choices=StepKind)
    note = models.CharField(_("note"), max_length=300, blank=True, default="")
    channel = models.CharField(_("how"), max_length=10, choices=Reach, default=Reach.OWN)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["policy", "position"], name="policy_step_position_unique")]

    def __str__(self) -> str:
        return f"{self.hours:g} h: {self.get_kind_display()}"


class PolicyVersion(models.Model):
    """A policy as it was from `at` on, whole, and who made it so. Never changed."""

    policy = models.ForeignKey(EscalationPolicy, on_delete=models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField()
    data = models.JSONField(help_text=_("As in a policy file."))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-version"]
        constraints = [models.UniqueConstraint(fields=["policy", "version"], name="policy_version_unique")]

    def __str__(self) -> str:
        return f"{self.policy_id} version {self.version}"


class Simulation(models.Model):
    """A draft of a policy, and what it would have sent in the last 90 days, worked out by the worker."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("being worked out")
        DONE = "done", _("worked out")
        FAILED = "failed", _("failed")

    policy = models.ForeignKey(
        EscalationPolicy, null=True, blank=True, on_delete=models.CASCADE, related_name="simulations"
    )
    base_version = models.PositiveIntegerField(default=0, help_text=_("The version that was changed; 0 is a new one."))
    draft = models.JSONField(help_text=_("As in a policy file."))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=clock.now)
    since = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    beat_at = models.DateTimeField(null=True, blank=True, help_text=_("Last sign of life of the worker."))
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    result = models.JSONField(default=dict, blank=True)
    used_at = models.DateTimeField(null=True, blank=True, help_text=_("When the draft was put in force."))

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"simulation {self.pk}"


class PauseCause(models.TextChoices):
    CUSTOMER = "customer", _("waiting for the customer")
    DEPARTMENT = "department", _("waiting for another department")
    PART = "part", _("waiting for a part")
    WORKSHOP = "workshop", _("in the workshop")
    SUPPLIER = "supplier", _("waiting for a supplier or bank")


class Escalation(models.Model):
    """The case of a thread: one a thread, with a new round each time it opens again."""

    class State(models.TextChoices):
        OPEN = "open", _("open")
        SETTLED = "settled", _("settled")

    class Cause(models.TextChoices):
        """How a case ended."""

        ACCEPTED = "accepted", _("the asker chose an answer")
        OFFICIAL = "official", _("answered officially")
        ANOTHER_WAY = "another_way", _("solved another way")
        SILENT = "silent", _("the asker did not write again")
        DUPLICATE = "duplicate", _("asked before")
        MERGED = "merged", _("merged with another thread")
        CLOSED = "closed", _("closed")
        GONE = "gone", _("hidden or taken away")
        PRIVATE = "private", _("settled with the customer directly")
        NOTHING = "nothing", _("nothing to be done")
        PASSED_ON = "passed_on", _("passed on")
        DECIDED = "decided", _("the idea has its answer")
        HOLDS = "holds", _("looked at again: the answer holds")

    # What an agent may choose; the others follow from what happened.
    BY_HAND = (Cause.ANOTHER_WAY, Cause.PRIVATE, Cause.NOTHING, Cause.PASSED_ON, Cause.SILENT)

    class Phase(models.TextChoices):
        """Which ladder is running."""

        FIRST = "first", _("waiting for a first reply")
        REMIND = "remind", _("answered, the asker decides")
        CARE = "care", _("the asker wrote again")
        STAFF = "staff", _("staff look after it")

    thread = models.OneToOneField(Thread, on_delete=models.CASCADE, related_name="escalation")
    policy = models.ForeignKey(EscalationPolicy, on_delete=models.PROTECT, related_name="escalations")
    policy_version = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    phase = models.CharField(max_length=10, choices=Phase, default=Phase.FIRST)
    round = models.PositiveSmallIntegerField(default=1)
    started_at = models.DateTimeField(default=clock.now, help_text=_("Of this round."))
    planned = models.BooleanField(
        default=False, help_text=_("This round is a look that its department had planned; nothing failed.")
    )
    sentiment = models.FloatField(
        null=True, blank=True, help_text=_("How the post sounds, from -1 to 1, found when it was written or edited.")
    )
    department = models.ForeignKey(
        Department, null=True, blank=True, on_delete=models.PROTECT, related_name="escalations"
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="cases"
    )
    told_at = models.DateTimeField(null=True, blank=True, help_text=_("When the department was told."))
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    ladder = models.JSONField(
        default=list,
        help_text=_("The rungs of this round with the times they are due, as they were promised when it began."),
    )
    ladder_clock = models.CharField(
        max_length=10, choices=EscalationPolicy.Clock, default=EscalationPolicy.Clock.ELAPSED
    )
    next_step = models.PositiveSmallIntegerField(null=True, blank=True)
    next_due_at = models.DateTimeField(null=True, blank=True)
    acknowledge_due_at = models.DateTimeField(null=True, blank=True)
    resolve_due_at = models.DateTimeField(null=True, blank=True)
    late_at = models.DateTimeField(null=True, blank=True)
    paused_since = models.DateTimeField(null=True, blank=True)
    pause_cause = models.CharField(max_length=20, choices=PauseCause, blank=True, default="")
    pause_until = models.DateTimeField(
        null=True, blank=True, help_text=_("When somebody looks at what is paused again.")
    )
    pause_told_at = models.DateTimeField(null=True, blank=True)
    paused_seconds = models.PositiveIntegerField(default=0)
    pause_count = models.PositiveSmallIntegerField(default=0)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    resolved_cause = models.CharField(max_length=20, choices=Cause, blank=True, default="")

    objects = EscalationQuerySet.as_manager()

    class Meta:
        permissions = [("work_cases", "Can take, answer and resolve cases")]
        indexes = [
            models.Index(fields=["next_due_at"], condition=Q(next_due_at__isnull=False), name="escalation_due"),
            models.Index(
                fields=["pause_until"],
                condition=Q(pause_until__isnull=False, pause_told_at__isnull=True),
                name="escalation_pause_ends",
            ),
            models.Index(fields=["state", "department", "next_due_at"], name="escalation_desk"),
            # The desk's first queue in its order, and two queues that hold few of all that is open.
            models.Index(RANK, DESK_DUE, "id", condition=STAFF_HAVE_IT, name="escalation_in_order"),
            models.Index(fields=["late_at"], condition=Q(state="open", late_at__isnull=False), name="escalation_late"),
            models.Index(
                fields=["paused_since"], condition=Q(state="open", paused_since__isnull=False), name="escalation_paused"
            ),
            models.Index(fields=["assignee", "state"], name="escalation_assignee"),
            models.Index(fields=["-resolved_at", "-id"], condition=Q(state="settled"), name="escalation_done"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="settled") | Q(next_due_at__isnull=True, resolved_at__isnull=False),
                name="escalation_settled_has_no_due",
            ),
            models.CheckConstraint(
                condition=Q(paused_since__isnull=True) | (Q(next_due_at__isnull=True) & ~Q(pause_cause="")),
                name="escalation_paused_has_no_due",
            ),
        ]

    def __str__(self) -> str:
        return f"case {self.pk}"

    def get_absolute_url(self) -> str:
        return self.thread.get_absolute_url()

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN

    @property
    def is_paused(self) -> bool:
        return self.paused_since is not None

    @property
    def is_late(self) -> bool:
        return self.is_open and self.late_at is not None

    @property
    def with_staff(self) -> bool:
        return self.told_at is not None or self.acknowledged_at is not None

    @property
    def due_at(self) -> datetime | None:
        """What the desk sorts by: the promise to the customer, else the next rung."""
        if not self.is_open or self.is_paused:
            return None
        if self.acknowledged_at:
            return self.resolve_due_at or self.next_due_at
        return self.acknowledge_due_at or self.next_due_at


class EscalationStep(models.Model):
    """One thing that happened to a case. A rung that fired has its position, and can fire once a round."""

    # Positions of the two targets, beside the ladder's own.
    ACKNOWLEDGE, RESOLVE = 10_000, 10_001

    escalation = models.ForeignKey(Escalation, on_delete=models.CASCADE, related_name="history")
    round = models.PositiveSmallIntegerField()
    position = models.PositiveSmallIntegerField(null=True, blank=True)
    kind = models.CharField(max_length=30)
    fired_at = models.DateTimeField(default=clock.now)
    due_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When it was due, or by when something is promised.")
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    department = models.ForeignKey(Department, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    people = models.JSONField(default=list, blank=True)
    cause = models.CharField(max_length=20, blank=True, default="")
    reference = models.CharField(max_length=120, blank=True, default="")
    note = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        ordering = ["fired_at", "id"]
        indexes = [models.Index(fields=["escalation", "fired_at"], name="escalation_history")]
        constraints = [
            models.UniqueConstraint(
                fields=["escalation", "round", "position"],
                condition=Q(position__isnull=False),
                name="escalation_step_once_a_round",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} of case {self.escalation_id}"


class Pause(models.Model):
    """A time in which the clocks stood, and why."""

    escalation = models.ForeignKey(Escalation, on_delete=models.CASCADE, related_name="pauses")
    round = models.PositiveSmallIntegerField()
    cause = models.CharField(_("because"), max_length=20, choices=PauseCause)
    note = models.CharField(_("note"), max_length=300, blank=True, default="")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["escalation"], condition=Q(until__isnull=True), name="escalation_one_running_pause"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_cause_display()} since {self.since}"


class InternalNote(models.Model):
    """What staff tell each other about a case. Never leaves the desk."""

    escalation = models.ForeignKey(Escalation, on_delete=models.CASCADE, related_name="notes")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    body = models.TextField(_("note"), max_length=4000)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return self.body[:60]


@register_setting(icon="time")
class DeskSettings(BaseGenericSetting):
    """What a community manager may turn about cases as a whole."""

    default_department = models.ForeignKey(
        Department,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("department of last resort"),
        help_text=_("Gets what no policy, product or topic claims."),
    )
    care_factor = models.FloatField(
        _("how much slower the ladder runs after a reply"),
        default=2,
        help_text=_("When the asker writes again after a reply and nobody answers."),
    )

    class Meta:
        verbose_name = _("Cases")


def as_row(position: int, hours: float, kind: str, due: datetime | None, note: str = "") -> dict[str, Any]:
    """A rung as it stands in a case's ladder, and since when: a pause moves it by what it has seen of that pause."""
    return {
        "position": position,
        "hours": hours,
        "kind": str(kind),
        "note": note,
        "due": due.isoformat() if due else None,
        "fired": None,
        "written": clock.now().isoformat(),
    }

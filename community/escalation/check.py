"""Looks for what is late and unseen: a thread that nobody looks after, a case that nothing will wake.

The sweep can't find these, since it sees only cases with a due time. `manage.py check_desk` and the worker look; the
desk shows what they found, and a community manager has it by mail once a day while there is anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Min, Q, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from community.accounts.models import Standing, User
from community.core import brand as brands
from community.core import clock, outbox
from community.core.errors import Conflict, require
from community.core.rows import locked, retried
from community.events.log import is_replaying
from community.questions import services as questions
from community.questions.models import Kind as ThreadKind
from community.questions.models import Thread

from . import cases, handoffs, remembered, routing, shifts
from .models import DeskCheck, Escalation, HandOff
from .permissions import why_not_work

SWEEPS = timedelta(minutes=2)  # two sweeps: what is due for longer, the sweep does not see or cannot do
LONG = timedelta(days=30)  # a pause that nobody has looked at for so long
# What a thread says of itself when it needs nobody any more; and the ends of cases that follow from one of these.
ENDS = ("solved_at", "official_at", "closed_at", "duplicate_of", "merged_into")
BY_FACTS = ("accepted", "official", "holds", "duplicate", "merged", "closed", "gone")
FRESH = timedelta(minutes=5)  # a thread may be this new and not yet looked after
STALE = timedelta(hours=26)  # a nightly look that is older than this did not happen
RUNNING = HandOff.RUNNING
MOST = 100  # findings that are listed; all are counted
LISTED = 20  # in a mail
KEPT = timedelta(days=90)


class Kind(models.TextChoices):
    NO_CASE = "no_case", gettext_lazy("nobody looks after it")
    ASLEEP = "asleep", gettext_lazy("open, and nothing will happen next")
    STUCK = "stuck", gettext_lazy("due, and not done by the sweep")
    LOST = "lost", gettext_lazy("its case has ended, and what ended it is gone")
    ABSENT = "absent", gettext_lazy("with somebody who works no cases any more")
    PAUSED = "paused", gettext_lazy("its clocks have stood for a month")
    HANDED = "handed", gettext_lazy("handed off a month ago, and nothing has come of it")


MENDED = {Kind.NO_CASE, Kind.ASLEEP, Kind.LOST, Kind.ABSENT}  # by `look_after`; the others want a decision


@dataclass(frozen=True)
class Finding:
    kind: str
    thread: int
    title: str
    since: str  # a moment

    @property
    def why(self) -> str:
        return str(Kind(self.kind).label)

    @property
    def when(self) -> datetime:
        return datetime.fromisoformat(self.since)


def without_case(now: datetime) -> QuerySet[Thread]:
    """Open visible threads that have no case, also where no policy is for them. Imported ones never had one (0074)."""
    return Thread.objects.filter(
        visibility="visible", source="", escalation=None, created_at__lte=now - FRESH, idea_status__in=["", "new"],
        **dict.fromkeys(ENDS),
    ).order_by("created_at", "id")  # fmt: skip


def _open() -> QuerySet[Escalation]:
    return Escalation.objects.open().filter(thread__visibility="visible")


def asleep() -> QuerySet[Escalation]:
    """Open cases with neither a due time nor a pause; a promise has a due time, an idea with a plan has its status."""
    rests = Q(thread__kind=ThreadKind.IDEA, thread__idea_status__in=cases.PLANNED)
    return _open().filter(next_due_at=None, paused_since=None).exclude(rests).order_by("started_at", "id")


def stuck(now: datetime) -> QuerySet[Escalation]:
    """Cases that were due two sweeps ago, also of threads nobody sees."""
    return Escalation.objects.filter(next_due_at__lt=now - SWEEPS).order_by("next_due_at", "id")


def lost() -> QuerySet[Escalation]:
    """Cases that ended by what a thread says of itself, such as its solution, and the thread does not say it now; and
    those of a thread that was asked before where nobody can read any more."""
    unsaid = Q(resolved_cause__in=BY_FACTS, **{f"thread__{name}": None for name in ENDS})
    led_away = Q(resolved_cause="duplicate", thread__duplicate_of__isnull=False)
    led_away &= ~Q(thread__duplicate_of__visibility="visible")
    return Escalation.objects.filter(
        unsaid | led_away, state=Escalation.State.SETTLED, thread__visibility="visible"
    ).exclude(thread__kind=ThreadKind.IDEA).order_by("resolved_at", "id")  # fmt: skip


def with_nobody_there() -> QuerySet[Escalation]:
    """Open cases whose assignee has left the desk. Who is away has a stand-in, or the lead hears when it is late."""
    works = Q(assignee__is_superuser=True) | Q(assignee__standing=Standing.STAFF)
    there = Q(assignee__is_active=True, assignee__suspended_at=None) & works
    return _open().filter(assignee__isnull=False).exclude(there).order_by("started_at", "id")


def long_paused(now: datetime) -> QuerySet[Escalation]:
    """Whatever day was named: after a month somebody should ask what became of it."""
    return _open().filter(paused_since__lte=now - LONG).order_by("paused_since", "id")


def nothing_came(now: datetime) -> QuerySet[Escalation]:
    """Cases without a clock whose hand-off is a month old: whoever handed it over was asked, and asked again."""
    rows = handoffs.without_clock().filter(created_at__lte=now - LONG)
    seen = Q(thread__visibility="visible") | Q(thread__merged_into__visibility="visible")
    found = Escalation.objects.filter(seen, pk__in=rows.values("escalation"))
    return found.annotate(handed_at=Min("hand_offs__created_at", filter=Q(hand_offs__state__in=RUNNING))).order_by(
        "handed_at", "id"
    )


def look(now: datetime | None = None) -> tuple[int, list[Finding]]:
    """How many threads are forgotten, and the first hundred of each kind. Writes nothing."""
    now = now or clock.now()
    lists: list[tuple[Kind, Any, str]] = [
        (Kind.STUCK, stuck(now), "next_due_at"),
        (Kind.ASLEEP, asleep(), "started_at"),
        (Kind.LOST, lost(), "resolved_at"),
        (Kind.ABSENT, with_nobody_there(), "started_at"),
        (Kind.PAUSED, long_paused(now), "paused_since"),
        (Kind.HANDED, nothing_came(now), "handed_at"),
    ]
    found: list[Finding] = []
    total = 0
    for kind, rows, since in lists:
        some = list(rows.values_list("thread", "thread__title", since)[: MOST + 1])
        total += rows.order_by().count() if len(some) > MOST else len(some)
        found += [Finding(kind.value, pk, title, at.isoformat()) for pk, title, at in some[:MOST]]
    none = list(without_case(now).values_list("pk", "title", "created_at")[: MOST + 1])
    total += without_case(now).order_by().count() if len(none) > MOST else len(none)
    found += [Finding(Kind.NO_CASE.value, pk, title, at.isoformat()) for pk, title, at in none[:MOST]]
    return total, found


def oldest_due() -> datetime | None:
    """Since when the case waits that the sweep should have seen first; for `/readyz`."""
    found = Escalation.objects.filter(next_due_at__lte=clock.now()).aggregate(oldest=Min("next_due_at"))
    return found["oldest"]  # type: ignore[no-any-return]


def check(now: datetime | None = None) -> DeskCheck:
    """Look, keep what was found, and tell the community managers by mail when there is anything: once a day each.

    The look only reads and stands before the transaction: on SQLite nobody who writes waits for it.
    """
    now = now or clock.now()
    total, found = look(now)
    return _keep(now, total, found)


@transaction.atomic
def _keep(now: datetime, total: int, found: list[Finding]) -> DeskCheck:
    kept = DeskCheck.objects.create(at=now, count=total, findings=[asdict(finding) for finding in found])
    DeskCheck.objects.filter(at__lt=now - KEPT).delete()
    if total and not is_replaying():
        outbox.queue_many(_mail(manager, kept, found, now) for manager in routing.managers() if manager.email)
    return kept


def run() -> None:
    """What the worker does every hour; a mail leaves once a day."""
    if not is_replaying():
        check()


def _mail(manager: User, kept: DeskCheck, found: Iterable[Finding], now: datetime) -> Any:
    """One mail a day and manager: the key makes the second one nothing."""
    with translation.override(manager.language or settings.LANGUAGE_CODE):
        findings = list(found)
        subject = ngettext(
            "%(n)d thread on the desk is forgotten", "%(n)d threads on the desk are forgotten", kept.count
        ) % {"n": kept.count}  # fmt: skip
        context = {
            "brand": brands.of_request(None),
            "subject": subject,
            "count": kept.count,
            "lines": [(finding, address(finding)) for finding in findings[:LISTED]],
            "more": max(0, kept.count - LISTED),
            "page": settings.BASE_URL + reverse("escalation:check"),
        }
        return outbox.build(
            kind="desk_check",
            user=manager,
            key=f"desk_check:{now:%Y-%m-%d}:{manager.pk}",
            subject=subject,
            text=render_to_string("emails/desk_check.txt", context).strip() + "\n",
            html=render_to_string("emails/desk_check.html", context),
        )


def address(finding: Finding) -> str:
    """Where to do something about it."""
    name = "questions:short" if finding.kind == Kind.NO_CASE else "escalation:case"
    return settings.BASE_URL + reverse(name, args=[finding.thread])


def latest() -> DeskCheck | None:
    return DeskCheck.objects.order_by("-at", "-pk").first()


def warning(last: DeskCheck | None, oldest: datetime | None, now: datetime) -> str:
    """One line for the top of the desk when something is forgotten, or when nobody looked; else nothing."""
    if oldest is not None and oldest < now - SWEEPS:
        return _("The sweep does not run: cases that are due are not passed on. Tell who looks after the server.")
    if last is not None and now - last.at > STALE:
        return _("Nobody looked for forgotten threads for a day. Tell who looks after the server.")
    if last is not None and last.count:
        return ngettext(
            "%(n)d thread is forgotten: nothing will happen to it by itself.",
            "%(n)d threads are forgotten: nothing will happen to them by themselves.",
            last.count,
        ) % {"n": last.count}
    if off := [channel.name for channel in remembered.switched_off()]:
        return _("Switched off, because nobody answered there: %(names)s. A community manager can switch it on.") % {
            "names": ", ".join(off)
        }
    return ""


@retried
def look_after(thread: Thread, by: User) -> Escalation:
    """Open a case for a thread that nobody looks after, as if it had been asked now; wake one that sleeps, begin
    anew with one whose end is gone, and give one back to its department whose assignee works no cases any more.

    Twice is harmless. Raises NotAllowed, Conflict when no policy is for the thread.
    """
    require(why_not_work(by))
    row = locked(thread)
    case = cases.held(row)
    if case is not None and lost().filter(pk=case.pk).exists():
        if row.duplicate_of_id is not None:
            questions.reopen_thread(row, by, _("The thread that asked this before is gone."))  # the case hears of it
            case = cases.held(row) or case
        cases.new_round(case, by)
    elif case is not None and case.assignee is not None and with_nobody_there().filter(pk=case.pk).exists():
        shifts.give_back(case.assignee, by)
    elif case is not None:
        cases.wake(case)
    if case is not None:
        return case
    case = cases.open_case(row) if row.is_visible else None
    if case is None:
        raise Conflict(_("No policy in use is for this thread."))
    return case

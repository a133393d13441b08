"""The six figures: what each means, and how days are counted. Days are UTC (RULINGS 8).

Everything comes from the event log, from `Deflection` and from `Readings`; imports don't count (RULINGS 9: they
happened elsewhere). A thing is counted on the day on which it is known and never again, so that a day that is over
changes only when a thread is taken away, shown again, or moved to another product.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from community.escalation.models import Escalation
from community.events.models import Event
from community.questions.models import Kind, Readings, Thread
from community.search.models import Deflection

from .models import Fact, Figure

FIRST_CONTACT_DAYS = 7
HOLDS_DAYS = 30  # FEATURES K: "fix still holding at 30 days"
Cause = Escalation.Cause
# How a matter is settled. Not in it: asked before, merged, closed, taken away, passed on, and the asker's silence,
# of which nobody knows when or whether it was settled.
SETTLED = (Cause.ACCEPTED, Cause.OFFICIAL, Cause.ANOTHER_WAY, Cause.PRIVATE)
BY_AN_ANSWER = (Cause.ACCEPTED, Cause.OFFICIAL)
SOLVABLE = (Kind.QUESTION, Kind.PROBLEM)


@dataclass(frozen=True)
class Definition:
    """How a figure is explained. `parts` are its outcomes, the good one first; a time has none."""

    figure: str
    sentence: str | Promise
    parts: tuple[tuple[str, str | Promise], ...] = ()
    by_department: bool = True


DEFINITIONS: dict[str, Definition] = {
    row.figure: row
    for row in (
        Definition(
            Figure.ACKNOWLEDGED,
            _(
                "Of the cases that staff acknowledged, or should have acknowledged by then, the share that they "
                "acknowledged within the time promised."
            ),
            (("kept", _("in time")), ("broken", _("late"))),
        ),
        Definition(
            Figure.RESOLUTION,
            _(
                "Business hours of the department from the asking, or from the opening again, until a question or "
                "problem was settled, without the time spent waiting for somebody else."
            ),
        ),
        Definition(
            Figure.FIRST_CONTACT,
            _(
                "Of the questions and problems settled a week before, the share that took no second answer or request "
                "by staff and was not opened again in the 7 days after."
            ),
            (("yes", _("at first contact")), ("no", _("took more"))),
        ),
        Definition(
            Figure.HOLDS,
            _(
                "Of the questions and problems that an answer settled 30 days before, the share that has not been "
                "opened again since."
            ),
            (("yes", _("holds")), ("no", _("opened again"))),
        ),
        Definition(
            Figure.SETTLED_BY,
            _(
                "Whose answer settled the questions and problems of the period: other owners, advocates, staff, or "
                "the asker alone."
            ),
            (
                ("peers", _("owners")),
                ("advocates", _("advocates")),
                ("staff", _("staff")),
                ("asker", _("the asker alone")),
            ),
        ),
        Definition(
            Figure.DEFLECTION,
            _(
                "Contacts that were probably spared: low counts those who were about to ask and stopped at an answer, "
                "middle adds a share of the readings of settled threads, high a smaller share of all other readings. "
                "Of one department: at threads that it settled."
            ),
            (
                ("stopped", _("stopped asking")),
                ("settled", _("readings of settled threads")),
                ("open", _("other readings")),
            ),
        ),
    )
}


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), UTC)


def three_digits(minutes: int) -> int:
    """Minutes to three digits, so that days of many cases stay few rows: off by half a per cent at most."""
    step = 10 ** max(0, len(str(minutes)) - 3)
    return (minutes + step // 2) // step * step


@dataclass(frozen=True)
class Settled:
    """A settlement as its event tells it."""

    pk: int
    thread: int
    at: datetime
    since: datetime
    department: int | None
    cause: str
    who: str
    minutes: int | None


def _events(kinds: Iterable[str], start: datetime, end: datetime) -> Any:
    """Events of a time in order, save those of imports; by (kind, time) index."""
    found = Event.objects.filter(kind__in=list(kinds), occurred_at__gte=start, occurred_at__lt=end)
    return found.exclude(origin=Event.Origin.IMPORT).order_by("occurred_at", "pk")


def _about(threads: Iterable[int], *kinds: str) -> dict[int, list[Event]]:
    """Events of these kinds about these threads, by thread."""
    found: dict[int, list[Event]] = defaultdict(list)
    of_thread = ContentType.objects.get_for_model(Thread)
    for some in _batches(sorted(set(threads))):
        told = Event.objects.filter(subject_type=of_thread, subject_id__in=some, kind__in=kinds)
        for event in told.order_by("pk"):
            found[event.subject_id].append(event)  # type: ignore[index]
    return found


def _is_undoing(event: Event) -> bool:
    """Whether a matter is open again because it did not hold. A look that its department had planned is none, unless it
    finds so."""
    if event.kind == "thread.recheck_settled":
        return not event.data.get("holds")
    return not event.data.get("planned")


UNDONE = ("escalation.reopened", "thread.recheck_settled")


def _batches(ids: list[int], size: int = 500) -> Iterator[list[int]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))


def _settlements(first: date, last: date, causes: Iterable[str]) -> list[Settled]:
    found = []
    for event in _events(["escalation.resolved"], midnight(first), midnight(last + timedelta(days=1))):
        said = event.data
        if said.get("cause") in causes and "since" in said:
            since = datetime.fromisoformat(said["since"])
            found.append(
                Settled(
                    event.pk,
                    event.subject_id,
                    event.occurred_at,
                    since,
                    said.get("department"),
                    said["cause"],
                    said.get("who", ""),
                    said.get("minutes"),
                )  # fmt: skip
            )
    return found


# One function a figure: the facts of the days from `first` to `last`, without what is read from their threads


def _fact(figure: str, key: str, thread: int, at: datetime, day: date | None = None, **more: Any) -> Fact:
    return Fact(figure=figure, key=key, thread_id=thread, at=at, day=day or at.astimezone(UTC).date(), **more)


def contacts(first: date, last: date) -> Iterator[Fact]:
    """What staff said to an asker: answers, and requests for information."""
    kinds = ["answer.posted", "thread.needs_info"]
    for event in _events(kinds, midnight(first), midnight(last + timedelta(days=1))):
        if event.data.get("by_staff"):
            thread = event.data.get("thread", event.subject_id)
            yield _fact(Figure.CONTACT, f"event:{event.pk}", thread, event.occurred_at)


def acknowledged(first: date, last: date) -> Iterator[Fact]:
    """A promise is broken when its time passes, and kept when somebody acknowledges before that; once each."""
    kinds = ["escalation.acknowledged", "escalation.late"]
    events = list(_events(kinds, midnight(first), midnight(last + timedelta(days=1))))
    late = _about((event.subject_id for event in events), "escalation.late")
    broken = {
        (thread, said.data["round"], said.data.get("department")): said.pk
        for thread, all_said in late.items()
        for said in reversed(all_said)
        if said.data.get("target") == "acknowledge"
    }
    for event in events:
        department, thread = event.data.get("department"), event.subject_id
        before = broken.get((thread, event.data["round"], department))
        if event.kind == "escalation.late":
            if before != event.pk:
                continue
            part = "broken"
        elif before is not None and before < event.pk:
            continue
        else:
            part = "kept" if event.data.get("in_time", True) else "broken"
        key = f"event:{event.pk}"
        yield _fact(Figure.ACKNOWLEDGED, key, thread, event.occurred_at, part=part, department_id=department)


def settlements(first: date, last: date) -> Iterator[Fact]:
    """Time to resolution, and who settled it."""
    for row in _settlements(first, last, SETTLED):
        key, of = f"event:{row.pk}", row.department
        if row.minutes is not None:
            value = three_digits(row.minutes)
            yield _fact(Figure.RESOLUTION, key, row.thread, row.at, value=value, department_id=of)
        if row.who:
            yield _fact(Figure.SETTLED_BY, key, row.thread, row.at, part=row.who, department_id=of)


def first_contact(first: date, last: date) -> Iterator[Fact]:
    """FEATURES K asks for "**first-contact resolution**", DESIGN for "whether the first answer settled the matter".

    We say: settled without a second contact by staff (an answer or a request for information; comments don't count,
    RULINGS 12) and without being opened again, both until 7 days after. It is known, and counted, on the 7th day. What
    owners settled among themselves took no contact by staff and counts as at first contact.
    """
    wait = timedelta(days=FIRST_CONTACT_DAYS)
    rows = _settlements(first - wait, last - wait, SETTLED)
    said: dict[int, list[datetime]] = defaultdict(list)
    for some in _batches(sorted({row.thread for row in rows})):
        for thread, at in Fact.objects.filter(figure=Figure.CONTACT, thread__in=some).values_list("thread", "at"):
            said[thread].append(at)
    opened = _about((row.thread for row in rows), *UNDONE)
    for row in rows:
        until = row.at + wait
        told = sum(row.since <= at <= until for at in said[row.thread])
        again = any(row.at < event.occurred_at <= until and _is_undoing(event) for event in opened[row.thread])
        yield _later(Figure.FIRST_CONTACT, row, wait, told <= 1 and not again)


def holds(first: date, last: date) -> Iterator[Fact]:
    """Counted on the 30th day. "No", "it worked at first" and "no longer works" all open the case again."""
    wait = timedelta(days=HOLDS_DAYS)
    rows = _settlements(first - wait, last - wait, BY_AN_ANSWER)
    opened = _about((row.thread for row in rows), *UNDONE)
    for row in rows:
        until = row.at + wait
        again = any(row.at < event.occurred_at <= until and _is_undoing(event) for event in opened[row.thread])
        yield _later(Figure.HOLDS, row, wait, not again)


def _later(figure: str, row: Settled, wait: timedelta, good: bool) -> Fact:
    return _fact(
        figure, f"event:{row.pk}", row.thread, row.at + wait, part="yes" if good else "no",
        department_id=row.department,
    )  # fmt: skip


def deflection(first: date, last: date) -> Iterator[Fact]:
    """FEATURES K: "asked-and-stopped, views of solved × 0.20, other views × 0.05". Here what is multiplied.

    Each belongs to the department that settled the thread last, by then: what was about to be asked would have come to
    it. What nobody has settled belongs to none, and counts in all departments together only.
    """
    start, end = midnight(first), midnight(last + timedelta(days=1))
    stopped = list(Deflection.objects.filter(at__gte=start, at__lt=end).values_list("pk", "thread", "at"))
    found = Readings.objects.filter(day__range=(first, last), times__gt=0)
    read = list(found.values_list("pk", "thread", "day", "settled", "times"))
    settled_by = _about({row[1] for row in (*stopped, *read)}, "escalation.resolved")

    def department(thread: int, by: datetime) -> int | None:
        told = [event for event in settled_by[thread] if event.occurred_at < by and event.data.get("cause") in SETTLED]
        return max(told, key=lambda event: (event.occurred_at, event.pk)).data.get("department") if told else None

    for pk, thread, at in stopped:
        of = department(thread, at)
        yield _fact(Figure.DEFLECTION, f"stopped:{pk}", thread, at, part="stopped", department_id=of)
    for pk, thread, day, settled, times in read:
        of = department(thread, midnight(day + timedelta(days=1))) if settled else None
        part = "settled" if settled else "open"
        yield _fact(
            Figure.DEFLECTION, f"read:{pk}", thread, midnight(day), part=part, count=times, department_id=of
        )  # fmt: skip


def with_threads(facts: Iterable[Fact]) -> list[Fact]:
    """The facts with product and kind of their threads, and whether they count: not when taken away.

    What was merged counts while the thread it went into is there. Questions and problems alone are settled.
    """
    rows = list(facts)
    known: dict[int, tuple[int | None, str, bool]] = {}
    for some in _batches(sorted({row.thread_id for row in rows})):
        threads = Thread._base_manager.filter(pk__in=some)
        there = set(
            threads.filter(Q(visibility="visible") | Q(merged_into__visibility="visible")).values_list("pk", flat=True)
        )
        for pk, product, kind in threads.values_list("pk", "product", "kind"):
            known[pk] = product, kind, pk in there
    found = []
    for row in rows:
        row.product_id, row.kind, row.counts = known[row.thread_id]
        row.counts = row.counts and row.figure != Figure.CONTACT
        if row.figure in (Figure.ACKNOWLEDGED, Figure.DEFLECTION, Figure.CONTACT) or row.kind in SOLVABLE:
            found.append(row)
    return found


def facts_between(first: date, last: date) -> list[Fact]:
    """All facts of some days, save contacts, which must be stored before."""
    figures = (acknowledged, settlements, first_contact, holds, deflection)
    return with_threads(fact for figure in figures for fact in figure(first, last))

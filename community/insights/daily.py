"""Counting days, keeping them, and leaving months alone once they are over.

The sweep counts today, and yesterday until one in the morning for what was still on its way at midnight. Twice is
harmless: a day is compared with what is stored, and only differences are written. A month is frozen three days after
its end; what would change it later is noted beside it (RULINGS 31). Everybody who writes holds the month's row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from django.db import transaction
from django.db.models import F, Min, Q, Sum

from community.core import clock
from community.core.rows import locked
from community.events.log import is_replaying
from community.events.models import Event
from community.questions.models import Readings
from community.search.models import Deflection

from . import metrics
from .models import DailyFigure, Fact, Figure, LateChange, Month, Stale
from .querysets import FactQuerySet

FREEZE_AFTER = timedelta(days=3)
AT_ONCE = 20_000  # events of the days that are counted together: bounds the memory
KINDS = ("escalation.acknowledged", "escalation.late", "escalation.resolved", "answer.posted", "thread.needs_info")
DAY = timedelta(days=1)
SAID = ("day", "part", "value", "department_id", "product_id", "kind", "count", "thread_id", "at", "counts")
BY = ("day", "figure", "part", "value", "department_id", "product_id", "kind")
Key = tuple[date, str, str, int, int | None, int | None, str]


@dataclass
class Report:
    """What a run counted, and where a rebuild found something else than was stored."""

    facts: int = 0
    frozen: list[Month] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    in_frozen: list[str] = field(default_factory=list)


def month_of(day: date) -> date:
    return day.replace(day=1)


def next_month(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)


def run() -> Report:
    """What the worker ticks. Silent in a replay: a loader calls `catch_up` when all is told."""
    return Report() if is_replaying() else catch_up()


def catch_up(now: datetime | None = None, progress: Callable[[list[Month]], Iterable[Month]] = iter) -> Report:
    """Count what has not been counted, mend what changed, and freeze the months that are over."""
    moment = (now or clock.now()).astimezone(UTC)
    report = Report()
    count_stale_again()
    for month in progress(open_months(moment.date())):
        with transaction.atomic():
            row = locked(month)
            if row.frozen_at is not None:
                continue
            _count_on(row, moment, report)
    return report


def _count_on(month: Month, now: datetime, report: Report) -> None:
    """From where a month was left to now; frozen when it is over for long enough. Holds its row."""
    today, end = now.date(), next_month(month.first) - DAY
    last = min(end, today)
    first = month.first
    if month.through is not None:
        settled = now.hour >= 1 and month.through == today
        first = max(month.first, month.through if settled else month.through - DAY)
    for start, stop in _spans(first, last):
        report.facts += len(count(start, stop, []))
    month.through, month.counted_at = last, now
    if today >= end + DAY + FREEZE_AFTER:
        month.frozen_at = now
        report.frozen.append(month)
    month.save(update_fields=["through", "counted_at", "frozen_at"])


def open_months(today: date) -> list[Month]:
    """Months that still count, each with a row, from the first thing there is to count."""
    last = Month.objects.order_by("-first").values_list("first", flat=True).first()
    begin = next_month(last) if last else _beginning()
    rows = []
    while begin is not None and begin <= today:
        rows.append(Month(first=begin))
        begin = next_month(begin)
    Month.objects.bulk_create(rows, ignore_conflicts=True)
    return list(Month.objects.filter(frozen_at__isnull=True, first__lte=today).order_by("first"))


def _beginning() -> date | None:
    events = Event.objects.filter(kind__in=KINDS).exclude(origin=Event.Origin.IMPORT)
    first = [
        events.aggregate(at=Min("occurred_at"))["at"],
        Deflection.objects.aggregate(at=Min("at"))["at"],
        Readings.objects.aggregate(at=Min("day"))["at"],
    ]
    days = [at.astimezone(UTC).date() if isinstance(at, datetime) else at for at in first if at]
    return month_of(min(days)) if days else None


def _spans(first: date, last: date) -> Iterator[tuple[date, date]]:
    """The days in portions that fit into memory: a quiet month at once, a busy one day by day."""
    if first > last:
        return
    start, end = metrics.midnight(first), metrics.midnight(last + DAY)
    events = Event.objects.filter(kind__in=KINDS, occurred_at__gte=start, occurred_at__lt=end).count()
    days = max(1, ((last - first).days + 1) * AT_ONCE // max(events, AT_ONCE))
    while first <= last:
        yield first, min(last, first + timedelta(days=days - 1))
        first += timedelta(days=days)


def count(first: date, last: date, differences: list[str]) -> list[Fact]:
    """Count some days of one month and store what differs. The caller holds the month."""
    contacts = metrics.with_threads(metrics.contacts(first, last))
    _store(first, last, contacts, Q(figure=Figure.CONTACT))  # figures are told from them
    facts = metrics.facts_between(first, last)
    _store(first, last, facts, ~Q(figure=Figure.CONTACT))
    _store_figures(first, last, facts, differences)
    return facts


def _said(fact: Fact) -> tuple:
    return tuple(getattr(fact, name) for name in SAID)


def _store(first: date, last: date, facts: list[Fact], which: Q) -> None:
    stored = {(row.figure, row.key): row for row in Fact.objects.between(first, last).filter(which)}
    new, changed = [], []
    for fact in facts:
        row = stored.pop((fact.figure, fact.key), None)
        if row is None:
            new.append(fact)
        elif _said(row) != _said(fact):
            fact.pk = row.pk
            changed.append(fact)
    Fact.objects.filter(pk__in=[row.pk for row in stored.values()]).delete()
    Fact.objects.bulk_update(changed, SAID, batch_size=500)
    Fact.objects.bulk_create(new, batch_size=500)


def _key(fact: Fact) -> Key:
    return tuple(getattr(fact, name) for name in BY)  # type: ignore[return-value]


def _store_figures(first: date, last: date, facts: list[Fact], differences: list[str]) -> None:
    wanted: Counter[Key] = Counter()
    for fact in facts:
        if fact.counts:
            wanted[_key(fact)] += fact.count
    rows = DailyFigure.objects.between(first, last).values_list("pk", "count", *BY)
    stored: dict[Key, tuple[int, int]] = {row[2:]: row[:2] for row in rows}
    gone = [pk for key, (pk, _count) in stored.items() if key not in wanted]
    changed = [
        DailyFigure(pk=stored[key][0], count=n) for key, n in wanted.items() if key in stored and stored[key][1] != n
    ]
    new = [DailyFigure(**dict(zip(BY, key, strict=True)), count=n) for key, n in wanted.items() if key not in stored]
    for key in sorted({*wanted, *stored}, key=str):
        was, now = stored.get(key, (0, 0))[1], wanted.get(key, 0)
        if was != now:
            differences.append(f"{' '.join(str(part) for part in key)}: stored {was}, counted {now}")
    DailyFigure.objects.filter(pk__in=gone).delete()
    DailyFigure.objects.bulk_update(changed, ["count"], batch_size=500)
    DailyFigure.objects.bulk_create(new, batch_size=500)


# What changes afterwards


def count_stale_again() -> int:
    """Take over what changed about threads: in open months the figures follow, in frozen ones it is noted."""
    stale = dict(Stale.objects.order_by("pk").values_list("pk", "thread")[:AT_ONCE])
    if not stale:
        return 0
    with transaction.atomic():
        open_from = min((locked(month).first for month in _unfrozen()), default=None)
        facts = Fact.objects.exclude(figure=Figure.CONTACT).filter(
            Q(thread__in=set(stale.values())) | Q(thread__merged_into__in=set(stale.values()))
        )
        if open_from is not None:
            moved = _moved(facts.filter(day__gte=open_from))
            _follow(facts.filter(day__gte=open_from))
            for day in sorted(moved):
                count(day, day, [])
        frozen = facts.filter(day__lt=open_from) if open_from else facts
        for first in {month_of(day) for day in frozen.values_list("day", flat=True).distinct()}:
            _note_late(Month.objects.get(first=first))
        Stale.objects.filter(pk__in=list(stale)).delete()
    return len(stale)


def _moved(facts: FactQuerySet) -> set[date]:
    """Days on which somebody stopped at a thread that was merged since: what was spared is the other thread's now."""
    stopped = facts.filter(figure=Figure.DEFLECTION, part="stopped").values_list("key", "thread", "day")
    known = {int(key.removeprefix("stopped:")): (thread, day) for key, thread, day in stopped}
    now = dict(Deflection.objects.filter(pk__in=known).values_list("pk", "thread"))
    return {day for pk, (thread, day) in known.items() if now.get(pk) != thread}


def _unfrozen() -> list[Month]:
    return list(Month.objects.filter(frozen_at__isnull=True).order_by("first"))


def _follow(facts: Iterable[Fact]) -> None:
    """Facts whose thread is taken away, back, or about another product; and the figures by as much."""
    by: Counter[Key] = Counter()
    changed = []
    rows = list(facts)
    known = [(_said(fact), _key(fact), fact.count if fact.counts else 0) for fact in rows]
    metrics.with_threads(rows)  # writes into the rows, those of other kinds of thread, too
    for fact, (before, key, was) in zip(rows, known, strict=True):
        if _said(fact) != before:
            changed.append(fact)
            by[key] -= was
            by[_key(fact)] += fact.count if fact.counts else 0
    Fact.objects.bulk_update(changed, ["product_id", "kind", "counts"], batch_size=500)
    for key, more in by.items():
        wanted = dict(zip(BY, key, strict=True))
        asked = {f"{name}__isnull" if value is None else name: True if value is None else value
                 for name, value in wanted.items()}  # fmt: skip
        if more and not DailyFigure.objects.filter(**asked).update(count=F("count") + more):
            DailyFigure.objects.create(**wanted, count=more)
    DailyFigure.objects.filter(count=0).delete()


def _note_late(month: Month) -> None:
    """What a frozen month would say were it counted now, beside what stands. One query."""
    there = Q(thread__visibility="visible") | Q(thread__merged_into__visibility="visible")
    days = Fact.objects.between(month.first, next_month(month.first) - DAY).exclude(figure=Figure.CONTACT)
    said = days.values_list("figure", "part").annotate(
        stands=Sum("count", filter=Q(counts=True), default=0), would_be=Sum("count", filter=there, default=0)
    )
    for figure, part, stands, would_be in said.order_by("figure", "part"):
        known = LateChange.objects.filter(month=month, figure=figure, part=part)
        if stands == would_be:
            known.delete()
        elif not known.update(stands=stands, would_be=would_be, noted_at=clock.now()):
            LateChange.objects.create(month=month, figure=figure, part=part, stands=stands, would_be=would_be)


def rebuild(
    *, write: bool, now: datetime | None = None, progress: Callable[[list[Month]], Iterable[Month]] = iter
) -> Report:
    """Count every day anew from the log and compare. Open months are mended when `write`; frozen ones never are."""
    moment = (now or clock.now()).astimezone(UTC)
    report = Report()
    if not Month.objects.exists():
        return catch_up(moment, progress) if write else report
    count_stale_again()
    for month in progress(list(Month.objects.order_by("first"))):
        with transaction.atomic():
            row = locked(month)
            last = min(next_month(row.first) - DAY, row.through or row.first - DAY)
            found: list[str] = []
            for start, stop in _spans(row.first, last):
                report.facts += len(count(start, stop, found))
            (report.in_frozen if row.frozen_at else report.differences).extend(found)
            if row.frozen_at or not write:
                transaction.set_rollback(True)
    return report

"""Who of a department takes the next case: whoever has the least to do of those who are there.

The page "Who is next" prints the same list that the sweep takes its first name from.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Max, Q, QuerySet

from community.accounts.models import Department, User
from community.core import clock
from community.core.rows import locked

from .clock import spans, zone
from .models import Absence, AgentHours, Escalation

# What an open case counts for: a late one wants doing at once, a paused one waits for somebody else.
LATE, OPEN, PAUSED = 2.0, 1.0, 0.5
LEAST_SHARE = 0.1  # somebody with two hours a week isn't given a tenth of a case
WORKERS = Q(groups__permissions__codename="work_cases", groups__permissions__content_type__app_label="escalation") | Q(
    user_permissions__codename="work_cases", user_permissions__content_type__app_label="escalation"
)
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass
class Turn:
    """One member of a department, as rotation sees them. `order` is None for who is passed over."""

    person: User
    running: int = 0
    paused: int = 0
    late: int = 0
    share: float = 1.0
    last: datetime | None = None
    works: datetime | None = None
    there: bool = True
    away_until: date | None = None
    stand_in: User | None = None
    order: int | None = None
    days: dict[str, Any] = field(default_factory=dict)

    @property
    def load(self) -> float:
        """Open cases by weight, over the share of the department's hours somebody works."""
        plain = self.running - self.late
        return (plain * OPEN + self.late * LATE + self.paused * PAUSED) / self.share

    @property
    def is_away(self) -> bool:
        return self.away_until is not None


def today_of(department: Department | None, at: datetime) -> date:
    return at.astimezone(zone(department.time_zone if department else "UTC")).date()


def away(day: date) -> QuerySet[Absence]:
    """Who is away on a day."""
    return Absence.objects.filter(since__lte=day, until__gte=day)


def away_ids(department: Department, at: datetime) -> set[int]:
    """The people of a department who are away at a moment."""
    return set(
        away(today_of(department, at)).filter(user__memberships__department=department).values_list("user", flat=True)
    )


def stands_in_for(user: User, at: datetime | None = None) -> set[int]:
    """Whose cases somebody sees to today."""
    day = today_of(user.department, at or clock.now())
    return set(away(day).filter(stand_in=user).values_list("user", flat=True))


def with_stand_ins(people: Iterable[int | None], at: datetime) -> list[int | None]:
    """The people, and whoever stands in for those of them who are away."""
    known = list(people)
    found = Absence.objects.filter(user__in=[pk for pk in known if pk], stand_in__isnull=False)
    for absence in found.select_related("user__department"):
        if absence.since <= today_of(absence.user.department, at) <= absence.until:
            known.append(absence.stand_in_id)
    return known


def with_hours(department: Department, hours: dict[str, Any]) -> Department:
    """The department as if it were open when one agent works: same zone, same holidays."""
    own = copy.copy(department)
    own.hours = hours
    return own


def weekly(hours: dict[str, Any]) -> float:
    """Hours a week of opening times."""

    def number(time: str) -> float:
        hour, _colon, minute = time.partition(":")
        return int(hour) + int(minute or 0) / 60

    return sum(number(closes) - number(opens) for day in hours.values() for opens, closes in day)


def turns(department: Department, *, not_to: Iterable[int] = (), at: datetime | None = None) -> list[Turn]:
    """Everybody of a department, who is next first; those who are passed over last. Four queries.

    Of those who work before the department closes (today, or on its next day): least load first, then who was given
    a case longest ago. Where none of them works by then, whoever works soonest.
    """
    at = at or clock.now()
    people = list(
        User.objects.active()
        .filter(memberships__department=department, suspended_at__isnull=True)
        .filter(pk__in=User.objects.filter(WORKERS).order_by().values("pk"))
        .order_by("name", "id")
    )
    found = {person.pk: Turn(person) for person in people}
    recent = at - timedelta(days=90)
    counted = (
        Escalation.objects.filter(assignee__in=found)
        .filter(Q(state="open") | Q(started_at__gte=recent))
        .order_by()
        .values("assignee")
        .annotate(
            running=Count("pk", filter=Q(state="open", paused_since__isnull=True)),
            paused=Count("pk", filter=Q(state="open", paused_since__isnull=False)),
            late=Count("pk", filter=Q(state="open", late_at__isnull=False, paused_since__isnull=True)),
            last=Max("started_at"),
        )
    )
    for row in counted:
        turn = found[row["assignee"]]
        turn.running, turn.paused, turn.late, turn.last = row["running"], row["paused"], row["late"], row["last"]
    for absence in away(today_of(department, at)).filter(user__in=found).select_related("stand_in"):
        found[absence.user_id].away_until, found[absence.user_id].stand_in = absence.until, absence.stand_in
    for membership in department.memberships.filter(user__in=found, away_until__gt=at):
        turn = found[membership.user_id]
        turn.away_until = turn.away_until or today_of(department, membership.away_until or at)
    closes = _closes(department, at)
    full = weekly(department.hours)
    for own in AgentHours.objects.filter(user__in=found):
        turn, hours = found[own.user_id], own.hours
        if weekly(hours) <= 0:
            continue
        turn.days = hours
        turn.share = max(LEAST_SHARE, min(1.0, weekly(hours) / full)) if full else 1.0
        turn.works = next((begin for begin, _end in spans(at, with_hours(department, hours))), None)
        turn.there = turn.works is not None and turn.works < closes
    skipped = set(not_to)
    rows = sorted(found.values(), key=lambda turn: _key(turn, skipped))
    for number, turn in enumerate((row for row in rows if not row.is_away and row.person.pk not in skipped), 1):
        turn.order = number
    return rows


def _closes(department: Department, at: datetime) -> datetime:
    """The end of the opening time that runs, or of the next one."""
    return next((end for _begin, end in spans(at, department)), NEVER)


def _key(turn: Turn, skipped: set[int]) -> tuple[Any, ...]:
    out = turn.is_away or turn.person.pk in skipped
    last = turn.last or datetime.min.replace(tzinfo=UTC)
    if turn.there:
        return (out, False, turn.load, last, turn.person.pk)
    return (out, True, turn.works or NEVER, turn.load, turn.person.pk)


def next_assignee(department: Department, *, not_to: Iterable[int] = (), at: datetime | None = None) -> User | None:
    """Whose turn it is; None when nobody of the department is there.

    Holds the department, so that two sweeps which give out two cases don't both count before either has given.
    """
    if connection.in_atomic_block:
        locked(department)
    first = next((turn for turn in turns(department, not_to=not_to, at=at) if turn.order == 1), None)
    return first.person if first else None

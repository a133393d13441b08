"""What staff do with a case: read it, promise, assign, route."""

from __future__ import annotations

from datetime import datetime

from community.accounts.models import Department, User
from community.core import clock

from .. import routing
from ..models import (
    Escalation,
    EscalationPolicy,
    StepKind,
)
from .ground import OWN, Phase, Rung, announce, due_of, keep, note_down, waiting
from .ladder import climb, from_department_on, promised_hours, reached_staff, rungs_of, schedule


def acknowledge(case: Escalation, by: User, *, note: str = "") -> None:
    """A person of the brand looks after it. The ladder gives way to the promise to settle it."""
    now = clock.now()
    in_time = case.is_paused or case.acknowledge_due_at is None or now <= case.acknowledge_due_at
    case.acknowledged_at, case.acknowledged_by = now, by
    case.assignee = case.assignee or by
    case.told_at = case.told_at or now
    if case.department is None:
        case.department = by.department or routing.last_resort()
    case.phase, case.late_at = Phase.STAFF, None
    _staff_ladder(case, now)
    schedule(case)
    keep(case)
    note_down(case, "acknowledged", by=by, department=case.department, note=note)
    announce(case, "acknowledged", by, department=case.department_id, in_time=in_time)


def _staff_ladder(case: Escalation, start: datetime) -> None:
    """After the acknowledgement: late when the promise to resolve passes, then the lead, then the manager."""
    hours = promised_hours(case, "resolve_hours")
    case.ladder = [row for row in case.ladder if row["fired"]]
    case.resolve_due_at = None
    if hours is None or case.department is None:
        return
    rungs: list[Rung] = [
        (hours, StepKind.LATE.value, "", OWN),
        (hours, StepKind.LEAD.value, "", OWN),
        (hours * 2, StepKind.MANAGER.value, "", OWN),
    ]
    climb(case, rungs, start, EscalationPolicy.Clock.BUSINESS, target="resolve")
    case.resolve_due_at = due_of(waiting(case)[0])


def promise(case: Escalation, until: datetime) -> None:
    """The customer was told a day: it takes the place of the policy's hours, for the clock and for whoever is above."""
    if not case.is_open or case.acknowledged_at is None or case.department is None or until <= clock.now():
        return
    case.ladder = [row for row in case.ladder if row["fired"]]
    rungs: list[Rung] = [
        (0.0, StepKind.LATE.value, "", OWN),
        (0.0, StepKind.LEAD.value, "", OWN),
        (promised_hours(case, "resolve_hours") or 24.0, StepKind.MANAGER.value, "", OWN),
    ]
    climb(case, rungs, until, EscalationPolicy.Clock.BUSINESS, target="resolve")
    for number, row in enumerate(waiting(case)):
        row["promised"] = True
        if number < 2:
            row["due"] = until.isoformat()  # to the minute, also outside of business hours
    case.resolve_due_at, case.late_at = until, None
    schedule(case)
    keep(case)


def assign(case: Escalation, to: User, by: User | None, *, note: str = "", position: int | None = None,
           due: datetime | None = None) -> None:  # fmt: skip
    """Give the case to one person."""
    case.assignee = to
    reached_staff(case, clock.now())
    schedule(case)
    keep(case)
    note_down(
        case, "assigned", by=by, department=case.department, people=[to.pk], note=note, position=position, due_at=due
    )
    announce(case, "assigned", by, assignee=to.pk, people=[to.pk], department=case.department_id)


def route(case: Escalation, department: Department, by: User | None, *, note: str = "") -> None:
    """To another department, whose clocks begin now."""
    now = clock.now()
    previous = case.department_id
    case.department, case.assignee = department, None
    case.acknowledged_at = case.acknowledged_by = case.resolve_due_at = case.told_at = case.late_at = None
    case.phase = Phase.FIRST
    rungs = from_department_on(rungs_of(case.policy))
    climb(case, [rung for rung in rungs if rung[1] != StepKind.DEPARTMENT], now, case.policy.clock)
    reached_staff(case, now)
    schedule(case)
    keep(case)
    note_down(case, "routed", by=by, department=department, note=note)
    announce(case, "routed", by, note, department=department.pk, previous=previous)

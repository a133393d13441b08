"""The ladder of a case: written down with its due times when it begins, and what the sweep looks at next."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from community.core import clock
from community.events.log import is_replaying
from community.questions.models import IdeaStatus, Kind

from ..clock import add, add_business
from ..models import (
    Escalation,
    EscalationPolicy,
    StepKind,
    as_row,
)
from .ground import OWN, SOLVABLE, Rung, due_of, keep, waiting

REACHES_STAFF = (StepKind.DEPARTMENT, StepKind.ASSIGNED, StepKind.LEAD)
PLANNED = (IdeaStatus.PLANNED, IdeaStatus.IN_PROGRESS, IdeaStatus.FUTURE)


def schedule(case: Escalation) -> None:
    """When the sweep looks at the case next."""
    rows = waiting(case) if case.is_open and not case.is_paused else []
    if not rows and case.is_open and not case.is_paused and not rests(case):
        rows = [_again(case)]
    case.next_due_at = due_of(rows[0]) if rows else None
    case.next_step = rows[0]["position"] if rows else None


def rests(case: Escalation) -> bool:
    """An idea with a plan waits for what becomes of it; its status is what its author was told."""
    return case.thread.kind == Kind.IDEA and case.thread.idea_status in PLANNED


def _again(case: Escalation) -> dict[str, Any]:
    """Nobody is left on the ladder, and the case is open still: who is above is told again, until it is settled.

    An idea that somebody read is looked at once a month. So it is in a replay, where nobody is told.
    """
    read = case.thread.kind not in SOLVABLE and case.acknowledged_at is not None
    hours = 24.0 * 30 if read or is_replaying() else 24.0
    kind = StepKind.LEAD if read and case.department is not None and case.department.lead_id else StepKind.MANAGER
    position = 1 + max((row["position"] for row in case.ladder), default=-1)
    row = as_row(position, hours, kind, clock.now() + timedelta(hours=hours))
    row |= {"clock": EscalationPolicy.Clock.ELAPSED, "target": ""}
    case.ladder.append(row)
    return row


def wake(case: Escalation) -> None:
    """Give a case that sleeps its next time; others stay as they are."""
    if case.is_open and case.next_due_at is None:
        schedule(case)
        keep(case)


def climb(
    case: Escalation, rungs: Iterable[Rung], start: datetime, on: str, *, target: str = "", keep_waiting: bool = False
) -> None:
    """Replace what is still waiting by these rungs, counted from `start`; what has fired stays as it was."""
    case.ladder = [row for row in case.ladder if row["fired"] or keep_waiting]
    position = 1 + max((row["position"] for row in case.ladder), default=-1)
    for offset, (hours, kind, note, channel) in enumerate(rungs):
        row = as_row(position + offset, hours, kind, add(start, hours, on, case.department), note)
        row |= {"clock": on, "target": target if kind == StepKind.LATE else "", "channel": channel}
        case.ladder.append(row)
    case.ladder_clock = on


def rungs_of(policy: EscalationPolicy) -> list[Rung]:
    return [(step.hours, step.kind, step.note, step.channel) for step in policy.steps.all()]


def from_department_on(rungs: list[Rung], *, factor: float = 1) -> list[Rung]:
    """The part of a ladder that reaches staff, counted from its first such rung."""
    staff = [rung for rung in rungs if rung[1] not in (StepKind.ADVOCATES, StepKind.REMINDED, StepKind.SILENT)]
    first = staff[0][0] if staff else 0
    return [((hours - first) * factor, *rest) for hours, *rest in staff]


def one_level_higher(rungs: list[Rung], had_department: bool) -> list[Rung]:
    """Owners had their turn; where the department had it too, its lead begins."""
    staff = from_department_on(rungs)
    if not had_department:
        return staff
    above = [rung for rung in staff if rung[1] not in (StepKind.DEPARTMENT, StepKind.LEAD)]
    return [(0.0, StepKind.LEAD.value, "", OWN), *above]


def add_target(case: Escalation, hours: float | None, start: datetime, name: str) -> datetime | None:
    """Add a promise to the customer beside the ladder: late when it passes. Always in business hours."""
    case.ladder = [row for row in case.ladder if row["fired"] or row.get("target") != name]
    if hours is None or case.department is None:
        return None
    position = 1 + max((row["position"] for row in case.ladder), default=-1)
    due = add_business(start, hours, case.department)
    row = as_row(position, hours, StepKind.LATE, due)
    case.ladder.append({**row, "clock": EscalationPolicy.Clock.BUSINESS, "target": name})
    return due


def promised_hours(case: Escalation, name: str) -> float | None:
    """What the customer is promised: by the policy, else the department. Ideas and praise have what a policy says."""
    hours: float | None = getattr(case.policy, name)
    if hours is None and case.department is not None and case.thread.kind in SOLVABLE:
        hours = getattr(case.department, name)
    return hours


def reached_staff(case: Escalation, at: datetime) -> None:
    """The case has reached staff: from now on the department's promise counts."""
    if case.told_at is None:
        case.told_at = at
        if case.acknowledged_at is None:
            case.acknowledge_due_at = add_target(case, promised_hours(case, "acknowledge_hours"), at, "acknowledge")


def hurry(case: Escalation) -> None:
    """So many have the same that the next rung is due at once: once a round, however often somebody says so."""
    rows = waiting(case)
    if any(row.get("hurried") for row in case.ladder) or not case.is_open or case.is_paused:
        return
    if rows and due_of(rows[0]) > clock.now():
        rows[0] |= {"due": clock.now().isoformat(), "hurried": True}
        schedule(case)
        keep(case)

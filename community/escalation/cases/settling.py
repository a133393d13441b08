"""A case is over: by whose doing, and after how much work."""

from __future__ import annotations

from datetime import datetime, timedelta

from community.accounts.models import Standing, User
from community.core import clock

from .. import stage
from ..clock import business_between
from ..models import (
    Escalation,
    Pause,
)
from .ground import Cause, State, announce, keep, note_down
from .ladder import schedule
from .pausing import end_pause


def settle(case: Escalation, cause: str, by: User | None, *, note: str = "", position: int | None = None,
           due: datetime | None = None) -> None:  # fmt: skip
    """The case is over. Twice is harmless: the first cause stands."""
    if not case.is_open:
        return
    end_pause(case)
    case.state, case.resolved_at, case.resolved_by, case.resolved_cause = State.SETTLED, clock.now(), by, cause
    case.ladder = [row for row in case.ladder if row["fired"]]
    schedule(case)
    keep(case)
    note_down(case, "resolved", by=by, cause=cause, note=note, position=position, due_at=due)
    if stage.here() is not None:
        return
    announce(
        case, "resolved", by, cause=cause, department=case.department_id, who=_settled_by(case, cause, by),
        minutes=int(worked_on(case).total_seconds() // 60), since=case.started_at.isoformat(),
    )  # fmt: skip


def _settled_by(case: Escalation, cause: str, by: User | None) -> str:
    """Whose doing the end was, as things stand now: peers, advocates, staff, or the asker alone; empty for nobody's."""
    asker = case.thread.author_id
    if cause == Cause.ACCEPTED and case.thread.leading_solution_id:
        author, standing = User.objects.values_list("pk", "standing").get(answers=case.thread.leading_solution_id)
        if author != asker:
            return {Standing.STAFF: "staff", Standing.ADVOCATE: "advocates"}.get(standing, "peers")
        return "asker"
    if cause in (Cause.ACCEPTED, Cause.ANOTHER_WAY) and by is not None and by.pk == asker:
        return "asker"
    return "staff" if by is not None and by.speaks_for_brand else ""


def worked_on(case: Escalation) -> timedelta:
    """Business hours of the department in this round, without its pauses; without one, time on the wall."""

    def between(start: datetime, end: datetime) -> timedelta:
        return business_between(start, end, case.department) if case.department else max(timedelta(0), end - start)

    end = case.resolved_at or clock.now()
    total = between(case.started_at, end)
    if case.pause_count:
        for pause in Pause.objects.filter(escalation=case, round=case.round):
            total -= between(pause.since, min(pause.until or end, end))
    return max(timedelta(0), total)


def open_for(case: Escalation) -> timedelta:
    """How long the case has been in this round, without its pauses."""
    end = case.resolved_at or case.paused_since or clock.now()
    return max(timedelta(0), end - case.started_at)

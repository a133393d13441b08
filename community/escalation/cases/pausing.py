"""The clocks of a case stand, and go on."""

from __future__ import annotations

from datetime import datetime, timedelta

from community.accounts.models import User
from community.core import clock

from .. import stage
from ..clock import moved
from ..models import (
    Escalation,
    Pause,
    PauseCause,
)
from .ground import announce, due_of, keep, note_down
from .ladder import schedule

# After how many days a pause is looked at again, where nobody names a day: what each takes as a rule. An asker is
# reminded meanwhile, by the thread.
PAUSE_DAYS: dict[str, int] = {
    PauseCause.CUSTOMER: 21, PauseCause.DEPARTMENT: 3, PauseCause.PART: 7, PauseCause.WORKSHOP: 14,
    PauseCause.SUPPLIER: 7,
}  # fmt: skip


def pause(case: Escalation, cause: str, by: User | None, *, note: str = "", until: datetime | None = None) -> None:
    """Stop the clocks until a day on which somebody looks again, by the cause where none is named. Another cause
    while they stand changes nothing."""
    if not case.is_open or case.is_paused:
        return
    now = clock.now()
    case.paused_since, case.pause_cause = now, cause
    case.pause_until, case.pause_told_at = until or now + timedelta(days=PAUSE_DAYS.get(cause, 7)), None
    case.pause_count += 1
    schedule(case)
    keep(case)
    if stage.here() is None:
        Pause.objects.create(escalation=case, round=case.round, cause=cause, since=now, by=by, note=note[:300])
    note_down(case, "paused", by=by, cause=cause, note=note)
    announce(case, "paused", by, cause=cause)


def look_on(case: Escalation, until: datetime, by: User) -> None:
    """Another day on which somebody looks at what is paused."""
    if not case.is_paused or case.pause_until == until:
        return
    case.pause_until, case.pause_told_at = until, None
    keep(case)
    note_down(case, "look_on", by=by, due_at=until)
    announce(case, "look_on", by, until=until.isoformat())


def pause_is_over(case: Escalation) -> None:
    """The day has come: whoever has the case is told, once, and it stands among what needs attention. Still paused."""
    case.pause_told_at = clock.now()
    keep(case)
    note_down(case, "pause_over", cause=case.pause_cause, due_at=case.pause_until, department=case.department)
    announce(case, "pause_over", assignee=case.assignee_id, department=case.department_id)


def end_pause(case: Escalation) -> None:
    """Let the clocks run again: what was left when they stopped is left now.

    A rung that was written during the pause has all of its time left from then on. A promise is a day that somebody
    was told: it stays that day.
    """
    paused, now = case.paused_since, clock.now()
    if paused is None:
        return
    for row in case.ladder:
        if not row["fired"] and not row.get("promised"):
            since = max(paused, datetime.fromisoformat(row["written"])) if row.get("written") else paused
            row["due"] = moved(due_of(row), since, now, row["clock"], case.department).isoformat()
            if row["target"] == "acknowledge":
                case.acknowledge_due_at = due_of(row)
            elif row["target"] == "resolve":
                case.resolve_due_at = due_of(row)
    case.paused_seconds += max(0, int((now - paused).total_seconds()))
    case.paused_since = case.pause_until = case.pause_told_at = None
    case.pause_cause = ""
    if stage.here() is None:
        Pause.objects.filter(escalation=case, until__isnull=True).update(until=now)


def resume(case: Escalation, by: User | None, *, note: str = "") -> None:
    if not case.is_open or not case.is_paused:
        return
    cause = case.pause_cause
    end_pause(case)
    schedule(case)
    keep(case)
    note_down(case, "resumed", by=by, cause=cause, note=note)
    announce(case, "resumed", by, cause=cause)

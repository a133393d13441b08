"""What askers and owners do, as a case hears it."""

from __future__ import annotations

from community.accounts.models import User
from community.core import clock
from community.core.models import Numbers
from community.events.log import is_replaying
from community.questions.models import Kind, Thread

from ..models import (
    DeskSettings,
    Escalation,
    EscalationPolicy,
    PauseCause,
    StepKind,
)
from .ground import OWN, SOLVABLE, Cause, Phase, Rung, keep, note_down
from .ladder import REACHES_STAFF, climb, from_department_on, rungs_of, schedule
from .opening import new_round
from .pausing import resume
from .settling import settle
from .working import acknowledge

# How staff or silence end a case of which the asker has not said that it is solved: a word of theirs opens it again.
UNSAID = (Cause.OFFICIAL, Cause.HOLDS, Cause.SILENT, Cause.PRIVATE, Cause.NOTHING, Cause.PASSED_ON, Cause.ANOTHER_WAY)


def reply_arrived(case: Escalation, by: User) -> None:
    """Somebody else answered. Staff who answer look after it; an owner's answer slows the care, it doesn't end it."""
    if not case.is_open:
        return
    if by.speaks_for_brand:
        if case.thread.kind == Kind.PRAISE:
            settle(case, Cause.PASSED_ON, by)
        elif case.acknowledged_at is None:
            acknowledge(case, by)
        return
    if case.thread.kind not in SOLVABLE or case.policy.until != EscalationPolicy.Until.REPLY:
        return
    if case.phase not in (Phase.FIRST, Phase.CARE, Phase.REMIND) or case.acknowledged_at:
        return
    numbers = Numbers.load()
    # The reminders themselves are the thread's matter; one interval after the last of them silence ends the case.
    rungs: list[Rung] = [(float(numbers.remind_after_hours * (numbers.reminders + 1)), StepKind.SILENT.value, "", OWN)]
    case.phase, case.acknowledge_due_at, case.late_at = Phase.REMIND, None, None
    climb(case, rungs, clock.now(), EscalationPolicy.Clock.ELAPSED)
    schedule(case)
    keep(case)


def begin_at_department(case: Escalation) -> None:
    """The department said that it would look after this: its part of the ladder begins now."""
    if not case.is_open or case.phase != Phase.FIRST or case.told_at or case.acknowledged_at:
        return
    climb(case, from_department_on(rungs_of(case.policy)), clock.now(), case.policy.clock)
    schedule(case)
    keep(case)


def asker_reminded(case: Escalation) -> None:
    """A line in the history of a case that waits for its asker."""
    if case.is_open:
        note_down(case, StepKind.REMINDED.value, people=[case.thread.author_id])


def asker_spoke(case: Escalation) -> None:
    """The asker wrote again. What waited for that goes on, and what staff took for settled is open again; after a
    reply that was not chosen the care goes on, slower. Stories that are replayed tell the first two themselves."""
    if not is_replaying():
        if case.pause_cause == PauseCause.CUSTOMER:
            resume(case, case.thread.author)
        if not case.is_open and case.resolved_cause in UNSAID and _is_unsaid(case.thread):
            new_round(case, case.thread.author, phase=Phase.CARE)
            return
    if not case.is_open or case.phase != Phase.REMIND:
        return
    rungs = rungs_of(case.policy)
    first = next((rung[0] for rung in rungs if rung[1] in REACHES_STAFF), 0)
    factor = DeskSettings.load().care_factor
    case.phase, case.told_at = Phase.CARE, None
    climb(
        case,
        [(first * factor + hours, *rest) for hours, *rest in from_department_on(rungs, factor=factor)],
        clock.now(),
        case.policy.clock,
    )
    schedule(case)
    keep(case)


def _is_unsaid(thread: Thread) -> bool:
    """Something can be wrong still, and the asker has not said that it is solved."""
    ended = thread.solved_at or thread.closed_at or thread.duplicate_of_id or thread.merged_into_id
    return thread.kind in SOLVABLE and thread.is_visible and not ended


def asker_stays_silent(case: Escalation) -> None:
    """Asked for something, reminded, and silent: what waits for the asker alone is over until they write again."""
    if case.is_open and case.pause_cause == PauseCause.CUSTOMER:
        settle(case, Cause.SILENT, None)

"""A case begins, begins anew, or finds that another policy is for it."""

from __future__ import annotations

from typing import Any

from community.accounts.models import User
from community.core import clock
from community.questions.models import Thread

from .. import routing, stage
from ..models import (
    Escalation,
    EscalationPolicy,
    StepKind,
)
from ..sentiment import score_of
from .ground import Phase, State, announce, keep, note_down
from .ladder import climb, from_department_on, one_level_higher, rungs_of, schedule


def sounds_like(thread: Thread) -> float | None:
    """How the post sounds (see `sentiment`); read once when it is written, and again when it is edited."""
    played = stage.here()
    if played is None:
        return score_of(thread.title, thread.body_text, thread.language)
    found: float | None = played.remember(
        ("sounds", thread.pk), lambda: score_of(thread.title, thread.body_text, thread.language)
    )
    return found


def open_case(thread: Thread) -> Escalation | None:
    """Start to look after a thread. None when no policy is for it."""
    sounds = sounds_like(thread)
    policy = routing.policy_for(thread, sentiment=sounds)
    if policy is None:
        return None
    now = clock.now()
    begun: dict[str, Any] = {
        "policy": policy,
        "policy_version": policy.version,
        "started_at": now,
        "sentiment": sounds,
        "department": routing.department_for(thread, policy),
    }
    if (played := stage.here()) is not None:
        case, new = Escalation(pk=thread.pk, thread=thread, **begun), True
        played.case = case
    else:
        case, new = Escalation.objects.get_or_create(thread=thread, defaults=begun)
    if new:
        case.thread = thread
        climb(case, rungs_of(policy), now, policy.clock)
        schedule(case)
        keep(case)
    return case


def new_round(
    case: Escalation,
    by: User | None,
    *,
    note: str = "",
    one_level_up: bool = False,
    phase: str = Phase.FIRST,
    planned: bool = False,
) -> None:
    """The matter is open again: begin anew, one level up where that was asked for. In `CARE` its department begins.

    So it does with a look that it had `planned` itself: nothing failed, and no policy for what is open again is asked.
    """
    if case.is_open:
        return
    now = clock.now()
    had_department = case.told_at is not None
    policy = routing.policy_for(case.thread, reopened=not planned, sentiment=case.sentiment) or case.policy
    case.round += 1
    case.state, case.phase, case.started_at, case.planned = State.OPEN, phase, now, planned
    case.resolved_at = case.resolved_by = None
    case.resolved_cause = ""
    case.assignee = case.acknowledged_at = case.acknowledged_by = None
    case.told_at = case.acknowledge_due_at = case.resolve_due_at = case.late_at = None
    case.policy, case.policy_version = policy, policy.version
    if policy.department_id or case.department is None or case.department.archived_at is not None:
        case.department = routing.department_for(case.thread, policy)
    case.ladder = []
    rungs = rungs_of(policy)
    if planned or phase == Phase.CARE:
        rungs = from_department_on(rungs)
    elif one_level_up or policy.start_one_level_up:
        rungs = one_level_higher(rungs, had_department)
    climb(case, rungs, now, policy.clock)
    schedule(case)
    keep(case)
    note_down(case, "reopened", by=by, note=note)
    told: dict[str, Any] = {"planned": True} if planned else {}
    announce(case, "reopened", by, **told)


def rematch(case: Escalation, *, edited: bool = False) -> None:
    """Facts of the thread changed: a policy that is further up may be for it now, or another department."""
    if edited:
        case.sentiment = sounds_like(case.thread)
        if stage.here() is None:
            case.save(update_fields=["sentiment"])
    if not case.is_open or case.acknowledged_at:
        return
    reopened = case.round > 1 and not case.planned
    policy = routing.policy_for(case.thread, reopened=reopened, sentiment=case.sentiment)
    fired = any(row["fired"] for row in case.ladder)
    if policy is not None and policy.pk != case.policy_id and (
        not fired or policy.position < case.policy.position
    ):  # fmt: skip
        told = case.department_id if case.told_at is not None else None
        case.policy, case.policy_version = policy, policy.version
        case.department = routing.department_for(case.thread, policy)
        if case.phase != Phase.REMIND or policy.until == EscalationPolicy.Until.RESOLVE:
            case.phase = Phase.FIRST
            rungs = rungs_of(policy)
            if case.round > 1 and not any(row["kind"] == StepKind.ADVOCATES for row in case.ladder):
                rungs = from_department_on(rungs)  # this round began with staff: owners had their turn
            if told is not None and told == case.department_id:
                rungs = [rung for rung in rungs if rung[1] != StepKind.DEPARTMENT]  # it knows already
            climb(case, rungs, clock.now() if fired else case.started_at, policy.clock)
    elif case.told_at is None:
        case.department = routing.department_for(case.thread, case.policy)
    else:
        return
    schedule(case)
    keep(case)


def replies_gone(case: Escalation) -> None:
    """The only reply was taken away: the first ladder begins again."""
    if case.is_open and case.phase in (Phase.REMIND, Phase.CARE):
        case.phase, case.told_at = Phase.FIRST, None
        climb(case, rungs_of(case.policy), clock.now(), case.policy.clock)
        schedule(case)
        keep(case)

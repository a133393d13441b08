"""How a case moves: opened, climbing its ladder, paused, in staff's hands, settled, open again.

Who calls (listeners, services, the sweep, the demo) has checked what people may, is in a transaction and, where a
case exists, holds its row. A ladder is written down with its due times when it begins: changing a policy changes
what is promised next time, never what was promised (docs/decisions/0070).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from advocates.matching import asked, matching_advocates
from community.accounts.models import Department, Standing, User
from community.core import clock, gathering
from community.core.models import Numbers
from community.events.acts import is_staff
from community.events.log import is_replaying, record
from community.questions.models import IdeaStatus, Kind, Thread

from . import mailing, rotation, routing, stage
from .clock import add, add_business, business_between, moved
from .models import (
    DeskSettings,
    Escalation,
    EscalationPolicy,
    EscalationStep,
    Pause,
    PauseCause,
    Reach,
    StepKind,
    as_row,
)
from .permissions import works_cases
from .sentiment import score_of

Cause, Phase, State = Escalation.Cause, Escalation.Phase, Escalation.State
SOLVABLE = (Kind.QUESTION, Kind.PROBLEM)
REACHES_STAFF = (StepKind.DEPARTMENT, StepKind.ASSIGNED, StepKind.LEAD)
PLANNED = (IdeaStatus.PLANNED, IdeaStatus.IN_PROGRESS, IdeaStatus.FUTURE)
# How staff or silence end a case of which the asker has not said that it is solved: a word of theirs opens it again.
UNSAID = (Cause.OFFICIAL, Cause.HOLDS, Cause.SILENT, Cause.PRIVATE, Cause.NOTHING, Cause.PASSED_ON, Cause.ANOTHER_WAY)
Rung = tuple[float, str, str, str]  # hours, kind, note, channel
OWN = Reach.OWN.value
# After how many days a pause is looked at again, where nobody names a day: what each takes as a rule. An asker is
# reminded meanwhile, by the thread.
PAUSE_DAYS: dict[str, int] = {
    PauseCause.CUSTOMER: 21, PauseCause.DEPARTMENT: 3, PauseCause.PART: 7, PauseCause.WORKSHOP: 14,
    PauseCause.SUPPLIER: 7,
}  # fmt: skip


# Reading and holding


def held(thread: Thread | int) -> Escalation | None:
    """The case of a thread, held until the transaction ends; None when it has none."""
    pk = thread if isinstance(thread, int) else thread.pk
    if (played := stage.here()) is not None:
        return played.case if played.case is not None and played.case.thread_id == pk else None
    return (
        Escalation.objects.select_for_update(of=("self",), no_key=True)
        .select_related("thread", "department", "policy", "assignee")
        .filter(thread=pk)
        .first()
    )


def _keep(case: Escalation) -> None:
    if stage.here() is None:
        gathering.keep(case)


def due_of(row: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(row["due"])


def waiting(case: Escalation) -> list[dict[str, Any]]:
    """Rungs that have not fired, in the order in which they will."""
    return sorted((row for row in case.ladder if not row["fired"]), key=lambda row: (row["due"], row["position"]))


def next_kind(case: Escalation) -> str:
    """What the rung whose turn it is does; empty when none waits."""
    return next((str(row["kind"]) for row in waiting(case)), "")


def _tell(case: Escalation, kind: str, by: User | None = None, note: str = "", **data: Any) -> None:
    """Record an event about the case. Its subject is the thread, which everybody below knows."""
    if stage.here() is not None:
        return
    record(
        f"escalation.{kind}", actor=by, subject=case.thread, note=note, thread=case.thread_id,
        case=case.pk, round=case.round, **data,
    )  # fmt: skip


def note_down(case: Escalation, kind: str, *, nobody: bool = False, **fields: Any) -> EscalationStep:
    """Add a line to the history of the case; `nobody` when it is a rung that reached nobody."""
    fields.setdefault("fired_at", clock.now())
    fields["note"] = str(fields.get("note", ""))[:500]
    if (played := stage.here()) is not None:
        played.note(case, kind, fields, nobody=nobody)
        return EscalationStep(escalation=case, round=case.round, kind=kind, **fields)
    step = EscalationStep(escalation=case, round=case.round, kind=kind, **fields)
    gathering.put(step)
    return step


# The ladder


def _schedule(case: Escalation) -> None:
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
        _schedule(case)
        _keep(case)


def _climb(
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


def _from_department_on(rungs: list[Rung], *, factor: float = 1) -> list[Rung]:
    """The part of a ladder that reaches staff, counted from its first such rung."""
    staff = [rung for rung in rungs if rung[1] not in (StepKind.ADVOCATES, StepKind.REMINDED, StepKind.SILENT)]
    first = staff[0][0] if staff else 0
    return [((hours - first) * factor, *rest) for hours, *rest in staff]


def _one_level_up(rungs: list[Rung], had_department: bool) -> list[Rung]:
    """Owners had their turn; where the department had it too, its lead begins."""
    staff = _from_department_on(rungs)
    if not had_department:
        return staff
    above = [rung for rung in staff if rung[1] not in (StepKind.DEPARTMENT, StepKind.LEAD)]
    return [(0.0, StepKind.LEAD.value, "", OWN), *above]


def _target(case: Escalation, hours: float | None, start: datetime, name: str) -> datetime | None:
    """Add a promise to the customer beside the ladder: late when it passes. Always in business hours."""
    case.ladder = [row for row in case.ladder if row["fired"] or row.get("target") != name]
    if hours is None or case.department is None:
        return None
    position = 1 + max((row["position"] for row in case.ladder), default=-1)
    due = add_business(start, hours, case.department)
    row = as_row(position, hours, StepKind.LATE, due)
    case.ladder.append({**row, "clock": EscalationPolicy.Clock.BUSINESS, "target": name})
    return due


def _hours(case: Escalation, name: str) -> float | None:
    """What the customer is promised: by the policy, else the department. Ideas and praise have what a policy says."""
    hours: float | None = getattr(case.policy, name)
    if hours is None and case.department is not None and case.thread.kind in SOLVABLE:
        hours = getattr(case.department, name)
    return hours


def _told(case: Escalation, at: datetime) -> None:
    """The case has reached staff: from now on the department's promise counts."""
    if case.told_at is None:
        case.told_at = at
        if case.acknowledged_at is None:
            case.acknowledge_due_at = _target(case, _hours(case, "acknowledge_hours"), at, "acknowledge")


# Opening


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
        _climb(case, rungs_of(policy), now, policy.clock)
        _schedule(case)
        _keep(case)
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
        rungs = _from_department_on(rungs)
    elif one_level_up or policy.start_one_level_up:
        rungs = _one_level_up(rungs, had_department)
    _climb(case, rungs, now, policy.clock)
    _schedule(case)
    _keep(case)
    note_down(case, "reopened", by=by, note=note)
    told: dict[str, Any] = {"planned": True} if planned else {}
    _tell(case, "reopened", by, **told)


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
                rungs = _from_department_on(rungs)  # this round began with staff: owners had their turn
            if told is not None and told == case.department_id:
                rungs = [rung for rung in rungs if rung[1] != StepKind.DEPARTMENT]  # it knows already
            _climb(case, rungs, clock.now() if fired else case.started_at, policy.clock)
    elif case.told_at is None:
        case.department = routing.department_for(case.thread, case.policy)
    else:
        return
    _schedule(case)
    _keep(case)


def hurry(case: Escalation) -> None:
    """So many have the same that the next rung is due at once: once a round, however often somebody says so."""
    rows = waiting(case)
    if any(row.get("hurried") for row in case.ladder) or not case.is_open or case.is_paused:
        return
    if rows and due_of(rows[0]) > clock.now():
        rows[0] |= {"due": clock.now().isoformat(), "hurried": True}
        _schedule(case)
        _keep(case)


# What people do


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
    _climb(case, rungs, clock.now(), EscalationPolicy.Clock.ELAPSED)
    _schedule(case)
    _keep(case)


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
    _climb(
        case,
        [(first * factor + hours, *rest) for hours, *rest in _from_department_on(rungs, factor=factor)],
        clock.now(),
        case.policy.clock,
    )
    _schedule(case)
    _keep(case)


def _is_unsaid(thread: Thread) -> bool:
    """Something can be wrong still, and the asker has not said that it is solved."""
    ended = thread.solved_at or thread.closed_at or thread.duplicate_of_id or thread.merged_into_id
    return thread.kind in SOLVABLE and thread.is_visible and not ended


def replies_gone(case: Escalation) -> None:
    """The only reply was taken away: the first ladder begins again."""
    if case.is_open and case.phase in (Phase.REMIND, Phase.CARE):
        case.phase, case.told_at = Phase.FIRST, None
        _climb(case, rungs_of(case.policy), clock.now(), case.policy.clock)
        _schedule(case)
        _keep(case)


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
    _schedule(case)
    _keep(case)
    note_down(case, "acknowledged", by=by, department=case.department, note=note)
    _tell(case, "acknowledged", by, department=case.department_id, in_time=in_time)


def _staff_ladder(case: Escalation, start: datetime) -> None:
    """After the acknowledgement: late when the promise to resolve passes, then the lead, then the manager."""
    hours = _hours(case, "resolve_hours")
    case.ladder = [row for row in case.ladder if row["fired"]]
    case.resolve_due_at = None
    if hours is None or case.department is None:
        return
    rungs: list[Rung] = [
        (hours, StepKind.LATE.value, "", OWN),
        (hours, StepKind.LEAD.value, "", OWN),
        (hours * 2, StepKind.MANAGER.value, "", OWN),
    ]
    _climb(case, rungs, start, EscalationPolicy.Clock.BUSINESS, target="resolve")
    case.resolve_due_at = due_of(waiting(case)[0])


def promise(case: Escalation, until: datetime) -> None:
    """The customer was told a day: it takes the place of the policy's hours, for the clock and for whoever is above."""
    if not case.is_open or case.acknowledged_at is None or case.department is None or until <= clock.now():
        return
    case.ladder = [row for row in case.ladder if row["fired"]]
    rungs: list[Rung] = [
        (0.0, StepKind.LATE.value, "", OWN),
        (0.0, StepKind.LEAD.value, "", OWN),
        (_hours(case, "resolve_hours") or 24.0, StepKind.MANAGER.value, "", OWN),
    ]
    _climb(case, rungs, until, EscalationPolicy.Clock.BUSINESS, target="resolve")
    for number, row in enumerate(waiting(case)):
        row["promised"] = True
        if number < 2:
            row["due"] = until.isoformat()  # to the minute, also outside of business hours
    case.resolve_due_at, case.late_at = until, None
    _schedule(case)
    _keep(case)


def assign(case: Escalation, to: User, by: User | None, *, note: str = "", position: int | None = None,
           due: datetime | None = None) -> None:  # fmt: skip
    """Give the case to one person."""
    case.assignee = to
    _told(case, clock.now())
    _schedule(case)
    _keep(case)
    note_down(
        case, "assigned", by=by, department=case.department, people=[to.pk], note=note, position=position, due_at=due
    )
    _tell(case, "assigned", by, assignee=to.pk, people=[to.pk], department=case.department_id)


def route(case: Escalation, department: Department, by: User | None, *, note: str = "") -> None:
    """To another department, whose clocks begin now."""
    now = clock.now()
    previous = case.department_id
    case.department, case.assignee = department, None
    case.acknowledged_at = case.acknowledged_by = case.resolve_due_at = case.told_at = case.late_at = None
    case.phase = Phase.FIRST
    rungs = _from_department_on(rungs_of(case.policy))
    _climb(case, [rung for rung in rungs if rung[1] != StepKind.DEPARTMENT], now, case.policy.clock)
    _told(case, now)
    _schedule(case)
    _keep(case)
    note_down(case, "routed", by=by, department=department, note=note)
    _tell(case, "routed", by, note, department=department.pk, previous=previous)


def pause(case: Escalation, cause: str, by: User | None, *, note: str = "", until: datetime | None = None) -> None:
    """Stop the clocks until a day on which somebody looks again, by the cause where none is named. Another cause
    while they stand changes nothing."""
    if not case.is_open or case.is_paused:
        return
    now = clock.now()
    case.paused_since, case.pause_cause = now, cause
    case.pause_until, case.pause_told_at = until or now + timedelta(days=PAUSE_DAYS.get(cause, 7)), None
    case.pause_count += 1
    _schedule(case)
    _keep(case)
    if stage.here() is None:
        Pause.objects.create(escalation=case, round=case.round, cause=cause, since=now, by=by, note=note[:300])
    note_down(case, "paused", by=by, cause=cause, note=note)
    _tell(case, "paused", by, cause=cause)


def look_on(case: Escalation, until: datetime, by: User) -> None:
    """Another day on which somebody looks at what is paused."""
    if not case.is_paused or case.pause_until == until:
        return
    case.pause_until, case.pause_told_at = until, None
    _keep(case)
    note_down(case, "look_on", by=by, due_at=until)
    _tell(case, "look_on", by, until=until.isoformat())


def pause_is_over(case: Escalation) -> None:
    """The day has come: whoever has the case is told, once, and it stands among what needs attention. Still paused."""
    case.pause_told_at = clock.now()
    _keep(case)
    note_down(case, "pause_over", cause=case.pause_cause, due_at=case.pause_until, department=case.department)
    _tell(case, "pause_over", assignee=case.assignee_id, department=case.department_id)


def asker_stays_silent(case: Escalation) -> None:
    """Asked for something, reminded, and silent: what waits for the asker alone is over until they write again."""
    if case.is_open and case.pause_cause == PauseCause.CUSTOMER:
        settle(case, Cause.SILENT, None)


def _end_pause(case: Escalation) -> None:
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
    _end_pause(case)
    _schedule(case)
    _keep(case)
    note_down(case, "resumed", by=by, cause=cause, note=note)
    _tell(case, "resumed", by, cause=cause)


def settle(case: Escalation, cause: str, by: User | None, *, note: str = "", position: int | None = None,
           due: datetime | None = None) -> None:  # fmt: skip
    """The case is over. Twice is harmless: the first cause stands."""
    if not case.is_open:
        return
    _end_pause(case)
    case.state, case.resolved_at, case.resolved_by, case.resolved_cause = State.SETTLED, clock.now(), by, cause
    case.ladder = [row for row in case.ladder if row["fired"]]
    _schedule(case)
    _keep(case)
    note_down(case, "resolved", by=by, cause=cause, note=note, position=position, due_at=due)
    if stage.here() is not None:
        return
    _tell(
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


# What the sweep does


def fire_next(case: Escalation, *, told: dict[str, Any] | None = None, kind: str = "") -> str:
    """Fire the rung whose turn it is and say which. `kind` picks one; `told` holds what a demo knows of it.

    The line in the history is unique per round and position: were a rung ever fired twice, the database would
    undo the second with all that it did.
    """
    rows = [row for row in waiting(case) if not kind or row["kind"] == kind]
    if not rows:
        return ""
    row, now = rows[0], clock.now()
    row["fired"] = now.isoformat()
    fields = {"position": row["position"], "due": due_of(row)}
    done = _EFFECTS[row["kind"]](case, row, fields, told or {})
    if not done and told is None:
        # Nobody is there whom this rung would reach: the next one is due at once.
        row["nobody"] = True
        following = [later for later in waiting(case) if not later["target"]]
        if following and due_of(following[0]) > now:
            following[0]["due"] = now.isoformat()
        note_down(
            case, row["kind"], position=row["position"], due_at=due_of(row), department=case.department, nobody=True
        )  # fmt: skip
    elif told is None and row.get("channel") == Reach.MAIL:
        mailing.to_mailbox(case, row)
    elif told is None and row.get("channel") == Reach.WEBHOOK and stage.here() is None:
        mailing.to_webhooks(case, row)
    _schedule(case)
    _keep(case)
    return str(row["kind"])


def _fire_advocates(case: Escalation, row: dict[str, Any], at: dict[str, Any], told: dict[str, Any]) -> bool:
    if told:
        people = list(told.get("people", []))
        asked(case.thread, people)
    elif case.thread.first_reply_at and case.round == 1:
        # Owners answer already; nobody need be asked to.
        note_down(case, row["kind"], position=at["position"], due_at=at["due"])
        return True
    elif (played := stage.here()) is not None:
        # Whom it found in truth. Where it never fired nobody can know: it is taken to find somebody.
        found = played.advocates(case.thread, case.round)
        if found == []:
            return False
        note_down(case, row["kind"], position=at["position"], due_at=at["due"], people=found or [])
        return True
    else:
        people = asked(case.thread, matching_advocates(case.thread))  # none are left when three were asked before
        if not people:
            return False
    ids = [person.pk for person in people]
    row["people"] = len(ids)
    note_down(case, row["kind"], position=at["position"], due_at=at["due"], people=ids, note=told.get("note", ""))
    _tell(case, "advocates_notified", people=ids)
    return True


def _fire_department(case: Escalation, row: dict[str, Any], at: dict[str, Any], told: dict[str, Any]) -> bool:
    case.department = told.get("department") or case.department or routing.department_for(case.thread, case.policy)
    if case.department is None:
        return False
    reached = (row.get("channel") == Reach.MAIL and bool(case.department.mailbox)) or (
        row.get("channel") == Reach.WEBHOOK and bool(mailing.webhooks(case.department_id))
    )
    if not told and not reached and not routing.is_staffed(case.department):
        return False
    _told(case, clock.now())
    note_down(
        case, row["kind"], position=at["position"], due_at=at["due"], department=case.department,
        note=told.get("note", ""),
    )  # fmt: skip
    _tell(case, "department_notified", department=case.department_id)
    return True


def _fire_assigned(case: Escalation, row: dict[str, Any], at: dict[str, Any], told: dict[str, Any]) -> bool:
    case.department = told.get("department") or case.department
    to = told.get("to")
    if to is None:
        if case.assignee is not None and case.assignee.is_active and works_cases(case.assignee):
            note_down(case, row["kind"], position=at["position"], due_at=at["due"], people=[case.assignee_id])
            return True
        if case.department is None:
            return False
        not_to = routing.last_closer(case.pk) if case.round > 1 else set()
        if (played := stage.here()) is not None:
            to = played.anybody.get(case.department.pk)
        else:
            gathering.write()  # the cases given out before this one count
            to = rotation.next_assignee(case.department, not_to=not_to)
        if to is None:
            return False
    assign(case, to, told.get("by"), note=told.get("note", ""), position=at["position"], due=at["due"])
    return True


def _fire_lead(case: Escalation, row: dict[str, Any], at: dict[str, Any], told: dict[str, Any]) -> bool:
    case.department = told.get("department") or case.department
    lead = told.get("to") or told.get("by") or (case.department.lead if case.department else None)
    if lead is None or not lead.is_active or not is_staff(lead):
        return False
    _told(case, clock.now())
    row["people"] = 1
    note_down(
        case, row["kind"], position=at["position"], due_at=at["due"], department=case.department, people=[lead.pk],
        note=told.get("note", ""),
    )  # fmt: skip
    _tell(case, "lead_notified", people=[lead.pk], department=case.department_id)
    return True


def _fire_manager(case: Escalation, row: dict[str, Any], at: dict[str, Any], told: dict[str, Any]) -> bool:
    people = [told["to"].pk] if told.get("to") else [person.pk for person in routing.managers()]
    _told(case, clock.now())  # nobody is above: where there is no manager either, the desk shows it as with staff
    if not people and not told:
        return False
    note_down(
        case, row["kind"], position=at["position"], due_at=at["due"], people=people, note=told.get("note", ""),
        department=case.department,
    )  # fmt: skip
    _tell(case, "manager_notified", people=people, department=case.department_id)
    return True


def _fire_late(case: Escalation, row: dict[str, Any], at: dict[str, Any], told: dict[str, Any]) -> bool:
    case.late_at = case.late_at or clock.now()
    note_down(
        case, row["kind"], position=at["position"], due_at=at["due"], department=case.department,
        cause=row.get("target", ""), note=told.get("note", ""),
    )  # fmt: skip
    _tell(
        case, "late", target=row.get("target") or "ladder", department=case.department_id, assignee=case.assignee_id,
    )  # fmt: skip
    return True


def _fire_reminder(case: Escalation, row: dict[str, Any], at: dict[str, Any], told: dict[str, Any]) -> bool:
    """Ladders that were written down before threads reminded their askers themselves still have such rungs."""
    return True


def _fire_silent(case: Escalation, row: dict[str, Any], at: dict[str, Any], told: dict[str, Any]) -> bool:
    settle(case, Cause.SILENT, None, position=at["position"], due=at["due"])
    return True


_EFFECTS = {
    StepKind.ADVOCATES: _fire_advocates,
    StepKind.DEPARTMENT: _fire_department,
    StepKind.ASSIGNED: _fire_assigned,
    StepKind.LEAD: _fire_lead,
    StepKind.MANAGER: _fire_manager,
    StepKind.LATE: _fire_late,
    StepKind.REMINDED: _fire_reminder,
    StepKind.SILENT: _fire_silent,
}


# What a demo or an import tells of the past


TOLD = {
    "advocates notified": StepKind.ADVOCATES,
    "department notified": StepKind.DEPARTMENT,
    "assigned": StepKind.ASSIGNED,
    "lead notified": StepKind.LEAD,
    "community manager notified": StepKind.MANAGER,
    "late": StepKind.LATE,
}
PAUSES = {
    "part": PauseCause.PART, "workshop": PauseCause.WORKSHOP, "supplier": PauseCause.SUPPLIER,
    "bank": PauseCause.SUPPLIER, "department": PauseCause.DEPARTMENT,
}  # fmt: skip


def tell(case: Escalation, step: str, *, by: User | None = None, to: User | None = None,
         department: Department | None = None, note: str = "", reason: str = "", reference: str = "",
         until: datetime | None = None, people: Iterable[User] = ()) -> None:  # fmt: skip
    """Take one line of a history over, at the clock's moment. Told twice is told once."""
    now, words = clock.now(), note or reason
    kind = TOLD[step].value if step in TOLD else step.replace(" ", "_")
    if EscalationStep.objects.filter(escalation=case, kind=kind, fired_at=now).exists():
        return
    if step in TOLD:
        told = {"by": by, "to": to, "department": department, "note": words, "people": list(people)}
        if not fire_next(case, told=told, kind=kind):
            # Called in by a person, out of the ladder's turn.
            row = {**as_row(0, 0, kind, now), "target": ""}
            _EFFECTS[StepKind(kind)](case, row, {"position": None, "due": None}, {**told, "told": True})
            _schedule(case)
            _keep(case)
    elif step == "acknowledged" and by is not None:
        if department is not None and case.told_at is None:
            case.department = department
        if case.acknowledged_at is None or case.acknowledged_by_id != by.pk:
            acknowledge(case, by, note=words)
    elif step == "routed" and department is not None:
        route(case, department, by, note=words)
    elif step == "paused":
        cause = next((value for word, value in PAUSES.items() if word in words), PauseCause.CUSTOMER)
        pause(case, cause, by, note=words)
    elif step == "resumed":
        resume(case, by, note=words)
    elif step == "resolved":
        asker = by is not None and by.pk == case.thread.author_id
        settle(case, Cause.ACCEPTED if asker else Cause.ANOTHER_WAY, by, note=words)
    elif step == "reopened":
        new_round(case, by, note=words, one_level_up=True)
    else:
        if step == "promise made" and until is not None:
            if case.is_open and case.acknowledged_at is None and by is not None and by.speaks_for_brand:
                acknowledge(case, by)  # whoever names a day has read it
            promise(case, until)
        note_down(case, kind, by=by, department=department, note=words, reference=reference, due_at=until)
        _tell(case, kind, by, **({"reference": reference} if reference else {}))


def open_for(case: Escalation) -> timedelta:
    """How long the case has been in this round, without its pauses."""
    end = case.resolved_at or case.paused_since or clock.now()
    return max(timedelta(0), end - case.started_at)

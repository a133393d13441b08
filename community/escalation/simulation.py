"""What a policy would have sent in the last 90 days, beside what today's policies send, before it is switched on.

Each case is played through twice by the rules of `cases` themselves (see `stage`): what people did comes from the log,
when it happened; what the clocks do follows from the policies. Nothing is kept and nobody hears of it. The worker does
it in parts and notes how far it has come; a worker that dies leaves it to the next (`sweep`, every minute).

What cannot be known afterwards is taken as it is today: tags, product and text of a thread, the author's standing,
hours and leads of departments. Whom the first rung asks is taken from what happened; where it never fired, somebody is
taken to be found. Staff answer when they answered; that a louder alarm would have made them quicker is not supposed.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from community.accounts.models import Department, User
from community.core import clock
from community.core.errors import Conflict, require
from community.events.log import listeners_of, replay
from community.events.models import Event
from community.posts.models import Comment
from community.questions.models import Answer, State, Thread

from . import cases, listeners, rotation, routing, stage
from .clock import zone
from .models import Escalation, EscalationPolicy, EscalationStep, PolicyStep, Simulation, StepKind
from .permissions import why_not_manage_policies
from .policies import Step, read_policy, snapshot, write_policy

logger = logging.getLogger(__name__)

BACK = timedelta(days=90)
AT_ONCE = 100  # cases read together
MOST = 20_000  # the newest cases; more would take the worker too long
STUCK = timedelta(minutes=5)
KEPT = timedelta(days=30)
LISTED = 200  # cases that would go another way, shown one by one
RUNGS = 400  # of one case between two things that happened: who is above is told daily when nobody is left
ALARMS = (
    StepKind.ADVOCATES, StepKind.DEPARTMENT, StepKind.ASSIGNED, StepKind.LEAD, StepKind.MANAGER, StepKind.LATE,
)  # fmt: skip
# What people do to a case by hand. What follows from posts and answers is heard by `listeners`, as in truth.
BY_HAND = (
    "escalation.acknowledged", "escalation.assigned", "escalation.routed", "escalation.paused", "escalation.resumed",
    "escalation.resolved", "escalation.reopened", "escalation.promise_made",
)  # fmt: skip


# Playing one thread ------------------------------------------------------------------------------------------


@dataclass
class Happened:
    """One thing of a thread's past, as the log has it."""

    event: Event
    answer: Answer | None = None
    comment: Comment | None = None


def _heard() -> tuple[str, ...]:
    """The kinds that move cases, because `listeners` hears them."""
    from community.events.kinds import KINDS

    return tuple(kind for kind in KINDS if _listening(kind))


def _listening(kind: str) -> list[Callable[[Event], None]]:
    return [listener for listener in listeners_of(kind) if listener.__module__ == listeners.__name__]


def play(thread: Thread, past: Iterable[Happened], until: datetime) -> None:
    """Play a thread from its first post to `until` on the stage that is set."""
    played = stage.required()
    played.case = None
    _as_when_posted(thread)
    others: set[int] = set()
    moment = thread.created_at
    for one in past:
        event = one.event
        if event.occurred_at > until:
            break
        _fire_until(played, event.occurred_at, moment)
        moment = max(moment, event.occurred_at)
        with clock.travel(moment):
            _take(thread, one, others)
            if one.answer is not None:
                one.answer.thread = thread
                event.subject = one.answer
            elif one.comment is not None:
                event.subject = one.comment
            else:
                event.subject = thread
            for listener in _listening(event.kind):
                listener(event)
            if event.kind in BY_HAND and played.case is not None:
                _by_hand(played.case, event)
    _fire_until(played, until, moment)


def _fire_until(played: stage.Stage, until: datetime, moment: datetime) -> None:
    """Let the clocks run: each rung fires when it is due, but not before what has happened."""
    for _turn in range(RUNGS):
        case = played.case
        if case is None or case.next_due_at is None or case.next_due_at > until:
            return
        with clock.travel(max(case.next_due_at, moment)):
            cases.fire_next(case)


def _as_when_posted(thread: Thread) -> None:
    """The facts that the rules read, as they were before anybody had answered."""
    thread.first_reply_at = thread.solved_at = thread.official_at = thread.closed_at = thread.recheck_at = None
    thread.leading_solution_id = thread.duplicate_of_id = None
    thread.me_too_count, thread.state, thread.visibility = 0, State.NO_REPLY, Thread.Visibility.VISIBLE


def _take(thread: Thread, one: Happened, others: set[int]) -> None:
    """Let the thread's facts follow what happened. `others` are the visible answers by somebody else."""
    event, answer = one.event, one.answer
    kind, at = event.kind, event.occurred_at
    if answer is not None and answer.author_id != thread.author_id:
        if kind in ("answer.posted", "answer.restored"):
            others.add(answer.pk)
        elif kind in ("answer.hidden", "answer.deleted"):
            others.discard(answer.pk)
        thread.first_reply_at = (thread.first_reply_at or at) if others else None
    if kind in ("thread.solved", "thread.solved_another_way"):
        thread.solved_at = at
    elif kind == "answer.unaccepted":
        thread.solved_at = None
    elif kind == "answer.made_official":
        thread.official_at = at
    elif kind == "answer.official_withdrawn":
        thread.official_at = None
    elif kind in ("answer.hidden", "answer.deleted") and answer is not None:
        if event.data.get("was_accepted") or thread.solved_at and not others:
            thread.solved_at = None
    elif kind == "thread.closed":
        thread.closed_at = at
    elif kind == "thread.marked_duplicate":
        thread.duplicate_of_id = thread.pk
    elif kind == "thread.reopened":
        thread.solved_at = thread.official_at = thread.closed_at = thread.duplicate_of_id = None
    elif kind in ("thread.hidden", "thread.deleted"):
        thread.visibility = Thread.Visibility.HIDDEN
    elif kind == "thread.restored":
        thread.visibility = Thread.Visibility.VISIBLE
    elif kind == "thread.me_too":
        thread.me_too_count = max(0, thread.me_too_count + (1 if event.data.get("on") else -1))


def _by_hand(case: Escalation, event: Event) -> None:
    """What staff did to the case itself. What the sweep did has no actor, and is for the clocks to do again."""
    by, data, kind = event.actor, event.data, event.kind.removeprefix("escalation.")
    if by is None:
        return
    if kind == "acknowledged" and case.is_open and case.acknowledged_at is None:
        cases.acknowledge(case, by)
    elif kind == "assigned" and case.is_open:
        case.assignee_id = data.get("assignee")
        to = case.assignee
        if to is not None:
            cases.assign(case, to, by)
    elif kind == "routed" and case.is_open and (department := _department(data.get("department"))):
        cases.route(case, department, by)
    elif kind == "paused" and case.is_open:
        cases.pause(case, str(data.get("cause", "")), by)
    elif kind == "resumed":
        cases.resume(case, by)
    elif kind == "resolved":
        cases.settle(case, str(data.get("cause", "")), by)
    elif kind == "reopened":
        cases.new_round(case, by, one_level_up=True)
    elif kind == "promise_made" and (until := data.get("until")):
        cases.promise(case, datetime.fromisoformat(until))


def _department(pk: Any) -> Department | None:
    played = stage.required()
    found: Department | None = played.remember(
        ("row", pk), lambda: Department.objects.select_related("lead").filter(pk=pk).first()
    )
    return found


# Reading the past --------------------------------------------------------------------------------------------


def threads_since(since: datetime) -> list[int]:
    """Ids of the threads whose case ran at some time since then, the newest first, at most MOST."""
    ran = Escalation.objects.filter(Q(state=Escalation.State.OPEN) | Q(resolved_at__gte=since))
    return list(ran.order_by("-thread").values_list("thread", flat=True)[:MOST])


def _past(threads: Mapping[int, Thread]) -> dict[int, list[Happened]]:
    """What happened to each of these threads, in order. Some six queries, however many threads."""
    types = ContentType.objects.get_for_models(Thread, Answer, Comment)
    answers = {row.pk: row for row in Answer.objects.filter(thread__in=threads).select_related("author")}
    on_thread = Q(target_type=types[Thread], target_id__in=threads)
    on_answer = Q(target_type=types[Answer], target_id__in=answers)
    askers = {thread.author_id for thread in threads.values()}
    comments = {row.pk: row for row in Comment.objects.filter(on_thread | on_answer, author__in=askers)}
    kinds = _heard()
    found = Event.objects.filter(
        Q(subject_type=types[Thread], subject_id__in=threads, kind__in=(*kinds, *BY_HAND))
        | Q(subject_type=types[Answer], subject_id__in=answers, kind__in=kinds)
        | Q(subject_type=types[Comment], subject_id__in=comments, kind__in=kinds)
    ).select_related("actor__department")
    named = EscalationStep.objects.filter(
        escalation__thread__in=threads, kind="promise_made", due_at__isnull=False
    ).values_list("escalation__thread", "fired_at", "due_at")
    days = {(thread, at): day for thread, at, day in named}
    past: dict[int, list[Happened]] = defaultdict(list)
    for event in sorted(found, key=lambda event: (event.occurred_at, event.pk)):
        if event.subject_type_id == types[Thread].pk:
            if day := days.get((int(event.subject_id or 0), event.occurred_at)):
                event.data["until"] = day.isoformat()
            past[int(event.subject_id or 0)].append(Happened(event))
        elif event.subject_type_id == types[Answer].pk:
            answer = answers[int(event.subject_id or 0)]
            past[answer.thread_id].append(Happened(event, answer=answer))
        else:
            comment = comments[int(event.subject_id or 0)]
            target = answers.get(comment.target_id) if comment.target_type_id == types[Answer].pk else None
            thread_id = target.thread_id if target is not None else comment.target_id
            comment.target = target if target is not None else threads[thread_id]
            past[thread_id].append(Happened(event, comment=comment))
    return past


def _found(threads: Iterable[int]) -> dict[tuple[int, int, str], list[int]]:
    """Whom the rungs for advocates found in truth: nobody, when the line names nobody."""
    rows = EscalationStep.objects.filter(
        escalation__thread__in=list(threads), kind=StepKind.ADVOCATES, position__isnull=False
    )
    return {
        (row[0], row[1], row[2]): row[3] for row in rows.values_list("escalation__thread", "round", "kind", "people")
    }


# Policies ----------------------------------------------------------------------------------------------------


def in_use() -> list[EscalationPolicy]:
    """Today's policies with their rungs, in order."""
    return list(
        EscalationPolicy.objects.filter(active=True).select_related("department__lead").prefetch_related("steps")
    )


def with_draft(draft: Mapping[str, Any], policy: EscalationPolicy | None) -> list[EscalationPolicy]:
    """Today's policies with the draft in the place of the one it changes, or as a new one; the draft is in use."""
    fresh = EscalationPolicy.objects.get(pk=policy.pk) if policy is not None else EscalationPolicy(slug=draft["slug"])
    drafted, steps = read_policy({**draft, "active": True}, fresh)
    drafted.slug = draft["slug"]
    drafted.pk = drafted.pk or -1
    rows = [
        PolicyStep(position=position, hours=hours, kind=kind, note=note, channel=channel)
        for position, (hours, kind, note, channel) in enumerate(steps)
    ]
    drafted._prefetched_objects_cache = {"steps": rows}  # type: ignore[attr-defined]
    others = [other for other in in_use() if other.pk != drafted.pk]
    last = 2**62  # a new one stands behind others of the same place
    return sorted([*others, drafted], key=lambda one: (one.position, one.pk if one.pk > 0 else last))


# Playing many ------------------------------------------------------------------------------------------------


Lines = list[stage.Line]


def lines_of(
    policies: list[list[EscalationPolicy]], ids: list[int], since: datetime, until: datetime
) -> Iterator[tuple[int, list[Lines]]]:
    """For each part of the threads: how many they were, and what each list of policies would have sent them."""
    managers = routing.managers()
    anybody = {
        department.pk: rotation.next_assignee(department) for department in Department.objects.select_related("lead")
    }
    for start in range(0, len(ids), AT_ONCE):
        part = ids[start : start + AT_ONCE]
        rows = Thread.objects.select_related("author", "product", "topic__department", "for_department")
        threads = rows.in_bulk(part)
        found = _found(part)
        known: dict[Any, Any] = {
            ("sounds", row[0]): row[1]
            for row in Escalation.objects.filter(thread__in=part, sentiment__isnull=False).values_list(
                "thread", "sentiment"
            )
        }
        sent: list[Lines] = []
        past = _past(threads)
        for group in policies:
            scene = stage.Stage(group, found=found, managers=managers, anybody=anybody, known=known)
            with stage.on(scene):
                for pk, thread in threads.items():
                    happened = past.get(pk, [])
                    # A story is played as it was told: some rules differ in a replay.
                    with replay(happened[0].event.origin if happened else Event.Origin.LIVE):
                        play(thread, happened, until)
            known = {key: value for key, value in known.items() if key[0] in ("sounds", "tags", "row")}
            # What people did by hand has no place on a ladder, and is no alarm.
            lines = [line for line in scene.lines if line.kind in ALARMS and line.position is not None]
            sent.append([line for line in lines if since <= line.at <= until])
        yield len(part), sent


class Sum:
    """Adds up what one list of policies would have sent; hours are those of the department's own clock."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.departments: Counter[tuple[str, int]] = Counter()
        self.weeks: Counter[int] = Counter()
        self.hours: Counter[int] = Counter()
        self.nobody = 0
        self.zones = {row.pk: zone(row.time_zone) for row in Department.objects.all()}

    def add(self, lines: Lines, since: datetime) -> None:
        for line in lines:
            if line.nobody:
                self.nobody += 1
                continue
            self.kinds[line.kind] += 1
            self.departments[line.kind, line.department or 0] += 1
            self.weeks[(line.at - since).days // 7] += 1
            self.hours[line.at.astimezone(self.zones.get(line.department or 0, UTC)).hour] += 1

    def as_data(self) -> dict[str, Any]:
        return {
            "total": sum(self.kinds.values()),
            "kinds": dict(self.kinds),
            "departments": [[kind, pk, count] for (kind, pk), count in sorted(self.departments.items())],
            "weeks": [self.weeks[number] for number in range(BACK.days // 7 + 1)],
            "hours": [self.hours[number] for number in range(24)],
            "nobody": self.nobody,
        }


def _ways(lines: Lines) -> dict[int, list[tuple[str, str, int | None, bool]]]:
    ways: dict[int, list[tuple[str, str, int | None, bool]]] = defaultdict(list)
    for line in lines:
        ways[line.thread].append((line.kind, line.at.isoformat(), line.department, line.nobody))
    return ways


def work(
    draft: Mapping[str, Any], policy: EscalationPolicy | None, since: datetime, until: datetime,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:  # fmt: skip
    """The result as it is kept: sums for today and for the draft, and the cases that would go another way."""
    ids = threads_since(since)
    today, drafted = Sum(), Sum()
    other: list[dict[str, Any]] = []
    differ = taken = done = 0
    progress(0, len(ids))
    for number, (before, after) in lines_of([in_use(), with_draft(draft, policy)], ids, since, until):
        today.add(before, since)
        drafted.add(after, since)
        was, would = _ways(before), _ways(after)
        mine = {line.thread for line in after if line.policy == draft["slug"]}
        taken += len(mine)
        for thread in sorted({*was, *would}, reverse=True):
            if was.get(thread) != would.get(thread):
                differ += 1
                if len(other) < LISTED:
                    other.append({"thread": thread, "was": was.get(thread, []), "would": would.get(thread, [])})
        done += number
        progress(done, len(ids))
    return {
        "threads": len(ids), "taken": taken, "differ": differ, "capped": len(ids) >= MOST, "until": until.isoformat(),
        "today": today.as_data(), "draft": drafted.as_data(), "cases": other,
    }  # fmt: skip


# The rows of it ----------------------------------------------------------------------------------------------


@transaction.atomic
def simulate(policy: EscalationPolicy, steps: Sequence[Step], by: User) -> Simulation:
    """Ask for a simulation of a draft, which need not be saved. The worker works it out.

    Raises NotAllowed, ValidationError by field, as saving it would.
    """
    require(why_not_manage_policies(by))
    stored = EscalationPolicy.objects.filter(pk=policy.pk).first() if policy.pk else None
    now = clock.now()
    draft = snapshot(policy, steps)
    # Whatever would be wrong when it is switched on is said now.
    attempt = transaction.savepoint()
    try:
        tried = copy(policy)
        tried.active = True
        write_policy(tried, steps, by)
    finally:
        transaction.savepoint_rollback(attempt)
    Simulation.objects.filter(created_at__lt=now - KEPT, used_at__isnull=True).delete()
    row = Simulation.objects.create(
        policy=stored, base_version=stored.version if stored else 0, draft=draft, by=by, created_at=now,
        since=now - BACK,
    )  # fmt: skip
    from .tasks import work_out

    work_out.enqueue(row.pk)
    return row


def run(pk: int) -> bool:
    """Work one out, unless somebody else does. Whether it did."""
    now = clock.now()
    waiting = Q(state=Simulation.State.WAITING) | Q(state=Simulation.State.RUNNING, beat_at__lt=now - STUCK)
    row = Simulation.objects.filter(waiting, pk=pk)
    if not row.update(state=Simulation.State.RUNNING, beat_at=now, done=0, total=0):
        return False
    one = Simulation.objects.select_related("policy").get(pk=pk)

    def progress(done: int, total: int) -> None:
        Simulation.objects.filter(pk=pk).update(done=done, total=total, beat_at=clock.now())

    try:
        result = work(one.draft, one.policy, one.since, one.created_at, progress)
    except Exception:
        logger.exception("Simulation %s failed", pk)
        Simulation.objects.filter(pk=pk).update(state=Simulation.State.FAILED)
        return False
    Simulation.objects.filter(pk=pk).update(state=Simulation.State.DONE, result=result, beat_at=clock.now())
    return True


def run_waiting() -> None:
    """Those that no worker took, or that a worker left when it died."""
    late = clock.now() - timedelta(seconds=30)
    stuck = Q(state=Simulation.State.RUNNING, beat_at__lt=clock.now() - STUCK)
    waiting = Q(state=Simulation.State.WAITING, created_at__lt=late)
    for pk in Simulation.objects.filter(waiting | stuck).values_list("pk", flat=True)[:5]:
        run(pk)


@transaction.atomic
def put_in_force(simulation: Simulation, by: User) -> EscalationPolicy:
    """Switch on what was simulated, as it was simulated. Twice is harmless.

    Raises NotAllowed, Conflict when the policy was changed since, ValidationError as saving it would.
    """
    require(why_not_manage_policies(by))
    row = Simulation.objects.select_for_update(of=("self",)).get(pk=simulation.pk)
    stored = EscalationPolicy.objects.filter(slug=row.draft["slug"]).first() if row.policy_id is None else row.policy
    if row.used_at is not None and stored is not None:
        return stored
    if row.state != Simulation.State.DONE:
        raise Conflict(_("Wait until it is worked out."))
    if (stored.version if stored else 0) != row.base_version:
        raise Conflict(_("Somebody changed this policy meanwhile. Open it and simulate again."))
    policy, steps = read_policy({**row.draft, "active": True}, stored or EscalationPolicy(slug=row.draft["slug"]))
    policy.slug = row.draft["slug"]
    written = write_policy(policy, steps, by)
    Simulation.objects.filter(pk=row.pk).update(used_at=clock.now(), policy=written)
    return written

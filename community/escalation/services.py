"""What agents do with cases, a verb each. The desk, the API and the demo share them."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from community.accounts.models import Department, User
from community.core import clock
from community.core.errors import Conflict, NotAllowed, require
from community.core.rows import locked, retried
from community.events.log import is_replaying, record
from community.questions import services as questions
from community.questions.models import Answer, Thread

from . import cases, claims, handoffs, promises
from .clock import zone
from .models import Channel, Escalation, EscalationStep, InternalNote, PauseCause
from .permissions import why_not_work, works_cases

STOPS_BOTH = {PauseCause.CUSTOMER}


def _open(thread: Thread, by: User, *, free: bool = True) -> Escalation:
    """The thread's case, held; raises when `by` may not work it, it isn't open, or a colleague is answering it."""
    require(why_not_work(by))
    case = _any(thread)
    if not case.is_open:
        raise Conflict(_("This case is settled. Reopen it first."))
    if free:
        claims.require_free(case, by)
    return case


def _free(thread: Thread, by: User) -> None:
    """Raises Conflict when a colleague is answering it just now."""
    case = Escalation.objects.filter(thread=thread).first()
    if case is not None:
        claims.require_free(case, by)


def _any(thread: Thread) -> Escalation:
    case = cases.held(thread)
    if case is None:
        raise Conflict(_("Nobody looks after this thread: it has no case."))
    return case


@retried
def acknowledge(thread: Thread, by: User) -> Escalation:
    """Say that a person read it and looks after it. Of two at once the first has it: raises Conflict for the other."""
    case = _open(thread, by)
    if case.acknowledged_at is not None:
        if case.acknowledged_by_id == by.pk:
            return case
        raise Conflict(_("%(name)s looks after it already.") % {"name": case.acknowledged_by or _("Somebody")})
    cases.acknowledge(case, by)
    return case


@retried
def assign(thread: Thread, by: User, to: User, *, seen: int | None = None) -> Escalation:
    """Give the case to a colleague, or take it; taking it acknowledges it. Twice is harmless.

    `seen` is the assignee the agent saw when choosing (0 for nobody): raises Conflict when it is another now.
    """
    case = _open(thread, by, free=False)
    if not works_cases(to):
        raise ValidationError({"to": _("%(name)s does not work cases.") % {"name": to}})
    if seen is not None and (case.assignee_id or 0) != seen and case.assignee_id != to.pk:
        raise Conflict(_("It is with %(name)s meanwhile.") % {"name": case.assignee or _("nobody")})
    if case.assignee_id != to.pk:
        cases.assign(case, to, by)
    if to.pk == by.pk and case.acknowledged_at is None:
        cases.acknowledge(case, by)
    return case


@retried
def route(thread: Thread, by: User, department: Department, *, reason: str) -> Escalation:
    """Send the case to another department, and say why. To where it is already changes nothing."""
    case = _open(thread, by)
    if department.archived_at is not None:
        raise ValidationError({"department": _("This department has been closed.")})
    if not reason.strip():
        raise ValidationError({"reason": _("Say why; they read it first.")})
    if case.department_id == department.pk and case.told_at is not None:
        return case
    cases.route(case, department, by, note=reason.strip())
    return case


@retried
def pause(thread: Thread, by: User, cause: str, *, note: str = "", until: date | None = None) -> Escalation:
    """Stop the clocks because of something that is not ours to speed up. Twice is harmless.

    Only waiting for the customer stops both clocks. Another cause stops the one until it is settled: whoever knows
    that it waits for a part has read it, so that is an acknowledgement. On `until`, else on a day that follows from the
    cause, somebody looks at it again.
    """
    case = _open(thread, by)
    if cause not in PauseCause.values:
        raise ValidationError({"cause": _("Choose why the clock stands.")})
    if cause not in STOPS_BOTH and case.acknowledged_at is None:
        cases.acknowledge(case, by)
    cases.pause(case, cause, by, note=note.strip(), until=_morning(case, until) if until else None)
    return case


@retried
def look_on(thread: Thread, by: User, until: date) -> Escalation:
    """Name another day on which a paused case is looked at again. Twice is harmless."""
    case = _open(thread, by)
    if not case.is_paused:
        raise Conflict(_("Its clocks run: nothing waits for a day."))
    cases.look_on(case, _morning(case, until), by)
    return case


def _morning(case: Escalation, day: date) -> datetime:
    """Eight o'clock of a day that is to come, in the department's zone. Raises ValidationError for another."""
    tz = zone(case.department.time_zone if case.department else "")
    today = clock.now().astimezone(tz).date()
    if not today < day <= today + timedelta(days=366):
        raise ValidationError({"until": _("Choose a day that is still to come, within a year.")})
    return datetime.combine(day, time(8), tz).astimezone(UTC)


@retried
def resume(thread: Thread, by: User) -> Escalation:
    """Let the clocks run again. Twice is harmless."""
    case = _open(thread, by)
    cases.resume(case, by)
    return case


@retried
def resolve(thread: Thread, by: User, cause: str, *, note: str = "") -> Escalation:
    """End the care for a thread, with the cause. Twice is harmless."""
    require(why_not_work(by))
    if cause not in Escalation.BY_HAND:
        raise ValidationError({"cause": _("Choose how it ended.")})
    case = _any(thread)
    claims.require_free(case, by)
    cases.settle(case, cause, by, note=note.strip())
    return case


@retried
def reopen(thread: Thread, by: User, *, reason: str) -> Escalation:
    """Look after a settled matter again, one level up. Twice is harmless."""
    require(why_not_work(by))
    if not reason.strip():
        raise ValidationError({"reason": _("Say why it is open again.")})
    row = locked(thread)
    if not row.is_visible:
        raise Conflict(
            _("This thread was merged with another one.") if row.merged_into_id else _("Nobody sees this thread now.")
        )
    if row.solved_at or row.closed_at or row.duplicate_of_id:
        questions.reopen_thread(row, by, reason)  # the case hears of it
    case = _any(thread)
    cases.new_round(case, by, note=reason.strip(), one_level_up=True)
    return case


@retried
def add_note(thread: Thread, by: User, body: str) -> InternalNote:
    """Tell colleagues something about the case. It never leaves the desk."""
    require(why_not_work(by))
    body = body.strip()
    if not body:
        raise ValidationError({"body": _("Write something first.")})
    if len(body) > 4000:
        raise ValidationError({"body": _("A note has at most 4,000 characters.")})
    case = _any(thread)
    note = InternalNote.objects.create(escalation=case, author=by, body=body, created_at=clock.now())
    record(
        "escalation.noted", actor=by, subject=case.thread, thread=case.thread_id, case=case.pk, internal_note=note.pk
    )
    return note


@retried
def ask_for_info(thread: Thread, by: User, note: str) -> None:
    """Ask the customer for something: an acknowledgement, and the clocks stand until the reply."""
    require(why_not_work(by))
    _free(thread, by)
    questions.ask_for_info(thread, by, note)


@retried
def answer_officially(
    thread: Thread,
    by: User,
    *,
    body: str,
    department: Department,
    sources: Iterable[str] = (),
    recheck_on: date | None = None,
    promise: tuple[str, datetime] | None = None,
) -> Answer:
    """Answer for a department; that settles the case. Raises ValidationError by field, NotAllowed, Conflict.

    `promise` is what the answer says will be done, and by when: it goes into the register.
    """
    require(why_not_work(by))
    _free(thread, by)
    answer = questions.post_answer(
        thread, by, body=body, official_for=department, sources=list(sources), recheck_on=recheck_on
    )
    if promise is not None:
        promises.make(thread, by, text=promise[0], due_at=promise[1], answer=answer)
    claims.release(thread, by)
    return answer


@retried
def mark_official(
    answer: Answer, by: User, department: Department, *, sources: Iterable[str] = (), recheck_on: date | None = None
) -> None:
    """Put a department's name to an answer that stands already; that settles the case."""
    require(why_not_work(by))
    _free(answer.thread, by)
    questions.make_official(answer, by, department, sources=list(sources), recheck_on=recheck_on)


@transaction.atomic
def tell_step(
    thread: Thread,
    step: str,
    *,
    at: datetime,
    by: User | None = None,
    to: User | None = None,
    department: Department | None = None,
    note: str = "",
    reason: str = "",
    reference: str = "",
    until: datetime | None = None,
    people: Iterable[User] = (),
    channel: Channel | None = None,
) -> EscalationStep | None:
    """Take over one line of a history (demo/FORMAT_THREADS.md), as it happened `at`. Told twice is told once.

    Only inside a replay. Returns the newest line of the case's history; None when the thread has no case.
    """
    if not is_replaying():
        raise NotAllowed(_("Histories are told by loaders only."))
    with clock.travel(at):
        case = cases.held(thread) or cases.open_case(thread)
        if case is None:
            return None
        cases.tell(
            case, step, by=by, to=to, department=department, note=note, reason=reason, reference=reference,
            until=until, people=people,
        )  # fmt: skip
        if step.startswith("promise"):
            promises.tell(case, step, by, note, until)
        elif step == "handed off" and channel is not None and by is not None:
            handoffs.tell(case, by, channel, reference, note)
        elif step == "outcome posted":
            handoffs.tell_outcome(reference, by, note)
    return case.history.last()


def history(case: Escalation) -> list[EscalationStep]:
    """What happened to a case, in order; one query."""
    return list(case.history.select_related("by", "department"))

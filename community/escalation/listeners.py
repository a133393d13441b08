"""What cases hear of their threads, in the same transaction."""

from django.db import transaction
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.events.log import listen
from community.events.models import Event
from community.posts.models import Comment
from community.questions.models import Answer, Thread

from . import cases, incidents, remembered, routing, shifts, stage
from .models import Absence, Escalation, Incident, PauseCause
from .permissions import works_cases

Cause = Escalation.Cause
FINAL_STATUSES = ("shipped", "declined", "exists")


@listen("thread.posted")
def begin(event: Event) -> None:
    """Imported threads had their answers elsewhere and long ago; nobody is asked about them now."""
    if event.origin != Event.Origin.IMPORT:
        cases.open_case(event.subject)


@listen("bridge.agreed")
def keep_an_offer(event: Event) -> None:
    """A department that offered to look after it begins at once: owners may answer, but are not waited for."""
    if not event.data.get("offered") or event.data["joined"]:
        return
    thread = Thread.objects.filter(pk=event.data["thread"]).first()
    if thread is not None and (case := _case(thread)):
        cases.begin_at_department(case)


@listen("alert.reworded")
def reword_incident(event: Event) -> None:
    """An incident is called what its banner says."""
    alert = event.subject
    Incident.objects.filter(alert=alert).update(title=alert.title, text=alert.text)


def _case(thread: Thread) -> Escalation | None:
    case = cases.held(thread)
    if case is not None:
        case.thread = thread
    return case


@listen("answer.posted")
def hear_answer(event: Event) -> None:
    answer: Answer = event.subject
    case = _case(answer.thread)
    if case is None:
        _first_word_here(answer.thread, answer.author_id, event)
        return
    if answer.author_id == answer.thread.author_id:
        cases.asker_spoke(case)
    else:
        cases.reply_arrived(case, answer.author)


@listen("comment.posted")
def hear_comment(event: Event) -> None:
    comment: Comment = event.subject
    target = comment.target
    thread = target.thread if isinstance(target, Answer) else target
    if not isinstance(thread, Thread) or comment.author_id != thread.author_id:
        return
    if case := _case(thread):
        cases.asker_spoke(case)
    else:
        _first_word_here(thread, comment.author_id, event)


@listen("thread.private_given")
def hear_private_words(event: Event) -> None:
    """What an asker writes for staff alone is a word of theirs like any other."""
    if case := _case(event.subject):
        cases.asker_spoke(case)
    else:
        _first_word_here(event.subject, event.subject.author_id, event)


def _first_word_here(thread: Thread, by: int, event: Event) -> None:
    """An imported thread has no case (0074) until its asker writes here, or it is opened again: then somebody waits."""
    if event.origin == Event.Origin.LIVE and by == thread.author_id and thread.is_visible and _is_unsettled(thread):
        cases.open_case(thread)


@listen("thread.asker_reminded")
def hear_reminder(event: Event) -> None:
    if case := _case(event.subject):
        cases.asker_reminded(case)


@listen("thread.asker_silent")
def hear_silence(event: Event) -> None:
    if case := _case(event.subject):
        cases.asker_stays_silent(case)


@listen("answer.hidden", "answer.deleted")
def miss_answer(event: Event) -> None:
    """Without its solution a thread is open again, and without any reply nobody has answered it."""
    if case := _case(event.subject.thread):
        _without_what_went(case, event)


@listen("answer.restored")
def find_answer(event: Event) -> None:
    """The solution is back, and with it the end of the care."""
    answer: Answer = event.subject
    thread = answer.thread
    if thread.recheck_at is None and (case := _case(thread)):
        if answer.is_accepted and thread.solved_at:
            cases.settle(case, Cause.ACCEPTED, event.actor)
        elif answer.official_at and (thread.reopened_at is None or answer.official_at > thread.reopened_at):
            cases.settle(case, Cause.OFFICIAL, event.actor)


def _is_unsettled(thread: Thread) -> bool:
    return not (thread.solved_at or thread.official_at or thread.closed_at or thread.duplicate_of_id)


@listen("thread.needs_info")
def wait_for_asker(event: Event) -> None:
    """Asking is an acknowledgement when staff ask; it stops the clocks whoever asks (RULINGS 12)."""
    case = _case(event.subject)
    if case is None or not case.is_open:
        return
    if event.actor is not None and event.actor.speaks_for_brand and case.acknowledged_at is None:
        cases.acknowledge(case, event.actor)
    cases.pause(case, PauseCause.CUSTOMER, event.actor)


@listen("thread.info_given")
def go_on(event: Event) -> None:
    case = _case(event.subject)
    if case is not None and case.pause_cause == PauseCause.CUSTOMER:
        cases.resume(case, event.actor)


SETTLES = {
    "thread.solved": Cause.ACCEPTED,
    "thread.solved_another_way": Cause.ANOTHER_WAY,
    "thread.closed": Cause.CLOSED,
    "thread.marked_duplicate": Cause.DUPLICATE,
    "thread.merged": Cause.MERGED,
    "thread.hidden": Cause.GONE,
    "thread.deleted": Cause.GONE,
}


@listen(*SETTLES)
def settle(event: Event) -> None:
    if case := _case(event.subject):
        cases.settle(case, SETTLES[event.kind], event.actor)


@listen("thread.merged")
def go_on_together(event: Event) -> None:
    """The thread that stands has more reporters, and perhaps its first replies."""
    thread = event.subject.merged_into
    if stage.here() is None:  # a simulation hears it, too, and moves nothing
        incidents.go_along(event.subject, thread)
    case = _somebody_waits_there(thread, event, Cause.MERGED)
    if case is None or not case.is_open:
        return
    if case.acknowledged_at is None:
        cases.rematch(case)
        if case.policy.me_too_skips_at and thread.me_too_count >= case.policy.me_too_skips_at:
            cases.hurry(case)
    moved = Answer.objects.filter(pk__in=event.data["answers"]).visible().exclude(author=thread.author_id)
    if case.phase == Escalation.Phase.FIRST and (answer := moved.select_related("author").order_by("pk").first()):
        cases.reply_arrived(case, answer.author)


@listen("thread.marked_duplicate")
def go_on_where_it_was_asked_first(event: Event) -> None:
    _somebody_waits_there(event.subject.duplicate_of, event, Cause.DUPLICATE)


def _somebody_waits_there(thread: Thread, event: Event, cause: str) -> Escalation | None:
    """Whoever was looked after is led to another thread, which is looked after from now on, unless it says itself that
    it is settled: one that was imported has no case, and staff may have ended its case without a solution."""
    case = _case(thread)
    led = Escalation.objects.filter(thread=event.subject.pk, resolved_cause=cause).exists()
    if stage.here() is not None or event.origin != Event.Origin.LIVE or not led:
        return case
    if not thread.is_visible or thread.kind not in cases.SOLVABLE or not _is_unsettled(thread):
        return case
    if case is None:
        return cases.open_case(thread)
    if not case.is_open:
        cases.new_round(case, event.actor, phase=Escalation.Phase.CARE)
    return case


@listen("thread.split")
def go_on_apart(event: Event) -> None:
    """What is left may have lost its solution or its replies; what began may have brought them."""
    if case := _case(event.subject):
        _without_what_went(case, event)
    new = Thread.objects.select_related("author").get(pk=event.data["into"])
    case = _case(new)
    if case is None:
        return
    if new.official_at or new.solved_at:
        cases.settle(case, Cause.OFFICIAL if new.official_at else Cause.ACCEPTED, event.actor)
        return
    for answer in new.answers.visible().exclude(author=new.author_id).select_related("author").order_by("pk"):
        cases.reply_arrived(case, answer.author)


@listen("thread.posts_moved")
def go_on_there(event: Event) -> None:
    """The same for a thread that was there before: what came may be a reply, or settle it."""
    if case := _case(event.subject):
        _without_what_went(case, event)
    there = Thread.objects.select_related("author").get(pk=event.data["into"])
    case = _case(there)
    if case is None or not case.is_open:
        return
    if there.official_at or there.solved_at:
        cases.settle(case, Cause.OFFICIAL if there.official_at else Cause.ACCEPTED, event.actor)
        return
    came = Answer.objects.filter(pk__in=event.data["answers"]).visible().exclude(author=there.author_id)
    for answer in came.select_related("author").order_by("pk"):
        cases.reply_arrived(case, answer.author)


def _without_what_went(case: Escalation, event: Event) -> None:
    thread = case.thread
    by_answer = case.resolved_cause in (Cause.ACCEPTED, Cause.OFFICIAL, Cause.HOLDS)
    if by_answer and thread.is_visible and _is_unsettled(thread):
        cases.new_round(case, event.actor)
    elif thread.first_reply_at is None:
        cases.replies_gone(case)


@listen("answer.made_official")
def settle_officially(event: Event) -> None:
    """An official answer is the brand's last word, even when the asker has not spoken."""
    case = _case(event.subject.thread)
    if case is None or not case.is_open:
        return
    if case.acknowledged_at is None and event.actor is not None:
        cases.acknowledge(case, event.actor)
    cases.settle(case, Cause.OFFICIAL, event.actor)


@listen("thread.reopened")
def begin_again(event: Event) -> None:
    thread: Thread = event.subject
    if case := _case(thread):
        cases.new_round(case, event.actor, one_level_up=event.data.get("one_level_up", False))
    else:
        _first_word_here(thread, thread.author_id, event)


@listen("thread.recheck_opened")
def look_again(event: Event) -> None:
    """A solution is said not to hold: owners look first, as with a new question; its department, when it planned so."""
    thread: Thread = event.subject
    if case := _case(thread):
        cases.new_round(case, event.actor, planned=bool(event.data.get("planned")))
    elif event.origin == Event.Origin.LIVE:
        cases.open_case(thread)


@listen("thread.recheck_settled")
def looked_again(event: Event) -> None:
    if event.data.get("holds") and (case := _case(event.subject)):
        cases.settle(case, Cause.HOLDS, event.actor)


@listen("thread.restored")
def back_in_sight(event: Event) -> None:
    thread: Thread = event.subject
    case = _case(thread)
    if case is None:
        cases.open_case(thread)
    elif case.resolved_cause == Cause.GONE and not thread.solved_at and not thread.closed_at:
        cases.new_round(case, event.actor)


@listen("answer.unaccepted", "answer.official_withdrawn")
def unsettled(event: Event) -> None:
    thread = event.subject.thread
    case = _case(thread)
    if case is not None and _is_unsettled(thread):
        cases.new_round(case, event.actor)


@listen("idea.status_changed")
def idea_judged(event: Event) -> None:
    case = _case(event.subject)
    if case is None:
        return
    if case.resolved_cause == Cause.DECIDED and event.data["status"] not in FINAL_STATUSES:
        cases.new_round(case, event.actor, planned=True)  # decided, and open again: somebody looks at it
    if not case.is_open:
        return
    if case.acknowledged_at is None and event.actor is not None:
        cases.acknowledge(case, event.actor)
    if event.data["status"] in FINAL_STATUSES:
        cases.settle(case, Cause.DECIDED, event.actor)


@listen("thread.edited", "thread.moved")
def facts_changed(event: Event) -> None:
    if case := _case(event.subject):
        cases.rematch(case, edited=event.kind == "thread.edited")


@listen("thread.me_too")
def one_more(event: Event) -> None:
    """Reporters count: another policy may be for it now, or the next rung is due at once."""
    if not event.data.get("on"):
        return
    case = _case(event.subject)
    if case is None or not case.is_open or case.acknowledged_at is not None:
        return
    cases.rematch(case)
    if case.policy.me_too_skips_at and case.thread.me_too_count == case.policy.me_too_skips_at:
        cases.hurry(case)


@listen("person.restored", "person.renamed", "person.erased", "person.merged")
def name_them_anew(event: Event) -> None:
    """Whoever hands a case over reads who works there, and under which name."""
    transaction.on_commit(remembered.forget)


@listen("person.role_changed", "person.suspended")
def cases_go_back(event: Event) -> None:
    """Who works no cases any more has none: they go back to their departments, which are told."""
    person: User = User.objects.get(pk=event.subject.pk)  # as it is now, without what was remembered of permissions
    transaction.on_commit(remembered.forget)
    if event.kind == "person.suspended" or not works_cases(person):
        shifts.give_back(person, event.actor)
    if not works_cases(person):
        Absence.objects.filter(stand_in=person).update(stand_in=None)


@listen("department.archived")
def cases_move_on(event: Event) -> None:
    """What a department had that is closed goes to whoever would have it now."""
    if not event.data.get("on"):
        return
    pks = Escalation.objects.open().filter(department=event.subject.pk).order_by("pk").values_list("thread", flat=True)
    for pk in list(pks):
        case = cases.held(pk)
        if case is None or not case.is_open:
            continue
        to = routing.department_for(case.thread, case.policy)
        if to is not None and to.pk != event.subject.pk:
            note = _("%(name)s has been closed.") % {"name": event.subject.name}
            cases.route(case, to, event.actor, note=note)

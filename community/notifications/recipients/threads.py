"""Who hears of threads, answers, comments, ideas and edits."""

from datetime import timedelta

from django.db import models

from community.bridges import releases
from community.bridges.models import ReleaseNote
from community.escalation.models import Escalation
from community.escalation.rotation import with_stand_ins
from community.events.acts import is_staff
from community.events.models import Event
from community.posts.models import Comment
from community.questions.models import Answer, Thread

from .ground import Heard, add, followers, heard_by, muting, thread_of


@heard_by("thread.posted")
def _thread_posted(event: Event) -> Heard:
    thread: Thread = event.subject
    heard: Heard = {}
    add(heard, event.data.get("mentions", ()), "mention")
    things: list[models.Model] = list(thread.tags.all())
    if thread.product_id:
        things.append(thread.product)
    add(heard, followers(things), "new_thread", set(event.data.get("told", ())))
    return heard


@heard_by("answer.posted")
def _answer_posted(event: Event) -> Heard:
    answer: Answer = event.subject
    muted = muting(answer.thread)
    heard: Heard = {}
    add(heard, event.data.get("mentions", ()), "mention", muted)
    add(heard, _whose_case(answer.thread, event), "case_answered", muted)
    if not _given_officially(answer):
        add(heard, [answer.thread.author_id, *followers([answer.thread])], "new_answer", muted)
    return heard


def _given_officially(answer: Answer) -> bool:
    """Posted and made official in one go: two events, and one notice, that of the official answer."""
    return (
        answer.official_at is not None
        and answer.official_by_id == answer.author_id
        and answer.official_at - answer.created_at < timedelta(minutes=1)
    )


def _whose_case(thread: Thread | None, event: Event) -> list[int | None]:
    """Who has the open case of a thread in which its asker wrote, and who stands in for them."""
    if thread is None or event.actor_id != thread.author_id:
        return []
    rows = Escalation.objects.open().filter(thread=thread.pk, assignee__isnull=False)
    return with_stand_ins(rows.values_list("assignee", flat=True), event.occurred_at)


@heard_by("thread.info_given", "thread.private_given")
def _info_given(event: Event) -> Heard:
    """Said in the question itself or in the private details; an answer or a comment says it by itself."""
    thread: Thread = event.subject
    heard: Heard = {}
    if event.data.get("alone") or event.kind == "thread.private_given":
        add(heard, _whose_case(thread, event), "case_answered", muting(thread))
    return heard


@heard_by("comment.posted")
def _comment_posted(event: Event) -> Heard:
    comment: Comment = event.subject
    target = comment.target
    thread = thread_of(comment)
    about = thread or target
    muted = muting(about)
    heard: Heard = {}
    add(heard, event.data.get("mentions", ()), "mention", muted)
    add(heard, _whose_case(thread, event), "case_answered", muted)
    add(heard, [target.author_id], "new_comment", muted)
    earlier = Comment.objects.filter(
        target_type=comment.target_type_id, target_id=comment.target_id, visibility="visible"
    ).values_list("author", flat=True)
    add(heard, [*earlier, *followers([about], ("watching",))], "new_comment", muted)
    return heard


@heard_by("answer.accepted")
def _answer_accepted(event: Event) -> Heard:
    answer: Answer = event.subject
    heard: Heard = {answer.author_id: "answer_accepted"}
    if event.data.get("accepted_by") == "staff":
        add(heard, [answer.thread.author_id], "accepted_for_you")
    others = [answer.thread.author_id, *followers([answer.thread])]
    add(heard, others, "solved", muting(answer.thread))
    return heard


@heard_by("answer.made_official")
def _made_official(event: Event) -> Heard:
    answer: Answer = event.subject
    heard: Heard = {}
    people = [answer.thread.author_id, answer.author_id, *followers([answer.thread])]
    add(heard, people, "official_answer", muting(answer.thread))
    return heard


@heard_by("thread.needs_info")
def _needs_info(event: Event) -> Heard:
    return {event.subject.author_id: "needs_info"}


@heard_by("thread.reopened", "thread.closed", "thread.marked_duplicate", "thread.recheck_opened")
def _thread_state(event: Event) -> Heard:
    thread: Thread = event.subject
    heard: Heard = {}
    if event.data.get("planned"):
        return heard  # the department looks again on the day it chose; nobody has said that the answer is wrong
    add(heard, [event.data.get("reconciler")], "reconcile")
    add(heard, [thread.author_id], "thread_state")
    add(heard, followers([thread]), "thread_state", muting(thread))
    return heard


@heard_by("escalation.resolved")
def _taken_for_settled(event: Event) -> Heard:
    """Staff ended the case by hand, and no post says so: its asker hears, and can say that it is not so."""
    thread: Thread = event.subject
    by_hand = event.data.get("cause") in Escalation.BY_HAND and event.actor is not None and is_staff(event.actor)
    if not by_hand or thread.asks_nothing:
        return {}
    return {thread.author_id: "thread_state"}


@heard_by("thread.reconciler_changed")
def _reconciler(event: Event) -> Heard:
    return {event.data["reconciler"]: "reconcile"}


@heard_by("thread.merged", "thread.split", "thread.posts_moved")
def _merged(event: Event) -> Heard:
    """Whoever asked or followed what is gone, or wrote what moved: follows may have moved, so the event names them."""
    return dict.fromkeys(event.data["people"], "thread_state")


@heard_by("thread.recheck_settled")
def _recheck_settled(event: Event) -> Heard:
    """Only that it holds: what does not hold is opened again, which is told by itself."""
    thread: Thread = event.subject
    heard: Heard = {}
    if event.data.get("holds") and event.data.get("outcome") != "accepted_anew" and not _was_planned(event):
        add(heard, [thread.author_id, *followers([thread])], "thread_state", muting(thread))
    return heard


def _was_planned(settled: Event) -> bool:
    """Whether the look that is over was the department's own, of which nobody was told."""
    opened = Event.objects.about(settled.subject).filter(kind="thread.recheck_opened", pk__lt=settled.pk)
    last = opened.order_by("-pk").first()
    return last is not None and bool(last.data.get("planned"))


@heard_by("thread.asker_reminded")
def _reminded(event: Event) -> Heard:
    thread: Thread = event.subject
    heard: Heard = {}
    add(heard, [thread.author_id], "reminder", muting(thread))
    return heard


@heard_by("follow_up.asked")
def _asked_whether_it_held(event: Event) -> Heard:
    thread: Thread = event.subject.thread
    heard: Heard = {}
    add(heard, [thread.author_id], "follow_up", muting(thread))
    return heard


@heard_by("idea.status_changed")
def _idea_status(event: Event) -> Heard:
    idea: Thread = event.subject
    if event.data.get("release"):  # whoever asked hears of the note, and of this not besides
        told = releases.who_asked(ReleaseNote.objects.get(pk=event.data["release"]))
        rest: Heard = {}
        add(rest, followers([idea]), "idea_status", muting(idea) | told.keys())
        return rest
    heard: Heard = {idea.author_id: "own_idea"}
    voters = idea.votes.filter(voter__isnull=False, value=1).values_list("voter", flat=True)
    add(heard, [*voters, *followers([idea])], "idea_status", muting(idea))
    return heard


@heard_by("edit.suggested")
def _edit_suggested(event: Event) -> Heard:
    return {event.data["post_author"]: "edit_suggested"}


@heard_by("edit.accepted")
def _edit_accepted(event: Event) -> Heard:
    heard: Heard = {}
    add(heard, [event.subject.editor_id], "edit_reviewed")
    add(heard, [event.data.get("post_author")], "edit_suggested")
    return heard


@heard_by("edit.rejected")
def _edit_rejected(event: Event) -> Heard:
    return {event.subject.author_id: "edit_reviewed"}


@heard_by("thread.invited")
def _invited(event: Event) -> Heard:
    thread: Thread = event.subject
    if thread.answers.filter(author=event.data["person"]).exists():
        return {}  # they were quicker than the notice
    return {event.data["person"]: "invited"}

"""Threads, answers and what people judged of them."""

from typing import Any

from django.db.models import Q, QuerySet

from community.core.personal import (
    GONE,
    MOVES,
    STAYS,
    Joining,
    Leaving,
    after_joining,
    before_joining,
    before_leaving,
    part,
    tie,
)
from community.core.rows import locked
from community.posts import personal as posts

from . import facts, services
from .models import (
    Answer,
    AnswerVote,
    EditSuggestion,
    FollowUp,
    MeToo,
    PrivateDetails,
    Thread,
    ThreadVote,
    WorksForMine,
)

POST = "pk thread_id thread__title body_source visibility created_at edited_at score"
tie(
    "questions.Thread.author", left=STAYS, joined=MOVES,
    copy="pk kind title body_source product__name model_version visibility created_at edited_at score "
    "private_details__order_number private_details__serial private_details__phone private_details__call_when "
    "private_details__note",
)  # fmt: skip
part("questions.FollowUp.answer__thread__author", copy="answer_id outcome note answered_at")
tie("questions.Thread.hidden_by", left=STAYS, joined=STAYS)
tie("questions.Thread.reconciler", left=STAYS, joined=MOVES)
tie("questions.Answer.author", left=STAYS, joined=MOVES, copy=POST)
tie("questions.Answer.hidden_by", left=STAYS, joined=STAYS)
tie("questions.Answer.accepted_by", left=STAYS, joined=MOVES)
tie("questions.Answer.official_by", left=STAYS, joined=MOVES)
tie("questions.ThreadVote.voter", left=STAYS, joined=MOVES, copy="target_id value created_at")
tie("questions.AnswerVote.voter", left=STAYS, joined=MOVES, copy="target_id value created_at")
tie("questions.MeToo.voter", left=STAYS, joined=MOVES, copy="target_id created_at")
tie("questions.WorksForMine.voter", left=STAYS, joined=MOVES, copy="target_id works model_version created_at")
tie("questions.IdeaStep.by", left=STAYS, joined=MOVES)
tie(
    "questions.EditSuggestion.author", left=STAYS, joined=MOVES,
    copy="thread_id answer_id title body_source tags summary state created_at reason",
)  # fmt: skip
tie("questions.EditSuggestion.decided_by", left=STAYS, joined=MOVES)
tie("questions.Invitation.person", left=GONE, joined=MOVES, copy="thread_id created_at")
tie("questions.Invitation.by", left=STAYS, joined=MOVES, copy="thread_id created_at")
tie("questions.PrivateView.viewer", left=STAYS, joined=STAYS)
tie("questions.Seen.user", left=GONE, joined=MOVES, copy="thread_id at")
tie("questions.SavedFilter.user", left=GONE, joined=MOVES, copy="name query")


@before_leaving
def take_along(leaving: Leaving) -> None:
    """Private details and open suggestions always; judgements and words where they go along."""
    person = leaving.person
    PrivateDetails.objects.filter(thread__author=person).delete()
    EditSuggestion.objects.filter(author=person, state=EditSuggestion.State.OPEN).delete()
    if not leaving.words_go:
        return
    services.take_judgements_back(person)
    # What others suggested for their posts holds these whole, and would put them back.
    theirs = EditSuggestion.objects.filter(Q(answer=None, thread__author=person) | Q(answer__author=person))
    theirs.filter(state=EditSuggestion.State.OPEN).delete()
    theirs.update(title="", body_source=posts.taken_along(""))
    EditSuggestion.objects.filter(author=person).update(
        title="", body_source=posts.taken_along(""), summary="–", reason=""
    )
    FollowUp.objects.filter(answer__thread__author=person).update(note="")
    posts.take_away(Answer.objects.filter(author=person).select_related("thread"), person, empty=_without_claims)
    posts.take_away(Thread.objects.filter(author=person), person, empty=_without_words)


def _without_claims(answer: Answer) -> None:
    answer.disclosure = answer.model_version = ""


def _without_words(thread: Thread) -> None:
    """A thread that stays for the answers in it keeps its title: without one nobody finds them."""
    thread.model_version = thread.solved_note = ""
    if thread.visibility == Thread.Visibility.DELETED:
        thread.title = posts.taken_along(thread.language)[:200]


@before_joining
def judged_once(joining: Joining) -> None:
    """One person judges a post once, and never their own: what one account too many said is taken out, and so are the
    votes of either for the other."""
    gone, kept, by = joining.gone, joining.kept, joining.by
    for model in (ThreadVote, AnswerVote):
        for post in _posts(_doubles(model, gone, kept)):
            services.take_vote_out(post, gone, by)
        for voter, author in ((gone, kept), (kept, gone)):
            for post in _posts(model.objects.filter(voter=voter, target__author=author)):
                services.take_vote_out(post, voter, by)
    for me_too in _doubles(MeToo, gone, kept):
        services.take_me_too_out(me_too.target, gone, by)
    for voter, author in ((gone, kept), (kept, gone)):
        for me_too in MeToo.objects.filter(voter=voter, target__author=author).select_related("target"):
            services.take_me_too_out(me_too.target, voter, by)
        for said in WorksForMine.objects.filter(voter=voter, target__author=author).select_related("target"):
            services.take_works_out(said.target, voter, by)
    for said in _doubles(WorksForMine, gone, kept):
        services.take_works_out(said.target, gone, by)


def _doubles(model: Any, gone: Any, kept: Any) -> QuerySet:
    """What both said about the same thing, as rows of the account that goes."""
    theirs = model.objects.filter(voter=kept).values("target")
    return model.objects.filter(voter=gone, target__in=theirs).select_related("target").order_by("target")


def _posts(votes: QuerySet) -> list[Any]:
    return [vote.target for vote in votes.select_related("target").order_by("target")]


@after_joining
def whose_reply_it_is(joining: Joining) -> None:
    """Who answers their own question hasn't replied to anybody: threads in which both spoke are looked at again."""
    both = Thread.objects.filter(author=joining.kept, answers__author=joining.kept).distinct()
    for thread in both.order_by("pk"):
        facts.refresh(locked(thread))

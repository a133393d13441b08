"""From rows to facts, and from facts to the state a thread shows (RULINGS 11)."""

from datetime import datetime

from django.contrib.contenttypes.models import ContentType
from django.db.models import Count, F, Max, Min, Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from community.core.errors import Conflict
from community.moderation.models import Moderated
from community.posts.models import Comment

from .models import Answer, Kind, State, Thread

# What can be done with a thread of each kind; anything else is refused with a reason.
_SOLVABLE = {"accept", "solve_another_way", "ask_for_info", "recheck"}
_ALWAYS = {"duplicate", "merge", "split", "close", "lock", "reopen", "official"}
TRANSITIONS: dict[str, set[str]] = {
    Kind.QUESTION: _ALWAYS | _SOLVABLE,
    Kind.PROBLEM: _ALWAYS | _SOLVABLE,
    Kind.IDEA: _ALWAYS | {"ask_for_info", "idea_status"},
    Kind.PRAISE: _ALWAYS,
}
# What can be done although a thread was asked before, or is closed.
_DESPITE_DUPLICATE = {"reopen", "lock", "duplicate", "merge"}
_DESPITE_CLOSED = {"reopen", "lock", "merge"}


def check_transition(thread: Thread, verb: str) -> None:
    """Raise Conflict when this can't be done with a thread of this kind in this state."""
    if reason := why_not_now(thread, verb):
        raise Conflict(reason)


def why_not_now(thread: Thread, verb: str) -> str:
    """The reason against a verb in the state a thread is in, whoever asks; nothing when there is none."""
    if verb not in TRANSITIONS[thread.kind]:
        return {
            Kind.QUESTION: _("This can't be done with a question."),
            Kind.PROBLEM: _("This can't be done with a problem."),
            Kind.IDEA: _("This can't be done with an idea."),
            Kind.PRAISE: _("This can't be done with praise."),
        }[Kind(thread.kind)]
    if thread.merged_into_id:
        return _("This thread was merged with another one.")
    if thread.duplicate_of_id and verb not in _DESPITE_DUPLICATE:
        return _("This was asked before; the original is the place for it.")
    if thread.closed_at and verb not in _DESPITE_CLOSED:
        return _("This thread is closed. Reopen it first.")
    if verb in ("solve_another_way", "ask_for_info") and thread.solved_at:
        return _("This is solved already.")
    if verb == "ask_for_info" and thread.locked_at:
        return _("This thread is locked: the asker could not reply.")
    if verb == "reopen" and not (thread.solved_at or thread.closed_at or thread.duplicate_of_id):
        return _("This thread is open.")
    return ""


def derive_state(thread: Thread) -> State:
    """What the facts come to. Several things may be true at once; this is the first that a reader wants to know."""
    if thread.merged_into_id:
        return State.MERGED
    if thread.duplicate_of_id:
        return State.DUPLICATE
    if thread.closed_at:
        return State.CLOSED
    if thread.solved_at:
        return State.SOLVED_ANOTHER_WAY if thread.solved_note else State.SOLVED
    if thread.needs_info_since:
        return State.NEEDS_INFO
    if thread.reopened_at:
        return State.REOPENED
    return State.REPLIED if thread.first_reply_at else State.NO_REPLY


FACTS = [
    "answer_count", "first_reply_at", "replied_at", "asker_spoke_at", "solved_at", "leading_solution",
    "official_at", "state", "active_at",
]  # fmt: skip


def refresh(thread: Thread) -> None:
    """Read the facts that hang on answers from their rows again, derive the state, and save.

    Expects the caller to hold the thread's row. One aggregate and one update, however many answers there are.
    """
    mine = Q(author=thread.author_id)
    standing = standing_in(thread)
    rows = Answer.objects.filter(thread=thread, visibility=Moderated.Visibility.VISIBLE)
    came_at = Coalesce("moved_at", "created_at")  # what came with a merge replies here since then
    facts = rows.aggregate(
        count=Count("pk"),
        first_reply=Min(came_at, filter=~mine),
        last_reply=Max(came_at, filter=~mine),
        own=Max("created_at", filter=mine),
        accepted=Min("accepted_at", filter=standing),
        official=Min("official_at", filter=Q(official_for__isnull=False)),
    )
    thread.answer_count = facts["count"]
    thread.first_reply_at = facts["first_reply"]
    thread.official_at = facts["official"]
    thread.replied_at = latest(thread.replied_at, facts["last_reply"])
    thread.asker_spoke_at = latest(thread.asker_spoke_at, facts["own"])
    if not thread.solved_note:
        thread.solved_at = facts["accepted"]
    solutions = rows.filter(standing).order_by("accepted_at", "pk")
    if facts["accepted"] is None:
        thread.leading_solution = None
    elif thread.leading_solution_id is None or not solutions.filter(pk=thread.leading_solution_id).exists():
        thread.leading_solution = solutions.first()
    thread.state = derive_state(thread)
    thread.save(update_fields=FACTS)


def read_words(thread: Thread) -> None:
    """The last words of the asker and of others, read again from the comments that readers see, for a thread whose
    row is held. `refresh` adds those of the answers and saves. Asking for information is a word, too."""
    of_thread, of_answer = (ContentType.objects.get_for_model(model) for model in (Thread, Answer))
    answers = Answer.objects.filter(thread=thread, visibility=Moderated.Visibility.VISIBLE)
    remarks = Comment.objects.filter(
        Q(target_type=of_thread, target_id=thread.pk) | Q(target_type=of_answer, target_id__in=answers.values("pk")),
        visibility=Moderated.Visibility.VISIBLE,
    )
    online_at, own = Coalesce("published_at", "created_at"), Q(author=thread.author_id)
    said = remarks.aggregate(own=Max(online_at, filter=own), others=Max(online_at, filter=~own))
    thread.asker_spoke_at = said["own"]
    thread.replied_at = latest(said["others"], thread.needs_info_since)


def standing_in(thread: Thread) -> Q:
    """Answers whose acceptance settles a thread as it is now; `Answer.stands` says the same of one."""
    settles = Q(accepted_at__isnull=False)
    if thread.reopened_at:
        settles &= Q(accepted_at__gt=thread.reopened_at)
    own = Q(moved_at__isnull=True) | Q(accepted_at__gt=F("moved_at")) | Q(accepted_by=thread.author_id)
    return settles & own


def latest(*moments: datetime | None) -> datetime | None:
    """The latest of some moments, None being none."""
    return max((moment for moment in moments if moment is not None), default=None)

"""The rules of the ideas board: which way an idea goes, and how many votes somebody has out (FEATURES E).

A vote is out while the idea it is on is open. Nothing is written when an idea closes, is hidden or merged: what is
out is always counted from the rows, so that it can't differ from them (docs/decisions/0110).
"""

from typing import Any, NamedTuple

from django.db.models import Case, Count, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from community.accounts.models import TrustLevel, User
from community.core.errors import NotAllowed
from community.core.models import Numbers

from .models import IdeaStatus, Kind, Thread, ThreadVote

S = IdeaStatus
OPEN = (S.NEW, S.IN_REVIEW, S.NEEDS_INFO, S.FUTURE, S.PLANNED, S.IN_PROGRESS)
DONE = (S.SHIPPED, S.DECLINED, S.EXISTS)
LINKED = {S.SHIPPED, S.EXISTS}  # what became of it stands somewhere, and readers are led there

ALLOWANCE = {
    TrustLevel.NEWCOMER: "idea_votes_newcomer",
    TrustLevel.MEMBER: "idea_votes_member",
    TrustLevel.REGULAR: "idea_votes_regular",
    TrustLevel.LEADER: "idea_votes_leader",
}


class NoVotesLeft(NotAllowed):
    """All of somebody's votes are out; one can be taken back."""


# The way of an idea


def status_of(thread: Thread) -> IdeaStatus:
    return IdeaStatus(thread.idea_status or S.NEW)


def is_done(thread: Thread) -> bool:
    return status_of(thread) in DONE


def why_not_become(thread: Thread, status: str) -> str:
    """Why an idea can't have this status next. What is done is opened again first, and nothing is new twice."""
    now = status_of(thread)
    if status == S.NEW and now != S.NEW:
        return _("Nothing becomes new again. “In review” says that somebody looks at it.")
    if now in DONE and status in DONE and status != now:
        return _("This idea is closed as “%(status)s”. Open it again first, with the reason.") % {"status": now.label}
    return ""


def next_statuses(thread: Thread) -> list[IdeaStatus]:
    """The statuses staff can choose now; the one it has is among them, so that its reason can be mended."""
    now = status_of(thread)
    return [status for status in S if not why_not_become(thread, status) and not (status == now == S.NEW)]


# Votes


class Purse(NamedTuple):
    """How many votes on open ideas somebody may have, and how many are out. More may be out than one may have:
    an idea was opened again, or trust fell."""

    most: int
    out: int

    @property
    def left(self) -> int:
        return max(0, self.most - self.out)

    @property
    def dots(self) -> list[bool]:
        """A mark for each vote one may have: True where it is out."""
        return [place < self.out for place in range(self.most)]


def open_ideas(prefix: str = "") -> Q:
    """On which ideas a vote is out, for a query of threads or, with "target__", of votes."""
    told = {
        "kind": Kind.IDEA, "visibility": "visible", "closed_at__isnull": True, "duplicate_of__isnull": True,
        "idea_status__in": ["", *OPEN],
    }  # fmt: skip
    return Q(**{prefix + name: value for name, value in told.items()})


def votes_out(user: Any) -> QuerySet[ThreadVote]:
    """Somebody's votes that are out."""
    return ThreadVote.objects.filter(open_ideas("target__"), voter=user, value=1)


def most_votes(trust: int, numbers: Numbers) -> int:
    return getattr(numbers, _column(trust))


def _column(trust: int) -> str:
    return ALLOWANCE[TrustLevel(min(max(trust, TrustLevel.NEWCOMER), TrustLevel.LEADER))]


def most_in_query(user: User) -> Coalesce:
    """How many votes somebody may have, for a query; the number's own default while nobody turned it."""
    column = _column(user.trust)
    default = Numbers._meta.get_field(column).default
    return Coalesce(Subquery(Numbers.objects.values(column)[:1]), Value(default), output_field=IntegerField())


def out_in_query(voter: Any) -> Coalesce:
    """How many votes are out, for a query."""
    counted = (
        ThreadVote.objects.filter(open_ideas("target__"), voter=voter, value=1)
        .order_by()
        .values("voter")
        .annotate(n=Count("pk"))
        .values("n")
    )
    return Coalesce(Subquery(counted), Value(0), output_field=IntegerField())


def purse_of(user: User) -> Purse:
    """One query."""
    most, out = User.objects.filter(pk=user.pk).values_list(most_in_query(user), out_in_query(OuterRef("pk"))).get()
    return Purse(most, out)


def with_purse(threads: Any, user: Any) -> Any:
    """Threads with `my_most_votes` and `my_votes_out` where they are ideas and somebody is signed in."""
    if not user.is_authenticated:
        return threads
    idea = Q(kind=Kind.IDEA)
    return threads.annotate(
        my_most_votes=Case(When(idea, then=most_in_query(user)), default=Value(0), output_field=IntegerField()),
        my_votes_out=Case(When(idea, then=out_in_query(user)), default=Value(0), output_field=IntegerField()),
    )


def why_no_vote_left(purse: Purse) -> str:
    if purse.left:
        return ""
    if not purse.most:
        return _("Voting on ideas is closed to you at the moment.")
    return _(
        "All your votes on open ideas are given: you have %(most)d. Take one back, and it is free for this idea."
    ) % {"most": purse.most}

"""Two accounts of one person become one (decision 0187). Staff's to do, with a reason that stays in the log."""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from community.accounts import services as accounts
from community.accounts.models import User
from community.core import personal
from community.core.errors import Conflict, require
from community.core.rows import retried
from community.events.acts import is_staff
from community.posts.models import Comment, Revision
from community.questions.models import Answer, AnswerVote, Thread, ThreadVote
from community.sharing.models import Recipe, Tip
from reviews.models import Review

SHORTEST_REASON = 20
AUTHORED: dict[str, Any] = {"thread": Thread, "answer": Answer, "review": Review, "recipe": Recipe, "tip": Tip}


def why_not_join(by: Any) -> str:
    if by is not None and by.is_authenticated and by.has_perm("accounts.change_user"):
        return ""
    return _("Only community managers join two accounts.")


def why_not_these(gone: User, kept: User) -> str:
    """Why these two can't become one."""
    if gone.pk == kept.pk:
        return _("This is one account. Name the other one.")
    if gone.is_erased or kept.is_erased:
        return _("One of them was erased.")
    if gone.suspended_at or kept.suspended_at:
        return _("One of them is suspended. Decide about that first.")
    if is_staff(gone):
        return _("The account that goes belongs to somebody of the staff. Take the role off first.")
    if is_staff(kept):
        return _("What staff write is the brand's. Two accounts are joined when both are members'.")
    return ""


@dataclass(frozen=True)
class Plan:
    """What would move, and what would be taken out because one person judges a thing once and never their own."""

    threads: int
    answers: int
    comments: int
    reviews: int
    votes: int
    points: int


def plan(gone: User) -> Plan:
    votes = ThreadVote.objects.filter(voter=gone).count() + AnswerVote.objects.filter(voter=gone).count()
    return Plan(
        threads=Thread.objects.filter(author=gone).count(),
        answers=Answer.objects.filter(author=gone).count(),
        comments=Comment.objects.filter(author=gone).count(),
        reviews=Review.objects.filter(author=gone).count(),
        votes=votes,
        points=gone.reputation,
    )


@retried
def join(gone: User, kept: User, by: User, *, reason: str) -> None:
    """Make one account of two. There is no way back.

    Raises NotAllowed, Conflict when these two can't be joined, ValidationError at `reason`.
    """
    require(why_not_join(by))
    reason = reason.strip()
    if len(reason) < SHORTEST_REASON:
        raise ValidationError({"reason": _("Say how you know that it is one person, in 20 characters or more.")})
    people = {
        row.pk: row
        for row in User.objects.select_for_update(of=("self",), no_key=True)
        .filter(pk__in=[gone.pk, kept.pk])
        .order_by("pk")
    }
    one, other = people[gone.pk], people[kept.pk]
    if objection := why_not_these(one, other):
        raise Conflict(objection)
    joining = personal.Joining(one, other, by)
    personal.run("before_joining", joining)
    posts = {noun: _ids(model, author=one) for noun, model in AUTHORED.items()}
    posts["revision"] = _ids(Revision, editor=one)
    personal.hand_over(one, other)
    accounts.close_into(one, other, by, reason=reason, posts=posts)
    personal.run("after_joining", joining)
    for user in (gone, kept):
        user.refresh_from_db()


def _ids(model: Any, **of: User) -> list[int]:
    return list(model._base_manager.filter(**of).order_by("pk").values_list("pk", flat=True))

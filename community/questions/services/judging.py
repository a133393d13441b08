"""Votes, me-too and "works for mine"."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db.models import Count, F, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from community.accounts.models import Profile, TrustLevel, User
from community.core import clock, limits, text
from community.core.errors import Conflict, NotAllowed, require
from community.core.models import Numbers
from community.core.rows import locked, retried
from community.events.log import is_replaying, record
from community.events.models import Event
from community.moderation.permissions import why_not_moderate, why_not_write
from community.posts.services import follow
from products.models import Ownership

from .. import permissions
from ..models import (
    Answer,
    AnswerVote,
    Kind,
    MeToo,
    Thread,
    ThreadVote,
    WorksForMine,
)
from .checks import held_answer
from .ideas import check_idea_vote

NEAR = 5  # votes left today from which on we say how many there are


def _today() -> datetime:
    """Midnight: days are counted in UTC (RULINGS 10)."""
    return clock.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def votes_a_day(by: User) -> int:
    """How many votes somebody of this trust has a day; votes for ideas are counted apart."""
    numbers = Numbers.load()
    trust = TrustLevel.LEADER if by.speaks_for_brand else by.trust
    return {
        TrustLevel.NEWCOMER: numbers.votes_newcomer,
        TrustLevel.MEMBER: numbers.votes_member,
        TrustLevel.REGULAR: numbers.votes_regular,
    }.get(trust, numbers.votes_leader)  # type: ignore[call-overload]


def votes_left(by: User) -> int:
    """How many votes somebody has left today. A vote taken back is free again."""
    cast = {"voter": by, "created_at__gte": _today()}
    used = ThreadVote.objects.filter(**cast).exclude(target__kind=Kind.IDEA).count()
    return max(0, votes_a_day(by) - used - AnswerVote.objects.filter(**cast).count())


def _require_vote_left(by: User) -> None:
    """Raise NotAllowed when the votes of today are used up; two votes of one person at a time stand in line here."""
    Profile.objects.select_for_update().filter(user=by).first()
    if votes_left(by):
        return
    most = votes_a_day(by)
    wait = limits.in_words(int((_today() + timedelta(days=1) - clock.now()).total_seconds()))
    raise NotAllowed(
        ngettext(
            "You have used the %(most)d vote you have today. There are new ones in %(wait)s.",
            "You have used the %(most)d votes you have today. There are new ones in %(wait)s.",
            most,
        )
        % {"most": most, "wait": wait}
    )


def _cast(
    post: Thread | Answer, votes: Any, by: User, value: int, kind: str, /, *, free: bool = False, **data: Any
) -> int:
    """Set somebody's vote on a post whose row is held. Returns the score, which is always the sum of the rows. `free`
    votes are not of those somebody has a day."""
    if value not in (1, 0, -1):
        raise ValidationError({"value": _("Vote up, down, or take it back.")})
    vote = votes.filter(voter=by).first()
    previous = vote.value if vote else 0
    if value == previous:
        return post.score
    if given_to := getattr(vote, "given_to_id", None):
        data["given_to"] = given_to  # it was cast on a thread that was merged: that author's points go back
    idea = isinstance(post, Thread) and post.is_idea  # these have a number of votes of their own
    if value and not (idea or free or is_replaying()) and (vote is None or vote.created_at < _today()):
        _require_vote_left(by)
    if value == 0:
        vote.delete()
    elif vote:
        vote.value, vote.created_at = value, clock.now()
        changed = ["value", "created_at"]
        if given_to:
            vote.given_to = None
            changed.append("given_to")
        vote.save(update_fields=changed)
    else:
        votes.create(voter=by, value=value, created_at=clock.now())
    type(post)._base_manager.filter(pk=post.pk).update(score=F("score") + value - previous)
    post.score += value - previous
    if value and isinstance(post, Answer) and post.thread.product_id is not None:
        # Whether an owner judged is a fact of this moment; the log keeps it.
        data.setdefault("owner", Ownership.objects.filter(owner=by, product=post.thread.product_id).exists())
    record(kind, actor=by, subject=post, value=value, previous=previous, **data)
    return post.score


@retried
def vote_thread(thread: Thread, by: User, value: int) -> int:
    """Vote 1 or -1, or 0 to take it back; returns the new score. Raises NotAllowed, NoVotesLeft on ideas."""
    row = locked(thread)
    if not is_replaying() and not row.is_idea:
        require((permissions.why_not_vote_down if value < 0 else permissions.why_not_vote)(by, row))
    elif not is_replaying():
        require((permissions.why_not_vote if value else permissions.why_not_take_back)(by, row))
    if row.is_idea:
        check_idea_vote(row, by, value)
    thread.score = _cast(row, row.votes, by, value, "thread.voted", kind=row.kind)
    return thread.score


@retried
def vote_answer(answer: Answer, by: User, value: int) -> int:
    """Vote 1 or -1, or 0 to take it back; returns the new score. Raises NotAllowed."""
    thread, row = held_answer(answer)
    if not is_replaying():
        require((permissions.why_not_vote_down if value < 0 else permissions.why_not_vote)(by, row))
    answer.score = _cast(row, row.votes, by, value, "answer.voted", thread=thread.pk)
    return answer.score


@dataclass(frozen=True)
class TakenOut:
    """A vote that a moderator took out of the count: all it takes to give it back."""

    value: int
    at: datetime
    owner: bool = False


@retried
def take_vote_out(post: Thread | Answer, voter: User, by: User) -> TakenOut | None:
    """A moderator takes somebody's vote out of the count; score, points and badges follow. None if there is none.

    Raises NotAllowed.
    """
    require(why_not_moderate(by))
    row = _held(post)
    vote = row.votes.filter(voter=voter).first()
    if vote is None:
        return None
    cast = Event.objects.filter(
        subject_type=ContentType.objects.get_for_model(row), subject_id=row.pk, actor=voter, kind=_kind_of(row)
    )
    last = cast.order_by("-pk").values_list("data", flat=True).first() or {}
    taken = TakenOut(vote.value, vote.created_at, bool(last.get("owner")))
    post.score = _cast(row, row.votes, voter, 0, _kind_of(row), **_facts_of(row), taken_out_by=by.pk)
    return taken


@retried
def give_vote_back(post: Thread | Answer, voter: User, by: User, taken: TakenOut) -> bool:
    """Undo it: the vote counts again from the moment it was cast. False if its voter has voted here since."""
    require(why_not_moderate(by))
    row = _held(post)
    if row.votes.filter(voter=voter).exists():
        return False
    told = {**_facts_of(row), "given_back_by": by.pk}
    if isinstance(row, Answer):
        told["owner"] = taken.owner
    with clock.travel(taken.at):
        post.score = _cast(row, row.votes, voter, taken.value, _kind_of(row), free=True, **told)
    return True


def _held(post: Thread | Answer) -> Any:
    """The row of a post, held after its thread's: nobody moves the thread to another product meanwhile."""
    return held_answer(post)[1] if isinstance(post, Answer) else locked(post)


def _kind_of(row: Thread | Answer) -> str:
    return "answer.voted" if isinstance(row, Answer) else "thread.voted"


def _facts_of(row: Thread | Answer) -> dict[str, Any]:
    return {"thread": row.thread_id} if isinstance(row, Answer) else {"kind": row.kind}


@retried
def add_vote_rows(post: Thread | Answer, *, value: int, rows: Iterable[tuple[str, datetime]], source: str) -> int:
    """Take over votes that name no voter: dumps and tallies (RULINGS 21). Each row is (id there, moment).

    Rows that are here already are left alone. Returns how many were added. Each is an event of its own, so that
    the ledger can point at it. The thread is held, so that the points count for the product it is about then.
    """
    wanted = dict(rows)
    row = _held(post)
    if isinstance(row, Thread) and row.is_idea and value < 0:
        raise ValidationError({"value": _("Ideas are voted for, never against.")})
    known = set(row.votes.filter(source=source).values_list("external_id", flat=True))
    new = {key: at for key, at in wanted.items() if key not in known}
    if not new:
        return 0
    votes: list[Any] = [
        row.votes.model(target=row, value=value, source=source, external_id=key, created_at=at)
        for key, at in new.items()
    ]
    row.votes.model._base_manager.bulk_create(votes)
    type(row)._base_manager.filter(pk=row.pk).update(score=F("score") + value * len(new))
    for at in new.values():
        row.score += value
        with clock.travel(at):
            record(_kind_of(row), actor=None, subject=row, value=value, previous=0, voter_source=True, **_facts_of(row))
    post.score = row.score
    return len(new)


@retried
def withdraw_vote_rows(post: Thread | Answer, *, source: str, gone: Iterable[str]) -> int:
    """Take back rows that their source no longer has; the ledger reverses what they gave. Returns how many."""
    row = _held(post)
    votes: list[Any] = list(row.votes.filter(source=source, external_id__in=list(gone)))
    for vote in votes:
        value = vote.value
        vote.delete()
        type(row)._base_manager.filter(pk=row.pk).update(score=F("score") - value)
        row.score -= value
        with clock.travel(vote.created_at):
            record(_kind_of(row), actor=None, subject=row, value=0, previous=value, voter_source=True, **_facts_of(row))
    post.score = row.score
    return len(votes)


@retried
def set_me_too(thread: Thread, by: User, on: bool) -> int:
    """Say that one has the same, or no longer; returns how many do. Raises NotAllowed."""
    row = locked(thread)
    if not is_replaying():
        require(permissions.why_not_vote(by, row))
    mine = row.me_toos.filter(voter=by)
    if on == mine.exists():
        return row.me_too_count
    if on:
        row.me_toos.create(voter=by, created_at=clock.now())
        follow(row, by, because_of_a_post=True)
    else:
        mine.delete()
    row.me_too_count += 1 if on else -1
    row.save(update_fields=["me_too_count"])
    thread.me_too_count = row.me_too_count
    record("thread.me_too", actor=by, subject=row, on=on, kind=row.kind)
    return row.me_too_count


@retried
def add_me_too_rows(thread: Thread, *, rows: Iterable[tuple[str, datetime]], source: str) -> int:
    """Me-toos of people who are not here, as dated rows (RULINGS 21). Returns how many were added."""
    row = locked(thread)
    known = set(row.me_toos.filter(source=source).values_list("external_id", flat=True))
    new = [(key, at) for key, at in rows if key not in known]
    MeToo.objects.bulk_create(MeToo(target=row, source=source, external_id=key, created_at=at) for key, at in new)
    row.me_too_count += len(new)
    row.save(update_fields=["me_too_count"])
    thread.me_too_count = row.me_too_count
    for _key, at in new:
        with clock.travel(at):
            record("thread.me_too", actor=None, subject=row, on=True, kind=row.kind, voter_source=True)
    return len(new)


@retried
def say_works_for_mine(answer: Answer, by: User, works: bool | None, model_version: str = "") -> None:
    """An owner says whether somebody else's answer works for theirs; None takes it back.

    Without a version it is the one on the owner's shelf. Raises NotAllowed, Conflict.
    """
    row = _held(answer)
    if not is_replaying():
        require(permissions.why_not_say_it_works(by, row) if works is not None else why_not_write(by))
        if not (row.is_visible and row.thread.is_visible):
            raise Conflict(_("This post has been taken down."))
    mine = row.works.filter(voter=by).first()
    previous = mine.works if mine else None
    version = text.clean_line(model_version)[:120] or _version_on_shelf(by, row)
    if previous == works and (mine is None or not model_version or mine.model_version == version):
        return
    if works is None:
        mine.delete()
    else:
        row.works.update_or_create(
            voter=by, defaults={"works": works, "model_version": version, "created_at": clock.now()}
        )
    _count_works(row)
    _copy_works(answer, row)
    record(
        "answer.works_for_mine", actor=by, subject=row, works=works, previous=previous, thread=row.thread_id, owner=True
    )


def _version_on_shelf(by: User, answer: Answer) -> str:
    owned = Ownership.objects.filter(owner=by, product=answer.thread.product_id).select_related("version").first()
    return owned.version.name if owned is not None and owned.version is not None else ""


def _count_works(row: Answer) -> None:
    """The figures of an answer whose row is held, counted from what owners said."""
    counted = (
        row.works.order_by()
        .values("model_version")
        .annotate(yes=Count("pk", filter=Q(works=True)), no=Count("pk", filter=Q(works=False)))
    )
    row.works_by_version = {found["model_version"]: [found["yes"], found["no"]] for found in counted}
    row.works_yes = sum(yes for yes, _no in row.works_by_version.values())
    row.works_no = sum(no for _yes, no in row.works_by_version.values())
    row.save(update_fields=["works_yes", "works_no", "works_by_version"])


def _copy_works(answer: Answer, row: Answer) -> None:
    for field in ("works_yes", "works_no", "works_by_version"):
        setattr(answer, field, getattr(row, field))


@retried
def add_works_rows(
    answer: Answer, *, works: bool, rows: Iterable[tuple[str, datetime]], source: str, model_version: str = ""
) -> int:
    """What owners who are not here said about an answer, as dated rows. Returns how many were added."""
    row = _held(answer)
    known = set(row.works.filter(source=source).values_list("external_id", flat=True))
    new = [(key, at) for key, at in rows if key not in known]
    WorksForMine.objects.bulk_create(
        WorksForMine(
            target=row, works=works, source=source, external_id=key, created_at=at, model_version=model_version
        )
        for key, at in new
    )
    if new:
        _count_works(row)
    for _key, at in new:
        with clock.travel(at):
            record(
                "answer.works_for_mine", actor=None, subject=row, works=works, previous=None, thread=row.thread_id,
                voter_source=True, owner=True,
            )  # fmt: skip
    _copy_works(answer, row)
    return len(new)

"""Merging: what was said in one thread moves to another, once per person, and its address leads there (RULINGS 13)."""

from dataclasses import dataclass, field
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Sum
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core import clock, text
from community.core.errors import Conflict, require
from community.core.rows import locked, retried
from community.events.log import is_replaying, record
from community.moderation.permissions import is_moderator
from community.posts.models import Comment, Draft, Follow
from community.posts.services import add_revision

from .. import facts, permissions
from ..models import Answer, EditSuggestion, Kind, MeToo, Seen, Thread, ThreadVote
from .checks import Visibility, check_texts, copy_facts

# What can stand in for what: a question and a problem can be one matter, an idea is voted on by rules of its own.
ALIKE = ({Kind.QUESTION, Kind.PROBLEM}, {Kind.IDEA}, {Kind.PRAISE})
LONGEST_REASON = 300


@dataclass
class Move:
    """What a merge would do, for the page that asks once more; and what it did, for the log."""

    answers: list[int] = field(default_factory=list)
    comments: list[int] = field(default_factory=list)
    votes: list[int] = field(default_factory=list)  # of voters that move; who has voted there keeps that vote
    votes_dropped: list[int] = field(default_factory=list)
    me_toos: list[int] = field(default_factory=list)
    me_toos_dropped: list[int] = field(default_factory=list)
    followers: list[int] = field(default_factory=list)
    rows_without_voter: int = 0


def why_not_merge(thread: Thread, into: Thread) -> str:
    """The reason against merging these two, whoever asks."""
    if reason := facts.why_not_now(thread, "merge"):
        return reason
    if into.pk == thread.pk:
        return _("A thread can't be merged with itself.")
    if not (thread.is_visible and into.is_visible):
        return _("Only threads that everybody sees can be merged.")
    if not any(thread.kind in kinds and into.kind in kinds for kinds in ALIKE):
        return _("These are of different kinds: an idea merges with an idea, praise with praise.")
    return ""


def end_of(thread: Thread, of: Thread | None = None) -> Thread:
    """Where a thread leads: what it was merged into, and of that what asked first. For the merge `of` a thread a
    duplicate of that one stands for itself: the original goes into its copy."""
    thread = thread.merged_into or thread
    if of is not None and thread.duplicate_of_id == of.pk:
        return thread
    return thread.duplicate_of or thread


def plan_merge(thread: Thread, into: Thread) -> Move:
    """What would move from a thread to another."""
    of_thread = ContentType.objects.get_for_model(Thread)
    move = Move(
        answers=list(thread.answers.order_by("pk").values_list("pk", flat=True)),
        comments=list(
            Comment.objects.filter(target_type=of_thread, target_id=thread.pk)
            .order_by("pk")
            .values_list("pk", flat=True)
        ),
    )
    move.votes, move.votes_dropped, rows = _split(thread.votes.all(), into.votes.all(), into)
    move.me_toos, move.me_toos_dropped, more = _split(thread.me_toos.all(), into.me_toos.all(), into)
    move.rows_without_voter = rows + more
    there = Follow.objects.filter(target_type=of_thread, target_id=into.pk).values("user")
    move.followers = list(
        Follow.objects.filter(target_type=of_thread, target_id=thread.pk)
        .exclude(user__in=there)
        .order_by("user")
        .values_list("user", flat=True)
    )
    return move


def _split(here: models.QuerySet[Any], there: models.QuerySet[Any], into: Thread) -> tuple[list[int], list[int], int]:
    """Voters that move, voters that don't (they have a vote there, or wrote it), and how many rows without a voter."""
    known = {*there.filter(voter__isnull=False).values_list("voter", flat=True), into.author_id}
    voters = list(here.filter(voter__isnull=False).order_by("voter").values_list("voter", flat=True))
    rows = here.filter(voter__isnull=True).count()
    return [pk for pk in voters if pk not in known], [pk for pk in voters if pk in known], rows


@retried
def merge_thread(thread: Thread, into: Thread, by: User, reason: str) -> Thread:
    """Move everything from a thread to another one, once per person; the first one's address leads there from now on.

    Returns the thread that stands: when `into` was merged itself, or asked before, where that leads. Twice is
    harmless. Points stay with those who earned them (docs/decisions/0105). Private details stay with their thread,
    for its asker and staff. Raises NotAllowed, Conflict, ValidationError.
    """
    if not is_replaying():
        require(permissions.why_not_moderate_thread(by))
    reason = text.clean_line(reason)[:LONGEST_REASON]
    row, target = _hold(thread, into)
    if row.merged_into_id == target.pk:
        copy_facts(thread, row)
        return target
    if not reason:
        raise ValidationError({"reason": _("Say why; whoever asked will read it.")})
    if objection := why_not_merge(row, target):
        raise Conflict(objection)
    now = clock.now()
    move = plan_merge(row, target)
    told = _people_to_tell(row, target)
    Answer.objects.filter(thread=row).update(thread=target, moved_from=row, moved_at=now)
    _move_hangers(row, target)
    _move_votes(row, target, move)
    _move_follows(row, target)
    row.duplicates.update(duplicate_of=target)
    Thread.objects.filter(merged_into=row).update(merged_into=target)  # no chains: each address is one step away
    _put_away(row, target, by, now)
    has_words = bool(move.answers or move.comments)  # something to read that was not there before
    target.active_at = facts.latest(target.active_at, row.active_at, now if has_words else None) or now
    target.view_count += row.view_count
    target.save(update_fields=["active_at", "view_count"])
    facts.refresh(target)
    copy_facts(thread, row)
    copy_facts(into, target)
    record(
        "thread.merged", actor=by, subject=row, note=reason, into=target.pk, people=told, answers=move.answers,
        comments=move.comments, votes=move.votes, votes_dropped=move.votes_dropped, me_toos=move.me_toos,
        me_toos_dropped=move.me_toos_dropped, followers=move.followers, rows_without_voter=move.rows_without_voter,
        kind=target.kind,
    )  # fmt: skip
    return target


@retried
def retitle_merged(thread: Thread, by: User, *, title: str, hidden: bool, reason: str = "") -> None:
    """A moderator changes the title of a merged thread, or takes it out of "Also asked" where it went.

    Nothing changed is nothing recorded. Raises NotAllowed, ValidationError at `title`, Conflict.
    """
    row = locked(thread)
    require("" if is_moderator(by) else _("Only moderators can do this."))
    if row.merged_into is None:
        raise Conflict(_("This thread was not merged with another one."))
    title = text.clean_line(title)
    if (title, hidden) == (row.title, row.title_hidden):
        return
    if title != row.title:
        check_texts(title=title)
        add_revision(
            row, by, title=title, body_source=row.body_source, source_format=row.source_format, summary=reason,
            retitled=by.pk != row.author_id,
        )  # fmt: skip
    row.title, row.title_hidden = title, hidden
    row.save(update_fields=["title", "title_hidden"])
    copy_facts(thread, row)
    thread.title, thread.title_hidden = title, hidden
    stands = row.merged_into
    record(
        "thread.moved", actor=by, subject=stands, note=reason, merged=row.pk, product=stands.product_id,
        previous_product=stands.product_id,
    )  # fmt: skip


def _hold(thread: Thread, into: Thread) -> tuple[Thread, Thread]:
    """Both rows, held in the order of their ids, with `into` followed to where it leads."""
    into = end_of(type(into)._base_manager.select_related("merged_into", "duplicate_of").get(pk=into.pk), thread)
    held = {pk: locked(Thread(pk=pk)) for pk in sorted({thread.pk, into.pk})}
    row, target = held[thread.pk], held[into.pk]
    if row.merged_into_id:
        return row, target
    if target.merged_into_id:
        raise Conflict(_("Somebody merged these a moment ago. Please look again."))
    if target.duplicate_of_id == row.pk:  # the copy becomes the one that stays
        target.duplicate_of = None
        target.save(update_fields=["duplicate_of"])
    return row, target


def _people_to_tell(row: Thread, target: Thread) -> list[int]:
    """The asker and followers of what goes; who muted either hears nothing."""
    of_thread = ContentType.objects.get_for_model(Thread)
    about = Follow.objects.filter(target_type=of_thread)
    muted = about.filter(target_id__in=(row.pk, target.pk), level=Follow.Level.MUTED).values("user")
    following = about.filter(target_id=row.pk, level__in=("watching", "tracking")).exclude(user__in=muted)
    return sorted({row.author_id, *following.values_list("user", flat=True)})


def _move_hangers(row: Thread, target: Thread) -> None:
    """Comments under the first post, invitations, and what people were writing. Its own words stay with it."""
    of_thread = ContentType.objects.get_for_model(Thread)
    Comment.objects.filter(target_type=of_thread, target_id=row.pk).update(target_id=target.pk)
    key, other = f"answer:{row.pk}", f"answer:{target.pk}"
    Draft.objects.filter(key=key).exclude(user__in=Draft.objects.filter(key=other).values("user")).update(key=other)
    Draft.objects.filter(key=key).delete()
    invited = list(target.invitations.values_list("person", flat=True))
    row.invitations.exclude(person__in=invited).update(thread=target)
    row.invitations.all().delete()
    EditSuggestion.objects.filter(thread=row, answer__isnull=False).update(thread=target)
    EditSuggestion.objects.filter(thread=row, state=EditSuggestion.State.OPEN).update(
        state=EditSuggestion.State.WITHDRAWN, decided_at=clock.now()
    )
    Seen.objects.filter(thread=row).delete()  # what came along is new to everybody


def _move_votes(row: Thread, target: Thread, move: Move) -> None:
    """One vote and one me-too a person; whoever asked here has the same, too. Numbers are counted from the rows."""
    moving = row.votes.filter(voter__in=move.votes)
    moving.filter(given_to__isnull=True).update(given_to=row)
    moving.update(target=target)
    row.me_toos.filter(voter__in=move.me_toos).update(target=target)
    for rows in (row.votes, row.me_toos):
        known = set(
            rows.model._base_manager.filter(target=target, voter__isnull=True).values_list("source", "external_id")
        )
        fresh = [
            pk
            for pk, source, key in rows.filter(voter__isnull=True).values_list("pk", "source", "external_id")
            if (source, key) not in known
        ]
        rows.filter(pk__in=fresh).update(target=target)
        rows.all().delete()
    if target.kind in permissions.SOLVABLE and row.author_id != target.author_id:
        MeToo.objects.get_or_create(target=target, voter=row.author, defaults={"created_at": row.created_at})
    for thread in (row, target):
        thread.score = ThreadVote.objects.filter(target=thread).aggregate(sum=Sum("value"))["sum"] or 0
        thread.me_too_count = MeToo.objects.filter(target=thread).count()
        thread.save(update_fields=["score", "me_too_count"])


def _move_follows(row: Thread, target: Thread) -> None:
    """Whoever followed this follows that; a choice somebody made there stays."""
    of_thread = ContentType.objects.get_for_model(Thread)
    here = Follow.objects.filter(target_type=of_thread, target_id=row.pk)
    there = Follow.objects.filter(target_type=of_thread, target_id=target.pk)
    here.exclude(user__in=list(there.values_list("user", flat=True))).update(target_id=target.pk)
    here.all().delete()


def _put_away(row: Thread, target: Thread, by: User, now: Any) -> None:
    row.merged_into, row.merged_at = target, now
    row.visibility, row.hidden_at, row.hidden_by, row.hidden_reason = Visibility.DELETED, now, by, ""
    row.duplicate_of = row.needs_info_since = row.recheck_at = row.leading_solution = None
    row.disagree_since = row.reconciled_at = row.remind_at = None
    row.needs_info_note = row.disagree_note = row.reconciled_outcome = row.reconciled_note = ""
    row.answer_count, row.first_reply_at, row.official_at = 0, None, None
    row.state = facts.derive_state(row)
    row.save()

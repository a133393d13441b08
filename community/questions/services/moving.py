"""Moving: what belongs to another thread that is there already goes to it, with all that hangs on it
(docs/decisions/0242)."""

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core import clock, text
from community.core.errors import Conflict, require
from community.core.rows import locked, retried
from community.events.log import record
from community.posts.models import Comment
from community.posts.services import follow

from .. import permissions
from ..models import Answer, Split, Thread
from . import splitting
from .checks import copy_facts
from .merging import ALIKE, LONGEST_REASON, end_of


def why_not_move_posts(thread: Thread, into: Thread) -> str:
    """The reason against moving posts from one thread to the other, whoever asks."""
    if reason := splitting.why_not_split(thread):
        return reason
    if into.pk == thread.pk:
        return _("That is the thread they stand in.")
    if not into.is_visible:
        return _("Only to a thread that everybody sees can something move.")
    if into.locked_at:
        return _("The other thread is locked. Unlock it first.")
    if into.closed_at:
        return _("The other thread is closed. Reopen it first.")
    return ""


@retried
def move_posts(
    thread: Thread,
    into: Thread,
    by: User,
    *,
    answers: Iterable[Answer] = (),
    comments: Iterable[Comment] = (),
    reason: str,
) -> Thread:
    """Move some answers and comments to another thread. Returns where they are: `into`, or where that leads.

    What moves is as in a split: answers with votes, comments and history, comments as comments on the first post there;
    points stay with those who earned them. The same once more changes nothing. Raises NotAllowed, Conflict,
    ValidationError.
    """
    require(permissions.why_not_split(by))
    reason = text.clean_line(reason)[:LONGEST_REASON]
    chosen = sorted({answer.pk for answer in answers})
    remarks = sorted({comment.pk for comment in comments})
    row, target = _hold(thread, into)
    if _moved_before(row, target, chosen, remarks):
        copy_facts(thread, row)
        return target
    if objection := why_not_move_posts(row, target):
        raise Conflict(objection)
    if not chosen and not remarks:
        raise ValidationError({"posts": _("Choose at least one post.")})
    if not reason:
        raise ValidationError({"reason": _("Say why; whoever wrote what moves will read it.")})
    moved, along = splitting.chosen(row, chosen, remarks)
    if moved and not any(row.kind in kinds and target.kind in kinds for kinds in ALIKE):
        raise ValidationError(
            {"of": _("The answers were given to another kind of thread, and keep to that. Comments can move there.")}
        )
    now = clock.now()
    company: list[Answer | Comment] = [*moved, *along]
    before = {"state": row.state, "answers": row.answer_count}
    told = sorted({*splitting.people_to_tell(row, company), *splitting.people_to_tell(target, [])})
    Split.objects.create(
        thread=target, from_thread=row, at=now, answers=chosen, comments=[comment.pk for comment in along]
    )
    _back_home(target, chosen, remarks)
    splitting.move(row, target, moved, along, now)
    target.active_at = now
    target.save(update_fields=["active_at"])
    for one in (row, target):
        splitting.read_again(one)
    for author in sorted({post.author for post in company}, key=lambda person: person.pk):
        follow(target, author, because_of_a_post=True)
    copy_facts(thread, row)
    copy_facts(into, target)
    record(
        "thread.posts_moved", actor=by, subject=row, note=reason, into=target.pk, people=told, question="",
        answers=chosen, comments=[comment.pk for comment in along], kind=target.kind, product=target.product_id,
        changes={
            "thread": [row.title, target.title],
            "state": [before["state"], row.state],
            "answers": [before["answers"], row.answer_count],
        },
    )  # fmt: skip
    return target


def _hold(thread: Thread, into: Thread) -> tuple[Thread, Thread]:
    """Both rows, held in the order of their ids, with `into` followed to where it leads."""
    into = end_of(type(into)._base_manager.select_related("merged_into", "duplicate_of").get(pk=into.pk))
    held = {pk: locked(Thread(pk=pk)) for pk in sorted({thread.pk, into.pk})}
    target = held[into.pk]
    if target.merged_into_id:
        raise Conflict(_("Somebody merged the other thread a moment ago. Please look again."))
    return held[thread.pk], target


def _moved_before(row: Thread, target: Thread, answers: list[int], comments: list[int]) -> bool:
    """Whether the very same choice has moved there already."""
    made = Split.objects.filter(from_thread=row, thread=target, answer=None, comment=None)
    same = any(one.answers == answers and {*one.comments} <= {*comments} for one in made)
    return same and not Answer.objects.filter(pk__in=answers, thread=row).exists()


def _back_home(target: Thread, answers: list[int], comments: list[int]) -> None:
    """What was taken out of a thread and returns stands there by itself: no sign leads elsewhere any more."""
    for one in Split.objects.filter(from_thread=target):
        left = [pk for pk in one.answers if pk not in answers], [pk for pk in one.comments if pk not in comments]
        if left == (one.answers, one.comments):
            continue
        one.answers, one.comments = left
        if one.count:
            one.save(update_fields=["answers", "comments"])
        else:
            one.delete()

"""Flagging, hiding, restoring: what is done about what members write."""

from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from community.accounts.models import TrustLevel, User
from community.core import clock
from community.core.errors import Conflict, require
from community.core.models import Numbers
from community.core.rows import locked, retried
from community.events.log import is_replaying, record

from . import doors, permissions
from .models import Flag, Moderated

Visibility = Moderated.Visibility


def noun(target: Moderated) -> str:
    """The word that begins the kinds of its events."""
    return str(target._meta.model_name)


def held(target: Any) -> Any:
    """The row of a post, held after its parent's: whoever votes, answers or accepts takes the thread first, too, and
    two that take two rows in different order wait for each other for ever."""
    if parent := type(target).objects.all().parent:
        locked(getattr(target, parent))
    return locked(target)


def _copy_state(target: Moderated, row: Moderated) -> None:
    for field in ("visibility", "published_at", "hidden_reason", "hidden_at", "hidden_by_id"):
        setattr(target, field, getattr(row, field))


def publish(target: Moderated, by: User | None, **more: Any) -> None:
    """Show a thing for the first time (or after a look) and say so, with `more` in the event. Runs in a transaction."""
    target.visibility = Visibility.VISIBLE
    target.published_at = target.published_at or clock.now()
    target.save(update_fields=["visibility", "published_at"])
    kind, data = target.published_event()
    if "mentions" not in more and (people := target.people_called()):
        more["mentions"] = people
    record(kind, actor=by, subject=target, **data, **more)


@retried
def approve(target: Moderated, by: User) -> None:
    """A moderator lets a waiting thing through. Twice is harmless."""
    require(permissions.why_not_moderate(by) or doors.of(target).why_not(by, target, "approve"))
    row = held(target)
    if row.visibility != Visibility.PENDING:
        return
    doors.of(row).before_publishing(row)
    publish(row, by=row.author)  # type: ignore[attr-defined]
    record("moderation.approved", actor=by, subject=row)
    _copy_state(target, row)


@retried
def hide(target: Moderated, by: User | None, *, reason: str) -> None:
    """Take a thing out of sight, with the reason its author will read. `by` is None when flags did it."""
    if by is not None:
        require(permissions.why_not_moderate(by) or doors.of(target).why_not(by, target, "hide"))
    if not reason.strip():
        raise ValidationError({"reason": _("Say why; its author will read it.")})
    row = held(target)
    if row.visibility in (Visibility.HIDDEN, Visibility.DELETED):
        _copy_state(target, row)
        return
    row.visibility, row.hidden_reason = Visibility.HIDDEN, reason.strip()[:300]
    row.hidden_at, row.hidden_by = clock.now(), by
    row.save(update_fields=["visibility", "hidden_reason", "hidden_at", "hidden_by"])
    _copy_state(target, row)
    record(f"{noun(row)}.hidden", actor=by, subject=row, note=reason, by_flags=by is None)


@retried
def restore(target: Moderated, by: User | None, *, reason: str = "") -> None:
    """Show a hidden or deleted thing again. Twice is harmless. `by` is None when its source has it again.

    Raises Conflict for what its author took away: that is nobody else's to show.
    """
    if by is not None or not is_replaying():
        require(permissions.why_not_moderate(by) or doors.of(target).why_not(by, target, "restore"))
    row = held(target)
    if row.visibility not in (Visibility.HIDDEN, Visibility.DELETED):
        _copy_state(target, row)
        return
    if objection := _why_it_stays_away(row):
        raise Conflict(objection)
    author = row.author_id  # type: ignore[attr-defined]
    if row.visibility == Visibility.DELETED and row.hidden_by_id == author and by is not None and by.pk != author:
        raise Conflict(_("Its author took this away. That stands; ask them to write it again."))
    first_time = row.published_at is None  # hidden while it waited: this is when it goes online
    row.visibility, row.hidden_reason, row.hidden_at, row.hidden_by = Visibility.VISIBLE, "", None, None
    row.save(update_fields=["visibility", "hidden_reason", "hidden_at", "hidden_by"])
    if first_time:
        publish(row, by=row.author)  # type: ignore[attr-defined]
    else:
        record(f"{noun(row)}.restored", actor=by, subject=row, note=reason)
    _copy_state(target, row)


@retried
def delete(target: Moderated, by: User | None, *, reason: str = "") -> None:
    """Take a thing away for good as far as readers see: its address answers 410. The row stays.

    `by` is None when the site it was imported from has it no longer.
    """
    if by is not None or not is_replaying():
        require(permissions.why_not_delete(by, target))
    row = held(target)
    if row.visibility == Visibility.DELETED:
        return
    own = by is not None and row.author_id == by.pk  # type: ignore[attr-defined]
    if not own and by is not None:
        require(doors.of(row).why_not(by, row, "delete"))
    if own and (objection := _why_author_keeps(row)):
        raise Conflict(objection)
    row.visibility, row.hidden_reason = Visibility.DELETED, reason.strip()[:300]
    row.hidden_at, row.hidden_by = clock.now(), by
    row.save(update_fields=["visibility", "hidden_reason", "hidden_at", "hidden_by"])
    _copy_state(target, row)
    record(f"{noun(row)}.deleted", actor=by, subject=row, note=reason, own=own)


def _why_it_stays_away(row: Any) -> str:
    """A model can say what can't come back, e.g. a thread whose words stand in another one now."""
    ask = getattr(row, "why_not_restore", None)
    return ask() if ask else ""


def _why_author_keeps(row: Any) -> str:
    """A model can say why even its author can't take it away, e.g. a question that others have answered."""
    ask = getattr(row, "why_author_cannot_delete", None)
    return ask() if ask else ""


@transaction.atomic
def flag(target: Moderated, by: User, *, reason: str, note: str = "") -> Flag:
    """Say that a post should be looked at: once per person and post. Enough flags hide it until somebody looked."""
    require(permissions.why_not_flag(by, target))
    if reason not in Flag.Reason.values:
        raise ValidationError({"reason": _("Choose a reason.")})
    row = held(target)
    if row.visibility != Visibility.VISIBLE:
        raise Conflict(_("It has been taken down already."))
    content_type = ContentType.objects.get_for_model(row)
    try:
        with transaction.atomic():
            new = Flag.objects.create(
                target_type=content_type,
                target_id=row.pk,
                reporter=by,
                reason=reason,
                note=note.strip()[:500],
                created_at=clock.now(),
            )
    except IntegrityError:
        return Flag.objects.get(target_type=content_type, target_id=row.pk, reporter=by)
    record("flag.raised", actor=by, subject=new, reason=reason, target_type=noun(row), target_id=row.pk)
    if not is_replaying() and doors.of(row).hidden_by_flags and _enough_flags(content_type, row.pk):
        hide(row, None, reason=_("Several people flagged this. A moderator will look at it."))
    _copy_state(target, row)
    return new


def _enough_flags(content_type: ContentType, target_id: int) -> bool:
    """3 flags by members or 2 by regulars hide (FEATURES H); newcomers' flags only queue."""
    numbers = Numbers.load()
    trusts = list(
        Flag.objects.filter(target_type=content_type, target_id=target_id, state=Flag.State.OPEN).values_list(
            "reporter__trust", flat=True
        )
    )
    members = sum(trust >= TrustLevel.MEMBER for trust in trusts)
    regulars = sum(trust >= TrustLevel.REGULAR for trust in trusts)
    return members >= numbers.member_flags_to_hide or regulars >= numbers.regular_flags_to_hide


@transaction.atomic
def decide_flag(flag: Flag, by: User, *, uphold: bool, note: str = "") -> None:
    """A moderator agrees with a flag or not. Hiding or restoring the post is a step of its own."""
    require(permissions.why_not_moderate(by))
    row = locked(flag)
    if row.state != Flag.State.OPEN:
        return
    row.state = Flag.State.UPHELD if uphold else Flag.State.DECLINED
    row.decided_at, row.decided_by = clock.now(), by
    row.save(update_fields=["state", "decided_at", "decided_by"])
    flag.state, flag.decided_at, flag.decided_by = row.state, row.decided_at, row.decided_by
    target = row.target
    record(
        "flag.upheld" if uphold else "flag.declined",
        actor=by,
        subject=row,
        note=note,
        reason=row.reason,
        reporter=row.reporter_id,
        target_type=row.target_type.model,
        target_id=row.target_id,
        target_author=target.author_id if target is not None else None,
    )


def decide_flags(target: Moderated, by: User, *, uphold: bool, note: str = "") -> None:
    """Decide all open flags on a post alike; runs in the transaction that decides about the post."""
    open_ones = Flag.objects.filter(
        target_type=ContentType.objects.get_for_model(target), target_id=target.pk, state=Flag.State.OPEN
    )
    for flag in open_ones.order_by("pk"):
        decide_flag(flag, by, uphold=uphold, note=note)

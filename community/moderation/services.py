"""Flagging, hiding, restoring: what is done about what members write."""

from datetime import timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from community.accounts.models import TrustLevel, User
from community.core import clock
from community.core.errors import Conflict, require
from community.core.models import Numbers
from community.core.rows import locked, retried
from community.events.log import is_replaying, record

from . import doors, permissions, screening, words
from .models import Appeal, Claim, Flag, Look, Moderated, ModerationRules, PenaltyAppeal, ProfileReport, WatchedWord

Visibility = Moderated.Visibility
SHORTEST_APPEAL, LONGEST_APPEAL = 20, 2000


def noun(target: Moderated) -> str:
    """The word that begins the kinds of its events."""
    return str(target._meta.model_name)


def held(target: Any) -> Any:
    """The row of a post, held after its parent's: whoever votes, answers or accepts takes the thread first, too, and
    two that take two rows in different order wait for each other for ever.

    Raises Conflict when it was moved to another parent since it was read.
    """
    if parent := type(target).objects.all().parent:
        above = locked(getattr(target, parent))
        row = locked(target)
        if getattr(row, f"{parent}_id") != above.pk:
            raise Conflict(_("Somebody moved this a moment ago. Please look again."))
        return row
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
    require(permissions.why_not_judge_own(by, row))
    doors.of(row).before_publishing(row)
    look = screening.open_look(row)
    if row.published_at is not None and look is not None and Look.Reason.MENDED in look.reasons:
        _show_again(row, by, before=Visibility.PENDING)  # it was online before; nobody hears of it as new
    else:
        publish(row, by=row.author)  # type: ignore[attr-defined]
    record("moderation.approved", actor=by, subject=row)
    screening.decide_look(row, by, kept=True)
    _copy_state(target, row)


@retried
def hide(target: Moderated, by: User | None, *, reason: str) -> None:
    """Take a thing out of sight, with the reason its author will read. `by` is None when flags did it; a moderator who
    agrees with those says so, too: the author reads that reason, and it comes back by no edit alone."""
    if by is not None:
        require(permissions.why_not_moderate(by) or doors.of(target).why_not(by, target, "hide"))
    if not reason.strip():
        raise ValidationError({"reason": _("Say why; its author will read it.")})
    row = held(target)
    confirmed = row.visibility == Visibility.HIDDEN and row.hidden_by_id is None and by is not None
    if row.visibility in (Visibility.HIDDEN, Visibility.DELETED) and not confirmed:
        _copy_state(target, row)
        return
    before = row.visibility
    row.visibility, row.hidden_reason = Visibility.HIDDEN, reason.strip()[:300]
    row.hidden_by = by
    if confirmed:  # an appeal names the hiding by its moment: it is the same one, and stays open, for somebody else
        about = {"target_type": ContentType.objects.get_for_model(row), "target_id": row.pk}
        Appeal.objects.filter(**about, granted=None).update(hidden_by=by)
    else:
        row.hidden_at = clock.now()
    row.save(update_fields=["visibility", "hidden_reason", "hidden_at", "hidden_by"])
    if by is not None:
        screening.decide_look(row, by, kept=False)
        _agree_with_flags(row, by, uphold=True, note=reason)
    _copy_state(target, row)
    record(
        f"{noun(row)}.hidden", actor=by, subject=row, note=reason, by_flags=by is None, before=before,
        after=Visibility.HIDDEN,
    )  # fmt: skip


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
    if by is not None:
        require(permissions.why_not_judge_own(by, row))
    if objection := _why_it_stays_away(row):
        raise Conflict(objection)
    author = row.author_id  # type: ignore[attr-defined]
    if row.visibility == Visibility.DELETED and row.hidden_by_id == author and by is not None and by.pk != author:
        raise Conflict(_("Its author took this away. That stands; ask them to write it again."))
    before, hidden_at = row.visibility, row.hidden_at
    if row.published_at is None:  # hidden while it waited: this is when it goes online
        row.hidden_reason, row.hidden_at, row.hidden_by = "", None, None
        row.save(update_fields=["hidden_reason", "hidden_at", "hidden_by"])
        publish(row, by=row.author)  # type: ignore[attr-defined]
    else:
        _show_again(row, by, before=before, note=reason)
    if by is not None:
        screening.decide_look(row, by, kept=True)
        _agree_with_flags(row, by, uphold=False, note=reason)
        _grant(row, by, hidden_at, reason)
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
    own, before = by is not None and row.author_id == by.pk, row.visibility  # type: ignore[attr-defined]
    if not own and by is not None:
        require(doors.of(row).why_not(by, row, "delete"))
        _leave_to_others(row, by)
    if own and (objection := _why_author_keeps(row)):
        raise Conflict(objection)
    row.visibility, row.hidden_reason = Visibility.DELETED, reason.strip()[:300]
    row.hidden_at, row.hidden_by = clock.now(), by
    row.save(update_fields=["visibility", "hidden_reason", "hidden_at", "hidden_by"])
    screening.decide_look(row, by, kept=False)
    if own:
        screening.may_be_said_again(row)
    elif by is not None:
        _agree_with_flags(row, by, uphold=True, note=reason)
    _copy_state(target, row)
    record(f"{noun(row)}.deleted", actor=by, subject=row, note=reason, own=own, before=before, after=Visibility.DELETED)


def _leave_to_others(row: Moderated, by: User) -> None:
    """Raise Conflict when `by` hid a post and its author has appealed: deleting it would decide the appeal."""
    about = {"target_type": ContentType.objects.get_for_model(row), "target_id": row.pk}
    if Appeal.objects.filter(**about, hidden_by=by, granted=None).exists():
        raise Conflict(_("You hid this. Somebody else decides about the appeal."))


def _show_again(row: Moderated, by: User | None, *, before: str, note: str = "") -> None:
    row.visibility, row.hidden_reason, row.hidden_at, row.hidden_by = Visibility.VISIBLE, "", None, None
    row.save(update_fields=["visibility", "hidden_reason", "hidden_at", "hidden_by"])
    record(f"{noun(row)}.restored", actor=by, subject=row, note=note, before=before, after=Visibility.VISIBLE)


# The author's side ----------------------------------------------------------------------------------------------------


def mended(row: Moderated, by: User, *, waits: bool = False) -> None:
    """Its author has changed a hidden post: what flags alone had hidden comes back, once; everything else waits for a
    moderator (FEATURES H), and so does one whose new words a rule holds (`waits`). The caller holds the row and has
    asked `permissions.why_not_mend`."""
    if row.visibility != Visibility.HIDDEN or is_replaying() or row.author_id != by.pk:  # type: ignore[attr-defined]
        return
    about = {"target_type": ContentType.objects.get_for_model(row), "target_id": row.pk}
    looks = Look.objects.filter(**about)
    again = any(Look.Reason.MENDED in reasons for reasons in looks.values_list("reasons", flat=True))
    pending = looks.filter(decided_at=None, held=True).exists()
    at_once = row.hidden_by_id is None and row.published_at is not None and not (again or pending or waits)
    if at_once:
        _show_again(row, by, before=Visibility.HIDDEN)
    else:
        row.visibility, row.hidden_reason, row.hidden_at, row.hidden_by = Visibility.PENDING, "", None, None
        row.save(update_fields=["visibility", "hidden_reason", "hidden_at", "hidden_by"])
    Appeal.objects.filter(**about, granted=None).delete()  # who mends it needs none any longer
    screening.ask_for_a_look(row, {Look.Reason.MENDED}, {}, held=not at_once)


@retried
def appeal(target: Moderated, by: User, words: str) -> Appeal:
    """The author of a hidden post says why it should stay: somebody else than who hid it decides, once for a hiding.

    Twice is harmless. Raises NotAllowed, Conflict, ValidationError at `words`.
    """
    require(permissions.why_not_appeal(by, target))
    row = held(target)
    if row.visibility != Visibility.HIDDEN or row.hidden_at is None:
        raise Conflict(_("This post is not hidden any more, so there is nothing to appeal against."))
    about = {"target_type": ContentType.objects.get_for_model(row), "target_id": row.pk, "hidden_at": row.hidden_at}
    if known := Appeal.objects.filter(**about).first():
        return known
    words = words.replace("\0", "").strip()
    if not SHORTEST_APPEAL <= len(words) <= LONGEST_APPEAL:
        raise ValidationError(
            {
                "words": _("Say why it should stay, in %(least)d to %(most)d characters.")
                % {"least": SHORTEST_APPEAL, "most": LONGEST_APPEAL}
            }
        )
    new = Appeal.objects.create(**about, author=by, words=words, hidden_by=row.hidden_by, created_at=clock.now())
    record("appeal.made", actor=by, subject=new, target_type=noun(row), target_id=row.pk)
    return new


def appeal_about(target: Moderated) -> Appeal | None:
    """What its author has said about the hiding that stands, or said last."""
    rows = Appeal.objects.filter(target_type=ContentType.objects.get_for_model(target), target_id=target.pk)
    if target.hidden_at is not None:
        rows = rows.filter(hidden_at=target.hidden_at)
    return rows.order_by("-pk").first()


@retried
def decide_appeal(appeal: Appeal, by: User, *, granted: bool, answer: str = "") -> None:
    """Somebody else than who hid it decides: granting shows the post again. Twice is harmless."""
    require(permissions.why_not_decide_appeal(by, appeal))
    if not granted and not answer.strip():
        raise ValidationError({"answer": _("Say why; its author will read it.")})
    target = appeal.target
    if target is None:
        raise Conflict(_("This post is gone."))
    post = held(target)
    row = locked(appeal)
    if row.granted is not None:
        if row.decided_by_id != by.pk:
            raise Conflict(_("Somebody else has decided about this meanwhile."))
        return
    if granted and post.visibility == Visibility.DELETED:
        raise Conflict(_("This post is gone."))
    if granted and post.visibility == Visibility.HIDDEN:
        restore(post, by, reason=answer)
        row.refresh_from_db()
    if row.granted is None:
        _decide_appeal(row, by, granted, answer)
    decide_flags(post, by, uphold=not granted, note=answer)
    if not granted:
        screening.decide_look(post, by, kept=False)


def _grant(row: Moderated, by: User, hidden_at: Any, answer: str) -> None:
    """Whoever shows it again has granted what its author asked for."""
    open_ones = Appeal.objects.filter(
        target_type=ContentType.objects.get_for_model(row), target_id=row.pk, hidden_at=hidden_at, granted=None
    )
    for one in open_ones:
        _decide_appeal(one, by, True, answer)


def _decide_appeal(row: Appeal, by: User, granted: bool, answer: str) -> None:
    row.granted, row.decided_at, row.decided_by, row.answer = granted, clock.now(), by, answer.strip()[:500]
    row.save(update_fields=["granted", "decided_at", "decided_by", "answer"])
    record(
        "appeal.decided", actor=by, subject=row, note=answer, granted=granted, target_type=row.target_type.model,
        target_id=row.target_id, hidden_by=row.hidden_by_id,
    )  # fmt: skip


# Who looks at it ------------------------------------------------------------------------------------------------------


@transaction.atomic
def claim(target: Moderated, by: User) -> Claim:
    """Keep others from deciding about a post for some minutes. Taking it again makes it longer.

    Raises Conflict while somebody else has it.
    """
    require(permissions.why_not_moderate(by))
    now = clock.now()
    until = now + timedelta(minutes=ModerationRules.load().claim_minutes)
    about = {"target_type": ContentType.objects.get_for_model(target), "target_id": target.pk}
    free = Q(by=by) | Q(until__lte=now)
    if not Claim.objects.filter(free, **about).update(by=by, until=until):
        try:
            with transaction.atomic():
                return Claim.objects.create(**about, by=by, until=until)
        except IntegrityError:
            require_free(target, by)
    return Claim.objects.get(**about)


@transaction.atomic
def release(target: Moderated, by: User) -> None:
    """Leave a post to others. Twice is harmless."""
    Claim.objects.filter(target_type=ContentType.objects.get_for_model(target), target_id=target.pk, by=by).delete()


def require_free(target: Moderated, by: User) -> None:
    """Raise Conflict while somebody else looks at a post."""
    other = (
        Claim.objects.filter(
            target_type=ContentType.objects.get_for_model(target), target_id=target.pk, until__gt=clock.now()
        )
        .exclude(by=by)
        .select_related("by")
        .first()
    )
    if other is not None:
        raise Conflict(_("%(name)s is looking at this one.") % {"name": other.by})


@transaction.atomic
def watch(by: User, *, pattern: str, act: str, address: str = "", note: str = "") -> WatchedWord:
    """Watch a word from now on; again changes what it does. Raises ValidationError at `pattern`."""
    require(permissions.why_not_moderate(by))
    words.parts(pattern)
    row, new = WatchedWord.objects.update_or_create(
        pattern=pattern,
        defaults={"act": act, "address": address, "note": note, "added_by": by, "added_at": clock.now()},
    )
    record("word.watched", actor=by, subject=row, act=act, new=new)
    return row


@transaction.atomic
def unwatch(word: WatchedWord, by: User) -> None:
    """Watch it no longer."""
    require(permissions.why_not_moderate(by))
    row = locked(word)
    record("word.forgotten", actor=by, subject=row, act=row.act, note=row.pattern)
    row.delete()


def alarm() -> int:
    """Tell the moderators once of each post that waits longer than it should. Returns how many were new.

    Twice at once is harmless: each row is taken by a conditional update.
    """
    rules, now = ModerationRules.load(), clock.now()
    pending = now - timedelta(hours=rules.pending_alarm_hours)
    flagged = now - timedelta(hours=rules.flag_alarm_hours)
    late = {
        "pending": Look.objects.filter(decided_at=None, held=True, created_at__lt=pending),
        "flagged": Flag.objects.filter(state=Flag.State.OPEN, created_at__lt=flagged),
        "pointed_out": Look.objects.filter(decided_at=None, held=False, created_at__lt=flagged),
        "appeals": Appeal.objects.filter(granted=None, created_at__lt=flagged),
        "penalty_appeals": PenaltyAppeal.objects.filter(granted=None, created_at__lt=flagged),
        "profiles": ProfileReport.objects.filter(settled_at=None, created_at__lt=flagged),
    }
    with transaction.atomic():
        told = {name: rows.filter(alarmed_at=None).update(alarmed_at=now) for name, rows in late.items()}
        if any(told.values()):
            about = next(rows.filter(alarmed_at=now).first() for name, rows in late.items() if told[name])
            record("queue.late", actor=None, subject=about, **told)  # type: ignore[arg-type]
    return sum(told.values())


def _why_it_stays_away(row: Any) -> str:
    """A model can say what can't come back, e.g. a thread whose words stand in another one now."""
    ask = getattr(row, "why_not_restore", None)
    return ask() if ask else ""


def _why_author_keeps(row: Any) -> str:
    """A model can say why even its author can't take it away, e.g. a question that others have answered."""
    ask = getattr(row, "why_author_cannot_delete", None)
    return ask() if ask else ""


@retried
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


@retried
def decide_flag(flag: Flag, by: User, *, uphold: bool, note: str = "") -> None:
    """A moderator agrees with a flag or not. Hiding or restoring the post is a step of its own."""
    require(permissions.why_not_moderate(by))
    row = locked(flag)
    if row.state != Flag.State.OPEN:
        return
    target = row.target
    if not uphold:
        require(permissions.why_not_judge_own(by, target))
    row.state = Flag.State.UPHELD if uphold else Flag.State.DECLINED
    row.decided_at, row.decided_by = clock.now(), by
    row.save(update_fields=["state", "decided_at", "decided_by"])
    flag.state, flag.decided_at, flag.decided_by = row.state, row.decided_at, row.decided_by
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


def _agree_with_flags(row: Moderated, by: User, *, uphold: bool, note: str) -> None:
    """Whoever decides about a post has decided about its flags, from whichever page. A told story does so itself."""
    if not is_replaying():
        decide_flags(row, by, uphold=uphold, note=note)


def decide_flags(target: Moderated, by: User, *, uphold: bool, note: str = "") -> None:
    """Decide all open flags on a post alike; runs in the transaction that decides about the post."""
    open_ones = Flag.objects.filter(
        target_type=ContentType.objects.get_for_model(target), target_id=target.pk, state=Flag.State.OPEN
    )
    for flag in open_ones.order_by("pk"):
        decide_flag(flag, by, uphold=uphold, note=note)

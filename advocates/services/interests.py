"""Ties to the brand: declared, ended, and copied to where bylines print them."""

from datetime import date

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core import clock, text
from community.core.errors import require
from community.core.rows import locked, retried
from community.events.log import is_replaying
from community.moderation import screening
from community.moderation.permissions import why_not_write

from .. import permissions
from ..models import Interest


@retried
def declare_interest(user: User, by: User, *, kind: str, line: str, since: date, until: date | None = None) -> Interest:
    """Declare a tie to the brand; it is printed beside the name as long as it lasts. Twice is harmless.

    Raises ValidationError by field, NotAllowed: who may not write may not write this, either.
    """
    if not is_replaying():
        require(permissions.why_not_change_own(by, user) or why_not_write(by))
    line = text.clean_line(line)[:200]
    errors: dict[str, str] = {}
    if kind not in Interest.Kind.values:
        errors["kind"] = _("Choose what it is.")
    if not line:
        errors["line"] = _("Say it in a line, as it will be printed.")
    if until is not None and until < since:
        errors["until"] = _("It can't end before it began.")
    if errors:
        raise ValidationError(errors)
    screening.check_line(by, "line", line)  # it stands beside all they write
    interest, _new = Interest.objects.get_or_create(
        person=user, kind=kind, line=line, since=since, defaults={"until": until, "declared_at": clock.now()}
    )
    if interest.until != until:
        today = clock.now().date()
        if until is not None and until < today and not is_replaying() and not permissions.can_manage(by):
            raise ValidationError({"until": _("It is declared already, and can end today, not before.")})
        interest.until = until
        interest.save(update_fields=["until"])
    copy_interests(user)
    return interest


@retried
def end_interest(interest: Interest, by: User, on: date) -> None:
    """A tie has ended, today or on a day to come: what was written meanwhile keeps it. Twice is harmless.

    Raises NotAllowed, ValidationError at `until`: ending it in the past would take it off what was written since.
    """
    row = locked(interest)
    if not is_replaying():
        require(permissions.why_not_change_own(by, row.person))
    if on < row.since:
        raise ValidationError({"until": _("It can't end before it began.")})
    if on < clock.now().date() and not is_replaying() and (row.until is None or on < row.until):
        raise ValidationError({"until": _("It is declared already, and can end today, not before.")})
    if row.until is not None and row.until <= on:
        return  # it ended before
    row.until = interest.until = on
    row.save(update_fields=["until"])
    copy_interests(row.person)


def interests_on(person: User, day: date) -> list[Interest]:
    """The ties somebody had on a day: what stands beside what they wrote then."""
    return [
        interest
        for interest in person.interests.all()
        if interest.since <= day and (interest.until is None or interest.until >= day)
    ]


def copy_interests(person: User) -> None:
    """What bylines print: the ties of today in a line, and all of them with their dates for what was written then."""
    lines = dict.fromkeys(interest.line for interest in interests_on(person, clock.now().date()))
    person.interests_text = " ".join(lines)[:400]
    person.ties = [
        [_iso(interest.since), _iso(interest.until), interest.line]
        for interest in person.interests.order_by("since", "pk")
    ]
    User.objects.filter(pk=person.pk).update(interests_text=person.interests_text, ties=person.ties)


def _iso(day: date | str | None) -> str:
    return day if isinstance(day, str) else day.isoformat() if day else ""


def copy_all_interests() -> int:
    """Sweep: ties that began or ended overnight."""
    changed = 0
    for person in User.objects.filter(interests__isnull=False).distinct().prefetch_related("interests"):
        before = person.interests_text
        copy_interests(person)
        changed += before != person.interests_text
    return changed

"""Being an advocate: from candidate to farewell, away and back, and what bylines say of it."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from community.accounts.models import Standing, User
from community.core import clock, text
from community.core.errors import Conflict, NotAllowed, require
from community.core.rows import retried
from community.events.log import is_replaying, record
from community.events.models import Event
from community.moderation import screening
from community.moderation.permissions import why_not_write
from products.models import Product

from .. import permissions, queue, rhythm, totals, trust
from ..models import AdvocateMembership, Application, Ask, Claim, Expertise, Judge
from .ground import SHORTEST_REASON, require_manager

State = AdvocateMembership.State


def copy_standing(member: AdvocateMembership) -> None:
    """What bylines print: standing and expertise, copied to the person (RULINGS 7)."""
    person = User.objects.select_for_update(of=("self",), no_key=True).get(pk=member.user_id)
    group = Group.objects.filter(name="Advocates").first()
    if member.is_current and person.standing != Standing.STAFF:
        person.standing = Standing.ADVOCATE
        names = [row.product.label for row in member.expertise.select_related("product")]
        person.expertise_text = ", ".join(names)[:200]
        if group:
            person.groups.add(group)
    else:
        if person.standing == Standing.ADVOCATE:
            honoured = member.state == State.LEFT and not member.removed
            person.standing = Standing.FORMER_ADVOCATE if honoured else Standing.MEMBER
        person.expertise_text = ""
        if group:
            person.groups.remove(group)
    person.save(update_fields=["standing", "expertise_text"])
    member.user.standing, member.user.expertise_text = person.standing, person.expertise_text
    totals.forget(person.pk)


def _set_expertise(member: AdvocateMembership, products: Iterable[Product]) -> None:
    wanted = list(dict.fromkeys(products))
    member.expertise.exclude(product__in=wanted).delete()
    for position, product in enumerate(wanted):
        Expertise.objects.update_or_create(membership=member, product=product, defaults={"position": position})


def why_not_member(user: User) -> str:
    if user.standing in (Standing.STAFF, Standing.ERASED) or not user.is_active:
        return _("Advocates are owners, not staff, with an account that is open.")
    return ""


@transaction.atomic
def note_candidate(
    user: User, by: User | None, products: Iterable[Product] = (), *, note: str = ""
) -> AdvocateMembership:
    """Somebody applied or was invited. Nothing of it shows beside their name yet."""
    require_manager(by)
    require(why_not_member(user))
    member, new = AdvocateMembership.objects.get_or_create(
        user=user, defaults={"state": State.CANDIDATE, "since": clock.now(), "note": text.clean_line(note)[:200]}
    )
    if not new and member.state == State.LEFT:
        member.state, member.since, member.until = State.CANDIDATE, clock.now(), None
        member.save(update_fields=["state", "since", "until"])
    if member.state == State.CANDIDATE:
        _set_expertise(member, products)
    return member


@retried
def admit(user: User, by: User | None, products: Iterable[Product] = (), *, note: str = "") -> AdvocateMembership:
    """Make somebody an advocate for these products. Twice is harmless; an advocate's products are set anew."""
    require_manager(by)
    require(why_not_member(user))
    member, _new = AdvocateMembership.objects.select_for_update().get_or_create(
        user=user, defaults={"state": State.CANDIDATE, "since": clock.now()}
    )
    member.user = user
    joins = not member.is_current
    if joins:
        member.state, member.since, member.until = State.ACTIVE, clock.now(), None
        member.admitted_by = by
        member.joined_at = member.joined_at or clock.now()
        member.removed, member.farewell = False, ""
    if note:
        member.note = text.clean_line(note)[:200]
    member.save()
    _set_expertise(member, products)
    copy_standing(member)
    if joins:
        rhythm.begin(user)
        record("advocate.joined", actor=by, subject=user)
        trust.evaluate(user)
    return member


@retried
def set_expertise(user: User, by: User | None, products: Iterable[Product]) -> None:
    """Change the products an advocate answers for."""
    require_manager(by)
    member = _member(user)
    _set_expertise(member, products)
    copy_standing(member)


def _member(user: User) -> AdvocateMembership:
    member = AdvocateMembership.objects.select_for_update().filter(user=user).first()
    if member is None or member.state in (State.LEFT, State.CANDIDATE):
        raise Conflict(_("They are no advocate now."))
    member.user = user
    return member


@retried
def set_away(
    user: User,
    by: User,
    on: bool = True,
    *,
    until: datetime | None = None,
    note: str = "",
    stand_in: User | None = None,
) -> AdvocateMembership:
    """An advocate is away, or back. Who stands in for them gets the open questions they were asked about.

    Twice is harmless. Raises ValidationError when the stand-in is no advocate who is here, and at `note` for words that
    a rule would hold; NotAllowed for a note by somebody silenced.
    """
    note = text.clean_line(note)[:200] if on else ""
    if not is_replaying():
        require(permissions.why_not_change_own(by, user) or (why_not_write(by) if note else ""))
    screening.check_line(by, "note", note)
    if on and stand_in is not None:
        if stand_in.pk == user.pk:
            raise ValidationError({"stand_in": _("Choose somebody else.")})
        if not AdvocateMembership.objects.here().filter(user=stand_in).exists():
            raise ValidationError({"stand_in": _("Choose an advocate who is here.")})
    if on and until is not None and until <= clock.now():
        raise ValidationError({"until": _("Choose a day that lies ahead.")})
    member = _member(user)
    changes = (member.state == State.AWAY) != on
    member.state = State.AWAY if on else State.ACTIVE
    member.until = until if on else None
    member.note = note
    member.stand_in = stand_in if on else None
    member.save(update_fields=["state", "until", "note", "stand_in"])
    User.objects.filter(pk=user.pk).update(is_away=on)
    user.is_away = on
    if changes:
        record("advocate.away", actor=by, subject=user, on=on)
    if on and stand_in is not None and (threads := queue.hand_over(member, stand_in)):
        record("advocate.handed_over", actor=by, subject=user, to=stand_in.pk, threads=threads)
    return member


def bring_back() -> int:
    """Advocates whose absence has ended are asked again; returns how many. Twice is harmless."""
    ended = AdvocateMembership.objects.filter(state=State.AWAY, until__lte=clock.now())
    back = 0
    for pk in list(ended.values_list("pk", flat=True)):
        with suppress(NotAllowed, Conflict), transaction.atomic():  # whoever is suspended stays away
            # As it is now: they may have made it longer, or have left.
            member = ended.select_for_update(of=("self",)).select_related("user").filter(pk=pk).first()
            if member is not None:
                set_away(member.user, member.user, on=False)
                back += 1
    return back


def _end(user: User, *, removed: bool, farewell: str = "") -> AdvocateMembership | None:
    """The role ends; None when there was none to end."""
    member = AdvocateMembership.objects.select_for_update().filter(user=user).first()
    if member is None or member.state == State.LEFT:
        return None
    was_current = member.is_current
    member.user = user
    member.state, member.until, member.stand_in, member.note = State.LEFT, clock.now(), None, ""
    member.removed, member.farewell = removed, text.clean_line(farewell)[:300]
    member.save(update_fields=["state", "until", "stand_in", "note", "removed", "farewell"])
    Claim.objects.filter(person=user).delete()
    # The next sweep asks somebody else.
    Judge.objects.filter(person=user, done_at=None, application__state=Application.State.JUDGING).delete()
    User.objects.filter(pk=user.pk).update(is_away=False)
    # Whoever they stood in for is asked again, or another is.
    AdvocateMembership.objects.filter(stand_in=user).update(stand_in=None)
    Ask.objects.filter(handed_to=user, answered_at=None).update(handed_to=None)
    copy_standing(member)
    return member if was_current else None


def end_membership(user: User) -> bool:
    """For somebody whose account ends. Whether there was a role to end; the caller says so in the log."""
    return _end(user, removed=False) is not None


@retried
def leave(user: User, by: User, *, reason: str = "", farewell: str = "") -> None:
    """An advocate stops, with honours: they stay among us as former advocate, and so does all they wrote.

    `farewell` is a line of thanks that everybody reads; a manager's to write. Twice is harmless.
    """
    if not is_replaying():
        require(permissions.why_not_change_own(by, user))
    if not permissions.can_manage(by) and not is_replaying():
        farewell = ""
    if _end(user, removed=False, farewell=farewell) is not None:
        record("advocate.left", actor=by, subject=user, note=reason)
        trust.evaluate(user)


@retried
def thank_at_parting(user: User, by: User, farewell: str) -> None:
    """The line of thanks that stands with a former advocate."""
    require_manager(by)
    gone = AdvocateMembership.objects.filter(user=user, state=State.LEFT, removed=False)
    if not gone.update(farewell=text.clean_line(farewell)[:300]):
        raise Conflict(_("They did not leave with honours."))


@retried
def remove(user: User, by: User, *, reason: str) -> None:
    """Take the role away, with a reason that they read and that stays in the log. What they wrote and earned stays.

    They are told, and where they can have it looked at again. Twice is harmless.
    """
    require_manager(by)
    reason = text.clean_line(reason)[:500]
    if len(reason) < SHORTEST_REASON:
        raise ValidationError({"reason": _("Say why, in 20 characters or more; they will read it.")})
    if by.pk == user.pk:
        raise Conflict(_("Whoever wants to stop leaves; the role is taken away by somebody else."))
    if _end(user, removed=True) is not None:
        record("advocate.removed", actor=by, subject=user, note=reason)
        trust.evaluate(user)


def reason_of_removal(user: User) -> str:
    """Why the role was taken away, the last time; for whom it was taken from. One query."""
    told = Event.objects.about(user).filter(kind="advocate.removed").in_order().values_list("note__text", flat=True)
    return told.last() or ""


def begin_rhythms() -> int:
    """Sweep: advocates from before rhythms were kept, and whoever has none for another reason."""
    without = AdvocateMembership.objects.current().filter(user__rhythm=None).select_related("user")
    return len([rhythm.begin(member.user) for member in without])

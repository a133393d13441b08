"""What is done with ranks, badges and the programme: a verb each, for the desk, the loader and pages alike."""

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import Any

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.images.exceptions import InvalidFilterSpecError
from wagtail.images.models import SourceImageIOError

from community.accounts.models import Standing, User
from community.core import clock, text
from community.core.errors import Conflict, NotAllowed, require
from community.core.models import CommunityImage
from community.core.rows import locked
from community.events.log import is_replaying, record
from community.events.models import Event
from community.moderation import screening
from community.moderation.permissions import why_not_write
from products.models import Product

from . import badges as judging
from . import permissions, queue, rhythm, tasks, totals, trust
from .models import AdvocateMembership, Application, Ask, Award, Badge, Claim, Expertise, Interest, Judge, Rank

State = AdvocateMembership.State
SHORTEST_REASON = 20


def require_manager(by: User | None) -> None:
    """`by` is None for migrations' and loaders' own data only."""
    if by is not None and not is_replaying():
        require(permissions.why_not_manage(by))


# Ranks


def _ranks_changed() -> None:
    """Everybody's rank is a copy: at once in a replay or a loader, in the background on a living site."""
    if is_replaying():
        totals.rename_by_rank()
    else:
        tasks.rename_by_rank.enqueue()


def _drawing_of_step(step: int) -> str:
    """What the n-th rank of a ladder looks like unless somebody chooses: from the seed up."""
    return Rank.Drawing.values[min(step, len(Rank.Drawing.values) - 1)]


def _shown(drawing: str, picture: CommunityImage | None) -> str:
    """What is copied beside names: the address of the own picture, or the name of a drawing."""
    if picture is None:
        return drawing
    try:
        return str(picture.get_rendition("fill-80x80|format-webp").url)
    except (SourceImageIOError, InvalidFilterSpecError, OSError):
        return drawing  # its file is gone


@transaction.atomic
def save_rank(
    by: User | None,
    *,
    slug: str,
    name: str,
    threshold: int,
    line: str = "",
    drawing: str = "",
    picture: CommunityImage | None = None,
    alt: str = "",
) -> Rank:
    """Add or change a rank. Without a drawing it keeps its own, or gets that of its step. Raises ValidationError by
    field."""
    require_manager(by)
    name = text.clean_line(name)[:60]
    alt = text.clean_line(alt)[:200] or (picture.alt if picture is not None else "")[:200]
    errors: dict[str, str] = {}
    if not name:
        errors["name"] = _("Give it a name.")
    if threshold < 0:
        errors["threshold"] = _("Points start at 0.")
    if Rank.objects.filter(threshold=threshold).exclude(slug=slug).exists():
        errors["threshold"] = _("Another rank begins at so many points.")
    known = Rank.objects.filter(slug=slug).first()
    if known and known.threshold == 0 and threshold > 0:
        errors["threshold"] = _("Somebody who begins needs a rank, too: the first one stays at 0.")
    if drawing and drawing not in Rank.Drawing.values:
        errors["drawing"] = _("Choose one of the drawings.")
    if picture is not None and not alt:
        errors["alt"] = _("Say what the picture shows, for those who can't see it.")
    if errors:
        raise ValidationError(errors)
    below = Rank.objects.filter(threshold__lt=threshold).exclude(slug=slug).count()
    drawing = drawing or (known.drawing if known else _drawing_of_step(below))
    wanted = {
        "name": name,
        "threshold": threshold,
        "line": text.clean_line(line)[:200],
        "drawing": drawing,
        "picture": picture,
        "alt": alt,
        "shown": _shown(drawing, picture),
    }
    if known and all(getattr(known, field) == value for field, value in wanted.items()):
        return known
    rank, _new = Rank.objects.update_or_create(slug=slug, defaults=wanted)
    _ranks_changed()
    return rank


@transaction.atomic
def save_ranks(by: User | None, ranks: Sequence[dict[str, Any]]) -> list[Rank]:
    """Set the whole ladder: these ranks and no others. The first begins at 0. Pictures of ranks that stay, stay."""
    require_manager(by)
    thresholds = [rank["threshold"] for rank in ranks]
    if not thresholds or min(thresholds) != 0 or len(set(thresholds)) != len(thresholds):
        raise ValidationError(_("Ranks begin at 0, and each at another number of points."))
    known = {row.slug: row for row in Rank.objects.select_related("picture")}
    wanted = []
    for step, rank in enumerate(sorted(ranks, key=lambda rank: rank["threshold"])):
        drawing = rank.get("drawing") or _drawing_of_step(step)
        before = known.get(rank["slug"])
        picture = before.picture if before else None
        wanted.append(
            Rank(
                slug=rank["slug"],
                name=text.clean_line(rank["name"])[:60],
                threshold=rank["threshold"],
                line=text.clean_line(rank.get("line", ""))[:200],
                drawing=drawing,
                picture=picture,
                alt=before.alt if before else "",
                shown=_shown(drawing, picture),
            )
        )
    fields = ("slug", "name", "threshold", "line", "drawing", "shown")
    if {tuple(getattr(row, field) for field in fields) for row in wanted} != {
        tuple(getattr(row, field) for field in fields) for row in known.values()
    }:
        Rank.objects.all().delete()
        Rank.objects.bulk_create(wanted)
        _ranks_changed()
    return list(Rank.objects.all())


@transaction.atomic
def delete_rank(rank: Rank, by: User | None) -> None:
    """Take a rank out; its people move to the one below."""
    require_manager(by)
    if rank.threshold == 0:
        raise Conflict(_("Somebody who begins needs a rank, too: rename it instead."))
    rank.delete()
    _ranks_changed()


# Badges


def _badges_changed() -> None:
    """Now for what follows in this transaction; and when it is over, whatever others read meanwhile."""
    judging.forget()
    transaction.on_commit(judging.forget)


@transaction.atomic
def save_badge(by: User | None, data: dict[str, Any], *, position: int | None = None) -> Badge:
    """Add or change a badge, from the words of demo/badges.yaml. Idempotent; raises ValidationError by field.

    A new or changed rule is judged over the whole history: in the background, in a replay by `award_badges`.
    """
    require_manager(by)
    rule = dict(data["award"]) if isinstance(data.get("award"), dict) else data.get("award")
    by_hand = data.get("by_hand") or False
    hand_given = bool(by_hand) or (isinstance(rule, dict) and rule.get("event") == judging.BY_HAND)
    awarded, per = data.get("awarded", Badge.Awarded.ONCE), data.get("per") or ""
    errors: dict[str, Any] = {}
    try:
        judging.check_award(rule, awarded=awarded, per=per, by_hand=hand_given)
    except ValidationError as error:
        errors.update(error.message_dict)
    area = data.get("area") or (Badge.Area.THANKS if hand_given else Badge.Area.ANSWERING)
    if area not in Badge.Area.values:
        errors["area"] = _("Choose an area.")
    if data.get("glyph") and data["glyph"] not in judging.GLYPHS:
        errors["glyph"] = _("Choose a drawing.")
    if data.get("level") not in Badge.Level.values:
        errors["level"] = _("Choose bronze, silver or gold.")
    if awarded not in Badge.Awarded.values:
        errors["awarded"] = _("Once or many.")
    if not text.clean_line(data.get("name", "")):
        errors["name"] = _("Give it a name.")
    if errors:
        raise ValidationError(errors)
    limits = by_hand if isinstance(by_hand, dict) else {}
    wanted = {
        "name": text.clean_line(data["name"])[:60],
        "level": data["level"],
        "area": area,
        "rule": text.clean_line(data.get("rule", ""))[:300],
        "award": rule,
        "event": rule["event"],
        "awarded": awarded,
        "per": per,
        "by_hand": hand_given,
        "at_most_people": limits.get("at_most_people", judging.MOST_BY_HAND),
        # Whoever says nothing about these leaves them as they are.
        **{name: data[name] for name in ("glyph", "kept", "words") if name in data},
    }
    if position is not None:
        wanted["position"] = position
    known = Badge.objects.filter(slug=data["slug"]).first()
    if known and known.retired_at is None and all(getattr(known, field) == value for field, value in wanted.items()):
        return known
    judged = ("award", "awarded", "per")
    rejudge = known is None or known.retired_at or any(getattr(known, field) != wanted[field] for field in judged)
    badge, _new = Badge.objects.update_or_create(slug=data["slug"], defaults={**wanted, "retired_at": None})
    _badges_changed()
    if rejudge and not hand_given and not is_replaying() and by is not None:
        tasks.judge_badge.enqueue(badge.slug)
    return badge


@transaction.atomic
def retire_badge(badge: Badge, by: User | None) -> None:
    """Give a badge no more. Who has it keeps it as long as its ground holds."""
    require_manager(by)
    if badge.retired_at is None:
        badge.retired_at = clock.now()
        badge.save(update_fields=["retired_at"])
        _badges_changed()


@transaction.atomic
def give_badge(badge: Badge, people: Iterable[User], by: User, *, reason: str) -> list[Award]:
    """Thank people by hand, with a reason that everybody reads. The same reason twice is harmless."""
    require_manager(by)
    chosen = list(people)
    reason = text.clean_line(reason)[:500]
    if not badge.by_hand:
        raise Conflict(_("This badge is given by its rule alone."))
    if len(reason) < judging.SHORTEST_REASON:
        raise ValidationError({"reason": _("Say what for, in 20 characters or more; everybody will read it.")})
    if len(chosen) > badge.at_most_people:
        raise ValidationError(
            {
                "people": ngettext(
                    "At most %(most)d person at once.", "At most %(most)d people at once.", badge.at_most_people
                )
                % {"most": badge.at_most_people}
            }
        )
    key = hashlib.sha256(reason.encode()).hexdigest()[:16]
    given = []
    totals.hold({person.pk for person in chosen})  # two who give at once would each count without the other's
    for person in chosen:
        if person.standing in (Standing.STAFF, Standing.ERASED):
            raise ValidationError({"people": _("Staff get no badges.")})
        award, new = Award.objects.get_or_create(
            badge=badge, person=person, per_key=key, defaults={"at": clock.now(), "reason": reason, "given_by": by}
        )
        if new:
            judging.copy_counts([person.pk])
            record(judging.BY_HAND, actor=by, subject=person, note=reason, badge=badge.slug, per=key, given_by="staff")
        given.append(award)
    return given


@transaction.atomic
def take_back_badge(award: Award, by: User, *, reason: str) -> None:
    """Take a badge given by hand back, and say why. Twice is harmless."""
    require_manager(by)
    if not award.badge.by_hand:
        raise Conflict(_("This badge follows its rule; it goes when its ground goes."))
    reason = text.clean_line(reason)[:500]
    if not reason:
        raise ValidationError({"reason": _("Say why; they will read it.")})
    totals.hold({award.person_id})
    gone, _details = Award.objects.filter(pk=award.pk).delete()
    if gone:
        judging.copy_counts([award.person_id])
        record("badge.revoked", actor=by, subject=award.person, note=reason, badge=award.badge.slug, per=award.per_key)


# The programme


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


@transaction.atomic
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


@transaction.atomic
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


@transaction.atomic
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


@transaction.atomic
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


@transaction.atomic
def thank_at_parting(user: User, by: User, farewell: str) -> None:
    """The line of thanks that stands with a former advocate."""
    require_manager(by)
    gone = AdvocateMembership.objects.filter(user=user, state=State.LEFT, removed=False)
    if not gone.update(farewell=text.clean_line(farewell)[:300]):
        raise Conflict(_("They did not leave with honours."))


@transaction.atomic
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


# Ties to the brand


@transaction.atomic
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


@transaction.atomic
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


def begin_rhythms() -> int:
    """Sweep: advocates from before rhythms were kept, and whoever has none for another reason."""
    without = AdvocateMembership.objects.current().filter(user__rhythm=None).select_related("user")
    return len([rhythm.begin(member.user) for member in without])


def copy_all_interests() -> int:
    """Sweep: ties that began or ended overnight."""
    changed = 0
    for person in User.objects.filter(interests__isnull=False).distinct().prefetch_related("interests"):
        before = person.interests_text
        copy_interests(person)
        changed += before != person.interests_text
    return changed

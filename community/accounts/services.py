"""What is done with people: join, rename, silence, suspend, give a role."""

from datetime import timedelta
from typing import IO, Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from community.core import clock, outbox, text
from community.core.errors import require
from community.core.rows import locked, retried
from community.core.uploads import reencode
from community.events.acts import is_staff
from community.events.log import is_replaying, record
from community.events.models import Event

from .models import Department, FormerUsername, Membership, Penalty, Profile, Standing, User
from .names import check_username, skeleton
from .permissions import why_not_write
from .roles import ROLES


def check_free(username: str, *, besides: User | None = None) -> str:
    """Return the name as it is kept. Raises ValidationError when it is taken, looks taken, or isn't allowed."""
    username = check_username(username)
    key = skeleton(username)
    others = User.objects.filter(Q(username=username) | Q(username_key=key))
    former = FormerUsername.objects.filter(Q(username=username) | Q(username_key=key))
    if besides is not None:
        others, former = others.exclude(pk=besides.pk), former.exclude(user=besides)
    if others.exists() or former.exists():
        raise ValidationError(_("Somebody has this name, or one that looks like it."), code="taken")
    return username


@transaction.atomic
def join(username: str, name: str = "", email: str | None = None, password: str | None = None, **fields: Any) -> User:
    """A new person. Expects a checked user name (imports bring their own); makes the profile, records the event."""
    about = fields.pop("about", "")
    user = User.objects.create_user(
        username, email, password, name=text.clean_line(name or username)[:80],
        **{"date_joined": clock.now(), **fields},
    )  # fmt: skip
    Profile.objects.create(user=user, about=about, about_html=text.render_plain(about).html if about else "")
    record("person.joined", actor=user, subject=user)
    return user


@retried
def edit_profile(user: User, *, name: str, about: str, city: str, **choices: Any) -> None:
    """Change what somebody tells about themselves. `choices` are fields of User or Profile.

    Whoever is silenced can still choose what is private, and how pages look to them. Raises NotAllowed when such a
    person would change what others read, ValidationError at `name`.
    """
    row = locked(user)
    profile, _new = Profile.objects.get_or_create(user=row)
    name, city = text.clean_line(name)[:80], text.clean_line(city)[:80]
    if (name, city, about) != (row.name, row.city, profile.about):
        require(why_not_write(row))
    goes_by, row.name, row.city = row.name, name, city
    if not row.name:
        raise ValidationError({"name": _("Please give a name.")})
    profile.about, profile.about_html = about, text.render_plain(about).html
    hidden = row.hide_from_boards
    for field, value in choices.items():
        setattr(profile if hasattr(profile, field) else row, field, value)
    row.save()
    profile.save()
    if row.name != goes_by:
        record("person.renamed", actor=row, subject=row)
    if row.hide_from_boards != hidden:
        record("person.listing_changed", actor=row, subject=row, hidden=row.hide_from_boards)
    user.refresh_from_db()


AVATAR_SIDE = 208  # pixels: twice the largest plate, for sharp screens


def change_picture(user: User, file: IO[bytes] | None) -> None:
    """Show this picture beside somebody's name, or their letters again (None). Twice is harmless.

    Only its pixels are kept, cut to a square (core/uploads.py); what it replaces is deleted. Raises NotAllowed for
    whoever may not write, who can still take their own away; ValidationError at `picture`. Count the tries before
    (limit "upload").
    """
    content = None
    if file is not None:
        require(why_not_write(user))
        try:
            content, _width, _height = reencode(file, AVATAR_SIDE, square=True)
        except ValidationError as problem:
            raise ValidationError({"picture": problem.messages}) from None
    _set_picture(user, user, content)


@retried
def take_picture(user: User, by: User, *, reason: str) -> None:
    """A moderator takes somebody's picture away, and warns them: they read the reason. Twice is harmless."""
    _check_discipline(user, by, reason)
    if locked(user).avatar:
        _set_picture(user, by, None, reason)
        warn(user, by, reason=reason)


def _set_picture(user: User, by: User, content: ContentFile | None, reason: str = "") -> None:
    stored = ""
    try:
        with transaction.atomic():
            row = locked(user)
            if content is not None:
                require(why_not_write(row))
            elif not row.avatar:
                return
            _forget_file(row.avatar)
            row.avatar = ""  # type: ignore[assignment]
            if content is not None:
                row.avatar.save(content.name, content, save=False)
                stored = row.avatar.name
            row.save(update_fields=["avatar"])
            record("person.pictured", actor=by, subject=row, note=reason, on=bool(stored))
    except BaseException:
        if stored:
            row.avatar.storage.delete(stored)
        raise
    user.avatar = row.avatar.name


@retried
def rename(user: User, username: str) -> None:
    """Take another user name; the old one keeps pointing here. Raises ValidationError at `username`."""
    username = check_free(username, besides=user)
    row = locked(user)
    if row.username == username:
        return
    require(why_not_write(row))
    former = {"username": row.username, "username_key": row.username_key}
    row.username, row.username_key = username, skeleton(username)
    try:
        with transaction.atomic():
            row.save(update_fields=["username", "username_key"])
            FormerUsername.objects.get_or_create(
                username=former["username"], defaults={**former, "user": row, "until": clock.now()}
            )
    except IntegrityError:
        raise ValidationError({"username": _("Somebody took this name a moment ago.")}) from None
    user.username, user.username_key = row.username, row.username_key
    record("person.renamed", actor=user, subject=row)


def why_not_discipline(by: User, user: User) -> str:
    if not by.has_perm("moderation.moderate"):
        return _("Only moderators can do this.")
    if is_staff(user) and not by.is_superuser and not by.has_perm("core.change_numbers"):
        return _("Colleagues are a matter for the community manager.")
    return ""


LADDER = (24, 72, 168, 720)  # hours of silence, each time one step longer (FEATURES H)
LADDER_FORGETS = timedelta(days=365)


def next_hours(user: User) -> int | None:
    """How long the next silence of somebody would be; None when the ladder is used up and a suspension is due."""
    since = clock.now() - LADDER_FORGETS
    before = user.penalties.filter(step=Penalty.Step.SILENCE, lifted_at=None, at__gt=since).count()
    return LADDER[before] if before < len(LADDER) else None


def _penalise(row: User, by: User, step: str, reason: str, hours: int | None = None) -> Penalty:
    now = clock.now()
    return Penalty.objects.create(
        person=row, step=step, by=by, reason=reason.strip()[:500], at=now, hours=hours,
        until=now + timedelta(hours=hours) if hours else None,
    )  # fmt: skip


def _check_discipline(user: User, by: User, reason: str) -> None:
    if not is_replaying():
        require(why_not_discipline(by, user))
    if not reason.strip():
        raise ValidationError({"reason": _("Say why; they will read it.")})


@retried
def warn(user: User, by: User, *, reason: str) -> Penalty:
    """Tell somebody that this must not happen again. They read the reason."""
    _check_discipline(user, by, reason)
    row = locked(user)
    penalty = _penalise(row, by, Penalty.Step.WARN, reason)
    record("person.warned", actor=by, subject=row, note=reason, penalty=penalty.pk)
    return penalty


@retried
def lift(penalty: Penalty, by: User, *, reason: str = "") -> None:
    """A moderator undoes a warning, a silence or a suspension. Others of that person stand. Twice is harmless."""
    if not is_replaying():
        require(why_not_discipline(by, penalty.person))
    person = locked(penalty.person)
    row = locked(penalty)
    if row.lifted_at is not None:
        return
    row.lifted_at, row.lifted_by = clock.now(), by
    row.save(update_fields=["lifted_at", "lifted_by"])
    if row.step == Penalty.Step.SUSPEND and not person.is_active and not person.is_erased:
        standing = person.penalties.filter(step=Penalty.Step.SUSPEND, lifted_at=None)
        if not standing.exclude(until__lte=clock.now()).exists():
            _let_in(person, by, reason)
            return
    if row.step == Penalty.Step.SILENCE:
        others = person.penalties.filter(step=Penalty.Step.SILENCE, lifted_at=None).exclude(pk=row.pk)
        person.silenced_until = max((one.until for one in others if one.until), default=None)
        person.save(update_fields=["silenced_until"])
    record("penalty.lifted", actor=by, subject=person, note=reason, penalty=row.pk, step=row.step)


def lift_expired() -> int:
    """End the suspensions whose time is over. Two sweeps at once are harmless. Returns how many."""
    over = Penalty.objects.filter(step=Penalty.Step.SUSPEND, lifted_at=None, until__lte=clock.now())
    ended = 0
    for penalty in over.select_related("person"):
        with transaction.atomic():
            row = locked(penalty.person)
            ended += Penalty.objects.filter(pk=penalty.pk, lifted_at=None).update(lifted_at=clock.now())
            standing = row.penalties.filter(step=Penalty.Step.SUSPEND, lifted_at=None)
            if row.suspended_at is not None and not standing.exists():
                _let_in(row, None, "")
    return ended


def end_sessions(user: User) -> int:
    """Sign somebody out everywhere, now. Returns how many sessions that were."""
    keys = list(UserSession.objects.filter(user=user).values_list("session_key", flat=True))
    UserSession.objects.filter(user=user).delete()
    return Session.objects.filter(session_key__in=keys).delete()[0]


@retried
def silence(user: User, by: User, *, hours: int, reason: str) -> None:
    """Somebody can read but not write for some hours."""
    _check_discipline(user, by, reason)
    row = locked(user)
    penalty = _penalise(row, by, Penalty.Step.SILENCE, reason, hours)
    row.silenced_until = max(filter(None, [row.silenced_until, clock.now() + timedelta(hours=hours)]))
    row.save(update_fields=["silenced_until"])
    user.silenced_until = row.silenced_until
    record("person.silenced", actor=by, subject=row, note=reason, hours=hours, penalty=penalty.pk)


@retried
def suspend(user: User, by: User, *, reason: str, hours: int | None = None) -> Penalty | None:
    """Close somebody's account, for some hours or for good. All their sessions end at once; a mail says why.

    Whoever is suspended for some hours can be suspended for good. Returns None when nothing had to be done.
    """
    _check_discipline(user, by, reason)
    row = locked(user)
    standing = list(row.penalties.filter(step=Penalty.Step.SUSPEND, lifted_at=None).values_list("until", flat=True))
    if row.is_erased or (not row.is_active and (hours is not None or not standing or None in standing)):
        return None
    row.is_active, row.suspended_at = False, row.suspended_at or clock.now()
    row.save(update_fields=["is_active", "suspended_at"])
    user.is_active, user.suspended_at = False, row.suspended_at
    penalty = _penalise(row, by, Penalty.Step.SUSPEND, reason, hours)
    end_sessions(row)
    record("person.suspended", actor=by, subject=row, note=reason, hours=hours)
    if row.email and not is_replaying():
        _tell_of_suspension(row, penalty)
    return penalty


APPEAL_SALT = "community.accounts.appeal"


def appeal_token(penalty: Penalty) -> str:
    """What stands in the mail for whoever can't sign in: it opens the page of this one suspension."""
    return signing.dumps(penalty.pk, salt=APPEAL_SALT)


def penalty_of(token: str) -> Penalty | None:
    """The suspension that a mail was about."""
    try:
        pk = signing.loads(token, salt=APPEAL_SALT)
    except signing.BadSignature:
        return None
    return Penalty.objects.select_related("person").filter(pk=pk, step=Penalty.Step.SUSPEND).first()


def _tell_of_suspension(row: User, penalty: Penalty) -> None:
    """By mail, for they can't come in to read a notice."""
    with translation.override(row.language or settings.LANGUAGE_CODE):
        lines = [_("Your account is suspended."), penalty.reason]
        if penalty.until:
            until = date_format(penalty.until, "DATETIME_FORMAT")
            lines.append(_("It opens again by itself on %(until)s UTC.") % {"until": until})
        lines.append(_("If this is wrong, say so here: somebody else than who decided looks at it, once."))
        lines.append(settings.BASE_URL.rstrip("/") + reverse("posts:appeal_suspension", args=[appeal_token(penalty)]))
        outbox.queue(
            kind=outbox.TRANSACTIONAL, user=row, subject=_("Your account is suspended"), text="\n\n".join(lines),
            key=f"suspended:{penalty.pk}",
        )  # fmt: skip


def _let_in(row: User, by: User | None, reason: str) -> None:
    row.is_active, row.suspended_at = True, None
    row.save(update_fields=["is_active", "suspended_at"])
    record("person.restored", actor=by, subject=row, note=reason)


@retried
def lift_suspension(user: User, by: User, *, reason: str = "") -> None:
    if not is_replaying():
        require(why_not_discipline(by, user))
    row = locked(user)
    if row.is_active or row.is_erased:
        return
    row.penalties.filter(step=Penalty.Step.SUSPEND, lifted_at=None).update(lifted_at=clock.now(), lifted_by=by)
    _let_in(row, by, reason)
    user.is_active, user.suspended_at = True, None


def role_of(user: User) -> str:
    """The role somebody has, by its name in `roles.ROLES`; "" for members."""
    groups = set(user.groups.values_list("name", flat=True))
    return next((slug for slug, known in ROLES.items() if known.group in groups), "")


@retried
def set_role(
    user: User, by: User | None, role: str, department: Department | None = None, *, lead: bool | None = None
) -> None:
    """Make somebody part of the staff, in a role of `roles.ROLES`, or a member again with "".

    `lead`: whether they lead the department; None leaves that as it is. Nobody leads one they do not work in.
    `by` is None for the first person of an installation and for loaders.
    """
    if by is not None and not is_replaying():
        require("" if by.has_perm("accounts.change_user") else _("Only community managers give roles."))
    if role and role not in ROLES:
        raise ValidationError({"role": _("Choose a role.")})
    row = locked(user)
    had, spoke_for = role_of(row), row.department_id
    row.groups.remove(*row.groups.filter(name__in=[known.group for known in ROLES.values()]))
    was_staff = row.standing == Standing.STAFF
    if role:
        row.groups.add(Group.objects.get(name=ROLES[role].group))
        row.standing, row.department = Standing.STAFF, department
    elif was_staff:
        row.standing, row.department = Standing.FORMER_STAFF, None
    row.save(update_fields=["standing", "department"])
    Membership.objects.filter(user=row).exclude(department=department).delete()
    if department is not None:
        Membership.objects.get_or_create(user=row, department=department)
        if lead:
            department.lead = row
            department.save(update_fields=["lead"])
    kept = department.pk if department is not None and role and lead is not False else None
    Department.objects.filter(lead=row).exclude(pk=kept).update(lead=None)
    user.standing, user.department = row.standing, row.department
    record(
        "person.role_changed", actor=by, subject=row, role=role, department=department.pk if department else None,
        previous=had, previous_department=spoke_for,
    )  # fmt: skip


def _forget_file(file: Any) -> None:
    """Away with it once the transaction that no longer names it holds."""
    if file:
        storage, name = file.storage, file.name
        transaction.on_commit(lambda: storage.delete(name))


def _empty(row: User) -> None:
    """Nothing of a person in a person's row; it stays for what points at it (RULINGS 28)."""
    row.username, row.username_key = f"former~{row.pk}", f"~{row.pk}"  # nobody can choose these
    row.name = row.city = row.language = row.time_zone = row.source_url = ""
    _forget_file(row.avatar)
    row.avatar = ""  # type: ignore[assignment]
    row.rank_name = row.rank_picture = row.interests_text = row.expertise_text = ""
    row.email, row.department, row.last_login = None, None, None
    row.standing, row.trust, row.badge_counts, row.ties = Standing.ERASED, 0, {}, []
    row.is_active = row.is_superuser = row.is_staff = row.invitable = row.is_away = False
    row.hide_from_boards = True
    row.silenced_until = row.suspended_at = None
    row.set_unusable_password()
    row.save()


@transaction.atomic
def anonymise(user: User, *, words: str) -> None:
    """Empty somebody's row in place, and say so. What hangs on it, and who may ask for it, is the caller's affair
    (`core.personal`, `portability.leaving`). `words`: "stay" or "go". Twice is harmless."""
    row = locked(user)
    if row.is_erased:
        return
    _empty(row)
    record("person.erased", actor=row, subject=row, words=words)


@transaction.atomic
def close_into(gone: User, kept: User, by: User, *, reason: str, posts: dict[str, list[int]]) -> None:
    """An account has become part of another: its name leads there, and its row is emptied. The caller has moved what
    hangs on it (`portability.joining`); `posts` says what that was."""
    row, other = locked(gone), locked(kept)
    former = {"username": row.username, "username_key": row.username_key}
    other.date_joined = min(row.date_joined, other.date_joined)
    # The penalties have come along.
    other.silenced_until = max(filter(None, [row.silenced_until, other.silenced_until]), default=None)
    if row.avatar and not other.avatar:
        other.avatar, row.avatar = row.avatar.name, ""  # type: ignore[assignment]
    other.save(update_fields=["date_joined", "silenced_until", "avatar"])
    _empty(row)
    FormerUsername.objects.get_or_create(
        username=former["username"], defaults={**former, "user": other, "until": clock.now()}
    )
    record("person.merged", actor=by, subject=row, note=reason, into=other.pk, posts=posts)


def stands_for(person: User) -> User:
    """Whose account this one went into; the person themselves when it was joined to none (`person.merged`)."""
    if not person.is_erased:
        return person
    of = {"subject_type": ContentType.objects.get_for_model(User), "subject_id": person.pk}
    told = Event.objects.filter(kind="person.merged", **of).order_by("-pk").first()
    kept = None if told is None else User.objects.filter(pk=told.data["into"]).first()
    return person if kept is None else stands_for(kept)

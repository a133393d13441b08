"""Somebody is a spammer: everything in one act, and back again if that was wrong."""

from collections import defaultdict
from typing import Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q
from django.utils.translation import gettext as _

from community.accounts import services as accounts
from community.accounts.models import Penalty, User
from community.core import clock
from community.core.errors import require
from community.core.rows import locked, retried
from community.events.log import record
from community.events.models import Event

from . import doors, permissions, screening, services
from .models import Flag, Look, Moderated, SpamAct

Visibility = Moderated.Visibility


def posts_of(person: User) -> list[Any]:
    """What others can see of somebody, or will, or would if flags alone had not hidden it, of every kind: children
    first, so that a post is out of sight before what it stands in."""
    found: list[Any] = []
    for model in _kinds():
        seen = Q(visibility__in=(Visibility.VISIBLE, Visibility.PENDING))
        by_flags = Q(visibility=Visibility.HIDDEN, hidden_by=None)
        found += model._base_manager.filter(seen | by_flags, author=person).order_by("-pk")
    return found


def _kinds() -> list[type[Model]]:
    kinds = [
        model for model in apps.get_models()
        if issubclass(model, Moderated) and any(field.name == "author" for field in model._meta.fields)
    ]  # fmt: skip
    return sorted(kinds, key=lambda model: (model._meta.model_name == "thread", model._meta.label))


@retried
def delete_spammer(person: User, by: User, *, reason: str) -> SpamAct:
    """Hide all that somebody wrote, uphold the flags on it, close the account and end its sessions, in one act.

    Their spam costs them points as a confirmed flag does. Twice is harmless; somebody who was let in since is marked
    anew, and undoing that undoes both. Raises NotAllowed, ValidationError at
    `reason`.
    """
    require(why_not(by, person))
    _hold_what_they_stand_in(person)
    row = locked(person)
    act = SpamAct.objects.filter(person=row, undone_at=None).first()
    if act is not None and not row.is_active:
        return act
    penalty = accounts.suspend(row, by, reason=reason)
    hidden: list[list[Any]] = []
    flags: list[int] = []
    confirmed = False
    for post in posts_of(row):
        before = post.visibility
        about = {"target_type": ContentType.objects.get_for_model(post), "target_id": post.pk}
        flags += Flag.objects.filter(**about, state=Flag.State.OPEN).order_by("pk").values_list("pk", flat=True)
        if not confirmed:
            confirmed = True
            flags += _confirm(post, by)
        services.decide_flags(post, by, uphold=True, note=reason)
        if not doors.of(post).take_spam(post, by, reason):
            services.hide(post, by, reason=reason)
        hidden.append([post._meta.label_lower, post.pk, str(before)])
    act = act or SpamAct(person=row)
    act.by, act.reason, act.at = by, reason.strip()[:300], clock.now()
    act.hidden, act.flags = [*act.hidden, *hidden], sorted({*act.flags, *flags})
    act.save()
    person.is_active, person.suspended_at = row.is_active, row.suspended_at
    record(
        "spammer.deleted", actor=by, subject=row, note=reason, act=act.pk, posts=len(hidden), flags=len(act.flags),
        penalty=penalty.pk if penalty else None,
    )  # fmt: skip
    return act


def _hold_what_they_stand_in(person: User) -> None:
    """Threads before people (docs/decisions/0214), all of them and in one order: whoever votes in one of these at the
    moment takes its thread first, and then the author."""
    rows: dict[type[Model], set[int]] = defaultdict(set)
    for post in posts_of(person):
        model: Any = type(post)
        if parent := model.objects.all().parent:
            rows[model._meta.get_field(parent).related_model].add(getattr(post, f"{parent}_id"))
        else:
            rows[model].add(post.pk)
    for model, ids in sorted(rows.items(), key=lambda pair: str(pair[0]._meta.label)):
        list(model._base_manager.select_for_update(of=("self",), no_key=True).filter(pk__in=ids).order_by("pk"))


def _confirm(post: Moderated, by: User) -> list[int]:
    """The moderator's own flag: spam that is confirmed costs points, whether or not a member had flagged it."""
    about = {"target_type": ContentType.objects.get_for_model(post), "target_id": post.pk}
    flag, new = Flag.objects.get_or_create(
        **about, reporter=by, defaults={"reason": Flag.Reason.SPAM, "created_at": clock.now()}
    )
    if new:
        record("flag.raised", actor=by, subject=flag, reason=flag.reason, target_type=post.noun, target_id=post.pk)
    return [flag.pk] if new else []


@retried
def undo(act: SpamAct, by: User, *, reason: str) -> None:
    """It was no spammer: what this act hid is as it was before, the suspension it made is over, the flags are declined.

    What somebody else decided, before or since, stays: a suspension for another reason, too. Twice is harmless.
    """
    require(permissions.why_not_moderate(by) or accounts.why_not_discipline(by, act.person))
    person = locked(act.person)
    row = locked(act)
    if row.undone_at is not None:
        return
    row.undone_at, row.undone_by = clock.now(), by
    row.save(update_fields=["undone_at", "undone_by"])
    told = Event.objects.filter(kind="spammer.deleted", data__act=row.pk)
    for made in told:
        if "penalty" not in made.data:  # by an older release: the only one there could be
            accounts.lift_suspension(person, by, reason=reason)
        elif penalty := Penalty.objects.filter(pk=made.data["penalty"]).first():
            accounts.lift(penalty, by, reason=reason)
    hidden_by = {row.by_id, *(made.actor_id for made in told)}
    for label, pk, before in reversed(row.hidden):
        post = apps.get_model(label)._base_manager.filter(pk=pk).first()
        if post is None or post.visibility != Visibility.HIDDEN or post.hidden_by_id not in hidden_by:
            continue
        if before == Visibility.PENDING:
            _wait_again(post)
        else:
            services.restore(post, by, reason=reason)
    for flag in Flag.objects.filter(pk__in=row.flags, state=Flag.State.UPHELD).order_by("pk"):
        flag.state, flag.decided_at, flag.decided_by = Flag.State.DECLINED, clock.now(), by
        flag.save(update_fields=["state", "decided_at", "decided_by"])
        record(
            "flag.declined", actor=by, subject=flag, note=reason, was=Flag.State.UPHELD, reason=flag.reason,
            reporter=flag.reporter_id, target_type=flag.target_type.model, target_id=flag.target_id,
            target_author=person.pk,
        )  # fmt: skip
    act.undone_at = row.undone_at
    record("spammer.given_back", actor=by, subject=person, note=reason, act=row.pk)


def _wait_again(post: Any) -> None:
    row = services.held(post)
    row.visibility, row.hidden_reason, row.hidden_at, row.hidden_by = Visibility.PENDING, "", None, None
    row.save(update_fields=["visibility", "hidden_reason", "hidden_at", "hidden_by"])
    screening.ask_for_a_look(row, {Look.Reason.FIRST}, {}, held=True)


def why_not(by: User, person: User) -> str:
    """The reason against it, for the page that asks once more."""
    if person.pk == by.pk:
        return _("This is you.")
    return permissions.why_not_moderate(by) or accounts.why_not_discipline(by, person)

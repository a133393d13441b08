"""What somebody does with their notices."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core import clock

from .kinds import KINDS, Kind
from .models import Notification, Preference


def kinds_for(user: User) -> list[Kind]:
    """The kinds of notices somebody can get at all."""
    return [
        kind
        for kind in KINDS.values()
        if not kind.always and (not kind.staff or user.speaks_for_brand) and (not kind.advocates or user.is_advocate)
    ]


def wants_mail(user: User, kind: str) -> bool:
    """Whether somebody hears of a kind of thing by mail: as chosen, or as the kind is."""
    if KINDS[kind].always:
        return True
    choice = Preference.objects.filter(user=user, kind=kind).first()
    return choice.mail if choice else KINDS[kind].mail


def wants_to_be_asked(user: User) -> bool:
    """Whether somebody may be asked for reviews by mail."""
    return wants_mail(user, "review_request")


@transaction.atomic
def prefer(user: User, kind: str, *, in_app: bool | None = None, mail: bool | None = None) -> Preference:
    """Choose how to hear of a kind of thing; what isn't given stays."""
    if kind not in KINDS or KINDS[kind].always:
        raise ValidationError({"kind": _("There is no such kind of notice to choose about.")})
    choice, _made = Preference.objects.select_for_update().get_or_create(
        user=user, kind=kind, defaults={"mail": KINDS[kind].mail, "changed_at": clock.now()}
    )
    choice.in_app = choice.in_app if in_app is None else in_app
    choice.mail = choice.mail if mail is None else mail
    choice.changed_at = clock.now()
    choice.save()
    return choice


def mark_read(user: User, notice: int | None = None, *, group: str = "") -> int:
    """Mark one, one group's, or all notices of somebody as read; returns how many were unread."""
    unread = Notification.objects.filter(recipient=user, unread=True)
    if notice is not None:
        unread = unread.filter(pk=notice)
    if group:
        unread = unread.filter(group_key=group)
    return unread.update(unread=False)

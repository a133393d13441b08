"""Inviting somebody to answer."""

from datetime import UTC, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from community.accounts.models import User
from community.core import clock, limits
from community.core.errors import Conflict, NotAllowed, require
from community.core.models import Numbers
from community.core.rows import locked, retried
from community.events.log import record

from .. import permissions
from ..models import Invitation, Thread


@retried
def invite(thread: Thread, person: User, by: User) -> Invitation:
    """Ask somebody to help with a thread: once per person and thread, whoever else thinks of them; twice is harmless.

    Raises NotAllowed (who may; whom one may not ask; the limit of a day) and Conflict (the thread is closed or full).
    """
    row = locked(thread)
    require(permissions.why_not_invite(by, row))
    known = Invitation.objects.filter(thread=row, person=person).first()
    if known is not None:
        return known
    require(permissions.why_not_invited(person, row, by))
    numbers = Numbers.load()
    if Invitation.objects.filter(thread=row).count() >= numbers.invitations_a_thread:
        raise Conflict(_("Enough people were invited to this thread. Give them some time."))
    today = clock.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if Invitation.objects.filter(by=by, created_at__gte=today).count() >= numbers.invitations_a_day:
        wait = limits.in_words(int((today + timedelta(days=1) - clock.now()).total_seconds()))
        raise NotAllowed(
            ngettext(
                "You can invite %(most)d person a day. It opens again in %(wait)s.",
                "You can invite %(most)d people a day. It opens again in %(wait)s.",
                numbers.invitations_a_day,
            )
            % {"most": numbers.invitations_a_day, "wait": wait}
        )
    made = Invitation.objects.create(thread=row, person=person, by=by, created_at=clock.now())
    record("thread.invited", actor=by, subject=row, person=person.pk)
    return made

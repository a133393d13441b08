"""A person's own row is emptied in place (`services.anonymise`); how they sign in goes."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db.models.functions import Lower
from wagtail.models import ModelLogEntry

from community.core.models import Delivery
from community.core.personal import (
    CUT,
    GONE,
    MOVES,
    STAYS,
    Joining,
    Leaving,
    before_joining,
    before_leaving,
    tie,
)

tie("accounts.Profile.user", left=GONE, joined=GONE, copy="about show_shelf show_city")
tie("accounts.Penalty.person", left=STAYS, joined=MOVES, copy="step hours reason at until lifted_at", blank="reason")
tie("accounts.Penalty.by", left=STAYS, joined=MOVES)
tie("accounts.Penalty.lifted_by", left=STAYS, joined=MOVES)
tie("accounts.FormerUsername.user", left=GONE, joined=MOVES, copy="username until")
tie("accounts.Membership.user", left=GONE, joined=GONE)
tie("accounts.Department.lead", left=CUT, joined=MOVES)
tie("accounts.User_groups.user", left=GONE, joined=GONE, copy="group__name")
tie("accounts.User_user_permissions.user", left=GONE, joined=GONE)
tie("account.EmailAddress.user", left=GONE, joined=MOVES, copy="email verified primary")
tie("socialaccount.SocialAccount.user", left=GONE, joined=MOVES, copy="provider uid extra_data date_joined last_login")
tie("mfa.Authenticator.user", left=GONE, joined=GONE, copy="type created_at last_used_at")
tie("usersessions.UserSession.user", left=GONE, joined=GONE, copy="ip user_agent created_at last_seen_at")


def _sign_out(person: Any) -> None:
    """Everywhere: the sessions themselves go, not only the rows that list them."""
    keys = UserSession.objects.filter(user=person).values_list("session_key", flat=True)
    Session.objects.filter(session_key__in=list(keys)).delete()


@before_leaving
def leave_no_way_in(leaving: Leaving) -> None:
    _sign_out(leaving.person)
    # Codes and receipts go to an address, not to an account.
    known = EmailAddress.objects.filter(user=leaving.person).values_list("email", flat=True)
    addresses = {address.lower() for address in (leaving.person.email, *known) if address}
    mails = Delivery.objects.annotate(to=Lower("address"))
    mails.filter(user=None, to__in=addresses).delete()
    # Wagtail's log of staff acts keeps a label of what each was about: here, a name.
    about = ModelLogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(leaving.person), object_id=str(leaving.person.pk)
    )
    about.update(label=f"#{leaving.person.pk}")


@before_joining
def one_way_in(joining: Joining) -> None:
    """The addresses come along, none of them as the one mails go to."""
    _sign_out(joining.gone)
    EmailAddress.objects.filter(user=joining.gone).update(primary=False)

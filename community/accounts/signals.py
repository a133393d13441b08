"""What allauth tells us."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed
from django.db import transaction
from django.dispatch import receiver

from community.events.log import record
from community.events.models import Event


@receiver(email_confirmed)
def welcome(sender: Any, email_address: EmailAddress, **kwargs: Any) -> None:
    """The first confirmed address makes somebody a member."""
    user = email_address.user
    with transaction.atomic():
        if not Event.objects.about(user).filter(kind="person.joined").exists():
            record("person.joined", actor=user, subject=user)

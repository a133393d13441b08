"""Where cases can go: the channels, their secrets, and letters signed with them."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core import clock, outgoing
from community.core.errors import require
from community.core.rows import locked
from community.events.log import is_replaying

from .. import remembered
from ..models import Channel
from ..permissions import why_not_manage_channels

FRESH = timedelta(minutes=5)  # how old a letter from outside may be
OLD_SECRET = timedelta(days=1)


@transaction.atomic
def save_channel(channel: Channel, by: User | None, departments: Any = ()) -> Channel:
    """Write where cases can go. Saving one that had been switched off by failures switches it on again.

    Raises NotAllowed, ValidationError by field.
    """
    if not is_replaying():
        require(why_not_manage_channels(by))
    errors: dict[str, Any] = {}
    if channel.kind == Channel.Kind.MAIL and not channel.address:
        errors["address"] = _("Give the address of the helpdesk.")
    if channel.kind == Channel.Kind.WEBHOOK:
        try:
            outgoing.check(channel.url)
        except ValidationError as problem:
            errors["url"] = problem.messages
    if errors:
        raise ValidationError(errors)
    channel.disabled_at, channel.disabled_because = None, ""
    channel.save()
    channel.departments.set(departments)
    remembered.forget()
    return channel


@transaction.atomic
def change_secret(channel: Channel, by: User) -> str:
    """A new secret; the old one is still listened to for a day. Returns the new one, to be shown once."""
    require(why_not_manage_channels(by))
    row = locked(channel)
    row.previous_secret, row.secret, row.changed_secret_at = row.secret, secrets.token_urlsafe(32), clock.now()
    row.save(update_fields=["previous_secret", "secret", "changed_secret_at"])
    return row.secret


def switch_off(channel: Channel, why: str) -> None:
    Channel.objects.filter(pk=channel.pk, disabled_at=None).update(disabled_at=clock.now(), disabled_because=why[:300])
    remembered.forget()


def signature(secret: str, timestamp: str, body: bytes) -> str:
    return "sha256=" + hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def is_signed(channel: Channel, timestamp: str, signed: str, body: bytes) -> bool:
    if not timestamp.isdecimal() or len(timestamp) > 12 or not signed.isascii():
        return False
    now = clock.now()
    if abs(now.timestamp() - int(timestamp)) > FRESH.total_seconds():
        return False
    known = [channel.secret]
    if channel.previous_secret and channel.changed_secret_at and now - channel.changed_secret_at < OLD_SECRET:
        known.append(channel.previous_secret)
    # All of them are compared, each in constant time.
    fits = [hmac.compare_digest(signature(secret, timestamp, body), signed) for secret in known]
    return any(fits)

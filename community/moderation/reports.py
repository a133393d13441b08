"""Reports of a person's page: its picture, name or words. Moderators look at each; nothing is hidden by itself."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core import clock
from community.core.errors import require
from community.core.rows import locked, retried
from community.events.log import listen, record
from community.events.models import Event

from .models import ProfileReport
from .permissions import why_not_moderate, why_not_write

LONGEST_NOTE = 500


def why_not_report(user: Any, person: User) -> str:
    if reason := why_not_write(user):
        return reason
    return _("This is your own page; you can change it in your settings.") if person.pk == user.pk else ""


def why_not_settle(user: Any, person: User) -> str:
    if reason := why_not_moderate(user):
        return reason
    return _("Somebody else looks at what is said about your page.") if person.pk == user.pk else ""


@retried
def report(person: User, by: User, *, reason: str, note: str = "") -> ProfileReport:
    """Say that somebody's page should be looked at. Once, until a moderator has; again is harmless."""
    require(why_not_report(by, person))
    if reason not in ProfileReport.Reason.values:
        raise ValidationError({"reason": _("Choose a reason.")})
    row = locked(person)
    known = ProfileReport.objects.filter(person=row, reporter=by, settled_at=None).first()
    if known is not None:
        return known
    new = ProfileReport.objects.create(
        person=row, reporter=by, reason=reason, note=note.strip()[:LONGEST_NOTE], created_at=clock.now()
    )
    record("profile.reported", actor=by, subject=row, reason=reason)
    return new


@transaction.atomic
def settle(person: User, by: User, *, upheld: bool) -> int:
    """A moderator has looked at the page, and did something about it or not. Twice is harmless; returns how many."""
    require(why_not_settle(by, person))
    return _settle(locked(person), by, upheld=upheld)


def _settle(person: User, by: User, *, upheld: bool) -> int:
    """The person is held, so no report comes between. The log gets the ids of the reports: from them their reporters
    hear of it, while nothing about the person names one."""
    waiting = ProfileReport.objects.filter(person=person, settled_at=None)
    done = list(waiting.values_list("pk", flat=True))
    if done:
        ProfileReport.objects.filter(pk__in=done).update(settled_at=clock.now(), settled_by=by, upheld=upheld)
        record("profile.report_settled", actor=by, subject=person, upheld=upheld, reports=done)
    return len(done)


@listen("person.pictured")
def picture_taken_away(event: Event) -> None:
    """A moderator who takes the picture away has looked at the reports of it."""
    person = event.subject
    if event.data.get("on") or event.actor_id in (None, person.pk):
        return
    if not ProfileReport.objects.filter(person=person, settled_at=None).exclude(reason="picture").exists():
        _settle(person, event.actor, upheld=True)

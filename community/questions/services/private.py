"""Private details: for the asker and staff only."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core import clock
from community.core.errors import require
from community.core.rows import locked
from community.events.log import looked_at
from community.moderation.permissions import why_not_write

from .. import permissions
from ..models import (
    PrivateDetails,
    PrivateView,
    Thread,
)
from .checks import copy_facts
from .states import said_without_a_post

# Rooms above say which threads still need theirs: what is handed to a helpdesk, for one (RULINGS 18).
Holder = Callable[[], "QuerySet[Any]"]
_holders: list[Holder] = []
KEPT_FOR = timedelta(days=90)  # after the thread was solved (RULINGS 18); the ask form says so


@transaction.atomic
def view_private_details(thread: Thread, by: User) -> PrivateDetails | None:
    """The private details, for the asker and staff; each look by staff is kept (RULINGS 18)."""
    require(permissions.why_not_see_private(by, thread))
    details = PrivateDetails.objects.filter(thread=thread).first()
    if details is not None and by.pk != thread.author_id:
        PrivateView.objects.create(thread=thread, viewer=by, at=clock.now())
        looked_at(thread.author, by, "private_details", thread=thread.pk)
    return details


@transaction.atomic
def give_private_details(thread: Thread, by: User, **details: str) -> PrivateDetails:
    """The asker adds or changes what only staff may see. That is a word of theirs: whoever looks
    after it hears, and what staff took for settled is open again. The same twice is harmless."""
    require(why_not_write(by))
    require("" if by.pk == thread.author_id else _("Only the person who asked can do this."))
    held = locked(thread)
    before = PrivateDetails.objects.filter(thread=thread).first()
    given = {field: value.strip() for field, value in details.items()}
    if before is not None and all(getattr(before, field) == value for field, value in given.items()):
        return before
    row, _new = PrivateDetails.objects.update_or_create(thread=thread, defaults=given)
    if any(given.values()):
        said_without_a_post(held, by, privately=True)
        copy_facts(thread, held)
    return row


def hold(holder: Holder) -> None:
    """`holder()` gives the ids of threads whose details are needed still, as a queryset of one column."""
    if holder not in _holders:
        _holders.append(holder)


def erase_private_details() -> int:
    """A sweep: erase the details of threads that have been solved, closed, hidden or deleted for 90 days, or answered
    officially without a word of the asker since. Returns how many. One that was merged is solved with the thread it was
    merged into, and not before it was merged. A thread that was reopened meanwhile is not solved, and keeps them."""
    before = clock.now() - KEPT_FOR
    merged = Q(thread__merged_into__solved_at__lt=before, thread__merged_at__lt=before)
    away = (Thread.Visibility.DELETED, Thread.Visibility.HIDDEN)
    deleted = Q(thread__visibility__in=away, thread__merged_into__isnull=True, thread__hidden_at__lt=before)
    said = Q(thread__asker_spoke_at__gt=F("thread__official_at")) | Q(thread__reopened_at__gt=F("thread__official_at"))
    official = Q(thread__official_at__lt=before, thread__recheck_at__isnull=True) & ~said
    ended = Q(thread__solved_at__lt=before) | Q(thread__closed_at__lt=before) | official
    found = PrivateDetails.objects.filter(ended | merged | deleted)
    for holder in _holders:
        found = found.exclude(thread__in=holder())
    return found.delete()[0]

"""Saved replies and channels: read once in a while, not with every case. Whatever acts on one asks for its row.

A change shows at once in the process that saved it, and half a minute later in the others, as with the manager's
numbers (core/numbers.py).
"""

import time

from django.conf import settings
from django.db.models import Prefetch

from community.accounts.models import Department
from community.core.numbers import SECONDS

from .models import Channel, SavedReply

_kept: dict[type[SavedReply] | type[Channel], tuple[float, list]] = {}


def _all(model: type[SavedReply] | type[Channel]) -> list:
    kept = _kept.get(model)
    if kept is None or time.monotonic() > kept[0]:
        departments = Prefetch("departments", Department.objects.only("pk", "name", "translations"))
        found = list(model.objects.filter(active=True).prefetch_related(departments))
        kept = _kept[model] = (time.monotonic() + getattr(settings, "BRAND_SECONDS", SECONDS), found)
    return kept[1]


def _is_for(row: SavedReply | Channel, department: int | None) -> bool:
    departments = [one.pk for one in row.departments.all()]
    return not departments or department in departments


def replies(department: int | None) -> list[SavedReply]:
    """Those in use that a department may use, in order."""
    return [row for row in _all(SavedReply) if _is_for(row, department)]


def channels(department: int | None) -> list[Channel]:
    """Those that take cases of a department."""
    return [row for row in _all(Channel) if row.is_usable and _is_for(row, department)]


def switched_off() -> list[Channel]:
    """Those in use that failed until they were switched off: no case and no alarm goes there."""
    return [row for row in _all(Channel) if row.disabled_at is not None]


def forget() -> None:
    _kept.clear()

"""Saved replies, channels and who works cases: read once in a while, not with every case. Whatever acts on one asks
for its row.

A change shows at once in the process that saved it, and half a minute later in the others, as with the manager's
numbers (core/numbers.py).
"""

import time
from typing import Any

from django.conf import settings
from django.db.models import Prefetch, QuerySet

from community.accounts.models import Department, User
from community.core.numbers import SECONDS

from .models import Channel, SavedReply
from .rotation import WORKERS

Model = type[SavedReply] | type[Channel] | type[User]
_kept: dict[Model, tuple[float, list]] = {}


def _all(model: Model) -> list:
    kept = _kept.get(model)
    if kept is None or time.monotonic() > kept[0]:
        found = list(_workers() if model is User else _in_use(model))  # type: ignore[arg-type]
        kept = _kept[model] = (time.monotonic() + getattr(settings, "BRAND_SECONDS", SECONDS), found)
    return kept[1]


def _in_use(model: type[SavedReply] | type[Channel]) -> QuerySet[Any]:
    departments = Prefetch("departments", Department.objects.only("pk", "name", "translations"))
    return model.objects.filter(active=True).prefetch_related(departments)


def _workers() -> QuerySet[User]:
    workers = User.objects.active().filter(WORKERS).order_by().values("pk")
    return User.objects.filter(pk__in=workers).select_related("department").order_by("name", "pk")


def workers() -> list[User]:
    """Everybody who works cases, with their department, by name."""
    return list(_all(User))


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

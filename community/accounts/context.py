"""When the brand is at its desk, for the foot of every page."""

import time
from typing import Any

from django.conf import settings
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from .models import Department

SECONDS = 60  # a change shows at once in the process that saved it, this much later in the others
_kept: list[tuple[float, list[Department]]] = []


def departments(request: HttpRequest) -> dict[str, Any]:
    """`departments` with the hours they keep; asked of the database once a minute and process, not once a page."""
    return {"departments": SimpleLazyObject(_current)}


def _current() -> list[Department]:
    if not _kept or time.monotonic() > _kept[0][0]:
        until = time.monotonic() + getattr(settings, "BRAND_SECONDS", SECONDS)
        _kept[:] = [(until, [one for one in Department.objects.current() if one.open_hours or one.hours_text])]
    return _kept[0][1]


@receiver([post_save, post_delete], sender=Department)
def forget(**_signal: Any) -> None:
    """Ask the database again."""
    _kept.clear()

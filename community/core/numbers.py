"""The manager's numbers for pages: read once in a while, not on every page.

What decides and writes asks `Numbers.load()`; what only says what somebody may do asks here.
"""

import time

from django.conf import settings
from django.db.models.signals import post_save

from .models import Numbers

SECONDS = 30  # a change shows at once in the process that saved it, this much later in the others
_kept: tuple[float, Numbers] | None = None


def remembered() -> Numbers:
    """The numbers as they were at most `SECONDS` ago."""
    global _kept
    if _kept is None or time.monotonic() > _kept[0]:
        _kept = (time.monotonic() + getattr(settings, "BRAND_SECONDS", SECONDS), Numbers.load())
    return _kept[1]


def forget(**_signal: object) -> None:
    global _kept
    _kept = None


def register() -> None:
    """Called when the apps are ready."""
    post_save.connect(forget, sender=Numbers, dispatch_uid="numbers.forget")

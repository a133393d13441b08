"""How often somebody may do something: rows, so that every process counts alike (RULINGS 32).

    limits.spend("post", person)        # raises Limited, with the time to wait, at one too many

A window begins with its first act and ends by itself. An act is counted by one conditional update, so that N parallel
requests never get more than the limit; only the first of a window inserts a row.
"""

from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from . import clock, schedule
from .models import RateLimit

# What, how often, in how many seconds. The figures for posts are those of FEATURES H.
LIMITS: dict[str, tuple[tuple[int, int], ...]] = {
    "post": ((5, 30), (15, 600), (50, 3600)),
    "vote": ((40, 60), (400, 3600)),
    "flag": ((5, 60), (30, 3600)),
    "upload": ((10, 60), (60, 3600)),
    "draft": ((60, 60),),
    "preview": ((60, 60),),
    "write_first": ((10, 600),),  # visitors who write before they sign up, by address
}


class Limited(Exception):
    """Too often; `wait` is the number of seconds until it opens again."""

    def __init__(self, wait: int) -> None:
        self.wait = max(1, wait)
        self.reason = str(_("That was quick. Please wait a moment and send it again; your text is kept."))
        super().__init__(self.reason)


def spend(what: str, who: Any) -> None:
    """Count one act of somebody (a user, or the address of a visitor). Raises Limited instead of counting too many."""
    key = getattr(who, "pk", None) or f"ip:{who}"
    for most, seconds in LIMITS[what]:
        _count(f"{what}:{seconds}:{key}"[:160], most, seconds)


def _count(key: str, most: int, seconds: int) -> None:
    now = clock.now()
    end = now + timedelta(seconds=seconds)
    row = RateLimit.objects.filter(key=key)
    for _attempt in range(3):
        if row.filter(expires_at__gt=now, count__lt=most).update(count=F("count") + 1):
            return
        if row.filter(expires_at__lte=now).update(count=1, window_start=now, expires_at=end):
            return
        full_until = row.values_list("expires_at", flat=True).first()
        if full_until is not None:
            raise Limited(int((full_until - now).total_seconds()) + 1)
        try:
            with transaction.atomic():
                RateLimit.objects.create(key=key, count=1, window_start=now, expires_at=end)
            return
        except IntegrityError:
            continue  # another request made the row at the same moment: count on it
    raise Limited(seconds)


@schedule.every(3600, "core.limits")
def forget() -> None:
    """Away with windows that ended."""
    RateLimit.objects.filter(expires_at__lt=clock.now()).delete()

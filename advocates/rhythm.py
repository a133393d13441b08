"""How likely an advocate answers in the next hours, by their own pattern. For routing alone; shown to nobody but them.

A weight for each hour of the week (UTC). An answer adds 1 to its hour; everything halves in 90 days, so that summer
time and a new job are learned. It is kept as they answer, from the day they join, and begun with their last half year.

**Smoothed.** Few answers say little about single hours. The weight of an hour is spread over its neighbours and, more
thinly, over the same hour of other days; and a floor of six answers, spread evenly over the week, stands for what we
don't know. From the share of the next hours and the answers a week follows the chance that at least one comes:

    P = 1 - e^(-answers a week · share of the next hours), never below 1 % and never above 95 %
"""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from community.accounts.models import User
from community.core import clock
from community.questions.models import Answer

from .models import Rhythm

HOURS = 7 * 24
AHEAD = 4  # hours that routing looks ahead
HALF_LIFE = timedelta(days=90)
BEGUN_WITH = timedelta(days=182)
UNKNOWN = 6.0  # answers, spread evenly, that stand for what is not known yet
NEAR = {-2: 0.1, -1: 0.2, 0: 0.4, 1: 0.2, 2: 0.1}  # the same day
OTHER_DAYS = 0.3  # of an hour's weight lies on that hour of all days alike
LEAST, MOST = 0.01, 0.95
WEEKS = HALF_LIFE.days / math.log(2) / 7  # what a steady answer a week comes to, in weights


def hour_of(at: datetime) -> int:
    at = at.astimezone(UTC)
    return at.weekday() * 24 + at.hour


def _fade(since: datetime, until: datetime) -> float:
    return float(2 ** (-max(timedelta(0), until - since) / HALF_LIFE))


def note(person_id: int, at: datetime) -> None:
    """An answer was given: add it. Only for whom a rhythm is kept. Runs in the transaction of the answer."""
    row = Rhythm.objects.select_for_update(of=("self",), no_key=True).filter(person=person_id).first()
    if row is None:
        return
    latest = max(at, row.at)
    fade = _fade(row.at, latest)
    hours = [weight * fade for weight in row.hours]
    hours[hour_of(at)] += _fade(at, latest)
    row.hours, row.at = [round(weight, 4) for weight in hours], latest
    row.save(update_fields=["hours", "at"])


def begin(person: User) -> Rhythm:
    """From their answers of the last half year; from then on it is added to. Twice is harmless."""
    known = Rhythm.objects.filter(person=person).first()
    if known is not None:
        return known
    now = clock.now()
    told = Answer._base_manager.filter(author=person, created_at__gt=now - BEGUN_WITH, created_at__lte=now)
    hours, first = [0.0] * HOURS, now
    for at in told.order_by().values_list("created_at", flat=True):
        hours[hour_of(at)] += _fade(at, now)
        first = min(first, at)
    row, _new = Rhythm.objects.get_or_create(
        person=person, defaults={"hours": [round(weight, 4) for weight in hours], "since": first, "at": now}
    )
    return row


def smoothed(hours: Sequence[float]) -> list[float]:
    """The share of each hour of the week; together they are 1."""
    total = sum(hours)
    of_day = [sum(hours[hour::24]) for hour in range(24)]
    found = []
    for hour in range(HOURS):
        near = sum(weight * hours[(hour + step) % HOURS] for step, weight in NEAR.items())
        alike = sum(weight * of_day[(hour + step) % 24] for step, weight in NEAR.items()) / 7
        found.append(((1 - OTHER_DAYS) * near + OTHER_DAYS * alike + UNKNOWN / HOURS) / (total + UNKNOWN))
    return found


def likelihood(row: Rhythm | None, at: datetime | None = None, ahead: int = AHEAD) -> float:
    """The chance that they answer something in the next hours."""
    now = at or clock.now()
    hours: Sequence[float] = row.hours if row is not None and len(row.hours) == HOURS else [0.0] * HOURS
    since = row.since if row is not None else now
    fade = _fade(row.at, now) if row is not None else 1.0
    hours = [weight * fade for weight in hours]
    weeks = min(WEEKS, max(1.0, (now - since) / timedelta(days=7)))
    shares = smoothed(hours)
    share = sum(shares[(hour_of(now) + step) % HOURS] for step in range(ahead))
    a_week = (sum(hours) + UNKNOWN / WEEKS) / weeks
    return min(MOST, max(LEAST, 1 - math.exp(-a_week * share)))

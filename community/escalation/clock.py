"""Time as a department keeps it: business hours, holidays, its own zone. Daylight saving is zoneinfo's to know."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from community.accounts.departments import public_holidays
from community.accounts.models import Department

FARTHEST = timedelta(days=366)  # a department without any hours must not make us search for ever


def zone(name: str) -> ZoneInfo:
    """The named zone; UTC when the name is empty or unknown."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def _moment(day: date, clock_time: str, tz: ZoneInfo) -> datetime:
    """A wall time of a day as a moment; 24:00 is the next midnight. One that a change of the clocks skips moves on."""
    hour, _, minute = clock_time.partition(":")
    if int(hour) == 24:
        return datetime.combine(day + timedelta(days=1), time(0), tz).astimezone(UTC)
    return datetime.combine(day, time(int(hour), int(minute or 0)), tz).astimezone(UTC)


def _is_holiday(day: date, department: Department) -> bool:
    """By its own list, in which a day stands for every year or for one, or because its country keeps it."""
    if f"{day:%m-%d}" in department.holidays or day.isoformat() in department.holidays:
        return True
    return day in public_holidays(department.holiday_country, department.holiday_region, day.year)


def spans(start: datetime, department: Department) -> Iterator[tuple[datetime, datetime]]:
    """Open times from `start` on, in order, in UTC. A department without hours is open all the time."""
    tz = zone(department.time_zone)
    if not any(department.hours.values()):
        yield start.astimezone(UTC), (start + 10 * FARTHEST).astimezone(UTC)
        return
    day = start.astimezone(tz).date()
    last = day + FARTHEST
    while day <= last:
        if not _is_holiday(day, department):
            for opens, closes in sorted(department.hours.get(str(day.weekday()), [])):
                begin, end = _moment(day, opens, tz), _moment(day, closes, tz)
                if end > start and end > begin:
                    yield max(begin, start.astimezone(UTC)), end
        day += timedelta(days=1)


def add_business(start: datetime, hours: float, department: Department) -> datetime:
    """The moment at which `hours` of open time have passed since `start`."""
    left = timedelta(hours=hours)
    for begin, end in spans(start, department):
        if end - begin >= left:
            return begin + left
        left -= end - begin
    return start.astimezone(UTC) + FARTHEST


def business_between(start: datetime, end: datetime, department: Department) -> timedelta:
    """How much open time lies between two moments; nothing when the end is not after the start."""
    total = timedelta(0)
    for begin, until in spans(start, department):
        if begin >= end:
            break
        total += min(until, end) - begin
    return total


def is_open(at: datetime, department: Department) -> bool:
    return any(begin <= at < until for begin, until in _first(at, department))


def closes_at(at: datetime, department: Department) -> datetime | None:
    """When the department closes that is open at `at`; None while it is closed."""
    return next((until for begin, until in _first(at, department) if begin <= at < until), None)


def _first(at: datetime, department: Department) -> list[tuple[datetime, datetime]]:
    return [span for span, _ in zip(spans(at, department), range(1), strict=False)]


def add(start: datetime, hours: float, kind: str, department: Department | None) -> datetime:
    """`hours` after `start` on the clock of a ladder."""
    if kind == "business" and department is not None:
        return add_business(start, hours, department)
    return start.astimezone(UTC) + timedelta(hours=hours)


def moved(due: datetime, since: datetime, until: datetime, kind: str, department: Department | None) -> datetime:
    """A due time after a pause: what was left when it began is left when it ends."""
    if due <= since:
        return due
    if kind == "business" and department is not None:
        left = business_between(since, due, department)
        return add_business(until, left.total_seconds() / 3600, department)
    return due + (until - since)

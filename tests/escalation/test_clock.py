"""Business hours, holidays and the changes of the clocks."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from community.accounts.models import Department
from community.escalation import clock

BERLIN = ZoneInfo("Europe/Berlin")


def berlin(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=BERLIN)


@pytest.fixture
def office() -> Department:
    weekdays = {str(day): [["08:00", "18:00"]] for day in range(5)}
    return Department(
        name="Office", time_zone="Europe/Berlin", hours={**weekdays, "5": [["09:00", "13:00"]]}, holidays=["12-25"]
    )


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        (berlin(2026, 11, 18, 9), 4, berlin(2026, 11, 18, 13)),  # within a day
        (berlin(2026, 11, 18, 17), 4, berlin(2026, 11, 19, 11)),  # over night
        (berlin(2026, 11, 18, 17), 1, berlin(2026, 11, 18, 18)),  # to the very end of a day
        (berlin(2026, 11, 18, 5), 1, berlin(2026, 11, 18, 9)),  # before opening
        (berlin(2026, 11, 20, 17), 4, berlin(2026, 11, 21, 12)),  # into Saturday
        (berlin(2026, 11, 21, 12), 2, berlin(2026, 11, 23, 9)),  # over Sunday
        (berlin(2026, 12, 24, 17), 2, berlin(2026, 12, 26, 10)),  # over a holiday
        (berlin(2026, 11, 18, 9), 0, berlin(2026, 11, 18, 9)),  # at once
    ],
)
def test_business_hours_are_added(office: Department, start: datetime, hours: float, due: datetime) -> None:
    assert clock.add_business(start, hours, office) == due


def test_a_full_date_is_a_holiday_in_its_year_only(office: Department) -> None:
    office.holidays = ["2026-11-19"]
    assert clock.add_business(berlin(2026, 11, 18, 17), 2, office) == berlin(2026, 11, 20, 9)
    assert clock.add_business(berlin(2025, 11, 18, 17), 2, office) == berlin(2025, 11, 19, 9)


def test_the_clocks_change_between_two_days(office: Department) -> None:
    """Opening is at eight on the wall, before and after; the due time is one hour apart in UTC."""
    office.hours = {str(day): [["08:00", "18:00"]] for day in range(7)}
    before = clock.add_business(berlin(2026, 3, 28, 17), 2, office)
    assert before == berlin(2026, 3, 29, 9)
    assert before.astimezone(UTC).hour == 7
    after = clock.add_business(berlin(2026, 10, 24, 17), 2, office)
    assert after == berlin(2026, 10, 25, 9)
    assert after.astimezone(UTC).hour == 8


def test_a_night_shift_loses_the_hour_that_does_not_exist(office: Department) -> None:
    """On 29 March 2026 the clock jumps from two to three: midnight to six are five hours."""
    office.hours = {"6": [["00:00", "06:00"]]}
    spent = clock.business_between(berlin(2026, 3, 29, 0), berlin(2026, 3, 29, 12), office)
    assert spent == timedelta(hours=5)
    spent = clock.business_between(berlin(2026, 10, 25, 0), berlin(2026, 10, 25, 12), office)
    assert spent == timedelta(hours=7)


def test_open_until_midnight(office: Department) -> None:
    office.hours = {"2": [["20:00", "24:00"]]}
    assert clock.add_business(berlin(2026, 11, 18, 23), 1, office) == berlin(2026, 11, 19, 0)


def test_between_is_the_inverse_of_adding(office: Department) -> None:
    start = berlin(2026, 11, 18, 16)
    for hours in (0.5, 3, 11, 40):
        due = clock.add_business(start, hours, office)
        assert clock.business_between(start, due, office) == timedelta(hours=hours)
    assert clock.business_between(start, start, office) == timedelta(0)
    assert clock.business_between(start, start - timedelta(days=3), office) == timedelta(0)


def test_a_department_without_hours_is_always_open(office: Department) -> None:
    office.hours = {}
    assert clock.add_business(berlin(2026, 11, 21, 23), 5, office) == berlin(2026, 11, 22, 4)


def test_only_holidays_do_not_search_for_ever(office: Department) -> None:
    office.hours = {"2": [["08:00", "08:00"]]}
    start = berlin(2026, 11, 18, 9)
    assert clock.add_business(start, 1, office) == start + clock.FARTHEST


def test_a_pause_gives_back_what_was_left(office: Department) -> None:
    due, since, until = berlin(2026, 11, 18, 15), berlin(2026, 11, 18, 12), berlin(2026, 11, 19, 17)
    assert clock.moved(due, since, until, "business", office) == berlin(2026, 11, 20, 10)
    assert clock.moved(due, since, until, "elapsed", office) == due + (until - since)
    assert clock.moved(since, due, until, "elapsed", office) == since  # it was due before the pause


def test_open_now(office: Department) -> None:
    assert clock.is_open(berlin(2026, 11, 18, 9), office)
    assert not clock.is_open(berlin(2026, 11, 18, 7, 59), office)
    assert not clock.is_open(berlin(2026, 11, 18, 18), office)
    assert clock.closes_at(berlin(2026, 11, 18, 9), office) == berlin(2026, 11, 18, 18)
    assert clock.closes_at(berlin(2026, 11, 22, 9), office) is None


def test_an_unknown_zone_is_utc() -> None:
    assert clock.zone("Moon/Crater").key == "UTC"

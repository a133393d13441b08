"""Business hours, holidays and the changes of the clocks."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Auckland", "UTC")
# Both changes of the clocks of each of these zones lie in these years; Lord Howe's is half an hour.
STARTS = st.datetimes(datetime(2025, 12, 1), datetime(2027, 2, 1), timezones=st.just(UTC))


@pytest.mark.once
@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    name=st.sampled_from(ZONES),
    start=STARTS,
    minutes=st.integers(0, 60 * 80),
    opens=st.integers(0, 11),
    open_hours=st.integers(1, 12),
    days=st.sets(st.integers(0, 6), min_size=1),
    country=st.sampled_from(["", "DE", "US", "AU"]),
)
def test_between_is_the_inverse_of_adding_in_any_zone(
    name: str, start: datetime, minutes: int, opens: int, open_hours: int, days: set[int], country: str
) -> None:
    """Whatever the zone, the days and the changes of its clocks: what was added lies between, to the second."""
    spans = [[f"{opens:02d}:00", f"{opens + open_hours:02d}:00"]]
    department = Department(
        name="Any", time_zone=name, hours={str(day): spans for day in days}, holidays=["12-24"], holiday_country=country
    )
    hours = minutes / 60
    due = clock.add_business(start, hours, department)
    if due < start + timedelta(days=300):  # beyond a year nobody searches
        assert abs(clock.business_between(start, due, department) - timedelta(hours=hours)) < timedelta(seconds=1)
        later = clock.add_business(start, hours + 1, department)
        assert due < later or due == start
        assert clock.add_business(due, 1, department) == later


@pytest.mark.parametrize(
    ("name", "day", "open_for"),
    [
        ("Europe/Berlin", (2026, 3, 29), 23),
        ("Europe/Berlin", (2026, 10, 25), 25),
        ("America/New_York", (2026, 3, 8), 23),
        ("America/New_York", (2026, 11, 1), 25),
        ("Australia/Lord_Howe", (2026, 4, 5), 24.5),
        ("Australia/Lord_Howe", (2026, 10, 4), 23.5),
    ],
)
def test_a_day_on_which_the_clocks_change_is_as_long_as_it_is(
    name: str, day: tuple[int, int, int], open_for: float
) -> None:
    office = Department(name="Day and night", time_zone=name, hours={str(n): [["00:00", "24:00"]] for n in range(7)})
    start = datetime(*day, tzinfo=ZoneInfo(name))
    end = (datetime(*day) + timedelta(days=1)).replace(tzinfo=ZoneInfo(name))
    assert clock.business_between(start, end, office) == timedelta(hours=open_for)
    assert clock.add_business(start, open_for, office) == end


def test_public_holidays_by_the_library(office: Department) -> None:
    """Epiphany is one in Bavaria, not in Berlin; Easter Monday moves by itself."""
    office.holiday_country, office.holiday_region = "DE", "BY"
    assert clock.add_business(berlin(2026, 1, 5, 17), 2, office) == berlin(2026, 1, 7, 9)
    assert clock.add_business(berlin(2027, 3, 26, 17), 2, office) == berlin(2027, 3, 27, 11)  # Good Friday was closed
    office.holiday_region = "BE"
    assert clock.add_business(berlin(2026, 1, 5, 17), 2, office) == berlin(2026, 1, 6, 9)
    office.holiday_country, office.holiday_region = "XX", ""  # an unknown one closes nothing
    assert clock.add_business(berlin(2026, 1, 5, 17), 2, office) == berlin(2026, 1, 6, 9)

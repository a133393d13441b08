import contextvars
import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest

from community.core import clock

WEDNESDAY = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)


def test_runs_in_utc():
    before = datetime.now(UTC)
    assert before <= clock.now() <= datetime.now(UTC)
    assert clock.now().utcoffset() == timedelta(0)


def test_travel_stands_still_nests_and_comes_back():
    with clock.travel(WEDNESDAY):
        assert clock.now() == clock.now() == WEDNESDAY
        with clock.travel(WEDNESDAY + timedelta(days=1)):
            assert clock.now() == WEDNESDAY + timedelta(days=1)
        assert clock.now() == WEDNESDAY
    assert clock.now() != WEDNESDAY


def test_comes_back_after_an_error():
    with pytest.raises(ZeroDivisionError), clock.travel(WEDNESDAY):
        _ = 1 / 0
    assert clock.now() != WEDNESDAY


def test_other_zones_become_utc_and_naive_times_are_refused():
    berlin = timezone(timedelta(hours=1))
    with clock.travel(datetime(2026, 11, 18, 10, 0, tzinfo=berlin)):
        assert clock.now() == WEDNESDAY
        assert clock.now().tzinfo is UTC
    with pytest.raises(ValueError, match="aware"), clock.travel(datetime(2026, 11, 18)):
        pass


def _seen_by_a_thread(run=lambda work: work()) -> datetime:
    seen = []
    thread = threading.Thread(target=lambda: run(lambda: seen.append(clock.now())))
    thread.start()
    thread.join()
    return seen[0]


def test_a_thread_starts_in_the_present_unless_handed_the_context():
    with clock.travel(WEDNESDAY):
        assert _seen_by_a_thread() != WEDNESDAY
        assert _seen_by_a_thread(contextvars.copy_context().run) == WEDNESDAY


def test_set_now_moves_every_thread_and_travel_wins_over_it():
    clock.set_now(WEDNESDAY)
    try:
        assert _seen_by_a_thread() == WEDNESDAY
        with clock.travel(WEDNESDAY - timedelta(days=1)):
            assert clock.now() == WEDNESDAY - timedelta(days=1)
    finally:
        clock.set_now(None)
    assert clock.now() != WEDNESDAY

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections

from community.core import clock, schedule
from community.core.models import Tick

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def own_registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(schedule, "_sweeps", {})
    with clock.travel(NOON):
        yield


@pytest.mark.django_db
def test_a_sweep_runs_when_due_and_not_before() -> None:
    runs: list[datetime] = []
    schedule.every(60, "count")(lambda: runs.append(clock.now()))
    schedule.prepare()
    assert schedule.tick() == 1
    assert schedule.tick() == 0
    with clock.travel(NOON + timedelta(seconds=59)):
        assert schedule.tick() == 0
    with clock.travel(NOON + timedelta(seconds=60)):
        assert schedule.tick() == 1
    assert runs == [NOON, NOON + timedelta(seconds=60)]


@pytest.mark.django_db
def test_a_failing_sweep_is_noted_and_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    runs: list[str] = []

    def fails() -> None:
        raise RuntimeError("the well is dry")

    schedule.every(60, "fails")(fails)
    schedule.every(60, "works")(lambda: runs.append("works"))
    schedule.prepare()
    assert schedule.tick() == 2
    assert runs == ["works"]
    row = Tick.objects.get(name="fails")
    assert row.last_error == "RuntimeError: the well is dry"
    assert row.last_finished_at == NOON
    assert row.next_at == NOON + timedelta(seconds=60)
    assert Tick.objects.get(name="works").last_error == ""


@pytest.mark.django_db
def test_a_stop_between_two_sweeps_is_heard() -> None:
    runs: list[str] = []
    schedule.every(60, "one")(lambda: runs.append("one"))
    schedule.every(60, "two")(lambda: runs.append("two"))
    schedule.prepare()
    assert schedule.tick(lambda: bool(runs)) == 1
    assert runs == ["one"]


@pytest.mark.django_db
def test_preparing_twice_keeps_what_is_due_when() -> None:
    schedule.every(60, "count")(lambda: None)
    schedule.prepare()
    schedule.tick()
    schedule.prepare()
    assert Tick.objects.get(name="count").next_at == NOON + timedelta(seconds=60)


@pytest.mark.django_db
def test_a_clock_that_was_set_back_does_not_silence_a_sweep() -> None:
    schedule.every(60, "count")(lambda: None)
    Tick.objects.create(name="count", next_at=NOON + timedelta(days=300))
    assert schedule.tick() == 1


def test_two_jobs_of_one_name_are_a_mistake() -> None:
    job = schedule.every(60, "count")(lambda: None)
    schedule.every(60, "count")(job)  # the same once more, as a reload does, is none
    with pytest.raises(ValueError, match="two sweeps"):
        schedule.every(60, "count")(lambda: None)
    with pytest.raises(ValueError, match="no interval"):
        schedule.every(0, "never")


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_one_runs_a_due_sweep() -> None:
    runs: list[int] = []
    schedule.every(60, "count")(lambda: runs.append(1))
    schedule.prepare()
    start = threading.Barrier(8)

    def work() -> None:
        start.wait()
        with clock.travel(NOON):
            schedule.tick()
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert runs == [1]

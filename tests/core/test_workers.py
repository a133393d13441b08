from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.test import override_settings
from django_tasks import task
from django_tasks_db.compat import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from community.core import clock, schedule, workers
from community.core.models import Tick

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
notes: list[str] = []


@task()
def note(text: str) -> None:
    if text == "fail":
        raise RuntimeError("asked to")
    notes.append(text)


@pytest.fixture(autouse=True)
def queue() -> Iterator[None]:
    notes.clear()
    with override_settings(TASKS={"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}), clock.travel(NOON):
        yield


def running(*worker_ids: str) -> DBTaskResult:
    result = DBTaskResult.objects.get(pk=note.enqueue("again").id)
    DBTaskResult.objects.filter(pk=result.pk).update(
        status=TaskResultStatus.RUNNING, worker_ids=list(worker_ids), started_at=NOON
    )
    return result


def test_what_is_queued_is_done_and_a_failure_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "_sweeps", {})
    for text in ("one", "fail", "two"):
        note.enqueue(text)
    schedule.every(60, "sweep")(lambda: notes.append("swept"))
    call_command("worker", once=True)
    assert notes == ["one", "two", "swept"]
    assert DBTaskResult.objects.failed().count() == 1
    call_command("worker", once=True)
    assert notes == ["one", "two", "swept"]


def test_what_a_dead_worker_ran_is_run_again() -> None:
    result = running("dead")
    assert workers.revive() == 1
    result.refresh_from_db()
    assert result.status == TaskResultStatus.READY
    assert workers.Worker().run_next()
    assert notes == ["again"]
    assert workers.revive() == 0


def test_what_a_living_worker_runs_is_left_alone() -> None:
    result = running("living")
    workers.beat("living")
    assert workers.revive() == 0
    with clock.travel(NOON + timedelta(seconds=workers.ALIVE + 1)):
        assert workers.revive() == 1
    result.refresh_from_db()
    assert result.status == TaskResultStatus.READY


def test_what_kills_every_worker_is_given_up() -> None:
    result = running("first", "second", "third")
    assert workers.revive() == 1
    result.refresh_from_db()
    assert result.status == TaskResultStatus.FAILED
    assert "died" in result.traceback
    assert not workers.Worker().run_next()


def test_tidying_forgets_old_results_and_dead_workers() -> None:
    note.enqueue("old")
    workers.Worker().run_next()
    DBTaskResult.objects.update(finished_at=NOON - timedelta(days=365 * 30))
    workers.beat("dead")
    Tick.objects.update(next_at=NOON - timedelta(days=2))
    workers.beat("living")
    workers.tidy()
    assert not DBTaskResult.objects.exists()
    assert workers.alive() == {"living"}
    assert Tick.objects.filter(name__startswith=workers.PREFIX).count() == 1

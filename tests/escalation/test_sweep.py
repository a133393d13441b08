"""Exactly once: two sweeps at the same time, a crash in the middle, a case that fails."""

import contextvars
import threading
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections

from community.accounts.models import Department, User
from community.core import clock, schedule
from community.escalation import cases
from community.escalation.models import Escalation, EscalationStep
from community.escalation.sweep import catch_up, fire, sweep
from community.events.log import replay
from community.events.models import Event
from community.questions.models import Thread
from tests import factories

from .conftest import NOON


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_fire_each_rung_once(alice: User, dana: User, asked: list[User]) -> None:
    with clock.travel(NOON):
        threads = [factories.a_thread(alice) for _ in range(6)]
    problems: list[BaseException] = []
    start = threading.Barrier(2)

    def run() -> None:
        try:
            start.wait()
            sweep(NOON + timedelta(hours=13))
        except BaseException as problem:  # noqa: BLE001 - handed to the test
            problems.append(problem)
        finally:
            connections.close_all()

    both = [threading.Thread(target=contextvars.copy_context().run, args=(run,)) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert not problems
    for kind in ("advocates_notified", "department_notified"):
        assert EscalationStep.objects.filter(kind=kind).count() == len(threads)
        assert Event.objects.filter(kind=f"escalation.{kind}").count() == len(threads)


@pytest.mark.django_db(transaction=True)
def test_a_crash_between_claim_and_effect_loses_nothing(
    alice: User, dana: User, asked: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    with clock.travel(NOON):
        thread = factories.a_thread(alice)
    moment = NOON + timedelta(hours=4)

    def crash(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt  # what a kill looks like from inside

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(cases, "_tell", crash)
        sweep(moment)
    case = Escalation.objects.get(thread=thread)
    assert case.next_due_at == moment
    assert not EscalationStep.objects.exists()
    sweep(moment)
    assert Event.objects.filter(kind="escalation.advocates_notified").count() == 1


@pytest.mark.django_db
def test_a_claim_that_comes_second_does_nothing(alice: User, dana: User, asked: list[User]) -> None:
    with clock.travel(NOON):
        thread = factories.a_thread(alice)
    case = Escalation.objects.get(thread=thread)
    moment = NOON + timedelta(hours=4)
    with clock.travel(moment):
        assert fire(case.pk, moment) == "advocates_notified"
        assert fire(case.pk, moment) == ""


@pytest.mark.django_db
def test_one_case_that_fails_does_not_stop_the_others(
    alice: User, dana: User, asked: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    with clock.travel(NOON):
        bad, good = factories.a_thread(alice), factories.a_thread(alice)

    def some(thread: Thread, limit: int = 3) -> list[User]:
        if thread.pk == bad.pk:
            raise RuntimeError("no index")
        return asked

    monkeypatch.setattr(cases, "matching_advocates", some)
    fired = sweep(NOON + timedelta(hours=4))
    assert fired == {"advocates_notified": 1, "failed": 1}
    assert Escalation.objects.get(thread=good).next_due_at > NOON + timedelta(hours=4)
    assert Escalation.objects.get(thread=bad).next_due_at == NOON + timedelta(hours=4)


@pytest.mark.django_db
def test_sweeps_are_silent_during_a_replay_and_catch_up_is_not_told(alice: User, dana: User, asked: list[User]) -> None:
    with replay("demo", NOON):
        factories.a_thread(alice)
    with replay("demo", NOON + timedelta(hours=13)):
        assert not sweep()
        assert catch_up() == {"advocates_notified": 1, "department_notified": 1}
    assert set(Event.objects.filter(kind__startswith="escalation.").values_list("origin", flat=True)) == {"demo"}
    step = EscalationStep.objects.get(kind="department_notified")
    assert step.fired_at == NOON + timedelta(hours=12)
    assert not sweep(NOON + timedelta(hours=13))
    with pytest.raises(RuntimeError):
        catch_up()


@pytest.mark.django_db
def test_imported_threads_have_no_case(alice: User, support: Department) -> None:
    with replay("import", NOON):
        thread = factories.a_thread(alice)
    assert not Escalation.objects.filter(thread=thread).exists()


@pytest.mark.django_db
def test_the_due_ones_are_found_by_the_index(db: None) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("the plan is read as SQLite tells it")
    assert "escalation_due" in Escalation.objects.due(NOON).explain()


@pytest.mark.django_db
def test_the_command(
    alice: User, dana: User, asked: list[User], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with clock.travel(NOON):
        factories.a_thread(alice)
    with clock.travel(NOON + timedelta(hours=13)):
        call_command("escalate", "--dry-run")
        assert "1  advocates notified" in capsys.readouterr().out
        assert not EscalationStep.objects.exists()
        call_command("escalate")
        assert "2 fired." in capsys.readouterr().out
        call_command("escalate")
        assert "Nothing is due." in capsys.readouterr().out
    monkeypatch.setattr(cases, "fire_next", lambda case: 1 / 0)
    with clock.travel(NOON + timedelta(hours=30)), pytest.raises(CommandError):
        call_command("escalate")


def test_the_worker_ticks_it_every_minute() -> None:
    found = [known for known in schedule.sweeps() if known.name == "escalate"]
    assert [known.seconds for known in found] == [60]

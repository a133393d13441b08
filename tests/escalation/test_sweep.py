"""Exactly once: two sweeps at the same time, a crash in the middle, a case that fails."""

import contextvars
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

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
from community.notifications.models import Announcement
from community.questions.models import Thread
from tests import factories

from .conftest import NOON

ROOT = Path(__file__).resolve().parents[2]


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
        patch.setattr(cases.firing, "announce", crash)
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

    monkeypatch.setattr(cases.firing, "matching_advocates", some)
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


@pytest.mark.django_db
def test_a_clock_that_jumps_ahead_fires_each_rung_once_and_in_order(
    alice: User, dana: User, lead: User, hanna: User, asked: list[User]
) -> None:
    with clock.travel(NOON):
        thread = factories.a_thread(alice)
    assert sum(sweep(NOON + timedelta(hours=73)).values()) >= 5  # all that was missed, in one sweep
    fired = list(EscalationStep.objects.filter(position__isnull=False).values_list("kind", "due_at"))
    rungs = [kind for kind, _due in fired if kind != "late"]
    assert rungs == ["advocates_notified", "department_notified", "assigned", "lead_notified", "manager_notified"]
    assert [due for _kind, due in fired] == sorted(due for _kind, due in fired)
    assert not sweep(NOON + timedelta(hours=73))
    assert Escalation.objects.get(thread=thread).next_due_at > NOON + timedelta(hours=73)


@pytest.mark.django_db
def test_a_clock_that_jumps_back_fires_nothing_again(alice: User, dana: User, asked: list[User]) -> None:
    with clock.travel(NOON):
        factories.a_thread(alice)
    sweep(NOON + timedelta(hours=12))
    before = EscalationStep.objects.count()
    for hours in (1, 4, 11.9, 12):  # the clock is set right, and time goes by a second time
        assert not sweep(NOON + timedelta(hours=hours))
    assert EscalationStep.objects.count() == before
    sweep(NOON + timedelta(hours=24))
    assert EscalationStep.objects.filter(kind="assigned").count() == 1


KILLED = """
import os, signal, sys
import django
django.setup()
from datetime import datetime
from community.escalation import cases
from community.escalation.sweep import sweep
tell, told = cases.firing.announce, []
def die(case, kind, *args, **kwargs):
    tell(case, kind, *args, **kwargs)
    told.append(kind)
    if len(told) == 2:  # the second case, all written and nothing committed
        os.kill(os.getpid(), signal.SIGKILL)
cases.firing.announce = die
sweep(datetime.fromisoformat(sys.argv[1]))
"""


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_kill_9_in_the_middle_leaves_one_effect_of_each(alice: User, dana: User, support: Department) -> None:
    """A process of its own is killed while it sweeps three cases; the next sweep does what is left, and only that."""
    with clock.travel(NOON):
        threads = [factories.a_thread(alice, kind="idea") for _ in range(3)]
    moment = NOON + timedelta(hours=72)
    kind = "escalation.department_notified"
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        address = f"sqlite:///{found['NAME']}"
    else:
        who = f"{found['USER']}:{found['PASSWORD']}" if found["PASSWORD"] else found["USER"]
        address = f"postgres://{who}@{found['HOST']}:{found['PORT']}/{found['NAME']}"
    environment = os.environ | {"DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "community.settings.dev"}
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", KILLED, moment.isoformat()], env=environment, check=False, capture_output=True, cwd=ROOT
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert Event.objects.filter(kind=kind).count() == 1  # the first was kept, the second rolled back
    assert sweep(moment) == {"department_notified": 2}
    assert not sweep(moment)
    assert Event.objects.filter(kind=kind).count() == len(threads)
    assert EscalationStep.objects.filter(kind="department_notified").count() == len(threads)


@pytest.mark.django_db
def test_of_cases_fired_together_one_that_fails_takes_nobody_with_it(
    alice: User, dana: User, asked: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fifth of eight fails among others: those begin anew by themselves, and each is told once."""
    with clock.travel(NOON):
        threads = [factories.a_thread(alice) for _ in range(8)]
    bad = threads[4].pk
    monkeypatch.setattr(
        cases.firing, "matching_advocates", lambda thread, limit=3: 1 / 0 if thread.pk == bad else asked
    )
    assert sweep(NOON + timedelta(hours=4)) == {"advocates_notified": 7, "failed": 1}
    told = Event.objects.filter(kind="escalation.advocates_notified")
    assert set(told.values_list("subject_id", flat=True)) == {thread.pk for thread in threads} - {bad}
    assert told.count() == EscalationStep.objects.count() == Announcement.objects.filter(event__in=told).count() == 7
    monkeypatch.undo()
    assert sweep(NOON + timedelta(hours=4)).total() >= 1, "no advocate is there, so it goes on to the department"
    assert Escalation.objects.get(thread=bad).next_due_at > NOON + timedelta(hours=4)


@pytest.mark.django_db
def test_many_cases_cost_few_queries(
    alice: User, dana: User, support: Department, django_assert_max_num_queries: Callable
) -> None:
    """Sixteen cases, of which each alone takes a dozen queries, in five transactions."""
    with clock.travel(NOON):
        for _ in range(16):
            factories.a_thread(alice, kind="idea")
    with django_assert_max_num_queries(75):
        assert sweep(NOON + timedelta(hours=72)) == {"department_notified": 16}
    steps = EscalationStep.objects.filter(kind="department_notified")
    assert steps.count() == 16 and set(steps.values_list("department", flat=True)) == {support.pk}
    told = Event.objects.filter(kind="escalation.department_notified")
    assert Announcement.objects.filter(event__in=told).count() == 16


@pytest.mark.django_db
def test_cases_fired_together_are_shared_out(alice: User, dana: User, mei: User, asked: list[User]) -> None:
    """Who was given the case before has one more when the next one is given."""
    with clock.travel(NOON):
        for _ in range(6):
            factories.a_thread(alice)
    sweep(NOON + timedelta(hours=12))
    sweep(NOON + timedelta(hours=24))
    assert Escalation.objects.filter(assignee=dana).count() == Escalation.objects.filter(assignee=mei).count() == 3

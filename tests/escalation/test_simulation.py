"""A policy is tried on what happened before it is switched on. The play must say what the sweep really did."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from community.accounts.models import Department, User
from community.core import clock
from community.core.errors import Conflict, NotAllowed
from community.escalation import services, simulation
from community.escalation.models import (
    Escalation,
    EscalationPolicy,
    EscalationStep,
    PauseCause,
    PolicyVersion,
    Simulation,
)
from community.escalation.policies import read_policy, snapshot, steps_of
from community.escalation.sweep import sweep
from community.events.models import Event
from community.posts import services as posts
from community.questions import services as questions
from community.questions.models import Thread
from tests import factories

from .conftest import NOON

pytestmark = pytest.mark.django_db
END = NOON + timedelta(days=20)
LATER = {
    "slug": "later",
    "name": "Later",
    "match": {"kind": ["problem"], "language_not": ["fr"]},
    "until": "resolve",
    "position": 5,
    "department": "support",
    "acknowledge_hours": 4,
    "resolve_hours": 24,
    "steps": [{"hours": 30, "step": "department notified"}],
}


def at(hours: float) -> Any:
    return clock.travel(NOON + timedelta(hours=hours))


def run_clocks(until: float) -> None:
    """Each rung fires at its due moment, as a sweep that is never late would have it."""
    moment = NOON + timedelta(hours=until)
    while due := Escalation.objects.due(moment).values_list("next_due_at", flat=True).first():
        sweep(due)


@pytest.fixture
def history(alice: User, bob: User, dana: User, mei: User, lead: User, hanna: User, asked: list[User],
            support: Department) -> list[Thread]:  # fmt: skip
    """Threads that went every way there is: climbed, answered, paused, routed, settled, opened again."""
    with at(0):
        climbs, problem, question, paused, routed, reopened = (
            factories.a_thread(alice, kind=kind)
            for kind in ("question", "problem", "question", "problem", "question", "problem")
        )
    design = factories.a_department("design", lead=None)
    run_clocks(3)
    with at(3):
        answer = factories.an_answer(question, bob)
        services.acknowledge(problem, dana)
    run_clocks(5)
    with at(5):
        services.pause(problem, dana, PauseCause.PART)
        questions.ask_for_info(paused, dana, "Which series is it?")
        fixed = factories.an_answer(reopened, bob)
        posts.comment(answer, alice, body="That is not it, sadly.")
    run_clocks(9)
    with at(9):
        questions.accept_answer(fixed, alice)
        services.route(routed, mei, design, reason="About the shape of the lid")
    run_clocks(30)
    with at(30):
        services.resume(problem, dana)
        factories.an_answer(paused, alice, body="The second series, from March.")
    run_clocks(60)
    with at(60):
        questions.reopen_thread(Thread.objects.get(pk=reopened.pk), alice, "It came back.")
        services.assign(routed, mei, mei)
    run_clocks(20 * 24)
    return [climbs, problem, question, paused, routed, reopened]


def really() -> set[tuple[Any, ...]]:
    rows = EscalationStep.objects.filter(kind__in=simulation.ALARMS, position__isnull=False)
    return {
        (
            step.escalation.thread_id,
            step.round,
            step.position,
            step.kind,
            step.fired_at,
            step.due_at,
            step.department_id,
        )
        for step in rows.select_related("escalation")
    }


def played(policies: list[EscalationPolicy]) -> list[Any]:
    ids = simulation.threads_since(NOON)
    return [line for _n, (lines,) in simulation.lines_of([policies], ids, NOON, END) for line in lines]


def test_what_is_played_is_what_really_fired(history: list[Thread]) -> None:
    lines = [line for line in played(simulation.in_use()) if line.position is not None]
    found = {(one.thread, one.round, one.position, one.kind, one.at, one.due, one.department) for one in lines}
    fired = really()
    assert len(fired) > 20 and {row[3] for row in fired} == set(simulation.ALARMS)
    assert {row[1] for row in fired} == {1, 2}
    assert found == fired and len(lines) == len(fired)


def test_playing_leaves_no_trace(history: list[Thread]) -> None:
    def everything() -> tuple[Any, ...]:
        return (
            Event.objects.count(),
            EscalationStep.objects.count(),
            list(Escalation.objects.order_by("pk").values()),
            list(Thread.objects.order_by("pk").values()),
        )

    before = everything()
    result = simulation.work(LATER, None, NOON, END)
    assert everything() == before
    assert result["threads"] == len(history) and result["today"]["total"] > result["draft"]["total"] > 0


def test_a_draft_shows_how_many_to_whom_and_when(history: list[Thread], support: Department) -> None:
    result = simulation.work(LATER, None, NOON, END)
    assert (result["taken"], result["differ"]) == (3, 2)  # of the problems, one was acknowledged before any rung
    assert result["draft"]["kinds"].get("assigned", 0) < result["today"]["kinds"]["assigned"]
    assert sum(result["draft"]["weeks"]) == result["draft"]["total"] == sum(result["draft"]["hours"])
    at = {hour for hour, count in enumerate(result["draft"]["hours"]) if count}
    Department.objects.update(time_zone="Asia/Kolkata")
    elsewhere = simulation.work(LATER, None, NOON, END)["draft"]["hours"]
    assert at and elsewhere != result["draft"]["hours"], "hours are those of the department's own clock"
    assert ["department_notified", support.pk] in [row[:2] for row in result["draft"]["departments"]]
    paused = history[3]
    way = next(one for one in result["cases"] if one["thread"] == paused.pk)
    assert "advocates_notified" not in [step[0] for step in way["would"]]


def test_the_same_policy_changes_nothing(history: list[Thread]) -> None:
    policy = EscalationPolicy.objects.get(slug="default-problem")
    result = simulation.work(snapshot(policy, steps_of(policy)), policy, NOON, END)
    assert result["differ"] == 0 and result["today"] == result["draft"]


@pytest.fixture
def drafted(dana: User, hanna: User, support: Department, alice: User, asked: list[User]) -> Iterator[Simulation]:
    with at(0):
        factories.a_thread(alice, kind="problem")
    with at(80):
        policy, steps = read_policy(LATER, EscalationPolicy(slug="later"))
        yield simulation.simulate(policy, steps, hanna)


def test_draft_then_simulation_then_in_force(drafted: Simulation, hanna: User, alice: User, dana: User) -> None:
    assert not EscalationPolicy.objects.filter(slug="later").exists()
    with pytest.raises(Conflict):
        simulation.put_in_force(drafted, hanna)
    assert simulation.run(drafted.pk) and not simulation.run(drafted.pk)  # the second finds it done
    drafted.refresh_from_db()
    assert (drafted.state, drafted.done, drafted.total) == ("done", 1, 1)
    with pytest.raises(NotAllowed):
        simulation.put_in_force(drafted, dana)
    policy = simulation.put_in_force(drafted, hanna)
    assert policy.active and simulation.put_in_force(drafted, hanna).version == policy.version == 1
    assert PolicyVersion.objects.get(policy=policy).by == hanna
    assert factories.a_thread(alice, kind="problem").escalation.policy == policy


def test_a_policy_that_was_changed_meanwhile_is_not_overwritten(
    drafted: Simulation, hanna: User, support: Department
) -> None:
    simulation.run(drafted.pk)
    policy = simulation.put_in_force(Simulation.objects.get(pk=drafted.pk), hanna)
    again = simulation.simulate(policy, [(20.0, "department_notified", "", "own")], hanna)
    simulation.run(again.pk)
    policy.name = "Changed by somebody"
    from community.escalation.policies import write_policy

    write_policy(policy, steps_of(policy), hanna)
    with pytest.raises(Conflict):
        simulation.put_in_force(again, hanna)


def test_one_that_a_dead_worker_left_is_worked_out_by_the_next(drafted: Simulation) -> None:
    Simulation.objects.filter(pk=drafted.pk).update(state="running", beat_at=clock.now())
    simulation.run_waiting()
    assert Simulation.objects.get(pk=drafted.pk).state == "running"
    with clock.travel(clock.now() + timedelta(minutes=6)):
        simulation.run_waiting()
    assert Simulation.objects.get(pk=drafted.pk).state == "done"


def test_one_that_fails_says_so(drafted: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "work", lambda *args: 1 / 0)
    assert not simulation.run(drafted.pk)
    assert Simulation.objects.get(pk=drafted.pk).state == "failed"

"""What agents do with a case: each verb works, is refused to strangers, and is harmless twice."""

import contextvars
import threading
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connections

from community.accounts.models import Department, User
from community.core import clock
from community.core.errors import Conflict, NotAllowed
from community.escalation import services
from community.escalation.models import Escalation, InternalNote
from community.escalation.sweep import sweep
from community.events.log import replay
from community.events.models import Event
from community.questions import services as questions
from community.questions.models import Thread
from tests import factories

from .conftest import NOON, Kinds


def case_of(thread: Thread) -> Escalation:
    return Escalation.objects.get(thread=thread)


@pytest.fixture
def problem(alice: User, support: Department) -> Thread:
    with clock.travel(NOON):
        return factories.a_thread(alice, kind="problem")


@pytest.fixture
def design(db: None) -> Department:
    return factories.a_department("design", name="Product design")


VERBS: dict[str, Callable[..., object]] = {
    "acknowledge": lambda thread, by, **_: services.acknowledge(thread, by),
    "assign": lambda thread, by, **_: services.assign(thread, by, by),
    "route": lambda thread, by, design, **_: services.route(thread, by, design, reason="It is the firmware."),
    "pause": lambda thread, by, **_: services.pause(thread, by, "part"),
    "resume": lambda thread, by, **_: services.resume(thread, by),
    "resolve": lambda thread, by, **_: services.resolve(thread, by, "private"),
    "reopen": lambda thread, by, **_: services.reopen(thread, by, reason="It came back."),
    "note": lambda thread, by, **_: services.add_note(thread, by, "Six of fifteen."),
    "info": lambda thread, by, **_: services.ask_for_info(thread, by, "Which serial number?"),
    "official": lambda thread, by, **_: services.answer_officially(
        thread, by, body="Turn the valve twice, then wait.", department=Department.objects.get(slug="support")
    ),
}


@pytest.mark.django_db
@pytest.mark.parametrize("verb", VERBS)
def test_strangers_are_refused(
    verb: str, problem: Thread, alice: User, charlie: User, ravi: User, design: Department
) -> None:
    before = Event.objects.count()
    for person in (charlie, alice, ravi):
        with pytest.raises(NotAllowed) as refusal:
            VERBS[verb](problem, person, design=design)
        assert refusal.value.reason
    assert Event.objects.count() == before


@pytest.mark.django_db
@pytest.mark.parametrize("verb", ["acknowledge", "assign", "route", "pause", "resume", "resolve", "reopen", "info"])
def test_twice_is_harmless(verb: str, problem: Thread, dana: User, design: Department) -> None:
    with clock.travel(NOON + timedelta(hours=1)):
        VERBS[verb](problem, dana, design=design)
    case, count = case_of(problem), Event.objects.count()
    with clock.travel(NOON + timedelta(hours=2)):
        VERBS[verb](problem, dana, design=design)
    again = case_of(problem)
    assert Event.objects.count() == count
    for field in Escalation._meta.concrete_fields:
        assert getattr(case, field.attname) == getattr(again, field.attname), field.name


@pytest.mark.django_db
def test_taking_a_case_acknowledges_it(problem: Thread, dana: User, told: Kinds) -> None:
    services.assign(problem, dana, dana)
    case = case_of(problem)
    assert (case.assignee, case.acknowledged_by) == (dana, dana)
    assert told(problem) == ["assigned", "acknowledged"]


@pytest.mark.django_db
def test_giving_it_to_a_colleague_does_not(problem: Thread, dana: User, mei: User, charlie: User) -> None:
    services.assign(problem, dana, mei)
    case = case_of(problem)
    assert case.assignee == mei and case.acknowledged_at is None and case.acknowledge_due_at is not None
    with pytest.raises(ValidationError):
        services.assign(problem, dana, charlie)
    with pytest.raises(Conflict):
        services.assign(problem, dana, dana, seen=0)  # dana saw nobody, but mei has it


@pytest.mark.django_db(transaction=True)
def test_of_two_who_acknowledge_at_once_the_first_has_it(alice: User, dana: User, mei: User) -> None:
    thread = factories.a_thread(alice, kind="problem")
    results: dict[str, object] = {}
    start = threading.Barrier(2)

    def run(person: User) -> None:
        start.wait()
        try:
            results[person.username] = services.acknowledge(thread, person)
        except Conflict as conflict:
            results[person.username] = conflict
        finally:
            connections.close_all()

    both = [threading.Thread(target=contextvars.copy_context().run, args=(run, person)) for person in (dana, mei)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    conflicts = {name: result for name, result in results.items() if isinstance(result, Conflict)}
    assert len(results) == 2 and len(conflicts) == 1
    winner = case_of(thread).acknowledged_by
    assert winner is not None and winner.username not in conflicts
    assert str(winner) in next(iter(conflicts.values())).reason
    assert Event.objects.filter(kind="escalation.acknowledged").count() == 1


@pytest.mark.django_db
def test_routing_starts_the_other_departments_clocks(
    problem: Thread, dana: User, design: Department, told: Kinds
) -> None:
    with clock.travel(NOON):
        services.acknowledge(problem, dana)
        services.route(problem, dana, design, reason="It is the firmware.")
    case = case_of(problem)
    assert (case.department, case.assignee, case.acknowledged_at) == (design, None, None)
    assert case.acknowledge_due_at == NOON + timedelta(hours=4)  # 13:00 to 17:00 in Berlin
    tara = factories.a_person("tara")
    from community.accounts.services import set_role

    set_role(tara, None, "agent", design)
    sweep(NOON + timedelta(hours=12))
    assert case_of(problem).assignee == tara
    event = Event.objects.get(kind="escalation.routed")
    assert event.note.text == "It is the firmware."
    assert event.data["department"] == design.pk
    with pytest.raises(ValidationError):
        services.route(problem, dana, dana.department, reason=" ")


@pytest.mark.django_db
def test_a_settled_case_says_so(problem: Thread, dana: User) -> None:
    services.resolve(problem, dana, "private", note="Sent a part.")
    for act in (
        lambda: services.acknowledge(problem, dana),
        lambda: services.assign(problem, dana, dana),
        lambda: services.pause(problem, dana, "part"),
    ):
        with pytest.raises(Conflict):
            act()
    with pytest.raises(ValidationError):
        services.resolve(problem, dana, "official")  # follows from an answer, is not chosen


@pytest.mark.django_db
def test_reopening_a_solved_thread_opens_both(problem: Thread, alice: User, bob: User, dana: User) -> None:
    answer = factories.an_answer(problem, bob)
    questions.accept_answer(answer, alice)
    services.reopen(problem, dana, reason="It came back.")
    problem.refresh_from_db()
    assert problem.solved_at is None
    assert (case_of(problem).state, case_of(problem).round) == ("open", 2)


@pytest.mark.django_db
def test_official_answers_carry_sources_and_a_recheck(problem: Thread, dana: User, support: Department) -> None:
    with clock.travel(NOON):
        answer = services.answer_officially(
            problem, dana, body="Turn the valve twice, then wait.", department=support,
            sources=["Leaflet 2-0417"], recheck_on=date(2026, 12, 18),
        )  # fmt: skip
        assert (answer.official_for, answer.official_sources) == (support, ["Leaflet 2-0417"])
        with pytest.raises(ValidationError):
            services.mark_official(answer, dana, support, recheck_on=date(2026, 11, 1))


@pytest.mark.django_db
def test_notes_stay_inside(problem: Thread, dana: User) -> None:
    services.add_note(problem, dana, "The customer is a journalist.")
    assert InternalNote.objects.get().body == "The customer is a journalist."
    assert not any("journalist" in str(event.data) for event in Event.objects.all())
    with pytest.raises(ValidationError):
        services.add_note(problem, dana, "  ")


@pytest.mark.django_db
def test_a_history_is_told_once(alice: User, dana: User, mei: User, bob: User, design: Department, told: Kinds) -> None:
    """The demo's lines stand for the rungs: the sweep doesn't fire them again."""
    with replay("demo", NOON):
        thread = factories.a_thread(alice, kind="problem")
    lines: list[tuple[float, str, dict]] = [
        (4, "advocates notified", {"people": [bob]}),
        (12, "department notified", {"department": dana.department}),
        (24, "assigned", {"to": mei, "note": "Fair rotation."}),
        (25, "acknowledged", {"by": mei}),
        (26, "promise made", {"by": mei, "until": NOON + timedelta(days=9)}),
        (27, "routed", {"by": mei, "department": design, "reason": "Sara wrote it."}),
        (28, "paused", {"by": mei, "reason": "waiting for a part"}),
        (29, "resumed", {"by": mei}),
        (30, "resolved", {"by": mei}),
    ]
    for _turn in range(2):
        with replay("demo"):
            for hours, step, fields in lines:
                services.tell_step(thread, step, at=NOON + timedelta(hours=hours), **fields)
    steps = list(case_of(thread).history.values_list("kind", flat=True))
    assert steps == [step.replace(" ", "_") for _, step, _ in lines]
    assert case_of(thread).history.get(kind="department_notified").position == 1
    assert case_of(thread).pauses.get().cause == "part"
    assert case_of(thread).state == "settled"
    assert not sweep(NOON + timedelta(days=30))
    with pytest.raises(NotAllowed):
        services.tell_step(thread, "late", at=NOON)

"""Ways in which a case could have been late with nobody seeing it: each is closed, and the look finds what is left."""

from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from django.apps import apps

from community.accounts.departments import archive_department
from community.accounts.models import Department, Membership, User
from community.accounts.services import set_role, suspend
from community.core import clock
from community.escalation import cases, check, services, shifts
from community.escalation.models import Escalation, EscalationPolicy, EscalationStep, PauseCause
from community.escalation.sweep import sweep
from community.events.models import Event
from community.notifications.recipients import recipients
from community.posts import services as posts
from community.questions import services as questions
from community.questions.models import Thread
from tests import factories

from .conftest import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def after(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


@pytest.fixture
def thread(alice: User, support: Department, asked: list[User]) -> Thread:
    with clock.travel(NOON):
        return factories.a_thread(alice, kind="problem")


def case_of(thread: Thread) -> Escalation:
    return Escalation.objects.get(thread=thread)


def kinds(thread: Thread) -> list[str]:
    return list(EscalationStep.objects.filter(escalation__thread=thread).values_list("kind", flat=True))


@pytest.mark.parametrize("cause", ["private", "nothing", "silent", "official"])
def test_a_word_of_the_asker_opens_what_staff_took_for_settled(
    thread: Thread, alice: User, bob: User, dana: User, support: Department, cause: str
) -> None:
    with clock.travel(after(1)):
        if cause == "official":
            services.answer_officially(thread, dana, body="Descale it twice with citric acid.", department=support)
        else:
            services.resolve(thread, dana, cause)
    with clock.travel(after(2)):
        posts.comment(thread, bob, body="Mine did the same thing in spring.")
        assert not case_of(thread).is_open, "others may talk on"
    with clock.travel(after(5)):
        posts.comment(thread, alice, body="It still drips, and I have done all of that.")
        case = case_of(thread)
        assert (case.is_open, case.round, case.department, case.phase) == (True, 2, support, "care")
        sweep(after(5))
        assert case_of(thread).told_at == after(5), "its department hears of it, not somebody above it"
        posts.comment(thread, alice, body="Nobody there? The kitchen is under water.")
        assert case_of(thread).round == 2
    with clock.travel(after(6)):
        questions.solve_another_way(thread, alice, "I have changed the seal.")
        posts.comment(thread, alice, body="It holds. Thank you all.")
    assert not case_of(thread).is_open, "the asker has said that it is solved"


def test_what_waits_for_the_customer_goes_on_with_the_customers_word(thread: Thread, alice: User, dana: User) -> None:
    with clock.travel(after(1)):
        services.pause(thread, dana, "customer")
        assert case_of(thread).acknowledged_at is None
    with clock.travel(after(3)):
        posts.comment(thread, alice, body="It says M54-2609 on the plate.")
    case = case_of(thread)
    assert not case.is_paused and case.next_due_at is not None and case.paused_seconds == 7200
    with clock.travel(after(4)):
        services.pause(thread, dana, "workshop")
        posts.comment(thread, alice, body="Take your time.")
    assert case_of(thread).is_paused, "that is not hers to end"


def test_only_the_customer_stops_both_clocks(thread: Thread, dana: User) -> None:
    """Whoever knows that it waits for a part has read it. The demo's file says the same of its causes."""
    with clock.travel(after(1)):
        services.pause(thread, dana, "part")
    case = case_of(thread)
    assert (case.acknowledged_by, case.acknowledged_at, case.is_paused) == (dana, after(1), True)
    told = yaml.safe_load((Path(__file__).parents[2] / "demo" / "policies.yaml").read_text())["pause_causes"]
    assert {row["slug"]: row["stops"] == "both" for row in told} == {
        cause: cause in services.STOPS_BOTH for cause in PauseCause.values if cause != "department"
    }


def test_who_leaves_the_desk_leaves_no_case_behind(
    thread: Thread, alice: User, dana: User, mei: User, hanna: User, lead: User
) -> None:
    with clock.travel(after(1)):
        other = factories.a_thread(alice, kind="problem")
        for one in (thread, other):
            services.assign(one, dana, mei)
    with clock.travel(after(2)):
        set_role(mei, hanna, "agent", mei.department)
        assert case_of(thread).assignee == mei, "still an agent"
        set_role(mei, hanna, "")
    assert [case_of(one).assignee for one in (thread, other)] == [None, None] and "given_back" in kinds(thread)
    event = Event.objects.filter(kind="escalation.handed_over").latest("pk")
    assert dana.pk in recipients(event), "the department is told once"
    with clock.travel(after(3)):
        services.assign(thread, dana, dana)
        suspend(dana, hanna, reason="A test.")
    assert case_of(thread).assignee is None


def test_a_rung_is_not_done_by_somebody_who_is_not_there(thread: Thread, dana: User, mei: User, hanna: User) -> None:
    with clock.travel(after(1)):
        services.assign(thread, dana, mei)
    User.objects.filter(pk=mei.pk).update(is_active=False)  # round every service
    assert {finding.kind for finding in check.look(after(1))[1]} == {"absent"}
    for hours in (13, 25):
        sweep(after(hours))
    assert case_of(thread).assignee == dana
    Escalation.objects.update(assignee=mei)
    with clock.travel(after(26)):
        check.look_after(thread, dana)
        assert case_of(thread).assignee is None and check.look() == (0, [])


def test_a_department_that_closes_has_no_cases(thread: Thread, dana: User, hanna: User, support: Department) -> None:
    other = factories.a_department("design")
    with clock.travel(after(1)):
        services.acknowledge(thread, dana)
        archive_department(support, hanna)
        archive_department(support, hanna)
    case = case_of(thread)
    assert (case.department, case.assignee, kinds(thread).count("routed")) == (other, None, 1)
    assert Event.objects.filter(kind="department.archived", actor=hanna).count() == 1


def test_a_department_in_which_nobody_works_is_passed_over(thread: Thread, support: Department, hanna: User) -> None:
    support.memberships.all().delete()
    for hours in (4, 12):
        sweep(after(hours))
    case = case_of(thread)
    assert case.told_at == after(12) and [row["kind"] for row in case.ladder if row.get("nobody")] == [
        "department_notified", "assigned", "lead_notified",
    ]  # fmt: skip
    assert kinds(thread)[-1] == "manager_notified", "within one sweep it is with somebody"


def test_where_nobody_at_all_is_there_the_desk_shows_it(thread: Thread, support: Department) -> None:
    for hours in (4, 12):
        sweep(after(hours))
    assert Escalation.objects.with_staff().filter(thread=thread).exists()


def test_an_imported_thread_has_a_case_once_its_asker_writes_here(thread: Thread, alice: User, bob: User) -> None:
    Escalation.objects.all().delete()
    Thread.objects.update(source="elsewhere", external_id="7")
    thread.refresh_from_db()
    with clock.travel(after(1)):
        posts.comment(thread, bob, body="Has anybody found out since?")
        assert not Escalation.objects.exists()
        posts.comment(thread, alice, body="It still drips. Is anybody there?")
        assert case_of(thread).is_open
    Escalation.objects.all().delete()
    with clock.travel(after(2)):
        questions.solve_another_way(thread, alice, "A new seal.")
        questions.reopen_thread(Thread.objects.get(pk=thread.pk), alice, "It drips again.")
    assert case_of(thread).is_open


def test_the_look_finds_ends_that_are_gone_and_pauses_without_end(
    thread: Thread, alice: User, dana: User, hanna: User
) -> None:
    with clock.travel(after(1)):
        cases.settle(cases.held(thread), "gone", None)  # type: ignore[arg-type]
        assert [finding.kind for finding in check.look()[1]] == ["lost"]
        check.look_after(thread, dana)
        assert check.look() == (0, []) and case_of(thread).round == 2
        services.pause(thread, dana, "supplier")
    assert check.look(after(24 * 30))[0] == 0
    assert [finding.kind for finding in check.look(after(24 * 31 + 2))[1]] == ["paused"]
    Escalation.objects.all().delete()
    Thread.objects.update(kind="praise")
    EscalationPolicy.objects.update(active=False)
    assert [finding.kind for finding in check.look(after(2))[1]] == ["no_case"], "no policy is for it: that is worse"


def test_who_left_is_no_lead_and_stands_in_for_nobody(
    thread: Thread, dana: User, lead: User, support: Department
) -> None:
    with clock.travel(after(1)):
        day = clock.now().date()
        absence = shifts.be_away(dana, dana, day, day + timedelta(days=9), lead)
        set_role(lead, None, "")
        Department.objects.filter(pk=support.pk).update(lead=lead)  # a row of an older release
        case = case_of(thread)
        case.department = Department.objects.get(pk=support.pk)
        assert not cases.firing._fire_lead(case, {"kind": "lead_notified"}, {"position": 1, "due": clock.now()}, {})
    absence.refresh_from_db()
    assert absence.stand_in is None


def test_who_left_before_that_took_the_lead_away_leads_no_more(dana: User, lead: User, support: Department) -> None:
    """Rows of an older release, as the migration finds them."""
    clean = import_module("community.accounts.migrations.0010_only_staff_lead").let_go
    clean(apps, None)
    assert Department.objects.get(pk=support.pk).lead == lead and support.memberships.count() == 2
    set_role(lead, None, "")
    Department.objects.filter(pk=support.pk).update(lead=lead)
    Membership.objects.create(user=lead, department=support)
    clean(apps, None)
    assert Department.objects.get(pk=support.pk).lead is None
    assert [one.user for one in support.memberships.all()] == [dana]


@pytest.mark.parametrize("way", ["merged", "asked before"])
@pytest.mark.parametrize("there", ["imported", "ended by staff", "solved"])
def test_whoever_is_led_to_another_thread_is_looked_after_there(
    thread: Thread, alice: User, bob: User, ravi: User, dana: User, way: str, there: str
) -> None:
    """An imported thread has no case, and staff may have ended one without a solution; a solved one tells the way."""
    with clock.travel(after(1)):
        other = factories.a_thread(bob, kind="problem", title="The valve drips when it is cold")
        if there == "imported":
            Escalation.objects.filter(thread=other).delete()
            Thread.objects.filter(pk=other.pk).update(source="elsewhere", external_id="7")
        elif there == "ended by staff":
            services.resolve(other, dana, "nothing", note="Nobody wrote again.")
        else:
            questions.solve_another_way(other, bob, "A new seal.")
    with clock.travel(after(2)):
        to = Thread.objects.get(pk=other.pk)
        if way == "merged":
            questions.merge_thread(thread, to, ravi, "The same")
        else:
            questions.mark_duplicate(thread, ravi, to)
    assert not case_of(thread).is_open
    if there == "solved":
        assert not case_of(other).is_open
    else:
        assert case_of(other).is_open and case_of(other).next_due_at is not None
        assert case_of(other).round == (2 if there == "ended by staff" else 1)


def test_what_an_asker_writes_for_staff_alone_is_a_word_of_theirs(thread: Thread, alice: User, dana: User) -> None:
    """An official answer that asks for the address is followed by it: somebody hears. The same words twice are one."""
    with clock.travel(after(1)):
        services.resolve(thread, dana, "nothing", note="We send a new one: please tell us where.")
        assert not case_of(thread).is_open
    with clock.travel(after(2)):
        for _press in range(2):
            questions.give_private_details(Thread.objects.get(pk=thread.pk), alice, phone="040 1", note="Elm Street 12")
    assert case_of(thread).is_open and case_of(thread).round == 2 and kinds(thread).count("reopened") == 1
    assert Event.objects.filter(kind="thread.private_given").count() == 1
    with clock.travel(after(3)):
        services.acknowledge(Thread.objects.get(pk=thread.pk), dana)
        questions.give_private_details(Thread.objects.get(pk=thread.pk), alice, phone="040 2", note="Elm Street 12")
        assert recipients(Event.objects.filter(kind="thread.private_given").latest("pk")) == {dana.pk: "case_answered"}
        questions.give_private_details(Thread.objects.get(pk=thread.pk), alice, phone="", note="")
    assert Event.objects.filter(kind="thread.private_given").count() == 2, "what is taken away says nothing"

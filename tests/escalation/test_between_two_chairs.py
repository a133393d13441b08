"""Cases that something else moved under: merged, restored, archived, decided anew. None of them is nobody's."""

from datetime import datetime, timedelta

import pytest

from community.accounts import departments
from community.accounts.models import Department, Membership, User
from community.accounts.services import set_role
from community.core import clock
from community.core.errors import Conflict
from community.escalation import check, handoffs, incidents, promises, relay, services, simulation
from community.escalation.models import (
    Channel,
    ClusterThread,
    Escalation,
    EscalationPolicy,
    Incident,
    IncidentThread,
)
from community.escalation.sweep import sweep
from community.events.models import Event
from community.moderation import services as moderation
from community.notifications.recipients import recipients
from community.questions import services as questions
from community.questions.models import Answer, Thread
from products.models import Product
from tests import factories

from .conftest import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def hours(number: float) -> datetime:
    return NOON + timedelta(hours=number)


def case_of(thread: Thread) -> Escalation:
    return Escalation.objects.get(thread=thread)


def words_of(thread: Thread) -> relay.Words:
    fresh = Thread.objects.select_related("author").get(pk=thread.pk)
    return relay.words_for(None, [fresh])[thread.pk]


@pytest.fixture
def question(alice: User, support: Department, asked: list[User]) -> Thread:
    with clock.travel(NOON):
        return factories.a_thread(alice)


def test_what_opens_again_goes_to_no_department_that_is_closed(question: Thread, dana: User, hanna: User) -> None:
    factories.a_department("repair", name="Repair")
    with clock.travel(NOON):
        factories.an_answer(question, dana, official_for=dana.department)
    departments.archive_department(dana.department, hanna)  # settled cases stay where they were
    with clock.travel(hours(30)):
        factories.an_answer(question, question.author)
    case = case_of(question)
    assert case.is_open and case.department is not None and case.department.slug == "repair"


def test_a_thread_shown_again_does_not_say_that_something_failed(question: Thread, ravi: User) -> None:
    with clock.travel(hours(1)):
        moderation.hide(question, ravi, reason="The wrong button")
        moderation.restore(question, ravi)
        assert "is looked at anew" in str(words_of(question).why())


def test_one_person_who_presses_again_and_again_hurries_a_case_once(question: Thread, bob: User, charlie: User) -> None:
    EscalationPolicy.objects.filter(slug="default-question").update(me_too_skips_at=2)
    fired = 0
    with clock.travel(NOON):
        questions.set_me_too(question, bob, True)
    for minute in range(1, 4):
        with clock.travel(NOON + timedelta(minutes=minute)):
            questions.set_me_too(question, charlie, True)
            fired += sum(sweep().values())
            questions.set_me_too(question, charlie, False)
    assert fired == 1


def test_nobody_is_named_who_has_left(question: Thread, dana: User, mei: User) -> None:
    with clock.travel(hours(1)):
        services.acknowledge(question, dana)
        assert dana.name in str(words_of(question).now())
        set_role(dana, None, "")
        said = words_of(question)
        assert str(said.now()).startswith("Customer support looks after it") and dana.name not in str(said.line())


def test_a_case_of_what_nobody_sees_is_not_opened(question: Thread, bob: User, dana: User, ravi: User) -> None:
    with clock.travel(hours(1)):
        other = factories.a_thread(bob)
        questions.merge_thread(question, other, ravi, "The same.")
        question.refresh_from_db()
        with pytest.raises(Conflict, match="merged"):
            services.reopen(question, dana, reason="Look again")
        moderation.hide(other, ravi, reason="An advertisement")
        with pytest.raises(Conflict, match="Nobody sees"):
            services.reopen(other, dana, reason="Look again")
    assert not case_of(question).is_open and not case_of(other).is_open


def test_an_idea_that_is_open_again_is_somebodys_again(alice: User, dana: User) -> None:
    with clock.travel(NOON):
        idea = factories.a_thread(alice, kind="idea")
        questions.set_idea_status(idea, dana, "declined", "It would cost too much.")
    assert not case_of(idea).is_open
    with clock.travel(hours(5)):
        questions.set_idea_status(idea, dana, "in_review", "A supplier has offered it for less.")
    case = case_of(idea)
    assert case.is_open and case.acknowledged_by == dana and case.next_due_at is not None
    reopened = Event.objects.get(kind="escalation.reopened")
    assert reopened.data["planned"], "nothing failed, so no figure says so"


def test_an_old_official_answer_settles_nothing_that_was_opened_since(question: Thread, dana: User, ravi: User) -> None:
    with clock.travel(NOON):
        answer = factories.an_answer(question, dana, official_for=dana.department)
        questions.accept_answer(answer, question.author)
    with clock.travel(hours(48)):
        questions.reopen_thread(question, question.author, "It came back after a day.")
        moderation.hide(answer, ravi, reason="The wrong button")
        moderation.restore(answer, ravi)
    assert case_of(question).is_open


def test_whoever_was_led_to_a_thread_that_is_gone_is_found(question: Thread, bob: User, dana: User, ravi: User) -> None:
    with clock.travel(hours(1)):
        original = factories.a_thread(bob)
        questions.mark_duplicate(question, ravi, original)
        assert check.look()[1] == []
        moderation.delete(original, bob)
        assert [(one.kind, one.thread) for one in check.look()[1]] == [("lost", question.pk)]
        check.look_after(question, dana)
        assert check.look()[1] == []
    question.refresh_from_db()
    assert question.duplicate_of is None and case_of(question).is_open and case_of(question).round == 2


def test_a_late_promise_of_somebody_who_left_is_told_to_the_managers(question: Thread, dana: User, hanna: User) -> None:
    with clock.travel(hours(1)):
        promises.make(question, dana, text="We send a part", due_at=hours(48))
        questions.solve_another_way(question, question.author, "Mended it with a bit of tape")
    set_role(dana, None, "")
    assert promises.find_late(hours(49)) == 1
    assert recipients(Event.objects.get(kind="escalation.promise_late")) == {hanna.pk: "case_lead"}


def test_a_lead_hears_once_that_a_case_is_late(question: Thread, dana: User, lead: User) -> None:
    with clock.travel(hours(1)):
        services.acknowledge(question, dana)
    due = case_of(question).resolve_due_at
    assert due is not None
    assert sweep(due + timedelta(minutes=1)) == {"late": 1, "lead_notified": 1}
    late, told = (Event.objects.get(kind=f"escalation.{kind}") for kind in ("late", "lead_notified"))
    assert (set(recipients(late)), set(recipients(told))) == ({dana.pk}, {lead.pk})


def heard_of(question: Thread) -> dict[str, list[str]]:
    """Which notices of the case each person gets, by user name."""
    heard: dict[str, list[str]] = {}
    for event in Event.objects.about(question).filter(kind__startswith="escalation.").exclude(kind__endswith="dged"):
        for pk, kind in recipients(event).items():
            heard.setdefault(User.objects.get(pk=pk).username, []).append(kind)
    return heard


def test_a_lead_who_has_the_case_hears_once_that_it_is_late(question: Thread, dana: User, lead: User) -> None:
    with clock.travel(hours(1)):
        services.acknowledge(question, lead)
    due = case_of(question).resolve_due_at
    assert due is not None and sweep(due + timedelta(minutes=1)) == {"late": 1, "lead_notified": 1}
    assert heard_of(question) == {"lead": ["case_lead"]}


def test_each_hears_once_after_the_worker_stood_still(
    question: Thread, dana: User, lead: User, hanna: User, support: Department
) -> None:
    """All rungs at once: the lead and the manager stand in the department's list, and one of it has the case now."""
    Membership.objects.create(department=support, user=hanna)
    fired = sweep(hours(24 * 30))
    assert all(fired[kind] for kind in ("department_notified", "assigned", "lead_notified", "manager_notified"))
    heard = heard_of(question)
    assert heard.pop("bob") == ["asked_to_help"]
    assert heard == {"dana": ["case_assigned"], "lead": ["case_lead"], "hanna": ["case_lead"]}


def test_the_desk_says_which_webhook_was_switched_off(question: Thread, hanna: User) -> None:
    pager = Channel.objects.create(slug="pager", name="Pager", kind="webhook", url="https://pager.example/")
    assert check.warning(None, None, NOON) == ""
    handoffs.switch_off(pager, "answered 500")
    assert "Switched off, because nobody answered there: Pager." in check.warning(None, None, NOON)


# Known issues


@pytest.fixture
def reports(alice: User, bob: User, duo: Product, support: Department, asked: list[User]) -> list[Thread]:
    with clock.travel(NOON):
        return [factories.a_thread(by, product=duo, kind="problem") for by in (alice, bob)]


def test_a_known_issue_is_solved_although_the_first_report_takes_no_answer(
    reports: list[Thread], dana: User, ravi: User, charlie: User
) -> None:
    first, second = reports
    with clock.travel(hours(1)):
        third = factories.a_thread(charlie, product=first.product, kind="problem")
        known = incidents.open_incident(first.product, dana, title="It beeps", body="Wait for 1.3.1.", first=first)
        incidents.gather(known, second, dana)
        incidents.gather(known, third, dana)
        questions.lock_thread(first, ravi, True, "It became heated")
        factories.an_answer(second, dana)  # one answer a person
        incidents.solve(known, dana, solution="Install 1.3.1, and it stops beeping.")
    known.refresh_from_db()
    assert not known.is_open and not ClusterThread.objects.exists()
    assert Answer.objects.get(official_for__isnull=False).thread == third
    closed = Event.objects.get(kind="incident.closed")
    assert closed.data["answered"] == [third.pk]
    assert set(recipients(closed)) == {first.author_id, second.author_id}, "told by the issue itself"


def test_a_merged_report_is_about_the_issue_where_it_went(reports: list[Thread], dana: User, ravi: User) -> None:
    first, second = reports
    with clock.travel(hours(1)):
        known = incidents.open_incident(first.product, dana, title="It beeps", body="Wait for 1.3.1.", first=first)
        questions.merge_thread(first, second, ravi, "The same.")
        assert second.in_incident.incident == known
        incidents.solve(known, dana, solution="Install 1.3.1, and it stops beeping.")
    assert Answer.objects.get().thread == second and Answer.objects.get().is_official


def test_a_simulation_moves_no_report(reports: list[Thread], dana: User, ravi: User) -> None:
    first, second = reports
    with clock.travel(hours(1)):
        questions.merge_thread(first, second, ravi, "The same.")
    known = Incident.objects.create(product=first.product, title="It beeps", opened_by=dana)
    row = IncidentThread.objects.create(incident=known, thread=first, added_by=dana)
    played = simulation.lines_of([simulation.in_use()], [first.pk], NOON, hours(24))
    assert [number for number, _lines in played] == [1]
    row.refresh_from_db()
    assert row.thread == first

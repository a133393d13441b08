"""What becomes of hand-offs, promises and spread answers when a thread, an answer, an agent or the asker is gone."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from community.accounts.models import Department, User
from community.accounts.services import set_role
from community.core import clock, outgoing
from community.core.errors import Conflict, NotAllowed
from community.core.models import Delivery
from community.escalation import clusters, handoffs, incidents, promises, services
from community.escalation.models import Channel, ClusterThread, EscalationStep, HandOff, Promise
from community.events.models import Event
from community.notifications.recipients import recipients
from community.portability import leaving
from community.posts.models import Comment
from community.questions import services as questions
from community.questions.models import Answer, Thread
from products.models import Product
from tests import factories

from .conftest import NOON
from .test_hand_offs import a_channel, letter
from .test_relay import plain, shown

pytestmark = [pytest.mark.django_db, pytest.mark.once]
FRIDAY = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


@pytest.fixture
def problem(alice: User, duo: Product, asked: list[User]) -> Thread:
    with clock.travel(NOON):
        return factories.a_thread(
            alice, product=duo, kind="problem", title="It stops with three beeps", private={"serial": "M54-0388"}
        )


@pytest.fixture
def agent(client: Client, dana: User, enrol: Callable[[User], None]) -> Client:
    enrol(dana)
    client.force_login(dana)
    return client


@pytest.fixture
def desk(hanna: User) -> Channel:
    return a_channel(hanna, "mail", address="help@example.org")


@pytest.fixture
def webhook(hanna: User) -> Channel:
    return a_channel(hanna, "webhook", url="https://hooks.example.org/cases")


def mail_of(made: HandOff) -> Delivery:
    return Delivery.objects.get(key=handoffs.mail_key(made.pk))


@pytest.mark.parametrize("state", ["queued", "sending", "parked"])
def test_what_was_taken_back_is_not_mailed(problem: Thread, desk: Channel, dana: User, state: str) -> None:
    made = handoffs.hand_off(problem, dana, desk, note="Look", with_private=True)
    Delivery.objects.update(state=state)
    handoffs.withdraw(made, dana)
    assert mail_of(made).state == "dropped"
    assert handoffs.follow_mails() == 0


def test_what_ended_before_it_went_is_not_mailed(problem: Thread, desk: Channel, dana: User) -> None:
    made = handoffs.hand_off(problem, dana, desk, note="Look")
    handoffs.post_outcome(made, dana, outcome="It was the lid.")
    assert mail_of(made).state == "dropped"


def test_it_is_sent_again_to_the_address_of_today(problem: Thread, desk: Channel, dana: User, hanna: User) -> None:
    made = handoffs.hand_off(problem, dana, desk, note="Look")
    Delivery.objects.update(state="parked")
    handoffs.follow_mails()
    desk.address = "new@example.org"
    handoffs.save_channel(desk, hanna)
    handoffs.try_again(HandOff.objects.get(), dana)
    assert (mail_of(made).address, mail_of(made).state) == ("new@example.org", "queued")


def test_nothing_private_outlives_the_asker(
    problem: Thread, desk: Channel, webhook: Channel, dana: User, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_mail = handoffs.hand_off(problem, dana, desk, note="Look", with_private=True)
    by_hook = handoffs.hand_off(problem, dana, webhook, note="Look")
    other = handoffs.hand_off(factories.a_thread(factories.a_person()), dana, desk, note="Not theirs")
    Delivery.objects.filter(key=handoffs.mail_key(by_mail.pk)).update(state="parked")
    letters: list[bytes] = []
    monkeypatch.setattr(outgoing, "post", lambda url, body, headers: letters.append(body))
    leaving.erase(alice, words_go=False)
    assert handoffs.send_due() == 0 and letters == []
    assert not Delivery.objects.filter(key=handoffs.mail_key(by_mail.pk)).exists() and mail_of(other).state == "queued"
    by_hook.refresh_from_db()
    assert (by_hook.state, by_hook.payload, by_hook.note, by_hook.next_try_at) == ("withdrawn", "", "", None)


def test_a_deleted_thread_holds_no_details(problem: Thread, desk: Channel, dana: User) -> None:
    handoffs.hand_off(problem, dana, desk, note="Look")
    assert problem.pk in handoffs.threads_held().values_list("escalation__thread", flat=True)
    Thread.objects.filter(pk=problem.pk).update(visibility="deleted")
    assert not handoffs.threads_held().exists()


def test_the_words_of_a_hidden_answer_are_no_promise_to_read(
    agent: Client, problem: Thread, dana: User, support: object
) -> None:
    given = {"body": "A **new lid** is in the [post](https://example.org/).", "department": dana.department_id}
    with clock.travel(NOON):
        agent.post(
            reverse("escalation:act", args=[problem.pk, "official"]), {**given, "promise_on": "2026-11-20T16:00"}
        )
    assert Promise.objects.get().text == "A new lid is in the post."
    assert "A new lid is in the post" in plain(shown(problem))
    assert "A new lid" in agent.get(reverse("escalation:promises")).content.decode()
    Answer.objects.update(visibility="hidden")
    assert "new lid" not in plain(shown(problem))
    assert "new lid" not in agent.get(reverse("escalation:promises")).content.decode()
    assert promises.find_late(FRIDAY + timedelta(hours=1)) == 0
    Answer.objects.update(visibility="visible")
    Thread.objects.update(visibility="hidden")
    assert "new lid" not in agent.get(reverse("escalation:promises")).content.decode()
    assert promises.find_late(FRIDAY + timedelta(hours=1)) == 0
    Thread.objects.update(visibility="visible")
    assert promises.find_late(FRIDAY + timedelta(hours=1)) == 1


def test_an_answer_that_was_hidden_is_not_spread(problem: Thread, dana: User, bob: User) -> None:
    other = factories.a_thread(bob, kind="problem")
    clusters.answer_all(
        problem, dana, threads=[other.pk], body="Install 1.3.1, which settles it.", department=dana.department
    )
    Answer.objects.update(visibility="hidden")
    assert clusters.post_waiting() == 0
    assert ClusterThread.objects.get().why == "The first answer is not shown any more."
    assert not Answer.objects.filter(thread=other).exists()


def test_the_outcome_goes_to_the_thread_that_it_was_merged_into(
    problem: Thread, desk: Channel, dana: User, bob: User, hanna: User
) -> None:
    made = handoffs.hand_off(problem, dana, desk, note="Look")
    target = factories.a_thread(bob, kind="problem", product=problem.product)
    questions.merge_thread(problem, target, hanna, "The same")
    handoffs.post_outcome(HandOff.objects.get(pk=made.pk), dana, outcome="It was the lid.")
    assert Comment.objects.get(target_id=target.pk).body_text.endswith("It was the lid.")


def test_an_outcome_that_can_not_be_posted_is_told(
    problem: Thread, webhook: Channel, dana: User, mei: User, hanna: User, client: Client
) -> None:
    made = handoffs.hand_off(problem, dana, webhook, note="Look")
    Thread.objects.filter(pk=problem.pk).update(visibility="hidden")
    with pytest.raises((Conflict, NotAllowed)):
        handoffs.post_outcome(made, mei, outcome="It was the lid.")
    made.refresh_from_db()
    assert made.state == "waiting", "the agent has the text still"
    Channel.objects.update(disabled_at=NOON)  # by failures of ours to reach it; it may tell us nonetheless
    address = reverse("hooks:outcome", args=[webhook.slug])
    assert client.post(address, **letter(webhook, made, clock.now())).status_code == 200  # type: ignore[arg-type]
    made.refresh_from_db()
    assert (made.state, made.outcome) == ("done", "Motor changed.") and not Comment.objects.exists()
    assert not EscalationStep.objects.filter(kind="outcome_posted").exists()
    assert EscalationStep.objects.get(kind="outcome_not_posted").note
    heard = recipients(Event.objects.get(kind="escalation.outcome_not_posted"))
    assert heard[dana.pk] == heard[hanna.pk] == "case_lead"


def test_somebody_else_speaks_when_the_agent_may_not(problem: Thread, webhook: Channel, dana: User, mei: User) -> None:
    made = handoffs.hand_off(problem, dana, webhook, note="Look")
    services.assign(problem, mei, mei)
    User.objects.filter(pk=dana.pk).update(is_active=False)
    handoffs.post_outcome(HandOff.objects.get(pk=made.pk), None, outcome="Motor changed.")
    assert Comment.objects.get().author == mei


def test_a_solution_that_is_refused_comes_back(agent: Client, problem: Thread, dana: User, duo: Product) -> None:
    found = incidents.open_incident(duo, dana, title="Three beeps", body="Wait.", first=problem)
    page = agent.post(reverse("escalation:incident", args=[found.pk]), {"solution": "Too short"})
    assert page.status_code == 422 and "Too short" in page.content.decode()
    found.refresh_from_db()
    assert found.is_open


def test_a_long_promise_can_be_moved_in_the_threads_language_and_where_it_was_merged_into(
    problem: Thread, dana: User, bob: User, hanna: User
) -> None:
    with clock.travel(NOON):
        made = promises.make(problem, dana, text="lid " * 74, due_at=FRIDAY)
        target = factories.a_thread(bob, kind="problem", product=problem.product)
        questions.merge_thread(problem, target, hanna, "The same")
        Thread.objects.filter(pk=target.pk).update(language="de")
        with translation.override("en"):
            promises.move(made, dana, due_at=FRIDAY + timedelta(days=3), why="x" * 500)
    said = Comment.objects.get(target_id=target.pk)
    assert "x" * 500 in said.body_text and "2026-11-23 16:00 CET" in said.body_text
    assert "New day" not in said.body_text


def test_two_of_the_same_words_may_move_to_the_same_minute(problem: Thread, dana: User) -> None:
    with clock.travel(NOON):
        first = promises.make(problem, dana, text="A lid", due_at=FRIDAY)
        second = promises.make(problem, dana, text="A lid", due_at=FRIDAY + timedelta(hours=1))
        new = promises.move(first, dana, due_at=FRIDAY + timedelta(days=3), why="None in stock")
        assert promises.move(second, dana, due_at=FRIDAY + timedelta(days=3), why="None in stock") == new
    second.refresh_from_db()
    assert second.state == "moved" and second.moved_to is None and Promise.objects.open().get() == new


def test_what_was_typed_comes_back_though_the_case_was_settled_meanwhile(
    agent: Client, problem: Thread, dana: User, desk: Channel
) -> None:
    with clock.travel(NOON):
        made = promises.make(problem, dana, text="A lid", due_at=FRIDAY)
        services.resolve(problem, dana, "nothing")

        def act(verb: str, **given: object) -> str:
            page = agent.post(reverse("escalation:act", args=[problem.pk, verb]), given)
            assert page.status_code in (409, 422)
            return page.content.decode()

        html = act("move", promise=made.pk, due_at="2026-11-25T12:00", why="")
        assert 'id="move_why"' in html and "2026-11-25T12:00" in html
        html = act("hand-off", channel=desk.pk, note="Look at the motor.")
        assert "Look at the motor." in html and "settled" in html and 'id="act-promise"' not in html


def test_an_incident_leads_to_no_hidden_report_and_colleagues_solve_it(
    problem: Thread, dana: User, duo: Product
) -> None:
    found = incidents.open_incident(duo, dana, title="Three beeps", body="Wait.", first=problem)
    assert found.get_absolute_url() == problem.get_absolute_url()
    colleague = factories.a_person("colleague")
    set_role(colleague, None, "agent", factories.a_department("quality"))
    incidents.solve(found, User.objects.get(pk=colleague.pk), solution="Install 1.3.1, which settles it.")
    assert Answer.objects.get().official_for.slug == "quality"
    Thread.objects.update(visibility="hidden")
    found = type(found).objects.get(pk=found.pk)
    assert found.get_absolute_url() == duo.get_absolute_url()


def test_a_lead_sees_who_is_next_at_the_same_cost_however_many_they_are(
    client: Client, lead: User, dana: User, support: Department, enrol: Callable[[User], None]
) -> None:
    enrol(lead)
    client.force_login(lead)

    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            html = client.get(reverse("escalation:who")).content.decode()
        assert f"person={dana.pk}#away-h" in html
        return len(asked)

    cost()
    before = cost()
    for number in range(3):
        set_role(factories.a_person(f"agent{number}"), None, "agent", support)
    assert cost() == before


def test_letters_and_drafts_with_odd_signs_are_refused_kindly(
    client: Client, problem: Thread, webhook: Channel, dana: User, hanna: User, enrol: Callable[[User], None]
) -> None:
    made = handoffs.hand_off(problem, dana, webhook, note="Look")
    address = reverse("hooks:outcome", args=[webhook.slug])
    for odd in ({"id": "letter-\0001"}, {"id": "letter-\ud8001"}, {"reference": "H-\0"}, {"reference": "\ud800"}):
        assert client.post(address, **letter(webhook, made, clock.now(), **odd)).status_code == 422  # type: ignore[arg-type]
    enrol(hanna)
    client.force_login(hanna)
    for odd_draft in ("²", "9" * 30):
        assert client.get(reverse("escalation_policies:add"), {"draft": odd_draft}).status_code == 200

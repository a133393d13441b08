"""The desk in the Wagtail admin: queues, one case on one screen, an address for each action."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import reverse

from community.accounts.models import Department, User
from community.core import brand, clock
from community.escalation import services
from community.escalation.models import Escalation, EscalationPolicy
from community.escalation.sweep import sweep
from community.events.models import Event
from community.posts import services as posts
from community.questions import services as questions
from community.questions.models import PrivateView, Thread
from tests import factories

from .conftest import NOON

pytestmark = pytest.mark.django_db
Enrol = Callable[[User], None]


@pytest.fixture
def agent(client: Client, dana: User, enrol: Enrol) -> Client:
    enrol(dana)
    client.force_login(dana)
    return client


@pytest.fixture
def manager(client: Client, hanna: User, enrol: Enrol) -> Client:
    enrol(hanna)
    client.force_login(hanna)
    return client


@pytest.fixture
def problem(alice: User, support: Department, asked: list[User]) -> Thread:
    """A problem that has reached customer support."""
    with clock.travel(NOON):
        thread = factories.a_thread(alice, kind="problem", private={"serial": "M54-2609-0388"})
    sweep(NOON + timedelta(hours=12))
    return thread


def case_url(thread: Thread) -> str:
    return reverse("escalation:case", args=[thread.pk])


def act_url(thread: Thread, verb: str) -> str:
    return reverse("escalation:act", args=[thread.pk, verb])


def test_the_desk_lists_what_has_reached_staff(agent: Client, problem: Thread, alice: User) -> None:
    with clock.travel(NOON):
        early = factories.a_thread(alice)
    page = agent.get(reverse("escalation:desk"))
    assert problem.title in page.content.decode()
    assert early.title not in page.content.decode()
    owners = agent.get(reverse("escalation:desk"), {"queue": "owners"})
    assert early.title in owners.content.decode()


def test_late_first_then_by_due(agent: Client, problem: Thread, alice: User) -> None:
    with clock.travel(NOON + timedelta(days=4)):
        later = factories.a_thread(alice, kind="problem")
    sweep(NOON + timedelta(days=4, hours=12))
    html = agent.get(reverse("escalation:desk")).content.decode()
    assert html.index(problem.title) < html.index(later.title)
    assert "late" in html
    late = agent.get(reverse("escalation:desk"), {"queue": "late"}).content.decode()
    assert problem.title in late and later.title not in late


def test_an_agent_begins_with_the_own_department(agent: Client, problem: Thread) -> None:
    design = factories.a_department("design")
    Escalation.objects.update(department=design)
    assert problem.title not in agent.get(reverse("escalation:desk")).content.decode()
    assert problem.title in agent.get(reverse("escalation:desk"), {"department": "all"}).content.decode()
    assert problem.title in agent.get(reverse("escalation:desk"), {"department": "design"}).content.decode()


def test_mine_and_done(agent: Client, problem: Thread, dana: User) -> None:
    services.assign(problem, dana, dana)
    assert problem.title in agent.get(reverse("escalation:desk"), {"queue": "mine"}).content.decode()
    services.resolve(problem, dana, "private")
    assert problem.title not in agent.get(reverse("escalation:desk"), {"queue": "mine"}).content.decode()
    assert problem.title in agent.get(reverse("escalation:desk"), {"queue": "done"}).content.decode()


def test_empty_queues_say_so(agent: Client) -> None:
    for queue in ("due", "mine", "late", "owners", "attention", "paused", "done"):
        assert "dsk-empty" in agent.get(reverse("escalation:desk"), {"queue": queue}).content.decode()


def test_bad_addresses(agent: Client, problem: Thread) -> None:
    assert agent.get(reverse("escalation:desk"), {"queue": "nope"}).status_code == 404
    assert agent.get(reverse("escalation:desk"), {"page": "x", "department": "\0'", "q": "\0%"}).status_code == 200
    assert agent.get(reverse("escalation:case", args=[problem.pk + 100])).status_code == 404
    assert agent.post(act_url(problem, "nope")).status_code == 404


def test_hidden_threads_are_not_on_the_desk(agent: Client, problem: Thread) -> None:
    Thread.objects.filter(pk=problem.pk).update(visibility="hidden")
    assert problem.title not in agent.get(reverse("escalation:desk")).content.decode()
    assert agent.get(case_url(problem)).status_code == 404


def test_a_case_on_one_screen(agent: Client, problem: Thread, alice: User, bob: User, dana: User, duo: object) -> None:
    answer = factories.an_answer(problem, bob)
    posts.comment(answer, alice, body="Tried it, no change.")
    services.add_note(problem, dana, "Six of fifteen are of one batch.")
    html = agent.get(case_url(problem)).content.decode()
    for words in ("Tried it, no change.", "Six of fifteen", problem.title, "Customer support told", "Acknowledge"):
        assert words in html
    assert "M54-2609-0388" not in html


def test_private_details_are_shown_on_demand_and_the_look_is_kept(agent: Client, problem: Thread, dana: User) -> None:
    assert not PrivateView.objects.exists()
    url = reverse("escalation:private", args=[problem.pk])
    assert agent.get(url).status_code == 405
    assert "M54-2609-0388" in agent.post(url).content.decode()
    assert PrivateView.objects.get().viewer == dana


POSTS: dict[str, dict[str, object]] = {
    "acknowledge": {},
    "take": {},
    "info": {"note": "Which serial number does it have?"},
    "pause": {"cause": "part", "note": ""},
    "resolve": {"cause": "private", "note": ""},
    "note": {"body": "Six of fifteen."},
}


@pytest.mark.parametrize("verb", POSTS)
def test_actions_work_and_twice_is_no_error(agent: Client, problem: Thread, verb: str) -> None:
    response = agent.post(act_url(problem, verb), POSTS[verb])
    assert (response.status_code, response.url) == (303, case_url(problem))  # type: ignore[attr-defined]
    again = agent.post(act_url(problem, verb), POSTS[verb])
    assert again.status_code in (303, 409)


@pytest.mark.parametrize("verb", ["acknowledge", "assign", "route", "info", "official", "pause", "resolve", "note"])
def test_get_is_refused(agent: Client, problem: Thread, verb: str) -> None:
    assert agent.get(act_url(problem, verb)).status_code == 405


def test_members_and_moderators_are_refused(
    client: Client, problem: Thread, charlie: User, ravi: User, enrol: Enrol
) -> None:
    before = Event.objects.count()
    client.force_login(charlie)
    assert client.post(act_url(problem, "acknowledge")).status_code in (302, 403)
    enrol(ravi)
    client.force_login(ravi)
    response = client.post(act_url(problem, "acknowledge"))
    assert response.status_code == 403
    assert "Only agents" in response.content.decode()
    assert client.get(reverse("escalation:desk")).status_code == 403
    assert Event.objects.count() == before


def test_official_answer_from_the_desk(agent: Client, problem: Thread, support: Department) -> None:
    response = agent.post(
        act_url(problem, "official"),
        {"body": "It is ours to fix: send it in.", "department": support.pk, "sources": "Leaflet 2\nBoard log"},
    )
    assert response.status_code == 303
    answer = problem.answers.get()
    assert (answer.official_for, answer.official_sources) == (support, ["Leaflet 2", "Board log"])
    assert Escalation.objects.get(thread=problem).resolved_cause == "official"


def test_mark_a_members_answer_official(agent: Client, problem: Thread, bob: User, support: Department) -> None:
    answer = factories.an_answer(problem, bob)
    assert agent.post(act_url(problem, "mark"), {"answer": answer.pk, "department": support.pk}).status_code == 303
    answer.refresh_from_db()
    assert answer.official_for == support
    other = factories.an_answer()
    assert agent.post(act_url(problem, "mark"), {"answer": other.pk, "department": support.pk}).status_code == 404


def test_bad_input_keeps_the_text(agent: Client, problem: Thread, support: Department) -> None:
    response = agent.post(act_url(problem, "official"), {"body": "Too short.", "department": support.pk})
    assert response.status_code == 422
    html = response.content.decode()
    assert "Too short." in html and "at least" in html
    response = agent.post(act_url(problem, "route"), {"department": "", "reason": "Kept words"})
    assert response.status_code == 422 and "Kept words" in response.content.decode()


def test_who_comes_second_is_told_and_keeps_the_text(
    agent: Client, problem: Thread, mei: User, support: Department
) -> None:
    services.acknowledge(problem, mei)
    response = agent.post(act_url(problem, "acknowledge"))
    assert response.status_code == 409
    assert "Mei Tanaka looks after it already" in response.content.decode()
    Thread.objects.filter(pk=problem.pk).update(closed_at=NOON, closed_reason="spam")
    body = "It is ours to fix: send it in."
    response = agent.post(act_url(problem, "official"), {"body": body, "department": support.pk})
    assert response.status_code == 409 and body in response.content.decode()


def test_what_members_write_is_inert_on_the_desk(agent: Client, alice: User, support: Department) -> None:
    with clock.travel(NOON):
        thread = factories.a_thread(
            alice, kind="problem", body="<script>alert(1)</script> It drips all night, since Monday."
        )
    html = agent.get(case_url(thread)).content.decode()
    assert "<script>alert(1)" not in html


def test_what_was_merged_is_found_beside_the_case_that_stands(agent: Client, problem: Thread, dana: User) -> None:
    with clock.travel(NOON):
        stands = factories.a_thread(kind="problem")
    questions.merge_thread(problem, stands, dana, "The same mill")
    html = agent.get(case_url(stands)).content.decode()
    assert "Merged into this" in html and f'href="{case_url(problem)}"' in html
    merged = agent.get(case_url(problem)).content.decode()
    assert f'href="{case_url(stands)}"' in merged and "dsk-reply" not in merged
    assert "M54-2609-0388" not in merged
    shown = agent.post(reverse("escalation:private", args=[problem.pk]))
    assert "M54-2609-0388" in shown.content.decode()
    assert PrivateView.objects.get().thread == problem
    Thread.objects.filter(pk=stands.pk).update(visibility="hidden")
    assert agent.get(case_url(problem)).status_code == 404


def test_the_desk_and_a_case_cost_the_same_however_many(
    agent: Client, problem: Thread, alice: User, bob: User, dana: User, settings: Any,
    django_assert_max_num_queries: Callable,
) -> None:  # fmt: skip
    settings.BRAND_SECONDS = 60  # as it runs: brand, saved replies and channels are kept for half a minute
    brand.forget()
    ContentType.objects.get_for_models(Thread)
    with clock.travel(NOON):
        for _ in range(6):
            thread = factories.a_thread(alice, kind="problem")
            factories.an_answer(thread, bob)
    sweep(NOON + timedelta(hours=30))
    for number in range(4):
        answer = factories.an_answer(problem, factories.a_person())
        posts.comment(answer, alice, body=f"Comment {number}")
        services.add_note(problem, dana, f"Note {number}")
    agent.get(reverse("escalation:desk"))
    agent.get(case_url(problem))
    with django_assert_max_num_queries(20):
        agent.get(reverse("escalation:desk"))
    with django_assert_max_num_queries(20):
        agent.get(case_url(problem))


def test_the_home_page_of_the_admin_shows_the_desk(agent: Client, problem: Thread) -> None:
    html = agent.get(reverse("wagtailadmin_home")).content.decode()
    assert problem.title in html
    assert reverse("escalation:desk") in html
    assert "Wagtail</title>" not in html and "- Community</title>" in html


# Policies


def policy_data(**changes: object) -> dict[str, object]:
    return {
        "name": "Several owners at once", "slug": "several", "active": "on", "position": 5, "until": "resolve",
        "clock": "elapsed", "acknowledge_hours": 2, "resolve_hours": 24, "asker_sees": "With {department} now.",
        "kinds": ["problem"], "me_too_at_least": 4, "any_tag": "firmware, display",
        "rungs-TOTAL_FORMS": 3, "rungs-INITIAL_FORMS": 0, "rungs-MIN_NUM_FORMS": 0, "rungs-MAX_NUM_FORMS": 20,
        "rungs-0-hours": 0, "rungs-0-kind": "department_notified", "rungs-0-note": "",
        "rungs-1-hours": 2, "rungs-1-kind": "lead_notified", "rungs-1-note": "",
        "rungs-2-hours": "", "rungs-2-kind": "", "rungs-2-note": "",
        **changes,
    }  # fmt: skip


def test_a_manager_makes_and_changes_a_policy(manager: Client) -> None:
    add = reverse("escalation_policies:add")
    listed = manager.get(reverse("escalation_policies:index")).content.decode()
    assert "True" not in listed and "yes" in listed
    assert manager.get(add).status_code == 200
    assert manager.post(add, policy_data()).status_code == 302
    policy = EscalationPolicy.objects.get(slug="several")
    assert policy.match == {"kind": ["problem"], "any_tag": ["firmware", "display"], "me_too_at_least": 4}
    assert list(policy.steps.values_list("hours", "kind")) == [(0, "department_notified"), (2, "lead_notified")]
    edit = reverse("escalation_policies:edit", args=[policy.pk])
    assert "firmware, display" in manager.get(edit).content.decode()
    assert manager.post(edit, policy_data(any_tag="firmware")).status_code == 302
    policy.refresh_from_db()
    assert policy.match["any_tag"] == ["firmware"] and policy.version == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rungs-1-hours": 0, "rungs-0-hours": 5}, "Rungs stand in order of time"),
        ({"rungs-0-kind": "advocates_notified", "rungs-1-kind": "late"}, "Nobody of the brand"),
        ({"rungs-0-kind": "", "rungs-0-hours": "", "rungs-1-kind": "", "rungs-1-hours": ""}, "at least one rung"),
        ({"rungs-1-kind": ""}, "What happens after these hours?"),
        ({"any_tag": "", "me_too_at_least": ""}, "More than one policy in use is for every problem"),
    ],
)
def test_a_policy_that_could_forget_somebody_is_refused(
    manager: Client, changes: dict[str, object], words: str
) -> None:
    response = manager.post(reverse("escalation_policies:add"), policy_data(**changes))
    assert response.status_code == 200
    html = response.content.decode()
    assert words in html and "Several owners at once" in html
    assert not EscalationPolicy.objects.filter(slug="several").exists()


def test_the_last_resort_cannot_be_switched_off(manager: Client) -> None:
    policy = EscalationPolicy.objects.get(slug="default-problem")
    data = policy_data(slug=policy.slug, name=policy.name, any_tag="", me_too_at_least="")
    del data["active"]
    response = manager.post(reverse("escalation_policies:edit", args=[policy.pk]), data)
    assert "No policy in use is for every problem" in response.content.decode()
    policy.refresh_from_db()
    assert policy.active


def test_agents_do_not_change_policies(agent: Client) -> None:
    for url in (reverse("escalation_policies:index"), reverse("escalation_policies:add")):
        assert agent.get(url).status_code == 302
    assert manager_only(agent)


def manager_only(client: Client) -> bool:
    client.post(reverse("escalation_policies:add"), policy_data())
    return not EscalationPolicy.objects.filter(slug="several").exists()

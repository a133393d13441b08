"""Policies in the admin: a draft is simulated, then put in force; every version stays readable; complaints stand beside
what was typed."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from community.accounts.models import Department, User
from community.core import clock
from community.escalation import simulation
from community.escalation.models import EscalationPolicy, Simulation
from tests import factories

from .conftest import NOON
from .test_desk import policy_data

pytestmark = pytest.mark.django_db
Enrol = Callable[[User], None]


@pytest.fixture
def manager(client: Client, hanna: User, enrol: Enrol) -> Client:
    enrol(hanna)
    client.force_login(hanna)
    return client


@pytest.fixture
def cases(alice: User, dana: User, lead: User, asked: list[User], support: Department) -> None:
    with clock.travel(NOON):
        for _number in range(2):
            factories.a_thread(alice, kind="problem", title="It stops in the middle of a dose")


def draft(support: Department, **changes: object) -> dict[str, object]:
    return policy_data(
        department=support.pk, any_tag="", me_too_at_least="", language_not="fr",
        **{"rungs-0-hours": 2, "rungs-0-channel": "mail", **changes, "simulate": "1"},
    )  # fmt: skip


def test_a_draft_is_simulated_and_put_in_force(manager: Client, cases: None, support: Department) -> None:
    with clock.travel(NOON + timedelta(days=5)):
        response = manager.post(reverse("escalation_policies:add"), draft(support))
        one = Simulation.objects.get()
        page = reverse("escalation:simulation", args=[one.pk])
        assert (response.status_code, response["Location"]) == (303, page)
        assert not EscalationPolicy.objects.filter(slug="several").exists()
        assert "Waits for the worker" in manager.get(page).content.decode()
        part = manager.get(page, {"part": "1"}).content.decode()
        assert "<html" not in part and 'id="simulation-progress"' in part
        manager.post(reverse("escalation:use_simulation", args=[one.pk]))
        assert not EscalationPolicy.objects.filter(slug="several").exists()  # not before it is worked out
        assert simulation.run(one.pk)
        html = manager.get(page).content.decode()
    for words in ("2 cases were played twice", "Lea Lindqvist, lead of Customer support", "weeks-data", "Difference",
                  "It stops in the middle of a dose", "with a mail to the mailbox"):  # fmt: skip
        assert words in html, words
    edit = manager.get(reverse("escalation_policies:add"), {"draft": one.pk}).content.decode()
    assert 'value="Several owners at once"' in edit and 'name="rungs-0-hours" value="2.0"' in edit
    response = manager.post(reverse("escalation:use_simulation", args=[one.pk]))
    policy = EscalationPolicy.objects.get(slug="several")
    assert policy.active and response["Location"] == reverse("escalation:policy", args=[policy.pk])


def test_each_version_can_be_read(manager: Client, hanna: User) -> None:
    policy = EscalationPolicy.objects.get(slug="default-problem")
    page = reverse("escalation:policy", args=[policy.pk])
    assert "has not been changed" in manager.get(page).content.decode()
    data = policy_data(slug=policy.slug, name="All that is broken", any_tag="", me_too_at_least="", position=900)
    assert manager.post(reverse("escalation_policies:edit", args=[policy.pk]), data).status_code == 302
    html = manager.get(page).content.decode()
    for words in ("Version 1", "Version 2", "All that is broken", "After 72 h: community manager notified", str(hanna)):
        assert words in html, words
    assert "Kinds: Problem" in html, "conditions read as in the form"
    assert f'href="{page}"' in manager.get(reverse("escalation_policies:index")).content.decode()


def test_a_policy_is_switched_off_and_on_but_the_last_resort_stays(manager: Client, support: Department) -> None:
    response = manager.post(reverse("escalation_policies:add"), policy_data(language_not="fr"))
    assert response.status_code == 302
    policy = EscalationPolicy.objects.get(slug="several")
    for on in ("0", "0", "1"):
        manager.post(reverse("escalation:switch_policy", args=[policy.pk]), {"on": on})
        policy.refresh_from_db()
        assert policy.active == (on == "1")
    assert policy.version == 3
    last = EscalationPolicy.objects.get(slug="default-problem")
    response = manager.post(reverse("escalation:switch_policy", args=[last.pk]), {"on": "0"}, follow=True)
    assert "No policy in use is for every problem" in response.content.decode()


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"rungs-1-kind": "department_notified"}, "rungs-1-kind", "A loop"),
        ({"rungs-1-hours": 800}, "rungs-1-kind", "A gap"),
        ({"sentiment_at_most": "-3"}, "sentiment_at_most", "At least -1"),
        ({"routes": "refund: nowhere"}, "routes", "There is no department"),
        ({"routes": "refund"}, "routes", "Write a tag and a department"),
        ({"position": 950}, "position", "It would never be used"),
        ({"department": "empty"}, "department", "Nobody works in this department"),
    ],
)  # fmt: skip
def test_what_is_wrong_stands_beside_its_field(
    manager: Client, support: Department, changes: dict[str, object], field: str, words: str
) -> None:
    if "department" in changes:
        changes = {"department": factories.a_department("empty").pk}
    response = manager.post(reverse("escalation_policies:add"), policy_data(**changes))
    html = response.content.decode()
    assert "Several owners at once" in html and words in html  # what was typed is there
    form = response.context["form"]
    found = {name: list(errors) for name, errors in form.errors.items()}
    for number, rung in enumerate(form.rungs):
        found |= {f"rungs-{number}-{name}": list(errors) for name, errors in rung.errors.items()}
    assert [name for name in found if any(words in error for error in found[name])] == [field]
    assert not EscalationPolicy.objects.filter(slug="several").exists()


def test_agents_and_strangers_are_kept_out(client: Client, dana: User, enrol: Enrol, hanna: User) -> None:
    policy = EscalationPolicy.objects.get(slug="default-problem")
    one = Simulation.objects.create(draft={}, by=hanna, since=NOON)
    enrol(dana)
    client.force_login(dana)
    reads = [reverse("escalation:policy", args=[policy.pk]), reverse("escalation:simulation", args=[one.pk])]
    writes = [
        reverse("escalation:switch_policy", args=[policy.pk]), reverse("escalation:use_simulation", args=[one.pk])
    ]  # fmt: skip
    assert [client.get(url).status_code for url in reads] == [403, 403]
    assert [client.post(url, {"on": "0"}).status_code for url in writes] == [403, 403]
    enrol(hanna)
    client.force_login(hanna)
    assert [client.get(url).status_code for url in writes] == [405, 405]

"""Policies as data: which one is for a thread, which department, and what a file may say."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.exceptions import ValidationError

from community.accounts.models import Department, Membership, User
from community.core import clock
from community.core.errors import NotAllowed
from community.core.models import Delivery
from community.escalation import routing
from community.escalation.models import DeskSettings, Escalation, EscalationPolicy
from community.escalation.policies import (
    check_defaults,
    place_of,
    read_policy,
    save_policy,
    steps_of,
    switch_policy,
    write_policy,
)
from community.escalation.sweep import sweep
from community.questions import services as questions
from products.models import Product, Responsibility
from tests import factories

from .conftest import NOON

pytestmark = pytest.mark.django_db
BAD: dict[str, Any] = {
    "slug": "bad", "name": "Bad", "match": {"kind": "problem"}, "steps": [{"hours": 1, "step": "department notified"}]
}  # fmt: skip
FILE = Path(__file__).resolve().parents[2] / "demo" / "policies.yaml"


@pytest.fixture
def departments(support: Department) -> dict[str, Department]:
    others = {slug: factories.a_department(slug) for slug in ("design", "marketing", "pricing")}
    return {"support": support, **others}


@pytest.fixture
def loaded(departments: dict[str, Department]) -> dict[str, Department]:
    for position, data in enumerate(yaml.safe_load(FILE.read_text())["policies"]):
        save_policy(data, position=position)
    return departments


def test_there_is_a_last_resort_from_the_first_day() -> None:
    check_defaults()
    assert set(EscalationPolicy.objects.values_list("slug", flat=True)) >= {
        "default-problem", "default-question", "default-idea", "default-praise", "reopened",
    }  # fmt: skip


def test_the_demo_loads_and_loads_again_without_a_write(loaded: object, django_assert_num_queries: object) -> None:
    check_defaults()
    versions = dict(EscalationPolicy.objects.values_list("slug", "version"))
    for position, data in enumerate(yaml.safe_load(FILE.read_text())["policies"]):
        save_policy(data, position=position)
    assert dict(EscalationPolicy.objects.values_list("slug", "version")) == versions


@pytest.mark.parametrize(
    ("fields", "slug"),
    [
        ({"kind": "problem", "title": "It smells of burning, what now"}, "injury-or-danger"),
        ({"kind": "praise", "title": "No burn marks in five years"}, "default-praise"),
        ({"kind": "problem", "title": "The burnished lid has a dent in it"}, "default-problem"),
        ({"kind": "question", "tags": ["refund"]}, "orders-and-warranty"),
        ({"kind": "question", "language": "de"}, "not-in-english"),
        ({"kind": "idea"}, "default-idea"),
        ({"kind": "question"}, "default-question"),
    ],
)
def test_the_first_that_matches_is_used(loaded: object, alice: User, fields: dict[str, object], slug: str) -> None:
    factories.a_tag("refund")
    with clock.travel(NOON):
        thread = factories.a_thread(alice, **fields)
    assert thread.escalation.policy.slug == slug


@pytest.mark.once
def test_anger_is_read_once_when_the_post_is_written(loaded: object, alice: User) -> None:
    with clock.travel(NOON):
        angry = factories.a_thread(
            alice,
            kind="problem",
            title="You have lied to me for years",
            body="This is an insult. I am furious and disgusted.",
        )
        calm = factories.a_thread(
            alice, kind="problem", title="It drips all through the night", body="Only after steaming milk."
        )
        german = factories.a_thread(
            alice,
            kind="problem",
            language="de",
            title="Eine Frechheit ist das",
            body="Ich fühle mich belogen und bin wütend.",
        )
        french = factories.a_thread(
            alice,
            kind="problem",
            language="fr",
            title="Je suis furieux contre vous",
            body="Une honte, une honte totale !",
        )
    assert [thread.escalation.policy.slug for thread in (angry, calm, german, french)] == [
        "angry-or-wronged", "default-problem", "angry-or-wronged", "not-in-english"
    ]  # fmt: skip
    assert angry.escalation.sentiment <= -0.6 < calm.escalation.sentiment
    assert french.escalation.sentiment is None


@pytest.mark.once
def test_an_edit_is_read_again(loaded: object, alice: User) -> None:
    thread = factories.a_thread(
        alice, kind="problem", title="It drips all through the night", body="Only after steaming milk."
    )
    questions.edit_thread(
        thread, alice, title=thread.title, body="You are liars. I am furious, this is disgusting, a scam."
    )
    case = Escalation.objects.get(thread=thread)
    assert case.sentiment <= -0.6 and case.policy.slug == "angry-or-wronged"


def test_the_authors_standing(support: Department, bob: User) -> None:
    save_policy({**BAD, "slug": "new", "match": {"kind": "problem", "standing": ["newcomer", "advocate"]}}, position=1)
    newcomer = factories.a_person(trust=0)
    assert factories.a_thread(newcomer, kind="problem").escalation.policy.slug == "new"
    assert factories.a_thread(bob, kind="problem").escalation.policy.slug == "default-problem"
    User.objects.filter(pk=bob.pk).update(standing="advocate")
    bob.refresh_from_db()
    assert factories.a_thread(bob, kind="problem").escalation.policy.slug == "new"


def test_each_change_keeps_what_was(support: Department, dana: User, hanna: User) -> None:
    policy = save_policy({**BAD, "match": {"product": "duo"}, "department": "support"}, position=1)
    policy.name = "Renamed"
    write_policy(policy, steps_of(policy), hanna)
    policy = switch_policy(policy, hanna, on=False)
    assert switch_policy(policy, hanna, on=False).version == policy.version == 3  # twice is harmless
    with pytest.raises(NotAllowed):
        switch_policy(policy, dana, on=True)
    kept = [(row.version, row.data["name"], row.data["active"], row.by) for row in policy.versions.all()]
    assert kept == [(3, "Renamed", False, hanna), (2, "Renamed", True, hanna), (1, "Bad", True, None)]


def test_a_rung_by_mail_writes_to_the_mailbox_once(support: Department, alice: User, dana: User) -> None:
    step = {"hours": 1, "step": "department notified", "channel": "mail", "note": "Call them."}
    save_policy({**BAD, "match": {"kind": "problem", "language_not": ["de"]}, "steps": [step]}, position=1)
    with clock.travel(NOON):
        thread = factories.a_thread(alice, kind="problem", title="It hisses at night and drips")
    for _again in range(2):
        sweep(NOON + timedelta(hours=1))
    (mail,) = Delivery.objects.filter(address=support.mailbox)
    assert "It hisses" in mail.subject and "Call them." in mail.body_text
    assert f"/desk/{thread.pk}/" in mail.body_text


def test_routing(departments: dict[str, Department], alice: User, duo: Product) -> None:
    warranty, firmware = factories.a_tag("warranty"), factories.a_tag("firmware")
    for subject, slug in {
        "faults and repair": "support", "construction and firmware": "design", "warranty": "pricing", "": "marketing",
    }.items():  # fmt: skip
        Responsibility.objects.create(product=duo, subject=subject, department=departments[slug])

    def department(**fields: object) -> str:
        thread = factories.a_thread(alice, **fields)
        found = routing.department_for(thread, None)
        return found.slug if found else ""

    assert department(kind="problem", product=duo) == "support"
    assert department(kind="problem", product=duo, tags=[firmware.slug]) == "design"
    assert department(kind="problem", product=duo, tags=[warranty.slug]) == "pricing"
    assert department(kind="question", product=duo) == "marketing"
    assert department(kind="question") == "support"
    topic = factories.a_topic("stories", department=departments["marketing"])
    tag = factories.a_tag("press", topic=topic)
    assert department(kind="question", tags=[tag.slug]) == "marketing"
    settings = DeskSettings.load()
    settings.default_department = departments["design"]
    settings.save()
    assert department(kind="question") == "design"


def test_a_policys_department_wins_and_a_tag_of_its_list_before_it(
    departments: dict[str, Department], alice: User, duo: Product
) -> None:
    factories.a_tag("refund")
    Responsibility.objects.create(product=duo, subject="", department=departments["marketing"])
    policy = save_policy(
        {
            "slug": "recall", "name": "Recall", "match": {"product": "duo"}, "department": "design",
            "route_by_tag": {"refund": "pricing"}, "steps": [{"hours": 0, "step": "department notified"}],
        },
        position=1,
    )  # fmt: skip
    plain = factories.a_thread(alice, product=duo)
    money = factories.a_thread(alice, product=duo, tags=["refund"])
    assert plain.escalation.policy == policy
    assert (plain.escalation.department.slug, money.escalation.department.slug) == ("design", "pricing")


def test_an_archived_department_gets_nothing(departments: dict[str, Department], alice: User, duo: Product) -> None:
    Responsibility.objects.create(product=duo, subject="", department=departments["design"])
    Department.objects.filter(slug="design").update(archived_at=NOON)
    assert factories.a_thread(alice, product=duo).escalation.department.slug == "support"


@pytest.mark.parametrize(
    "changes",
    [
        {"match": {"mood": "bad"}},
        {"match": {"kind": "rant"}},
        {"match": {"me_too_at_least": "four"}},
        {"match": {"any_tag": []}},
        {"steps": [{"hours": 1, "step": "shout"}]},
        {"steps": []},
        {"steps": [{"hours": 4, "step": "assigned"}, {"hours": 2, "step": "lead notified"}]},
        {"steps": [{"hours": -1, "step": "assigned"}]},
        {"steps": [{"hours": 1, "step": "advocates notified"}]},
        {"department": "nowhere"},
        {"acknowledge_hours": 0},
        {"match": {"sentiment_at_most": -2}},
        {"match": {"standing": "king"}},
        {"route_by_tag": {"refund": "nowhere"}},
        {"steps": [{"hours": 1, "step": "assigned"}, {"hours": 900, "step": "lead notified"}]},  # a gap
        {"steps": [{"hours": 1, "step": "assigned"}, {"hours": 2, "step": "assigned"}]},  # a loop
        {"steps": [{"hours": 1, "step": "advocates notified", "channel": "mail"}, {"hours": 2, "step": "assigned"}]},
    ],
)
def test_a_bad_policy_is_refused_whole(support: Department, changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        save_policy({**BAD, **changes})
    assert not EscalationPolicy.objects.filter(slug="bad").exists()


def test_whoever_is_told_has_to_be_there(support: Department, hanna: User, dana: User) -> None:
    """In the admin, that is: a file may name departments whose people come after it."""

    def refused_at(**changes: Any) -> tuple[str, str]:
        data = {**BAD, "match": {"product": "duo"}, "department": "support", **changes}
        policy, steps = read_policy(data, EscalationPolicy(slug="bad"))
        with pytest.raises(ValidationError) as refused:
            write_policy(policy, steps, hanna)
        (field,) = refused.value.error_dict
        return field, place_of(refused.value.error_dict[field][0])

    empty = factories.a_department("empty")
    assert refused_at(department="empty") == ("department", "")
    Membership.objects.create(department=empty, user=dana)
    Department.objects.filter(pk=empty.pk).update(hours={})
    assert refused_at(department="empty") == ("department", "")
    led = [{"hours": 1, "step": "department notified"}, {"hours": 2, "step": "lead notified"}]
    assert refused_at(steps=led) == ("steps", "1")
    Department.objects.filter(pk=support.pk).update(mailbox="")
    assert refused_at(steps=[{"hours": 1, "step": "late"}, {"hours": 1, "step": "assigned", "channel": "mail"}]) == (
        "steps", "1"
    )  # fmt: skip
    # It would never be used: the last resort takes all problems before it.
    assert refused_at(match={"kind": "problem", "any_tag": ["firmware"]}, position=950) == ("position", "")

"""Policies as data: which one is for a thread, which department, and what a file may say."""

from pathlib import Path

import pytest
import yaml
from django.core.exceptions import ValidationError

from community.accounts.models import Department, User
from community.core import clock
from community.escalation import routing
from community.escalation.models import DeskSettings, EscalationPolicy
from community.escalation.policies import check_defaults, save_policy
from products.models import Product, Responsibility
from tests import factories

from .conftest import NOON

pytestmark = pytest.mark.django_db
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


def test_what_cannot_be_judged_does_not_hold(loaded: object, alice: User) -> None:
    """There is no reading of feelings yet: a policy that asks for one is passed over, not used for everybody."""
    thread = factories.a_thread(alice, kind="problem", title="You have lied to me for two years")
    assert thread.escalation.policy.slug == "default-problem"


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
    ],
)
def test_a_bad_policy_is_refused_whole(support: Department, changes: dict[str, object]) -> None:
    data = {"slug": "bad", "name": "Bad", "match": {"kind": "problem"}, "steps": [{"hours": 1, "step": "assigned"}]}
    with pytest.raises(ValidationError):
        save_policy({**data, **changes})
    assert not EscalationPolicy.objects.filter(slug="bad").exists()

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from community.accounts.models import Department, User
from community.accounts.services import set_role
from community.escalation import cases, remembered, suggesting
from community.events.models import Event
from community.questions.models import Thread
from tests import factories

NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)  # a Wednesday
Kinds = Callable[[Thread], list[str]]


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    remembered.forget()
    suggesting._kept = None


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, bob: User) -> list[User]:
    """Whom the advocates' room would name: Bob, until a test says otherwise."""
    people = [bob]
    monkeypatch.setattr(cases.firing, "matching_advocates", lambda thread, limit=3: people[:limit])
    return people


@pytest.fixture
def mei(support: Department) -> User:
    """A second agent of customer support."""
    mei = factories.a_person("mei", name="Mei Tanaka")
    set_role(mei, None, "agent", support)
    return User.objects.get(pk=mei.pk)


@pytest.fixture
def lead(support: Department) -> User:
    """Leads customer support."""
    lead = factories.a_person("lead", name="Lea Lindqvist")
    set_role(lead, None, "agent", support, lead=True)
    support.refresh_from_db()
    return User.objects.get(pk=lead.pk)


@pytest.fixture
def told() -> Kinds:
    """Which events of escalation a thread has seen, in order."""

    def kinds(thread: Thread) -> list[str]:
        rows = Event.objects.about(thread).filter(kind__startswith="escalation.").in_order()
        return [kind.removeprefix("escalation.") for kind in rows.values_list("kind", flat=True)]

    return kinds

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from community.accounts.models import Department, User
from community.accounts.services import set_role
from community.core import clock
from community.escalation import services as escalation
from community.escalation.models import Escalation
from community.insights import daily
from community.insights.models import DailyFigure
from community.questions import services as questions
from community.questions.models import Thread
from tests import factories

MONDAY = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)


@pytest.fixture
def lead(support: Department) -> User:
    """Leads customer support."""
    lead = factories.a_person("lead")
    set_role(lead, None, "agent", support, lead=True)
    return User.objects.get(pk=lead.pk)


@pytest.fixture
def counted() -> Callable[..., dict[str, int]]:
    """How often each outcome of a figure is stored, when all up to a moment is counted."""

    def count(figure: str, now: datetime, **where: Any) -> dict[str, int]:
        daily.catch_up(now)
        found: dict[str, int] = {}
        for part, value, n in DailyFigure.objects.filter(figure=figure, **where).values_list("part", "value", "count"):
            name = part or str(value)
            found[name] = found.get(name, 0) + n
        return found

    return count


@pytest.fixture
def story(alice: User, bob: User, dana: User, support: Department) -> Callable[..., Thread]:
    """A question of Alice's, acknowledged by Dana and settled by Bob's answer, at the times given."""

    def tell(at: datetime = MONDAY, *, settle_after: float = 24, staff: bool = False, **fields: Any) -> Thread:
        with clock.travel(at):
            thread = factories.a_thread(alice, **fields)
            Escalation.objects.filter(thread=thread).update(department=support)
        with clock.travel(at + timedelta(hours=2)):
            escalation.acknowledge(thread, dana)
        with clock.travel(at + timedelta(hours=settle_after)):
            answer = factories.an_answer(thread, dana if staff else bob)
            questions.accept_answer(answer, alice)
        thread.refresh_from_db()
        return thread

    return tell

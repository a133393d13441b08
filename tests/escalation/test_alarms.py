"""A rung that tells a webhook of its department: signed, the same at every try, once."""

import json
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from community.accounts.models import Department, User
from community.core import clock, outgoing
from community.escalation import handoffs, policies, remembered
from community.escalation.models import Alarm, Channel, Escalation, EscalationPolicy, Reach, StepKind
from community.escalation.sweep import sweep
from community.questions.models import Thread
from tests import factories

from .conftest import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.once]
RUNGS = [
    (1.0, StepKind.DEPARTMENT.value, "Ring the bell.", Reach.WEBHOOK.value),
    (24.0, StepKind.MANAGER.value, "", "own"),
]


@pytest.fixture
def pager(hanna: User) -> Channel:
    channel = Channel(slug="pager", name="the pager", kind="webhook", url="https://hooks.example.org/pager")
    return handoffs.save_channel(channel, hanna)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bytes, dict[str, str]]]:
    letters: list[tuple[str, bytes, dict[str, str]]] = []

    def post(url: str, body: bytes, headers: dict[str, str]) -> outgoing.Reply:
        letters.append((url, body, headers))
        return outgoing.Reply(200 if len(letters) > 1 else 503, b"")

    monkeypatch.setattr(outgoing, "post", post)
    return letters


def the_policy(department: Department, by: User) -> EscalationPolicy:
    policy = EscalationPolicy(
        slug="pager", name="Pager", position=1, match={"kind": ["problem"], "any_phrase": ["sparks"]}
    )
    policy.department = department
    return policies.write_policy(policy, RUNGS, by)


def a_thread(by: User, **more: str) -> Thread:
    with clock.travel(NOON):
        return factories.a_thread(by, kind="problem", body="There were sparks, and a smell.", **more)


def test_a_rung_tells_the_webhook_once_and_tries_again(
    alice: User, dana: User, hanna: User, support: Department, pager: Channel, asked: list[User],
    sent: list[tuple[str, bytes, dict[str, str]]],
) -> None:  # fmt: skip
    the_policy(support, hanna)
    thread = a_thread(alice, private={"serial": "M54-0388"})  # type: ignore[arg-type]
    for _twice in range(2):
        sweep(NOON + timedelta(hours=1))
    alarm = Alarm.objects.get()
    with clock.travel(NOON + timedelta(hours=1)):
        assert [handoffs.send_alarms() for _twice in range(2)] == [1, 0], "what failed waits"
    with clock.travel(NOON + timedelta(hours=1, minutes=2)):
        assert [handoffs.send_alarms() for _twice in range(2)] == [1, 0]
    alarm.refresh_from_db()
    (url, first, _headers), (_again, body, headers) = sent
    assert (alarm.state, url, first) == ("sent", pager.url, body)
    signed = handoffs.signature(pager.secret, headers["X-Community-Timestamp"], body)
    assert headers["X-Community-Signature"] == signed
    told = json.loads(body)
    assert (told["type"], told["rung"], told["note"]) == ("case.escalated", "department_notified", "Ring the bell.")
    assert told["case"].endswith(f"/admin/desk/{thread.pk}/") and "M54-0388" not in body.decode()
    assert Escalation.objects.get(thread=thread).told_at == NOON + timedelta(hours=1)


def test_what_nobody_may_see_any_more_is_not_told_and_failures_end(
    alice: User, dana: User, hanna: User, support: Department, pager: Channel, asked: list[User],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def refuse(*_any: object) -> outgoing.Reply:
        raise outgoing.Refused("nobody there")

    monkeypatch.setattr(outgoing, "post", refuse)
    the_policy(support, hanna)
    hidden, other = a_thread(alice), a_thread(factories.a_person())
    at = NOON + timedelta(hours=1)
    sweep(at)
    Thread.objects.filter(pk=hidden.pk).update(visibility="hidden")
    for _try in range(9):
        with clock.travel(at):
            handoffs.send_alarms()
        at += timedelta(hours=13)
    assert dict(Alarm.objects.values_list("escalation__thread", "state")) == {hidden.pk: "dropped", other.pk: "failed"}
    pager.refresh_from_db()
    assert not pager.is_usable and pager.disabled_because == "nobody there", "as after a hand-off that fails"


def test_a_policy_needs_a_webhook_for_it(hanna: User, dana: User, support: Department) -> None:
    remembered.forget()
    with pytest.raises(ValidationError, match="no webhook among the hand-off channels"):
        the_policy(support, hanna)
    with pytest.raises(ValidationError, match="they have no webhook"):
        policies.check_steps([(1.0, StepKind.ADVOCATES.value, "", "webhook"), *RUNGS[1:]])

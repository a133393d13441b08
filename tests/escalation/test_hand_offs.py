"""A case goes on elsewhere: mail, webhook, telephone; what comes back is posted under the question."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from community.accounts.models import User
from community.accounts.services import set_role
from community.core import clock, outgoing
from community.core.errors import Conflict, NotAllowed
from community.core.models import Delivery
from community.escalation import check, handoffs, promises, services
from community.escalation.models import Channel, Escalation, HandOff, Promise
from community.events.log import replay
from community.events.models import Event
from community.moderation import services as moderation
from community.notifications.recipients import recipients
from community.posts import services as posts
from community.posts.models import Comment
from community.questions import services as questions
from community.questions.models import PrivateView, Thread
from tests import factories

from .conftest import NOON, Kinds

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def problem(alice: User, asked: list[User]) -> Thread:
    with clock.travel(NOON):
        return factories.a_thread(
            alice, kind="problem", private={"serial": "M54-0388"}, body="It stops with three beeps."
        )


def a_channel(by: User, kind: str, **fields: object) -> Channel:
    fields = {"slug": kind, "name": f"the {kind} desk", **fields}
    return handoffs.save_channel(Channel(kind=kind, **fields), by)


@pytest.fixture
def webhook(hanna: User) -> Channel:
    return a_channel(hanna, "webhook", url="https://hooks.example.org/cases")


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bytes, dict[str, str]]]:
    """Letters to other servers, which all say yes, until a test says otherwise."""
    letters: list[tuple[str, bytes, dict[str, str]]] = []

    def post(url: str, body: bytes, headers: dict[str, str]) -> outgoing.Reply:
        letters.append((url, body, headers))
        return outgoing.Reply(200, b"")

    monkeypatch.setattr(outgoing, "post", post)
    return letters


def test_only_managers_say_where_cases_can_go_and_only_to_public_places(hanna: User, dana: User) -> None:
    with pytest.raises(NotAllowed):
        a_channel(dana, "webhook", url="https://hooks.example.org/")
    for wrong in ("http://127.0.0.1/", "https://example.org:8443/", ""):
        with pytest.raises(ValidationError) as refused:
            a_channel(hanna, "webhook", url=wrong)
        assert "url" in refused.value.error_dict
    with pytest.raises(ValidationError) as refused:
        a_channel(hanna, "mail")
    assert "address" in refused.value.error_dict


def test_a_mail_to_the_helpdesk_tells_all_so_that_the_customer_need_not(
    problem: Thread, hanna: User, dana: User, mei: User, alice: User, bob: User, told: Kinds
) -> None:
    desk = a_channel(hanna, "mail", address="help@example.org")
    answer = factories.an_answer(problem, bob, body="Clean the burrs first, then try again.")
    posts.comment(answer, alice, body="I cleaned them, it is lot 2410.")
    moderation.hide(posts.comment(problem, bob, body="Is it a fake?"), hanna, reason="Rude")
    Thread.objects.filter(pk=problem.pk).update(model_version="54, first series")
    problem.refresh_from_db()
    with pytest.raises(NotAllowed):
        handoffs.hand_off(problem, alice, desk, note="Look")
    with pytest.raises(ValidationError) as refused:
        handoffs.hand_off(problem, dana, desk, note=" ")
    assert "note" in refused.value.error_dict
    made = handoffs.hand_off(problem, dana, desk, note="Please check the motor.", with_private=True)
    assert handoffs.hand_off(problem, mei, desk, note="Again") == made, "while it runs it is the same"
    mail = Delivery.objects.get(key=f"hand-off:{made.pk}")
    assert mail.subject == f"[{made.reference}] {problem.title}" and mail.headers["Reply-To"] == "support@example.org"
    for said in (
        "Please check the motor.",
        "three beeps",
        "Clean the burrs",
        "lot 2410",
        "first series",
        "M54-0388",
        problem.get_absolute_url(),
    ):
        assert said in mail.body_text
    assert "fake" not in mail.body_text, "what was hidden goes nowhere"
    assert PrivateView.objects.get().viewer == dana
    assert told(problem).count("handed_off") == 1 and "acknowledged" in told(problem)
    assert problem.__class__.objects.visible().filter(pk=problem.pk).exists(), "the thread stays with everybody"
    assert Escalation.objects.get().is_open
    assert handoffs.follow_mails() == 0
    Delivery.objects.update(state="sent")
    assert handoffs.follow_mails() == 1 and handoffs.follow_mails() == 0
    made.refresh_from_db()
    assert made.state == "sent"


def test_a_mail_that_never_goes_is_told_to_staff_and_can_be_tried_again(
    problem: Thread, hanna: User, dana: User, told: Kinds
) -> None:
    made = handoffs.hand_off(problem, dana, a_channel(hanna, "mail", address="help@example.org"), note="Look")
    Delivery.objects.update(state="parked", last_error="SMTP 550")
    assert handoffs.follow_mails() == 1 and told(problem)[-1] == "hand_off_failed"
    handoffs.try_again(made, dana)
    made.refresh_from_db()
    assert made.state == "waiting" and Delivery.objects.get(key=f"hand-off:{made.pk}").state == "queued"


def test_a_webhook_is_signed_and_holds_nothing_private(
    problem: Thread, webhook: Channel, dana: User, sent: list
) -> None:
    with clock.travel(NOON):
        posts.comment(problem, problem.author, body="It is lot 2410.")
        made = handoffs.hand_off(problem, dana, webhook, note="Check the motor.", with_private=True)
        assert not made.with_private and sent == [], "nothing is sent in a request"
        assert handoffs.send_due() == 1 and handoffs.send_due() == 0
    [(url, body, headers)] = sent
    assert url == webhook.url and headers["X-Community-Delivery"] == str(made.delivery)
    stamp = headers["X-Community-Timestamp"]
    assert stamp == str(int(NOON.timestamp()))
    assert headers["X-Community-Signature"] == handoffs.signature(webhook.secret, stamp, body)
    letter = json.loads(body)
    assert letter["reference"] == made.reference and letter["thread"]["title"] == problem.title
    assert [said["text"] for said in letter["comments"]] == ["It is lot 2410."] and letter["answers"] == []
    assert "M54-0388" not in body.decode() and "@" not in body.decode()
    made.refresh_from_db()
    assert made.state == "sent"


def test_it_is_tried_for_a_day_then_the_channel_is_off_and_staff_know(
    problem: Thread, webhook: Channel, dana: User, hanna: User, monkeypatch: pytest.MonkeyPatch, told: Kinds
) -> None:
    tries: list[tuple[datetime, str, bytes]] = []

    def fail(url: str, body: bytes, headers: dict[str, str]) -> outgoing.Reply:
        tries.append((clock.now(), headers["X-Community-Delivery"], body))
        return outgoing.Reply(500, b"")

    monkeypatch.setattr(outgoing, "post", fail)
    with clock.travel(NOON):
        made = handoffs.hand_off(problem, dana, webhook, note="Look")
    moment = NOON
    for _ in range(30):
        with clock.travel(moment):
            handoffs.send_due()
        moment += timedelta(hours=1)
    made.refresh_from_db()
    webhook.refresh_from_db()
    assert len(tries) == 7 and tries[-1][0] - tries[0][0] >= timedelta(hours=24)
    assert len({(delivery, body) for _at, delivery, body in tries}) == 1, "the same id and body at every try"
    assert made.state == "failed" and webhook.disabled_because == "answered 500" and not webhook.is_usable
    assert told(problem)[-1] == "hand_off_failed"
    with pytest.raises(Conflict, match="switched off"):
        handoffs.try_again(made, dana)
    with pytest.raises(NotAllowed):
        handoffs.save_channel(webhook, dana)
    handoffs.save_channel(webhook, hanna)  # saving it switches it on again
    made = HandOff.objects.select_related("channel", "escalation__thread").get(pk=made.pk)
    assert handoffs.try_again(made, dana).next_try_at is not None


def test_a_run_ends_when_servers_are_slow(
    problem: Thread, webhook: Channel, dana: User, hanna: User, sent: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Escalation ticks on the same thread: the others wait for the next run, and nothing is lost."""
    handoffs.hand_off(problem, dana, webhook, note="Look")
    handoffs.hand_off(problem, dana, a_channel(hanna, "webhook", slug="two", url="https://h.example.org/"), note="Look")
    with monkeypatch.context() as slow:
        slow.setattr(handoffs.sending, "A_RUN", -1)
        assert handoffs.send_due() == 0 and HandOff.objects.filter(attempts=0).count() == 2
    assert handoffs.send_due() == 2 and len(sent) == 2


def test_mails_that_wait_hide_none_that_went(
    problem: Thread, hanna: User, dana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many hand-offs wait, those whose mail is settled are followed, the oldest first."""
    made = [
        handoffs.hand_off(
            problem, dana, a_channel(hanna, "mail", slug=f"m{n}", address=f"m{n}@example.org"), note="Look"
        )
        for n in range(4)
    ]
    monkeypatch.setattr(handoffs.sending, "BATCH", 1)
    Delivery.objects.filter(key__in=[handoffs.mail_key(row.pk) for row in made[::3]]).update(state="sent")
    assert [handoffs.follow_mails() for _ in range(3)] == [1, 1, 0]
    assert [HandOff.objects.get(pk=row.pk).state for row in made] == ["sent", "waiting", "waiting", "sent"]


def test_a_worker_that_died_while_it_sent_is_no_loss_and_two_workers_send_once(
    problem: Thread, webhook: Channel, dana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object) -> outgoing.Reply:
        raise Killed

    with clock.travel(NOON):
        handoffs.hand_off(problem, dana, webhook, note="Look")
        monkeypatch.setattr(outgoing, "post", die)
        with pytest.raises(Killed):
            handoffs.send_due()
        assert handoffs.send_due() == 0, "it is somebody's for five minutes"
    monkeypatch.setattr(outgoing, "post", lambda *_: outgoing.Reply(204, b""))
    with clock.travel(NOON + timedelta(minutes=5)):
        assert handoffs.send_due() == 1


def test_a_call_back_needs_a_number_and_its_outcome_is_noted(
    problem: Thread, hanna: User, dana: User, alice: User, told: Kinds
) -> None:
    phone = a_channel(hanna, "call")
    with pytest.raises(ValidationError, match="left no telephone number"):
        handoffs.hand_off(problem, dana, phone)
    questions.give_private_details(problem, alice, phone="+49 30 1234", call_when="after 17:00")
    made = handoffs.hand_off(problem, dana, phone)
    assert made.state == "sent"
    with pytest.raises(ValidationError) as refused:
        handoffs.post_outcome(made, dana, outcome=" ")
    assert "outcome" in refused.value.error_dict
    with pytest.raises(NotAllowed):
        handoffs.post_outcome(made, alice, outcome="All good")
    handoffs.post_outcome(made, dana, outcome="We found it together: the lid.", note="Was cross at first.")
    handoffs.post_outcome(made, dana, outcome="Twice")
    said = Comment.objects.get()
    assert "We found it together" in said.body_text and made.reference in said.body_text
    assert "cross" not in said.body_text and "+49" not in said.body_text
    assert told(problem).count("outcome_posted") == 1


def letter(channel: Channel, made: HandOff, at: datetime, **changes: str) -> dict[str, object]:
    body = json.dumps({"id": "letter-0001", "reference": made.reference, "outcome": "Motor changed.", **changes})
    stamp = str(int(at.timestamp()))
    return {
        "data": body,
        "content_type": "application/json",
        "headers": {
            "X-Community-Timestamp": stamp,
            "X-Community-Signature": handoffs.signature(channel.secret, stamp, body.encode()),
        },
    }


def test_the_outcome_comes_back_signed_once_and_fresh(
    client: Client, problem: Thread, webhook: Channel, dana: User, hanna: User, sent: list
) -> None:
    address = reverse("hooks:outcome", args=[webhook.slug])
    with clock.travel(NOON):
        made = handoffs.hand_off(problem, dana, webhook, note="Look")
        assert client.get(address).status_code == 405
        good = letter(webhook, made, NOON)
        for broken in (
            {**good, "headers": {}},
            {**good, "data": str(good["data"]).replace("Motor", "Meter")},
            {**good, "headers": {**good["headers"], "X-Community-Timestamp": str(int(NOON.timestamp()) + 1)}},  # type: ignore[dict-item]
            letter(webhook, made, NOON - timedelta(minutes=6)),
            letter(webhook, made, NOON + timedelta(minutes=6)),
            letter(Channel(secret="another"), made, NOON),
        ):
            assert client.post(address, **broken).status_code == 403  # type: ignore[arg-type]
        assert client.post(reverse("hooks:outcome", args=["nobody"]), **good).status_code == 403  # type: ignore[arg-type]
        assert client.post(address, **letter(webhook, made, NOON, reference="H-0000000")).status_code == 422  # type: ignore[arg-type]
        assert client.post(address, **letter(webhook, made, NOON, id="x")).status_code == 422  # type: ignore[arg-type]
        assert not Comment.objects.exists()
        handoffs.change_secret(webhook, hanna)  # what was signed with the old one still holds, for a day
        assert client.post(address, **good).status_code == 200  # type: ignore[arg-type]
        assert client.post(address, **good).status_code == 409, "replayed"  # type: ignore[arg-type]
    with clock.travel(NOON + timedelta(days=1, minutes=1)):
        webhook.refresh_from_db()
        old = letter(Channel(secret=webhook.previous_secret), made, clock.now(), id="letter-0002")
        assert client.post(address, **old).status_code == 403  # type: ignore[arg-type]
        # Another letter about the same is taken, and changes nothing.
        again = letter(webhook, made, clock.now(), id="letter-0003", outcome="Other words")
        assert client.post(address, **again).status_code == 200  # type: ignore[arg-type]
    said = Comment.objects.get()
    assert "Motor changed." in said.body_text and said.author == dana
    assert Event.objects.filter(kind="escalation.outcome_posted").count() == 1


def test_what_was_handed_off_keeps_its_private_details(problem: Thread, hanna: User, dana: User) -> None:
    with clock.travel(NOON):
        made = handoffs.hand_off(problem, dana, a_channel(hanna, "mail", address="help@example.org"), note="Look")
        services.answer_officially(
            problem, dana, body="The workshop has it, and looks at the motor.", department=dana.department
        )
        questions.solve_another_way(problem, problem.author, "The workshop did it")
    with clock.travel(NOON + timedelta(days=91)):
        assert questions.erase_private_details() == 0
        handoffs.withdraw(made, dana)
        handoffs.withdraw(made, dana)
        assert questions.erase_private_details() == 1


def test_the_asker_hears_of_an_outcome(
    problem: Thread, hanna: User, dana: User, django_capture_on_commit_callbacks: Callable
) -> None:
    made = handoffs.hand_off(problem, dana, a_channel(hanna, "mail", address="help@example.org"), note="Look")
    handoffs.post_outcome(made, dana, outcome="New motor.")
    event = Event.objects.get(kind="comment.posted")
    from community.notifications.recipients import recipients

    assert recipients(event) == {problem.author_id: "new_comment"}


def test_a_story_tells_promises_and_hand_offs_as_they_were(problem: Thread, dana: User, hanna: User) -> None:
    phone = a_channel(hanna, "call")
    with replay("demo", NOON):
        for _twice in range(2):
            services.tell_step(problem, "promise made", at=NOON, by=dana, note="A lid.", until=NOON + timedelta(days=1))
            services.tell_step(problem, "handed off", at=NOON, by=dana, reference="CALL-1", note="Ring", channel=phone)
        services.tell_step(problem, "promise late", at=NOON + timedelta(days=2), by=dana)
        assert Promise.objects.get().is_late and HandOff.objects.get().state == "sent"
        services.tell_step(
            problem, "outcome posted", at=NOON + timedelta(days=2), by=dana, reference="CALL-1", note="Fine"
        )
        services.tell_step(problem, "promise kept", at=NOON + timedelta(days=2), by=dana)
        assert Promise.objects.get().state == "kept" and HandOff.objects.get().outcome == "Fine"
        services.tell_step(problem, "promise made", at=NOON, by=dana, note="More", until=NOON + timedelta(days=1))
        services.tell_step(problem, "resolved", at=NOON + timedelta(days=3), by=dana, note="Done")
        assert promises.tell_settled() == 0, "its day has not come by the story's clock"
    with clock.travel(NOON + timedelta(days=4)):
        assert promises.tell_settled() == 1 and not Promise.objects.open().exists()
    assert not Comment.objects.exists(), "the story has words of its own"


def test_what_came_of_it_is_asked_for_once_no_clock_asks(
    problem: Thread, hanna: User, dana: User, mei: User, lead: User, told: Kinds
) -> None:
    def asked_at(day: float) -> int:
        with clock.travel(NOON + timedelta(days=day)):
            return handoffs.ask_what_came()

    with clock.travel(NOON):
        made = handoffs.hand_off(problem, dana, a_channel(hanna, "mail", address="help@example.org"), note="Look")
    assert asked_at(7) == 0, "its clocks run, and tell staff"
    with clock.travel(NOON + timedelta(days=8)):
        services.resolve(problem, dana, "private")
    assert asked_at(13) == 0 and asked_at(14) == 1 and asked_at(14.1) == 0 and asked_at(21.1) == 1
    event = Event.objects.filter(kind="escalation.outcome_awaited").last()
    assert event.data["reference"] == made.reference and recipients(event) == {dana.pk: "case_late"}
    assert Escalation.objects.get().history.filter(kind="outcome_awaited", reference=made.reference).count() == 2
    Escalation.objects.update(assignee=None)
    set_role(dana, None, "")
    assert asked_at(28.2) == 1
    assert recipients(Event.objects.filter(kind="escalation.outcome_awaited").last()) == {lead.pk: "case_late"}

    def unseen(day: float) -> list[str]:
        return [found.kind for found in check.look(NOON + timedelta(days=day))[1]]

    assert unseen(29) == [] and unseen(31) == ["handed"]
    handoffs.post_outcome(made, mei, outcome="The motor was changed.")
    assert asked_at(50) == 0 and unseen(50) == []


def test_of_a_thread_nobody_sees_nothing_is_asked(problem: Thread, hanna: User, dana: User, ravi: User) -> None:
    with clock.travel(NOON):
        handoffs.hand_off(problem, dana, a_channel(hanna, "mail", address="help@example.org"), note="Look")
        moderation.delete(problem, problem.author)
    with clock.travel(NOON + timedelta(days=40)):
        assert handoffs.ask_what_came() == 0 and check.look()[1] == []

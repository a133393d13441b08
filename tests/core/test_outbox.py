import threading
from datetime import timedelta
from smtplib import SMTPRecipientsRefused

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, EmailMultiAlternatives, send_mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connections, transaction

from community.core import clock, outbox, tasks
from community.core.models import Delivery, Numbers

State = Delivery.State


@pytest.fixture(autouse=True)
def ours(settings, monkeypatch):
    settings.EMAIL_BACKEND = "community.core.mail.OutboxBackend"
    settings.MAIL_TRANSPORT = "django.core.mail.backends.locmem.EmailBackend"
    settings.BASE_URL = "https://community.example.org"
    monkeypatch.setattr(outbox, "_checkers", {})


def queue(**values) -> Delivery:
    return outbox.queue(**{"kind": "news", "subject": "Hello", "text": "Words", "address": "a@example.org", **values})


class DeadServer(EmailBackend):
    def send_messages(self, messages):
        raise ConnectionRefusedError("no server at mail.internal for a@example.org")


class Picky(EmailBackend):
    def send_messages(self, messages):
        raise SMTPRecipientsRefused({"a@example.org": (550, b"nobody here")})


@pytest.fixture
def dead(settings):
    settings.MAIL_TRANSPORT = f"{__name__}.DeadServer"


# The backend ------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_every_mail_is_a_row_first_one_for_each_recipient():
    message = EmailMultiAlternatives(
        "Hi", "words", "sender@example.org", ["A <a@example.org>", "b@example.org"], cc=["b@example.org"],
        reply_to=["r@example.org"],
    )  # fmt: skip
    message.attach_alternative("<p>words</p>", "text/html")
    assert message.send() == 1
    rows = list(Delivery.objects.order_by("id"))
    assert [row.address for row in rows] == ["a@example.org", "b@example.org"]
    assert rows[0].body_html == "<p>words</p>"
    assert rows[0].headers == {"From": "sender@example.org", "Reply-To": "r@example.org"}
    assert not mail.outbox
    assert outbox.deliver_due().sent == 2
    assert [sent.to for sent in mail.outbox] == [["a@example.org"], ["b@example.org"]]
    assert mail.outbox[0].message()["From"] == "sender@example.org"


@pytest.mark.django_db
def test_a_mail_exists_only_if_its_cause_does():
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        send_mail("Hi", "words", None, ["a@example.org"])
        _ = 1 / 0
    assert not Delivery.objects.exists()


@pytest.mark.django_db
def test_line_breaks_never_make_headers():
    queue(subject="Hi\r\nBcc: victim@example.org" + "x" * 400, headers={"X-Note\r\nBcc": "a\nBcc: b@example.org"})
    outbox.deliver_due()
    sent = mail.outbox[0].message()
    assert sent["Bcc"] is None and len(Delivery.objects.get().subject) == 255
    assert mail.outbox[0].recipients() == ["a@example.org"]
    with pytest.raises(ValidationError):
        queue(address="a@example.org\nBcc: b@example.org")


@pytest.mark.django_db
def test_attachments_are_refused_and_bad_addresses_too():
    message = EmailMessage("Hi", "words", None, ["a@example.org"], attachments=[("a.txt", "x", "text/plain")])
    with pytest.raises(ValueError, match="attachments"):
        message.send()
    with pytest.raises(ValidationError):
        send_mail("Hi", "words", None, ["nobody"])
    assert send_mail("Hi", "words", None, ["nobody"], fail_silently=True) == 0


# Queueing ---------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_same_key_is_queued_once(alice):
    first = queue(key="answer:1:alice", user=alice, address="")
    assert queue(key="answer:1:alice", user=alice, address="").pk == first.pk
    outbox.queue_many([
        outbox.build(kind="news", subject="a", text="b", user=alice, key="answer:1:alice"),
        outbox.build(kind="news", subject="a", text="b", user=alice, key="answer:2:alice"),
    ])  # fmt: skip
    assert Delivery.objects.count() == 2


@pytest.mark.django_db
def test_it_goes_to_a_person_or_to_an_address(alice):
    with pytest.raises(ValueError, match="one of the two"):
        queue(user=alice)
    with pytest.raises(ValueError, match="one of the two"):
        queue(address="")


@pytest.mark.django_db
def test_a_persons_mail_goes_to_the_address_of_the_day(alice):
    queue(user=alice, address="")
    alice.email = "new@example.org"
    alice.save()
    outbox.deliver_due()
    assert mail.outbox[0].to == ["new@example.org"]


@pytest.mark.django_db
def test_the_task_delivers():
    queue()
    tasks.deliver.func()
    assert len(mail.outbox) == 1


# Sending ----------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_twice_is_harmless_and_the_message_id_is_the_rows():
    row = queue()
    assert outbox.deliver_due().sent == 1
    assert outbox.deliver_due().sent == 0
    row.refresh_from_db()
    assert row.state == State.SENT and row.sent_at and row.claim is None and row.attempts == 1
    assert mail.outbox[0].extra_headers["Message-ID"] == outbox.message_id(row)
    assert outbox.message_id(row).endswith("@community.example.org>")


@pytest.mark.django_db
def test_not_before_it_is_due(wednesday):
    queue(due_at=wednesday + timedelta(minutes=10))
    assert outbox.deliver_due().sent == 0
    with clock.travel(wednesday + timedelta(minutes=10)):
        assert outbox.deliver_due().sent == 1


@pytest.mark.django_db
def test_codes_go_before_news(wednesday):
    queue(subject="news")
    with clock.travel(wednesday + timedelta(seconds=5)):
        queue(subject="code", kind=outbox.TRANSACTIONAL)
        assert outbox.deliver_due(limit=1).sent == 1
    assert mail.outbox[0].subject == "code"


@pytest.mark.django_db
def test_a_dead_server_is_tried_again_ever_more_slowly_and_then_parked(dead, settings, wednesday, caplog):
    row = queue()
    moment, waits = wednesday, []
    for _attempt in range(outbox.MAX_ATTEMPTS):
        with clock.travel(moment):
            assert outbox.deliver_due().failed == 1
            assert outbox.deliver_due().failed == 0
        row.refresh_from_db()
        waits.append((row.due_at - moment) / timedelta(minutes=1))
        moment = row.due_at
    assert waits[:7] == [1, 5, 15, 60, 240, 360, 360]
    assert row.state == State.PARKED
    assert "ConnectionRefusedError" in row.last_error
    assert "a@example.org" not in caplog.text
    settings.MAIL_TRANSPORT = "django.core.mail.backends.locmem.EmailBackend"
    with clock.travel(moment + timedelta(days=1)):
        assert outbox.deliver_due().sent == 0


@pytest.mark.django_db
def test_a_server_that_is_away_or_slow_keeps_no_other_sweep_waiting(dead, settings, monkeypatch):
    """Escalation ticks on the same thread. What was not tried lost no attempt; one mail's own fault ends nothing."""
    rows = [queue(address=f"a{number}@example.org") for number in range(3)]
    assert (outbox.deliver_due().failed, outbox.deliver_due().failed) == (1, 1)
    for row in rows:
        row.refresh_from_db()
    assert [row.attempts for row in rows] == [1, 1, 0] and rows[2].state == State.QUEUED
    Delivery.objects.update(due_at=clock.now())
    settings.MAIL_TRANSPORT = f"{__name__}.Picky"
    assert (outbox.deliver_due().failed, Delivery.objects.filter(attempts=2).count()) == (3, 2)
    Delivery.objects.update(due_at=clock.now())
    settings.MAIL_TRANSPORT = "django.core.mail.backends.locmem.EmailBackend"
    with monkeypatch.context() as slow:
        slow.setattr(outbox, "A_RUN", -1)
        assert outbox.deliver_due().sent == 0
    assert outbox.deliver_due().sent == 3


@pytest.mark.django_db
def test_one_bad_row_does_not_hold_up_the_others():
    def stumbles(delivery):
        raise RuntimeError("a checker's own mistake")

    outbox.register_checker("broken", stumbles)
    queue(kind="broken")
    queue()
    tally = outbox.deliver_due()
    assert (tally.sent, tally.failed) == (1, 1)


@pytest.mark.django_db
def test_what_a_dead_worker_was_sending_goes_out_again_after_ten_minutes(wednesday):
    row = queue()
    assert outbox.claim(row.pk) is not None
    assert outbox.claim(row.pk) is None
    with clock.travel(wednesday + timedelta(minutes=9)):
        assert outbox.deliver_due().sent == 0
    with clock.travel(wednesday + timedelta(minutes=11)):
        assert outbox.deliver_due().sent == 1


@pytest.mark.django_db
def test_a_slow_worker_does_not_overwrite_who_took_over(wednesday):
    row = queue()
    slow = outbox.claim(row.pk)
    with clock.travel(wednesday + timedelta(minutes=11)):
        outbox.deliver_due()
    assert not outbox._release(slow, state=State.QUEUED)
    row.refresh_from_db()
    assert row.state == State.SENT


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_each_mail_once():
    rows = [queue(subject=f"mail {number}") for number in range(12)]
    won: list[int] = []

    def work():
        try:
            for row in rows:
                if outbox.claim(row.pk):
                    won.append(row.pk)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == sorted(row.pk for row in rows)


# Still wanted -----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_what_is_no_longer_wanted_is_dropped(alice):
    outbox.register_checker("news", lambda delivery: delivery.data["answer"] != 7)
    hidden, shown = queue(data={"answer": 7}), queue(data={"answer": 8})
    tally = outbox.deliver_due()
    assert (tally.sent, tally.dropped) == (1, 1)
    hidden.refresh_from_db(), shown.refresh_from_db()
    assert (hidden.state, shown.state) == (State.DROPPED, State.SENT)


@pytest.mark.django_db
def test_nobody_writes_to_a_closed_account_or_one_that_a_rule_for_all_excludes(alice, bob):
    queue(user=alice, address="")
    alice.is_active = False
    alice.save()
    outbox.register_checker("*", lambda delivery: delivery.user.username != "bob")
    queue(user=bob, address="")
    queue(kind=outbox.TRANSACTIONAL, user=bob, address="")
    tally = outbox.deliver_due()
    assert (tally.sent, tally.dropped) == (1, 2)


@pytest.mark.django_db
def test_a_person_without_an_address_costs_no_attempts(alice):
    row = queue(user=alice, address="")
    alice.email = None
    alice.save()
    assert outbox.deliver_due().dropped == 1
    row.refresh_from_db()
    assert row.last_error == "no address"


@pytest.mark.django_db
def test_so_many_mails_a_day_and_no_more_but_codes_always(alice, wednesday):
    numbers = Numbers.load()
    numbers.mails_a_day = 2
    numbers.save()
    for _ in range(3):
        queue(user=alice, address="")
    queue(user=alice, address="", kind=outbox.TRANSACTIONAL)
    assert outbox.deliver_due().sent == 3
    waiting = Delivery.objects.get(state=State.QUEUED)
    assert waiting.attempts == 0 and waiting.due_at == wednesday + timedelta(hours=1)
    with clock.travel(wednesday + timedelta(hours=23)):
        assert outbox.deliver_due().sent == 0
    with clock.travel(wednesday + timedelta(hours=25)):
        assert outbox.deliver_due().sent == 1


@pytest.mark.django_db
def test_what_was_settled_long_ago_is_erased(wednesday):
    queue()
    outbox.deliver_due()
    queue(due_at=wednesday + timedelta(days=60))
    with clock.travel(wednesday + timedelta(days=31)):
        assert outbox.tidy() == 1
    assert Delivery.objects.count() == 1

"""What leaves the house: rows first, the queue only nudges.

A service queues a message in its own transaction, so that it exists exactly when its cause does. A worker claims the
row by a conditional update, asks whether the message is still wanted, hands it over and notes it. Two workers at
once, a worker killed between two lines, a mail server down for a day: each mail goes out once, save at most the one
in flight when the worker died, which carries the same Message-ID again.

    outbox.queue(kind="thread.answered", user=asker, subject=..., text=..., data={"answer": 7}, key="answered:7:3")

    outbox.register_checker("thread.answered", lambda delivery: is_visible(delivery.data["answer"], delivery.user))
"""

import hashlib
import logging
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from smtplib import SMTPAuthenticationError, SMTPConnectError, SMTPException, SMTPHeloError, SMTPServerDisconnected
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Case, F, IntegerField, Min, Q, Value, When

from . import clock, schedule, text
from .models import Delivery, Numbers

logger = logging.getLogger(__name__)

TRANSACTIONAL = "transactional"  # codes and receipts: always wanted, never counted
BACK_OFF = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240)]
LATER = timedelta(hours=6)
MAX_ATTEMPTS = 12
STUCK = timedelta(minutes=10)  # a claim older than this belongs to a worker that is gone
DAY = timedelta(days=1)
KEPT = timedelta(days=30)  # what was sent is kept for questions, then erased
MAX_SUBJECT = 255
A_RUN = 20.0  # seconds on the wall after which a run takes no further mail: other sweeps wait behind it

Checker = Callable[[Delivery], bool]
_checkers: dict[str, list[Checker]] = {}


@dataclass
class Tally:
    """What a run did."""

    sent: int = 0
    failed: int = 0
    dropped: int = 0
    unreachable: bool = False  # the server itself failed, not one mail


# Queueing ---------------------------------------------------------------------------------------------------


def queue(
    *,
    kind: str,
    subject: str,
    text: str,
    html: str = "",
    user: AbstractBaseUser | None = None,
    address: str = "",
    headers: dict[str, str] | None = None,
    data: dict[str, Any] | None = None,
    due_at: datetime | None = None,
    key: str = "",
) -> Delivery:
    """Write one mail into the outbox. A `key` that is there already changes nothing and returns that row."""
    delivery = build(
        kind=kind, subject=subject, text=text, html=html, user=user, address=address, headers=headers, data=data,
        due_at=due_at, key=key,
    )  # fmt: skip
    values = {field.name: getattr(delivery, field.name) for field in Delivery._meta.fields}
    del values["id"]
    queued, created = Delivery.objects.get_or_create(key=values.pop("key"), defaults=values)
    if created:
        nudge(queued.due_at)
    return queued


def queue_many(deliveries: Iterable[Delivery]) -> None:
    """Write many at once, made by `build`; those whose key is there already are left out."""
    rows = list(deliveries)
    Delivery.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
    if rows:
        nudge(min(row.due_at for row in rows))


def build(
    *,
    kind: str,
    subject: str,
    text: str,
    html: str = "",
    user: AbstractBaseUser | None = None,
    address: str = "",
    headers: dict[str, str] | None = None,
    data: dict[str, Any] | None = None,
    due_at: datetime | None = None,
    key: str = "",
) -> Delivery:
    """An unsaved row, its header fields made safe. Goes to the user's address of the day, or to `address`."""
    if (user is None) == (not address):
        raise ValueError("A delivery goes to a user or to an address: one of the two.")
    if address:
        validate_email(address)
    now = clock.now()
    return Delivery(
        key=key or str(uuid.uuid4()),
        user=user,
        address=address,
        kind=kind,
        subject=one_line(subject)[:MAX_SUBJECT],
        body_text=text,
        body_html=html,
        headers={one_line(name): one_line(str(value)) for name, value in (headers or {}).items()},
        data=data or {},
        due_at=due_at or now,
        created_at=now,
    )


def one_line(value: str) -> str:
    """A header field: whatever would begin a new line is a space."""
    return text.clean_line(value)


def nudge(due_at: datetime) -> None:
    """Tell the queue, in the same transaction, that something waits. A lost nudge costs seconds, not the mail."""
    from .tasks import deliver

    if due_at <= clock.now():
        deliver.enqueue()


# Whether it is still wanted ---------------------------------------------------------------------------------


def register_checker(kind: str, checker: Checker) -> None:
    """Ask `checker(delivery)` right before sending; False drops it. The kind "*" is asked for all with a user.

    For what may change between writing and sending: hidden content, preferences, suspension. Transactional mail
    is never asked about.
    """
    asked = _checkers.setdefault(kind, [])
    if checker not in asked:
        asked.append(checker)


def still_wanted(delivery: Delivery) -> bool:
    if delivery.kind == TRANSACTIONAL:
        return True
    if delivery.user is not None and not delivery.user.is_active:
        return False
    everyone = _checkers.get("*", []) if delivery.user is not None else []
    return all(checker(delivery) for checker in [*everyone, *_checkers.get(delivery.kind, [])])


# Sending ----------------------------------------------------------------------------------------------------


def deliver_due(limit: int = 200) -> Tally:
    """Send what is due, codes before news, at most `limit`; safe with any number of workers.

    A server that can't be reached ends the run at the first mail, a slow one after 20 seconds: escalation ticks on the
    same thread. What is left was not claimed; it is due still, and lost no attempt.
    """
    began = time.monotonic()
    reclaim()
    tally = Tally()
    due = (
        Delivery.objects.filter(state=Delivery.State.QUEUED, channel=Delivery.Channel.MAIL, due_at__lte=clock.now())
        .annotate(turn=Case(When(kind=TRANSACTIONAL, then=Value(0)), default=Value(1), output_field=IntegerField()))
        .order_by("turn", "due_at", "id")
        .values_list("id", flat=True)[:limit]
    )
    line = _Line()
    try:
        for delivery_id in list(due):
            if tally.unreachable or time.monotonic() - began > A_RUN:
                break
            delivery = claim(delivery_id)
            if delivery is not None:
                _deliver(delivery, line, tally)
    finally:
        line.close()
    return tally


def claim(delivery_id: int) -> Delivery | None:
    """The row, if it is due and ours; nobody else gets it until it is done or the claim is too old."""
    now = clock.now()
    with transaction.atomic():
        won = Delivery.objects.filter(id=delivery_id, state=Delivery.State.QUEUED, due_at__lte=now).update(
            state=Delivery.State.SENDING, claim=uuid.uuid4(), claimed_at=now, attempts=F("attempts") + 1
        )
        if not won:
            return None
        delivery = Delivery.objects.select_related("user").get(id=delivery_id)
        if _had_enough(delivery, now):
            _release(delivery, state=Delivery.State.QUEUED, due_at=now + timedelta(hours=1), attempts=F("attempts") - 1)
            return None
    return delivery


def _had_enough(delivery: Delivery, now: datetime) -> bool:
    """Whether the person got the day's share of mails; the others wait."""
    if delivery.user_id is None or delivery.kind == TRANSACTIONAL:
        return False
    # One count at a time for each person, whichever worker it is.
    get_user_model()._base_manager.select_for_update(no_key=True).filter(pk=delivery.user_id).first()
    counted = Delivery.objects.filter(
        Q(state=Delivery.State.SENDING) | Q(state=Delivery.State.SENT, sent_at__gt=now - DAY),
        user_id=delivery.user_id,
        channel=Delivery.Channel.MAIL,
    )
    return counted.exclude(kind=TRANSACTIONAL).exclude(id=delivery.id).count() >= Numbers.load().mails_a_day


def _deliver(delivery: Delivery, line: "_Line", tally: Tally) -> None:
    try:
        address = delivery.address or (delivery.user.email if delivery.user else "")
        if not address or not still_wanted(delivery):
            _release(delivery, state=Delivery.State.DROPPED, last_error="" if address else "no address")
            tally.dropped += 1
            return
        line.send(message(delivery, address))
    except Exception as problem:  # noqa: BLE001 - whatever the transport or a checker trips over is tried again
        _failed(delivery, problem)
        tally.failed += 1
        tally.unreachable = _is_of_the_server(problem)
        return
    if not _release(delivery, state=Delivery.State.SENT, sent_at=clock.now(), last_error=""):
        logger.warning("Delivery %s took so long that somebody else claimed it", delivery.pk)
    tally.sent += 1


def _failed(delivery: Delivery, problem: Exception) -> None:
    # The kind of the error alone goes into the log: its words may hold an address.
    logger.warning("Delivery %s failed at attempt %s: %s", delivery.pk, delivery.attempts, type(problem).__name__)
    parked = delivery.attempts >= MAX_ATTEMPTS
    _release(
        delivery,
        state=Delivery.State.PARKED if parked else Delivery.State.QUEUED,
        due_at=clock.now() + back_off(delivery.attempts),
        last_error=f"{type(problem).__name__}: {problem}"[:300],
    )


def _is_of_the_server(problem: Exception) -> bool:
    """Whether the next mail would fail in the same way: nobody answers, hangs up, or doesn't let us in."""
    if isinstance(problem, SMTPException):  # these are OSErrors, too; the others are about one mail
        of_the_server = (SMTPServerDisconnected, SMTPConnectError, SMTPHeloError, SMTPAuthenticationError)
        return isinstance(problem, of_the_server)
    return isinstance(problem, OSError)


def back_off(attempts: int) -> timedelta:
    """How long to wait after so many attempts."""
    return BACK_OFF[attempts - 1] if attempts <= len(BACK_OFF) else LATER


def _release(delivery: Delivery, **values: Any) -> bool:
    """Write the outcome, if the claim is still ours."""
    ours = Delivery.objects.filter(id=delivery.pk, state=Delivery.State.SENDING, claim=delivery.claim)
    return ours.update(claim=None, claimed_at=None, **values) == 1


def reclaim() -> int:
    """Back into the queue with what a worker was sending when it died."""
    stuck = Delivery.objects.filter(state=Delivery.State.SENDING, claimed_at__lt=clock.now() - STUCK)
    parked = stuck.filter(attempts__gte=MAX_ATTEMPTS).update(state=Delivery.State.PARKED, claim=None, claimed_at=None)
    return parked + stuck.update(state=Delivery.State.QUEUED, claim=None, claimed_at=None)


def message(delivery: Delivery, address: str) -> EmailMultiAlternatives:
    """The mail of a row; the same row always has the same Message-ID."""
    mail = EmailMultiAlternatives(
        subject=delivery.subject,
        body=delivery.body_text,
        to=[address],
        headers={"Message-ID": message_id(delivery), **delivery.headers},
    )
    if delivery.body_html:
        mail.attach_alternative(delivery.body_html, "text/html")
    return mail


def message_id(delivery: Delivery) -> str:
    mark = hashlib.sha256(str(delivery.key).encode()).hexdigest()[:16]
    return f"<{delivery.pk}.{mark}@{urlsplit(settings.BASE_URL).hostname}>"


class _Line:
    """One connection to the mail server for a whole run, made anew after a failure."""

    def __init__(self) -> None:
        self.connection: BaseEmailBackend | None = None

    def send(self, mail: EmailMultiAlternatives) -> None:
        try:
            if self.connection is None:
                self.connection = get_connection(settings.MAIL_TRANSPORT)
                self.connection.open()
            if not self.connection.send_messages([mail]):
                raise RuntimeError("The mail transport did not take it.")
        except Exception:
            self.close()
            raise

    def close(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            try:
                connection.close()
            except Exception as problem:  # noqa: BLE001 - nothing is lost with a line that fails to hang up
                logger.warning("The mail server's line did not close: %s", type(problem).__name__)


def oldest_waiting() -> datetime | None:
    """Since when the oldest mail waits that should have gone: since it was due, or written where it failed before."""
    should = Q(due_at__lte=clock.now()) | Q(attempts__gt=0)
    waiting = Delivery.objects.filter(should, state=Delivery.State.QUEUED, channel=Delivery.Channel.MAIL)
    since = Case(When(attempts=0, then=F("due_at")), default=F("created_at"))
    return waiting.aggregate(oldest=Min(since))["oldest"]


# Sweeps -----------------------------------------------------------------------------------------------------


def tidy() -> int:
    """Erase what was settled long ago: mails hold words and codes."""
    settled = [Delivery.State.SENT, Delivery.State.DROPPED, Delivery.State.PARKED]
    return Delivery.objects.filter(state__in=settled, created_at__lt=clock.now() - KEPT).delete()[0]


def register() -> None:
    """The outbox's sweeps; called when the apps are ready."""
    schedule.every(15, "outbox.deliver")(deliver_due)
    schedule.every(24 * 60 * 60, "outbox.tidy")(tidy)

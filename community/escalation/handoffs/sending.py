"""The worker's part: sends webhooks and alarms, and follows the mails in the outbox."""

from __future__ import annotations

import time
from datetime import timedelta

from django.db import transaction
from django.db.models import CharField, Exists, F, OuterRef, Value
from django.db.models.functions import Cast, Concat

from community.core import clock, outgoing
from community.core.models import Delivery
from community.events.log import is_replaying, record

from .. import cases
from ..models import Alarm, Channel, HandOff
from .channels import signature, switch_off
from .ground import BATCH, State, hold, mail_key

# Seven tries over a day and an hour (CHECKS 39: five at least, over 24 hours at least).
BACK_OFF = [timedelta(minutes=minutes) for minutes in (1, 10, 60, 240, 480, 720)]
LEASE = timedelta(minutes=5)  # a worker that died while it sent
A_RUN = 20.0  # seconds
KEPT = timedelta(days=90)  # alarms that have ended


def send_due(limit: int = BATCH) -> int:
    """Send the webhooks that are due; safe with any number of workers. Returns how many were taken.

    After 20 seconds on the wall the others wait for the next run: servers that hang keep no other sweep waiting.
    """
    if is_replaying():
        return 0
    began = time.monotonic()
    due = HandOff.objects.filter(next_try_at__lte=clock.now()).order_by("next_try_at", "pk")
    sent = 0
    for pk, was_due in list(due.values_list("pk", "next_try_at")[:limit]):
        if time.monotonic() - began > A_RUN:
            break
        mine = HandOff.objects.filter(pk=pk, next_try_at=was_due, state=State.WAITING)
        if mine.update(next_try_at=clock.now() + LEASE, attempts=F("attempts") + 1):
            sent += 1
            _try(HandOff.objects.select_related("channel", "escalation__thread").get(pk=pk))
    return sent


def send_alarms(limit: int = BATCH) -> int:
    """Tell the webhooks what rungs have for them; safe with any number of workers. Returns how many were taken."""
    if is_replaying():
        return 0
    began, sent = time.monotonic(), 0
    due = Alarm.objects.filter(next_try_at__lte=clock.now()).order_by("next_try_at", "pk")
    for pk, was_due in list(due.values_list("pk", "next_try_at")[:limit]):
        if time.monotonic() - began > A_RUN:
            break
        mine = Alarm.objects.filter(pk=pk, next_try_at=was_due, state=Alarm.State.WAITING)
        if mine.update(next_try_at=clock.now() + LEASE, attempts=F("attempts") + 1):
            sent += 1
            _try_alarm(Alarm.objects.select_related("channel", "escalation__thread").get(pk=pk))
    Alarm.objects.filter(created_at__lt=clock.now() - KEPT, next_try_at=None).delete()
    return sent


def _try_alarm(row: Alarm) -> None:
    """Once; later again when it fails. After the last try the channel is switched off, as with hand-offs."""
    mine = Alarm.objects.filter(pk=row.pk, state=Alarm.State.WAITING)
    if not row.escalation.thread.is_visible:
        mine.update(state=Alarm.State.DROPPED, next_try_at=None)
        return
    problem = _post(row)
    if not problem:
        mine.update(state=Alarm.State.SENT, next_try_at=None, last_error="")
    elif row.attempts <= len(BACK_OFF) and row.channel.is_usable:
        mine.update(last_error=problem, next_try_at=clock.now() + BACK_OFF[row.attempts - 1])
    else:
        mine.update(state=Alarm.State.FAILED, last_error=problem, next_try_at=None)
        switch_off(row.channel, problem)


def _try(row: HandOff) -> None:
    if row.state != State.WAITING:  # taken back, or its asker erased, since it was chosen
        return
    if problem := _post(row):
        _failed(row, problem)
        return
    HandOff.objects.filter(pk=row.pk, state=State.WAITING).update(state=State.SENT, next_try_at=None, last_error="")


def _post(row: HandOff | Alarm) -> str:
    """Send a signed letter. Returns what was wrong, or nothing."""
    body, stamp = row.payload.encode(), str(int(clock.now().timestamp()))
    headers = {
        "Content-Type": "application/json",
        "X-Community-Delivery": str(row.delivery),
        "X-Community-Timestamp": stamp,
        "X-Community-Signature": signature(row.channel.secret, stamp, body),
    }
    try:
        if not row.channel.is_usable:
            raise outgoing.Refused("the channel is switched off")
        reply = outgoing.post(row.channel.url, body, headers)
        if not reply.is_fine:
            raise outgoing.Refused(f"answered {reply.status}")
    except outgoing.Refused as problem:
        return str(problem)[:300] or "refused"
    return ""


@transaction.atomic
def _failed(row: HandOff, problem: str) -> None:
    """Later again; after the last try the channel is switched off and staff are told."""
    row = hold(row)
    if row.state != State.WAITING:
        return
    row.last_error = problem[:300]
    if row.attempts <= len(BACK_OFF) and row.channel.is_usable:
        row.next_try_at = clock.now() + BACK_OFF[row.attempts - 1]
        row.save(update_fields=["last_error", "next_try_at"])
        return
    switch_off(row.channel, row.last_error)
    _gave_up(row)


def _gave_up(row: HandOff) -> None:
    row.state, row.next_try_at = State.FAILED, None
    row.save(update_fields=["state", "next_try_at", "last_error"])
    case = row.escalation
    cases.note_down(case, "hand_off_failed", reference=row.reference, note=row.last_error)
    record(
        "escalation.hand_off_failed", actor=None, subject=case.thread, thread=case.thread_id, case=case.pk,
        reference=row.reference, by=row.by_id, channel=row.channel.slug,
    )  # fmt: skip


def follow_mails() -> int:
    """A sweep: which mails to helpdesks have gone, and which never will. Returns how many it settled."""
    settled_mail = Delivery.objects.filter(key=Concat(Value(mail_key("")), Cast(OuterRef("pk"), CharField()))).exclude(
        state__in=[Delivery.State.QUEUED, Delivery.State.SENDING]
    )
    found = HandOff.objects.filter(Exists(settled_mail), state=State.WAITING, channel__kind=Channel.Kind.MAIL)
    waiting = {
        mail_key(row.pk): row for row in found.select_related("channel", "escalation__thread").order_by("pk")[:BATCH]
    }
    settled = 0
    for delivery in Delivery.objects.filter(key__in=waiting):
        row = waiting[delivery.key]
        if delivery.state == Delivery.State.SENT:
            settled += HandOff.objects.filter(pk=row.pk, state=State.WAITING).update(state=State.SENT)
        elif delivery.state in (Delivery.State.PARKED, Delivery.State.DROPPED):
            with transaction.atomic():
                held = hold(row)
                if held.state == State.WAITING:
                    held.last_error = delivery.last_error
                    _gave_up(held)
                    settled += 1
    return settled

"""What all of a hand-off's life shares: its states, its mail in the outbox, its row as it is now."""

from __future__ import annotations

from datetime import timedelta

from community.core.models import Delivery
from community.core.rows import locked

from .. import cases
from ..models import HandOff

State = HandOff.State
BATCH = 50
ASK_AGAIN = timedelta(days=7)  # without a word of what came of it
LONGEST_NOTE, LONGEST_OUTCOME, LONGEST_BODY = 2000, 500, 64 * 1024


def mail_key(pk: int | str) -> str:
    """Under which key the outbox has the mail of a hand-off."""
    return f"hand-off:{pk}"


def drop_mail(row: HandOff) -> None:
    """What has not gone out goes nowhere any more, nor is one in flight tried again."""
    State = Delivery.State
    Delivery.objects.filter(key=mail_key(row.pk), state__in=[State.QUEUED, State.SENDING, State.PARKED]).update(
        state=State.DROPPED, claim=None, claimed_at=None
    )


def hold(hand_off: HandOff) -> HandOff:
    """The hand-off as it is now, held after its thread, the one that went into, and its case: an outcome is posted
    to the thread."""
    thread = locked(hand_off.escalation.thread)
    if thread.merged_into is not None:
        locked(thread.merged_into)
    case = cases.held(hand_off.escalation.thread_id)
    row = locked(hand_off)
    if case is not None:
        row.escalation = case
    return row

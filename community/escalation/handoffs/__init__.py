"""Handing a case to a traditional channel: a helpdesk by mail, a webhook, a call back by telephone.

The thread stays open to everybody, with the reference; what comes back is posted there. The customer says it once.
Mails go by the outbox. Webhooks wait in their own rows for the worker: the same body, id and reference at every try.
"""

from __future__ import annotations

from datetime import timedelta

from community.core import clock

from ..models import ReceivedOutcome
from .channels import change_secret, save_channel, signature, switch_off
from .ground import LONGEST_BODY, mail_key
from .handing import hand_off, tell, threads_held, try_again, withdraw
from .outcomes import ask_what_came, post_outcome, receive, tell_outcome, without_clock
from .sending import follow_mails, send_alarms, send_due

__all__ = [
    "LONGEST_BODY",
    "ask_what_came",
    "change_secret",
    "follow_mails",
    "hand_off",
    "mail_key",
    "post_outcome",
    "receive",
    "save_channel",
    "send_alarms",
    "send_due",
    "signature",
    "sweep",
    "switch_off",
    "tell",
    "tell_outcome",
    "threads_held",
    "try_again",
    "withdraw",
    "without_clock",
]


def sweep() -> None:
    """Ticked by the worker."""
    send_due()
    send_alarms()
    follow_mails()
    ask_what_came()
    ReceivedOutcome.objects.filter(at__lt=clock.now() - timedelta(days=1)).delete()  # older letters are refused anyhow

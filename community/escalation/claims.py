"""Who answers a case just now: one agent has it for ten minutes, which end by themselves (FEATURES G).

A claim is about writing, not about whose case it is: notes, colleagues and looking are free to everybody meanwhile.
"""

from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core import clock, numbers
from community.core.errors import Conflict, require
from community.core.rows import retried
from community.questions.models import Thread

from . import cases
from .models import Claim, Escalation
from .permissions import why_not_work


def of(case: Escalation) -> Claim | None:
    """The claim that runs, if one does."""
    claim = Claim.objects.select_related("holder").filter(escalation=case, until__gt=clock.now()).first()
    return claim if claim is not None and claim.runs() else None


def why_not_now(claim: Claim | None, by: User) -> str:
    """What the second of two agents is told."""
    if claim is None or not claim.runs() or claim.holder_id == by.pk:
        return ""
    minutes = max(1, round((claim.until - clock.now()).total_seconds() / 60))
    return _("%(name)s is answering this case just now, for %(minutes)d more minutes at most. Your text is kept.") % {
        "name": claim.holder.name, "minutes": minutes,
    }  # fmt: skip


def require_free(case: Escalation, by: User) -> None:
    """Raises Conflict when a colleague is at it."""
    if reason := why_not_now(of(case), by):
        raise Conflict(reason)


@retried
def claim(thread: Thread, by: User) -> Claim:
    """Begin to answer, or go on: the time begins anew. Of two at once the first has it: Conflict for the other."""
    require(why_not_work(by))
    case = cases.held(thread)
    if case is None:
        raise Conflict(_("Nobody looks after this thread: it has no case."))
    require_free(case, by)
    now = clock.now()
    running = of(case)
    made, _new = Claim.objects.update_or_create(
        escalation=case,
        defaults={
            "holder": by,
            "since": running.since if running else now,
            "until": now + timedelta(seconds=numbers.remembered().claim_seconds),
        },
    )
    return made


@transaction.atomic
def release(thread: Thread, by: User) -> None:
    """Let a colleague go on. Only one's own; twice is harmless."""
    Claim.objects.filter(escalation__thread=thread, holder=by, until__gt=clock.now()).update(until=clock.now())

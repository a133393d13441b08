"""Finds what is due and fires it, exactly once, however many sweeps run at the same time.

A case is claimed by a conditional update in the same transaction as the effects: the second of two sweeps changes
no row and moves on; a crash in the middle rolls back all of it, and the next sweep begins anew.
"""

import logging
from collections import Counter
from datetime import datetime

from django.db import transaction

from community.core import clock
from community.events.log import is_replaying

from . import cases
from .models import Escalation

logger = logging.getLogger(__name__)

BATCH = 500
MOST_RUNGS = 40  # of one case in one sweep: more than any ladder has


def sweep(now: datetime | None = None) -> Counter[str]:
    """Fire everything that is due at `now`, in order; returns how often each kind fired. Silent during a replay.

    A case whose rung fails is left as it was and tried again next time; the others go on.
    """
    fired: Counter[str] = Counter()
    if is_replaying():
        return fired
    with clock.travel(now or clock.now()) as moment:
        seen: set[int] = set()
        while batch := [pk for pk in _due(moment) if pk not in seen]:
            for pk in batch:
                seen.add(pk)
                try:
                    for _ in range(MOST_RUNGS):
                        kind = fire(pk, moment)
                        if not kind:
                            break
                        fired[kind] += 1
                except Exception:
                    logger.exception("Case %s could not be escalated and is tried again", pk)
                    fired["failed"] += 1
    return fired


def _due(moment: datetime) -> list[int]:
    return list(Escalation.objects.due(moment).values_list("pk", flat=True)[:BATCH])


@transaction.atomic
def fire(pk: int, moment: datetime) -> str:
    """Claim the next rung of a case and fire it; empty when nothing is due or somebody else has it."""
    seen = Escalation.objects.filter(pk=pk, next_due_at__lte=moment).values("round", "next_step", "next_due_at").first()
    if seen is None or not Escalation.objects.filter(pk=pk, **seen).update(next_due_at=None):
        return ""
    case = Escalation.objects.select_related("thread__author", "department__lead", "policy", "assignee").get(pk=pk)
    return cases.fire_next(case)


def catch_up(until: datetime | None = None) -> Counter[str]:
    """Inside a replay: fire what came due on the way, each at its own time, without telling anybody.

    The demo calls it when all is told, so that the first true sweep finds only what is due today.
    """
    moment = until or clock.now()
    fired: Counter[str] = Counter()
    if not is_replaying():
        raise RuntimeError("catch_up() is for replays: a live site sweeps")
    while batch := list(Escalation.objects.due(moment).values_list("pk", "next_due_at")[:BATCH]):
        for pk, due in batch:
            with clock.travel(due):
                kind = fire(pk, due)
                if kind:
                    fired[kind] += 1
    return fired


def preview(now: datetime | None = None) -> Counter[str]:
    """What a sweep at `now` would fire first, case by case, without doing it."""
    fired: Counter[str] = Counter()
    for case in Escalation.objects.due(now or clock.now()).iterator(chunk_size=BATCH):
        row = next((row for row in cases.waiting(case) if row["position"] == case.next_step), None)
        if row is not None:
            fired[row["kind"]] += 1
    return fired


def run() -> None:
    """The periodic sweep, ticked by the worker every minute."""
    fired = sweep()
    if failed := fired.pop("failed", 0):
        raise RuntimeError(f"{failed} cases could not be escalated; they are tried again")

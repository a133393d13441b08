"""Finds what is due and fires it, exactly once, however many sweeps run at the same time.

Cases are held in the same transaction as the effects: the second of two sweeps finds them held, or no longer due, and
moves on; a crash in the middle rolls back all of it, and the next sweep begins anew. Many are fired together, with
few queries (docs/decisions/0194); where one of them fails, each of those is fired by itself.
"""

import logging
from collections import Counter
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q

from advocates.matching import looked_up
from community.core import clock
from community.core.gathering import gathering, keep
from community.events.log import is_replaying

from . import cases
from .models import Escalation, StepKind
from .querysets import EscalationQuerySet

logger = logging.getLogger(__name__)

BATCH = 500
TOGETHER = 50  # cases in one transaction at most: people who want one of them wait for it
MOST_RUNGS = 40  # of one case in one sweep: more than any ladder has


def sweep(now: datetime | None = None) -> Counter[str]:
    """Fire everything that is due at `now`, in order; returns how often each kind fired. Silent during a replay.

    A case whose rung fails is left as it was and tried again next time; the others go on.
    """
    fired: Counter[str] = Counter()
    if is_replaying():
        return fired
    with clock.travel(now or clock.now()) as moment:
        size, last = 1, None
        while found := _due(moment, last):
            pks, last = [pk for pk, _due_at in found], found[-1]
            while pks:
                fired += _fire(pks[:size], moment)
                pks, size = pks[size:], min(2 * size, TOGETHER)  # few due cases stand alone
        fired += _look_at_paused(moment)
    return fired


def _ended(moment: datetime) -> EscalationQuerySet:
    """Paused cases whose day has come, of which nobody was told."""
    return Escalation.objects.open().filter(pause_until__lte=moment, pause_told_at=None, paused_since__isnull=False)


def _look_at_paused(moment: datetime) -> Counter[str]:
    """Tell who has a paused case that its day has come, once each; two sweeps at once are harmless."""
    told: Counter[str] = Counter()
    for pk in list(_ended(moment).order_by("pause_until", "pk").values_list("pk", flat=True)[:BATCH]):
        try:
            with transaction.atomic():
                held = _ended(moment).select_for_update(of=("self",), no_key=True, skip_locked=True)
                case = held.select_related("thread", "department").filter(pk=pk).first()
                if case is not None:
                    cases.pause_is_over(case)
                    told["pause_over"] += 1
        except Exception:
            logger.exception("Paused case %s could not be looked at and is tried again", pk)
            told["failed"] += 1
    return told


def _due(moment: datetime, last: tuple[int, datetime] | None) -> list[tuple[int, datetime]]:
    """Cases and when they were due, behind the last that was looked at: what failed or was held is still due."""
    found = Escalation.objects.due(moment)
    if last is not None:
        pk, due_at = last
        found = found.filter(Q(next_due_at__gt=due_at) | Q(pk__gt=pk), next_due_at__gte=due_at)
    return list(found.values_list("pk", "next_due_at")[:BATCH])


def _fire(pks: list[int], moment: datetime) -> Counter[str]:
    """All that is due of these cases, together if it can be, else one by one."""
    try:
        return _fire_together(pks, moment)
    except Exception:
        logger.info("Cases %s are escalated one by one", pks, exc_info=True)
    fired: Counter[str] = Counter()
    for pk in pks:
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


@transaction.atomic
def _fire_together(pks: list[int], moment: datetime) -> Counter[str]:
    """What somebody else holds is left to them, and to the next sweep."""
    fired: Counter[str] = Counter()
    held = Escalation.objects.due(moment).filter(pk__in=pks)
    held = held.select_for_update(of=("self",), no_key=True, skip_locked=True)
    found = list(held.select_related("thread").prefetch_related(
        "department__lead", "department__memberships__user", "policy", "assignee",
    ))  # fmt: skip
    with gathering(), looked_up([case.thread for case in found if cases.next_kind(case) == StepKind.ADVOCATES]):
        for case in found:
            for _ in range(MOST_RUNGS):
                kind = cases.fire_next(case)
                if not kind:
                    case.next_due_at = None
                    keep(case)
                    break
                fired[kind] += 1
                if case.next_due_at is None or case.next_due_at > moment:
                    break
    return fired


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
    _ended(moment).update(pause_told_at=F("pause_until"))  # nobody is told of what is past
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

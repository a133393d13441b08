"""Telling the story: in order, in batches, each fact once.

A batch is one transaction: the facts, the rows that say they were told, and the points that follow from them. Killed
in the middle, a batch is as if it had never begun, and the next run goes on with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import IntegrityError, transaction

from advocates import badges, totals
from community.core import clock
from community.core.errors import Conflict, NotAllowed
from community.escalation import promises, sweep
from community.events.log import replay
from community.events.models import Event
from community.insights import daily
from community.notifications import delivery
from community.notifications.recipients import announced_kinds
from community.questions import asking_back

from . import files
from .models import Told
from .story import Fact, timeline
from .world import SLACK, World

BATCH = 800  # points, badges and trust are counted at the end of each: few, and still worth keeping when killed

REMEMBERED = timedelta(days=21)  # as far back as people's notices go
STILL_UNREAD = timedelta(days=3)


class Stumble(Exception):
    """A fact could not be told; its batch was taken back."""

    def __init__(self, fact: Fact, reason: str) -> None:
        super().__init__(f"{fact.where}: {fact.key}: {reason}")
        self.fact = fact


@dataclass
class Report:
    """What a run told."""

    told: Counter[str] = field(default_factory=Counter)
    known: int = 0
    fired: Counter[str] = field(default_factory=Counter)
    left_out: list[Stumble] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(self.told.values())


def untold(folder: Path, now: datetime) -> tuple[list[Fact], dict[str, Told], int]:
    """The facts that are still to be told, what is told, and how many of the files' facts that were.

    Raises BadContent; reads files and the demo's own table, and writes nothing.
    """
    content = files.read(folder)
    told = {row.key: row for row in Told.objects.all()}
    facts = timeline(content, now, told)
    new = [fact for fact in facts if fact.key not in told or told[fact.key].digest != fact.digest]
    return new, told, len(facts) - len(new)


def load(folder: Path, *, progress: Callable[[list[Fact]], Iterable[Fact]] = iter, going_on: bool = False) -> Report:
    """Tell what has not been told yet. Raises BadContent before a word is told, Stumble at the fact that failed.

    `going_on` is for a newer story told to a community that has lived on meanwhile: what does not fit there any more
    (its author has left, its thread is gone) is left out and listed, the rest is told.
    """
    now = clock.now()
    facts, told, known = untold(folder, now)
    report = Report(known=known)
    world = World(folder, told)
    with replay("demo"):
        for batch in _in_batches(facts, progress):
            try:
                _tell(batch, world, told, now)
                report.told.update(fact.kind for fact in batch)
            except Stumble:
                if not going_on:
                    raise
                _tell_what_fits(batch, world, told, now, report)
        if facts:
            with transaction.atomic(), totals.later(), clock.travel(now):
                asking_back.catch_up(now)
                report.fired = sweep.catch_up(now)
                promises.tell_settled()
                badges.award_badges()
                world.set_the_queue()
                _remember(now)
                daily.catch_up(now)
    return report


def _remember(now: datetime) -> None:
    """What people would have heard of in the last weeks stands in their lists; nobody gets a mail about the past."""
    told = Event.objects.filter(
        origin=Event.Origin.DEMO, kind__in=announced_kinds(), occurred_at__gte=now - REMEMBERED
    ).exclude(data__has_key="voter_source")
    delivery.remember(told.select_related("actor", "note").in_order(), unread_since=now - STILL_UNREAD)


def _in_batches(facts: list[Fact], progress: Callable[[list[Fact]], Iterable[Fact]]) -> Iterator[tuple[Fact, ...]]:
    steps = iter(progress(facts))
    while batch := tuple(islice(steps, BATCH)):
        yield batch


def _tell_what_fits(
    batch: tuple[Fact, ...], world: World, told: dict[str, Told], now: datetime, report: Report
) -> None:
    for fact in batch:
        try:
            _tell((fact,), world, told, now)
            report.told[fact.kind] += 1
        except Stumble as stumble:
            report.left_out.append(stumble)


def _tell(batch: tuple[Fact, ...], world: World, told: dict[str, Told], now: datetime) -> None:
    rows: list[Told] = []
    ids = dict(world.ids)
    try:
        with transaction.atomic(), totals.later():
            for fact in batch:
                row = _tell_one(fact, world, told.get(fact.key), now)
                rows.append(row)
            Told.objects.bulk_create([row for row in rows if row.pk is None])
            Told.objects.bulk_update([row for row in rows if row.pk is not None], ["digest", "object_id", "told_at"])
    except Stumble:
        world.forget()
        world.ids = ids
        raise
    told.update({row.key: row for row in rows})


def _tell_one(fact: Fact, world: World, known: Told | None, now: datetime) -> Told:
    try:
        if fact.thread:
            world.catch_up(fact.thread, fact.at - SLACK)
        with clock.travel(fact.at):
            made = fact.act(world)
        if fact.thread:
            world.hear(fact.thread, fact.at)
    except ValidationError as error:
        words = error.message_dict.items() if hasattr(error, "error_dict") else [("", error.messages)]
        raise Stumble(fact, "; ".join(f"{name}: {' '.join(said)}".lstrip(": ") for name, said in words)) from error
    except (NotAllowed, Conflict) as error:
        raise Stumble(fact, error.reason) from error
    except (ObjectDoesNotExist, IntegrityError, LookupError, ValueError, TypeError) as error:
        raise Stumble(fact, f"{type(error).__name__}: {error}") from error
    world.keep(fact.key, made)
    row = known or Told(key=fact.key, at=fact.at)
    row.digest, row.object_id, row.told_at = fact.digest, world.ids.get(fact.key), now
    return row

"""Giving what is earned, and taking what has lost its ground, where that is fair."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Count

from community.accounts.models import Standing, User
from community.core import clock
from community.events.log import record, record_past

from .. import totals
from ..models import Award, Badge
from . import bulk
from .judging import Ground, People, among, grounds
from .language import signature

NEWS_FOR = timedelta(days=2)  # what was earned longer ago is no news: nobody is told of it
AT_ONCE = 1000


@dataclass
class Changes:
    """What a look found: awards to be given, each with its moment, and awards to be taken."""

    give: list[tuple[Badge, Ground, datetime]]
    take: list[tuple[Badge, Ground]]

    @property
    def people(self) -> set[int]:
        return {row[1][0] for row in self.give} | {row[1][0] for row in self.take}


def look(
    badges: Iterable[Badge], people: People = None, *, gains_only: bool = False, held: bool = False
) -> tuple[int, int]:
    """Give what is earned and take what has lost its ground; returns how many of each.

    The people are locked first, in id order, so that what they earn meanwhile waits for this. `gains_only`: what
    happened can only add, so badges somebody has once and for all need no second look. `held`: they are locked.
    """
    groups = in_groups(badges)
    if not groups or (people is not None and not people):
        return 0, 0
    if people is None or isinstance(people, range):
        return _look_at_many(groups, people)
    with transaction.atomic():
        if not held and totals.batch() is None:
            _lock(people)
        changes = compare(groups, people, gains_only=gains_only)
        _carry_out(changes)
    return len(changes.give), len(changes.take)


def _look_at_many(groups: list[list[Badge]], people: range | None) -> tuple[int, int]:
    """As `look` does for a few, without reading what everybody has."""
    in_batch = totals.batch() is not None
    with transaction.atomic():
        if not in_batch:
            bulk.hold(people)
        with bulk.counting(groups, people):
            take = bulk.lost(groups, people)
            given, news = bulk.give(groups, people, None if in_batch else clock.now() - NEWS_FOR)
        _carry_out(Changes([], take))
        _tell([(award.person_id, {"badge": award.badge.slug, "per": award.per_key}) for award in news])
    return given, len(take)


def in_groups(badges: Iterable[Badge]) -> list[list[Badge]]:
    """Badges that count the same share one query: five, twenty-five and a hundred answers."""
    groups: dict[tuple[Any, ...], list[Badge]] = defaultdict(list)
    for badge in badges:
        if not badge.by_hand:
            groups[signature(badge)].append(badge)
    return list(groups.values())


def _lock(people: People) -> None:
    rows = User.objects.select_for_update(of=("self",), no_key=True).filter(among("pk", people))
    list(rows.order_by("pk").values_list("pk", flat=True))


def compare(groups: list[list[Badge]], people: People = None, *, gains_only: bool = False) -> Changes:
    """What people should have, less what they have."""
    held = Award.objects.filter(badge__in=[badge for group in groups for badge in group]).filter(
        among("person", people)
    )
    have: dict[int, set[Ground]] = defaultdict(set)
    for badge_id, person_id, per_key in held.values_list("badge", "person", "per_key"):
        have[badge_id].add((person_id, per_key))
    changes = Changes([], [])
    for group in groups:
        if gains_only and people is not None and group[0].awarded == Badge.Awarded.ONCE:
            everybody = {(pk, "") for pk in people}
            group = [badge for badge in group if everybody - have[badge.pk]]
            if not group:
                continue
        found = grounds(group, people)
        for badge in group:
            earned = {ground: at for ground, (n, at) in found.items() if n >= badge.award["threshold"]}
            if badge.retired_at is None:
                new = sorted(earned.keys() - have[badge.pk])
                changes.give += [(badge, ground, earned[ground]) for ground in new]
            changes.take += [(badge, ground) for ground in sorted(have[badge.pk] - earned.keys())]
    _spare_what_is_kept(changes)
    return changes


def _spare_what_is_kept(changes: Changes) -> None:
    """Some badges stay with those who have them, whatever becomes of the ground; only staff and former members go
    without."""
    people = {ground[0] for badge, ground in changes.take if badge.kept}
    if not people:
        return
    none = User.objects.filter(pk__in=people, standing__in=(Standing.STAFF, Standing.ERASED))
    go = set(none.values_list("pk", flat=True))
    changes.take = [row for row in changes.take if not row[0].kept or row[1][0] in go]


def _carry_out(changes: Changes) -> None:
    """Write what a look found. What was earned of late is told to people, what was earned long ago is only noted."""
    if not changes.people:
        return
    in_batch, now = totals.batch() is not None, clock.now()
    awards: list[Award] = []
    news: list[tuple[int, dict[str, Any]]] = []
    past: list[tuple[int, datetime, dict[str, Any]]] = []
    for badge, (person_id, per_key), earned_at in changes.give:
        old = now - earned_at > NEWS_FOR
        at = earned_at if in_batch or old else now
        awards.append(Award(badge_id=badge.pk, person_id=person_id, per_key=per_key, at=at))
        data = {"badge": badge.slug, "per": per_key}
        if in_batch or old:
            past.append((person_id, at, data))
        else:
            news.append((person_id, data))
    Award.objects.bulk_create(awards, batch_size=AT_ONCE)
    for badge in {badge for badge, _ground in changes.take}:
        keys = [ground for one, ground in changes.take if one == badge]
        gone = Award.objects.filter(badge=badge, person__in={person for person, _key in keys})
        chosen = set(keys)
        gone = Award.objects.filter(
            pk__in=[pk for pk, *ground in gone.values_list("pk", "person", "per_key") if tuple(ground) in chosen]
        )
        gone.delete()
    copy_counts(changes.people)
    record_past("badge.awarded", User, past)
    _tell(news)
    people = User.objects.in_bulk({ground[0] for _badge, ground in changes.take})
    for badge, (person_id, per_key) in changes.take:
        record("badge.revoked", actor=None, subject=people[person_id], badge=badge.slug, per=per_key)


def _tell(news: list[tuple[int, dict[str, Any]]]) -> None:
    """Record what was earned of late, so that people hear of it."""
    people = User.objects.in_bulk({person for person, _data in news})
    for person, data in news:
        record("badge.awarded", actor=people[person], subject=people[person], **data)


def copy_counts(people: Iterable[int]) -> None:
    """Write how many badges of each level these people have to where bylines read it."""
    chosen = dict(User.objects.filter(pk__in=list(people)).values_list("pk", "badge_counts"))
    counts: dict[int, dict[str, int]] = defaultdict(dict)
    rows = Award.objects.filter(person__in=list(chosen)).order_by().values("person", "badge__level")
    for row in rows.annotate(n=Count("pk")):
        counts[row["person"]][row["badge__level"]] = row["n"]
    _write_counts([(json.dumps(counts.get(pk, {})), pk) for pk, old in chosen.items() if old != counts.get(pk, {})])


def _write_counts(rows: list[tuple[str, int]]) -> None:
    """One statement a thousand people. `bulk_update` asks of each row which of a thousand cases it is: of a sweep over
    the whole history that was the half."""
    if not rows:
        return
    table = connection.ops.quote_name(User._meta.db_table)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for start in range(0, len(rows), AT_ONCE):
                counts, people = (list(column) for column in zip(*rows[start : start + AT_ONCE], strict=True))
                cursor.execute(
                    f"UPDATE {table} SET badge_counts = new.counts::jsonb "  # noqa: S608
                    "FROM unnest(%s::text[], %s::bigint[]) AS new(counts, person) WHERE id = new.person",
                    [counts, people],
                )
        else:
            cursor.executemany(f"UPDATE {table} SET badge_counts = %s WHERE id = %s", rows)  # noqa: S608


def recount_all() -> None:
    """The copies of how many badges people have, anew for all."""
    holders = Award.objects.order_by().values("person")
    User.objects.exclude(badge_counts={}).exclude(pk__in=holders).update(badge_counts={})
    bulk.copy_counts_of(Award.objects.all())


def award_badges(people: People = None, badges: Iterable[Badge] | None = None) -> tuple[int, int]:
    """Judge all badges (or these) at once, over the whole history. `sweep` does it in steps."""
    return look(Badge.objects.all() if badges is None else badges, people)


@totals.at_end_of_batch
def _catch_up(batch: totals.Batch) -> None:
    people = sorted(batch.jobs.pop("badges", set()))
    badges = list(Badge.objects.filter(by_hand=False))
    for start in range(0, len(people), totals.CHUNK):
        look(badges, people[start : start + totals.CHUNK])

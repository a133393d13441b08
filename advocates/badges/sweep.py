"""Judging badges over the whole history in steps that can be stopped and gone on with."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db import transaction

from community.accounts.models import User
from community.core import clock

from ..models import Badge, BadgeSweep
from . import bulk
from .giving import Changes, compare, in_groups, look
from .judging import People

PEOPLE_AT_ONCE = 20_000
FEW = 500


@dataclass
class Step:
    """How far a sweep has come."""

    people: int
    given: int
    taken: int


def sweep(
    slugs: Iterable[str] = (),
    *,
    at_once: int = PEOPLE_AT_ONCE,
    restart: bool = False,
    progress: Callable[[int, int], None] = lambda done, all: None,
) -> Step:
    """Judge all badges (or these) for everybody, some people at a time, each step in a transaction of its own.

    The row of the sweep says up to whom it has come, so a sweep that was killed goes on there; twice is harmless in any
    case, because a badge follows from what stands. Raises ValueError for a badge that isn't there.
    """
    badges = _chosen(slugs)
    key = ",".join(sorted(set(slugs)))[:500] or "all"
    row, new = BadgeSweep.objects.get_or_create(key=key, defaults={"started_at": clock.now()})
    if restart or row.finished_at is not None:
        row.after, row.given, row.taken, row.finished_at, row.started_at = 0, 0, 0, None, clock.now()
        row.save()
    everybody = User.objects.count()
    done = User.objects.filter(pk__lte=row.after).count() if row.after else 0
    progress(done, everybody)
    # Over a history that was never judged by these, and after a rule changed, many get one; most nights nobody does.
    many = new or restart
    while True:
        ids = list(User.objects.filter(pk__gt=row.after).order_by("pk").values_list("pk", flat=True)[:at_once])
        if not ids:
            break
        step: People = range(ids[0], ids[-1] + 1)
        if not many:
            # Most nights nothing changes: read without holding anybody, and look again at those few for whom it does.
            changed = bulk.whom_it_changes(in_groups(badges), step)
            many = len(changed) > FEW
            step = step if many else changed
        with transaction.atomic():
            # Where many change, one look at all of them, held, is quicker than two.
            given, taken = look(badges, step)
            many = many and given + taken > FEW
            row.after, row.given, row.taken = ids[-1], row.given + given, row.taken + taken
            row.save(update_fields=["after", "given", "taken"])
        done += len(ids)
        progress(done, everybody)
    row.finished_at = clock.now()
    row.save(update_fields=["finished_at"])
    return Step(done, row.given, row.taken)


def dry_run(slugs: Iterable[str] = ()) -> Changes:
    """What a sweep would give and take. Changes nothing; raises ValueError for a badge that isn't there."""
    return compare(in_groups(_chosen(slugs)))


def _chosen(slugs: Iterable[str]) -> list[Badge]:
    wanted = set(slugs)
    badges = list(Badge.objects.filter(by_hand=False, **({"slug__in": wanted} if wanted else {})))
    if missing := wanted - {badge.slug for badge in badges}:
        raise ValueError(", ".join(sorted(missing)))
    return badges

"""Before a badge is earned: who would get one, and how far somebody has come."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import OperationalError, connection, transaction
from django.db.models import CharField, IntegerField, Value
from django.db.models.functions import Cast

from community.accounts.models import Standing, User

from ..models import Award, Badge
from .giving import in_groups
from .judging import Ground, counted, grounds
from .sources import SOURCES

SAMPLE = 20
PATIENCE_MS = 20_000  # a preview gives up after this, on PostgreSQL


class TooSlow(Exception):
    """Counting took longer than a person at a desk waits."""


@dataclass
class Preview:
    """Who would get a badge if it were saved now."""

    people: int
    awards: int
    sample: list[tuple[User, int]]  # with how much each has of what is counted
    new: int  # of the awards, those nobody has yet
    lost: int  # awards that would be taken back


@dataclass
class Progress:
    """How far somebody has come towards a badge."""

    badge: Badge
    have: int
    times: int = field(default=0)  # how often they have it already

    @property
    def need(self) -> int:
        return self.badge.award["threshold"]

    @property
    def share(self) -> float:
        return self.have / self.need


def preview(badge: Badge, *, sample: int = SAMPLE) -> Preview:
    """Count who has grounds for a badge that may not be saved yet. Changes nothing; raises TooSlow."""
    with _patience():
        found = _enough(badge)
    held: set[Ground] = set()
    if badge.pk:
        held = set(Award.objects.filter(badge=badge).values_list("person", "per_key"))
    best = sorted(found, key=lambda ground: (-found[ground], ground))
    first = list(dict.fromkeys(person for person, _thing in best))
    people = User.objects.in_bulk(first[:sample])
    most = {person: found[person, thing] for person, thing in reversed(best)}
    return Preview(
        people=len(first),
        awards=len(found),
        sample=[(people[pk], most[pk]) for pk in first[:sample]],
        new=len(found.keys() - held),
        lost=0 if badge.kept else len(held - found.keys()),
    )


def _enough(badge: Badge) -> dict[Ground, int]:
    return {ground: number for ground, (number, _latest) in grounds([badge]).items()}


@contextmanager
def _patience() -> Iterator[None]:
    """Let no count run for ever: the desk is used by people, and the database by everybody else."""
    try:
        with transaction.atomic():
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(PATIENCE_MS)])
            yield
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("SELECT set_config('statement_timeout', '0', true)")
    except OperationalError as error:
        raise TooSlow from error


def progress(
    person: User, badges: Iterable[Badge] | None = None, times: Mapping[int, int] | None = None
) -> list[Progress]:
    """How far somebody has come towards each badge they can earn, the nearest first.

    One query for all counts, however many badges; and one each for `badges` and for `times` (how often they have each,
    by id) unless these are known.

    Badges for each thing count the best thing that has not brought one yet. Rules with a window, and kinds that only
    the log knows, don't say how far one is.
    """
    if person.standing in (Standing.STAFF, Standing.ERASED):
        return []
    if badges is None:
        badges = Badge.objects.filter(by_hand=False, retired_at=None)
    groups = [group for group in in_groups(badges) if _tells(group[0])]
    if not groups:
        return []
    queries = [
        counted(group[0], [person.pk], all_of_them=True)
        .annotate(
            number=Value(number, IntegerField()),
            thing=Cast("thing_key", CharField()) if group[0].awarded == Badge.Awarded.MANY else Value(""),
        )
        .values_list("number", "thing", "how_many")
        for number, group in enumerate(groups)
    ]
    counts: dict[int, list[int]] = defaultdict(list)
    for number, _thing, how_many in queries[0].union(*queries[1:], all=True):
        counts[number].append(how_many)
    if times is None:
        times = Counter(Award.objects.filter(person=person).values_list("badge", flat=True))
    found = []
    for number, group in enumerate(groups):
        for badge in group:
            threshold = badge.award["threshold"]
            have = max((count for count in counts[number] if count < threshold), default=0)
            if badge.awarded == Badge.Awarded.ONCE and times.get(badge.pk):
                continue
            found.append(Progress(badge, have, times.get(badge.pk, 0)))
    return sorted(found, key=lambda one: (-one.share, one.badge.position, one.badge.pk))


def nearest(person: User, most: int = 3) -> list[Progress]:
    """The badges somebody has begun and is nearest to."""
    return [one for one in progress(person) if one.have][:most]


def _tells(badge: Badge) -> bool:
    return badge.event in SOURCES and not badge.award.get("window_days")

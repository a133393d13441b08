"""What somebody knows of a product or a topic, by what others found: today's expert outranks yesterday's (FEATURES F).

Signs are an answer that was accepted by somebody else (15), a fix that still worked after three days (15), and what
owners of the product say: a vote up (10) or down (-2), "works for mine" (10). `reputation.RULES` has the weights; a
vote of somebody who doesn't own the product gives points and says nothing here. Each sign is a line of the ledger with
its `weighs`; what takes the line back takes the sign back.

**The sum.** A sign of weight w from day d is worth, on day t, with a half-life H of 548 days (18 months):

    worth(t) = w · 2^(-(t - d) / H)

So a sum of signs is

    Σ w · 2^(-(t - d) / H)  =  2^(-(t - E) / H) · Σ w · 2^((d - E) / H)

for any fixed day E. The second factor doesn't depend on t: it is what is stored, and a new sign is added to it once and
for all. Nothing is counted anew at night; the first factor is the same for everybody, so that places follow from what
is stored. With E the first of 2020 it doubles every 18 months: in thousandths and 64 bits there is room for a hundred
thousand points until 2070. They are whole numbers, so that adding and taking back leave exactly nothing, in any order.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.db import connection
from django.db.models import Case, Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce

from community.accounts.models import User
from community.core import clock
from community.posts.models import Tag, Topic
from community.questions.models import Thread
from products.models import Product

from .models import Competence, ReputationEntry

Kind = Competence.Kind

HALF_LIFE_DAYS = 548  # 18 months
EPOCH = date(2020, 1, 1)
UNIT = 1000  # what is stored is in thousandths
TOPIC_COUNTS = 0.5  # who knows grinding comes before a stranger, and after who knows this very mill
EXPERT, VERSED = 150, 30  # ten accepted answers of today; two
EXPERT_LEADS, VERSED_LEADS = 2, 1  # by so many votes their answers stand higher
FEW = 10  # among fewer people a share of them says nothing
TOP_SHARE = 50  # in percent; below the middle nobody is told


def term(weighs: int, day: date) -> int:
    """What a sign of this day adds to what is stored: so many times what one point of that day is, so that signs of a
    day may be added before or after."""
    return weighs * round(UNIT * 2 ** ((day - EPOCH).days / HALF_LIFE_DAYS))


def worth(score: int, at: datetime | None = None) -> float:
    """What is stored, in points of this moment; never less than nothing."""
    day = (at or clock.now()).astimezone(UTC).date()
    return round(max(0.0, score / UNIT * 2 ** (-(day - EPOCH).days / HALF_LIFE_DAYS)), 1)


def stored(points: float, at: datetime | None = None) -> int:
    """So many points of this moment, as they would be stored: to compare in the database."""
    day = (at or clock.now()).astimezone(UTC).date()
    return round(points * UNIT * 2 ** ((day - EPOCH).days / HALF_LIFE_DAYS))


# Writing


def add(entries: Iterable[ReputationEntry]) -> None:
    """Add the signs among new lines of the ledger: one statement, none if there is no sign among them."""
    more: dict[tuple[int, str, int], int] = defaultdict(int)
    for entry in entries:
        _count(more, entry.person_id, entry.product_id, entry.topic_id, entry.weighs, entry.day)
    rows = [(*key, score) for key, score in sorted(more.items()) if score]
    if not rows:
        return
    table = connection.ops.quote_name(Competence._meta.db_table)
    sql = (
        f"INSERT INTO {table} (person_id, kind, key, score) VALUES {', '.join(['(%s, %s, %s, %s)'] * len(rows))} "  # noqa: S608
        f"ON CONFLICT (kind, key, person_id) DO UPDATE SET score = {table}.score + excluded.score"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [value for row in rows for value in row])


def write_anew(people: Iterable[int]) -> None:
    """From the ledger, for these people."""
    ids = list(people)
    more: dict[tuple[int, str, int], int] = defaultdict(int)
    signs = ReputationEntry.objects.filter(person__in=ids).exclude(weighs=0).order_by()
    for row in signs.values("person", "product", "topic", "day").annotate(sum=Sum("weighs")):
        _count(more, row["person"], row["product"], row["topic"], row["sum"], row["day"])
    Competence.objects.filter(person__in=ids).delete()
    Competence.objects.bulk_create(
        [
            Competence(person_id=person, kind=kind, key=key, score=score)
            for (person, kind, key), score in more.items()
            if score
        ],
        batch_size=500,
    )


def _count(
    more: dict[tuple[int, str, int], int], person: int, product: int | None, topic: int | None, weighs: int, day: date
) -> None:
    for kind, key in ((Kind.PRODUCT, product), (Kind.TOPIC, topic)):
        if weighs and key is not None:
            more[person, kind.value, key] += term(weighs, day)


# Reading


def of(
    people: Iterable[User | int],
    product: Product | int | None,
    tags: Iterable[Tag | Topic] = (),
    at: datetime | None = None,
) -> dict[int, float]:
    """How much each of these people knows of a product and of the topics of these tags, in points of a moment.

    A point of a topic counts half. Those who know nothing are left out. One query, whatever their number; none when
    nothing is asked about.
    """
    ids = [person.pk if isinstance(person, User) else person for person in people]
    topics = {tag.pk if isinstance(tag, Topic) else tag.topic_id for tag in tags} - {None}
    key = product.pk if isinstance(product, Product) else product
    about = Q(kind=Kind.PRODUCT, key=key) if key is not None else Q(pk__in=[])
    if topics:
        about |= Q(kind=Kind.TOPIC, key__in=topics)
    if not ids or (key is None and not topics):
        return {}
    found: dict[int, float] = defaultdict(float)
    for row in Competence.objects.filter(about, person__in=ids, score__gt=0):
        found[row.person_id] += worth(row.score, at) * (1 if row.kind == Kind.PRODUCT else TOPIC_COUNTS)
    return {person: round(points, 1) for person, points in found.items() if points}


@dataclass(frozen=True)
class Area:
    """One thing somebody knows: `top` is the share of all who know it, in percent, that they belong to."""

    thing: Product | Topic
    points: float
    place: int
    people: int
    share: float  # of their own best

    @property
    def top(self) -> int | None:
        percent = -(-100 * self.place // self.people)
        return percent if self.people >= FEW and percent <= TOP_SHARE else None

    @property
    def is_topic(self) -> bool:
        return isinstance(self.thing, Topic)


def areas(person: User, most: int = 6, at: datetime | None = None) -> list[Area]:
    """What somebody knows best, with their place among all who know it. At most three queries."""
    same = Competence.objects.filter(kind=OuterRef("kind"), key=OuterRef("key"), score__gt=0).order_by()
    people = same.values("kind").annotate(n=Count("pk")).values("n")
    higher = same.filter(score__gt=OuterRef("score")).values("kind").annotate(n=Count("pk")).values("n")
    rows: Any = (
        Competence.objects.filter(person=person, score__gte=stored(1, at))
        .annotate(people=Coalesce(Subquery(people), 0), above=Coalesce(Subquery(higher), 0))
        .order_by("-score", "kind", "key")[:most]
    )
    found = list(rows)
    keys: dict[str, list[int]] = defaultdict(list)
    for row in found:
        keys[row.kind].append(row.key)
    things: dict[str, dict[int, Any]] = {
        kind: model.objects.in_bulk(keys[kind])  # type: ignore[attr-defined]
        for kind, model in ((Kind.PRODUCT, Product), (Kind.TOPIC, Topic))
        if keys[kind]
    }
    return [
        Area(
            things[row.kind][row.key],
            worth(row.score, at),
            row.above + 1,
            row.people,
            row.score / max(found[0].score, 1),
        )
        for row in found
        if row.key in things[row.kind]
    ]


def knows(thread: Thread, author: str = "author") -> Any:
    """By how many votes the answers of who knows this thread's product stand higher: an expression, no query."""
    if thread.product_id is None:
        return Value(0)
    known = Competence.objects.filter(
        kind=Kind.PRODUCT, key=thread.product_id, person=OuterRef(author), score__gte=stored(VERSED)
    ).annotate(
        lead=Case(
            When(score__gte=stored(EXPERT), then=Value(EXPERT_LEADS)),
            default=Value(VERSED_LEADS),
            output_field=IntegerField(),
        )
    )
    return Coalesce(Subquery(known.values("lead")[:1]), 0, output_field=IntegerField())


def best_of(kind: str, key: int, most: int = 10) -> QuerySet[Competence]:
    """Who knows a thing best."""
    return (
        Competence.objects.filter(kind=kind, key=key, score__gt=0, person__is_active=True)
        .select_related("person")
        .order_by(F("score").desc(), "person")[:most]
    )

"""What shows whether an advocate is neutral: how they rate, and how much of what they wrote has a tie beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from community.accounts.models import User
from community.questions.models import Answer
from community.sharing.models import Recipe, Tip
from reviews.models import Review

STARS = (5, 4, 3, 2, 1)
LOW, HIGH = (1, 2), (4, 5)


@dataclass(frozen=True)
class Neutrality:
    """Counted from what is visible."""

    stars: dict[int, int]  # of their reviews of our products
    contributions: int
    tied: int  # written while a declared tie lasted, or with one named in the post itself

    @property
    def reviews(self) -> int:
        return sum(self.stars.values())

    @property
    def rows(self) -> list[tuple[int, int, float]]:
        """Stars, how many, and their share of the most frequent."""
        most = max(self.stars.values(), default=0) or 1
        return [(stars, self.stars.get(stars, 0), self.stars.get(stars, 0) / most) for stars in STARS]

    @property
    def low(self) -> int:
        return sum(self.stars.get(stars, 0) for stars in LOW)

    @property
    def high(self) -> int:
        return sum(self.stars.get(stars, 0) for stars in HIGH)

    @property
    def tied_percent(self) -> int | None:
        return round(100 * self.tied / self.contributions) if self.contributions else None


def _within(ties: Sequence[Sequence[str]]) -> Q:
    """What was written while one of these ties lasted."""
    found = Q(pk__in=[])
    for since, until, _line in ties:
        begin = datetime.combine(date.fromisoformat(since), time.min, UTC)
        span = Q(created_at__gte=begin)
        if until:
            span &= Q(created_at__lte=datetime.combine(date.fromisoformat(until), time.max, UTC))
        found |= span
    return found


def _number(rows: Any) -> Coalesce:
    counted = rows.order_by().values("author").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted), 0)


def of(person: User) -> Neutrality:
    """One query, whatever somebody wrote."""
    tied = _within(person.ties)
    said: dict[Any, Q] = {
        Answer: tied | ~Q(disclosure=""),
        Review: tied | Q(disclosure__in=("free", "paid", "employee", "family")),
        Recipe: tied,
        Tip: tied,
    }
    counts: dict[str, Any] = {}
    for model, condition in said.items():
        rows, name = model.objects.visible().filter(author=OuterRef("pk")), model.__name__
        counts[f"all_{name}"], counts[f"tied_{name}"] = _number(rows), _number(rows.filter(condition))
    reviews = Review.objects.visible().filter(author=OuterRef("pk"))
    counts.update({f"stars_{stars}": _number(reviews.filter(current_stars=stars)) for stars in STARS})
    found = User.objects.filter(pk=person.pk).order_by().values(**counts)[0]
    return Neutrality(
        {stars: found[f"stars_{stars}"] for stars in STARS},
        sum(n for name, n in found.items() if name.startswith("all_")),
        sum(n for name, n in found.items() if name.startswith("tied_")),
    )

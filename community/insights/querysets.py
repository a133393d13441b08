from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Self

from django.db import models
from django.db.models import Sum
from django.db.models.functions import TruncMonth


class Filtered(models.QuerySet):
    """What facts and daily figures are asked by, in the same words."""

    def between(self, first: date, last: date) -> Self:
        """Days from `first` to `last`, both in it."""
        return self.filter(day__range=(first, last))

    def narrowed(self, *, department: int | None = None, product: int | None = None, kind: str = "") -> Self:
        """Of one department, product, kind; what is not given is not asked for."""
        wanted = {"department": department, "product": product, "kind": kind}
        return self.filter(**{name: value for name, value in wanted.items() if value})


class DailyFigureQuerySet(Filtered):
    def by_month(self) -> Iterable[tuple[date, str, str, int, int]]:
        """(month, figure, part, value, count), one query for all figures."""
        found = self.annotate(month=TruncMonth("day")).values_list("month", "figure", "part", "value")
        return found.annotate(n=Sum("count")).order_by("month", "figure", "part", "value")


class FactQuerySet(Filtered):
    def counted(self) -> Self:
        return self.filter(counts=True)

    def for_listing(self) -> Self:
        """Everything a row of the list and of its export shows."""
        return self.select_related("thread__merged_into", "department", "product").order_by("-day", "-id")

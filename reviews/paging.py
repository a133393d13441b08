"""Pages of reviews by keyset: an address names the review a page begins behind.

So page 500 costs what page 1 does, a review that moves up meanwhile is not shown twice, and going back leads to exactly
the page one left. The orders are those of `ReviewQuerySet.ORDERS`: at most one column of its own, then the newest
first. A page is read in up to two steps, each of which an index answers: the rest of those that stand equal in that
column, then what comes after them (docs/decisions/0151).
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q
from django.http import Http404

from .models import Review
from .querysets import ReviewQuerySet

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST = 80


@dataclass
class Page:
    rows: list[Review]
    after: str = ""  # cursor of the next page, empty on the last
    before: str = ""  # cursor of the page before, empty on the first


def cursor_of(review: Review, sort: str) -> str:
    """Where a review stands in an order: its value there, its moment, its id."""
    column = _column(sort)
    value = getattr(review, column) if column else 0  # `repr` of a float reads back as the very same one
    return f"{value!r}_{(review.created_at - EPOCH) // timedelta(microseconds=1)}_{review.pk}"


def page_of(reviews: ReviewQuerySet, sort: str, size: int, *, after: str = "", before: str = "") -> Page:
    """The page behind a cursor, or before one, or the first. Raises Http404 for what never was a cursor."""
    if before:
        rows = _read(reviews, sort, size + 1, _place(before, sort), back=True)
        if not rows:  # what stood there has gone: this is the start
            return page_of(reviews, sort, size)
        more, rows = len(rows) > size, rows[:size][::-1]
        return Page(rows, after=cursor_of(rows[-1], sort), before=cursor_of(rows[0], sort) if more else "")
    rows = _read(reviews, sort, size + 1, _place(after, sort) if after else None)
    more, rows = len(rows) > size, rows[:size]
    return Page(
        rows,
        after=cursor_of(rows[-1], sort) if more else "",
        before=cursor_of(rows[0], sort) if after and rows else "",
    )


Place = tuple[Any, datetime, int]


def _column(sort: str) -> str:
    """The column of its own that an order has before the moment; none for the newest first."""
    first = ReviewQuerySet.ORDERS[sort][0].removeprefix("-")
    return "" if first == "created_at" else first


def _place(cursor: str, sort: str) -> Place:
    value, _one, rest = cursor.partition("_")
    moment, _two, pk = rest.partition("_")
    if len(cursor) > LONGEST or not pk.isdecimal() or int(pk) > 2**62 or not moment.removeprefix("-").isdecimal():
        raise Http404
    try:
        told = float(value) if _column(sort) == "helpful_bound" else int(value)
        if not math.isfinite(told) or abs(told) > 100:
            raise ValueError
        return told, EPOCH + timedelta(microseconds=int(moment)), int(pk)
    except (ValueError, OverflowError):
        raise Http404 from None


def _read(reviews: ReviewQuerySet, sort: str, most: int, place: Place | None, *, back: bool = False) -> list[Review]:
    """Up to `most` reviews from a place on; towards the start with `back`."""
    column, order = _column(sort), ReviewQuerySet.ORDERS[sort]
    if back:
        order = tuple(name.removeprefix("-") if name.startswith("-") else f"-{name}" for name in order)
    reviews = reviews.order_by(*order)
    if place is None:
        return list(reviews[:most])
    value, moment, pk = place
    beyond = "gt" if back else "lt"
    # The first condition bounds the walk through the index, the second leaves out what stands before at that moment.
    rows = reviews.filter(Q(**{f"created_at__{beyond}e": moment})).filter(
        Q(**{f"created_at__{beyond}": moment}) | Q(created_at=moment, **{f"pk__{beyond}": pk})
    )
    if not column:
        return list(rows[:most])
    found = list(rows.filter(**{column: value})[:most])
    if len(found) < most:
        further = "lt" if order[0].startswith("-") else "gt"
        found += reviews.filter(**{f"{column}__{further}": value})[: most - len(found)]
    return found

"""The arithmetic of stars: what a product's numbers are made of, and how sure a share is.

A product's numbers are recounted from its reviews in the transaction that changed one of them, with the product's row
held: two writers can't each miss the other's review. `differences` proves it, `rebuild` mends.
"""

from collections.abc import Iterable
from math import sqrt
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, Sum

from community.core.rows import locked
from products.models import Product

from .models import Review

Z = 1.96  # 95 % sure
FIELDS = (
    "rating_count",
    "rating_sum",
    "stars_1",
    "stars_2",
    "stars_3",
    "stars_4",
    "stars_5",
    "recommend_yes",
    "recommend_no",
    "verified_count",
    "review_count",
)
_COUNTED = ~Q(disclosure__in=("employee", "family"))  # RULINGS 26
_TOTALS = {
    "review_count": Count("pk"),
    "rating_count": Count("pk", filter=_COUNTED),
    "rating_sum": Sum("current_stars", filter=_COUNTED, default=0),
    "recommend_yes": Count("pk", filter=_COUNTED & Q(would_recommend=True)),
    "recommend_no": Count("pk", filter=_COUNTED & Q(would_recommend=False)),
    "verified_count": Count("pk", filter=_COUNTED & ~Q(verified="")),
    **{f"stars_{n}": Count("pk", filter=_COUNTED & Q(current_stars=n)) for n in range(1, 6)},
}


def wilson(yes: int, no: int) -> float:
    """Lower bound of the share who said yes, at 95 %: 9 of 10 does not beat 190 of 200."""
    total = yes + no
    if not total:
        return 0.0
    share = yes / total
    spread = Z * sqrt((share * (1 - share) + Z * Z / (4 * total)) / total)
    return max(0.0, (share + Z * Z / (2 * total) - spread) / (1 + Z * Z / total))


def recount(product: Product) -> None:
    """Bring a product's numbers in line with its visible reviews. Must run inside a transaction."""
    row = locked(product)
    totals = Review.objects.filter(product=row, visibility="visible").aggregate(**_TOTALS)
    changed = [field for field in FIELDS if getattr(row, field) != totals[field]]
    for field in FIELDS:
        setattr(product, field, totals[field])
        setattr(row, field, totals[field])
    if changed:
        row.save(update_fields=changed)


def recount_helpful(review: Review) -> None:
    """Bring a review's helpful counts in line with its votes. The caller holds the review's row."""
    totals = review.helpful_votes.aggregate(
        yes=Count("pk", filter=Q(helpful=True)), no=Count("pk", filter=Q(helpful=False))
    )
    review.helpful_yes, review.helpful_no = totals["yes"], totals["no"]
    review.helpful_bound = wilson(totals["yes"], totals["no"])
    review.save(update_fields=["helpful_yes", "helpful_no", "helpful_bound"])


def differences(products: Iterable[Product] | None = None) -> list[tuple[str, str, Any, Any]]:
    """Where stored numbers and a fresh count part: (product's slug, field, stored, counted). Empty when all is well."""
    rows = list(Product.objects.order_by("pk") if products is None else products)
    counted: dict[int, dict[str, Any]] = {
        row["product"]: row
        for row in Review.objects.filter(visibility="visible", product__in=rows)
        .order_by()
        .values("product")
        .annotate(**_TOTALS)
    }
    return [
        (row.slug, field, getattr(row, field), counted.get(row.pk, {}).get(field, 0))
        for row in rows
        for field in FIELDS
        if getattr(row, field) != counted.get(row.pk, {}).get(field, 0)
    ]


def rebuild() -> list[tuple[str, str, Any, Any]]:
    """Recount every product; returns what was wrong before."""
    wrong = differences()
    for slug in {line[0] for line in wrong}:
        with transaction.atomic():
            recount(Product.objects.get(slug=slug))
    return wrong

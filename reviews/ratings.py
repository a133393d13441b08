"""The arithmetic of stars: what a product's numbers are made of, and how sure a share is.

Each review keeps its `share`: what it adds to its product now. When something about it changes, the difference
between the new share and the kept one is added to the product's row in one statement, in the same transaction: it
costs the same with a million reviews as with one, and two writers can't miss each other (docs/decisions/0131).
`differences` counts everything anew from reviews, chapters and votes, and proves it; `rebuild` mends.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from math import isclose, sqrt
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Case, CharField, Count, Exists, F, Max, OuterRef, Q, Subquery, Sum, Value, When
from django.db.models.functions import Cast, Coalesce, Concat

from community.core.rows import locked
from community.posts.models import Upload
from products.models import Product

from .models import Chapter, HelpfulVote, Review

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
    "still_yes",
    "still_no",
    "verified_count",
    "imported_count",
    "review_count",
)
_COUNTED = ~Q(disclosure__in=("employee", "family")) & Q(earlier=False)  # RULINGS 26
_TOTALS = {
    "review_count": Count("pk"),
    "rating_count": Count("pk", filter=_COUNTED),
    "rating_sum": Sum("current_stars", filter=_COUNTED, default=0),
    "recommend_yes": Count("pk", filter=_COUNTED & Q(would_recommend=True)),
    "recommend_no": Count("pk", filter=_COUNTED & Q(would_recommend=False)),
    "still_yes": Count("pk", filter=_COUNTED & Q(still_in_use=True)),
    "still_no": Count("pk", filter=_COUNTED & Q(still_in_use=False)),
    "verified_count": Count("pk", filter=_COUNTED & ~Q(verified="")),
    "imported_count": Count("pk", filter=_COUNTED & ~Q(source="")),
    **{f"stars_{n}": Count("pk", filter=_COUNTED & Q(current_stars=n)) for n in range(1, 6)},
}


def _mark(condition: Q, mark: str) -> Case:
    return Case(When(condition, then=Value(mark)), default=Value(""), output_field=CharField())


# What `share` has to be, for the database; `share_of` says the same of one review.
SHARE = Case(
    When(~Q(visibility="visible"), then=Value("")),
    When(~_COUNTED, then=Value("0")),
    default=Concat(
        Cast("current_stars", CharField()),
        _mark(Q(would_recommend=True), "+"),
        _mark(Q(would_recommend=False), "-"),
        _mark(Q(still_in_use=True), "u"),
        _mark(Q(still_in_use=False), "n"),
        _mark(~Q(verified=""), "v"),
        _mark(~Q(source=""), "i"),
        output_field=CharField(),
    ),
    output_field=CharField(),
)


def wilson(yes: int, no: int) -> float:
    """Lower bound of the share who said yes, at 95 %: 9 of 10 does not beat 190 of 200."""
    total = yes + no
    if not total:
        return 0.0
    share = yes / total
    spread = Z * sqrt((share * (1 - share) + Z * Z / (4 * total)) / total)
    return max(0.0, (share + Z * Z / (2 * total) - spread) / (1 + Z * Z / total))


# One review changed -----------------------------------------------------------------------------------------


def share_of(review: Review) -> str:
    """What a review adds to its product: nothing, "0" when it is shown and not averaged, else "4+uv" and the like:
    stars, whether its author would recommend it, whether it is still in use, a verified owner, an imported one."""
    if not review.is_visible:
        return ""
    if not review.counts:
        return "0"
    said = {True: "+", False: "-", None: ""}[review.would_recommend]
    use = {True: "u", False: "n", None: ""}[review.still_in_use]
    return f"{review.current_stars}{said}{use}{'v' if review.verified else ''}{'i' if review.source else ''}"


def amounts(share: str) -> dict[str, int]:
    """A share in the numbers of a product."""
    found = dict.fromkeys(FIELDS, 0)
    if not share:
        return found
    found["review_count"] = 1
    stars = int(share[0])
    if stars:
        found |= {"rating_count": 1, "rating_sum": stars, f"stars_{stars}": 1}
        found |= {"recommend_yes": int("+" in share), "recommend_no": int("-" in share)}
        found |= {"still_yes": int("u" in share), "still_no": int("n" in share)}
        found |= {"verified_count": int("v" in share), "imported_count": int("i" in share)}
    return found


def scales_of(review: Review) -> str:
    """A review's further ratings in a line, the same for the same ratings."""
    return " ".join(f"{slug}{stars}" for slug, stars in sorted((review.secondary or {}).items()) if stars)


Sums = dict[str, list[int]]  # by slug of a further rating: the sum of its stars, how many gave any


def sums_of(share: str, scales: str, times: int = 1) -> Sums:
    """What so many reviews with this share and these scales add to the further ratings of their product."""
    if share[:1] not in set("12345"):  # not shown, or not averaged
        return {}
    return {told[:-1]: [int(told[-1]) * times, times] for told in scales.split()}


def settle(review: Review) -> None:
    """Bring a product's numbers in line after something about a review changed. Runs in the change's transaction."""
    now = (share_of(review), scales_of(review))
    before = (review.share, review.scales)
    while before != now:
        # Whoever changes the kept share adds the difference: nobody else has, whatever this row looked like before.
        kept = Review.objects.filter(pk=review.pk, share=before[0], scales=before[1])
        if kept.update(share=now[0], scales=now[1]):
            _add(review, amounts(before[0]), amounts(now[0]))
            _add_sums(review, sums_of(*before), sums_of(*now))
            break
        before = Review.objects.values_list("share", "scales").get(pk=review.pk)
    review.share, review.scales = now


def settle_all_by(review: Review) -> None:
    """`settle` for a review and those that the same person wrote of the same product: the newest one counts.

    Only imports bring several (one per person is the rule here); they are shown, and the earlier ones not averaged.
    """
    others = list(
        Review.objects.visible().filter(product=review.product_id, author=review.author_id).exclude(pk=review.pk)
    )
    shown = [*others, review] if review.is_visible else others
    newest = max(shown, key=lambda one: (one.created_at, one.pk), default=None)
    for one in [*others, review]:
        earlier = one is not newest and one.is_visible
        if one.earlier != earlier:
            one.earlier = earlier
            Review.objects.filter(pk=one.pk).update(earlier=earlier)
        settle(one)


def _add(review: Review, before: dict[str, int], now: dict[str, int]) -> None:
    steps = {field: now[field] - before[field] for field in FIELDS if now[field] != before[field]}
    enough = {f"{field}__gte": -step for field, step in steps.items() if step < 0}
    changes: dict[str, Any] = {field: F(field) + step for field, step in steps.items()}
    if not changes:
        return
    if not Product.objects.filter(pk=review.product_id, **enough).update(**changes):
        recount(review.product)  # somebody wrote the numbers by hand: below nothing they can't go
    if "product" in review._state.fields_cache:  # the page that follows shows the new numbers
        row = Product.objects.values(*FIELDS).get(pk=review.product_id)
        for field in FIELDS:
            setattr(review.product, field, row[field])


def _add_sums(review: Review, before: Sums, now: Sums) -> None:
    """The same for the further ratings. They stand in one column, so the product's row is held meanwhile."""
    if before == now:
        return
    row = locked(Product(pk=review.product_id))
    sums: Sums = {slug: list(pair) for slug, pair in row.secondary_sums.items()}
    for changed, sign in ((before, -1), (now, 1)):
        for slug, (stars, count) in changed.items():
            pair = sums.setdefault(slug, [0, 0])
            pair[0], pair[1] = pair[0] + sign * stars, pair[1] + sign * count
    if any(count < 0 or not count <= stars <= 5 * count for stars, count in sums.values()):
        recount(row)  # written by hand, too
    else:
        row.secondary_sums = {slug: pair for slug, pair in sums.items() if pair[1]}
        row.save(update_fields=["secondary_sums"])
    if "product" in review._state.fields_cache:
        review.product.secondary_sums = row.secondary_sums


FROM_CHAPTERS = ("current_stars", "still_in_use", "owned_last")


def follow_chapters(review: Review) -> None:
    """Set what the chapters say: the stars of today, whether it is still in use, how long owned. Saves nothing."""
    chapters = list(review.chapters.order_by("-created_at", "-id"))
    review.current_stars = chapters[0].stars if chapters else review.stars
    review.still_in_use = next((one.still_in_use for one in chapters if one.still_in_use is not None), None)
    review.owned_last = longest(review.owned_months, *(one.months_owned for one in chapters))


def move_helpful(review: Review, yes: int, no: int) -> None:
    """Add to a review's helpful counts. The caller holds the review's row, and wrote or took away that many votes."""
    review.helpful_yes, review.helpful_no = review.helpful_yes + yes, review.helpful_no + no
    review.helpful_bound = wilson(review.helpful_yes, review.helpful_no)
    review.save(update_fields=["helpful_yes", "helpful_no", "helpful_bound"])


# All of them ------------------------------------------------------------------------------------------------


def recount(product: Product) -> None:
    """Count a product's numbers anew from its reviews, and the shares they keep. Must run inside a transaction."""
    # Reviews before their product, as everybody who changes one: or two would wait for each other for ever.
    Review.objects.filter(product=product).exclude(share=SHARE).update(share=SHARE)
    row = locked(product)
    totals = Review.objects.filter(product=row, visibility="visible").aggregate(**_TOTALS)
    totals["secondary_sums"] = _sums_of([row.pk]).get(row.pk, {})
    counted = (*FIELDS, "secondary_sums")
    changed = [field for field in counted if getattr(row, field) != totals[field]]
    for field in counted:
        setattr(product, field, totals[field])
        setattr(row, field, totals[field])
    if changed:
        row.save(update_fields=changed)


def _sums_of(products: Iterable[int]) -> dict[int, Sums]:
    """The further ratings of products, counted from what their reviews keep: a row for each set of ratings given."""
    found: dict[int, Sums] = {}
    rows = Review.objects.filter(_COUNTED, product__in=products, visibility="visible").exclude(scales="").order_by()
    for product, scales, times in rows.values_list("product", "scales").annotate(times=Count("pk")):
        sums = found.setdefault(product, {})
        for slug, (stars, count) in sums_of("1", scales, times).items():
            pair = sums.setdefault(slug, [0, 0])
            pair[0], pair[1] = pair[0] + stars, pair[1] + count
    return found


def online_by_stars() -> dict[int, int]:
    """How many reviews are online, by their stars of today: those averaged from the numbers that products keep, and
    the few that aren't from their own index. It costs the same with a million reviews as with a thousand."""
    kept = Product.objects.aggregate(**{f"n{stars}": Sum(f"stars_{stars}", default=0) for stars in range(1, 6)})
    found = {stars: kept[f"n{stars}"] for stars in range(1, 6)}
    beside = Review.objects.filter(share="0").order_by().values_list("current_stars").annotate(Count("pk"))
    for stars, count in beside:
        found[stars] += count
    return found


def longest(*months: int | None) -> int | None:
    """The most of some numbers of months, None being not told."""
    return max((one for one in months if one is not None), default=None)


def recount_review(review: Review) -> None:
    """Count anew what hangs on a review: its stars of today and its helpful votes. Must run inside a transaction."""
    row = locked(review)
    follow_chapters(row)
    votes = row.helpful_votes.aggregate(
        yes=Count("pk", filter=Q(helpful=True)), no=Count("pk", filter=Q(helpful=False))
    )
    row.helpful_yes, row.helpful_no = votes["yes"], votes["no"]
    row.helpful_bound = wilson(votes["yes"], votes["no"])
    row.photo_count = Upload.objects.filter(
        target_type=ContentType.objects.get_for_model(row), target_id=row.pk
    ).count()
    row.save(update_fields=[*FROM_CHAPTERS, "helpful_yes", "helpful_no", "helpful_bound", "photo_count"])
    settle_all_by(row)


Difference = tuple[str, str, Any, Any]
CHUNK = 500


def differences(products: Iterable[Product] | None = None) -> list[Difference]:
    """Where what is stored parts from a fresh count: (product's slug, field, stored, counted). Empty: all is well."""
    rows = iter(Product.objects.order_by("pk").iterator(CHUNK) if products is None else products)
    found: list[Difference] = []
    while chunk := list(islice(rows, CHUNK)):
        counted: dict[int, dict[str, Any]] = {
            row["product"]: row
            for row in Review.objects.filter(visibility="visible", product__in=chunk)
            .order_by()
            .values("product")
            .annotate(**_TOTALS)
        }
        sums = _sums_of([row.pk for row in chunk])
        found += [
            (row.slug, "secondary_sums", row.secondary_sums, sums.get(row.pk, {}))
            for row in chunk
            if row.secondary_sums != sums.get(row.pk, {})
        ]
        found += [
            (row.slug, field, getattr(row, field), counted.get(row.pk, {}).get(field, 0))
            for row in chunk
            for field in FIELDS
            if getattr(row, field) != counted.get(row.pk, {}).get(field, 0)
        ]
    return found


def review_differences() -> Iterator[tuple[Review, str, Any, Any]]:
    """Where a review parts from its chapters, its votes, or the share it has to keep."""
    chapters = Chapter.objects.filter(review=OuterRef("pk")).order_by("-created_at", "-id")
    newest, said = chapters.values("stars")[:1], chapters.filter(still_in_use__isnull=False).values("still_in_use")[:1]
    votes = HelpfulVote.objects.filter(target=OuterRef("pk")).order_by().values("target")
    months = chapters.order_by().values("review").annotate(n=Max("months_owned")).values("n")
    of_reviews = ContentType.objects.get_for_model(Review)
    photos = Upload.objects.filter(target_type=of_reviews, target_id=OuterRef("pk")).order_by().values("target_id")
    later = Review.objects.visible().filter(
        Q(created_at__gt=OuterRef("created_at")) | Q(created_at=OuterRef("created_at"), pk__gt=OuterRef("pk")),
        product=OuterRef("product"), author=OuterRef("author"),
    )  # fmt: skip
    rows = Review.objects.annotate(
        has_later=Exists(later),
        counted_stars=Coalesce(Subquery(newest), F("stars")),
        counted_use=Subquery(said),
        counted_yes=Coalesce(Subquery(votes.annotate(n=Count("pk", filter=Q(helpful=True))).values("n")), 0),
        counted_no=Coalesce(Subquery(votes.annotate(n=Count("pk", filter=Q(helpful=False))).values("n")), 0),
        counted_share=SHARE,
        chapter_months=Subquery(months),
        counted_photos=Coalesce(Subquery(photos.annotate(n=Count("pk")).values("n")), 0),
    ).defer("body_source", "body_html", "body_text")
    for row in rows.order_by("pk").iterator(CHUNK):
        pairs = [
            ("current_stars", row.current_stars, row.counted_stars),
            ("still_in_use", row.still_in_use, row.counted_use),
            ("helpful_yes", row.helpful_yes, row.counted_yes),
            ("helpful_no", row.helpful_no, row.counted_no),
            ("share", row.share, row.counted_share),
            ("scales", row.scales, scales_of(row)),
            ("earlier", row.earlier, row.is_visible and row.has_later),
            ("owned_last", row.owned_last, longest(row.owned_months, row.chapter_months)),
            ("photo_count", row.photo_count, row.counted_photos),
        ]
        yield from ((row, field, stored, counted) for field, stored, counted in pairs if stored != counted)
        bound = wilson(row.counted_yes, row.counted_no)
        if not isclose(row.helpful_bound, bound, abs_tol=1e-9):
            yield row, "helpful_bound", row.helpful_bound, bound


def rebuild() -> list[Difference]:
    """Count everything anew; returns what was wrong before."""
    wrong = [(f"review {row.pk}", field, stored, counted) for row, field, stored, counted in review_differences()]
    for pk in dict.fromkeys(int(line[0].split()[1]) for line in wrong):
        with transaction.atomic():
            recount_review(Review.objects.get(pk=pk))
    of_products = differences()
    for slug in dict.fromkeys(line[0] for line in of_products):
        with transaction.atomic():
            recount(Product.objects.get(slug=slug))
    return wrong + of_products

"""What a list of reviews needs beyond its rows, fetched once for all of them."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext_lazy as _

from community.posts.models import Upload
from products.models import Product

from . import permissions
from .models import HelpfulVote, Review
from .querysets import ReviewQuerySet

SORTS = [
    ("helpful", _("Most helpful")),
    ("newest", _("Newest")),
    ("highest", _("Highest")),
    ("lowest", _("Lowest")),
]
# How long its author had owned it: the key in the address, the words, at least and below so many months.
OWNED = [
    ("first", _("Owned under 3 months"), None, 3),
    ("months", _("3 to 12 months"), 3, 12),
    ("years", _("1 to 2 years"), 12, 24),
    ("long", _("Over 2 years"), 24, None),
]


def with_my_vote(reviews: ReviewQuerySet, user: Any) -> ReviewQuerySet:
    """With `my_vote`: whether this person found each helpful, None for nothing said."""
    if user is None or not user.is_authenticated:
        return reviews
    mine = HelpfulVote.objects.filter(voter=user, target=OuterRef("pk"))
    return reviews.annotate(my_vote=Subquery(mine.values("helpful")[:1]))


def prepared(reviews: Sequence[Review], user: Any) -> list[Review]:
    """The reviews with `photos`, `my_vote`, `can_vote`, `ratings` set, in at most two queries more."""
    reviews = list(reviews)
    ids = [review.pk for review in reviews]
    photos: dict[int, list[Upload]] = defaultdict(list)
    content_type = ContentType.objects.get_for_model(Review)
    for upload in Upload.objects.filter(target_type=content_type, target_id__in=ids):
        photos[upload.target_id].append(upload)
    mine: dict[int, bool | None] = {review.pk: getattr(review, "my_vote", None) for review in reviews}
    asked = all(hasattr(review, "my_vote") for review in reviews)  # by with_my_vote, together with the reviews
    if user.is_authenticated and not asked:
        mine = dict(HelpfulVote.objects.filter(voter=user, target__in=ids).values_list("target_id", "helpful"))
    for review in reviews:
        review.photos = photos[review.pk]  # type: ignore[attr-defined]
        review.my_vote = mine.get(review.pk)  # type: ignore[attr-defined]
        review.can_vote = user.is_authenticated and not permissions.why_not_vote(user, review)  # type: ignore[attr-defined]
    return reviews


def named_ratings(review: Review) -> list[tuple[str, int]]:
    """The further ratings with their names, in the family's order."""
    given = review.secondary or {}
    return [(r["name"], given[r["slug"]]) for r in review.product.family.ratings if r["slug"] in given]


def histogram(product: Product, base: str, stars: int | None = None) -> list[dict[str, Any]]:
    """Rows for components/_histogram.html; each filters the list by its stars."""
    return [
        {"stars": n, "count": count, "url": f"{base}stars={n}#reviews" if count else "", "current": n == stars}
        for n, count in product.histogram
    ]


def recommend_percent(product: Product) -> int | None:
    share = product.recommend_share
    return None if share is None else round(share * 100)


def owners(product: Product) -> list[dict[str, Any]]:
    """What owners say in numbers, for what they said: `percent` of `of` people, and `said`, what it is."""
    found = []
    if (percent := recommend_percent(product)) is not None:
        asked = product.recommend_yes + product.recommend_no
        found.append({"percent": percent, "said": _("would recommend it"), "of": asked})
    if product.still_said:
        percent = round(100 * product.still_yes / product.still_said)
        found.append({"percent": percent, "said": _("still use it"), "of": product.still_said})
    return found

"""Reviews on the pages of the rooms below: a product, a person."""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db.models import OuterRef, Subquery, prefetch_related_objects
from django.db.models.functions import JSONObject
from django.http import HttpRequest
from django.urls import reverse

from community.core.panels import Panel
from community.posts.photos import photos_of
from products.models import Product

from . import hints, listing, permissions
from .models import Hint, Refusal, Review
from .structured import product_data


def stars_wanted(request: HttpRequest | None) -> int | None:
    given = request.GET.get("stars", "") if request is not None else ""
    return int(given) if given in {"1", "2", "3", "4", "5"} else None


class ProductReviews(Panel):
    """Summary, histogram, and the first reviews; `?stars=` and `?sort=` of the page's address filter them."""

    template = "reviews/_product.html"
    query_budget = 6  # 4 on the page of a product, which brings one's own review and knows whether it has variants
    shown = 4
    brings = ("own_review",)

    def brought(self, user: Any) -> Mapping[str, Any]:
        return _bring_own_review(user)

    def context(self, request: HttpRequest | None, batch: Sequence[Product]) -> Mapping[Hashable, Mapping[str, Any]]:
        user = getattr(request, "user", None)
        stars = stars_wanted(request)
        sort = request.GET.get("sort", "helpful") if request is not None else "helpful"
        if sort not in dict(listing.SORTS):
            sort = "helpful"
        # The page's own host: the two descriptions of the product on it must bear the same name.
        host = request.build_absolute_uri("/")[:-1] if request is not None else settings.BASE_URL
        return {product.pk: self._one(product, user, stars, sort, host) for product in batch}

    def _one(self, product: Product, user: Any, stars: int | None, sort: str, host: str) -> Mapping[str, Any]:
        base = reverse("reviews:list") + f"?product={product.slug}"
        reviews: list[Review] = []
        if product.review_count:
            found = Review.objects.visible().filter(product=product).sorted_by(sort)
            if stars:
                found = found.filter(current_stars=stars)
            reviews = listing.prepared(list(listing.with_my_vote(found.for_listing(), user)[: self.shown]), user)
        of_these = getattr(product, f"stars_{stars}") if stars else product.review_count
        return {
            "product": product,
            "reviews": reviews,
            "mine": self._mine(product, user),
            "stars": stars,
            "sort": sort,
            "sorts": listing.SORTS,
            "rows": listing.histogram(product, "?"),
            "most": max(count for _stars, count in product.histogram) or 1,
            "owners": listing.owners(product),
            "detail": product.in_detail,
            "base": base,
            "rest": max(0, of_these - len(reviews)),
            "data": product_data(product, reviews, host),
        }

    def _mine(self, product: Product, user: Any) -> Review | None:
        if user is None or not user.is_authenticated:
            return None
        if not hasattr(product, "own_review"):
            return _own_reviews(user).filter(product=product).first()
        return Review(**product.own_review) if product.own_review else None


def _own_reviews(user: Any) -> Any:
    return Review.objects.filter(author=user, source="").exclude(visibility="deleted")


def _bring_own_review(user: Any) -> Mapping[str, Any]:
    """One's own review of the `product` of each row."""
    if not user.is_authenticated:
        return {}
    own = _own_reviews(user).filter(product=OuterRef("product"))
    return {"own_review": Subquery(own.values(row=JSONObject(pk="pk", visibility="visibility"))[:1])}


class PersonReviews(Panel):
    """What somebody reviewed."""

    template = "reviews/_person.html"
    order = 40
    query_budget = 2
    shown = 6

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Mapping[Hashable, Mapping[str, Any]]:
        found: dict[Any, list[Review]] = {}
        rows = Review.objects.visible().filter(author__in=batch).select_related("product").order_by("-created_at")
        for review in rows[: 50 * len(batch)]:
            found.setdefault(review.author_id, []).append(review)
        return {
            person: {"reviews": reviews[: self.shown], "more": len(reviews) - self.shown}
            for person, reviews in found.items()
        }


class ShelfReviews(Panel):
    """Beside each thing on one's own shelf: one's review of it, or the way to write one."""

    template = "reviews/_shelf.html"
    query_budget = 1
    brings = ("own_review",)

    def brought(self, user: Any) -> Mapping[str, Any]:
        return _bring_own_review(user)

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Mapping[Hashable, Mapping[str, Any]]:
        user = getattr(request, "user", None)
        if all(hasattr(own, "own_review") for own in batch):
            mine = {own.product_id: Review(**own.own_review) for own in batch if own.own_review}
        else:
            written = _own_reviews(user).filter(product__in=[own.product_id for own in batch])
            mine = {review.product_id: review for review in written}
        may = not permissions.why_not_review(user)  # people who work here don't review
        return {
            own.pk: {"review": mine.get(own.product_id), "product": own.product}
            for own in batch
            if may or own.product_id in mine
        }


class ReviewInQueue(Panel):
    """All that a moderator may have to mark in a review, what its author appeals, and what a program noticed. Not its
    stars: nobody decides by them."""

    template = "reviews/_in_queue.html"
    query_budget = 5  # product, chapters, photos, appeals, hints

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Mapping[Hashable, Mapping[str, Any]]:
        items = [item for item in batch if isinstance(item.target, Review)]
        reviews = [item.target for item in items]
        if not reviews:
            return {}
        prefetch_related_objects(reviews, "product", "chapters")
        photos = photos_of(reviews)
        noticed: dict[int, list[tuple[Hint, str]]] = defaultdict(list)
        for hint in Hint.objects.filter(review__in=reviews, settled_at=None):
            noticed[hint.review_id].append((hint, hints.reason(hint)))
        open_appeals = Refusal.objects.filter(review__in=reviews, appealed_at__isnull=False, granted=None)
        appeals = {refusal.review_id: refusal for refusal in open_appeals}
        me = getattr(getattr(request, "user", None), "pk", None)
        found = {}
        for item in items:
            pk, appeal = item.target.pk, appeals.get(item.target.pk)
            found[item] = {
                "review": item.target,
                "photos": photos[pk],
                "appeal": appeal,
                "mine": appeal is not None and appeal.by_id == me,
                "hints": noticed[pk],
            }
        return found


class OpenHints(Panel):
    """The way to what a program noticed about reviews that nobody looked at."""

    template = "reviews/_open_hints.html"
    query_budget = 1

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Mapping[Hashable, Mapping[str, Any]]:
        return dict.fromkeys(batch, {"count": hints.open_hints().count()})

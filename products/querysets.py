from collections.abc import Collection
from typing import Any, Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Sum
from wagtail.models import PageViewRestriction
from wagtail.query import PageQuerySet

from community.core import panels


class ProductQuerySet(models.QuerySet):
    def for_listing(self) -> Self:
        return self.select_related("family")

    def mean_of_all(self) -> float:
        """Mean of all stars that any product was given; the middle of the scale before there are any."""
        found = self.aggregate(given=Sum("rating_sum"), count=Sum("rating_count"))
        return found["given"] / found["count"] if found["count"] else 3.0


class OwnershipQuerySet(models.QuerySet):
    def verified(self) -> Self:
        return self.exclude(verified="")

    def of_version(self, versions: Collection[int], *, unknown: bool) -> Self:
        """Of one of these versions (ids); of all when there are none. `unknown`: also where nobody said which."""
        if not versions:
            return self
        wanted = Q(version__in=versions)
        return self.filter(wanted | Q(version=None) if unknown else wanted)


class OrderLineQuerySet(models.QuerySet):
    def waiting(self) -> Self:
        return self.filter(matched_at=None)


class OwnerAlertQuerySet(models.QuerySet):
    def open(self) -> Self:
        return self.filter(ended_at=None)


def _guards() -> models.QuerySet:
    """The restrictions that stand before a page or one above it; an alias is as open as its source."""
    return PageViewRestriction.objects.alias(
        here=models.ExpressionWrapper(OuterRef("path"), models.CharField())
    ).filter(Q(here__startswith=F("page__path")) | Q(here__startswith=F("page__aliases__path")))


class ProductPageQuerySet(PageQuerySet):
    def for_everybody(self) -> Self:
        """Live, and not behind a password or a sign-in: what lists, comparisons and feeds may tell of."""
        return self.live().filter(~Exists(_guards()))

    def for_listing(self) -> Self:
        """With the product, its family and the page's language, in the catalogue's order."""
        return self.select_related("product__family", "locale").order_by(
            "product__family__position", "product__position", "product__name"
        )

    def for_page(self, user: Any) -> Self:
        """Everything the head of the page shows, what its panels asked to bring along, whether a restriction stands
        before it (`guarded`), and whether the product is on this person's shelf."""
        found = self.select_related("product__family", "locale", "video_poster").annotate(
            guarded=Exists(_guards()), **panels.brought("product", user)
        )
        if not user.is_authenticated:
            return found
        return found.annotate(on_shelf=Exists(user.shelf.filter(product=OuterRef("product"))))

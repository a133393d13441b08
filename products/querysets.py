from typing import Any, Self

from django.db import models
from django.db.models import Exists, OuterRef
from wagtail.query import PageQuerySet


class ProductQuerySet(models.QuerySet):
    def for_listing(self) -> Self:
        return self.select_related("family")


class OwnershipQuerySet(models.QuerySet):
    def verified(self) -> Self:
        return self.exclude(verified="")


class ProductPageQuerySet(PageQuerySet):
    def for_listing(self) -> Self:
        """With the product and its family, in the catalogue's order."""
        return self.select_related("product__family").order_by(
            "product__family__position", "product__position", "product__name"
        )

    def for_page(self, user: Any) -> Self:
        """Everything the head of the page shows, and whether it is on this person's shelf."""
        found = self.select_related("product__family", "locale", "video_poster")
        if not user.is_authenticated:
            return found
        return found.annotate(on_shelf=Exists(user.shelf.filter(product=OuterRef("product"))))

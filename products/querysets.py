from typing import Self

from django.db import models
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

    def for_page(self) -> Self:
        return self.select_related("product__family", "locale", "video_poster")

from typing import Self

from django.db import models


class ProductQuerySet(models.QuerySet):
    def for_listing(self) -> Self:
        return self.select_related("family")


class OwnershipQuerySet(models.QuerySet):
    def verified(self) -> Self:
        return self.exclude(verified="")

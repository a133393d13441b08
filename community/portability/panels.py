"""Where an imported product comes from, on its page; and joining two accounts, on that of a person in the admin."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest

from community.accounts.models import User
from community.core.panels import Panel
from products.models import Product

from .joining import why_not_join
from .models import SourceProduct

KEPT = 300  # seconds: where a product came from changes with an import


class ProductSource(Panel):
    """Source, address and licence of what was taken over."""

    template = "products/_source.html"
    query_budget = 1

    def context(self, request: HttpRequest | None, batch: Sequence[Product]) -> Mapping[Hashable, Mapping[str, Any]]:
        keys = {f"product-source:{product.pk}": product.pk for product in batch}
        kept = cache.get_many(keys)
        if len(kept) < len(keys):
            found = {row.product_id: row for row in SourceProduct.objects.filter(product__in=batch)}
            kept = {key: found.get(pk) for key, pk in keys.items()}
            cache.set_many(kept, KEPT)
        return {keys[key]: {"source": row} for key, row in kept.items() if row is not None}


class JoinAccounts(Panel):
    """For whoever may: this account and another one are one person's."""

    template = "portability/admin/_join_link.html"
    query_budget = 0

    def context(self, request: HttpRequest | None, batch: Sequence[User]) -> Mapping[Hashable, Mapping[str, Any]]:
        if request is None or why_not_join(request.user):
            return {}
        return {person.pk: {} for person in batch if not person.is_erased and not person.speaks_for_brand}

"""Where an imported product comes from, on its page."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest

from community.core.panels import Panel
from products.models import Product

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

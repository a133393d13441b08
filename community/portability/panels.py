"""Where an imported product comes from, on its page."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from django.http import HttpRequest

from community.core.panels import Panel
from products.models import Product

from .models import SourceProduct


class ProductSource(Panel):
    """Source, address and licence of what was taken over."""

    template = "products/_source.html"
    query_budget = 1

    def context(self, request: HttpRequest | None, batch: Sequence[Product]) -> Mapping[Hashable, Mapping[str, Any]]:
        return {row.product_id: {"source": row} for row in SourceProduct.objects.filter(product__in=batch)}

"""Where an imported product comes from, on its page; joining two accounts and erasing one, on that of a person in
the admin."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest

from community.accounts.models import User
from community.core.panels import Panel
from products.models import Product

from . import leaving
from .joining import why_not_join
from .models import Departure, SourceProduct

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


class EraseAccount(Panel):
    """For whoever may: begin the erasure for somebody who asked elsewhere; and for all who look after people, that
    one has begun."""

    template = "portability/admin/_erase_link.html"
    query_budget = 1

    def context(self, request: HttpRequest | None, batch: Sequence[User]) -> Mapping[Hashable, Mapping[str, Any]]:
        if request is None:
            return {}
        planned = {row.person_id: row for row in Departure.objects.filter(person__in=batch)}
        may = not leaving.why_not_ask_for(request.user)
        shown = {person.pk: {"departure": planned.get(person.pk), "may": may} for person in batch}
        return {
            person.pk: shown[person.pk]
            for person in batch
            if (may or person.pk in planned) and not leaving.why_not_theirs(person)
        }

"""What the pages room shows on pages of the rooms below."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest

from community.core import panels
from community.posts.services import is_following

from .models import HelpArticlePage

MOST_ARTICLES = 6


class ProductHelp(panels.Panel):
    """Help articles about a product."""

    template = "pages/_product_help.html"
    query_budget = 2

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Mapping[Any, Mapping[str, Any]]:
        articles = HelpArticlePage.objects.live().filter(products__in=batch).for_listing().distinct()
        shown: dict[Any, list[HelpArticlePage]] = {}
        for article in articles:
            for product in article.products.all():
                shown.setdefault(product.pk, []).append(article)
        return {product.pk: {"articles": shown[product.pk][:MOST_ARTICLES]} for product in batch if product.pk in shown}


class FollowProduct(panels.Panel):
    """The button that follows a product."""

    template = "pages/_follow.html"
    query_budget = 2

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Mapping[Any, Mapping[str, Any]]:
        user = request.user if request is not None else None
        return {
            product.pk: {"product": product, "following": bool(user and is_following(product, user))}
            for product in batch
        }

"""What the pages room shows on pages of the rooms below."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import F
from django.http import HttpRequest

from community.core import panels
from community.posts.services import is_following

from .models import HelpArticlePage

MOST_ARTICLES = 6


class ProductHelp(panels.Panel):
    """Help articles about a product."""

    template = "pages/_product_help.html"
    query_budget = 1

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Mapping[Any, Mapping[str, Any]]:
        # A row for each tie of an article to a product, so that one query says which belong where.
        ties = HelpArticlePage.objects.live().filter(products__in=batch).annotate(about=F("products"))
        shown: dict[Any, list[HelpArticlePage]] = {}
        for article in ties.order_by("-pinned", "title"):
            shown.setdefault(article.about, []).append(article)
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

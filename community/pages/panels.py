"""What the pages room shows on pages of the rooms below."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.cache import cache
from django.db.models import CharField, Count, F, Max, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Cast, Coalesce, Concat
from django.http import HttpRequest
from django.utils.translation import ngettext

from community.core import clock, panels
from community.core.guarding import unguarded
from community.core.models import CommunityImage
from community.posts.services import following, is_following
from products.models import Product

from . import figures
from .models import HelpArticlePage, HomePage, PublicFigures

MOST_ARTICLES = 6
HELP_SECONDS = 60 * 60  # the mark in the key says when something changed


def heroes() -> QuerySet[CommunityImage]:
    """The pictures of front pages, for the worker that makes their sizes."""
    return CommunityImage.objects.filter(pk__in=HomePage.objects.live().values("hero_image"))


class ProductHelp(panels.Panel):
    """Help articles about a product: kept under a mark that changes with whatever anybody may read about it."""

    template = "pages/_product_help.html"
    query_budget = 1
    brings = ("help_mark",)

    def brought(self, user: Any) -> Mapping[str, Any]:
        online = unguarded(HelpArticlePage.objects.live()).filter(products=OuterRef("product"))
        online = online.order_by().values("products")
        parts = [Count("pk"), Sum("live_revision"), Max("last_published_at")]
        mark = [Coalesce(Cast(part, CharField()), Value("")) for part in parts]
        return {"help_mark": Subquery(online.annotate(mark=Concat(*mark, output_field=CharField())).values("mark")[:1])}

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Mapping[Any, Mapping[str, Any]]:
        # A mark of None is said by the page's query: there is nothing online about it.
        wanted = [product for product in batch if getattr(product, "help_mark", "") is not None]
        keys = {
            product.pk: f"product-help:{product.pk}:{product.help_mark}".replace(" ", "T")
            for product in wanted
            if getattr(product, "help_mark", None)
        }
        kept = cache.get_many(keys.values())
        shown = {pk: kept[key] for pk, key in keys.items() if key in kept}
        asked = [product.pk for product in wanted if product.pk not in shown]
        if asked:
            found = self._articles(asked)
            cache.set_many({keys[pk]: found.get(pk, []) for pk in asked if pk in keys}, HELP_SECONDS)
            shown |= found
        return {pk: {"articles": articles} for pk, articles in shown.items() if articles}

    def _articles(self, products: list[int]) -> dict[int, list[dict[str, str]]]:
        # A row for each tie of an article to a product, so that one query says which belong where.
        ties = unguarded(HelpArticlePage.objects.live()).filter(products__in=products).annotate(about=F("products"))
        found: dict[int, list[dict[str, str]]] = {}
        for article in ties.order_by("-pinned", "title"):
            of_product = found.setdefault(article.about, [])
            if len(of_product) < MOST_ARTICLES:
                of_product.append(
                    {"title": article.title, "summary": article.summary, "url": article.get_absolute_url()}
                )
        return found


class FollowProduct(panels.Panel):
    """The button that follows a product."""

    template = "pages/_follow.html"
    query_budget = 2
    brings = ("is_followed",)

    def brought(self, user: Any) -> Mapping[str, Any]:
        return {"is_followed": following(Product, user, OuterRef("product"))} if user.is_authenticated else {}

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Mapping[Any, Mapping[str, Any]]:
        user = request.user if request is not None else None
        return {product.pk: {"product": product, "following": self._follows(product, user)} for product in batch}

    def _follows(self, product: Any, user: Any) -> bool:
        known = getattr(product, "is_followed", None)
        return bool(user and is_following(product, user)) if known is None else known


class HomeNumbers(panels.Panel):
    """What anybody may hold the house to, on the front page. Nothing while there is too little to count."""

    template = "pages/_numbers.html"
    query_budget = 1

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Mapping[Any, Mapping[str, Any]]:
        row = PublicFigures.objects.first()
        if row is None or row.asked < figures.FEWEST:
            return {}
        return {
            panels.key(thing): {
                "row": row,
                "answered": 100 * row.answered // row.asked,
                "first_reply": "" if row.first_reply_seconds is None else _about(row.first_reply_seconds),
                "at_once": 100 * row.settled_at_once // row.solved if row.solved >= figures.FEWEST else None,
                "open_days": (clock.now() - row.open_since).days if row.open_since else None,
            }
            for thing in batch
        }


def _about(seconds: int) -> str:
    """A time in its largest unit, as a headline says it."""
    minutes, hours, days = round(seconds / 60), round(seconds / 3600), round(seconds / 86400)
    if minutes < 90:
        return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
    if hours < 48:
        return ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}
    return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}

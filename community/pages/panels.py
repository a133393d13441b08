"""What the pages room shows on pages of the rooms below."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.translation import ngettext

from community.core import clock, panels
from community.core.models import CommunityImage
from community.posts.services import is_following

from . import figures
from .models import HelpArticlePage, HomePage, PublicFigures

MOST_ARTICLES = 6


def heroes() -> QuerySet[CommunityImage]:
    """The pictures of front pages, for the worker that makes their sizes."""
    return CommunityImage.objects.filter(pk__in=HomePage.objects.live().values("hero_image"))


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


class HomeNumbers(panels.Panel):
    """What anybody may hold the house to, on the front page. Nothing while there is too little to count."""

    template = "pages/_numbers.html"
    query_budget = 2

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Mapping[Any, Mapping[str, Any]]:
        row = PublicFigures.objects.first()
        if row is None or row.asked < figures.FEWEST:
            return {}
        since = figures.open_longest()
        return {
            panels.key(thing): {
                "row": row,
                "answered": 100 * row.answered // row.asked,
                "first_reply": "" if row.first_reply_seconds is None else _about(row.first_reply_seconds),
                "at_once": 100 * row.settled_at_once // row.solved if row.solved >= figures.FEWEST else None,
                "open_days": (clock.now() - since).days if since else None,
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

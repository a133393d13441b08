"""The map for crawlers: editors' pages, and what members wrote that everybody may see."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.sitemaps import Sitemap
from django.db.models import QuerySet
from wagtail.contrib.sitemaps import Sitemap as PageSitemap

from community.questions.models import Thread
from community.sharing.models import Recipe, Tip
from reviews.models import Review


class Threads(Sitemap):
    limit = 5000

    def items(self) -> "QuerySet[Thread]":
        # A duplicate's canonical address is its original's.
        return Thread.objects.visible().filter(duplicate_of__isnull=True).order_by("pk")

    def lastmod(self, thread: Thread) -> datetime:
        return thread.active_at


class Written(Sitemap):
    """Recipes, tips and reviews: everything that has an address and a day."""

    limit = 5000
    model: Any

    def items(self) -> Iterable[Any]:
        return self.model.objects.visible().order_by("pk")

    def lastmod(self, thing: Any) -> datetime:
        return getattr(thing, "edited_at", None) or thing.created_at


class Recipes(Written):
    model = Recipe


class Tips(Written):
    model = Tip


class Reviews(Written):
    model = Review


SITEMAPS: dict[str, type[Sitemap]] = {
    "pages": PageSitemap,
    "questions": Threads,
    "recipes": Recipes,
    "tips": Tips,
    "reviews": Reviews,
}

"""A password or a sign-in on an editors' page guards more than that page."""

from typing import TypeVar

from django.db.models import CharField, Exists, ExpressionWrapper, F, OuterRef, QuerySet
from wagtail.models import Page, PageViewRestriction

Kind = TypeVar("Kind", bound=Page)
Pages = TypeVar("Pages", bound=QuerySet)


def guarded_with(pages: "QuerySet[Kind]", root: Page) -> dict[int, Kind]:
    """Those of `pages` that are guarded when `root` is: it, what is under it, and their aliases wherever these are."""
    below = Page.objects.descendant_of(root, inclusive=True)
    tops = [root, *Page.objects.filter(alias_of__in=below)]
    return {page.pk: page for top in tops for page in pages.filter(path__startswith=top.path)}


def unguarded(pages: Pages, seen_on: Page | None = None) -> Pages:
    """Those of `pages` that a list may name to anybody: no guard stands on them, above them, or on what they copy.

    On `seen_on` whoever reads has passed the guards of that page and of those above it: these don't count. One query.
    """
    guards = PageViewRestriction.objects.annotate(at=F("page__path"))
    if seen_on is not None:
        guards = guards.filter(at__startswith=seen_on.path).exclude(page=seen_on.pk)
    for of in ("path", "alias_of__path"):
        above = guards.annotate(of=ExpressionWrapper(OuterRef(of), CharField())).filter(of__startswith=F("at"))
        pages = pages.exclude(Exists(above))
    return pages

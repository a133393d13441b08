"""A password or a sign-in on an editors' page guards more than that page."""

from typing import TypeVar

from django.db.models import QuerySet
from wagtail.models import Page

Kind = TypeVar("Kind", bound=Page)


def guarded_with(pages: "QuerySet[Kind]", root: Page) -> dict[int, Kind]:
    """Those of `pages` that are guarded when `root` is: it, what is under it, and their aliases wherever these are."""
    below = Page.objects.descendant_of(root, inclusive=True)
    tops = [root, *Page.objects.filter(alias_of__in=below)]
    return {page.pk: page for top in tops for page in pages.filter(path__startswith=top.path)}

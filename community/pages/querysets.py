from typing import Self

from wagtail.query import PageQuerySet


class HelpArticleQuerySet(PageQuerySet):
    def for_listing(self) -> Self:
        """With the products it is about; the pinned ones first."""
        return self.prefetch_related("products").order_by("-pinned", "title")

    def for_page(self) -> Self:
        return self.select_related("locale", "keeper", "department")

from typing import Self

from community.moderation.querysets import ModeratedQuerySet


class RecipeQuerySet(ModeratedQuerySet):
    def for_listing(self) -> Self:
        return self.select_related("author", "author__department", "picture").prefetch_related("products")


class TipQuerySet(ModeratedQuerySet):
    def for_listing(self) -> Self:
        return self.select_related("author", "author__department", "product")

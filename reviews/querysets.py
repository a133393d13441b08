from typing import Any, Self

from django.db.models import Prefetch, Q

from community.moderation.querysets import ModeratedQuerySet


class ReviewQuerySet(ModeratedQuerySet):
    ORDERS = {
        "helpful": ("-helpful_bound", "-created_at", "-id"),
        "newest": ("-created_at", "-id"),
        "highest": ("-current_stars", "-created_at", "-id"),
        "lowest": ("current_stars", "-created_at", "-id"),
    }

    def counted(self) -> Self:
        """The reviews the average is made of (RULINGS 26)."""
        return self.filter(visibility="visible", earlier=False).exclude(
            Q(disclosure="employee") | Q(disclosure="family")
        )

    def sorted_by(self, order: str) -> Self:
        return self.order_by(*self.ORDERS.get(order, self.ORDERS["helpful"]))

    def owned_for(self, least: int | None, below: int | None) -> Self:
        """By people who had owned it for so many months when they last told of it."""
        found = self.exclude(owned_last=None) if least is None else self.filter(owned_last__gte=least)
        return found if below is None else found.filter(owned_last__lt=below)

    def with_people(self) -> Self:
        return self.select_related("author__profile", "author__department", "product")

    def for_listing(self) -> Self:
        return self.with_people().prefetch_related(*self.seen_with())

    def seen_with(self) -> list[Any]:
        """What a list shows beside each review, fetched for all at once."""
        responses = self.model._meta.get_field("responses").related_model._default_manager
        return ["chapters", Prefetch("responses", responses.select_related("department", "author"))]

from typing import Self

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

    def for_listing(self) -> Self:
        responses = self.model._meta.get_field("responses").related_model._default_manager
        return self.select_related("author", "author__department", "product").prefetch_related(
            "chapters", Prefetch("responses", responses.select_related("department", "author"))
        )

from __future__ import annotations

from typing import Any, Self

from django.db.models import F, Prefetch, Q

from community.moderation.querysets import ModeratedQuerySet

SETTLED = ("solved", "solved_another_way")


class ThreadQuerySet(ModeratedQuerySet):
    """Named reads of threads; the words are those of DESIGN.md."""

    def unanswered(self) -> Self:
        """No visible answer by anybody but the asker."""
        return self.filter(first_reply_at__isnull=True, closed_at__isnull=True, solved_at__isnull=True)

    def unresolved(self) -> Self:
        """Neither accepted nor official, and still open."""
        return self.filter(solved_at__isnull=True, official_at__isnull=True, closed_at__isnull=True)

    def needs_attention(self) -> Self:
        """The asker spoke last, and the matter isn't settled."""
        return self.filter(
            Q(replied_at__isnull=True) | Q(asker_spoke_at__gt=F("replied_at")),
            asker_spoke_at__isnull=False,
            solved_at__isnull=True,
            closed_at__isnull=True,
        )

    def solved(self) -> Self:
        return self.filter(solved_at__isnull=False)

    def official(self) -> Self:
        return self.filter(official_at__isnull=False)

    def by(self, user: Any) -> Self:
        return self.filter(author=user)

    def followed_by(self, user: Any) -> Self:
        from_follows = user.follows.filter(target_type__app_label="questions", target_type__model="thread").exclude(
            level="muted"
        )
        return self.filter(pk__in=from_follows.values("target_id"))

    def for_listing(self) -> Self:
        """Everything a row of a list shows."""
        return self.select_related("author", "author__department", "product").prefetch_related(
            "tags", Prefetch("leading_solution")
        )

    def for_page(self) -> Self:
        """Everything the head of a thread page shows."""
        return self.select_related(
            "author", "author__department", "product", "topic", "duplicate_of", "leading_solution"
        ).prefetch_related("tags")


class AnswerQuerySet(ModeratedQuerySet):
    parent = "thread"

    def for_page(self) -> Self:
        return self.select_related("author", "author__department", "official_for", "official_by")

    def settled_first(self) -> Self:
        """Leading solution, other accepted and official answers, then score; the older first at equal score."""
        return self.order_by(
            F("accepted_at").asc(nulls_last=True),
            F("official_at").asc(nulls_last=True),
            "-score",
            "created_at",
            "id",
        )

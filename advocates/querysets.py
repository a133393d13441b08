from __future__ import annotations

from typing import Any, NoReturn, Self

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models.functions import Coalesce

from community.moderation.querysets import ModeratedQuerySet

UNLISTED_STANDINGS = ("staff", "erased")
OPEN_APPLICATIONS = ("invited", "trial", "judging", "judged")


class EntryQuerySet(models.QuerySet):
    """Reads of the ledger. Rows are added, never changed: `wipe` is for the rebuild alone."""

    def update(self, **fields: Any) -> NoReturn:
        raise TypeError("The ledger is append-only: reverse entries instead.")

    def delete(self) -> NoReturn:
        raise TypeError("The ledger is append-only: reverse entries instead.")

    def wipe(self) -> None:
        self._raw_delete(self.db)

    def about(self, target: models.Model) -> Self:
        return self.filter(target_type=ContentType.objects.get_for_model(target), target_id=target.pk)

    def last_words(self) -> Self:
        """Entries that nothing reverses (any more): the end of each chain."""
        return self.filter(reversed_by__isnull=True)

    def standing(self) -> Self:
        """Entries that count: the end of a chain that gives."""
        return self.last_words().filter(takes_back=False)

    def for_person_page(self) -> Self:
        return self.select_related("product", "target_type").order_by("-at", "-id")


class BoardScoreQuerySet(models.QuerySet):
    def on(self, period: str, start: Any, board: str) -> Self:
        return self.filter(period=period, start=start, board=board)

    def shown(self) -> Self:
        """Who is listed. What people chose and what they are now holds at once, before the sweep has recounted."""
        return self.filter(listed=True, points__gt=0, person__hide_from_boards=False, person__is_active=True).exclude(
            person__standing__in=UNLISTED_STANDINGS
        )

    def in_order(self) -> Self:
        return self.order_by("-points", "person_id")


class AwardQuerySet(models.QuerySet):
    def for_listing(self) -> Self:
        return self.select_related("badge", "person").order_by("-at", "-id")

    def by_rule(self) -> Self:
        return self.filter(badge__by_hand=False)


class MembershipQuerySet(models.QuerySet):
    def current(self) -> Self:
        return self.filter(state__in=("active", "away"), user__is_active=True)

    def for_listing(self) -> Self:
        return self.select_related("user", "user__profile", "stand_in").prefetch_related("expertise__product")

    def here(self) -> Self:
        """Who can be asked at all: active advocates whose account is open."""
        return self.filter(state="active", user__is_active=True, user__standing="advocate")

    def with_honours(self) -> Self:
        """Who left, and was not sent away."""
        return (
            self.filter(state="left", removed=False, user__is_active=True, user__standing="former_advocate")
            .annotate(began=Coalesce("joined_at", "since"))
            .select_related("user")
            .order_by("-until", "pk")
        )


class ApplicationQuerySet(models.QuerySet):
    def open(self) -> Self:
        return self.filter(state__in=OPEN_APPLICATIONS)

    def for_listing(self) -> Self:
        return self.select_related("person", "invited_by", "decided_by").prefetch_related("products__product")


class LetterQuerySet(models.QuerySet):
    def for_page(self) -> Self:
        return self.select_related("person", "person__profile", "department")


class ThanksQuerySet(ModeratedQuerySet):
    def public(self) -> Self:
        """What both like to be read, as long as the answer is."""
        return self.visible().filter(
            asker_shows=True, answerer_shows=True, answer__visibility="visible", answer__thread__visibility="visible"
        )

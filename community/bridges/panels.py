"""What can be done about a review's words, on its page; and beside a thread, the review it began with."""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from django.db.models import F, Q
from django.http import HttpRequest

from community.core.panels import Panel
from community.questions.models import Thread
from reviews.models import Review
from reviews.permissions import departments_of

from . import permissions
from .models import Bridge
from .outcome import where_it_stands


class ReviewOffers(Panel):
    """For its author, agents and moderators; readers see what came of it under the review itself."""

    template = "bridges/_offers.html"
    query_budget = 5

    def context(self, request: HttpRequest | None, batch: Sequence[Review]) -> Mapping[Hashable, Mapping[str, Any]]:
        user = getattr(request, "user", None)
        if user is None or not user.is_authenticated:
            return {}
        return {review.pk: found for review in batch if (found := self._one(review, user))}

    def _one(self, review: Review, user: Any) -> dict[str, Any]:
        own = review.author_id == user.pk
        judges = not permissions.why_not_propose(user, review)
        departments = departments_of(user) if review.is_visible and permissions.tells_of_a_problem(review) else []
        if not own and not judges and not departments:
            return {}
        rows = Bridge.objects.filter(review=review).select_related(
            "thread__merged_into", "thread__duplicate_of", "department", "offered_by"
        )
        bridges = list(rows)
        bridge = next((one for one in bridges if one.state != Bridge.State.DECLINED), None)
        declined = {one.kind for one in bridges if one.state == Bridge.State.DECLINED}
        return {
            "review": review,
            "bridge": bridge,
            "thread": where_it_stands(bridge.thread) if bridge is not None and bridge.thread is not None else None,
            "own": own,
            "can_start": bridge is None and own and not permissions.why_not_start(user, review),
            "can_offer": bridge is None and bool(departments) and Bridge.Kind.FIX not in declined,
            "can_propose": bridge is None and judges and Bridge.Kind.DELIVERY not in declined,
            "declined": bridge is None and bool(declined) and not own,
        }


class ThreadReviews(Panel):
    """The reviews that a thread began with, or that tell of the same; asks nothing where there are none."""

    template = "bridges/_thread.html"
    order = 5
    query_budget = 1

    def context(self, request: HttpRequest | None, batch: Sequence[Thread]) -> Mapping[Hashable, Mapping[str, Any]]:
        tied = [thread.pk for thread in batch if thread.has_ties]
        if not tied:
            return {}
        here = Q(bridges__thread__in=tied) | Q(bridges__thread__merged_into__in=tied)
        rows = (
            Review.objects.visible_to(getattr(request, "user", None))
            .filter(here, bridges__state=Bridge.State.AGREED)
            .annotate(
                of_thread=F("bridges__thread"),
                of_merged=F("bridges__thread__merged_into"),
                joined=F("bridges__joined"),
            )
            .select_related("author", "product")
            .order_by("pk")
        )
        found: dict[int, list[Review]] = defaultdict(list)
        for review in rows:
            found[review.of_thread if review.of_thread in tied else review.of_merged].append(review)
        return {pk: {"reviews": reviews} for pk, reviews in found.items()}

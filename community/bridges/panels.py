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

from . import permissions, querysets, releases
from .models import Bridge, ReleaseTie
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
        thread = where_it_stands(bridge.thread) if bridge is not None and bridge.thread is not None else None
        if thread is not None and not thread.is_visible:  # its title may be why it was taken away
            thread = Thread.objects.visible_to(user).filter(pk=thread.pk).first()
        return {
            "review": review,
            "bridge": bridge,
            "thread": thread,
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


class ProductChanges(Panel):
    """You said, we did: the newest change, and whether the last one old enough helped. The page's query brings both."""

    template = "bridges/_product_changes.html"
    order = 200
    query_budget = 0
    brings = ("release_newest", "release_judged", "release_count")

    def brought(self, user: Any) -> Mapping[str, Any]:
        return querysets.latest_of_product()

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Mapping[Hashable, Mapping[str, Any]]:
        found = {}
        for product in batch:
            newest, judged = getattr(product, "release_newest", None), getattr(product, "release_judged", None)
            if newest:
                shown = [newest] if not judged or judged["pk"] == newest["pk"] else [newest, judged]
                for row in shown:
                    over = judged and row["pk"] == judged["pk"]
                    row["helped"] = (
                        releases.Helped(row["yes"], row["partly"], row["no"], row["asked"]) if over else None
                    )
                found[product.pk] = {"product": product, "changes": shown, "count": product.release_count}
        return found


class AskedFor(Panel):
    """What changed because of a thread: the newest note. The page's own query brings it."""

    template = "bridges/_asked_for.html"
    order = 4
    query_budget = 0
    brings = ("release_note",)

    def brought(self, user: Any) -> Mapping[str, Any]:
        return {"release_note": querysets.note_of_thread()}

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Mapping[Hashable, Mapping[str, Any]]:
        return {thread.pk: {"notes": [note]} for thread in batch if (note := getattr(thread, "release_note", None))}


class ReviewAskedFor(Panel):
    """What changed because of a review, on its own page."""

    template = "bridges/_asked_for.html"
    order = 4
    query_budget = 1

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Mapping[Hashable, Mapping[str, Any]]:
        found: dict[int, list[Any]] = defaultdict(list)
        ties = ReleaseTie.objects.filter(review__in=[review.pk for review in batch])
        told = ties.values("review", "note", "note__title", "note__product__slug", "note__we_did")
        for tie in told.order_by("-note__published_at", "-pk"):
            note = {"pk": tie["note"], "title": tie["note__title"], "slug": tie["note__product__slug"]}
            found[tie["review"]].append(note | {"we_did": tie["note__we_did"]})
        return {pk: {"notes": notes} for pk, notes in found.items()}

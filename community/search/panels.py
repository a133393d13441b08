"""What search shows on pages of rooms below."""

from collections.abc import Hashable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, Q
from django.http import HttpRequest

from community.core.panels import Panel
from community.questions.models import Kind, Thread
from community.questions.permissions import why_not_moderate_thread
from community.questions.services.merging import why_not_merge

from . import engine, matches
from .models import Document


class SimilarThreads(Panel):
    """Beside a thread: others like it. Fetched after the page, so that reading never waits for a search."""

    template = "search/_similar_panel.html"
    order = 20
    query_budget = 0

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Mapping[Hashable, Mapping[str, Any]]:
        return {thread.pk: {"thread": thread} for thread in batch}


class Matches(Panel):
    """On the ask page, as it comes from the server: threads that may settle what is being asked."""

    template = "search/_matches.html"
    query_budget = 12  # the search asks for words, spellings and rows; twice as much when content types are new to it

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Mapping[Hashable, Mapping[str, Any]]:
        user = request.user if request is not None else AnonymousUser()
        return {wanted: matches.context(wanted.title, wanted.product, user) for wanted in batch}


def threads_like(thread: Thread, user: Any, limit: int = 12) -> list[Thread]:
    """Visible threads like one, the most alike first; none while the search is away: nothing waits for it."""
    product = thread.product.slug if thread.product else ""
    found: list[Document] = []
    with suppress(engine.Unavailable):
        found = engine.similar(thread.title, product=product, user=user, limit=limit, without=thread.pk)
    rows = Thread.objects.visible().select_related("product").in_bulk([row.target_id for row in found])
    return [rows[row.target_id] for row in found if row.target_id in rows]


class AlikeAtTheDesk(Panel):
    """For a case: threads like it that were solved, and open ones that the same answer may settle."""

    template = "search/_alike_desk.html"
    query_budget = 14  # as asking for matches; nothing waits for it
    SHOWN = 12
    MOST = 5  # settled ones

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Mapping[Hashable, Mapping[str, Any]]:
        return {thread.pk: self._of(request, thread) for thread in batch}

    def _of(self, request: HttpRequest | None, thread: Thread) -> dict[str, Any]:
        user = request.user if request is not None else AnonymousUser()
        ordered = threads_like(thread, user, limit=self.SHOWN)
        settled = [row for row in ordered if row.solved_at or row.official_at]
        if len(settled) < self.MOST:
            settled += self._by_tags(thread, [thread, *ordered])[: self.MOST - len(settled)]
        asked = (Kind.QUESTION, Kind.PROBLEM)
        still = [row for row in ordered if row not in settled and row.kind in asked and not row.closed_at]
        may = not why_not_moderate_thread(user) and thread.merged_into_id is None
        shown = {"settled": settled[: self.MOST], "open": still[:8]}
        for one in (*shown["settled"], *shown["open"]):
            one.can_take = may and not why_not_merge(thread, one)  # type: ignore[attr-defined]
        return {**shown, "thread": thread}

    def _by_tags(self, thread: Thread, known: Sequence[Thread]) -> list[Thread]:
        """Where the words of the title find little: what was settled about the same product, most tags in common."""
        if thread.product_id is None:
            return []
        found = Thread.objects.visible().filter(product=thread.product_id, tags__in=thread.tags.order_by().values("pk"))
        found = found.filter(Q(solved_at__isnull=False) | Q(official_at__isnull=False), merged_into=None)
        found = found.exclude(pk__in=[row.pk for row in known]).annotate(shared=Count("tags"))
        return list(found.select_related("product").order_by("-shared", "-pk")[: self.MOST])

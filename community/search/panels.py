"""What search shows on pages of rooms below."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from community.core.panels import Panel

from . import matches


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

"""What search shows on pages of rooms below."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from django.http import HttpRequest

from community.core.panels import Panel


class SimilarThreads(Panel):
    """Beside a thread: others like it. Fetched after the page, so that reading never waits for a search."""

    template = "search/_similar_panel.html"
    order = 20
    query_budget = 0

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Mapping[Hashable, Mapping[str, Any]]:
        return {thread.pk: {"thread": thread} for thread in batch}

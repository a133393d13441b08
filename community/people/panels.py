"""Reported pages, on top of the moderators' queue."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from django.db.models import Count, Min
from django.http import HttpRequest

from community.accounts.models import User
from community.core.panels import Panel


class ReportedPeople(Panel):
    """The way to each page of a person that somebody reported and nobody looked at, oldest first."""

    template = "people/_reported.html"
    query_budget = 1
    shown = 20

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Mapping[Hashable, Mapping[str, Any]]:
        me = getattr(getattr(request, "user", None), "pk", None)
        waiting = User.objects.filter(reports__isnull=False, reports__settled_at=None).exclude(pk=me)
        found = list(
            waiting.annotate(times=Count("reports"), since=Min("reports__created_at")).order_by("since", "pk")[
                : self.shown
            ]
        )
        return dict.fromkeys(batch, {"people": found})

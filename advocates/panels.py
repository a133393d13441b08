"""What this room shows on pages of others."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from django.http import HttpRequest

from community.accounts.models import Standing
from community.core import panels

from . import boards, competence
from .matching import matching_advocates
from .models import Period


class Competence(panels.Panel):
    """What somebody knows of the product a page is about (RULINGS 25): the page names it as `request.about_product`."""

    template = "advocates/_competence.html"
    query_budget = 1

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Mapping[Hashable, Mapping[str, Any]]:
        product = getattr(request, "about_product", None)
        people = [person for person in batch if person.standing not in (Standing.STAFF, Standing.ERASED)]
        if product is None or not people:
            return {}
        known = competence.of(people, product)
        return {
            person.pk: {"product": product, "expert": known[person.pk] >= competence.EXPERT}
            for person in people
            if known.get(person.pk, 0) >= competence.VERSED
        }


class Invitable(panels.Panel):
    """Advocates who know what a thread is about, are here, and were not asked too often."""

    template = "advocates/_invitable.html"
    query_budget = 5  # the numbers, who matches, what they know, how often they were asked, who is invited
    SHOWN = 6

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Mapping[Hashable, Mapping[str, Any]]:
        found = {}
        for thread in batch[:1]:  # a page is about one
            invited = set(thread.invitations.values_list("person", flat=True))
            people = [
                (person, "")
                for person in matching_advocates(thread, self.SHOWN)
                if person.invitable and person.pk not in invited and (request is None or person.pk != request.user.pk)
            ]
            if people:
                found[thread.pk] = {"people": people}
        return found


class OfTheMonth(panels.Panel):
    """The advocates who helped most this month, on the home page."""

    template = "advocates/_of_the_month.html"
    query_budget = 1

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Mapping[Hashable, Mapping[str, Any]]:
        rows = [row for row in boards.top(Period.MONTH, count=30) if row.person.is_advocate][:3]
        return {panels.key(thing): {"rows": rows} for thing in batch} if rows else {}

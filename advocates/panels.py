"""What this room shows on pages of others."""

from collections.abc import Hashable, Mapping, Sequence
from datetime import date
from typing import Any

from django.http import HttpRequest

from community.accounts.models import Standing
from community.core import panels

from . import boards, competence, gratitude, neutrality
from .matching import matching_advocates
from .models import Period, Thanks


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
    # Who is here and how often they were asked, their products, what they know, what passes taught, who answered,
    # who was asked, the numbers, who is invited, the product.
    query_budget = 9
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
    query_budget = 2  # the rows, and who stands at the same place

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Mapping[Hashable, Mapping[str, Any]]:
        rows = [row for row in boards.top(Period.MONTH, count=30) if row.person.is_advocate][:3]
        return {panels.key(thing): {"rows": rows} for thing in batch} if rows else {}


class SayThanks(panels.Panel):
    """To whoever asked: a way to say thank you for an answer that solved it. No query: the page behind it knows."""

    template = "advocates/_thank.html"
    query_budget = 0

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Mapping[Hashable, Mapping[str, Any]]:
        if request is None or not request.user.is_authenticated:
            return {}
        return {
            answer.pk: {}
            for answer in batch
            if answer.is_accepted and answer.thread.author_id == request.user.pk and answer.author_id != request.user.pk
        }


class Cheer(panels.Panel):
    """On one's own page: a line about what has just become true for the first time."""

    template = "advocates/_cheer.html"
    order = 1
    query_budget = 2

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Mapping[Hashable, Mapping[str, Any]]:
        if request is None or not request.user.is_authenticated:
            return {}
        own = [person for person in batch if person.pk == request.user.pk]
        said = {person.pk: gratitude.celebration(person) for person in own}
        return {pk: {"celebration": line} for pk, line in said.items() if line}


class Neutral(panels.Panel):
    """Of advocates, now or then, and of whoever declared a tie: how they rate, how much of what they wrote has a tie
    beside it, public thanks."""

    template = "advocates/_neutral.html"
    order = 90
    query_budget = 2
    SHOWN = 6

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Mapping[Hashable, Mapping[str, Any]]:
        found: dict[Hashable, Mapping[str, Any]] = {}
        for person in batch[:1]:  # a page is about one
            if person.standing in (Standing.ADVOCATE, Standing.FORMER_ADVOCATE) or person.ties:
                thanks = Thanks.objects.public().filter(answer__author=person).order_by("-pk")
                found[person.pk] = {
                    "neutral": neutrality.of(person),
                    "ties": [
                        (date.fromisoformat(since), date.fromisoformat(until) if until else None, line)
                        for since, until, line in person.ties
                    ],
                    "thanks": thanks.select_related("author", "answer", "answer__thread")[: self.SHOWN],
                }
        return found

"""What questions show on the pages of other rooms."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber
from django.http import HttpRequest

from community.core import panels

from .models import Answer, Kind, Thread
from .views.listing import with_voices


class ProductThreads(panels.Panel):
    """What owners ask of a product, and a box to ask them."""

    template = "questions/_product_panel.html"
    order = 30
    query_budget = 5  # with who has each, which is a panel of its own
    SHOWN = 5

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Mapping[Any, Mapping[str, Any]]:
        rows = (
            Thread.objects.visible()
            .filter(product__in=[product.pk for product in batch], duplicate_of=None)
            .exclude(kind=Kind.PRAISE)
            .annotate(
                nth=Window(RowNumber(), partition_by=F("product_id"), order_by=[F("active_at").desc(), F("id").desc()])
            )
            .filter(nth__lte=self.SHOWN)
            .select_related("author", "author__department", "product")
            .order_by("product_id", "nth")
        )
        threads = with_voices(rows)
        return {
            product.pk: {
                "product": product,
                "threads": [thread for thread in threads if thread.product_id == product.pk],
            }
            for product in batch
        }


class SolvedNow(panels.Panel):
    """On the front page: what people are busy with, and how the last ones ended."""

    template = "questions/_solved_now.html"
    order = 20
    query_budget = 5  # with who has each, which is a panel of its own
    OPEN, SOLVED = 5, 3

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Mapping[Any, Mapping[str, Any]]:
        asked = Thread.objects.visible().filter(kind__in=[Kind.QUESTION, Kind.PROBLEM], duplicate_of=None)
        moving = asked.unresolved().filter(closed_at=None).order_by("-active_at", "-id").values("pk")[: self.OPEN]
        settled = asked.solved().order_by("-solved_at", "-id").values("pk")[: self.SOLVED]
        rows = Thread.objects.filter(Q(pk__in=moving) | Q(pk__in=settled)).select_related(
            "author", "author__department", "product"
        )
        threads = with_voices(rows.order_by(F("solved_at").desc(nulls_first=True), "-active_at", "-id"))
        return {panels.key(thing): {"threads": threads} for thing in batch} if threads else {}


class PersonsWork(panels.Panel):
    """On a person's page: what they asked and answered, as far as everybody may see it."""

    template = "questions/_person_panel.html"
    order = 20
    query_budget = 2
    SHOWN = 6

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Mapping[Any, Mapping[str, Any]]:
        ids = [person.pk for person in batch]
        threads = list(self._latest(Thread.objects.visible().select_related("product"), ids))
        answers = list(
            self._latest(Answer.objects.visible().select_related("thread", "thread__product", "official_for"), ids)
        )
        return {
            person.pk: {
                "person": person,
                "threads": [thread for thread in threads if thread.author_id == person.pk],
                "answers": [answer for answer in answers if answer.author_id == person.pk],
            }
            for person in batch
        }

    def _latest(self, rows: Any, people: list[int]) -> Any:
        return (
            rows.filter(author__in=people)
            .annotate(
                nth=Window(RowNumber(), partition_by=F("author_id"), order_by=[F("created_at").desc(), F("id").desc()])
            )
            .filter(nth__lte=self.SHOWN)
            .order_by("author_id", "nth")
        )


def register() -> None:
    panels.register("product.questions", ProductThreads())
    panels.register("home.solved_now", SolvedNow())
    panels.register("person.work", PersonsWork())

"""What questions show on the pages of other rooms."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Case, Count, F, IntegerField, Q, Value, When, Window
from django.db.models.functions import RowNumber
from django.http import HttpRequest

from community.core import panels

from . import ideas
from .forms import AnswerForm
from .models import Answer, Kind, Thread
from .views.listing import with_voices

ASKED, WISHED = 5, 5  # of a product: threads, and ideas of each sort


def _about_products(request: HttpRequest | None, batch: Sequence[Any]) -> list[Any]:
    """The threads that the panels of these products show, in one query for a page's panels: those that were `asked`
    last (by `nth`), and ideas and praise by whether they are `done` (by `place`; `among` how many)."""
    key = tuple(sorted(product.pk for product in batch))
    kept = getattr(request, "_about_products", None)
    if kept is not None and kept[0] == key:
        return kept[1]
    kind = [F("product_id"), F("kind")]
    latest = [F("active_at").desc(), F("id").desc()]
    asked = Case(
        When(~Q(kind=Kind.PRAISE), duplicate_of=None, then=Value(1)), default=Value(0), output_field=IntegerField()
    )
    # Ideas that are open by votes, then the latest that have their answer; praise by date.
    # Duplicates, and what was closed without a status, are counted, as in the list, and not shown.
    done = Case(
        When(duplicate_of__isnull=False, then=Value(2)),
        When(idea_status__in=ideas.DONE, then=Value(1)),
        When(closed_at__isnull=False, then=Value(2)),
        default=Value(0),
        output_field=IntegerField(),
    )
    weight = Case(When(kind=Kind.IDEA, done=0, then=F("score")), default=Value(0), output_field=IntegerField())
    rows: Any = (
        Thread.objects.visible()
        .filter(product__in=key)
        .annotate(asked=asked, done=done)
        .annotate(
            nth=Window(RowNumber(), partition_by=[F("product_id"), F("asked")], order_by=latest),
            place=Window(RowNumber(), partition_by=[*kind, F("done")], order_by=[weight.desc(), *latest]),
            among=Window(Count("pk"), partition_by=kind),
        )
        .filter(Q(asked=1, nth__lte=ASKED) | Q(kind__in=[Kind.IDEA, Kind.PRAISE], place__lte=WISHED))
        .select_related("author__department", "product")
    )
    found: list[Any] = list(rows)
    if request is not None:
        request._about_products = (key, found)  # type: ignore[attr-defined]
    return found


class ProductThreads(panels.Panel):
    """What owners ask of a product, and a box to ask them."""

    template = "questions/_product_panel.html"
    order = 30
    query_budget = 5  # with who has each, which is a panel of its own

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Mapping[Any, Mapping[str, Any]]:
        rows = [row for row in _about_products(request, batch) if row.asked and row.nth <= ASKED]
        rows.sort(key=lambda row: row.nth)
        threads: list[Any] = with_voices(rows)
        me = getattr(getattr(request, "user", None), "pk", None)
        for thread in threads:
            if self._waits(thread) and me not in (thread.author_id, *(person.pk for person in thread.voices)):
                thread.answer_form = AnswerForm(auto_id=f"here-{thread.pk}-%s")
        return {
            product.pk: {
                "product": product,
                "threads": [thread for thread in threads if thread.product_id == product.pk],
            }
            for product in batch
        }

    def _waits(self, thread: Any) -> bool:
        """Whether an answer is what it needs."""
        asks = thread.kind in (Kind.QUESTION, Kind.PROBLEM)
        return asks and thread.is_open and thread.leader is None and not thread.is_settled


class ProductIdeas(panels.Panel):
    """What owners of a product wish for and what became of it, and what they are glad about."""

    template = "questions/_product_voices.html"
    order = 40
    query_budget = 1  # none where the product's threads were asked for before
    IDEAS, PRAISE = WISHED, 3

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Mapping[Any, Mapping[str, Any]]:
        kinds = (Kind.IDEA, Kind.PRAISE)
        rows = [row for row in _about_products(request, batch) if row.kind in kinds and row.place <= WISHED]
        rows.sort(key=lambda row: (row.done, row.place))
        return {
            pk: {"product": product, **self._of(found)}
            for pk, product, found in (
                (product.pk, product, [row for row in rows if row.product_id == product.pk]) for product in batch
            )
            if found
        }

    def _of(self, rows: list[Any]) -> dict[str, Any]:
        wished = [row for row in rows if row.kind == Kind.IDEA]
        praise = [row for row in rows if row.kind == Kind.PRAISE]
        done = [row for row in wished if row.done == 1][:2]
        return {
            "ideas": [row for row in wished if not row.done][: self.IDEAS - len(done)] + done,
            "idea_count": wished[0].among if wished else 0,
            "praise": [row for row in praise if not row.done][: self.PRAISE],
            "praise_count": praise[0].among if praise else 0,
        }


class IdeaAtTheDesk(panels.Panel):
    """Beside a case that is an idea: its votes and status, and the way to set the next one."""

    template = "questions/_case_idea.html"
    query_budget = 0

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Mapping[Any, Mapping[str, Any]]:
        return {thread.pk: {"thread": thread} for thread in batch if thread.is_idea}


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
    panels.register("product.ideas", ProductIdeas())
    panels.register("case.side", IdeaAtTheDesk())
    panels.register("home.solved_now", SolvedNow())
    panels.register("person.work", PersonsWork())

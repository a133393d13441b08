"""From a thing to the row that search knows of it."""

import logging
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import Min
from wagtail.search.backends import get_search_backend

from community.core import clock
from community.core.text import excerpt
from community.questions.models import Answer, Thread
from community.sharing.models import Recipe, Tip
from products.models import Product
from products.pages import ProductPage
from reviews.models import Review

from . import alike
from .models import Deflection, Document, IndexChange

logger = logging.getLogger(__name__)

WORDS_KEPT = timedelta(days=30)
LONGEST = 20_000  # characters of a text that are searched; nobody finds a thread by its 20,001st
LATE = timedelta(minutes=5)  # the sweep is every 10 s, and a change is worked off in milliseconds
AT_ONCE = 50  # things that are indexed in one transaction; on SQLite nobody else writes meanwhile
_makers: dict[type[models.Model], Callable[[Any], dict[str, Any] | None]] = {}


def makes(model: type[models.Model]) -> Callable[[Callable[[Any], dict[str, Any] | None]], Any]:
    """Register how the document of a model is made; rooms above this one bring their own pages."""

    def register(maker: Callable[[Any], dict[str, Any] | None]) -> Any:
        _makers[model] = maker
        return maker

    return register


def indexed_models() -> list[type[models.Model]]:
    return list(_makers)


def note_change(target: models.Model) -> None:
    """Remember, in the transaction of the change, that a thing must be indexed again.

    A row that waits already is written again, and so held until the change is there to be read: a worker that took
    it before would index the old words, and nobody would come back for the new ones.
    """
    note_changes(type(target), [target.pk])


def note_changes(model: type[models.Model], ids: Iterable[int]) -> None:
    """`note_change` for many of a kind."""
    content_type = ContentType.objects.get_for_model(model)
    IndexChange.objects.bulk_create(
        [IndexChange(target_type=content_type, target_id=pk) for pk in ids],
        update_conflicts=True,
        unique_fields=["target_type", "target_id"],
        update_fields=["at"],
        batch_size=1000,
    )


def oldest_change() -> datetime | None:
    """Since when the oldest change waits to be indexed."""
    return IndexChange.objects.aggregate(oldest=Min("at"))["oldest"]


def forget(target: models.Model) -> None:
    """Take a thing out of the index at once, in the transaction that hides it (RULINGS 30)."""
    content_type = ContentType.objects.get_for_model(target)
    for document in Document.objects.filter(target_type=content_type, target_id=target.pk):
        _drop(document)


def _put(documents: list[Document]) -> None:
    """Write rows and indexes together, so that what is found is what stands there."""
    for document in documents:
        document.save()
    if documents:
        get_search_backend().add_bulk(Document, documents)
        alike.learn(documents)


def _drop(document: Document) -> None:
    get_search_backend().delete(document)
    document.delete()


@dataclass
class Tally:
    """What a run did: changes worked off, documents written, documents dropped."""

    changes: int = 0
    written: int = 0
    dropped: int = 0

    def add(self, other: "Tally") -> None:
        self.changes += other.changes
        self.written += other.written
        self.dropped += other.dropped


def index_changes(limit: int = 500) -> int:
    """Index what changed, at most `limit` (or some more) of it. Safe with any number of workers."""
    return _work_off(limit).changes


def _work_off(limit: float, progress: Callable[[int], object] = lambda done: None) -> Tally:
    """One pass over what waits, some at once. One that cannot be indexed stays, is logged and stops nobody else.

    Every other turn is for the newest changes, so that what somebody writes now does not wait behind a rebuild of
    everything; the turns between go through all that waits, from the first to the last.
    """
    tally, after, newest = Tally(), 0, False
    before: datetime | None = None
    while tally.changes < limit:
        if newest:
            waiting = IndexChange.objects.order_by("-at", "-pk")
            rows = list((waiting.filter(at__lt=before) if before else waiting).values_list("pk", "at")[:AT_ONCE])
            before = rows[-1][1] if rows else before
            batch = [pk for pk, _at in rows]
        else:
            batch = list(IndexChange.objects.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
            if not batch:
                break
            after = batch[-1]
        newest = not newest
        if not batch:
            continue
        try:
            tally.add(_index(batch))
        except Exception:  # noqa: BLE001 - whichever of them it is, it is found by trying each alone
            for pk in batch:
                try:
                    tally.add(_index([pk]))
                except Exception:
                    logger.exception("IndexChange %s cannot be indexed", pk)
        progress(len(batch))
    return tally


@transaction.atomic
def _index(pks: list[int]) -> Tally:
    """Claim these changes by deleting them, and index what they are about. One that is being written is left."""
    tally = Tally()
    claimed: dict[int, list[int]] = {}
    taken = []
    for change in IndexChange.objects.filter(pk__in=pks).select_for_update(skip_locked=True):
        claimed.setdefault(change.target_type_id, []).append(change.target_id)
        taken.append(change.pk)
    IndexChange.objects.filter(pk__in=taken).delete()
    tally.changes = len(taken)
    for content_type, ids in claimed.items():
        tally.add(index_targets(ContentType.objects.get_for_id(content_type), ids))
    return tally


def index_targets(content_type: ContentType, ids: list[int]) -> Tally:
    """Write, change or drop the documents of things of one kind, with one write of the index."""
    model = content_type.model_class()
    maker = _makers.get(model)
    targets = model._base_manager.in_bulk(ids) if maker else {}
    known = {row.target_id: row for row in Document.objects.filter(target_type=content_type, target_id__in=ids)}
    documents, dropped = [], 0
    for target_id in ids:
        target, document = targets.get(target_id), known.get(target_id)
        fields = maker(target) if target is not None else None
        if fields is not None:
            document = document or Document(target_type=content_type, target_id=target_id)
            for name, value in fields.items():
                setattr(document, name, value)
            documents.append(document)
        elif document is not None:
            _drop(document)
            dropped += 1
    _put(documents)
    return Tally(written=len(documents), dropped=dropped)


def tag_words(target: Any) -> list[str]:
    """The names of its tags, and the other words for them."""
    tags = target.tags.prefetch_related("synonyms")
    return [name for tag in tags for _slug, name in tag.words()]


@makes(Thread)
def _thread(thread: Thread) -> dict[str, Any] | None:
    if not thread.is_visible:
        return None
    answers = list(
        Answer.objects.filter(thread=thread)
        .visible()
        .settled_first()
        .values_list("pk", "body_text", "official_at")[:20]
    )
    best = ""
    if answers:
        leading = {pk: text for pk, text, _at in answers}.get(thread.leading_solution_id)
        official = next((text for _pk, text, at in answers if at), None)
        best = leading or official or ""
    words = [thread.body_text, *(text for _pk, text, _at in answers), *tag_words(thread)]
    # Whoever types what somebody else typed finds it, too.
    words += thread.merged_threads.filter(title_hidden=False).order_by("pk").values_list("title", flat=True)[:20]
    return {
        "kind": thread.kind,
        **about(thread.product),
        "title": thread.title[:300],
        "text": " ".join(words)[:LONGEST],
        "best_answer": excerpt(best, 500) if best else "",
        "state": thread.state,
        "solved": thread.solved_at is not None,
        "official": thread.official_at is not None,
        "language": thread.language,
        "url": thread.get_absolute_url(),
        "said": "",
        "created_at": thread.created_at,
        "active_at": thread.active_at,
    }


@makes(Review)
def _review(review: Review) -> dict[str, Any] | None:
    if not review.is_visible:
        return None
    chapters = [chapter.body_text for chapter in review.chapters.all()]
    words = [review.body_text, review.did_well, review.could_be_better, *chapters]
    return {
        "kind": Document.Kind.REVIEW,
        **about(review.product),
        "title": review.title[:300],
        "text": " ".join(words)[:LONGEST],
        "stars": review.current_stars,
        "language": review.language,
        "url": review.get_absolute_url(),
        "said": str(review.author),
        "created_at": review.created_at,
        "active_at": review.edited_at or review.created_at,
    }


@makes(Recipe)
def _recipe(recipe: Recipe) -> dict[str, Any] | None:
    if not recipe.is_visible:
        return None
    words = [recipe.body_text]
    words += recipe.ingredients.values_list("name", flat=True)
    words += recipe.steps.values_list("text", flat=True)
    words += tag_words(recipe)
    return {
        "kind": Document.Kind.RECIPE,
        **about(recipe.products.first()),
        "title": recipe.title[:300],
        "text": " ".join(words)[:LONGEST],
        "language": recipe.language,
        "url": recipe.get_absolute_url(),
        "said": str(recipe.author),
        "created_at": recipe.created_at,
        "active_at": recipe.edited_at or recipe.created_at,
    }


@makes(Tip)
def _tip(tip: Tip) -> dict[str, Any] | None:
    if not tip.is_visible:
        return None
    words = [tip.goal, tip.body_text, *tip.steps.values_list("text", flat=True)]
    return {
        "kind": Document.Kind.TIP,
        **about(tip.product),
        "title": tip.title[:300],
        "text": " ".join(words)[:LONGEST],
        "language": tip.language,
        "url": tip.get_absolute_url(),
        "worked_yes": tip.worked_yes,
        "worked_of": tip.worked_total,
        "created_at": tip.created_at,
        "active_at": tip.edited_at or tip.created_at,
    }


@makes(ProductPage)
def _product(page: ProductPage) -> dict[str, Any] | None:
    if not page.live or page.get_view_restrictions().exists():  # behind a password, nobody finds its words
        return None
    product, what = page.product, page.product.said_in(page.language).what
    return {
        "kind": Document.Kind.PRODUCT,
        **about(product),
        "title": product.name,
        "text": f"{what}\n{page.body_text}"[:LONGEST],
        "best_answer": what,
        "language": page.language,
        "url": page.get_absolute_url(),
        "created_at": page.first_published_at,
        "active_at": page.last_published_at or page.first_published_at,
    }


def about(product: Product | None) -> dict[str, Any]:
    """The fields of a document that name its product."""
    return {"product": product, "product_slug": product.slug if product else ""}


def forget_words() -> int:
    """Erase what was typed by people who found their answer, 30 days after (FEATURES J): words can name somebody."""
    old = Deflection.objects.filter(at__lt=clock.now() - WORDS_KEPT).exclude(typed="", ask="")
    return old.update(typed="", ask="")


def rebuild(progress: Callable[[int], object] = lambda done: None) -> tuple[int, int]:
    """Make every document again and drop those of things that are gone. Returns (written, dropped).

    Everything is noted as changed and worked off, by this process and by a worker that runs beside it: what somebody
    changes meanwhile is indexed after its change, whoever comes to it.
    """
    for model in _makers:
        content_type = ContentType.objects.get_for_model(model)
        _note_all((content_type.pk, pk) for pk in model._base_manager.order_by("pk").values_list("pk", flat=True))
    _note_all(Document.objects.order_by("pk").values_list("target_type", "target_id"))
    tally = _work_off(math.inf, progress)
    alike.tidy()
    return tally.written, tally.dropped


def _note_all(targets: Iterable[tuple[int, int]]) -> None:
    rows = iter(targets)
    while batch := [IndexChange(target_type_id=kind, target_id=pk) for kind, pk in islice(rows, AT_ONCE)]:
        IndexChange.objects.bulk_create(batch, ignore_conflicts=True)

"""From a thing to the row that search knows of it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.utils.translation import gettext as _
from wagtail.search.backends import get_search_backend

from community.core import clock
from community.core.text import excerpt
from community.questions.models import Answer, Thread
from community.sharing.models import Recipe, Tip
from products.models import Product
from products.pages import ProductPage
from reviews.models import Review

from .models import Deflection, Document, IndexChange

WORDS_KEPT = timedelta(days=30)
LONGEST = 20_000  # characters of a text that are searched; nobody finds a thread by its 20,001st
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
    IndexChange.objects.bulk_create(
        [IndexChange(target_type=ContentType.objects.get_for_model(target), target_id=target.pk)],
        update_conflicts=True,
        unique_fields=["target_type", "target_id"],
        update_fields=["at"],
    )


def forget(target: models.Model) -> None:
    """Take a thing out of the index at once, in the transaction that hides it (RULINGS 30)."""
    content_type = ContentType.objects.get_for_model(target)
    for document in Document.objects.filter(target_type=content_type, target_id=target.pk):
        _drop(document)


def _put(document: Document) -> None:
    document.save()
    get_search_backend().add(document)


def _drop(document: Document) -> None:
    get_search_backend().delete(document)
    document.delete()


def index_changes(limit: int = 500) -> int:
    """Index what changed. Safe with any number of workers: a change is claimed by deleting it."""
    done = 0
    for change in IndexChange.objects.order_by("pk")[:limit]:
        with transaction.atomic():
            claimed, _rows = IndexChange.objects.filter(pk=change.pk).delete()
            if claimed:
                index_target(ContentType.objects.get_for_id(change.target_type_id), change.target_id)
                done += 1
    return done


def index_target(content_type: ContentType, target_id: int) -> bool:
    """Write, change or drop the document of one thing. Returns whether it has one now."""
    model = content_type.model_class()
    target = model._base_manager.filter(pk=target_id).first() if model in _makers else None
    fields = _makers[model](target) if target is not None else None
    known = Document.objects.filter(target_type=content_type, target_id=target_id).first()
    if fields is None:
        if known is not None:
            _drop(known)
        return False
    document = known or Document(target_type=content_type, target_id=target_id)
    for name, value in fields.items():
        setattr(document, name, value)
    _put(document)
    return True


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
    words = [thread.body_text, *(text for _pk, text, _at in answers), *(tag.name for tag in thread.tags.all())]
    # Whoever types what somebody else typed finds it, too.
    words += thread.merged_threads.order_by("pk").values_list("title", flat=True)[:20]
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
    words += recipe.tags.values_list("name", flat=True)
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
    said = ""
    if tip.worked_total:
        said = _("worked for %(yes)d of %(all)d") % {"yes": tip.worked_yes, "all": tip.worked_total}
    return {
        "kind": Document.Kind.TIP,
        **about(tip.product),
        "title": tip.title[:300],
        "text": " ".join(words)[:LONGEST],
        "language": tip.language,
        "url": tip.get_absolute_url(),
        "said": said,
        "created_at": tip.created_at,
        "active_at": tip.edited_at or tip.created_at,
    }


@makes(ProductPage)
def _product(page: ProductPage) -> dict[str, Any] | None:
    if not page.live:
        return None
    product = page.product
    said = ""
    if product.rating_count:
        said = _("%(mean).1f from %(count)d reviews") % {"mean": product.rating_mean, "count": product.rating_count}
    return {
        "kind": Document.Kind.PRODUCT,
        **about(product),
        "title": product.name,
        "text": f"{product.what}\n{page.body_text}"[:LONGEST],
        "best_answer": product.what,
        "language": page.language,
        "url": page.get_absolute_url(),
        "said": said,
        "created_at": page.first_published_at,
        "active_at": page.last_published_at or page.first_published_at,
    }


def about(product: Product | None) -> dict[str, Any]:
    """The fields of a document that name its product."""
    return {"product": product, "product_slug": product.slug if product else ""}


def forget_words() -> int:
    """Erase what was typed by people who found their answer, 30 days after (FEATURES J)."""
    old = Deflection.objects.filter(at__lt=clock.now() - WORDS_KEPT).exclude(typed="")
    return old.update(typed="")


def rebuild(progress: Callable[[int], object] = lambda done: None) -> tuple[int, int]:
    """Make every document again and drop those of things that are gone. Returns (documents, dropped)."""
    made = 0
    for model in _makers:
        content_type = ContentType.objects.get_for_model(model)
        for pk in model._base_manager.values_list("pk", flat=True).iterator(chunk_size=500):
            with transaction.atomic():
                made += index_target(content_type, pk)
            progress(1)
    gone = 0
    for document in Document.objects.iterator(chunk_size=500):
        model = ContentType.objects.get_for_id(document.target_type_id).model_class()
        if model not in _makers or not model._base_manager.filter(pk=document.target_id).exists():
            _drop(document)
            gone += 1
    IndexChange.objects.all().delete()
    return made, gone

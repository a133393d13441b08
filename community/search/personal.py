"""What search says of somebody's posts, whose words they are among it, is written anew."""

from typing import Any

from community.core.personal import (
    Joining,
    Leaving,
    Reworded,
    after_rewording,
    before_joining,
    before_leaving,
)
from community.questions.models import Answer, Thread
from community.sharing.models import Recipe, Tip
from reviews.models import Chapter, Review

from . import documents
from .tasks import index


def _anew(person: Any) -> None:
    threads = set(Thread.objects.filter(author=person).values_list("pk", flat=True))
    threads |= set(Answer.objects.filter(author=person).values_list("thread", flat=True))
    documents.note_changes(Thread, sorted(threads))
    for model in (Review, Recipe, Tip):
        documents.note_changes(model, model.objects.filter(author=person).order_by("pk").values_list("pk", flat=True))
    index.enqueue()


@before_leaving
def without_a_name(leaving: Leaving) -> None:
    _anew(leaving.person)


@before_joining
def under_one_name(joining: Joining) -> None:
    _anew(joining.gone)


@after_rewording
def in_other_words(reworded: Reworded) -> None:
    """What is found of a post others wrote, or of the one it is a part of."""
    model, ids = reworded.model, reworded.ids
    for part, whole, key in ((Answer, Thread, "thread"), (Chapter, Review, "review")):
        if model is part:
            model, ids = whole, sorted(set(part._base_manager.filter(pk__in=ids).values_list(key, flat=True)))
    if model in documents.indexed_models():
        documents.note_changes(model, ids)
        index.enqueue()

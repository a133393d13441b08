"""What search hears: every event about a thing it knows, and the answers of a thread."""

from community.events.kinds import KINDS
from community.events.log import listen
from community.events.models import Event
from community.posts.models import Tag
from community.questions.models import Answer, Thread
from community.sharing.models import Recipe
from reviews.models import Review

from . import documents
from .models import Deflection
from .tasks import index

PREFIXES = ("thread.", "answer.", "review.", "recipe.", "tip.", "product.", "help_article.")
# Votes, marks and views change no word of a document.
SILENT = {
    "thread.voted", "thread.me_too", "answer.voted", "answer.works_for_mine", "review.found_helpful", "recipe.made",
    "thread.locked", "thread.needs_info", "thread.info_given", "help_article.judged",
}  # fmt: skip
GONE = (".hidden", ".deleted", ".withdrawn", ".refused", ".merged")


@listen(*(kind for kind in KINDS if kind.startswith(PREFIXES) and kind not in SILENT))
def note(event: Event) -> None:
    """Write down, with the change, that its document is stale; drop at once what nobody may find any longer."""
    subject = event.subject
    answer = isinstance(subject, Answer)
    if answer:
        subject = subject.thread
    documents.note_change(subject)  # first, as the worker does: it takes the change, then the document
    if event.kind.endswith(GONE) and not answer:
        documents.forget(subject)
    if event.kind == "thread.merged":
        documents.note_change(subject.merged_into)
        spared = Deflection.objects.filter(thread=subject)
        # One look at the matches may have been settled by both: each stays counted, none is counted as one look twice.
        both = Deflection.objects.filter(thread=subject.merged_into).exclude(ask="").values_list("ask", flat=True)
        spared.filter(ask__in=list(both)).update(ask="")
        spared.update(thread=subject.merged_into)
    if event.kind in ("thread.split", "thread.posts_moved"):
        documents.note_change(Thread(pk=event.data["into"]))
    index.enqueue()


@listen("person.renamed")
def note_called(event: Event) -> None:
    """Beside a review and a recipe stands whose they are."""
    for model in (Review, Recipe):
        documents.note_changes(model, model.objects.filter(author=event.subject_id).values_list("pk", flat=True))
    index.enqueue()


@listen("tag.changed")
def note_tagged(event: Event) -> None:
    """What carries a tag is found by its name, and by its other words."""
    tag: Tag = event.subject
    for rows in (tag.threads, tag.recipes, tag.tips):  # type: ignore[attr-defined]
        documents.note_changes(rows.model, rows.order_by("pk").values_list("pk", flat=True))
    index.enqueue()

"""Finding: one interface, whatever engine stands behind it (DESIGN.md, Engines).

The engine here is the database's own full text through Wagtail's search: FTS5 on SQLite, tsvector on PostgreSQL.
"""

import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, connection
from django.db.models import Count, QuerySet
from wagtail.search.backends import get_search_backend
from wagtail.search.models import IndexEntry

from community.moderation.models import Moderated
from community.questions.models import State, Thread

from . import alike, words
from .models import Document

logger = logging.getLogger(__name__)

A_PAGE = 20
LONGEST_QUERY = 200
MOST_WORDS = 12
MATCHES = 5
MOST_RANKED = 1000  # deeper than anybody pages
WEIGHED = 200
# To have all the words in the title counts 1. Beside it: the most that the engine's relevance counts, and what settles
# a question before what tells of one.
RELEVANCE = 0.25
SETTLED = 0.3
OFFICIAL = 0.35
WORTH: dict[str, float] = {Document.Kind.HELP: 0.35, Document.Kind.TIP: 0.15, Document.Kind.RECIPE: 0.1}
PRODUCT = 0.5  # where its name is asked for; what its page tells of is told better elsewhere
FILTER = re.compile(r"\b(is|product|kind):([\w-]{1,80})", re.IGNORECASE)


@dataclass
class Asked:
    """What somebody looks for: words, and filters typed into them or chosen beside them."""

    words: list[str]
    kind: str = ""
    product: str = ""
    solved: bool = False
    official: bool = False
    text: str = ""


@dataclass
class Found:
    """A page of documents, how many there are in all, and the counts of each kind."""

    documents: list[Document] = field(default_factory=list)
    total: int = 0
    kinds: list[tuple[str, str, int]] = field(default_factory=list)
    loosened: bool = False


def parse(query: str, *, kind: str = "", product: str = "") -> Asked:
    """Read a query; `is:solved`, `product:duo` and `kind:recipe` in it are filters. Never raises."""
    query, product = query.replace("\x00", " ")[:LONGEST_QUERY], product.replace("\x00", " ")[:80]
    asked = Asked([], kind=kind if kind in Document.Kind.values else "", product=product, text=query.strip())
    for name, value in FILTER.findall(query):
        name, value = name.lower(), value.lower()
        if name == "is":
            asked.solved |= value == "solved"
            asked.official |= value == "official"
        elif name == "product":
            asked.product = value
        elif value in Document.Kind.values:
            asked.kind = value
    # Only whole words reach the engine: its own operators, quotes and wild cards never do (CHECKS 26).
    asked.words = words.WORD.findall(FILTER.sub(" ", query).lower())[:MOST_WORDS]
    return asked


class Unavailable(Exception):
    """The engine does not answer. Whoever asks goes on without it."""


@contextmanager
def _engine() -> Iterator[None]:
    """What the engine trips over is one thing to those who ask: it is not there."""
    try:
        yield
    except DatabaseError as problem:
        logger.warning("Search does not answer: %s", type(problem).__name__)
        raise Unavailable from problem


def search(asked: Asked, *, user: Any, page: int = 1) -> Found:
    """One page of what is found for a person; with all the words, or where nothing has all of them, with some."""
    with _engine():
        return _search(asked, user, page)


def _search(asked: Asked, user: Any, page: int) -> Found:
    found = Found()
    if not asked.words:
        if not (asked.kind or asked.product or asked.solved or asked.official):
            return found
        rows = _filtered(asked).order_by("-active_at", "-pk")
        found.total, ids = rows.count(), None
        found.documents = _readable(rows[(page - 1) * A_PAGE : page * A_PAGE], user)
    else:
        stems = words.stems(" ".join(asked.words))
        relevance = _matching(stems, "and")
        if not relevance and len(stems) > 1:
            relevance, found.loosened = _matching(stems, "or"), True
        ids = list(relevance)
        ranked = _ranked(asked, stems, relevance)
        found.total = len(ranked)
        wanted = ranked[(page - 1) * A_PAGE : page * A_PAGE]
        rows = Document.objects.filter(pk__in=wanted).select_related("product")
        order = {pk: place for place, pk in enumerate(wanted)}
        found.documents = _readable(sorted(rows, key=lambda row: order[row.pk]), user)
    found.kinds = _kinds(asked, ids)
    return found


def _matching(wanted: list[str], operator: str) -> dict[int, float]:
    """Documents with these stems, best first, and how relevant each is beside the best (1)."""
    if not wanted:
        return {}
    if connection.vendor == "sqlite":
        rows = _on_sqlite(wanted, operator)
    else:
        results = get_search_backend().search(" ".join(wanted), Document.objects.only("pk"), operator=operator)
        rows = [(document.pk, document.score) for document in results.annotate_score("score")[:MOST_RANKED]]
    best = rows[0][1] if rows else 0
    return {pk: score / best if best else 1.0 for pk, score in rows}


def _on_sqlite(wanted: list[str], operator: str) -> list[tuple[int, float]]:
    """The same from Wagtail's index in one pass. Its own query looks up each row's score in a search of its own, which
    took seconds for some common words among twelve thousand threads (decision 0116)."""
    entries = IndexEntry._meta.db_table
    asked = f" {operator.upper()} ".join(f'"{word}"' for word in wanted)  # words only (parse): nothing to escape
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT entry.object_id, bm25({entries}_fts) AS score FROM {entries}_fts "  # noqa: S608
            f"JOIN {entries} entry ON entry.id = {entries}_fts.rowid "
            f"WHERE {entries}_fts MATCH %s AND entry.content_type_id = %s ORDER BY score, entry.id DESC LIMIT %s",
            [f"{{body}} : ({asked})", ContentType.objects.get_for_model(Document).pk, MOST_RANKED],
        )
        return [(int(pk), score) for pk, score in cursor.fetchall()]


def _ranked(asked: Asked, stems: list[str], relevance: dict[int, float]) -> list[int]:
    """Those that pass the filters, best first: by words in the title, the engine's relevance and what a thing is worth.

    A word in a short review weighs more to the engine than the same word in a long thread that settles the matter.
    Only the first are weighed again, in the order of the engine's relevance; nobody pages further.
    """
    place = {pk: number for number, pk in enumerate(relevance)}
    rows = _filtered(asked).filter(pk__in=list(relevance)).values_list("pk", "kind", "title", "solved", "official")
    allowed = sorted(rows, key=lambda row: place[row[0]])

    def weight(row: tuple[int, str, str, bool, bool]) -> float:
        pk, kind, title, solved, official = row
        named = len(set(stems).intersection(words.stems(title))) / len(stems)
        worth = max(WORTH.get(kind, 0), SETTLED * solved, OFFICIAL * official) * max(named, relevance[pk])
        return named + RELEVANCE * relevance[pk] + (PRODUCT * named if kind == Document.Kind.PRODUCT else worth)

    first = sorted(allowed[:WEIGHED], key=lambda row: (-weight(row), place[row[0]]))
    return [row[0] for row in first + allowed[WEIGHED:]]


def _filtered(asked: Asked, *, kind: bool = True) -> QuerySet[Document]:
    rows = Document.objects.all()
    if kind and asked.kind:
        rows = rows.filter(kind=asked.kind)
    if asked.product:
        rows = rows.filter(product_slug=asked.product)
    if asked.solved:
        rows = rows.filter(solved=True)
    if asked.official:
        rows = rows.filter(official=True)
    return rows.select_related("product")


def _kinds(asked: Asked, ids: list[int] | None) -> list[tuple[str, str, int]]:
    """(kind, its word, how many) for each kind that has any, whatever kind is chosen."""
    rows = _filtered(asked, kind=False)
    if ids is not None:
        rows = rows.filter(pk__in=ids)
    counted = dict(rows.values_list("kind").annotate(Count("pk")).order_by())
    return [(value, str(label), counted[value]) for value, label in Document.Kind.choices if value in counted]


def _readable(documents: Iterable[Document], user: Any) -> list[Document]:
    """Those whose target the person may see now, whatever the index believes. One query a kind of target."""
    documents = list(documents)
    by_type: dict[int, list[int]] = {}
    for document in documents:
        by_type.setdefault(document.target_type_id, []).append(document.target_id)
    seen: set[tuple[int, int]] = set()
    for type_id, ids in by_type.items():
        model = ContentType.objects.get_for_id(type_id).model_class()
        if model is None:
            continue
        if issubclass(model, Moderated):
            visible = model.objects.visible_to(user).filter(pk__in=ids)  # type: ignore[attr-defined]
        else:
            visible = model._base_manager.filter(pk__in=ids, live=True)
        seen |= {(type_id, pk) for pk in visible.values_list("pk", flat=True)}
    return [document for document in documents if (document.target_type_id, document.target_id) in seen]


# "Already asked?"


def similar(
    title: str, *, product: str = "", user: Any, limit: int = MATCHES, without: int | None = None
) -> list[Document]:
    """Threads whose titles say much the same and that the person may see, best first; the original of a duplicate.

    Raises Unavailable.
    """
    with _engine():
        documents = alike.alike(title.replace("\x00", " "), product=product, without=without, limit=limit * 2)
        return _readable(_originals(documents, without), user)[:limit]


def _originals(documents: list[Document], without: int | None) -> list[Document]:
    """The same list with what duplicates are duplicates of in their place, and nothing twice."""
    copies = [document.target_id for document in documents if document.state == State.DUPLICATE]
    if copies:
        originals = dict(Thread.objects.filter(pk__in=copies).values_list("pk", "duplicate_of"))
        thread = ContentType.objects.get_for_model(Thread)
        rows = Document.objects.filter(target_type=thread, target_id__in=originals.values()).defer("text")
        there = {row.target_id: row for row in rows}
        documents = [there.get(originals.get(row.target_id, 0), row) for row in documents]
    once = {document.target_id: document for document in documents if document.target_id != without}
    return list(once.values())

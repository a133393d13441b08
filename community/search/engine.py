"""Finding: one interface, whatever engine stands behind it (DESIGN.md, Engines).

The engine here is the database's own full text through Wagtail's search: FTS5 on SQLite, tsvector on PostgreSQL.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Count, QuerySet
from wagtail.search.backends import get_search_backend

from community.moderation.models import Moderated

from .models import Document

A_PAGE = 20
LONGEST_QUERY = 200
MOST_WORDS = 12
MATCHES = 5
ALIKE = 0.12  # below this share of common pieces two titles have no more than a word in common
CANDIDATES = 60
WORD = re.compile(r"[^\W_]+", re.UNICODE)
FILTER = re.compile(r"\b(is|product|kind):([\w-]{1,80})", re.IGNORECASE)
# Words that say nothing about a subject; a question is full of them.
EMPTY_WORDS = frozenset(
    "a an and are as at be but by can do does for from has have how i if in is it its me my no not of on or our so "
    "that the their there they this to was what when where which who why will with you your der die das ein eine "
    "ist und ich mein meine wie warum was wo wann nicht".split()
)


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
    query = query.replace("\x00", " ")[:LONGEST_QUERY]
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
    asked.words = WORD.findall(FILTER.sub(" ", query).lower())[:MOST_WORDS]
    return asked


def search(asked: Asked, *, user: Any, page: int = 1) -> Found:
    """One page of what is found for a person; with all the words, or where nothing has all of them, with some."""
    found = Found()
    base = _filtered(asked)
    if not asked.words:
        if not (asked.kind or asked.product or asked.solved or asked.official):
            return found
        rows = base.order_by("-active_at", "-pk")
        found.total, ids = rows.count(), None
        found.documents = _readable(rows[(page - 1) * A_PAGE : page * A_PAGE], user)
    else:
        ids = _matching(asked.words, "and")
        if not ids:
            ids, found.loosened = _matching([w for w in asked.words if w not in EMPTY_WORDS] or asked.words, "or"), True
        allowed = set(base.filter(pk__in=ids).values_list("pk", flat=True))
        ranked = [pk for pk in ids if pk in allowed]
        found.total = len(ranked)
        wanted = ranked[(page - 1) * A_PAGE : page * A_PAGE]
        rows = Document.objects.filter(pk__in=wanted).select_related("product")
        order = {pk: place for place, pk in enumerate(wanted)}
        found.documents = _readable(sorted(rows, key=lambda row: order[row.pk]), user)
    found.kinds = _kinds(asked, ids)
    return found


MOST_RANKED = 1000  # deeper than anybody pages


def _matching(words: list[str], operator: str) -> list[int]:
    """Ids of documents with these words, best first."""
    results = get_search_backend().search(" ".join(words), Document.objects.all(), operator=operator)
    return [document.pk for document in results[:MOST_RANKED]]


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
    """Threads whose titles say much the same, best first: shared words and letters, then the same product."""
    words = [word for word in WORD.findall(title.lower().replace("\x00", " ")) if word not in EMPTY_WORDS][:MOST_WORDS]
    if not words:
        return []
    results = get_search_backend().search(" ".join(words), Document.objects.all(), operator="or")
    kinds = (Document.Kind.QUESTION, Document.Kind.PROBLEM, Document.Kind.IDEA)
    candidates = [document for document in results[: CANDIDATES * 3] if document.kind in kinds][:CANDIDATES]
    scored = []
    for place, document in enumerate(candidates):
        if document.target_id == without:
            continue
        score = likeness(title, document.title)
        if score < ALIKE:
            continue
        score += 0.3 / (1 + place)
        score += 0.15 * (bool(product) and document.product_slug == product)
        score += 0.05 * (document.solved or document.official)
        scored.append((score, document))
    scored.sort(key=lambda pair: (-pair[0], -pair[1].pk))
    return _readable([document for _score, document in scored[: limit * 2]], user)[:limit]


def likeness(one: str, other: str) -> float:
    """How alike two titles are, from 0 to 1: the share of three-letter pieces they have in common (Dice)."""
    first, second = _pieces(one), _pieces(other)
    return 2 * len(first & second) / (len(first) + len(second)) if first and second else 0.0


def _pieces(title: str) -> set[str]:
    pieces: set[str] = set()
    for word in WORD.findall(title.lower()):
        if word not in EMPTY_WORDS:
            padded = f"  {word} "
            pieces |= {padded[i : i + 3] for i in range(len(padded) - 2)}
    return pieces

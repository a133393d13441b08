"""Which titles say much the same: the index behind "already asked?" (decision 0115).

A row for each word of each title of a thread finds those that share the rarest words; a word that no title has is a
slip or half of a compound, and is looked up by its pieces among the words there are. What is found so is then compared
title by title. Plain tables and plain queries: SQLite and PostgreSQL give the same answers, and what a search costs
hangs on how rare its words are, not on how many threads there are.
"""

import heapq
import math
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Count

from . import words
from .models import Document, Spelling, TitleWord

KINDS = (Document.Kind.QUESTION, Document.Kind.PROBLEM, Document.Kind.IDEA)
MOST_WORDS = 12  # of what is asked
MOST_ROWS = 2000  # words of titles that are looked at: the rarest of the words asked for, as many as fit
CANDIDATES = 60  # titles that are compared
MOST_SLIPS = 3  # unknown words that are looked up by their pieces
NEAR = 20  # known words that are compared with an unknown one
WORDS_FOR_ONE = 5  # known words that stand for an unknown one
CLOSE = 0.4  # the share of pieces from which a known word stands for an unknown one
TIDYING = 7_311_015  # a number of ours, for the lock between learning and tidying
ALIKE = 0.6  # below this, of at most 2, two titles have no more than a word in common


# Kept -------------------------------------------------------------------------------------------------------


def learn(documents: Iterable[Document]) -> None:
    """Keep the words of these titles, and those alone. Called where a document is written; they go with it."""
    wanted = {
        (document.pk, word)
        for document in documents
        for word in (words.stems(document.title) if document.kind in KINDS else [])
    }
    had = TitleWord.objects.filter(document__in=[document.pk for document in documents])
    kept = {(document, word): pk for pk, document, word in had.values_list("pk", "document", "word")}
    if gone := [pk for key, pk in kept.items() if key not in wanted]:
        TitleWord.objects.filter(pk__in=gone).delete()
    if new := sorted(wanted - kept.keys()):
        TitleWord.objects.bulk_create(
            [TitleWord(document_id=document, word=word) for document, word in new],
            ignore_conflicts=True,
            batch_size=1000,
        )
        _learn_spelling({word for _document, word in new})


def _learn_spelling(new: set[str]) -> None:
    _beside_tidying(alone=False)
    known = Spelling.objects.filter(word__in=new).values_list("word", flat=True)
    rows = sorted((piece, word) for word in new - set(known) for piece in words.pieces(word))
    Spelling.objects.bulk_create(
        [Spelling(piece=piece, word=word) for piece, word in rows], ignore_conflicts=True, batch_size=1000
    )


def _beside_tidying(*, alone: bool) -> None:
    """Let no word be tidied away whose title somebody writes at this moment: PostgreSQL shows neither to the other
    before the end. Many learn at once, and tidying waits for them. On SQLite writers stand in line anyhow."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            lock = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
            cursor.execute(f"SELECT {lock}(%s)", [TIDYING])


@transaction.atomic
def tidy() -> int:
    """Erase how words are spelt that no title has any longer."""
    _beside_tidying(alone=True)
    return Spelling.objects.exclude(word__in=TitleWord.objects.values("word")).delete()[0]


# Found ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Clue:
    """A word to look for: in how many titles it stands, and what it is worth to have it."""

    titles: int
    points: float


def alike(title: str, *, product: str = "", without: int | None = None, limit: int) -> list[Document]:
    """Documents of threads with titles like this one, best first, whoever may see them. Eight queries at most."""
    asked = words.stems(title)[:MOST_WORDS]
    clues = _clues(asked)
    found: dict[int, float] = defaultdict(float)
    for document_id, word in _rows(clues):
        found[document_id] += clues[word].points
    if not found:
        return []
    best = heapq.nlargest(CANDIDATES, found, key=lambda pk: (found[pk], -pk))
    pieces = words.pieces_of(title)
    most = sum(clues[word].points if word in clues else rarity(0) for word in asked)
    ranked = []
    for document in Document.objects.filter(pk__in=best).exclude(target_id=without).defer("text", "best_answer"):
        common = sum(clues[word].points for word in words.stems(document.title) if word in clues)
        score = words.shared(pieces, words.pieces_of(document.title)) + min(1, common / most)
        if score >= ALIKE:
            score += 0.15 * (bool(product) and document.product_slug == product)
            score += 0.05 * (document.solved or document.official)
            ranked.append((score, document))
    ranked.sort(key=lambda pair: (-pair[0], -pair[1].pk))
    return [document for _score, document in ranked[:limit]]


def rarity(titles: int) -> float:
    """What a word is worth that stands in so many titles: 0.91 for one in none, 0.14 for one in a thousand."""
    return 1 / math.log(3 + titles)


def _clues(asked: list[str]) -> dict[str, Clue]:
    """The words asked for that titles have; for those that none has, the known words that are spelt much like it."""
    counts = _counts(asked)
    clues = {word: Clue(titles, rarity(titles)) for word, titles in counts.items()}
    unknown = [word for word in asked if word not in counts and len(word) >= words.SHORTEST_STEM]
    near = {known: share for word in unknown[:MOST_SLIPS] for known, share in _near(word) if known not in counts}
    for known, titles in _counts(near).items():
        clues[known] = Clue(titles, rarity(titles) * near[known])
    return clues


def _counts(asked: Collection[str]) -> dict[str, int]:
    """In how many titles each of these words stands; words that stand in none are left out."""
    if not asked:
        return {}
    rows = TitleWord.objects.filter(word__in=asked).values("word").annotate(titles=Count("pk")).order_by()
    return dict(rows.values_list("word", "titles"))


def _near(word: str) -> list[tuple[str, float]]:
    """Known words that share pieces with an unknown one, and how many of them."""
    own = words.pieces(word)
    rows = Spelling.objects.filter(piece__in=own).values("word").annotate(common=Count("pk"))
    known = rows.order_by("-common", "word").values_list("word", flat=True)[:NEAR]
    compared = [(other, words.shared(own, words.pieces(other))) for other in known]
    return sorted((pair for pair in compared if pair[1] >= CLOSE), key=lambda pair: -pair[1])[:WORDS_FOR_ONE]


def _rows(clues: dict[str, Clue]) -> list[tuple[int, str]]:
    """(document, word) for the rarest words: the others are in too many titles to say which."""
    chosen: list[str] = []
    rows = 0
    for word, clue in sorted(clues.items(), key=lambda item: (item[1].titles, item[0])):
        rows += clue.titles
        if chosen and rows > MOST_ROWS:
            break
        chosen.append(word)
    having = TitleWord.objects.filter(word__in=chosen).values_list("document_id", "word")
    return list(having[:MOST_ROWS]) if chosen else []

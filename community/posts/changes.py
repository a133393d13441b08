"""What changed between two versions of a text, word by word."""

import difflib
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

WORD = re.compile(r"\s+|\w+|[^\w\s]")
# Comparing takes up to the square of the number of words, so what is left of two texts after their common beginning
# and end is compared word by word up to here, and line by line beyond.
MOST_WORDS = 1_000
MOST_LINES = 3_000


class Piece(NamedTuple):
    change: str  # "", "added" or "gone"
    text: str


def changes(before: str, after: str) -> list[Piece]:
    """The pieces of both versions in reading order. Takes a fraction of a second, however long and odd the texts."""
    pieces: list[Piece] = []
    for change, words in _compare(WORD.findall(before), WORD.findall(after), before, after):
        if not words:
            continue
        if pieces and pieces[-1].change == change:
            pieces[-1] = Piece(change, pieces[-1].text + words)
        else:
            pieces.append(Piece(change, words))
    return pieces


def _compare(old: list[str], new: list[str], before: str, after: str) -> Iterator[tuple[str, str]]:
    start = _same(old, new)
    end = _same(old[start:][::-1], new[start:][::-1])
    middle_old, middle_new = old[start : len(old) - end], new[start : len(new) - end]
    yield "", "".join(old[:start])
    if len(middle_old) <= MOST_WORDS and len(middle_new) <= MOST_WORDS:
        yield from _matched(middle_old, middle_new)
    else:
        yield from _by_lines("".join(middle_old), "".join(middle_new))
    yield "", "".join(old[len(old) - end :])


def _same(old: Sequence[str], new: Sequence[str]) -> int:
    """How many words are the same from the beginning on."""
    for number, (one, other) in enumerate(zip(old, new, strict=False)):
        if one != other:
            return number
    return min(len(old), len(new))


def _matched(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, str]]:
    for verb, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if verb == "equal":
            yield "", "".join(old[a:b])
        else:
            yield "gone", "".join(old[a:b])
            yield "added", "".join(new[c:d])


def _by_lines(before: str, after: str) -> Iterator[tuple[str, str]]:
    """Lines that stayed are found first; within lines that were replaced by others, words, where they are few."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    if len(old) > MOST_LINES or len(new) > MOST_LINES:
        yield "gone", before
        yield "added", after
        return
    left = MOST_WORDS
    for verb, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=True).get_opcodes():
        gone, added = "".join(old[a:b]), "".join(new[c:d])
        if verb == "equal":
            yield "", gone
            continue
        words_gone, words_added = WORD.findall(gone), WORD.findall(added)
        longest = max(len(words_gone), len(words_added))
        if words_gone and words_added and longest <= left:
            left -= longest
            yield from _matched(words_gone, words_added)
        else:
            yield "gone", gone
            yield "added", added

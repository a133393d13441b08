"""What changed between two versions of a text, word by word."""

import difflib
import re
from typing import NamedTuple

WORD = re.compile(r"\s+|\w+|[^\w\s]")
MOST_WORDS = 6_000  # beyond it lines are compared: comparing words takes the square of their number


class Piece(NamedTuple):
    change: str  # "", "added" or "gone"
    text: str


def changes(before: str, after: str) -> list[Piece]:
    """The pieces of both versions in reading order."""
    old, new = WORD.findall(before), WORD.findall(after)
    if len(old) > MOST_WORDS or len(new) > MOST_WORDS:
        old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    pieces: list[Piece] = []
    for verb, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=len(old) > 2_000).get_opcodes():
        if verb == "equal":
            pieces.append(Piece("", "".join(old[a:b])))
            continue
        if b > a:
            pieces.append(Piece("gone", "".join(old[a:b])))
        if d > c:
            pieces.append(Piece("added", "".join(new[c:d])))
    return pieces

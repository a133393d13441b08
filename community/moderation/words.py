"""Words as they look: folded, so that case, accents, letters of other alphabets and digits for letters hide nothing.

A pattern is one or more words; `*` stands for any letters within one. Words are compared whole, one by one, by a
match whose cost is bounded by pattern times word: no regular expression is ever made of what somebody typed.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from confusable_homoglyphs import confusables
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

LONGEST_WORD = 60  # of a text; what is longer is compared by its start
MOST_STARS, FEWEST_LETTERS = 3, 2
WORD = re.compile(r"[\w@$*]+")
SPLIT_LETTERS = re.compile(r"\b(?:\w[.\-_ ]){3,}\w\b")  # v.i.a.g.r.a
DIGITS = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s"})
ZERO_WIDTH = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))


@lru_cache(maxsize=4096)
def _latin(letter: str) -> str:
    """The Latin letter that another one is mistaken for, or itself."""
    found = confusables.is_confusable(letter, greedy=True, preferred_aliases=["latin"])
    plain = [other["c"] for other in found[0]["homoglyphs"] if other["c"].isascii()] if found else []
    return plain[0].casefold() if plain else letter


def fold(words: str) -> str:
    """A text as it looks at a glance, in small Latin letters where it looks like those; ß is ss, ä is a."""
    plain = unicodedata.normalize("NFKD", words.translate(ZERO_WIDTH).casefold())
    kept = (letter for letter in plain if not unicodedata.combining(letter))
    return "".join(letter if letter.isascii() else _latin(letter) for letter in kept)


def tokens(words: str) -> list[str]:
    """The words of a text, folded; digits stand for letters in a word that has letters, too."""
    folded = fold(words)
    found = [_plain(token) for token in WORD.findall(folded)]
    found += [_plain(re.sub(r"[.\-_ ]", "", spaced)) for spaced in SPLIT_LETTERS.findall(folded)]
    return [token for token in found if token]


def _plain(token: str) -> str:
    token = token[:LONGEST_WORD].strip("_*")
    return token.translate(DIGITS) if re.search(r"[a-z]", token) else token


def matches(pattern: str, word: str) -> bool:
    """Whether a word fits a pattern with stars; at worst length times length steps."""
    p = w = 0
    star, back = -1, 0
    while w < len(word):
        if p < len(pattern) and pattern[p] == "*":
            star, back = p, w
            p += 1
        elif p < len(pattern) and pattern[p] == word[w]:
            p, w = p + 1, w + 1
        elif star >= 0:
            back += 1
            p, w = star + 1, back
        else:
            return False
    return all(letter == "*" for letter in pattern[p:])


def parts(pattern: str) -> tuple[str, ...]:
    """A pattern as folded words. Raises ValidationError at `pattern` for one that would match too much."""
    folded = [part for part in fold(pattern).split() if part]
    words = tuple(
        "*".join(_plain(piece) if piece else "" for piece in "".join(re.findall(r"[\w@$*]", part)).split("*"))
        for part in folded
    )
    words = tuple(word for word in words if word)
    if not words or any(len(word.replace("*", "")) < FEWEST_LETTERS for word in words):
        raise ValidationError({"pattern": _("Each word needs at least two letters besides the stars.")})
    if pattern.count("*") > MOST_STARS:
        raise ValidationError({"pattern": _("At most three stars, please.")})
    return words


@dataclass
class Matcher:
    """Many patterns, asked of many texts: the plain ones are looked up, only those with a star are compared."""

    plain: dict[str, list[tuple[int, tuple[str, ...]]]] = field(default_factory=dict)
    starred: list[tuple[str, int, tuple[str, ...]]] = field(default_factory=list)  # with a piece that must be there

    def found(self, words: Sequence[str]) -> set[int]:
        hits: set[int] = set()
        firsts: dict[str, list[tuple[int, tuple[str, ...]]]] = {}
        for at, word in enumerate(words):
            if word not in firsts:
                starred = [
                    (pk, wanted) for piece, pk, wanted in self.starred if piece in word and matches(wanted[0], word)
                ]
                firsts[word] = self.plain.get(word, []) + starred
            for pk, wanted in firsts[word]:
                if pk not in hits and len(words) - at >= len(wanted):
                    rest = zip(wanted[1:], words[at + 1 :], strict=False)
                    if all(matches(part, other) for part, other in rest):
                        hits.add(pk)
        return hits


@lru_cache(maxsize=8)
def matcher(patterns: tuple[tuple[int, str], ...]) -> Matcher:
    """`patterns` are pairs of a number and a pattern that `parts` has taken."""
    made = Matcher()
    for pk, pattern in patterns:
        wanted = parts(pattern)
        if "*" in wanted[0]:
            made.starred.append((max(wanted[0].split("*"), key=len), pk, wanted))
        else:
            made.plain.setdefault(wanted[0], []).append((pk, wanted))
    return made


def mixed_alphabets(words: Iterable[str]) -> bool:
    """Whether a word of four letters or more mixes Latin with Cyrillic or Greek ones: nobody types that by accident."""
    return any(len(word) >= 4 and "LATIN" in (found := _alphabets(word)) and len(found) > 1 for word in words)


def _alphabets(word: str) -> set[str]:
    if word.isascii():
        return {"LATIN"}
    names = (unicodedata.name(letter, "").split(" ")[0] for letter in word if letter.isalpha())
    return {name for name in names if name in ("LATIN", "CYRILLIC", "GREEK")}

"""What a text gives away: whether it reads as a machine's, and whether it is another one's, a little changed.

Pure functions of texts. What they find is a hint for a person, never a verdict; how often they are right is measured by
`make bench-reviews`.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

FEWEST_WORDS = 15  # below that nothing can be told
MACHINE = 0.85  # 93 of 100 marked ones were a machine's in the half of the set that the weights had not seen
ALIKE = 0.5  # of the three-word phrases of both: a copy of which every tenth word was left out still has more
MARKS = 12

_WORD = re.compile(r"[A-Za-z']+")
_ANY_WORD = re.compile(r"\w+")
_SENTENCE = re.compile(r"(?<=[.!?])\s*(?=[A-Z])|\n+")
_COMMON = frozenset(
    "the a an and or but of to in for on with at it its it's is was are were be i my me you he she they we this that "
    "these those have has had not so very as if just more one will would can from than then there also all when out up "
    "do does did don't get got".split()
)
_STOCK = re.compile(
    r"\b(?:very good|highly recommend|well written|the story|the characters|a good|a great|great read|is a great|"
    r"i loved?|a little|the book|series|a bit|the only|i was|it is|the same|the first)\b"
)


def _repeated(things: Sequence[tuple[str, ...]]) -> float:
    return 1 - len(set(things)) / max(1, len(things))


@dataclass(frozen=True)
class _Text:
    source: str

    @property
    def words(self) -> list[str]:
        return [word.lower() for word in _WORD.findall(self.source)]

    @property
    def sentences(self) -> list[list[str]]:
        return [_WORD.findall(part) for part in _SENTENCE.split(self.source.strip()) if part.strip()]


def _figures(source: str) -> dict[str, float]:
    text = _Text(source)
    words, sentences = text.words, text.sentences
    count, parts = max(1, len(words)), max(1, len(sentences))
    starts = [(part[0].lower(),) if part else ("",) for part in sentences]

    def each_word(pattern: str) -> float:
        return len(re.findall(pattern, source)) / count

    return {
        "variety": len(set(words)) / count**0.8,
        "pairs": _repeated(list(zip(words, words[1:], strict=False))),
        "phrases": _repeated(list(zip(words, words[1:], words[2:], strict=False))),
        "starts": _repeated(starts) if sentences else 0.0,
        "common": sum(word in _COMMON for word in words) / count,
        "length": sum(map(len, words)) / count,
        "excitement": source.count("!") / count,
        "signs": each_word(r'["()\[\];:/&*-]'),
        "digits": each_word(r"\d+"),
        "names": each_word(r"(?<=[a-z,] )[A-Z][a-z]+"),
        "slips": each_word(r"\bi\b"),
        "sentences": sum(map(len, sentences)) / parts / 20,
        "long": math.log(count) / 5,
        "stock": len(_STOCK.findall(source.lower())) / count,
    }


# figure: (weight, mean, spread), by logistic regression on the half of the set of which `bench.reviews` tells.
_WEIGHTS = {
    "variety": (-1.219, 1.5969, 0.2277),
    "pairs": (0.669, 0.0509, 0.1078),
    "phrases": (1.009, 0.0243, 0.0914),
    "starts": (0.185, 0.1836, 0.2465),
    "common": (0.735, 0.4833, 0.0918),
    "length": (-0.538, 4.0270, 0.4373),
    "excitement": (-0.301, 0.0074, 0.0274),
    "signs": (0.125, 0.0153, 0.0529),
    "digits": (-0.123, 0.0093, 0.0264),
    "names": (-0.228, 0.0161, 0.0416),
    "slips": (-0.482, 0.0010, 0.0068),
    "sentences": (-0.807, 0.6341, 0.5253),
    "long": (-0.606, 0.7450, 0.1785),
    "stock": (0.773, 0.0290, 0.0387),
}
_BIAS = 0.316
_FURTHEST = 4  # spreads from the mean; what is further off says no more
REASONS: dict[str, str | Promise] = {
    "variety": _("It has few different words for its length."),
    "pairs": _("The same two words come again and again."),
    "phrases": _("The same phrases come again and again."),
    "starts": _("Its sentences begin alike."),
    "common": _("Hardly a word of it is not among the commonest."),
    "length": _("Its words are short."),
    "sentences": _("Its sentences are short and of one length."),
    "stock": _("Its phrases stand in every review."),
    "names": _("It names nothing."),
}


def machine_likeness(source: str) -> tuple[float, list[str]]:
    """How much an English text reads as written by a machine, from 0 to 1, and the two figures that say so most."""
    if len(_WORD.findall(source)) < FEWEST_WORDS:
        return 0.0, []
    figures = _figures(source)
    parts = {
        name: weight * max(-_FURTHEST, min(_FURTHEST, (figures[name] - mean) / spread))
        for name, (weight, mean, spread) in _WEIGHTS.items()
    }
    why = sorted((name for name in REASONS if parts[name] > 0), key=lambda name: -parts[name])
    return 1 / (1 + math.exp(-(_BIAS + sum(parts.values())))), why[:2]


# Copies -----------------------------------------------------------------------------------------------------


def _shingles(source: str) -> set[tuple[str, ...]]:
    words = _ANY_WORD.findall(source.casefold())
    return set(zip(words, words[1:], words[2:], strict=False)) or ({tuple(words)} if words else set())


def _mark(salt: int, shingle: tuple[str, ...]) -> int:
    told = blake2b(" ".join(shingle).encode(), digest_size=8, salt=salt.to_bytes(2, "big")).digest()
    return int.from_bytes(told, "big", signed=True)


def marks(source: str) -> list[int]:
    """Numbers that texts with many phrases in common share: the least hash of all phrases, under each of some hashes.

    Two texts that have half of their phrases in common share at least one with a chance of 4,095 in 4,096.
    """
    shingles = _shingles(source)
    if len(_ANY_WORD.findall(source)) < FEWEST_WORDS:
        return []
    return [min(_mark(salt, shingle) for shingle in shingles) for salt in range(MARKS)]


def likeness(one: str, other: str) -> float:
    """The share of three-word phrases that two texts have in common, from 0 to 1."""
    first, second = _shingles(one), _shingles(other)
    return len(first & second) / len(first | second) if first | second else 0.0

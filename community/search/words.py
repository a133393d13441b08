"""Words as search compares them: without endings, accents and the words of which every question is full.

The language of what somebody types is not known, so one set of rules serves English and German. It need not be right
about a word, only do the same to what is kept and to what is asked.
"""

import re
import unicodedata
from functools import lru_cache

WORD = re.compile(r"[^\W_]+", re.UNICODE)
LONGEST = 40  # letters of a word that count; longer ones are addresses and keys held down
# Words that say nothing about a subject; a question is full of them.
EMPTY = frozenset(
    "a an and are as at be but by can could did do does for from has have how i if in into is it its me my no not of "
    "on or our should so that the their there they this to was what when where which who why will with would you your "
    "aber als am an auf aus bei beim bin bis da das dass dem den der des die doch ein eine einem einen einer eines er "
    "es für hat habe haben ich ihr im in ist ja kann können man mein meine meinem meinen meiner mich mir mit muss nach "
    "nicht noch nur ob oder sich sie sind soll über um und uns von vom wann warum was welche welcher welches wenn wer "
    "wie wieso wird wo zu zum zur".split()
)
ENDINGS = ("ings", "ing", "ern", "ers", "er", "en", "em", "es", "ed", "e", "s", "y")
SHORTEST_STEM = 3
TWO_LETTERS = (("ae", "a"), ("oe", "o"), ("ue", "u"))  # Muehle, Mühle and Muhle are one word


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """What is kept of a word: grinders, grinding → grind; Mühlen, Muehle → muhl; dripping, drips → drip."""
    word = fold(word)
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= SHORTEST_STEM:
            word = word[: -len(ending)]
            break
    if len(word) > SHORTEST_STEM and word[-1] == word[-2]:
        word = word[:-1]
    return word[:LONGEST]


@lru_cache(maxsize=20_000)
def fold(word: str) -> str:
    """Small letters without accents; ae, oe and ue as the vowel they stand for."""
    letters = unicodedata.normalize("NFKD", word.casefold())
    letters = "".join(letter for letter in letters if not unicodedata.combining(letter))
    for two, one in TWO_LETTERS:
        letters = letters.replace(two, one)
    return letters


def telling(text: str) -> list[str]:
    """The words of a text that say something, in small letters, as often as they stand there."""
    return [word for word in WORD.findall(text.lower()) if word not in EMPTY]


def stems(text: str) -> list[str]:
    """What is kept of the telling words of a text, each once, in their order."""
    return list(dict.fromkeys(every_stem(text)))


def every_stem(text: str) -> list[str]:
    """The same, as often as they stand there."""
    return [kept for word in telling(text) if (kept := stem(word).strip())]


def pieces(word: str) -> set[str]:
    """Its runs of three letters, with the ends marked: ` st`, `ste`, `eam`, `am `."""
    marked = f" {word} "
    return {marked[i : i + 3] for i in range(len(marked) - 2)}


def shared(one: set[str], other: set[str]) -> float:
    """How much two sets have in common, from 0 to 1 (Dice)."""
    return 2 * len(one & other) / (len(one) + len(other)) if one and other else 0.0


def pieces_of(text: str) -> set[str]:
    """The pieces of all telling words."""
    return {piece for word in telling(text) for piece in pieces(fold(word))}

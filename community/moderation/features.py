"""A text as numbers of features: words, pairs of words, pieces of words and a few signs, each hashed to a place.

No text can be read back out of them. Plain Python, for the web process judges with it and has no need of scikit-learn.
"""

import re
from zlib import crc32

from .words import fold

PLACES = 1 << 15
MOST_LETTERS = 4_000  # of a text: what a spammer has to say is said by then

URL = re.compile(
    r"(?:https?://|www\.)\S+|"
    r"(?<![\w-])[\w-]{1,63}\.(?:com|net|org|info|biz|ru|cn|xyz|top|club|online|shop)\b\S*"  # 63: a label's longest
)
MONEY = re.compile(r"[$€£]\s?\d|\d\s?[$€£]|\b\d+\s?(?:usd|eur|gbp|dollars?|pounds?)\b")
NUMBER = re.compile(r"\d{5,}")
WORD = re.compile(r"[a-z']+|\d+")


def places(text: str) -> list[int]:
    """The places of a text's features, each once, in order."""
    short = text[:MOST_LETTERS]
    folded = fold(short)
    plain = URL.sub(" 0url ", folded)
    plain = NUMBER.sub(" 0long ", plain)
    words = re.findall(r"0url|0long|[a-z']+|\d+|[!?]{2,}", plain)
    words = ["0num" if word.isdigit() else word for word in words]
    found = {f"w:{word}" for word in words}
    found |= {f"p:{one} {two}" for one, two in zip(words, words[1:], strict=False)}
    for word in set(words):
        padded = f" {word} "
        found |= {f"c:{padded[at : at + size]}" for size in (3, 4, 5) for at in range(len(padded) - size + 1)}
    found |= signs(short, folded, len(words))
    return sorted({crc32(name.encode()) % PLACES for name in found})


def signs(text: str, folded: str, count: int) -> set[str]:
    letters = [letter for letter in text if letter.isalpha()]
    shouted = sum(letter.isupper() for letter in letters) / len(letters) if letters else 0.0
    urls = len(URL.findall(folded))
    return {
        f"s:urls{min(urls, 4)}",
        f"s:long{min(len(NUMBER.findall(folded)), 3)}",
        f"s:money{min(len(MONEY.findall(folded)), 3)}",
        f"s:words{min(count // 8, 12)}",
        f"s:shout{int(shouted * 10)}",
        f"s:marks{min(folded.count('!'), 5)}",
    }

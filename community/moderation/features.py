"""A text as numbers of features: words, pairs of words, pieces of words, and signs of what it is after, each hashed to
a place.

No text can be read back out of them. Plain Python, for the web process judges with it and has no need of scikit-learn.
"""

import math
import re
from collections.abc import Iterator
from zlib import crc32

from .words import fold

PLACES = 1 << 15
MOST_LETTERS = 4_000  # of a text: what a spammer has to say is said by then
# Each sort of feature together weighs so much, whatever the length of the text (by cross-validation, decision 0241).
OF_WORDS, OF_PIECES, OF_SIGNS = 1.0, 0.5, 0.5
LONG_TEXT = 12  # words: signs mean something else in a short text

URL = re.compile(
    r"(?:https?://|www\.)\S+|"
    r"(?<![\w-])[\w-]{1,63}\s?\.\s?"  # 63: a label's longest
    r"(?:com|net|org|info|biz|ru|cn|xyz|top|club|online|shop|ly|co|tv|me|io|gl|de|eu|uk)\b\S*"
)
MONEY = re.compile(r"[$€£]\s?\d|\d\s?[$€£]|\b\d+\s?(?:usd|eur|gbp|dollars?|pounds?|bucks|p)\b")
NUMBER = re.compile(r"\d{5,}")
PHONE = re.compile(r"\+?\d[\d\s().-]{7,40}\d")
TOKEN = re.compile(r"0url|0long|[a-z']+|\d+|[!?]{2,}")
WORD = re.compile(r"[a-z']+")
STRETCHED = re.compile(r"(.)\1{2,}")
SHOUTED = re.compile(r"[A-Z]{3,}")

# What spam is after, in words of English and German: what to do, what for, whose. Ours; folded as `fold` does.
AFTER = {
    "do": "click check visit subscribe subscribed sub subs join follow reply txt text call watch share go look see "
    "search listen buy order send dial download klick klicke besuche abonniere abonnieren folge kaufe schau schreib "
    "ruf teile",
    "place": "channel channels video videos song songs music page website site blog album covers cover vids vid remix "
    "rap profile shop store kanal seite lied webseite laden",
    "gain": "earn earning earned earnings income cash money paid pay prize prizes win won winner winning bonus reward "
    "rewards claim profit investment invest jackpot lottery award awarded guaranteed casino loan credit bucks dollars "
    "pounds geld gewinn gewinne gewonnen verdienen verdiene preis bonus kredit einkommen",
    "free": "free offer offers discount cheap deal deals sale gift voucher coupon trial gratis kostenlos rabatt "
    "gutschein angebot angebote unlimited only",
    "now": "now today urgent urgently hurry instantly immediately expires last limited jetzt heute sofort dringend",
    "flirt": "sexy sex xxx dating date girls babe flirt single adult hot chat naked porn nackt",
    "phone": "mobile phone ringtone ringtones tone tones camera sms mins minutes landline handy",
    "me": "my our mine mein meine meinen unser unsere unseren",
    "you": "you your u ur ya youre du dir dein deine ihr euch",
    "please": "please pls plz thanks bitte danke",
    "like": "like likes thumbs thumb views subscribers likers fans followers",
}
SORT_OF = {word: sort for sort, words in AFTER.items() for word in words.split()}
ENDINGS = ("ing", "ers", "ed", "er", "es", "s", "e")


def weighted(text: str) -> dict[int, float]:
    """The places of a text's features, each with what it weighs."""
    short = text[:MOST_LETTERS]
    folded = fold(short)
    plain = NUMBER.sub(" 0long ", URL.sub(" 0url ", folded))
    words = ["0num" if word.isdigit() else STRETCHED.sub(r"\1\1", word) for word in TOKEN.findall(plain)]
    if not words:
        return {}
    found: dict[int, float] = {}
    for weight, names in (
        (OF_WORDS, {*_of_words(words), *_of_stems(WORD.findall(folded))}),
        (OF_PIECES, set(_of_pieces(words))),
        (OF_SIGNS, _signs(short, folded, words)),
    ):
        places = {crc32(name.encode()) % PLACES for name in names}
        each = weight / math.sqrt(len(places)) if places else 0.0
        for place in places:
            found[place] = max(found.get(place, 0.0), each)
    return found


def _of_words(words: list[str]) -> Iterator[str]:
    yield from (f"w:{word}" for word in words)
    yield from (f"p:{one} {two}" for one, two in zip(words, words[1:], strict=False))
    yield from (f"k:{one} {two}" for one, two in zip(words, words[2:], strict=False))


def _of_stems(words: list[str]) -> Iterator[str]:
    """The same without their endings: "check it out" and "checking out" have something in common."""
    stems = [_stem(word) for word in words]
    yield from (f"st:{word}" for word in stems)
    yield from (f"sp:{one} {two}" for one, two in zip(stems, stems[1:], strict=False))
    yield from (f"sk:{one} {two}" for one, two in zip(stems, stems[2:], strict=False))


def _stem(word: str) -> str:
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word


def _of_pieces(words: list[str]) -> Iterator[str]:
    for word in set(words):
        padded = f" {word} "
        for size in (3, 4, 5):
            yield from (f"c:{padded[at : at + size]}" for at in range(len(padded) - size + 1))


def _signs(text: str, folded: str, words: list[str]) -> set[str]:
    """How it looks: links, money, telephone numbers, capitals, marks, length; and what it is after."""
    letters = [letter for letter in text if letter.isalpha()]
    digits = sum(letter.isdigit() for letter in text)
    shouted = sum(letter.isupper() for letter in letters) / len(letters) if letters else 0.0
    urls, longs, money = (len(pattern.findall(folded)) for pattern in (URL, NUMBER, MONEY))
    count = len(words)
    signs = {
        f"s:urls{min(urls, 4)}", f"s:url{urls > 0}", f"s:long{min(longs, 3)}", f"s:anylong{longs > 0}",
        f"s:money{min(money, 3)}", f"s:anymoney{money > 0}", f"s:phone{min(len(PHONE.findall(text)), 2)}",
        f"s:words{min(count // 8, 12)}", f"s:size{min(int(math.log2(count + 1) * 2), 16)}",
        f"s:shout{int(shouted * 10)}", f"s:capitals{min(len(SHOUTED.findall(text)), 5)}",
        f"s:digits{min(int(10 * digits / (len(letters) + digits)) if letters or digits else 0, 6)}",
        f"s:marks{min(folded.count('!'), 5)}", f"s:stretched{STRETCHED.search(folded) is not None}",
        f"s:end{text.strip()[-1:] if text.strip()[-1:] in '.!?)' else 'x'}", f"s:start{text[:1].isupper()}",
        f"s:others{min(sum(not letter.isascii() for letter in text), 4)}",
        f"s:different{int(10 * len(set(words)) / count)}",
    }  # fmt: skip
    signs |= {f"{sign}|{'long' if count > LONG_TEXT else 'short'}" for sign in signs}
    return signs | _aims(folded, urls > 0, longs > 0, money > 0)


def _aims(folded: str, url: bool, long: bool, money: bool) -> set[str]:
    """What it is after, alone, together and close to each other: "check" near "my" near "channel"."""
    words = WORD.findall(URL.sub(" ", folded))
    sorts = [SORT_OF.get(word, "") for word in words]
    marks = {sort for sort in sorts if sort}
    marks |= {name for name, there in (("url", url), ("long", long), ("coin", money)) if there}
    found = {f"z:{mark}" for mark in marks} | {f"y:{one}+{two}" for one in marks for two in marks if one < two}
    for at, sort in enumerate(sorts):
        found |= {f"n:{sort}>{near}" for near in sorts[at + 1 : at + 4] if sort and near}
    found.add(f"z:share{int(8 * sum(map(bool, sorts)) / max(1, len(words)))}")
    return found | {f"f:{start}" for start in (words[0], " ".join(words[:2]))} if words else found

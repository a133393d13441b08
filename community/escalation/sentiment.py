"""How a post sounds, from -1 (bitter) to 1 (glad): VADER's rules over a word list of each language (decision 0191).

The words count, not what is meant: a calm report of a fault is not angry, and irony is not seen. So a policy asks for a
low threshold. English uses VADER's own list, German a translated AFINN with words that customers write. Other languages
have no figure, and no policy that asks for one holds for them.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

LISTS = Path(__file__).resolve().parent / "lexicon"
MOST = 5000  # characters that are read: what somebody feels stands near the beginning
LANGUAGES = ("en", "de")
SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
# The mean of many sentences lies near 0. Spread so that -0.6 marks a fifth of the reviews with one or two stars and
# next to none with four or five: chosen on one half of them, `make bench-sentiment` tells what it does on the other.
SPREAD = 4.5

# What the rules must know of German; none of these is an English word that they know otherwise.
NOT = ("nicht", "kein", "keine", "keinen", "keinem", "keiner", "keines", "nie", "niemals", "nirgends", "ohne", "weder")
MORE = (
    "sehr", "extrem", "total", "völlig", "absolut", "wirklich", "besonders", "unglaublich", "äußerst", "komplett",
    "überaus", "richtig", "echt", "mehr", "höchst", "ziemlich",
)  # fmt: skip
LESS = ("etwas", "kaum", "wenig", "leicht", "teilweise", "bisschen", "fast", "eher")
# Words of customers that the translated list lacks.
SAID = {
    "abzocke": -3.5, "angelogen": -3, "arschloch": -3.5, "belogen": -3, "betrug": -3.2, "betrüger": -3.2,
    "billigschrott": -3, "bitter": -1.5, "dankbar": 2.2, "danke": 1.8, "defekt": -1.6, "dreist": -2.6,
    "empfehlen": 1.8, "empfehlenswert": 2.2, "entsetzt": -2.6, "enttäuscht": -2.2, "enttäuschung": -2.4,
    "erstklassig": 2.8, "fassungslos": -2.6, "fehlkauf": -2.8, "frech": -2, "frechheit": -3, "frust": -2.2,
    "furchtbar": -2.6, "gelogen": -3, "genervt": -2.2, "grausam": -2.8, "hingehalten": -2.2, "ignoriert": -2,
    "inakzeptabel": -2.8, "kaputt": -1.8, "katastrophal": -3, "katastrophe": -2.8, "klasse": 2.2, "lecker": 2.2,
    "lüge": -3, "lügen": -3, "lügner": -3, "lächerlich": -2.4, "mangelhaft": -2.2, "mies": -2.4, "minderwertig": -2.4,
    "müll": -2.2, "nie wieder": -2.6, "nutzlos": -2.2, "peinlich": -2, "perfekt": 2.8, "problemlos": 1.8,
    "prima": 2.2, "reinfall": -2.4, "sauer": -1.8, "sauerei": -3, "schade": -1.4, "schlampig": -2.2, "schlecht": -2.2,
    "schlimm": -2, "schrott": -2.6, "skandal": -2.8, "spitze": 2.4, "stinksauer": -3, "super": 2.6, "toll": 2.4,
    "traurig": -1.8, "unbrauchbar": -2.2, "unfassbar": -2.4, "unfreundlich": -2, "unmöglich": -1.8,
    "unverschämt": -3, "unverschämtheit": -3.2, "unzufrieden": -2, "unzumutbar": -2.8, "verarscht": -3.4,
    "veräppelt": -2.6, "verschwendung": -2, "vorzüglich": 2.6, "wertlos": -2.2, "wunderbar": 2.8, "wut": -2.6,
    "wütend": -2.6, "zufrieden": 2, "zuverlässig": 1.8, "ärger": -2, "ärgerlich": -2, "überzeugt": 1.6,
}  # fmt: skip
ENDINGS = ("", "e", "en", "er", "es", "em", "n", "s")


def score_of(title: str, text: str, language: str) -> float | None:
    """From -1 to 1, to three places; None for a language without a list."""
    code = language.split("-")[0].lower()
    if code not in LANGUAGES:
        return None
    words = re.sub(r"https?://\S+", " ", f"{title}.\n{text}"[:MOST])
    said = [sentence for sentence in SENTENCE.split(words) if sentence.strip()]
    found = [float(_analyser(code).polarity_scores(sentence)["compound"]) for sentence in said]
    return round(max(-1.0, min(1.0, SPREAD * sum(found) / max(1, len(found)))), 3)


@cache
def _analyser(language: str) -> Any:
    """Read once a process, when the first post is written: 7,500 words."""
    from vaderSentiment import vaderSentiment as vader  # type: ignore[import-untyped]

    found = vader.SentimentIntensityAnalyzer()
    if language == "de":
        vader.NEGATE.extend(word for word in NOT if word not in vader.NEGATE)
        vader.BOOSTER_DICT.update(dict.fromkeys(MORE, vader.B_INCR) | dict.fromkeys(LESS, vader.B_DECR))
        found.lexicon = _german()
    return found


def _german() -> dict[str, float]:
    """AFINN goes from -5 to 5, VADER from -4 to 4. Each word with its endings; a form that stands there itself wins."""
    listed = {
        word.lower(): value * 0.8
        for word, value in json.loads((LISTS / "afinn-de.json").read_text(encoding="utf-8")).items()
        if " " not in word
    } | SAID
    words = {word + ending: value for word, value in listed.items() for ending in ENDINGS}
    return words | listed

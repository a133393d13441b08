"""What the figure for feelings tells: `make bench-sentiment`.

English: 4,875 real reviews with stars (SNAP, Amazon Fine Food Reviews; CC0). One or two stars are unhappy, four or five
are happy. What spreads the figure was chosen on the half whose hash is even; the other is the test. German: the figures
of sentences written for this, as no free set of German posts with stars is at hand: a check, not a proof.
"""

import csv
import gzip
import sys
from bisect import bisect_left, bisect_right
from pathlib import Path

from .reviews import is_test
from .titles import ROOT

FILE = ROOT.parent / "shared" / "data" / "amazon-fine-food-reviews" / "Reviews.csv.gz"
THRESHOLD = -0.6  # as demo/policies.yaml asks
GERMAN = {
    True: (
        "Das ist eine Frechheit! Seit drei Wochen keine Antwort, ich bin stinksauer.",
        "Ich fühle mich belogen. So einen Schrott habe ich noch nie gekauft, und der Service ist miserabel.",
        "Unverschämt, wie man hier hingehalten wird. Nie wieder.",
        "Zum dritten Mal defekt zurück. Ich bin maßlos enttäuscht und wütend.",
        "Das ist Betrug. Erst zahlt man 900 Euro, dann stellt sich keiner der Verantwortung.",
        "Lächerlich. Eine Katastrophe von Anfang bis Ende, und niemand entschuldigt sich.",
    ),
    False: (
        "Das Wasser läuft langsam, woran kann das liegen? Entkalkt habe ich im Mai.",
        "Seit dem Update bleibt die Mühle bei hellen Bohnen stehen. Welche Version ist die richtige?",
        "Der Kaffee schmeckt bitter. Ich mahle auf Stufe 4 und nehme 18 Gramm.",
        "Danke für die schnelle Hilfe, jetzt ist alles wieder in Ordnung und ich bin sehr zufrieden.",
        "Welche Dichtung passt in die zweite Serie? Meine ist nach vier Jahren hart geworden.",
        "Unter der Maschine steht ein wenig Wasser, nur nach dem Dampfen. Ist das gefährlich?",
    ),
}


def area(unhappy: list[float], happy: list[float]) -> float:
    """How often an unhappy text has the lower figure of the two, ties counting half."""
    line = sorted(happy)
    above = sum(2 * len(line) - bisect_left(line, one) - bisect_right(line, one) for one in unhappy)
    return above / 2 / max(1, len(unhappy) * len(happy))


def of_reviews(path: Path = FILE) -> dict[str, float]:
    """Of the half kept back: the area, and precision and recall of the threshold with as many happy as unhappy."""
    from community.escalation.sentiment import score_of

    figures: dict[bool, list[float]] = {True: [], False: []}
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["Score"] != "3" and is_test(row["Text"]):
                figures[row["Score"] in "12"].append(score_of(row["Summary"], row["Text"], "en") or 0.0)
    unhappy, happy = figures[True], figures[False]
    recall = sum(one <= THRESHOLD for one in unhappy) / max(1, len(unhappy))
    wrong = sum(one <= THRESHOLD for one in happy) / max(1, len(happy))
    return {
        "unhappy": len(unhappy), "happy": len(happy), "area": area(unhappy, happy), "recall": recall, "wrong": wrong,
        "precision": recall / max(1e-9, recall + wrong),
    }  # fmt: skip


def of_german() -> tuple[int, int, int]:
    """Angry sentences that are marked, calm ones that are marked, and how many there are of each."""
    from community.escalation.sentiment import score_of

    marked = [sum((score_of("", text, "de") or 0) <= THRESHOLD for text in GERMAN[angry]) for angry in (True, False)]
    return marked[0], marked[1], len(GERMAN[True])


def main() -> None:
    if not FILE.exists():
        sys.exit(f"{FILE} is not there: columns Score, Summary and Text.")
    found = of_reviews()
    right, wrong, each = of_german()
    print(f"English, {found['unhappy']:,} unhappy and {found['happy']:,} happy reviews that nothing was chosen on")
    print(f"  unhappy stands lower than happy      {found['area']:.1%} of pairs")
    print(f"  at most {THRESHOLD}: recall                  {found['recall']:.1%} of the unhappy")
    print(f"  at most {THRESHOLD}: wrong                   {found['wrong']:.2%} of the happy")
    print(f"  precision with as many of each       {found['precision']:.1%}")
    print(f"German, sentences written for this: {right} of {each} angry ones marked, {wrong} of {each} calm ones")


if __name__ == "__main__":
    main()

"""How often the suggested department is right: `make bench-routing`.

The desk learns from where cases went (community/escalation/suggesting.py). Nobody has published such cases, so tags of
questions stand in for departments: the eight commonest of the set, and the questions that have exactly one of them.
One in five is held back, drawn with a fixed seed; the others are learned from. It must beat always naming the
commonest by 20 points.
"""

import gzip
import os
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from defusedxml.ElementTree import iterparse

from .titles import ROOT

SEED, CLASSES, SHARE = 20261122, 8, 5
POINTS = 0.20
FOLDER = ROOT.parent / "shared" / "data"
SETS = ("stackexchange-quantumcomputing-2018", "stackexchange-cooking-titles")


def rows(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """(text, tags) of each question of a set."""
    posts = next((folder / name for name in ("Posts.xml.gz", "Posts.xml") if (folder / name).exists()), None)
    if posts is None:
        with gzip.open(folder / "cooking.stackexchange.txt.gz", "rt", encoding="utf-8") as lines:
            for line in lines:
                words = line.split()
                tags = [word.removeprefix("__label__") for word in words if word.startswith("__label__")]
                yield " ".join(word for word in words if not word.startswith("__label__")), tags
        return
    with gzip.open(posts, "rb") if posts.suffix == ".gz" else posts.open("rb") as file:
        for _event, row in iterparse(file):
            if row.tag == "row" and row.get("PostTypeId") == "1":
                tags = re.findall(r"[^<>|]+", row.get("Tags", ""))
                yield f"{row.get('Title', '')}\n{re.sub('<[^>]+>', ' ', row.get('Body', ''))[:4000]}", tags
            row.clear()


def measure(folder: Path) -> tuple[str, float, float]:
    from community.escalation import suggesting

    known = list(rows(folder))
    common = {tag for tag, _count in Counter(tag for _text, tags in known for tag in tags).most_common(CLASSES)}
    labelled = [(text, (common & set(tags)).pop()) for text, tags in known if len(common & set(tags)) == 1]
    draw = random.Random(SEED)
    labelled.sort()
    draw.shuffle(labelled)
    texts, labels = [text for text, _label in labelled], [label for _text, label in labelled]
    back = [place % SHARE == 0 for place in range(len(labelled))]
    started = time.perf_counter()
    found = suggesting.learn(texts, labels, held_back=back)
    took = time.perf_counter() - started
    begun = time.perf_counter()
    for text in texts[:200]:
        suggesting.suggest(found.weights, text)
    once = (time.perf_counter() - begun) / min(200, len(texts)) * 1000
    line = (
        f"{folder.name:38} {found.learned:6} {found.held_back:5}  {found.accuracy:6.1%}  {found.majority:6.1%}  "
        f"{(found.accuracy - found.majority) * 100:+5.1f}  {took:5.1f} s  {once:.2f} ms"
    )
    return line, found.accuracy, found.majority


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "community.settings.dev")
    import django

    django.setup()
    print(f"Tags for departments: the {CLASSES} commonest, every fifth question held back, seed {SEED}.")
    print(f"{'set':38} {'cases':>6} {'unseen':>5}  {'right':>6}  {'common':>6}  points  train    once")
    missed = 0
    for name in SETS:
        folder = FOLDER / name
        if not folder.exists():
            print(f"{name:38} is not at {folder}")
            continue
        line, accuracy, majority = measure(folder)
        print(line)
        missed += accuracy - majority < POINTS
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

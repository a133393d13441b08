"""12,371 real question titles: what the figures are taken on."""

import gzip
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT.parent / "shared" / "data" / "stackexchange-cooking-titles" / "cooking.stackexchange.txt.gz"
ABSENT = f"{FILE} is not there: titles of cooking.stackexchange.com, one a line, as fastText's authors prepared them."


def present() -> bool:
    return FILE.exists()


def titles() -> list[str]:
    """Every title, in the order of the file, without the tags before it."""
    with gzip.open(FILE, "rt", encoding="utf-8") as lines:
        return [" ".join(word for word in line.split() if not word.startswith("__label__")) for line in lines]

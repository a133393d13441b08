"""How often "already asked?" finds the original of a title that somebody typed differently: `make bench-search`.

500 titles (fixed seed) are changed in one way at a time; the original must be among the first five threads that
`engine.similar` gives, as the ask form shows them.
"""

import random
import sys

from . import changes, throwaway
from .titles import ABSENT, present, titles

SAMPLE = 500
SEED = 2026
GOAL = 0.9
FIRST = 5
SHOWN = 3


def sample(every: list[str], size: int) -> list[tuple[str, str, str]]:
    """(kind of change, original, changed) for each kind and each title that can be changed so. Always the same."""
    chosen = random.Random(SEED).sample(every, size)
    asked = []
    for kind, change in changes.CHANGES.items():
        chance = random.Random(f"{SEED} {kind}")
        asked += [(kind, title, changed) for title in chosen if (changed := change(title, chance))]
    return asked


def measure() -> dict[str, dict[str, object]]:
    """For each kind of change: how many were asked, found, found first, and some that were not found."""
    from django.contrib.auth.models import AnonymousUser

    from community.search import engine

    figures: dict[str, dict] = {kind: {"asked": 0, "found": 0, "first": 0, "missed": []} for kind in changes.CHANGES}
    for kind, title, changed in sample(titles(), SAMPLE):
        found = [row.title for row in engine.similar(changed, user=AnonymousUser(), limit=FIRST)]
        row = figures[kind]
        row["asked"] += 1
        row["found"] += title[:200] in found
        row["first"] += found[:1] == [title[:200]]
        if title[:200] not in found:
            row["missed"].append([title, changed])
    return figures


def table(figures: dict[str, dict[str, dict]]) -> list[str]:
    """A line for each kind of change, a column for each engine: among the first five, and first of all."""
    engines = list(figures)
    lines = [f"{'change':16}{'titles':>8}" + "".join(f"{name + ': in 5':>20}{'first':>9}" for name in engines)]
    for kind in [*changes.CHANGES, "all"]:
        line = ""
        for name in engines:
            rows = [figures[name][kind]] if kind != "all" else list(figures[name].values())
            asked, found, first = (sum(row[key] for row in rows) for key in ("asked", "found", "first"))
            line = line or f"{kind:16}{asked:>8}"
            line += f"{found / asked:>20.1%}{first / asked:>9.1%}"
        lines.append(line)
    return lines


def main() -> None:
    if not present():
        raise SystemExit(f"Nothing measured. {ABSENT}")
    figures = throwaway.each_engine("bench.search_on")
    print("\n".join(table(figures)))
    for name, kinds in figures.items():
        for kind, row in kinds.items():
            for title, changed in row["missed"][:SHOWN]:
                print(f"{name}, {kind}, not found: {changed!r} for {title!r}")
    least = min(row["found"] / row["asked"] for kinds in figures.values() for row in kinds.values())
    reached = "Reached" if least >= GOAL else "Missed"
    print(f"Goal: {GOAL:.0%} of each kind on each engine. {reached}: {least:.1%} at least.")
    sys.exit(0 if least >= GOAL else 1)


if __name__ == "__main__":
    main()

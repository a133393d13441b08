"""Badges over a million events, and boards of a million people: `make bench-badges`, on PostgreSQL.

DATABASE_URL=postgres://… names a database; another is made beside it and dropped at the end. What is measured runs in
this process: the sweep of all badges over the whole history, a look beforehand at a new badge, what one vote asks, and
how long a leaderboard takes for its first fifty and for somebody with their neighbours.
"""

import sys
from typing import Any

from . import throwaway

SWEEP, READ = 60, 10  # seconds; milliseconds


def lines(found: dict[str, Any]) -> list[str]:
    return [
        f"{found['events']:,} events, {found['facts']:,} facts, {found['people']:,} people, {found['badges']} badges",
        f"sweep of all badges            {found['sweep']:8.1f} s    {found['given']:,} badges given",
        f"again, with nothing to give    {found['again']:8.1f} s",
        f"a look beforehand at one badge {found['preview']:8.2f} s    {found['preview_people']:,} people",
        f"leaderboard, first fifty       {found['top']:8.2f} ms p95",
        f"me with my neighbours          {found['around']:8.2f} ms p95 (worst {found['around_worst']:.2f})",
        f"points for one answer, written {found['add']:8.2f} ms p95",
        f"{found['scores']:,} rows of scores, {found['buckets']:,} of places",
    ]


def main() -> None:
    found = throwaway.postgresql_alone("bench.badges_on")
    print("\n".join(lines(found)))
    fine = found["sweep"] <= SWEEP and max(found["top"], found["around"]) <= READ
    print(f"Goal: sweep within {SWEEP} s, boards read within {READ} ms. {'Reached' if fine else 'Missed'}.")
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()

"""The desk's screens beside a million threads with cases: `make bench-desk`, on PostgreSQL.

DATABASE_URL=postgres://… names a database; another is made beside it and dropped at the end. The case that is opened
has twenty answers, comments, notes, promises, a hand-off, pauses and a long history; two in a hundred of all cases are
with staff and stand in the queue beside it. THREADS=… asks for fewer.
"""

import sys
from typing import Any

from . import throwaway

MOST_QUERIES, GOAL = 20, 150  # of the case screen: queries, and milliseconds of server time


def lines(found: dict[str, Any]) -> list[str]:
    told = [
        f"{found['threads']:,} threads with cases, {found['open']:,} of them open, {found['staff']:,} with staff;"
        f" made in {found['made']:.0f} s",
        f"{'ms, 95 % of requests':28}{''.join(f'{name:>10}' for name in ('clock', 'alone', 'cpu', 'database'))}"
        f"{'queries':>10}",
    ]
    for name, row in found["pages"].items():
        figures = "".join(f"{row[figure]:>10.1f}" for figure in ("p95", "alone", "busy", "base"))
        told.append(f"{name:28}{figures}{row['queries']:>10,}")
    return [*told, "alone: by the clock, without the time for which others had the processor."]


def main() -> None:
    found = throwaway.postgresql_alone("bench.desk_on")
    print("\n".join(lines(found)))
    case = found["pages"]["a case"]
    fine = case["alone"] <= GOAL and case["queries"] <= MOST_QUERIES
    goal = f"Goal: a case with {MOST_QUERIES} queries at most, within {GOAL} ms alone."
    print(f"{goal} {'Reached' if fine else 'Missed'}.")
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()

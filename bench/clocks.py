"""A sweep over a million cases of which a thousand are due: `make bench-clocks`, on PostgreSQL.

DATABASE_URL=postgres://… names a database; another is made beside it and dropped at the end. Timed is one whole sweep
with all that its rungs do: history, log, notices asked for, next times. Then one that finds nothing due.
"""

import sys
from typing import Any

from . import throwaway

GOAL = 2.0  # seconds


def lines(found: dict[str, Any]) -> list[str]:
    sweep = found["sweep"]
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sweep["fired"].items())
    told = [
        f"{found['threads']:,} threads with cases, {found['open']:,} of them open, {sweep['due']:,} due: {kinds}",
        f"{'seconds':28}{''.join(f'{name:>10}' for name in ('clock', 'alone', 'cpu', 'database', 'queries'))}",
    ]
    for name, row in (
        ("the sweep", sweep),
        ("with a tenth of the threads", found["small"]),
        ("with nothing due", found["idle"]),
    ):
        figures = "".join(f"{row[figure]:>10.3f}" for figure in ("clock", "alone", "busy", "base"))
        told.append(f"{name:28}{figures}{row['queries']:>10,}")
    return [*told, "alone: by the clock, without the time for which others had the processor."]


def main() -> None:
    found = throwaway.postgresql_alone("bench.clocks_on")
    print("\n".join(lines(found)))
    fine = found["sweep"]["alone"] <= GOAL and "failed" not in found["sweep"]["fired"]
    print(f"Goal: within {GOAL:g} s alone. {'Reached' if fine else 'Missed'}.")
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()

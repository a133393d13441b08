"""A sweep over a million cases of which a thousand are due: `make bench-clocks`, on PostgreSQL.

DATABASE_URL=postgres://… names a database; another is made beside it and dropped at the end. Timed is one whole sweep
with all that its rungs do: history, log, notices asked for, next times. Then one that finds nothing due.
"""

import sys
from typing import Any

from . import throwaway

GOAL = 2.0  # seconds


def lines(found: dict[str, Any]) -> list[str]:
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in found["fired"].items())
    return [
        f"{found['threads']:,} threads with cases, {found['open']:,} of them open, {found['due']:,} due",
        f"sweep                        {found['sweep']:8.2f} s    {kinds}",
        f"a rung                       {found['sweep'] / max(1, sum(found['fired'].values())) * 1000:8.2f} ms",
        f"sweep with nothing due       {found['idle'] * 1000:8.2f} ms",
        f"with a tenth of the threads  {found['small']:8.2f} s    the same cases due",
    ]


def main() -> None:
    found = throwaway.postgresql_alone("bench.clocks_on")
    print("\n".join(lines(found)))
    fine = found["sweep"] <= GOAL
    print(f"Goal: within {GOAL:g} s. {'Reached' if fine else 'Missed'}.")
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()

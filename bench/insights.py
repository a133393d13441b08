"""Figures and audit of a large community: `make bench-insights`, on each engine there is.

Two years of daily figures for eight departments and twenty products, and 300,000 acts of staff. Measured in this
process, through the test client: the figures page of a manager and of one department; the first, a deep and a searched
page of the audit. DATABASE_URL=postgres://… adds PostgreSQL.
"""

import sys
from typing import Any

from . import throwaway

QUERIES = 10  # of the page itself; session, person and menu of the admin are asked beside


def lines(engine: str, found: dict[str, Any]) -> list[str]:
    head = f"{engine}: {found['figures']:,} daily figures, {found['acts']:,} acts of staff"
    return [head, *(f"  {name:<32} {ms:9.1f} ms p95" for name, ms in found["pages"])]


def main() -> None:
    fine = True
    for engine, found in throwaway.each_engine("bench.insights_on").items():
        print("\n".join(lines(engine, found)))
        fine = fine and all(own <= QUERIES for own in found["own"])
        print(f"  the figures page itself asks {', '.join(map(str, found['own']))}; goal: {QUERIES} at most.")
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()

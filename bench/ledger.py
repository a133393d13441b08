"""The proof of the ledger: 10,000 acts by eight writers at once, on each engine; then a rebuild must equal live.

`make prove`. ACTS and WRITERS change how many; SEED what the dice say.
"""

import json
import os

from .throwaway import each_engine


def main() -> None:
    figures = each_engine("bench.ledger_on")
    for engine, found in figures.items():
        print(f"{engine}: {json.dumps(found)}")
    if any(found["differences"] or found["failed"] for found in figures.values()):
        raise SystemExit(1)


if __name__ == "__main__":
    os.environ.setdefault("ACTS", "10000")
    main()

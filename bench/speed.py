"""How long a request takes on a community of 12,371 questions: `make bench`.

The time of the whole request in the process that serves it, middleware, template and rate limits included; the way to
the browser is not in it. Each figure is taken after some requests that are not counted. `cpu` is the p95 of the
processor's time in that process: where it is far below the time taken, the machine was busy with something else, or
the database was.
"""

import sys

from . import throwaway
from .titles import ABSENT, present

GOAL = 50  # milliseconds for live matches, p95
MATCHES = ("live matches, visitor", "live matches, member")


def table(figures: dict[str, dict[str, dict[str, float]]]) -> list[str]:
    engines = list(figures)
    head = "".join(f"{name + ': p50':>18}{'p95':>8}{'cpu':>8}" for name in engines)
    lines = [f"{'milliseconds':32}{'requests':>9}{head}{'queries':>9}"]
    for what, row in figures[engines[0]].items():
        each = [figures[name][what] for name in engines]
        cells = "".join(f"{one['p50']:>18.1f}{one['p95']:>8.1f}{one['busy']:>8.1f}" for one in each)
        lines.append(f"{what:32}{row['requests']:>9}{cells}{row['queries']:>9}")
    return lines


def main() -> None:
    if not present():
        raise SystemExit(f"Nothing measured. {ABSENT}")
    figures = throwaway.each_engine("bench.speed_on")
    print("\n".join(table(figures)))
    most = max(figures[name][what]["p95"] for name in figures for what in MATCHES)
    print(f"Goal: live matches under {GOAL} ms (p95). {'Reached' if most < GOAL else 'Missed'}: {most:.1f} ms at most.")
    sys.exit(0 if most < GOAL else 1)


if __name__ == "__main__":
    main()

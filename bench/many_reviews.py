"""What a million reviews cost, on PostgreSQL: `make bench-many-reviews`.

    DATABASE_URL=postgres://… make bench-many-reviews [REVIEWS=1000000]

Measured: the page of a list in each order and with each filter, first, deep and backwards, as a visitor and signed in,
by the clock and without the time for which others on this machine had the processor; the public totals of refusals;
what one changed review costs, whatever else there is; the feed for Google, and how much memory it takes.
"""

import sys

from . import throwaway

GOAL = 60  # milliseconds for a page of the list, p95
MOST_GROWTH = 30  # megabytes that the feed of all may take more than that of a few


def main() -> None:
    figures = throwaway.postgresql_alone("bench.many_reviews_on")
    print(f"{figures['reviews']:,} reviews of {figures['products']} products, the most of one: {figures['largest']:,}")
    named = ("p50", "p95", "alone", "cpu", "database")
    print(f"{'page of the list, milliseconds':44}{'requests':>9}{''.join(f'{one:>9}' for one in named)}{'queries':>9}")
    for what, row in figures["pages"].items():
        numbers = "".join(f"{row[name]:>9.1f}" for name in ("p50", "p95", "alone", "busy", "base"))
        print(f"{what:44}{row['requests']:>9}{numbers}{row['queries']:>9}")
    for what, row in figures["changes"].items():
        print(f"{what:44}{row['requests']:>9}{row['p50']:>9.1f}{row['p95']:>9.1f}")
    feed = figures["feed"]
    print(f"Feed: {feed['told']:,} reviews, {feed['megabytes']:,.0f} MB in {feed['seconds']:.0f} s; memory grew")
    print(f"by {feed['growth']:.1f} MB after the first {feed['first']:,} reviews.")
    print("alone: by the clock, without the time for which others had the processor; cpu: of the process that serves.")
    worst = max(figures["pages"].items(), key=lambda item: item[1]["alone"])
    reached = figures["pages"]["all of these"]["alone"] < GOAL and feed["growth"] < MOST_GROWTH
    print(f"Goal: {GOAL} ms alone, p95, and less than {MOST_GROWTH} MB. {'Reached' if reached else 'Missed'}; ", end="")
    print(f"slowest: {worst[0]}, {worst[1]['alone']:.1f} ms.")
    sys.exit(0 if reached else 1)


if __name__ == "__main__":
    main()

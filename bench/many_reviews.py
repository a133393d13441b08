"""What a million reviews cost, on PostgreSQL: `make bench-many-reviews`.

    DATABASE_URL=postgres://… make bench-many-reviews [REVIEWS=1000000]

Measured: the page of a list in each order and with each filter, first, deep and backwards, as a visitor and signed in;
what one changed review costs, whatever else there is; the feed for Google, and how much memory it takes.
"""

import sys

from . import throwaway

GOAL = 60  # milliseconds for a page of the list, p95
MOST_GROWTH = 30  # megabytes that the feed of all may take more than that of a few


def main() -> None:
    figures = throwaway.postgresql_alone("bench.many_reviews_on")
    print(f"{figures['reviews']:,} reviews of {figures['products']} products, the most of one: {figures['largest']:,}")
    print(f"{'page of the list, milliseconds':44}{'requests':>9}{'p50':>8}{'p95':>8}{'cpu':>8}{'queries':>9}")
    for what, row in figures["pages"].items():
        numbers = "".join(f"{row[name]:>8.1f}" for name in ("p50", "p95", "busy"))
        print(f"{what:44}{row['requests']:>9}{numbers}{row['queries']:>9}")
    for what, row in figures["changes"].items():
        print(f"{what:44}{row['requests']:>9}{row['p50']:>8.1f}{row['p95']:>8.1f}")
    feed = figures["feed"]
    print(f"Feed: {feed['told']:,} reviews, {feed['megabytes']:,.0f} MB in {feed['seconds']:.0f} s; memory grew")
    print(f"by {feed['growth']:.1f} MB after the first {feed['first']:,} reviews.")
    worst = max(figures["pages"].items(), key=lambda item: item[1]["p95"])
    reached = figures["pages"]["all of these"]["p95"] < GOAL and feed["growth"] < MOST_GROWTH
    print(f"Goal: p95 under {GOAL} ms, and less than {MOST_GROWTH} MB. {'Reached' if reached else 'Missed'}; ", end="")
    print(f"slowest: {worst[0]}, {worst[1]['p95']:.1f} ms.")
    sys.exit(0 if reached else 1)


if __name__ == "__main__":
    main()

"""`bench.many_reviews` in the process that measures; prints JSON.

The rows are made by the database from one review that the service wrote, so that new columns need no word here.
"""

import itertools
import json
import os
import random
import resource
import time
from collections.abc import Callable, Iterable
from typing import Any

from .speed_on import time_each
from .throwaway import say

REVIEWS = int(os.environ.get("REVIEWS") or 1_000_000)
PRODUCTS, SEED = 200, 12
FIRST = REVIEWS // 20  # reviews of the feed after which memory is taken for settled
FILTERS = ("", "&stars=2", "&verified=1", "&photos=1", "&owned=long", "&stars=1&photos=1&owned=first")
WORDS = "It does what it should, most mornings, and the cup that comes out is as good as the hand that made it. " * 2
STARS = "1 + (n * 7 % 11 > 0)::int + (n * 3 % 7 > 0)::int + (n % 5 > 0)::int + (n % 2)"


def load() -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection, transaction

    from community.accounts.models import User
    from community.accounts.services import join
    from products.models import Product
    from products.services import save_family, save_product
    from reviews import ratings, services
    from reviews.models import Review

    say("Making the database …")
    call_command("migrate", verbosity=0, interactive=False)
    call_command("createcachetable", verbosity=0)
    save_family({"slug": "things", "name": "Things"})
    products = [
        save_product({"slug": f"thing-{number}", "name": f"Thing {number}", "family": "things"})
        for number in range(PRODUCTS)
    ]
    first = join("person0", "Person 0", email="person0@example.org")
    review = services.write_review(
        first, products[0], stars=4, title="As good as the hand", body=WORDS, did_well="The lid",
        could_be_better="The cable", would_recommend=True,
    )  # fmt: skip
    say(f"Writing {REVIEWS:,} reviews …")
    with connection.cursor() as cursor:
        people = {"username": "'member' || n", "username_key": "'member' || n", "name": "'Member ' || n"}
        _multiply(cursor, User, first.pk, REVIEWS // 4 + 1, {**people, "email": "NULL"})
        cursor.execute(
            f"CREATE TEMP TABLE writers AS SELECT id, row_number() OVER (ORDER BY id) - 1 AS place "  # noqa: S608
            f"FROM {User._meta.db_table}; CREATE UNIQUE INDEX ON writers (place); ANALYZE writers"
        )
        # A quarter is of the first product, the rest is spread over the others; nobody writes of one twice.
        others = f"(n - n / 4 - 1) % {PRODUCTS - 1}"
        _multiply(
            cursor, Review, review.pk, REVIEWS - 1,
            {
                "product_id": f"{products[0].pk} + CASE WHEN n % 4 = 0 THEN 0 ELSE 1 + {others} END",
                "author_id": f"(SELECT w.id FROM writers w WHERE w.place = CASE WHEN n % 4 = 0 THEN n / 4 "  # noqa: S608
                f"ELSE 1 + (n - n / 4 - 1) / {PRODUCTS - 1} END)",
                "stars": STARS, "current_stars": STARS,
                "verified": "CASE WHEN n % 3 = 0 THEN 'order' ELSE '' END",
                "share": f"({STARS})::text || '+' || CASE WHEN n % 3 = 0 THEN 'v' ELSE '' END",
                "owned_months": "n * 13 % 40", "owned_last": "n * 13 % 40", "photo_count": "(n % 25 = 0)::int",
                "created_at": "now() - n * interval '97 seconds'", "published_at": "now() - n * interval '97 seconds'",
                "helpful_bound": "CASE WHEN n % 3 = 0 THEN (n % 997) / 1000.0 ELSE 0 END", "looked_over_at": "now()",
            },
        )  # fmt: skip
        cursor.execute("ANALYZE")
    say("Counting …")
    for product in products:
        with transaction.atomic():
            ratings.recount(product)
    if wrong := ratings.differences():
        raise SystemExit(f"What is stored is not what was counted: {wrong[:3]}")
    if Product.objects.filter(review_count=0).exists():
        raise SystemExit("A product has no review.")


def _multiply(cursor: Any, model: Any, pk: int, times: int, changed: dict[str, str]) -> None:
    """So many copies of a row, with some columns told by SQL over `n`."""
    columns = [field.column for field in model._meta.concrete_fields if not field.primary_key]
    told = ", ".join(changed.get(column, f'one."{column}"') for column in columns)
    named = ", ".join(f'"{column}"' for column in columns)
    table = model._meta.db_table
    cursor.execute(
        f"INSERT INTO {table} ({named}) SELECT {told} FROM {table} AS one, "  # noqa: S608 - our own words
        f"generate_series(1, {times}) AS n WHERE one.id = {pk}"
    )


def pages() -> dict[str, dict[str, float]]:
    from django.test import Client

    from community.accounts.models import User
    from products.models import Product
    from reviews import listing, paging
    from reviews.models import Review

    chance = random.Random(SEED)
    visitor, member = Client(SERVER_NAME="localhost"), Client(SERVER_NAME="localhost")
    member.force_login(User.objects.get(username="person0"), backend="django.contrib.auth.backends.ModelBackend")
    largest = Product.objects.get(slug="thing-0")
    last = Review.objects.order_by("-pk").values_list("pk", flat=True)[0]

    def somewhere(**of: Any) -> Review:
        return Review.objects.filter(pk__gt=chance.randrange(last - REVIEWS // 50), **of).order_by("pk")[0]

    sorts = [sort for sort, _label in listing.SORTS]
    each = list(itertools.product(sorts, FILTERS))
    cases: dict[str, list[str]] = {
        "of one product": [f"/reviews/?product=thing-0&sort={sort}{chosen}" for sort, chosen in each],
        "of all products": [f"/reviews/?sort={sort}{chosen}" for sort, chosen in each],
        "of one product, behind some review": [
            f"/reviews/?product=thing-0&sort={sort}{chosen}&after={paging.cursor_of(somewhere(product=largest), sort)}"
            for sort, chosen in each
        ],
        "of one product, before some review": [
            f"/reviews/?product=thing-0&sort={sort}{chosen}&before={paging.cursor_of(somewhere(product=largest), sort)}"
            for sort, chosen in each
        ],
        "of all products, behind some review": [
            f"/reviews/?sort={sort}{chosen}&after={paging.cursor_of(somewhere(), sort)}" for sort, chosen in each
        ],
        "of some other product": [
            f"/reviews/?product=thing-{chance.randrange(1, PRODUCTS)}&sort={sort}{chosen}" for sort, chosen in each
        ],
    }
    everything = [address for addresses in cases.values() for address in addresses]
    chance.shuffle(everything)
    found = {what: time_each(visitor.get, addresses * 3) for what, addresses in cases.items()}
    found["what we refused, and why"] = time_each(visitor.get, ["/reviews/figures/"] * 30)
    found["all of these, signed in"] = time_each(member.get, everything)
    found["all of these"] = time_each(visitor.get, everything * 2)
    return found


def changes() -> dict[str, dict[str, float]]:
    from products.models import Product
    from products.services import save_product
    from reviews import services
    from reviews.models import Review

    small = save_product({"slug": "small", "name": "Small", "family": "things"})
    large = Product.objects.get(slug="thing-0")
    writers = [review.author for review in Review.objects.filter(product=large).select_related("author")[5:45]]
    said = {"title": "As good as the hand", "body": WORDS}

    def each(product: Product) -> dict[str, float]:
        if product == large:
            reviews = list(Review.objects.filter(product=large, author__in=writers).select_related("author", "product"))
        else:
            reviews = [services.write_review(writer, product, stars=3, **said) for writer in writers]
        return _timed(
            [
                lambda review=review: services.edit_review(  # type: ignore[misc]
                    review, review.author, stars=6 - review.stars, **said
                )
                for review in reviews
            ]
        )

    return {
        "stars changed, beside 40 reviews": each(small),
        f"stars changed, beside {large.review_count:,} reviews": each(large),
    }


def _timed(jobs: Iterable[Callable[[], Any]]) -> dict[str, float]:
    taken = []
    for job in jobs:
        started = time.perf_counter()
        job()
        taken.append((time.perf_counter() - started) * 1000)
    taken = sorted(taken[5:])
    return {"requests": len(taken), "p50": taken[len(taken) // 2], "p95": taken[int(len(taken) * 0.95)]}


def feed() -> dict[str, float]:
    from community.core.models import BrandSettings
    from reviews import feed

    def peak() -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    told = size = 0
    settled = 0.0
    started = time.perf_counter()
    for piece in feed.written(BrandSettings(name="Bench")):
        told += piece.count("<review>")
        size += len(piece.encode())
        if not settled and told >= FIRST:
            settled = peak()
    return {
        "told": told,
        "first": FIRST,
        "megabytes": size / 2**20,
        "seconds": time.perf_counter() - started,
        "growth": peak() - settled,
    }


def measure() -> dict[str, Any]:
    from products.models import Product
    from reviews.models import Review

    say("Measuring the feed …")
    of_feed = feed()
    say("Measuring pages and changes …")
    return {
        "feed": of_feed,
        "pages": pages(),
        "changes": changes(),
        "reviews": Review.objects.count(),
        "products": PRODUCTS,
        "largest": Product.objects.get(slug="thing-0").review_count,
    }


if __name__ == "__main__":
    load()
    print(json.dumps(measure()))

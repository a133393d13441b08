"""Many at once: no vote is lost, nobody reviews twice, and a product's numbers are the count of its reviews."""

import threading
from collections.abc import Callable

import pytest
from django.db import connections

from community.core.errors import Conflict
from products.models import Product
from reviews import ratings, services
from reviews.models import Review
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(jobs: list[Callable[[], object]]) -> list[BaseException]:
    start = threading.Barrier(len(jobs))
    problems: list[BaseException] = []

    def run(job: Callable[[], object]) -> None:
        try:
            start.wait(20)
            job()
        except BaseException as problem:  # noqa: BLE001 - handed to the test
            problems.append(problem)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[job]) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return problems


def test_votes_at_once_all_count() -> None:
    review = factories.a_review()
    people = [factories.a_person() for _n in range(8)]

    def vote(person: object, helpful: bool) -> Callable[[], object]:
        return lambda: services.find_helpful(Review.objects.get(pk=review.pk), person, helpful)  # type: ignore[arg-type]

    jobs = [vote(person, n % 4 != 0) for n, person in enumerate(people)]
    jobs += [vote(people[1], True)]  # the same press, twice
    assert at_once(jobs) == []
    review.refresh_from_db()
    assert (review.helpful_yes, review.helpful_no) == (6, 2)
    assert review.helpful_bound == pytest.approx(ratings.wilson(6, 2))


def test_reviews_at_once_add_up_and_nobody_has_two() -> None:
    product = factories.a_product()
    people = [factories.a_person() for _n in range(6)]

    def write(person: object, stars: int) -> Callable[[], object]:
        return lambda: services.write_review(
            person,  # type: ignore[arg-type]
            Product.objects.get(pk=product.pk),
            stars=stars,
            title="At once",
            body="Everybody writes at the same moment.",
        )

    jobs = [write(person, n % 5 + 1) for n, person in enumerate(people)]
    problems = at_once([*jobs, write(people[0], 5), write(people[0], 5)])
    assert len(problems) == 2
    assert all(isinstance(problem, Conflict) for problem in problems)
    product.refresh_from_db()
    assert (product.review_count, Review.objects.count()) == (6, 6)
    assert ratings.differences() == []

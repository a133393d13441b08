"""Many at once: no vote is lost, nobody reviews twice, and a product's numbers are the count of its reviews."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from community.accounts.models import User
from community.core.errors import Conflict
from community.moderation import services as moderation
from products import services as products
from products.models import Product
from reviews import ratings, services
from reviews.models import Review
from tests import factories
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_everything_at_once_adds_up(ravi: User) -> None:
    """Writing, changing, second looks, refusing, publishing, deleting, verifying and votes, all about one product."""
    product = factories.a_product()
    product.family.secondary_ratings = [{"slug": "noise", "name": "Quietness"}]
    product.family.save()
    people = [factories.a_person() for _n in range(6)]
    reviews = [
        factories.a_review(person, product, stars=n % 5 + 1, secondary={"noise": n % 5 + 1})
        for n, person in enumerate(people)
    ]

    def fresh(n: int) -> Review:
        return Review.objects.select_related("author").get(pk=reviews[n].pk)

    def told(n: int, stars: int) -> dict[str, Any]:
        return {
            "stars": stars,
            "title": "Changed",
            "body": "It is not what it was, or I am not.",
            "would_recommend": n > 2,
            "secondary": {"noise": stars},
        }

    jobs: list[Callable[[], object]] = [
        lambda: services.edit_review(fresh(0), people[0], **told(0, 5)),
        lambda: services.edit_review(fresh(0), people[0], **told(3, 2)),
        lambda: services.add_chapter(
            fresh(1), people[1], stars=1, body="It broke after a year of use.", months_owned=12
        ),
        lambda: services.refuse_review(fresh(1), ravi, code="off_topic", passage="It does what it should"),
        lambda: services.refuse_review(fresh(2), ravi, code="off_topic", passage="It does what it should"),
        lambda: moderation.delete(fresh(3), people[3]),
        lambda: moderation.delete(fresh(3), people[3]),
        lambda: products.add_to_shelf(product, people[4], verified="order"),
        lambda: services.edit_review(fresh(4), people[4], **told(4, 1)),
        lambda: services.find_helpful(fresh(5), people[0], True),
        lambda: services.find_helpful(fresh(5), people[1], False),
        lambda: factories.a_review(factories.a_person(), Product.objects.get(pk=product.pk), stars=3),
    ]
    problems = at_once(jobs)
    assert all(isinstance(problem, Conflict) for problem in problems), problems
    assert ratings.differences() == []
    assert list(ratings.review_differences()) == []
    product.refresh_from_db()
    assert product.review_count == Review.objects.visible().filter(product=product).count()
    call_command("rebuild_ratings", "--check", stdout=StringIO())

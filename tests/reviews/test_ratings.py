"""Stored numbers are those that a count would give: after every kind of change, and at the same cost at any size."""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from community.accounts.models import User
from community.core import clock
from community.events.log import replay
from community.moderation import services as moderation
from products.models import Family, Product
from products.services import add_to_shelf, remove_from_shelf
from reviews import ratings, services
from reviews.models import HelpfulVote, Review
from tests import factories

pytestmark = pytest.mark.django_db


def holds() -> None:
    assert ratings.differences() == []
    assert list(ratings.review_differences()) == []


def test_each_kind_of_change_keeps_the_numbers(alice: User, bob: User, ravi: User, duo: Product) -> None:
    review = factories.a_review(alice, duo, stars=4, would_recommend=True)
    factories.a_review(bob, duo, stars=2, disclosure="family")
    holds()
    told = {"title": "Changed my mind", "body": "After a week I think otherwise of it."}
    services.edit_review(review, alice, stars=1, would_recommend=False, **told)
    holds()
    services.edit_review(review, alice, stars=1, disclosure="employee", **told)
    duo.refresh_from_db()
    assert (duo.rating_count, duo.review_count) == (0, 2)
    holds()
    services.edit_review(review, alice, stars=3, would_recommend=True, **told)
    services.add_chapter(review, alice, stars=5, body="A year later it is better than ever.", months_owned=12)
    holds()
    add_to_shelf(duo, alice, verified="order")
    duo.refresh_from_db()
    assert (duo.verified_count, duo.stars_5, duo.recommend_yes, duo.rating_mean) == (1, 1, 1, 5)
    holds()
    remove_from_shelf(duo, alice)
    holds()
    services.refuse_review(Review.objects.get(pk=review.pk), ravi, code="off_topic", passage="After a week")
    duo.refresh_from_db()
    assert (duo.rating_count, duo.review_count) == (0, 1)
    holds()
    services.resubmit_review(Review.objects.get(pk=review.pk), alice)
    services.publish_review(Review.objects.get(pk=review.pk), ravi)
    duo.refresh_from_db()
    assert duo.rating_count == 1
    holds()
    moderation.delete(Review.objects.get(pk=review.pk), alice)
    moderation.delete(Review.objects.get(pk=review.pk), alice)
    duo.refresh_from_db()
    assert (duo.rating_count, duo.rating_sum, duo.review_count) == (0, 0, 1)
    holds()


def test_the_further_ratings_have_a_mean_that_follows_each_change(
    client: Client, alice: User, bob: User, ravi: User, duo: Product
) -> None:
    Family.objects.filter(pk=duo.family_id).update(
        secondary_ratings=[{"slug": slug, "name": slug.title()} for slug in ("noise", "build", "steam-2")]
    )
    duo = Product.objects.get(pk=duo.pk)

    def sums() -> dict[str, list[int]]:
        holds()
        told: dict[str, list[int]] = Product.objects.get(pk=duo.pk).secondary_sums
        return told

    review = factories.a_review(alice, duo, stars=4, secondary={"noise": 2, "steam-2": 5})
    factories.a_review(bob, duo, stars=5, secondary={"noise": 5})
    factories.a_review(factories.a_person(), duo, stars=1, secondary={"noise": 1}, disclosure="employee")
    assert sums() == {"noise": [7, 2], "steam-2": [5, 1]}
    assert review.product.secondary_sums == {"noise": [2, 1], "steam-2": [5, 1]}, "as the page after it shows"
    told = {"stars": 4, "title": "Changed my mind", "body": "After a week I think otherwise of it."}
    services.edit_review(review, alice, secondary={"noise": 3, "build": 4}, **told)
    assert sums() == {"noise": [8, 2], "build": [4, 1]}
    page = client.get("/reviews/?product=duo").content.decode()
    assert re.search(r"<dt>Noise</dt>.*?>4.0</b> .*?2 owners said", page, re.S) and "Steam-2" not in page
    services.refuse_review(Review.objects.get(pk=review.pk), ravi, code="off_topic", passage="After a week")
    assert sums() == {"noise": [5, 1]}
    Product.objects.filter(pk=duo.pk).update(secondary_sums={"noise": [0, 0]})
    moderation.delete(Review.objects.get(author=bob), bob)
    assert sums() == {}
    Product.objects.filter(pk=duo.pk).update(secondary_sums={"noise": [9, 2]})
    Review.objects.filter(pk=review.pk).update(scales="noise1")
    assert {what[1] for what in ratings.rebuild()} == {"secondary_sums", "scales"}
    assert sums() == {}


def test_a_change_costs_the_same_with_many_reviews(alice: User, bob: User, duo: Product) -> None:
    def cost(person: User) -> int:
        review = factories.a_review(person, duo)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            services.edit_review(review, person, stars=1, title="Changed", body="I think otherwise of it by now.")
        assert not any("reviews_review" in query["sql"] and "SUM(" in query["sql"] for query in asked)
        return len(asked)

    few = cost(alice)
    for _n in range(20):
        factories.a_review(product=duo)
    assert cost(bob) == few


def test_several_by_one_person_are_shown_and_the_newest_counts(alice: User, duo: Product) -> None:
    def imported(key: str, stars: int, year: int) -> Review:
        with replay("import", clock.now().replace(year=year)):
            return services.write_review(
                alice, duo, stars=stars, title=f"In {year}", body="What I thought in that year.",
                source="shop.example.com", external_id=key,
            )  # fmt: skip

    imported("b", 5, 2020)
    imported("a", 1, 2018)
    duo.refresh_from_db()
    assert (duo.review_count, duo.rating_count, duo.rating_mean, duo.imported_count) == (2, 1, 5, 1)
    holds()
    own = factories.a_review(alice, duo, stars=3)
    duo.refresh_from_db()
    assert (duo.review_count, duo.rating_count, duo.rating_mean, duo.imported_count) == (3, 1, 3, 0)
    assert set(Review.objects.filter(earlier=True).values_list("title", flat=True)) == {"In 2018", "In 2020"}
    Review.objects.filter(pk=own.pk).update(earlier=True)
    assert ("earlier", True, False) in [what[1:] for what in ratings.review_differences()]
    Review.objects.filter(pk=own.pk).update(earlier=False)
    moderation.delete(own, alice)
    duo.refresh_from_db()
    assert (duo.review_count, duo.rating_mean) == (2, 5)
    holds()


def test_the_command_proves_and_mends(alice: User, bob: User, duo: Product) -> None:
    review = factories.a_review(alice, duo, stars=4)
    services.find_helpful(review, bob, True)
    said = StringIO()
    call_command("rebuild_ratings", "--check", stdout=said)
    assert "1 products, 1 reviews: everything stored equals what was counted anew." in said.getvalue()
    Product.objects.filter(pk=duo.pk).update(rating_sum=99, stars_4=0)
    Review.objects.filter(pk=review.pk).update(helpful_yes=7, current_stars=2)
    HelpfulVote.objects.create(target=review, voter=None, source="x", external_id="1", helpful=False)
    with pytest.raises(CommandError, match="stored numbers differ"):
        call_command("rebuild_ratings", "--check", stdout=said)
    assert "duo: rating_sum is 99, counted 2" in said.getvalue()
    assert f"review {review.pk}: helpful_yes is 7, counted 1" in said.getvalue()
    call_command("rebuild_ratings", stdout=said)
    call_command("rebuild_ratings", "--check", stdout=said)
    review.refresh_from_db()
    duo.refresh_from_db()
    assert (review.helpful_yes, review.helpful_no, review.current_stars) == (1, 1, 4)
    assert (duo.rating_sum, duo.stars_4) == (4, 1)


def test_numbers_written_by_hand_stop_nobody(alice: User, duo: Product) -> None:
    review = factories.a_review(alice, duo, stars=4)
    Product.objects.filter(pk=duo.pk).update(rating_sum=0, stars_4=0, rating_count=0, review_count=0)
    moderation.delete(review, alice)
    holds()

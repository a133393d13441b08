"""Hints on reviews: found by a sweep, with a reason, for moderators alone; they change nothing about a review."""

from datetime import timedelta

import pytest
from django.test import Client

from bench import reviews as bench
from community.accounts.models import User
from community.core import clock
from community.core.errors import NotAllowed
from community.events.log import replay
from products.models import Product
from reviews import hints, services, signs
from reviews.models import DeviceTrace, Hint, Review
from tests import factories

from .test_pages import told as form

pytestmark = pytest.mark.django_db

LONG = (
    "After fourteen months of two espressos every morning the steam valve started to drip, so I wrote to support, who "
    "sent the seat within three days. Changing it took Hannes and me forty minutes with the spanner from his shed."
)
DULL = (
    "I love it. It is a great one. I love it and it is very good. It is a great one and I love it. I highly recommend "
    "it. It is very good and I love it. It is a great one. I highly recommend it."
)


def kinds(review: Review) -> set[str]:
    return set(Hint.objects.filter(review=review, settled_at=None).values_list("kind", flat=True))


def test_a_copy_is_noticed_whoever_it_is_of(alice: User, bob: User, duo: Product) -> None:
    first = factories.a_review(alice, duo, body=LONG)
    other = factories.a_product()
    own = factories.a_review(alice, other, body=LONG.replace("fourteen", "twelve"))
    copy = factories.a_review(bob, other, body=bench.altered(LONG, 10))
    different = factories.a_review(bob, duo, body=LONG[::-1])
    assert hints.sweep() == 4
    assert (kinds(first), kinds(own), kinds(copy)) == (set(), {"repeated"}, {"copied"})
    assert kinds(different) == set()
    hint = Hint.objects.get(review=copy)
    assert hint.data["percent"] >= 50
    assert "of its phrases stand in another review" in hints.reason(hint)
    assert hints.sweep() == 0
    hints.ask(Review.objects.get(pk=first.pk))
    hints.sweep()
    assert kinds(first) == set()  # who is copied from has done nothing


def test_a_copy_of_an_imported_review_is_noticed_and_imports_get_no_hints(alice: User, bob: User, duo: Product) -> None:
    with replay("import"):
        there = services.write_review(
            bob, duo, stars=5, title="There", body=LONG, source="shop.example.com", external_id="1"
        )
    copy = factories.a_review(alice, duo, body=LONG)
    hints.sweep()
    assert (kinds(there), kinds(copy)) == (set(), {"copied"})


def test_what_was_changed_is_looked_over_again(alice: User, bob: User, duo: Product) -> None:
    factories.a_review(alice, duo, body=LONG)
    copy = factories.a_review(bob, duo, body=LONG)
    hints.sweep()
    services.edit_review(copy, bob, stars=4, title="My own", body="These are my own words about it, and nobody else's.")
    assert hints.sweep() == 1
    assert kinds(copy) == set()


def test_a_burst_is_more_than_usual(duo: Product) -> None:
    now = clock.now()
    for day in range(1, 60):
        with clock.travel(now - timedelta(days=day)):
            factories.a_review(product=duo)
    reviews = [factories.a_review(product=duo) for _n in range(5)]
    hints.sweep()
    assert kinds(reviews[2]) == set()
    assert kinds(reviews[4]) == {"burst"}
    assert Hint.objects.get().data == {"count": 5, "usual": 0.7}


def test_one_device_for_two_authors(client: Client, alice: User, bob: User, duo: Product) -> None:
    for person in (alice, bob):
        client.force_login(person)
        told = form(title="Good", body=f"{person} has used it for a year, and it holds.")
        client.post("/reviews/write/duo/", told, headers={"User-Agent": "Browser"})
    hints.sweep()
    second = Review.objects.get(author=bob)
    assert kinds(second) == {"device"}
    trace = DeviceTrace.objects.get(review=second)
    assert "127.0.0.1" not in trace.digest and len(trace.digest) == 32
    with clock.travel(clock.now() + timedelta(days=31)):
        hints.sweep()
    assert not DeviceTrace.objects.exists()


def test_a_dull_text_reads_as_a_machines(alice: User, bob: User, duo: Product) -> None:
    dull, own = factories.a_review(alice, duo, body=DULL), factories.a_review(bob, duo, body=LONG)
    german = factories.a_review(product=duo, body=DULL, language="de")
    hints.sweep()
    assert (kinds(dull), kinds(own)) == ({"machine"}, set())
    assert "machine" not in kinds(german)
    assert "It scores" in hints.reason(Hint.objects.get(review=dull))
    assert signs.machine_likeness("Too short to tell.") == (0.0, [])


def test_a_hint_changes_nothing_and_only_moderators_see_it(
    client: Client, alice: User, bob: User, ravi: User, duo: Product
) -> None:
    review = factories.a_review(alice, duo, body=DULL)
    hints.sweep()
    review.refresh_from_db()
    assert review.is_visible
    for person in (None, alice, bob):
        if person is not None:
            client.force_login(person)
        assert "Noticed by the program" not in client.get(review.get_absolute_url()).content.decode()
        assert client.get("/reviews/hints/").status_code == (302 if person is None else 403)
    client.force_login(ravi)
    assert "Noticed by the program" in client.get(review.get_absolute_url()).content.decode()
    assert "Reads as if a machine wrote it" in client.get("/reviews/hints/").content.decode()
    assert client.get("/reviews/hints/?page=99").status_code == 404


def test_a_moderator_settles_a_hint_for_good(client: Client, alice: User, bob: User, ravi: User, duo: Product) -> None:
    review = factories.a_review(alice, duo, body=DULL)
    hints.sweep()
    hint = Hint.objects.get()
    address = f"/reviews/hints/{hint.pk}/settle/"
    with pytest.raises(NotAllowed):
        hints.settle(hint, bob)
    client.force_login(bob)
    assert client.post(address).status_code == 403
    client.force_login(ravi)
    assert client.get(address).status_code == 405
    for _twice in range(2):
        assert client.post(address).status_code == 302
    hint.refresh_from_db()
    assert hint.settled_by == ravi
    hints.ask(Review.objects.get(pk=review.pk))
    hints.sweep()
    assert kinds(review) == set()
    assert "No hints" in client.get("/reviews/hints/").content.decode()


def test_the_queries_of_the_list_do_not_grow(
    client: Client, ravi: User, duo: Product, django_assert_max_num_queries: object
) -> None:
    for _n in range(6):
        factories.a_review(product=duo, body=DULL)
    hints.sweep()
    client.force_login(ravi)
    client.get("/reviews/hints/")
    with django_assert_max_num_queries(10):  # type: ignore[operator]
        client.get("/reviews/hints/")


def test_marks_are_shared_by_copies_alone() -> None:
    assert set(signs.marks(LONG)) & set(signs.marks(bench.altered(LONG, 15)))
    assert not set(signs.marks(LONG)) & set(signs.marks(DULL))
    assert signs.marks("Too short") == []
    assert signs.likeness(LONG, LONG) == 1
    assert signs.likeness("", "") == 0


@pytest.mark.slow
@pytest.mark.once
def test_the_figures_on_the_set(capsys: pytest.CaptureFixture[str]) -> None:
    if not bench.FILE.exists():
        pytest.skip(bench.ABSENT)
    with pytest.raises(SystemExit) as end:
        bench.main()
    assert end.value.code == 0, capsys.readouterr().out

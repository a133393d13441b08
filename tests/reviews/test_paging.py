"""Long lists: each review once, forwards and back, whatever happens meanwhile; and a filter by length of ownership."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.http import Http404
from django.test import Client
from django.utils.html import escape
from pytest_django.asserts import assertRedirects

from community.accounts.models import User
from community.core import clock
from community.search import documents
from products.models import Product
from reviews import paging, ratings, services
from reviews.listing import SORTS
from reviews.models import Review
from tests import factories

pytestmark = pytest.mark.django_db

ALL = [sort for sort, _label in SORTS]


@pytest.fixture
def many(duo: Product) -> list[Review]:
    """Seventeen reviews with few stars between them, many at the same moment, some equally helpful."""
    now = clock.now()
    first = factories.a_review(product=duo)
    people = [factories.a_person() for _n in range(16)]
    rows = []
    for number, person in enumerate(people):
        row = Review.objects.get(pk=first.pk)
        row.pk, row._state.adding, row.author = None, True, person
        row.created_at = now - timedelta(days=number // 4)
        row.stars = row.current_stars = number % 3 + 1
        row.helpful_bound = (number % 4) / 7
        rows.append(row)
    Review.objects.bulk_create(rows)
    return list(Review.objects.all())


def pages(sort: str, size: int) -> Iterator[paging.Page]:
    page = paging.page_of(Review.objects.visible(), sort, size)
    yield page
    while page.after:
        page = paging.page_of(Review.objects.visible(), sort, size, after=page.after)
        yield page


@pytest.mark.parametrize("sort", ALL)
def test_each_once_in_the_order_of_the_sort_and_back_again(many: list[Review], sort: str) -> None:
    found = list(pages(sort, 5))
    assert [row.pk for page in found for row in page.rows] == [
        row.pk for row in Review.objects.visible().sorted_by(sort)
    ]
    assert [len(page.rows) for page in found] == [5, 5, 5, 2]
    for earlier, later in zip(found, found[1:], strict=False):
        back = paging.page_of(Review.objects.visible(), sort, 5, before=later.before)
        assert [row.pk for row in back.rows] == [row.pk for row in earlier.rows]
        assert back.after == earlier.after
    assert (found[0].before, found[-1].after) == ("", "")


@pytest.mark.parametrize("sort", ALL)
def test_what_comes_and_goes_meanwhile_moves_nothing_else(many: list[Review], duo: Product, sort: str) -> None:
    first, *rest = pages(sort, 5)
    expected = [row.pk for page in rest for row in page.rows]
    factories.a_review(product=duo, stars=5)  # above or far below, never in between twice
    Review.objects.filter(pk=first.rows[-1].pk).delete()  # the one the cursor names
    seen = []
    after = first.after
    while after:
        page = paging.page_of(Review.objects.visible(), sort, 5, after=after)
        seen += [row.pk for row in page.rows]
        after = page.after
    new = Review.objects.order_by("-pk").values_list("pk", flat=True)[0]
    assert [pk for pk in seen if pk != new] == expected


@pytest.mark.parametrize(
    "cursor", ["x", "1_2", "1_2_x", "nan_1_1", "1_1_99999999999999999999", "1_9999999999999999999_1", "9" * 90]
)
def test_what_never_was_a_cursor_is_no_page(cursor: str, db: None) -> None:
    for sort in ALL:
        with pytest.raises(Http404):
            paging.page_of(Review.objects.visible(), sort, 5, after=cursor)


def test_words_are_looked_for_in_the_reviews_of_a_product_alone(client: Client, alice: User, duo: Product) -> None:
    assert 'id="rq"' not in client.get("/reviews/?product=duo").content.decode()
    review = factories.a_review(alice, duo, title="The gasket held")
    elsewhere = factories.a_review(alice, factories.a_product(), title="No gasket in sight")
    form = client.get("/reviews/?product=duo").content.decode().partition('class="findbox reviewfind"')[2]
    asked = dict(re.findall(r'name="(kind|product)" value="([^"]+)"', form.partition("</form>")[0]))
    assert asked == {"kind": "review", "product": "duo"}
    documents.index_changes()
    found = client.get("/search/", {"q": "gasket", **asked}).content.decode()
    assert review.get_absolute_url() in found and elsewhere.get_absolute_url() not in found


def test_the_list_leads_on_and_back(client: Client, many: list[Review]) -> None:
    first = client.get("/reviews/?product=duo&sort=lowest")
    assert len(first.context["reviews"]) == 12
    second = client.get(first.context["next_url"])
    assert (len(second.context["reviews"]), second.context["next_url"]) == (5, "")
    assert 'noindex, follow"' in second.content.decode()
    again = client.get(second.context["previous_url"])
    assert again.context["reviews"] == first.context["reviews"]
    assert escape(first.context["next_url"]) in first.content.decode()
    # A choice begins at the start; an address from when pages had numbers leads there.
    assert not re.search(
        r"(after|before)=", re.search(r'<nav class="row filters".*?</nav>', second.content.decode())[0]
    )  # type: ignore[index]
    assertRedirects(client.get("/reviews/?product=duo&page=7"), "/reviews/?product=duo", status_code=301)
    assert client.get("/reviews/?after=nonsense").status_code == 404


def test_lists_filter_by_how_long_its_author_has_owned_it(client: Client, alice: User, bob: User, duo: Product) -> None:
    old = factories.a_review(alice, duo, owned_months=1)
    factories.a_review(bob, duo, owned_months=2)
    factories.a_review(product=duo)  # says nothing
    services.add_chapter(old, alice, stars=3, body="It holds after two years and more.", months_owned=30)

    def shown(owned: str) -> list[int | None]:
        return [review.owned_last for review in client.get(f"/reviews/?product=duo&owned={owned}").context["reviews"]]

    assert (shown("first"), shown("months"), shown("years"), shown("long")) == ([2], [], [], [30])
    assert client.get("/reviews/?owned=forever").status_code == 404
    assert list(ratings.review_differences()) == []
    Review.objects.update(owned_last=7, photo_count=2)
    assert {field for _row, field, *_rest in ratings.review_differences()} == {"owned_last", "photo_count"}
    ratings.rebuild()
    assert (shown("first"), shown("long")) == ([2], [30])

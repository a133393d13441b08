"""A product page asks the database as often with nothing on it as with thousands of reviews."""

from pathlib import Path

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from wagtail.models import PageViewRestriction

from community.accounts.models import Department, User
from community.pages import services as pages
from community.posts.models import Upload
from community.posts.services import follow
from community.questions.models import Thread
from products.models import Product
from products.pages import GalleryItem, ProductPage
from reviews import services as reviews
from reviews.models import BrandResponse, Review
from tests import factories

from .pages import a_picture, a_product_page

MEMBER, VISITOR = 14, 11


def _three_pictures(folder: Path) -> list[dict[str, str]]:
    return [
        {"file": a_picture(folder, f"{n}.webp", n * 40).name, "kind": "hero", "alt": f"Side {n}.", "caption": ""}
        for n in (1, 2, 3)
    ]


@pytest.fixture
def full(tmp_path: Path, duo: Product, alice: User, support: Department) -> ProductPage:
    """Something of everything that the page can show."""
    page = a_product_page(tmp_path, duo, gallery=_three_pictures(tmp_path))
    pages.save_help_article({"title": "Care", "slug": "care", "summary": "Do.", "products": ["duo"]}, "Words.")
    of_review = ContentType.objects.get_for_model(Review)
    for n in range(3):
        author = factories.a_person()
        review = factories.a_review(author, duo, would_recommend=True)
        reviews.add_chapter(
            review, author, stars=5, body="A year later it still runs.", months_owned=12, still_in_use=n > 0
        )
        BrandResponse.objects.create(review=review, department=support, author=alice, body_source="x", body_html="x")
        photo = {"file": "x.webp", "width": 4, "height": 3, "alt": "A cup."}
        Upload.objects.create(owner=author, target_type=of_review, target_id=review.pk, **photo)
        factories.an_answer(factories.a_thread(product=duo))
        factories.a_recipe(products=[duo])
        factories.a_tip(product=duo)
        for kind in ("idea", "praise"):
            factories.a_thread(kind=kind, product=duo)
    return page


def queries(client: Client, address: str) -> int:
    client.get(address)  # what is made on first sight: renditions, content types
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    return len(asked)


@pytest.fixture(autouse=True)
def _as_it_runs(settings: pytest.FixtureRequest) -> None:
    settings.BRAND_SECONDS = 60  # type: ignore[attr-defined]  # brand and hours are kept for a minute


@pytest.mark.slow  # makes 5,500 rows: the number that is promised
def test_5000_reviews_and_500_questions_cost_14_queries(
    client: Client, full: ProductPage, duo: Product, alice: User
) -> None:
    assert queries(client, "/products/duo/") <= VISITOR
    follow(duo, alice)
    factories.a_review(alice, duo)
    client.force_login(alice)
    html = client.get("/products/duo/").content.decode()
    for shown in ("Following", "Your review", "Care", "67 %", "A cup."):
        assert shown in html, shown
    few = queries(client, "/products/duo/")
    _much_more(duo, alice)
    assert queries(client, "/products/duo/") == few <= MEMBER


def _much_more(duo: Product, alice: User) -> None:
    written = {"product": duo, "author": alice, "stars": 4, "current_stars": 4, "title": "t", "visibility": "visible"}
    words = {"body_source": "x", "body_html": "x", "body_text": "x"}
    rows = [Review(**written, **words, source="elsewhere", external_id=str(n)) for n in range(5000)]
    Review.objects.bulk_create(rows, batch_size=1000)
    asked = {"product": duo, "author": alice, "visibility": "visible"}
    Thread.objects.bulk_create([Thread(**asked, **words, title=f"Number {n}") for n in range(500)])


def test_what_is_kept_of_help_changes_with_it(client: Client, duo: Product, tmp_path: Path) -> None:
    """Kept under a mark that the page's own query brings: never a moment too long."""
    a_product_page(tmp_path, duo, gallery=[])
    pages.save_help_article({"title": "Care", "slug": "care", "summary": "Do.", "products": ["duo"]}, "Words.")
    assert "Care" in client.get("/products/duo/").content.decode()
    article = pages.save_help_article(
        {"title": "Care and feeding", "slug": "care", "summary": "Do.", "products": ["duo"]}, "Words."
    )
    assert "Care and feeding" in client.get("/products/duo/").content.decode()
    article.unpublish()
    assert "Care and feeding" not in client.get("/products/duo/").content.decode()


def test_a_restriction_on_any_page_above_is_seen_in_the_pages_query(
    client: Client, duo: Product, tmp_path: Path
) -> None:
    page = a_product_page(tmp_path, duo, gallery=[])
    elsewhere = a_product_page(tmp_path, factories.a_product("mill"), gallery=[])
    PageViewRestriction.objects.create(page=elsewhere, restriction_type="login")
    assert client.get("/products/duo/").status_code == 200
    PageViewRestriction.objects.create(page=page.get_parent().get_parent(), restriction_type="login")
    assert client.get("/products/duo/").status_code == 302


def test_pictures_come_with_their_sizes_in_their_order(duo: Product, tmp_path: Path) -> None:
    page = a_product_page(tmp_path, duo, gallery=_three_pictures(tmp_path))
    first, *_rest = page.pictures()
    first.image.get_rendition("width-480|format-webp")
    page = ProductPage.objects.get(pk=page.pk)
    with CaptureQueriesContext(connection) as asked:
        pictures = page.pictures()
        assert [item.alt for item in pictures] == ["Side 1.", "Side 2.", "Side 3."]
        assert pictures[0].image.get_rendition("width-480|format-webp").width == 480
    assert len(asked) == 1
    page.gallery = [GalleryItem(image=first.image, alt="Being edited.")]  # as in a preview
    del page._pictures
    assert [item.alt for item in page.pictures()] == ["Being edited."]

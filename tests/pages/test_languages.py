"""Editors' pages under `/de/…`; without a prefix they stand in the site's own language (RULINGS 37)."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from wagtail.models import Locale

from community.pages import services
from community.pages.models import HomePage
from products.models import Product
from products.pages import ProductPage
from tests import factories
from tests.products.pages import a_product_page

pytestmark = pytest.mark.django_db
ENGLISH, GERMAN = {"accept-language": "en"}, {"accept-language": "de"}


@pytest.fixture
def german(duo: Product, tmp_path: Path) -> ProductPage:
    """The Duo's page in both languages; returns the German one."""
    english = a_product_page(tmp_path, product=duo)
    tree = services.ensure_tree(locale=Locale.objects.get_or_create(language_code="de")[0])
    page = ProductPage(
        product=duo, title="Brindle Duo", slug="duo", tagline="Zwei Kessel, eine ruhige Hand.",
        locale=tree.catalogue.locale, translation_key=english.translation_key,
    )  # fmt: skip
    tree.catalogue.add_child(instance=page)
    return page


def test_a_german_page_has_a_german_address(client: Client, german: ProductPage) -> None:
    assert german.get_url() == "/de/products/duo/"
    html = client.get("/de/products/duo/", headers=ENGLISH).content.decode()
    assert "Zwei Kessel, eine ruhige Hand." in html and '<html lang="de"' in html
    # So has what is drawn for it.
    picture = html.partition('property="og:image" content="http://testserver')[2].partition('"')[0]
    assert picture.startswith("/de/products/duo/share.jpg?v=")
    assert "immutable" in client.get(picture, headers=ENGLISH)["Cache-Control"]


def test_without_prefix_it_stands_as_before(client: Client, german: ProductPage) -> None:
    html = client.get("/products/duo/", headers=ENGLISH).content.decode()
    assert "Two boilers, one steady hand." in html and '<html lang="en"' in html
    assert ProductPage.objects.get(locale__language_code="en").get_url() == "/products/duo/"


def test_the_next_request_reads_as_its_browser_does(client: Client, german: ProductPage) -> None:
    client.get("/de/products/duo/", headers=ENGLISH)
    assert '<html lang="en"' in client.get("/questions/", headers=ENGLISH).content.decode()


def test_the_pages_above_it(client: Client, german: ProductPage, tmp_path: Path) -> None:
    """The catalogue has every product, in German where somebody wrote that; nobody meets a page without words."""
    a_product_page(tmp_path, product=factories.a_product("mill", name="Brindle Mill"))
    html = client.get("/products/", headers=GERMAN).content.decode()
    assert "Zwei Kessel" in html and "Brindle Mill" in html
    assert html.count("Two boilers") == 1  # what nobody wrote in German stands in the site's own language
    for path, there in (("/de/", "/"), ("/de/products/", "/products/"), ("/de/help/", "/help/")):
        response: Any = client.get(path, headers=ENGLISH)
        assert (response.status_code, response.url) == (302, there)
    HomePage.objects.get(locale__language_code="de").save_revision().publish()
    for path in ("/de/", "/de/products/"):
        assert '<html lang="de"' in client.get(path, headers=ENGLISH).content.decode()
    assert "Zwei Kessel" in client.get("/de/products/", headers=ENGLISH).content.decode()
    response = client.get("/de/help/", headers=ENGLISH)  # nobody wrote that in German yet
    assert (response.status_code, response.url) == (302, "/help/")
    assert client.get("/help/", headers=GERMAN).status_code == 200
    assert client.get("/de/help/nothing/", headers=ENGLISH).status_code == 404


def test_a_page_that_is_not_written_in_german_is_shown_where_it_is(
    client: Client, tmp_path: Path, duo: Product
) -> None:
    a_product_page(tmp_path, product=duo)
    for asked, there in (("/de/products/duo/", "/products/duo/"), ("/de/products/", "/products/"), ("/de/", "/")):
        response: Any = client.get(asked, headers=ENGLISH)
        assert (response.status_code, response.url) == (302, there)


@pytest.mark.parametrize("path", ["/de/questions/", "/de/settings/", "/de/admin/", "/de/de/", "/de/nothing/", "/en/"])
def test_nothing_else_has_a_prefix(client: Client, german: ProductPage, path: str) -> None:
    assert client.get(path, headers=ENGLISH).status_code == 404


def test_a_missing_slash_is_added_where_it_was_asked(client: Client, german: ProductPage) -> None:
    response: Any = client.get("/de/products/duo", headers=ENGLISH)
    assert (response.status_code, response.url) == (301, "/de/products/duo/")

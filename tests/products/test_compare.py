"""Up to four products side by side: chosen without a script, kept in the address and, while choosing, in a cookie."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from wagtail.models import PageViewRestriction

from community.accounts.models import User
from products import compare
from products.models import Family, Product
from products.pages import ProductPage
from tests import factories

from .pages import a_product_page

COMPARE = "/products/compare/"


@pytest.fixture
def shelf(tmp_path: Path, duo: Product) -> Callable[..., None]:
    """Products with pages: the Duo, and others with the specification that is told."""

    def fill(**specifications: list[list[str]]) -> None:
        a_product_page(tmp_path, duo, gallery=[])
        for slug, rows in specifications.items():
            product = factories.a_product(slug, name=f"Brindle {slug.title()}")
            specification = [{"group": "Size", "rows": rows}]
            a_product_page(tmp_path, product, specification=specification, gallery=[])

    return fill


SAME = [["Width", "36  CM"], ["Weight", "19.4 kg"]]


def test_what_differs_is_marked_and_can_stand_alone(client: Client, shelf: Callable[..., None]) -> None:
    shelf(uno=[["Width", "22 cm"], ["Weight", "19.4 KG"]])
    html = client.get(f"{COMPARE}?p=duo&p=uno").content.decode()
    assert html.count('class="is-different"') == 1 and html.count(", differs") == 1
    assert "1 of 2 rows differ" in html and "19.4 kg" in html
    only = client.get(f"{COMPARE}?p=duo&p=uno&only=differences").content.decode()
    assert "22 cm" in only and "19.4 kg" not in only


def test_a_fifth_does_not_fit_and_the_page_says_so(client: Client, shelf: Callable[..., None]) -> None:
    shelf(p0=SAME, p1=SAME, p2=SAME, p3=SAME)
    html = client.get(f"{COMPARE}?p=duo&p=p0&p=p1&p=p2&p=p3&p=nothing&p=duo").content.decode()
    assert html.count('class="compare__name"') == 4
    assert html.count("did not fit") == 1 and "The Brindle P3 did not fit" in html
    for slug in ("duo", "p0", "p1", "p2"):
        assert client.post(COMPARE, {"with": slug, "back": slug}).headers["Location"] == f"/products/{slug}/"
    full = client.post(COMPARE, {"with": "p3", "back": "p3"})
    assert full.headers["Location"] == f"{COMPARE}?p=duo&p=p0&p=p1&p=p2&p=p3"
    assert client.cookies[compare.COOKIE].value == "duo.p0.p1.p2"
    # Where a piece of the page was asked for, the browser is sent there all the same.
    piece = client.post(COMPARE, {"with": "p3", "back": "p3"}, headers={"HX-Request": "true"})
    assert piece.headers["HX-Redirect"] == full.headers["Location"]


def test_choosing_on_product_pages_needs_no_script(client: Client, shelf: Callable[..., None]) -> None:
    shelf(uno=SAME)
    assert compare.COOKIE not in client.get("/products/duo/").cookies
    client.post(COMPARE, {"with": "duo", "back": "duo"})
    client.post(COMPARE, {"with": "duo", "back": "duo"})  # twice is harmless
    answer = client.post(COMPARE, {"with": "uno", "back": "uno"}, headers={"HX-Request": "true"})
    assert "In the comparison" in answer.content.decode() and "See the 2 you compare" in answer.content.decode()
    html = client.get("/products/duo/").content.decode()
    assert "In the comparison" in html and "See the 2 you compare" in html
    assert client.get(COMPARE).headers["Location"] == f"{COMPARE}?p=duo&p=uno"
    # Away again, from the table: what stands in its address counts, not what waits.
    away = client.post(COMPARE, {"p": ["duo", "uno"], "without": "uno"})
    assert away.headers["Location"] == f"{COMPARE}?p=duo"
    last = client.post(COMPARE, {"p": ["duo"], "without": "duo"})
    assert last.headers["Location"] == COMPARE
    assert client.get(COMPARE).status_code == 200 and "Nothing chosen yet" in client.get(COMPARE).content.decode()


def test_what_is_no_product_is_refused(client: Client, shelf: Callable[..., None]) -> None:
    shelf()
    assert client.post(COMPARE, {"with": "nothing", "back": "duo"}).status_code == 404
    assert client.put(COMPARE).status_code == 405
    client.cookies[compare.COOKIE] = ".".join(f"gone{n}" for n in range(400)) + ".duo"
    assert client.get(f"{COMPARE}?p=gone").status_code == 200
    assert "In the comparison" not in client.get("/products/duo/").content.decode()
    client.post(COMPARE, {"with": "duo", "back": "duo"})
    assert client.cookies[compare.COOKIE].value == "duo"  # what is no longer there takes no place


def test_what_is_not_open_to_everybody_is_compared_by_nobody(
    client: Client, alice: User, shelf: Callable[..., None]
) -> None:
    shelf(uno=[["Width", "22 cm"]], secret=[["Width", "17 cm"]])
    hidden = ProductPage.objects.get(slug="secret")
    PageViewRestriction.objects.create(page=hidden, restriction_type="password", password="beans")
    client.force_login(alice)
    for address in (f"{COMPARE}?p=duo&p=secret", "/products/", "/", "/products/?family=machines"):
        html = client.get(address).content.decode()
        assert "17 cm" not in html and "Brindle Secret" not in html, address
    PageViewRestriction.objects.all().delete()
    PageViewRestriction.objects.create(page=hidden.get_parent(), restriction_type="login")
    assert "36 cm" not in client.get(f"{COMPARE}?p=duo&p=uno").content.decode()


def test_what_owners_rate_in_detail_stands_above(client: Client, shelf: Callable[..., None], duo: Product) -> None:
    shelf(uno=SAME)
    Family.objects.filter(pk=duo.family_id).update(
        secondary_ratings=[{"slug": "noise", "name": "Quietness"}, {"slug": "build", "name": "Build"}]
    )
    assert "Owners rate" not in client.get(f"{COMPARE}?p=duo&p=uno").content.decode()
    Product.objects.filter(pk=duo.pk).update(secondary_sums={"noise": [62, 13], "gone": [4, 1]})
    html = client.get(f"{COMPARE}?p=duo&p=uno").content.decode()
    assert "Owners rate, from 1 to 5" in html and "4.8 (13)" in html and "Build" not in html
    assert "4,8 (13)" in client.get(f"{COMPARE}?p=duo&p=uno", headers={"accept-language": "de"}).content.decode()

"""The picture of a shared link and the leaflet: drawn once, kept until the page says something else."""

import io
from pathlib import Path

import pytest
from django.core.cache import cache
from django.test import Client
from PIL import Image
from wagtail.models import PageViewRestriction, Site

from community.core import brand as brands
from community.core import drawing
from community.core.models import BrandSettings
from products import leaflet, made, preview
from products.models import Drawn, Product
from products.pages import ProductPage

from .pages import a_product_page

PAPER = (246, 239, 230)


@pytest.fixture
def duo_page(tmp_path: Path, duo: Product) -> ProductPage:
    return a_product_page(tmp_path, duo)


def kept(page: ProductPage, kind: str = "picture") -> Drawn:
    return Drawn.objects.get(page=page, kind=kind)


def test_a_shared_link_shows_a_picture_drawn_for_the_page(
    client: Client, duo_page: ProductPage, duo: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    html = client.get("/products/duo/").content.decode()
    address = html.partition('property="og:image" content="')[2].partition('"')[0]
    assert address.startswith("http://testserver/products/duo/share.jpg?v=") and "summary_large_image" in html
    first = client.get(address)
    assert (
        "immutable" in first["Cache-Control"]
        and "max-age=300" in client.get("/products/duo/share.jpg")["Cache-Control"]
    )
    with Image.open(io.BytesIO(first.content)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (1200, 630))
        assert not picture.getexif() and "comment" not in picture.info
    monkeypatch.setattr(preview, "draw", None)  # a second time nobody draws
    assert client.get(address).content == first.content
    monkeypatch.undo()
    # Two more reviews: another address, another picture, and the file before is gone.
    old = kept(duo_page).file
    Product.objects.filter(pk=duo.pk).update(rating_count=2, rating_sum=9)
    later = client.get("/products/duo/").content.decode()
    assert address not in later
    assert client.get("/products/duo/share.jpg").content != first.content
    assert not old.storage.exists(old.name) and Drawn.objects.count() == 1


def test_nobody_waits_for_what_somebody_else_draws(client: Client, duo_page: ProductPage, duo: Product) -> None:
    before = client.get("/products/duo/share.jpg").content
    Product.objects.filter(pk=duo.pk).update(rating_count=2, rating_sum=9)
    page = ProductPage.objects.get(pk=duo_page.pk)
    brand = brands.of_site(Site.objects.get(is_default_site=True))
    cache.set(f"drawn:{page.pk}:picture:{made.version(made.PICTURE, page, brand)}", 1)  # it is being made
    assert client.get("/products/duo/share.jpg").content == before


def test_the_worker_draws_what_is_missing_and_nothing_twice(client: Client, duo_page: ProductPage) -> None:
    assert made.make_missing() == 2
    assert made.make_missing() == 0
    Drawn.objects.filter(kind="leaflet").update(version="old")
    assert made.make_missing() == 1
    picture = kept(duo_page).file
    picture.storage.delete(picture.name)
    assert client.get("/products/duo/share.jpg").status_code == 200  # a file that went is made again
    duo_page.unpublish()
    assert client.get("/products/duo/share.jpg").status_code == 404


def test_the_leaflet_leads_to_the_page(client: Client, duo_page: ProductPage, settings: pytest.FixtureRequest) -> None:
    settings.BASE_URL = "https://brindle.example"  # type: ignore[attr-defined]
    answer = client.get("/products/duo/leaflet.pdf")
    assert answer["Content-Type"] == "application/pdf" and answer.content.startswith(b"%PDF-")
    assert answer["Content-Disposition"] == 'inline; filename="duo.pdf"'
    assert b"https://brindle.example/products/duo/" in answer.content
    assert leaflet.address(duo_page) == "https://brindle.example/products/duo/"


def test_a_second_leaflet_takes_the_letters_of_the_first(duo_page: ProductPage) -> None:
    brand = BrandSettings(community_name="Brindle")
    leaflet.draw(duo_page, brand)
    before = drawing._cut.cache_info()
    duo_page.title, duo_page.tagline = "Brindle Zwölf", "Quick, just and fair: 100 %"
    leaflet.draw(duo_page, brand)
    after = drawing._cut.cache_info()
    assert after.misses == before.misses and after.hits > before.hits


def test_what_is_behind_a_password_is_drawn_for_nobody(client: Client, duo_page: ProductPage) -> None:
    PageViewRestriction.objects.create(page=duo_page.get_parent(), restriction_type="password", password="beans")
    assert client.get("/products/duo/share.jpg").status_code == 404
    assert client.get("/products/duo/leaflet.pdf").status_code == 404
    assert client.post("/products/duo/share.jpg").status_code == 405


def test_a_page_without_a_picture_and_a_long_name_still_fits(duo_page: ProductPage) -> None:
    image = duo_page.gallery.first().image
    image.file.storage.delete(image.file.name)
    page = ProductPage.objects.get(pk=duo_page.pk)
    page.title = "Brindle Lebkuchenaufschäumer Trần Wałęsa " * 4
    picture = Image.open(io.BytesIO(preview.draw(page, BrandSettings(community_name="Brindle " * 12))))
    right = picture.crop((1140, 0, 1200, 630)).convert("RGB")
    assert all(abs(a - b) < 6 for a, b in zip(right.resize((1, 1)).getpixel((0, 0)), PAPER, strict=True))


def test_lines_keep_their_width_and_letters_their_font() -> None:
    lines = drawing.wrapped("word " * 40, drawing.SANS, 30, 400, 200, 2)
    assert len(lines) == 2 and lines[-1].endswith("…")
    assert all(drawing.length(line, drawing.SANS, 30, 400) <= 200 for line in lines)
    assert drawing.wrapped("", drawing.SANS, 30, 400, 200, 2) == [""]
    fonts = dict(drawing.parts(drawing.SANS, "Trần ń"))
    assert set(fonts[drawing.SANS[0]]) == set(" Trn")
    assert fonts[drawing.SANS[1]] == "ń" and fonts[drawing.SANS[2]] == "ầ"

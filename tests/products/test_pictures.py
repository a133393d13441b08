"""Sizes of pictures are made by the worker: who looks first waits for none."""

from pathlib import Path

import pytest
from django.test import Client

from community.core import pictures
from community.core.models import CommunityRendition
from community.core.tasks import make_pictures
from products.models import Product
from products.pages import ProductPage

from .pages import a_picture, a_product_page

FILM = {"title": "First morning", "length": "6:40", "url": "https://www.youtube.com/watch?v=abcdefghijk"}


@pytest.fixture
def duo_page(tmp_path: Path, duo: Product) -> ProductPage:
    a_picture(tmp_path, "poster.webp", 9)
    return a_product_page(
        tmp_path, duo,
        gallery=[
            {"file": a_picture(tmp_path, f"{n}.webp", n * 40).name, "kind": "hero", "alt": f"Side {n}.", "caption": ""}
            for n in (1, 2)
        ],
        video={**FILM, "poster": "poster.webp"},
    )  # fmt: skip


def test_publishing_makes_none_and_asks_the_worker(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, duo: Product
) -> None:
    asked: list[int] = []
    monkeypatch.setattr("products.listeners.pictures.nudge", lambda: asked.append(1))
    a_product_page(tmp_path, duo)
    assert asked and not CommunityRendition.objects.exists()


def test_after_the_worker_a_first_view_makes_none(client: Client, duo_page: ProductPage) -> None:
    while pictures.make_missing():
        pass
    made = CommunityRendition.objects.count()
    assert made == 2 * 8 + 2
    for address in ("/products/duo/", "/products/", "/products/compare/?p=duo", "/"):
        assert client.get(address).status_code == 200
        assert CommunityRendition.objects.count() == made, address


def test_twice_is_harmless_and_what_went_is_made_again(duo_page: ProductPage) -> None:
    assert pictures.make_missing() == 3
    assert pictures.make_missing() == 0
    CommunityRendition.objects.filter(filter_spec="fill-480x360|format-webp").delete()
    assert pictures.make_missing() == 2


def test_a_picture_without_its_file_holds_up_no_other(
    client: Client, duo_page: ProductPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "_failed", set())
    first = duo_page.gallery.first().image
    for image in (first, duo_page.video_poster):
        image.file.storage.delete(image.file.name)
    assert pictures.make_missing() == 1
    assert pictures.missing(50) == {}
    assert client.get("/products/duo/").status_code == 200
    assert not first.renditions.exists()
    assert CommunityRendition.objects.exclude(image=first).exists()


def test_the_worker_goes_on_until_all_are_made(duo_page: ProductPage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "AT_ONCE", 1)
    asked: list[int] = []
    monkeypatch.setattr(pictures, "nudge", lambda: asked.append(1))
    monkeypatch.setattr(pictures, "make_missing", lambda: 1)
    make_pictures.func()
    assert asked == [1]
    monkeypatch.setattr(pictures, "make_missing", lambda: 0)
    make_pictures.func()
    assert asked == [1]


def test_pages_offline_ask_for_nothing(duo_page: ProductPage) -> None:
    duo_page.unpublish()
    assert pictures.missing(50) == {}

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from wagtail.documents.models import Document as Paper
from wagtail.models import Page, PageViewRestriction

from community.accounts.models import User
from community.core import clock
from community.events.models import Event
from community.pages import services as pages
from community.questions.models import Answer
from community.questions.services import accept_answer
from community.search import documents
from community.search.models import Document
from products.models import Ownership, Product, Version
from products.pages import GalleryItem, ProductPage
from products.video import film_of, is_captions, is_film
from tests import factories

from .pages import a_product_page


def told_to_machines(html: str) -> list[dict[str, Any]]:
    return [
        json.loads(found) for found in re.findall(r'<script type="application/ld\+json">(.*?)</script>', html, re.S)
    ]


@pytest.fixture
def duo_page(tmp_path: Path, duo: Product) -> ProductPage:
    return a_product_page(tmp_path, duo)


def test_the_page_says_what_the_editor_wrote(client: Client, duo_page: ProductPage) -> None:
    response = client.get("/products/duo/")
    html = response.content.decode()
    assert response.status_code == 200
    for words in ("Two boilers, one steady hand.", "The machine from the front.", "Coffee and steam at once", "36 cm"):
        assert words in html
    assert "Let it cool first." in html and 'role="note"' in html


def test_what_machines_read_equals_what_people_see(client: Client, duo_page: ProductPage, duo: Product) -> None:
    Product.objects.filter(pk=duo.pk).update(rating_count=7, rating_sum=32, stars_5=4, stars_4=3, review_count=8)
    html = client.get("/products/duo/").content.decode()
    data, crumbs = told_to_machines(html)
    assert data["aggregateRating"]["ratingValue"] == "4.6"
    assert '<b class="num">4.6</b>' in html
    assert data["aggregateRating"]["ratingCount"] == 7
    assert "from 7 reviews" in html
    assert crumbs["itemListElement"][-1]["item"] == "http://testserver/products/duo/"


def test_without_reviews_no_rating_is_told(client: Client, duo_page: ProductPage) -> None:
    data = told_to_machines(client.get("/products/duo/").content.decode())[0]
    assert data["@type"] == "Product" and "aggregateRating" not in data


def test_words_cannot_leave_the_structured_data(client: Client, tmp_path: Path, duo: Product) -> None:
    a_product_page(tmp_path, duo, tagline="</script><script>alert(1)</script>")
    html = client.get("/products/duo/").content.decode()
    assert "<script>alert(1)" not in html
    assert told_to_machines(html)[0]["description"].startswith("</script>")


def test_unknown_and_unpublished_are_not_found(client: Client, duo_page: ProductPage) -> None:
    assert client.get("/products/nothing/").status_code == 404
    duo_page.unpublish()
    assert client.get("/products/duo/").status_code == 404
    assert "duo" not in client.get("/products/").content.decode()


def test_going_online_and_offline_is_recorded_once(duo_page: ProductPage, duo: Product) -> None:
    assert [event.data["product"] for event in Event.objects.filter(kind="product.published")] == [duo.pk]
    duo_page.unpublish()
    assert Event.objects.filter(kind="product.withdrawn", subject_id=duo_page.pk).count() == 1


def test_a_recall_stands_on_top_with_what_to_do(client: Client, duo_page: ProductPage, duo: Product) -> None:
    assert 'id="recall-h"' not in client.get("/products/duo/").content.decode()
    duo.recall_title, duo.recall_note = "Recall of the lid", "Stop using it.\nLook at the label."
    duo.save()
    html = client.get("/products/duo/").content.decode()
    assert html.index('class="wrap recall-first"') < html.index(
        "data-gallery"
    )  # before the pictures, on a telephone too
    assert html.index("Recall of the lid") < html.index("<li>Stop using it.</li>") < html.index('class="phases"')
    assert "Recall: see what to do" in client.get("/products/").content.decode()


@pytest.mark.parametrize(
    ("state", "words"), [("announced", "not yet on sale"), ("discontinued", "No longer made"), ("recalled", "recalled")]
)
def test_each_part_of_its_life_is_said(
    client: Client, duo_page: ProductPage, duo: Product, state: str, words: str
) -> None:
    Product.objects.filter(pk=duo.pk).update(lifecycle=state)
    assert words in client.get("/products/duo/").content.decode()


def test_a_film_asks_nobody_before_a_click(client: Client, tmp_path: Path, duo: Product) -> None:
    film = {"title": "First morning", "length": "6:40", "url": "https://www.youtube.com/watch?v=abcdefghijk"}
    a_product_page(tmp_path, duo, video={**film, "poster": "duo.webp"})
    response = client.get("/products/duo/")
    html = response.content.decode()
    assert "<iframe" not in html and "<video" not in html
    loaded = re.findall(r'(?:src|srcset|poster)="([^"]+)"', html)
    assert loaded and not [address for address in loaded if "youtube" in address]
    assert 'data-embed="https://www.youtube-nocookie.com/embed/abcdefghijk?autoplay=1"' in html
    assert "frame-src 'self' https://www.youtube-nocookie.com" in response["Content-Security-Policy"]


def test_without_a_film_nobody_may_be_framed(client: Client, duo_page: ProductPage) -> None:
    assert "youtube" not in client.get("/products/duo/")["Content-Security-Policy"]


@pytest.mark.parametrize(
    "address",
    ["https://evil.example/watch?v=abcdefghijk", "http://youtu.be/abcdefghijk", "https://youtu.be.evil.example/x"],
)
def test_only_known_providers_are_framed(address: str) -> None:
    assert film_of(address) is None


def test_a_picture_without_words_is_refused(duo_page: ProductPage) -> None:
    image = duo_page.gallery.first().image
    item = GalleryItem(page=duo_page, image=image, alt="")
    item.full_clean()
    assert item.alt == image.alt != "", "what was said at the upload is not asked for again"
    image.alt, item.alt = "", " "
    with pytest.raises(ValidationError) as refused:
        item.full_clean()
    assert "alt" in refused.value.message_dict


def test_a_page_takes_the_address_of_its_product(duo_page: ProductPage, tmp_path: Path) -> None:
    duo_page.slug = "something-else"
    duo_page.full_clean()
    assert duo_page.slug == "duo"


def test_a_product_has_one_page_a_language(duo_page: ProductPage, duo: Product) -> None:
    second = ProductPage(
        title="Again", product=duo, tagline="x", locale=duo_page.locale, path="000100010001000Z", depth=4
    )
    with pytest.raises(ValidationError) as refused:
        second.clean()
    assert "product" in refused.value.message_dict


def test_the_catalogue_filters_by_family(client: Client, duo_page: ProductPage, tmp_path: Path) -> None:
    mill = factories.a_product("mill", name="Mill")
    a_product_page(tmp_path, mill)
    both = client.get("/products/").content.decode()
    one = client.get(f"/products/?family={mill.family.slug}").content.decode()
    assert "/products/duo/" in both and "/products/mill/" in both
    assert "/products/mill/" in one and "/products/duo/" not in one
    assert client.get("/products/?family=nothing").status_code == 404


def test_a_question_that_waits_is_answered_where_it_is_read(
    client: Client, duo_page: ProductPage, duo: Product, alice: User, bob: User
) -> None:
    waits, settled = factories.a_thread(alice, product=duo), factories.a_thread(alice, product=duo)
    accept_answer(factories.an_answer(settled), alice)
    factories.a_thread(alice, product=duo, kind="praise")
    boxes = re.findall(r'action="(/questions/thread/\d+/answer/)"', client.get("/products/duo/").content.decode())
    assert boxes == [f"/questions/thread/{waits.pk}/answer/"]  # a visitor may write first
    client.force_login(bob)
    html = client.get("/products/duo/").content.decode()
    body = "Open the valve fully and close it again, six times over."
    page = clock.now() + timedelta(minutes=1)
    with clock.travel(page):
        started = re.search(r'name="started" value="([^"]+)"', html)
        assert started is not None
        answer = client.post(boxes[0], {"body": body, "website": "", "started": started[1]})
    assert answer.status_code == 303 and Answer.objects.get(thread=waits).author == bob
    # Whoever asked or spoke already has no box.
    assert boxes[0] not in client.get("/products/duo/").content.decode()
    client.force_login(alice)
    assert boxes[0] not in client.get("/products/duo/").content.decode()


def test_papers_are_downloaded_never_opened(client: Client, tmp_path: Path, duo: Product) -> None:
    (tmp_path / "care.pdf").write_bytes(b"%PDF-1.4 <script>alert(1)</script>")
    papers = ["User manual", {"title": "Care", "file": "care.pdf"}, {"title": "Water", "url": "/help/water/"}]
    page = a_product_page(tmp_path, duo, documents=papers)
    again = a_product_page(tmp_path, duo, documents=papers)
    assert again.latest_revision_id == page.latest_revision_id and Paper.objects.count() == 1
    html = client.get("/products/duo/").content.decode()
    address = Paper.objects.get().url
    assert f'href="{address}" download' in html and "PDF, 34" in html and "Ask for the others" in html
    answer = client.get(address)
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff" and answer["Content-Security-Policy"] == "default-src 'none'"
    assert client.get(f"/media/{Paper.objects.get().file.name}").status_code == 404
    with pytest.raises(ValueError, match="does not lie in"):
        a_product_page(tmp_path, duo, documents=[{"title": "Secret", "file": "../../etc/passwd"}])


def test_a_film_of_ones_own_is_a_film_with_captions(client: Client, tmp_path: Path, duo: Product) -> None:
    (tmp_path / "look.mp4").write_bytes(b"\0\0\0\x18ftypisom" + b"0" * 40)
    (tmp_path / "look.vtt").write_text("WEBVTT\n")
    film = {"title": "A look", "length": "0:15", "file": "look.mp4", "captions": "look.vtt", "poster": "duo.webp"}
    page = a_product_page(tmp_path, duo, video=film)
    html = client.get("/products/duo/").content.decode()
    assert f'data-file="{page.video_file.url}" data-captions="{page.video_captions.url}"' in html
    page.full_clean()
    for field, is_it in (("video_file", is_film), ("video_captions", is_captions)):
        with pytest.raises(ValidationError):
            is_it(ContentFile(b"<html><script>alert(1)</script>", name=field))


def test_variants_say_which_are_no_longer_made(client: Client, tmp_path: Path, duo: Product) -> None:
    Version.objects.create(product=duo, name="Series 3")
    a_product_page(tmp_path, duo, variants=[{"name": "Moss", "sku": "M"}, {"name": "Oxblood", "ended": True}])
    html = client.get("/products/duo/").content.decode()
    assert "Oxblood" in html and html.count("No longer made.") == 1 and "Series 3" in html


def test_pictures_lead_to_larger_ones_without_a_script(client: Client, duo_page: ProductPage) -> None:
    html = client.get("/products/duo/").content.decode()
    large = re.search(r'<a class="plate gallery__main" href="([^"]+)" data-closer data-width="1300"', html)
    assert large is not None and client.get(large[1]).status_code == 200


def test_the_shelf_needs_a_post_and_a_person(client: Client, duo_page: ProductPage, alice: User) -> None:
    assert client.get("/products/duo/shelf/").status_code == 405
    assert client.post("/products/duo/shelf/", {"on": "1"}).status_code == 302
    assert not Ownership.objects.exists()
    client.force_login(alice)
    assert client.post("/products/duo/shelf/", {"on": "1"}).headers["Location"] == "/products/duo/"
    assert Ownership.objects.filter(owner=alice).exists()
    assert "On my shelf" in client.get("/products/duo/").content.decode()
    answer = client.post("/products/duo/shelf/", {"on": ""}, headers={"HX-Request": "true"})
    assert "I own one" in answer.content.decode() and not Ownership.objects.exists()
    assert client.post("/products/nothing/shelf/", {"on": "1"}).status_code == 404


def queries(client: Client, address: str) -> int:
    client.get(address)  # what is made on first sight: renditions, content types
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    return len(asked)


ADDRESSES = ("/products/", "/products/duo/", "/products/compare/?p=duo")


def test_asking_does_not_grow_with_the_catalogue(
    client: Client, duo_page: ProductPage, tmp_path: Path, settings: Any
) -> None:
    settings.BRAND_SECONDS = 60  # as it runs: the brand and the hours at its foot are kept for a minute
    before = [queries(client, address) for address in ADDRESSES]
    for number in range(6):
        a_product_page(tmp_path, factories.a_product(f"p{number}"))
    for _each in range(3):
        factories.a_review(factories.a_person(), duo_page.product)
        factories.a_thread(product=duo_page.product)
    after = [queries(client, address) for address in ADDRESSES]
    assert max(after) <= 14, after
    assert (after[0], after[2]) == (before[0], before[2])
    factories.a_review(factories.a_person(), duo_page.product)
    factories.a_thread(product=duo_page.product)
    assert queries(client, "/products/duo/") == after[1]


def test_nobody_finds_the_words_of_a_page_behind_a_password(duo_page: ProductPage) -> None:
    article = pages.save_help_article(
        {"title": "Care", "slug": "care", "summary": "Do.", "products": ["duo"]}, "Words."
    )

    def found() -> set[str]:
        documents.index_changes()
        return set(Document.objects.values_list("title", flat=True))

    assert found() == {"Brindle Duo", "Care"}
    above = PageViewRestriction.objects.create(page=duo_page.get_parent(), restriction_type="login")
    assert found() == {"Care"}
    PageViewRestriction.objects.create(page=article, restriction_type="password", password="beans")
    assert found() == set()
    above.delete()
    assert found() == {"Brindle Duo"}
    kinds = Event.objects.filter(kind__endswith=".guarded").order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["product.guarded", "help_article.guarded", "product.guarded"]


def test_words_are_not_found_after_a_move_behind_a_password_nor_by_an_alias(duo_page: ProductPage) -> None:
    def found() -> int:
        documents.index_changes()
        return Document.objects.filter(target_type__model="productpage").count()

    catalogue = duo_page.get_parent()
    staff = catalogue.add_sibling(instance=Page(title="Staff", slug="staff"), pos="right")
    PageViewRestriction.objects.create(page=staff, restriction_type="login")
    assert found() == 1
    Page.objects.get(pk=duo_page.pk).move(Page.objects.get(pk=staff.pk), pos="last-child")
    assert found() == 0
    Page.objects.get(pk=duo_page.pk).move(Page.objects.get(pk=catalogue.pk), pos="last-child")
    assert found() == 1
    article = pages.save_help_article({"title": "Care", "slug": "care", "summary": "Do."}, "Words.")
    alias = article.create_alias(update_slug="care-too")
    told = Event.objects.filter(kind="help_article.guarded")
    PageViewRestriction.objects.create(page=article.get_parent(), restriction_type="login")
    assert {event.subject_id for event in told} == {article.pk, alias.pk}


def test_a_page_behind_a_password_stays_there(client: Client, duo_page: ProductPage) -> None:
    PageViewRestriction.objects.create(page=duo_page, restriction_type="password", password="beans")
    html = client.get("/products/duo/").content.decode()
    assert "Two boilers" not in html and 'type="password"' in html
    PageViewRestriction.objects.all().delete()
    PageViewRestriction.objects.create(page=duo_page.get_parent(), restriction_type="login")
    assert client.get("/products/duo/").status_code == 302

"""Before buying, in a browser: pictures by key and finger, a film that asks nobody, comparing, a shelf, stars."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from community.accounts.models import User
from products.models import Ownership, Product
from products.shelf import codes
from reviews.models import Review
from tests import factories
from tests.products.pages import a_picture, a_product_page

from .conftest import Open, Time

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True}
FILM = {"title": "First morning", "length": "6:40", "url": "https://www.youtube.com/watch?v=abcdefghijk"}


def size(page: Page) -> float:
    """How close the picture in the dialog is."""
    told: float = page.evaluate("new DOMMatrix(document.querySelector('.closer__picture').style.transform).a")
    return told


def pinch(page: Page) -> None:
    """Two fingers that part, on the picture in the dialog."""
    box = page.locator(".closer__view").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    hand = page.context.new_cdp_session(page)
    for kind, apart in (("touchStart", 20), ("touchMove", 40), ("touchMove", 60)):
        points = [{"x": x - apart, "y": y, "id": 1}, {"x": x + apart, "y": y, "id": 2}]
        hand.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    hand.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_pictures_come_closer_and_a_film_asks_nobody_before(
    visit: Open, transactional_db: None, duo: Product, tmp_path: Path
) -> None:
    a_picture(tmp_path, "poster.webp", 9)
    gallery = [
        {"file": a_picture(tmp_path, f"{n}.webp", n * 40).name, "kind": "hero", "alt": f"Side {n}."} for n in (1, 2, 3)
    ]
    a_product_page(tmp_path, duo, gallery=gallery, video={**FILM, "poster": "poster.webp"})
    guest = visit(**PHONE)
    asked: list[str] = []

    def provider(route: object) -> None:
        asked.append(route.request.url)  # type: ignore[attr-defined]
        route.fulfill(body="a film", content_type="text/html")  # type: ignore[attr-defined]

    guest.context.route("**/*youtube*/**", provider)
    page = guest.go("/products/duo/")
    # By keys: along the strip, into the dialog, closer, to the next, and back to where one was.
    page.locator(".gallery__strip").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".gallery__thumbs a").nth(1)).to_have_attribute("aria-current", "true")
    link = page.locator("#fig2 [data-closer]")
    link.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".closer__picture")).to_have_attribute("alt", "Side 2.")
    page.keyboard.press("+")
    assert size(page) == 1.5
    page.keyboard.press("0")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".closer__picture")).to_have_attribute("alt", "Side 3.")
    # By fingers.
    assert size(page) == 1
    pinch(page)
    assert size(page) > 2
    page.keyboard.press("Escape")
    expect(page.locator("dialog.closer")).to_be_hidden()
    expect(link).to_be_focused()
    # The film: nobody else is asked before somebody presses it.
    assert guest.problems == [] and asked == []
    page.locator("[data-film-play]").click()
    expect(page.locator("iframe.film__player")).to_be_focused()
    assert asked == ["https://www.youtube-nocookie.com/embed/abcdefghijk?autoplay=1"]


def test_four_stand_side_by_side_and_a_fifth_does_not_fit(visit: Open, transactional_db: None, tmp_path: Path) -> None:
    for number in range(5):
        product = factories.a_product(f"p{number}", name=f"Number {number}")
        rows = [["Width", f"{number} cm"], ["Weight", "9 kg"]]
        a_product_page(tmp_path, product, gallery=[], specification=[{"group": "Size", "rows": rows}])
    guest = visit(**PHONE)
    for number in range(4):
        page = guest.go(f"/products/p{number}/")
        page.get_by_role("button", name="Compare").click()
        expect(page.get_by_role("button", name="In the comparison")).to_be_visible()
    page.get_by_role("link", name="See the 4 you compare").click()
    expect(page.locator(".compare__name")).to_have_count(4)
    page.get_by_role("link", name="Only what differs").click()
    expect(page.locator("tr.is-different")).to_have_count(1)
    expect(page.get_by_role("rowheader", name="Weight")).to_have_count(0)
    guest.go("/products/p4/").get_by_role("button", name="Compare").click()
    expect(page.get_by_text("The Number 4 did not fit")).to_be_visible()
    page.locator("button[name=without][value=p0]").click()
    expect(page.locator(".compare__name")).to_have_count(3)
    assert guest.problems == []


def test_a_shelf_is_ones_own_and_a_code_verifies(
    visit: Open, time: Time, alice: User, bob: User, dana: User, duo: Product, transactional_db: None
) -> None:
    _batch, (code,) = codes.make_batch(duo, dana, count=1)
    owner = visit(alice, **PHONE)
    page = owner.go("/settings/shelf/")
    page.get_by_label("Which one").select_option("duo")
    page.get_by_role("button", name="Add it").click()
    expect(page.locator(".myshelf__unit")).to_have_count(1)
    expect(page.get_by_text("Only you see it")).to_be_visible()
    expect(page.locator(".myshelf__unit")).not_to_contain_text("Verified")
    page.get_by_label("Code from the box").fill(code.lower().replace("-", " "))
    page.get_by_role("button", name="Redeem").click()
    expect(page.get_by_text("You are a verified owner of the Brindle Duo.")).to_be_visible()
    assert Ownership.objects.get().verified == "receipt"
    page.get_by_label("Code from the box").fill(code)
    page.get_by_role("button", name="Redeem").click()
    assert Ownership.objects.count() == 1
    stranger = visit(bob, **PHONE)
    expect(stranger.go(alice.get_absolute_url()).locator("main")).not_to_contain_text("Duo")
    assert stranger.problems == []


def test_stars_and_a_review_by_keyboard_alone(
    visit: Open, time: Time, alice: User, duo: Product, transactional_db: None, tmp_path: Path
) -> None:
    a_product_page(tmp_path, duo, gallery=[])
    owner = visit(alice)
    page = owner.go("/reviews/write/duo/")
    keys = page.keyboard

    def to(name: str) -> None:
        for _step in range(60):
            if page.evaluate("document.activeElement.name") == name:
                return
            keys.press("Tab")
        raise AssertionError(f"No way to {name} by keyboard")

    to("stars")
    outline = page.evaluate("getComputedStyle(document.activeElement.nextElementSibling).outlineStyle")
    assert outline == "solid", "one sees where one is"
    keys.press("Space")
    first = page.evaluate("document.activeElement.value")
    keys.press("ArrowRight")
    chosen = page.evaluate("document.activeElement.value")
    assert chosen != first and page.evaluate("document.activeElement.checked")
    to("title")
    keys.type("A year of mornings")
    to("body")
    keys.type("Every morning two cups, and not one of them was cold.")
    time.go(minutes=2)
    page.get_by_role("button", name="Publish the review").focus()
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("A year of mornings")
    assert Review.objects.get().stars == int(chosen)
    assert owner.problems == []

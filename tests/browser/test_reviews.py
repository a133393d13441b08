"""Reviews between people: what came of a problem stands under it, what is not about the product becomes a thread with
its author's word, and a star in a mail begins a review."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import mail
from playwright.sync_api import expect

from community.accounts.models import Department, User
from community.core import clock
from community.notifications import services as notices
from community.questions import services as questions
from community.questions.models import Thread
from products import services as shelf
from products.models import Product
from reviews import asking
from reviews.models import Review, ReviewRequest
from tests import factories
from tests.products.pages import a_product_page

from .conftest import Open, Time, code_in, post_goes_out
from .test_contributing import PHONE

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_low_review_is_fixed_and_says_so(
    visit: Open, time: Time, duo: Product, alice: User, bob: User, dana: User, support: Department,
    second_factor: Callable[[User], None],
) -> None:  # fmt: skip
    second_factor(dana)
    review = factories.a_review(alice, duo, stars=2, title="It drips", body="It drips from the wand since May.")
    page = visit(dana).go(review.get_absolute_url())
    page.get_by_role("link", name="Offer to fix this").click()
    page.get_by_label("To the author").fill("We have a new valve seat for you.")
    page.get_by_role("button", name="Ask the author").click()
    expect(page.locator("main")).to_contain_text("Its author has not answered yet")

    own = visit(alice, **PHONE)
    page = own.go(review.get_absolute_url())
    expect(page.get_by_role("heading", name="Customer support would like to fix this")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.get_by_label("Say under my review what comes of it").check()
    page.get_by_role("button", name="Yes, make it a problem thread").click()
    expect(page.locator("main")).to_contain_text("This began as a review of the")
    thread = Thread.objects.get()

    time.go(days=2)
    questions.accept_answer(factories.an_answer(thread, bob), alice)
    page = visit().go("/reviews/?product=duo")
    page.get_by_role("link", name="Problem raised, solved in 2 days").click()
    expect(page).to_have_url(re.compile(f"/questions/{thread.pk}/"))
    assert own.problems == []


def test_what_is_not_about_the_product_becomes_a_thread_when_its_author_says_so(
    visit: Open, time: Time, duo: Product, alice: User, ravi: User,
    second_factor: Callable[[User], None],
) -> None:  # fmt: skip
    second_factor(ravi)
    words = "The parcel had a hole on one side, and nobody answers my mails."
    review = factories.a_review(alice, duo, stars=1, title="A hole in the parcel", body=words)
    moderator = visit(ravi)
    page = moderator.go(review.get_absolute_url())
    page.get_by_role("link", name="Give back to the author").click()
    page.get_by_label("Why it can't stay as it is").select_option("delivery_or_service")
    expect(page.locator("[data-passage-hint]")).to_be_visible()  # the script has run
    page.locator("[data-passage-from] .prose p").click(click_count=3)  # marks the paragraph
    expect(page.get_by_label("The passage")).to_have_value(words)
    page.get_by_role("button", name="Give it back").click()
    expect(page.locator("mark")).to_have_text(words)

    own = visit(alice, java_script_enabled=False, **PHONE)
    page = own.go(review.get_absolute_url())
    expect(page.get_by_role("heading", name="May this become a problem thread?")).to_be_visible()
    page.get_by_role("button", name="Yes, make it a problem thread").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("A hole in the parcel")
    assert Thread.objects.get().kind == "problem"
    own.go(review.get_absolute_url())
    page.get_by_role("button", name="Send again as it is").click()
    expect(page.locator("main")).to_contain_text("Your review waits for a look")
    assert Review.objects.get().visibility == "pending"
    assert moderator.problems == []


def test_a_star_in_a_mail_begins_a_review_and_one_press_stops_the_mails(
    visit: Open, time: Time, duo: Product, alice: User, tmp_path: object
) -> None:
    a_product_page(tmp_path, product=duo)  # type: ignore[arg-type]
    factories.a_confirmed_address(alice)
    shelf.add_to_shelf(duo, by=alice, bought_on=clock.now().date() - timedelta(days=21))
    asking.sweep()
    (letter,) = post_goes_out()
    stars = re.findall(r"http\S+(/reviews/asked/\S+\?stars=2)", letter.body)
    owner = visit(**PHONE)
    page = owner.go(stars[0])
    expect(page.locator("input[name=stars][value='2']")).to_be_checked()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.locator("[name=title]").fill("It drips")
    page.locator("[name=body]").fill("It has dripped since the first week, and it still does.")
    time.go(minutes=2)
    page.get_by_role("button", name="Sign in and go on").click()
    page.get_by_role("link", name="Send me a code by mail").click()
    page.locator("main input[type=email]").fill("alice@example.org")
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_selector("[name=code]")
    assert not Review.objects.exists()
    post_goes_out()
    page.locator("[name=code]").fill(code_in(mail.outbox[-1]))
    page.locator("main form button[type=submit]").first.click()
    expect(page.locator("[name=title]")).to_have_value("It drips")
    page.get_by_role("button", name="Publish the review").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("It drips")
    assert (Review.objects.get().stars, ReviewRequest.objects.get().opened_stars) == (2, 2)

    stop = re.search(r"http\S+?(/notifications/stop/\S+)", letter.body)
    assert stop is not None
    page = visit(**PHONE).go(stop[1])
    assert notices.wants_to_be_asked(alice)
    page.get_by_role("button", name="Stop them").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Stopped")
    assert not notices.wants_to_be_asked(alice)
    assert owner.problems == []

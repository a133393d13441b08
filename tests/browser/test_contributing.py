"""What owners give: a review, a recipe, a tip; and how a flag goes to a moderator and comes back as an answer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from community.accounts.models import User
from community.moderation.models import Flag
from community.questions.models import Answer
from community.sharing.models import Recipe, Tip
from products.models import Product
from reviews.models import Review
from tests.products.pages import a_product_page

from .conftest import Open, Time, post_goes_out

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PHONE = {"viewport": {"width": 360, "height": 740}}


@pytest.fixture
def shown(transactional_db: None, duo: Product, tmp_path: Path) -> Product:
    a_product_page(tmp_path, product=duo)
    return duo


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_review(visit: Open, time: Time, shown: Product, alice: User, scripts: bool) -> None:
    owner = visit(alice, java_script_enabled=scripts, **PHONE)
    page = owner.go("/reviews/write/duo/")
    page.locator("[name=title]").fill("A year of mornings")
    page.get_by_role("button", name="Publish the review").click()
    expect(page.locator("#id_title")).to_have_value("A year of mornings")
    page.locator("[data-error-summary]").get_by_role("link", name="Stars: Choose one to five stars.").click()
    assert page.evaluate("location.hash") == "#id_stars_0", "the summary leads to the field"
    page.locator("input[name=stars][value='4']").check()
    page.locator("[name=body]").fill("A year of use, every morning two cups, and not one of them was cold.")
    page.locator("[name=owned_months]").fill("12")
    time.go(minutes=2)
    page.get_by_role("button", name="Publish the review").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A year of mornings")
    review = Review.objects.get()
    assert (review.stars, review.owned_months, review.is_visible) == (4, 12, True)
    page.goto(f"{owner.base}{shown.get_absolute_url()}")
    expect(page.locator("#reviews")).to_contain_text("A year of mornings")
    assert owner.problems == []


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_recipe_on_a_phone(visit: Open, time: Time, shown: Product, alice: User, scripts: bool) -> None:
    cook = visit(alice, java_script_enabled=scripts, **PHONE)
    page = cook.go("/recipes/new/")
    assert page.evaluate("document.documentElement.scrollWidth") == 360, "nothing sticks out"
    page.locator("[name=title]").fill("Cortado for two")
    page.locator("[name=yield_amount]").fill("2")
    page.locator("[name=ingredients-0-amount]").fill("18")
    page.locator("[name=ingredients-0-unit]").fill("g")
    page.locator("[name=ingredients-0-name]").fill("coffee")
    page.locator("[name=steps-0-text]").fill("Pull the shot.")
    page.locator("summary", has_text="Times and difficulty").click()
    page.locator("[name=prep_minutes]").fill("")
    time.go(minutes=2)
    page.get_by_role("button", name="Share it").click()
    expect(page.locator("#id_yield_unit_error")).to_be_visible()
    expect(page.locator("#id_prep_minutes_error")).to_be_visible()  # the part with the mistake stands open
    expect(page.locator("[name=steps-0-text]")).to_have_value("Pull the shot.")
    page.locator("[name=yield_unit]").fill("glasses")
    page.locator("[name=prep_minutes]").fill("4")
    page.locator("summary", has_text="A few words about it").click()
    page.locator("[name=body]").fill("For two who get up at the same time.")
    page.get_by_role("button", name="More ingredients").click()
    expect(page.locator("[name=body]")).to_be_visible()  # what has words in it stays open
    page.get_by_role("button", name="Share it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Cortado for two")
    recipe = Recipe.objects.get()
    assert (recipe.yield_amount, recipe.yield_unit, recipe.prep_minutes) == (2, "glasses", 4)
    assert cook.problems == []


def test_a_tip(visit: Open, time: Time, shown: Product, alice: User, bob: User) -> None:
    page = visit(alice, **PHONE).go("/tips/new/")
    page.locator("[name=title]").fill("Wipe the wand before the milk dries")
    page.locator("[name=product]").select_option(label=shown.name)
    page.locator("[name=steps-0-text]").fill("A wet cloth, at once, and a short burst of steam.")
    time.go(minutes=2)
    page.get_by_role("button", name="Share it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Wipe the wand before the milk dries")
    there = visit(bob).go(page.url)
    there.get_by_role("button", name="Worked for me").click()
    expect(there.locator(".worked")).to_contain_text("1")
    assert Tip.objects.get().worked_yes == 1


def test_a_flag_and_what_became_of_it(
    visit: Open, time: Time, answer: Answer, bob: User, charlie: User, ravi: User,
    second_factor: Callable[[User], None], transactional_db: Any,
) -> None:  # fmt: skip
    address = answer.thread.get_absolute_url()
    reporter = visit(charlie)
    page = reporter.go(address)
    page.goto(f"{reporter.base}/posts/answer/{answer.pk}/flag/")
    page.get_by_label("Spam").check()
    page.locator("[name=note]").fill("The same advertisement as yesterday.")
    page.get_by_role("button", name="Send to a moderator").click()
    expect(page.locator("#toasts")).to_contain_text("A moderator will look at it")

    second_factor(ravi)
    desk = visit(ravi)
    there = desk.go("/admin/moderation/")
    post = there.locator(".dsk-post", has_text="The same advertisement as yesterday.")
    post.get_by_role("button", name="Hide").click()
    expect(there.get_by_role("alert").first).to_contain_text("Say why")
    there.locator(".dsk-post").get_by_label("Reason, for its author").fill("An advertisement.")
    time.go(minutes=1)
    there.locator(".dsk-post").get_by_role("button", name="Hide").click()
    expect(there.locator("body")).to_contain_text("Hidden. Its author reads why.")
    expect(there.locator(".dsk-empty")).to_be_visible()
    assert Flag.objects.get().state == Flag.State.UPHELD

    post_goes_out()
    page.goto(f"{reporter.base}/notifications/")
    expect(page.locator("main")).to_contain_text("A moderator agreed with your flag “Spam”.")
    page.goto(reporter.base + address)
    expect(page.locator("main")).not_to_contain_text(answer.body_text)
    author = visit(bob).go(address)
    expect(author.locator("main")).to_contain_text("An advertisement.")
    assert reporter.problems == desk.problems == []

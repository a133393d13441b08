"""The ways that not everybody takes: without JavaScript, and without a mouse."""

import pytest
from allauth.account.models import EmailAddress
from playwright.sync_api import Page, expect

from community.accounts.models import User
from community.questions.models import Answer, Thread
from products.models import Product
from tests import factories

from .conftest import Open, Time

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TITLE = "Why does the steam wand drip at night?"
BODY = "It drips since Monday, about a cup in a night, and the valve is closed."
ANSWER = "Open the valve fully and close it again, six times. It grinds the seat clean."


def test_ask_answer_vote_and_accept_without_javascript(
    visit: Open, time: Time, transactional_db: None, alice: User, bob: User, charlie: User, duo: Product
) -> None:
    asker = visit(alice, java_script_enabled=False)
    page = asker.go("/questions/ask/?product=duo")
    page.locator("#id_title").fill("Short")
    page.locator("[name=body]").fill(BODY)
    time.go(minutes=1)
    page.get_by_role("button", name="Post the question").click()
    expect(page.locator("#id_title")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("[name=body]")).to_have_value(BODY)
    page.locator("#id_title").fill(TITLE)
    page.get_by_role("button", name="Post the question").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    address = page.url

    helper = visit(bob, java_script_enabled=False)
    there = helper.go(address)
    there.get_by_role("button", name="I have this too").click()
    there.locator("#answer [name=body]").fill(ANSWER)
    time.go(minutes=1)
    there.get_by_role("button", name="Post answer").click()
    expect(there.locator(".post", has_text="six times")).to_be_visible()

    reader = visit(charlie, java_script_enabled=False)
    seen = reader.go(address)
    seen.get_by_role("group", name="Vote on Bob's answer").get_by_role("button", name="Useful", exact=True).click()
    expect(seen.get_by_role("group", name="Vote on Bob's answer").locator("b")).to_have_text("1")

    page.goto(address)
    page.get_by_role("button", name="This solved it").click()
    expect(page.locator(".post--accepted")).to_contain_text("six times")
    thread = Thread.objects.get(title=TITLE)
    answer = Answer.objects.get(thread=thread)
    assert (thread.state, thread.me_too_count, answer.score) == ("solved", 1, 1)
    assert asker.problems == helper.problems == reader.problems == []


# An outline or a shadow, on what has the focus or on the box drawn around it.
RING = """() => {
  let one = document.activeElement;
  for (let step = 0; step < 4 && one; step++, one = one.parentElement) {
    const style = getComputedStyle(one);
    if (style.outlineStyle !== "none" || style.boxShadow !== "none") return true;
  }
  return false;
}"""


def tab_to(page: Page, reached: str, most: int = 90) -> None:
    """Press Tab until the focus is on what the selector names, and is to be seen."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", reached):
            assert page.evaluate(RING), f"the focus on {reached} can't be seen"
            return
    raise AssertionError(f"Tab does not come to {reached}")


def test_ask_answer_vote_and_accept_by_keyboard(
    visit: Open, time: Time, transactional_db: None, alice: User, bob: User, duo: Product
) -> None:
    asker = visit(alice)
    page = asker.go("/questions/")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to content")
    page.keyboard.press("Enter")
    tab_to(page, "main a[href*='/questions/ask/']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/questions/ask/**")
    tab_to(page, "#id_title")
    page.keyboard.type(TITLE)
    tab_to(page, "[name=body]")
    page.keyboard.type(BODY)
    time.go(minutes=1)
    tab_to(page, "[data-post]")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    address = page.url

    helper = visit(bob)
    there = helper.go(address)
    tab_to(there, f"#up-thread-{Thread.objects.get(title=TITLE).pk}")
    there.keyboard.press("Enter")
    expect(there.get_by_role("group", name="Vote on the question").locator("b")).to_have_text("1")
    tab_to(there, "#answer [name=body]")
    there.keyboard.type(ANSWER)
    time.go(minutes=1)
    tab_to(there, "#answer button[type=submit]")
    there.keyboard.press("Enter")
    expect(there.locator(".post", has_text="six times")).to_be_visible()

    page.goto(address)
    tab_to(page, "button[formaction$='/accept/']")
    page.keyboard.press("Enter")
    expect(page.locator(".post--accepted")).to_contain_text("six times")
    assert Thread.objects.get(title=TITLE).state == "solved"
    assert asker.problems == helper.problems == []


def test_an_answer_written_before_signing_in_is_kept(
    visit: Open, time: Time, transactional_db: None, alice: User, bob: User, duo: Product
) -> None:
    bob.set_password("crema-linen-4417")
    bob.save()
    EmailAddress.objects.create(user=bob, email=bob.email, verified=True, primary=True)
    thread = factories.a_thread(alice, product=duo)
    page = visit().go(thread.get_absolute_url())
    page.locator("#answer [name=body]").fill(ANSWER)
    time.go(minutes=1)
    page.get_by_role("button", name="Post answer").click()
    page.get_by_label("Mail address or name").fill("bob")
    page.locator("[name=password]").fill("crema-linen-4417")
    page.locator("[name=password]").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(thread.title)
    assert not Answer.objects.exists(), "nothing is posted unseen"
    expect(page.locator("#answer [name=body]")).to_have_value(ANSWER)
    page.get_by_role("button", name="Post answer").click()
    expect(page.locator(".post", has_text="six times")).to_be_visible()

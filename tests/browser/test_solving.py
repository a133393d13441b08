"""A fix is accepted, asked about three days later by mail, and did not hold; two answers are reconciled."""

import re

import pytest
from playwright.sync_api import expect

from community.accounts.models import Department, User
from community.questions import asking_back, services
from community.questions.models import FollowUp, Thread
from products.models import Product
from tests import factories

from .conftest import Open, Time, post_goes_out
from .test_ways import tab_to

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_fix_that_did_not_hold_by_keyboard(
    visit: Open, time: Time, transactional_db: None, alice: User, bob: User, duo: Product
) -> None:
    thread = factories.a_thread(alice, kind="problem", product=duo)
    factories.an_answer(thread, bob)
    asker = visit(alice)
    page = asker.go(thread.get_absolute_url())
    tab_to(page, "button[formaction$='/accept/']")
    page.keyboard.press("Enter")
    expect(page.locator(".post--accepted")).to_be_visible()
    post_goes_out()

    time.go(days=3, minutes=5)
    asking_back.run()
    letters = [letter for letter in post_goes_out() if letter.to == [alice.email]]
    assert len(letters) == 1 and "Does it still work?" in letters[0].subject
    link = next(link for link in re.findall(r"http://testserver(\S+)", letters[0].body) if link.endswith("said=no"))

    reader = visit(java_script_enabled=False)  # from a mail program, nobody signed in
    opened = reader.go(link)
    expect(opened.get_by_label("No", exact=True)).to_be_checked()
    assert not FollowUp.objects.exists()
    tab_to(opened, "[name=note]")
    opened.keyboard.type("It drips again, more than before.")
    tab_to(opened, "main button[type=submit]")
    opened.keyboard.press("Enter")
    expect(opened.get_by_text("You said: No")).to_be_visible()
    thread = Thread.objects.get(pk=thread.pk)
    assert (thread.state, thread.escalation.round) == ("reopened", 2)

    page = asker.go(thread.get_absolute_url())
    expect(page.get_by_text("Accepted before the thread was opened again.")).to_be_visible()
    assert asker.problems == reader.problems == []


def test_two_answers_that_disagree_by_keyboard(
    visit: Open, time: Time, transactional_db: None, alice: User, bob: User, dana: User, support: Department,
    duo: Product,
) -> None:  # fmt: skip
    thread = factories.a_thread(alice, product=duo)
    services.accept_answer(factories.an_answer(thread, bob), alice)
    factories.an_answer(thread, dana, official_for=support)
    agent = visit(dana)
    page = agent.go(thread.get_absolute_url())
    tab_to(page, "a[href$='#step-disagree']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/steps/**")
    tab_to(page, "#disagree_note")
    page.keyboard.type("One says never, one says weekly.")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#disagree")).to_contain_text("One says never, one says weekly.")
    expect(page.locator("#disagree")).to_contain_text("Dana is settling it")
    tab_to(page, "a[href$='#step-reconcile']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/steps/**")
    tab_to(page, "input[name=outcome]")
    page.keyboard.press("ArrowDown")
    tab_to(page, "#reconcile_line")
    page.keyboard.type("Weekly with hard water; never behind a softener.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#reconciled")).to_contain_text("The official answer holds")
    expect(page.locator("#reconciled")).to_contain_text("Weekly with hard water")
    assert agent.problems == []

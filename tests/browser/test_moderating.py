"""A moderator takes a thread apart by mouse and keyboard, and who is silenced appeals: in a real browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from community.accounts import services as accounts
from community.accounts.models import User
from community.accounts.services import set_role
from community.moderation.models import PenaltyAppeal
from community.posts import services as posts
from community.questions.models import Thread
from tests.factories import a_person, a_thread, an_answer

from .conftest import Open, Time

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.once]
Factor = Callable[[User], None]


def test_a_part_begins_a_thread_and_another_goes_to_one_that_is_there(
    visit: Open, time: Time, thread: Thread, bob: User, charlie: User, ravi: User, second_factor: Factor
) -> None:
    second_factor(ravi)
    there = a_thread(charlie, title="How often is the gasket changed")
    an_answer(thread, bob)
    stray = an_answer(thread, a_person("erin"), body="Change the gasket once a year, and grease it before that.")
    asks = posts.comment(thread, charlie, body="And how do I descale the second boiler of mine?")
    desk = visit(ravi)
    page = desk.go(f"/questions/thread/{thread.pk}/steps/")
    page.get_by_role("link", name="Begin a thread with them").click()
    page.get_by_role("radio", name="And how do I descale").check()
    page.get_by_label("Title").fill("How do I descale the second boiler")
    page.get_by_label("Reason").fill("Another matter")
    page.get_by_role("button", name="Split now").click()
    expect(page.get_by_role("heading", name="How do I descale the second boiler", level=1)).to_be_visible()
    expect(page.get_by_text("A moderator took this out of")).to_be_visible()

    page = desk.go(f"/questions/thread/{thread.pk}/steps/")
    page.get_by_role("link", name="Move them to another thread").click()
    page.get_by_role("checkbox", name="Change the gasket once a year").check()
    page.get_by_label("Number or address").fill(str(there.pk))
    page.get_by_label("Reason").fill("It belongs there")
    page.get_by_role("button", name="Move now").click()
    expect(page.get_by_role("heading", name="How often is the gasket changed", level=1)).to_be_visible()
    expect(page.get_by_text("A moderator moved 1 post here from")).to_be_visible()
    expect(page.locator(f"#answer-{stray.pk}")).to_contain_text("Change the gasket")
    page = visit(viewport={"width": 360, "height": 740}).go(f"{thread.get_absolute_url()}#answer-{stray.pk}")
    page.locator(f"#answer-{stray.pk}").click()
    expect(page).to_have_url(f"{desk.base}{there.get_absolute_url()}?answer={stray.pk}#answer-{stray.pk}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert asks.pk and not desk.problems


def test_who_is_silenced_reads_why_and_is_heard(
    visit: Open, time: Time, bob: User, ravi: User, thread: Thread, second_factor: Factor
) -> None:
    mika = a_person("mika")
    set_role(mika, None, "moderator")
    second_factor(mika)
    accounts.silence(bob, ravi, hours=72, reason="Rude to Alice.")
    home = visit(bob, viewport={"width": 360, "height": 740})
    page = home.go(thread.get_absolute_url())
    page.get_by_role("link", name="Why, and what you can do").click()
    expect(page.get_by_text("Rude to Alice.")).to_be_visible()
    page.get_by_role("link", name="I think this is wrong").click()
    page.get_by_label("Why it is wrong").fill("That was my brother on my telephone, and it will not happen again.")
    page.get_by_role("button", name="Appeal").click()
    expect(page.get_by_text("You appealed.")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360 and not home.problems
    appeal = PenaltyAppeal.objects.get()
    desk = visit(User.objects.get(username="mika"))
    page = desk.go("/admin/moderation/?queue=appeals")
    page.get_by_label("Answer, for them").fill("We believe you.")
    page.get_by_role("button", name="Undo it").click()
    expect(page.get_by_text("It is undone.")).to_be_visible()
    appeal.refresh_from_db()
    assert appeal.granted
    page = home.go(thread.get_absolute_url())
    expect(page.get_by_text("You can read, but not write")).to_have_count(0)

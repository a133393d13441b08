"""An idea from its votes to its release: limits, a vote taken back, staff, and the news."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from community.accounts.models import User
from community.accounts.services import set_role
from community.core.models import Numbers
from community.questions.models import Thread
from products.models import Product
from tests import factories

from .conftest import Open, Time, post_goes_out

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TITLES = ("A lid that stays open by itself", "A longer cord for the kettle base", "A scale that never switches off")


@pytest.fixture
def wishes(transactional_db: None, alice: User, duo: Product) -> list[Thread]:
    Numbers.objects.create(idea_votes_member=2)
    return [factories.a_thread(alice, kind="idea", title=title, product=duo) for title in TITLES]


def test_votes_to_the_limit_and_back_then_staff_ships_and_the_voter_hears(
    visit: Open, time: Time, wishes: list[Thread], bob: User, dana: User
) -> None:
    voter = visit(bob)
    page = voter.go("/ideas/")
    for title in TITLES[:2]:
        page.get_by_role("button", name=f"Vote for “{title}”").click()
        expect(page.get_by_role("button", name=f"Vote for “{title}”")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#votes-left")).to_contain_text("All your votes are given.")

    # No vote left: where they are, and one back.
    page.get_by_role("button", name=f"Vote for “{TITLES[2]}”").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your votes on ideas")
    expect(page.locator(".notice")).to_contain_text("you have 2")
    page.get_by_role("button", name=f"Take it back: {TITLES[0]}").click()
    page.get_by_role("button", name="Vote for it").click()
    expect(page.locator(".myvotes")).to_contain_text(TITLES[2])
    expect(page.locator(".myvotes")).not_to_contain_text(TITLES[0])

    staff = visit(dana)
    there = staff.go(wishes[2].get_absolute_url())
    there.get_by_text("Set the status", exact=True).click()
    there.locator("#idea_status").select_option("shipped")
    there.locator("#idea_reason").fill("In firmware 1.4, as “always on”.")
    there.get_by_role("button", name="Set the status and tell them").click()
    expect(there.locator("#status_link_error")).to_contain_text("release note")
    expect(there.locator("#status_reason")).to_have_value("In firmware 1.4, as “always on”.")
    there.locator("#status_link").fill("https://example.org/firmware-1-4")
    there.get_by_role("button", name="Set the status", exact=True).click()
    expect(there.locator("#status")).to_contain_text("Shipped.")
    expect(there.locator("#status").get_by_role("link", name="Read the release note")).to_have_attribute(
        "href", "https://example.org/firmware-1-4"
    )

    mails = {mail.to[0]: mail for mail in post_goes_out()}
    assert "https://example.org/firmware-1-4" in mails["bob@example.org"].body
    page = voter.go("/notifications/")
    expect(page.get_by_text(f"“{TITLES[2]}” is now: Shipped")).to_be_visible()
    page = voter.go("/ideas/votes/")
    expect(page.locator("#votes-left")).to_contain_text("1 of your 2 votes is left.")
    expect(page.get_by_role("region", name="Came back to you")).to_contain_text(TITLES[2])
    assert voter.problems == staff.problems == []


def test_the_same_without_javascript(visit: Open, time: Time, wishes: list[Thread], bob: User) -> None:
    page = visit(bob, java_script_enabled=False).go("/ideas/")
    for title in TITLES[:2]:
        page.get_by_role("button", name=f"Vote for “{title}”").click()
        assert page.url.endswith("/ideas/")
    page.get_by_role("button", name=f"Vote for “{TITLES[2]}”").click()
    expect(page.locator(".notice")).to_contain_text("you have 2")
    page.get_by_role("button", name=f"Take it back: {TITLES[1]}").click()
    page.get_by_role("button", name="Vote for it").click()
    expect(page.locator("#votes-left")).to_contain_text("All your votes are given.")
    assert sorted(Thread.objects.filter(score=1).values_list("title", flat=True)) == sorted([TITLES[0], TITLES[2]])


def test_a_manager_gives_a_status_in_the_admin(
    visit: Open, time: Time, wishes: list[Thread], second_factor: Callable[[User], None]
) -> None:
    hanna = factories.a_person("hanna")
    set_role(hanna, None, "community-manager")
    second_factor(hanna)
    manager = visit(hanna)
    page = manager.go("/admin/ideas/")
    page.get_by_role("link", name=TITLES[1]).click()
    page.locator("select[name=status]").select_option("declined")
    page.get_by_role("button", name="Set the status and tell them").click()
    expect(page.locator(".dsk-error").first).to_contain_text("Say why")
    page.locator("[name=reason]").fill("A longer cord fails the test of the standard.")
    page.get_by_role("button", name="Set the status and tell them").click()
    expect(page.get_by_text("The status is set, and everybody who voted is told.")).to_be_visible()
    idea = Thread.objects.get(title=TITLES[1])
    assert (idea.idea_status, idea.idea_reason) == ("declined", "A longer cord fails the test of the standard.")
    assert manager.problems == []

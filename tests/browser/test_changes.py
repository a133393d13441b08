"""You said, we did: staff write a note, who asked hears of it and says whether it helped, and the audit knows of it."""

import os
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from community.accounts.models import User
from community.bridges import releases
from community.bridges.models import ReleaseNote
from community.notifications.models import Notification
from products.models import Product
from tests import factories

from .conftest import Open, Time, post_goes_out

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.once]

SHOTS = os.environ.get("SHOTS", "")  # a folder, to look at the pages


def fine(page: Page, name: str, *, admin: bool = False) -> None:
    """At both widths and in both themes: nothing to scroll sideways, and nothing for axe to object to."""
    for width, theme in ((360, "light"), (1280, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=theme)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, f"{name} at {width}"
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/{name}-{width}-{theme}.png", full_page=True)
        found = Axe().run(page, context=".dsk" if admin else None).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found] == [], f"{name} at {width}, {theme}"


def test_a_wish_is_shipped_told_judged_and_audited(
    visit: Open, time: Time, alice: User, hanna: User, duo: Product, second_factor: Callable[[User], None]
) -> None:
    second_factor(hanna)
    idea = factories.a_thread(alice, kind="idea", product=duo, title="A timer that knows weekends")
    manager = visit(hanna, viewport={"width": 1280, "height": 900})
    page = manager.go(f"/admin/changes/add/?thread={idea.pk}")
    page.get_by_label("Title").fill("Duo firmware 2.4: a day off")
    page.get_by_label("Version").fill("firmware 2.4")
    page.get_by_label("You said").fill("It heats an empty kitchen on Sundays.")
    page.get_by_label("We did").fill("Two sets of times, and a day off.")
    page.get_by_role("button", name="Publish, and tell who asked").click()
    expect(page.get_by_label("You said")).to_have_value("It heats an empty kitchen on Sundays.")  # the note is missing
    fine(page, "desk-add", admin=True)
    page.get_by_label("The note").fill("- `WK`: weekdays\n- `SS`: weekends")
    page.get_by_role("button", name="Publish, and tell who asked").click()
    expect(page.get_by_text("1 person who asked is being told")).to_be_visible()
    fine(page, "desk", admin=True)
    note = ReleaseNote.objects.get()
    post_goes_out()
    assert Notification.objects.get(recipient=alice, kind="release").data["url"] == note.get_absolute_url()

    customer = visit(alice)
    page = customer.go(idea.get_absolute_url())
    expect(page.get_by_role("link", name="Duo firmware 2.4: a day off")).to_be_visible()
    fine(page, "idea")
    time.go(days=61)
    releases.ask_whether_it_helped()
    post_goes_out()
    page = customer.go(Notification.objects.get(recipient=alice, kind="release_helped").data["url"])
    fine(page, "note")
    page.get_by_role("button", name="Yes", exact=True).click()
    expect(page.locator("#helped")).to_contain_text("1 of 1 say it helped")
    fine(customer.go("/changes/"), "changes")
    fine(customer.go("/changes/duo/"), "changes-duo")

    time.go(minutes=1)
    manager.go(f"/admin/people/{alice.pk}/")
    page = manager.go("/admin/audit/?whom=alice")
    expect(page.get_by_role("rowheader", name="Saw personal data")).to_be_visible()
    expect(page.get_by_role("rowheader", name="Gave an idea a status")).to_be_visible()
    fine(page, "audit", admin=True)
    fine(customer.go("/settings/seen/"), "seen")
    expect(customer.page.get_by_text("Your account page for staff")).to_be_visible()
    assert manager.problems + customer.problems == []

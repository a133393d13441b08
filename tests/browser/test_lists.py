"""Lists in a browser: a filter is kept, back shows what was there, the jump leads to what is new."""

from datetime import timedelta

import pytest

from community.core import clock
from tests.factories import a_person, a_thread, an_answer

from .conftest import Open, Time

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize("script", [True, False])
def test_a_filter_is_kept_and_taken_away(visit: Open, time: Time, script: bool) -> None:
    alice = a_person("alice")
    a_thread(alice)
    there = visit(alice, java_script_enabled=script)
    page = there.go("/questions/?show=unanswered&sort=votes")
    page.get_by_text("Keep this filter").click()
    page.get_by_label("Name").fill("My evening")
    page.get_by_role("button", name="Keep it").click()
    page.wait_for_url("**/questions/?show=unanswered&sort=votes")
    there.go("/questions/").get_by_role("link", name="My evening").click()
    page.wait_for_url("**/questions/?show=unanswered&sort=votes")
    page.get_by_role("button", name="Take “My evening” away").click()
    page.get_by_role("link", name="My evening").wait_for(state="detached")
    assert there.problems == []


def test_back_shows_what_was_there(visit: Open, time: Time) -> None:
    alice = a_person("alice")
    for _ in range(45):
        time.go(minutes=1)
        a_thread(alice)
    there = visit()
    page = there.go("/questions/")
    titles = ".threads .trow__title a"
    first = page.locator(titles).all_inner_texts()
    page.get_by_role("link", name="Next").click()
    page.wait_for_url("**after=*")
    page.get_by_role("link", name="Previous").wait_for()
    second, address = page.locator(titles).all_inner_texts(), page.url
    assert len(first) == len(second) == 20 and not set(first) & set(second)
    page.locator(titles).nth(5).click()
    page.wait_for_url("**/questions/*/*/")
    page.go_back()
    page.wait_for_url("**after=*")
    assert (page.url, page.locator(titles).all_inner_texts()) == (address, second)
    page.go_back()
    page.wait_for_url("**/questions/")
    page.get_by_role("link", name="Previous").wait_for(state="detached")
    assert page.locator(titles).all_inner_texts() == first
    assert there.problems == []


def test_the_jump_leads_to_what_is_new_on_its_page(visit: Open, time: Time) -> None:
    alice, bob = a_person("alice"), a_person("bob")
    thread = a_thread(alice)
    for _ in range(21):
        an_answer(thread)
    there = visit(bob)
    page = there.go(thread.get_absolute_url())
    time.go(hours=2)
    with clock.travel(time.at - timedelta(minutes=5)):
        new = an_answer(thread)
    page = there.go("/questions/")
    page.get_by_text("1 new answer").wait_for()
    page.locator(".trow__title a").first.click()
    page.get_by_role("link", name="1 new answer since your last visit").click()
    page.wait_for_url(f"**#answer-{new.pk}")
    assert page.locator(f"#answer-{new.pk} .isnew").is_visible()
    # An old link without the page is mended.
    old = there.go(f"{thread.get_absolute_url()}#answer-{new.pk}")
    old.wait_for_url(f"**?answer={new.pk}#answer-{new.pk}")
    assert old.locator(f"#answer-{new.pk}").is_visible()
    assert there.problems == []

"""Asking in a browser: what looks alike opens in place, a visitor joins last, and no word is lost on the way."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect

from community.accounts.models import User
from community.posts.models import Draft, KeptPost
from community.questions import services
from community.questions.models import Thread
from community.search import documents
from community.search.models import Deflection
from products.models import Product
from tests import factories

from .conftest import Open, Time, code_in, post_goes_out

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TITLE = "The steam wand drips at night"
BODY = "It drips since Monday, about a cup in a night, and the valve is closed."
SERIAL = "SN-4471-88"


@pytest.fixture
def alike(transactional_db: None, bob: User, charlie: User, duo: Product) -> Thread:
    """A thread much like the one that is being asked, with an accepted answer."""
    factories.a_tag("steam-wand", name="steam wand")
    thread = factories.a_thread(bob, product=duo, title="Steam wand keeps dripping after closing", kind="problem")
    services.accept_answer(
        factories.an_answer(thread, charlie, body="Change the **spindle disc**; mine had a groove."), bob
    )
    documents.index_changes()
    return thread


def join(page: Page, name: str, username: str) -> None:
    page.get_by_label("Your name").fill(name)
    page.get_by_label("User name").fill(username)
    page.get_by_label("address").fill(f"{username}@example.org")
    page.get_by_role("button", name="Join").click()
    page.wait_for_selector("[name=code]")
    (letter,) = [mail for mail in post_goes_out() if mail.to == [f"{username}@example.org"]]
    page.locator("[name=code]").fill(code_in(letter))
    page.get_by_role("button", name="Go on").click()


def test_a_visitor_looks_writes_and_joins_last(
    visit: Open, time: Time, alike: Thread, duo: Product, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "community.core.mail.OutboxBackend"
    ida = visit()
    page = ida.go("/questions/ask/?product=duo")
    expect(page.locator("[data-draft-restored]")).to_be_hidden()
    page.locator("#id_title").press_sequentially(TITLE, delay=5)
    match = page.locator(".match", has_text=alike.title)
    expect(match).to_be_visible()
    expect(match.get_by_text("spindle disc")).to_be_hidden()
    match.locator("summary").click()
    expect(match.get_by_text("spindle disc")).to_be_visible()
    # Return in the title neither posts nor says that the match was the answer.
    page.locator("#id_title").press("Enter")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY" and not Deflection.objects.exists()

    page.get_by_role("radio", name="Problem").check()
    expect(page.locator("label[for=id_body]")).to_have_text("What happened?")
    page.locator("#id_body").fill(f"{BODY} **Help.**")
    page.get_by_label("steam wand").check()
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".editor__preview strong")).to_have_text("Help.")
    page.locator("#id_body").press_sequentially(" Still *more*.")
    expect(page.locator(".editor__preview em")).to_have_text("more"), "the preview follows"
    page.locator(".privatebox summary").click()
    page.get_by_label("Serial number").fill(SERIAL)
    expect(page.locator("[data-draft-note]")).to_contain_text("Kept in this browser at")
    assert SERIAL not in page.evaluate("JSON.stringify(localStorage)")
    time.go(minutes=2)
    page.get_by_role("button", name="Go on to sign up").click()
    expect(page.get_by_text("Your question is kept.")).to_be_visible()
    join(page, "Ida Berg", "ida.berg")
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    expect(page.get_by_text("Posted. You hear of every answer.")).to_be_visible()
    thread = Thread.objects.get(title=TITLE)
    assert (thread.author.username, thread.kind, thread.product) == ("ida.berg", "problem", duo)
    assert thread.private_details.serial == SERIAL
    assert list(thread.tags.values_list("slug", flat=True)) == ["steam-wand"]
    assert page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('draft:')).length") == 0
    page.go_back()
    page.goto(ida.base + "/questions/ask/?kept=1")
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    assert Thread.objects.filter(title=TITLE).count() == 1 and not KeptPost.objects.exists()
    assert ida.problems == []


def test_what_is_here_already_ends_the_asking(visit: Open, time: Time, alike: Thread) -> None:
    ida = visit()
    page = ida.go("/questions/ask/")
    page.locator("#id_title").press_sequentially(TITLE, delay=5)
    match = page.locator(".match", has_text=alike.title)
    match.locator("summary").click()
    match.get_by_role("button", name="This solved it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Good that it was here already")
    expect(page.locator(".settled strong")).to_have_text("spindle disc")
    row = Deflection.objects.get()
    assert (row.thread, row.typed) == (alike, TITLE)
    page.get_by_role("link", name="It did not settle it after all").click()
    expect(page.locator("#id_title")).to_have_value(TITLE)
    expect(page.locator(".match")).to_have_count(1)
    assert ida.problems == []


def test_asking_without_javascript(visit: Open, time: Time, alike: Thread, settings: Any) -> None:
    settings.EMAIL_BACKEND = "community.core.mail.OutboxBackend"
    page = visit(java_script_enabled=False).go("/questions/ask/?product=duo")
    expect(page.locator(".editor__bar")).to_be_hidden()
    page.locator("#id_title").fill(TITLE)
    page.locator("#id_title").press("Enter")
    expect(page.get_by_text("1 thread that may settle it")).to_be_visible()
    page.locator(".match summary").click()
    expect(page.locator(".match strong")).to_have_text("spindle disc")
    page.locator("#id_body").fill(BODY)
    page.locator("button[name=preview]").click()
    expect(page.locator("#preview")).to_contain_text("about a cup in a night")
    page.get_by_label("steam wand").check()
    time.go(minutes=1)
    page.get_by_role("button", name="Go on to sign up").click()
    join(page, "Ida Berg", "ida.berg")
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    thread = Thread.objects.get(title=TITLE)
    assert (thread.body_source, thread.product.slug) == (BODY, "duo")
    assert list(thread.tags.values_list("slug", flat=True)) == ["steam-wand"]


def test_a_visitors_draft_survives_a_closed_tab(visit: Open, time: Time, alike: Thread) -> None:
    ida = visit()
    page = ida.go("/questions/ask/?product=duo")
    page.locator("#id_title").fill(TITLE)
    page.get_by_role("radio", name="Problem").check()
    page.locator("#id_body").fill(BODY)
    page.locator(".privatebox summary").click()
    page.get_by_label("Order number").fill("ORD-88123")
    expect(page.locator("[data-draft-note]")).to_contain_text("Kept in this browser at")
    page.close()
    again = ida.context.new_page()
    again.goto(ida.base + "/questions/ask/")
    expect(again.locator("[data-draft-restored]")).to_be_visible()
    expect(again.locator("#id_title")).to_have_value(TITLE)
    expect(again.locator("#id_body")).to_have_value(BODY)
    assert again.locator("[name=kind]:checked").input_value() == "problem"
    expect(again.locator("#id_order_number")).to_have_value("")
    again.get_by_role("button", name="Start afresh").click()
    expect(again.locator("#id_title")).to_have_value("")
    again.reload()
    expect(again.locator("#id_title")).to_have_value("")
    assert "ORD-88123" not in again.evaluate("JSON.stringify(localStorage)")


def failing(status: int, tried: list[int]) -> Callable[[Route], None]:
    def answer(route: Route) -> None:
        tried.append(status)
        route.fulfill(status=status, body="no")

    return answer


def test_a_members_draft_survives_a_closed_tab_and_a_server_that_fails(
    visit: Open, time: Time, alike: Thread, alice: User
) -> None:
    one = visit(alice)
    page = one.go("/questions/ask/")
    page.locator("#id_title").fill(TITLE)
    page.locator("#id_body").fill(BODY)
    expect(page.locator("[data-draft-note]")).to_contain_text("Draft saved at")
    assert Draft.objects.get().data["body"] == BODY
    page.close()
    again = one.context.new_page()
    again.goto(one.base + "/questions/ask/")
    expect(again.get_by_text("You began this before.").first).to_be_visible()
    expect(again.locator("#id_body")).to_have_value(BODY)
    # Signed out in another tab, a pause, an error of ours: the words stay in this browser until the server answers.
    tried = []
    for status in (401, 429, 500):
        again.route("**/posts/draft/**", failing(status, tried))
        again.locator("#id_body").fill(f"{BODY} {status}")
        expect(again.locator("[data-draft-note]")).to_contain_text("Kept in this browser at")
        again.locator("[data-draft-note]").evaluate("note => { note.textContent = ''; }")
        again.unroute("**/posts/draft/**")
    assert tried == [401, 429, 500]
    assert f"{BODY} 500" in again.evaluate(f"localStorage.getItem('draft:ask@{alice.pk}')")
    Draft.objects.all().delete()
    again.goto(one.base + "/questions/ask/")
    expect(again.locator("#id_body")).to_have_value(f"{BODY} 500")
    time.go(minutes=1)
    again.get_by_role("button", name="Post the question").click()
    expect(again.get_by_role("heading", level=1)).to_have_text(TITLE)
    again.goto(one.base + "/questions/ask/")
    expect(again.locator("#id_body")).to_have_value("")
    assert again.evaluate("Object.keys(localStorage).filter(key => key.startsWith('draft:')).length") == 0


def test_a_picture_gets_its_words_in_a_field(visit: Open, time: Time, alice: User, transactional_db: None) -> None:
    drawn = io.BytesIO()
    Image.new("RGB", (60, 40), "peru").save(drawn, "PNG")
    page = visit(alice).go("/questions/ask/")
    page.locator("#id_title").fill(TITLE)
    page.locator("#id_body").fill(BODY)
    page.locator("[data-editor-file]").set_input_files(
        {"name": "wand.png", "mimeType": "image/png", "buffer": drawn.getvalue()}
    )
    field = page.get_by_label("Describe the picture for those who cannot see it.")
    expect(field).to_be_focused()
    field.fill("A drop under [the] wand")
    assert "![A drop under  the  wand](" in page.locator("#id_body").input_value()
    time.go(minutes=1)
    page.get_by_role("button", name="Post the question").click()
    expect(page.get_by_role("img", name="A drop under the wand")).to_be_visible()


def test_the_page_is_quiet_while_one_types_on(visit: Open, time: Time, alike: Thread, alice: User) -> None:
    """A slow server: what is typed meanwhile is looked for when it has answered, once, and nothing is broken off."""
    one = visit(alice)
    page, looked, broken = one.page, [], []
    page.on("requestfailed", lambda request: broken.append(request.url))

    def slowly(route: Route) -> None:
        looked.append(route.request.url)
        page.wait_for_timeout(400)
        route.continue_()

    page.route("**/search/matches/**", slowly)
    one.go("/questions/ask/")
    page.locator("#id_title").press_sequentially(TITLE[:17], delay=5)
    page.wait_for_timeout(400)
    page.locator("#id_title").press_sequentially(TITLE[17:], delay=40)
    expect(page.locator(".match", has_text=alike.title)).to_be_visible()
    page.get_by_label("steam wand").check()
    page.locator("#id_body").press_sequentially("It drips since Monday.", delay=5)
    page.wait_for_timeout(1500)
    expect(page.get_by_label("steam wand")).to_be_checked()
    assert len(looked) <= 3 and broken == [] and one.problems == []
    # Typed before any script ran, as on a slow line: looked for when the scripts are there.
    page.unroute("**/search/matches/**")
    page.route("**/htmx*.js", lambda route: (page.wait_for_timeout(600), route.continue_()))
    page.route("**/posts/draft/**", lambda route: route.fulfill(status=200, body="{}", content_type="application/json"))
    page.goto(one.base + "/questions/ask/", wait_until="commit")
    page.locator("#id_title").fill("")
    page.locator("#id_title").fill(TITLE)
    expect(page.locator(".match", has_text=alike.title)).to_be_visible()
    expect(page.get_by_label("steam wand")).to_be_visible()
    assert one.problems == []
    page.unroute_all(behavior="ignoreErrors")  # one still on its way must not fail the test after this one

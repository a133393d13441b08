"""Helping by keyboard alone, and without a script; and a console that stays silent."""

from typing import Any

import pytest
from playwright.sync_api import expect

from community.accounts.models import User
from community.moderation.models import Flag
from community.posts import services as posts
from community.questions.models import Answer, EditSuggestion
from products.models import Product
from tests import factories

from .conftest import Open, Time
from .test_ways import tab_to

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WORDS = "Open the valve fully and close it again, six times."


def test_keys_lead_through_a_thread(
    visit: Open, time: Time, transactional_db: None, alice: User, bob: User, charlie: User, duo: Product
) -> None:
    thread = factories.a_thread(alice, product=duo)
    answer = factories.an_answer(thread, bob)
    reader = visit(charlie)
    page = reader.go(thread.get_absolute_url())
    page.keyboard.press("j")
    expect(page.locator(f"#post-{thread.pk}")).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator(f"#answer-{answer.pk}")).to_be_focused()
    page.keyboard.press("v")
    expect(page.get_by_role("group", name="Vote on Bob's answer").locator("b")).to_have_text("1")
    page.keyboard.press("k")
    expect(page.locator(f"#post-{thread.pk}")).to_be_focused()
    page.keyboard.press("c")
    comment = page.locator(f"#comment-on-thread-{thread.pk}")
    expect(comment).to_be_focused()
    page.keyboard.type("just a v and a j")
    expect(comment).to_have_value("just a v and a j")
    expect(page.locator(f"#comment-left-thread-{thread.pk}")).to_have_text("584 characters left")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".comment", has_text="just a v and a j")).to_be_visible()
    page.locator("h1").click()
    page.keyboard.press("a")
    expect(page.locator("#answer [name=body]")).to_be_focused()
    page.keyboard.type("@al")
    expect(page.get_by_role("option", name="Alice")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#answer [name=body]")).to_have_value("@alice ")
    page.locator("h1").click()
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog")
    expect(sheet).to_contain_text("next and previous post")
    page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    page.keyboard.press("/")
    expect(page.locator("#site-q")).to_be_focused()

    page.locator("h1").click()
    page.keyboard.press("?")
    sheet.get_by_role("button", name="Switch single keys off").click()
    expect(page.locator("body")).to_have_attribute("data-keys", "off")
    page.keyboard.press("j")
    page.keyboard.press("?")
    expect(page.locator(f"#post-{thread.pk}")).not_to_be_focused()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("link", name="Keyboard").click()
    expect(page.get_by_role("dialog")).to_contain_text("Switch single keys on")
    assert reader.problems == []


def test_a_passage_goes_into_the_answer(
    visit: Open, time: Time, transactional_db: None, alice: User, bob: User, charlie: User, duo: Product
) -> None:
    thread = factories.a_thread(alice, product=duo)
    answer = factories.an_answer(thread, bob, body=WORDS)
    reader = visit(charlie)
    page = reader.go(thread.get_absolute_url())
    page.locator("#answer [name=body]").fill("I had begun.")
    page.evaluate(
        """id => {
          const text = document.querySelector(`#${id} .prose p`).firstChild;
          getSelection().setBaseAndExtent(text, 0, text, 8);
        }""",
        f"answer-{answer.pk}",
    )
    page.locator(".quote-pop").click()
    expect(page.locator("#answer [name=body]")).to_have_value("I had begun.\n\nBob wrote:\n\n> Open the\n\n")

    box = page.locator("#answer [name=body]")
    code = page.get_by_role("group", name="Formatting").get_by_role("button", name="Code")
    box.fill("Read this: menu 4")
    box.evaluate("area => area.setSelectionRange(11, 17)")
    code.click()
    expect(box).to_have_value("Read this: `menu 4`")
    box.fill("As so:\nopen\nclose")
    box.evaluate("area => area.setSelectionRange(7, 17)")
    code.click()
    expect(box).to_have_value("As so:\n```\nopen\nclose\n```")
    assert reader.problems == []


def test_nothing_is_in_the_console_while_one_votes_answers_and_accepts(
    visit: Open, time: Time, transactional_db: None, alice: User, bob: User, duo: Product
) -> None:
    thread = factories.a_thread(alice, product=duo)
    factories.an_answer(thread, bob)
    asker = visit(alice)
    said: list[Any] = []
    asker.page.on("console", lambda message: said.append(message.text))
    page = asker.go(thread.get_absolute_url())
    # What a browser writes into a page by itself, a text box that somebody made taller, must not be copied as a style.
    page.locator("#answer [name=body]").evaluate("area => { area.style.height = '300px'; area.style.color = ''; }")
    page.locator("[id^=comment-on]").first.evaluate("area => area.style.height = ''")
    page.screenshot()
    page.locator("#answer [name=body]").fill(WORDS)
    page.get_by_role("group", name="Vote on Bob's answer").get_by_role("button", name="Useful", exact=True).click()
    expect(page.get_by_role("group", name="Vote on Bob's answer").locator("b")).to_have_text("1")
    time.go(minutes=1)
    page.get_by_role("button", name="Post answer").click()
    expect(page.locator(".post", has_text="six times")).to_have_count(2)
    page.screenshot()
    page.get_by_role("button", name="This solved it").first.click()
    expect(page.locator(".post--accepted")).to_have_count(1)
    assert said == [] and asker.problems == []


def test_help_without_a_script(
    visit: Open, time: Time, transactional_db: None, alice: User, bob: User, charlie: User, duo: Product
) -> None:
    thread = factories.a_thread(alice, product=duo)
    for number in range(12):
        posts.comment(thread, bob, body=f"Remark {number:03}")
    User.objects.filter(pk=charlie.pk).update(reputation=150)
    helper = visit(charlie, java_script_enabled=False)
    page = helper.go(thread.get_absolute_url())
    page.get_by_role("link", name="2 more comments").click()
    expect(page.get_by_text("Remark 011")).to_be_visible()

    page.locator(".post--q").get_by_role("link", name="Quote").click()
    box = page.locator("#answer [name=body]")
    expect(box).to_have_value(f"Alice wrote:\n\n> {thread.body_source}\n\n")
    box.fill(WORDS)
    time.go(minutes=1)
    page.get_by_role("button", name="Post answer").click()
    answer = Answer.objects.get(thread=thread)
    page.get_by_role("group", name="Vote on the question").get_by_role("button", name="Useful", exact=True).click()
    expect(page.get_by_role("group", name="Vote on the question").locator("b")).to_have_text("1")

    mine = page.locator(f"#answer-{answer.pk}")
    mine.locator("details.drop > summary").click()
    mine.get_by_role("link", name="Edit", exact=True).click()
    page.locator("[name=body]").fill(WORDS + " Then wait.")
    page.locator("[name=summary]").fill("One step more")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(f"#answer-{answer.pk}")).to_contain_text("Then wait.")
    page.locator(f"#answer-{answer.pk}").get_by_role("link", name="edited once").click()
    expect(page.locator("ins")).to_contain_text("Then wait.")

    page.goto(helper.base + thread.get_absolute_url())
    question = page.locator(".post--q")
    question.locator("details.drop > summary").click()
    question.get_by_role("link", name="Suggest an edit").click()
    page.locator("[name=body]").fill(thread.body_source + " It is the left valve.")
    page.locator("[name=summary]").fill("Which valve")
    page.get_by_role("button", name="Suggest it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(thread.title)

    page.locator(".post--q .post__acts").get_by_role("link", name="Flag").click()
    page.locator("[name=reason][value=off_topic]").check()
    page.get_by_role("button", name="Send to a moderator").click()
    assert Flag.objects.filter(reporter=charlie).count() == 1

    asker = visit(alice, java_script_enabled=False)
    there = asker.go(thread.get_absolute_url())
    there.get_by_role("link", name="1 suggested edit waits for review").click()
    there.get_by_role("link", name=thread.title).click()
    expect(there.locator("ins")).to_contain_text("It is the left valve.")
    there.get_by_role("button", name="Take it over").click()
    expect(there.locator(".post--q")).to_contain_text("It is the left valve.")
    there.get_by_role("button", name="This solved it").click()
    expect(there.locator(".post--accepted")).to_contain_text("Then wait.")
    assert EditSuggestion.objects.get().state == "approved"
    assert helper.problems == asker.problems == []


def test_edit_suggest_and_flag_by_keyboard(
    visit: Open, time: Time, transactional_db: None, alice: User, bob: User, duo: Product
) -> None:
    thread = factories.a_thread(alice, product=duo)
    answer = factories.an_answer(thread, bob)
    User.objects.filter(pk=bob.pk).update(reputation=150)
    helper = visit(bob)
    page = helper.go(thread.get_absolute_url())
    tab_to(page, ".post--q details.drop > summary")
    page.keyboard.press("Enter")
    tab_to(page, "a[href$='/suggest/']", 5)
    page.keyboard.press("Enter")
    page.wait_for_url("**/suggest/")
    tab_to(page, "main [name=body]")
    page.keyboard.press("Control+End")
    page.keyboard.type(" It is the left valve.")
    tab_to(page, "[name=summary]")
    page.keyboard.type("Which valve")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(thread.title)
    assert EditSuggestion.objects.get().summary == "Which valve"

    tab_to(page, f"#answer-{answer.pk} details.drop > summary")
    page.keyboard.press("Enter")
    tab_to(page, f"a[href$='/answer/{answer.pk}/edit/']", 5)
    page.keyboard.press("Enter")
    page.wait_for_url("**/edit/")
    tab_to(page, "main [name=body]")
    page.keyboard.press("Control+End")
    page.keyboard.type(" Then wait.")
    page.keyboard.press("Control+Enter")
    expect(page.locator(f"#answer-{answer.pk}")).to_contain_text("Then wait.")

    asker = visit(alice)
    there = asker.go(thread.get_absolute_url())
    tab_to(there, f"#answer-{answer.pk} details.drop > summary")
    there.keyboard.press("Enter")
    tab_to(there, f"a[href$='/answer/{answer.pk}/flag/']", 8)
    there.keyboard.press("Enter")
    there.wait_for_url("**/flag/")
    tab_to(there, "[name=reason]")
    there.keyboard.press("Space")
    tab_to(there, "main form .btn--main")
    there.keyboard.press("Enter")
    expect(there.locator(".toast")).to_contain_text("Thank you")
    assert Flag.objects.get().target == answer
    assert helper.problems == asker.problems == []

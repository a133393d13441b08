"""What the other journeys leave out: mails that are answered, steps that are refused, invitations, and long threads."""

import re
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from community.accounts.models import User
from community.moderation import services as moderation
from community.questions import asking_back, facts, services
from community.questions.models import Answer, FollowUp, Thread
from products.models import Product
from tests import factories

from .conftest import Open, Time, post_goes_out

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def link_in(letter: Any, ends: str) -> str:
    return next(link for link in re.findall(r"http://testserver(\S+)", letter.body) if re.search(ends, link))


def test_mails_that_ask_are_opened_and_answered(
    visit: Open, time: Time, transactional_db: None, alice: User, bob: User, duo: Product
) -> None:
    """A reminder to accept, then "still working?" answered yes, and worked at first."""
    held = factories.a_thread(alice, kind="problem", product=duo, title="The lever of mine is loose on its axle")
    short = factories.a_thread(alice, kind="problem", product=duo, title="The pump is louder than it was in May")
    for thread in (held, short):
        factories.an_answer(thread, bob)
    services.accept_answer(held.answers.get(), alice)
    post_goes_out()
    time.go(days=3, minutes=5)
    asking_back.run()
    letters = {letter.subject: letter for letter in post_goes_out() if letter.to == [alice.email]}
    (still,) = [letter for subject, letter in letters.items() if "Does it still work?" in subject]
    (reminder,) = [letter for subject, letter in letters.items() if "still work" not in subject]

    asker = visit(alice)
    page = asker.go(link_in(reminder, r"/questions/\d+/"))
    page.get_by_role("button", name="This solved it").click()
    expect(page.locator(".post--accepted")).to_be_visible()
    assert Thread.objects.get(pk=short.pk).state == "solved"

    reader = visit()  # the link of a mail needs no sign-in
    opened = reader.go(link_in(still, "said=yes$"))
    expect(opened.get_by_label("Yes", exact=True)).to_be_checked()
    opened.get_by_role("button", name="Say so").click()
    expect(opened.get_by_text("You said: Yes")).to_be_visible()
    assert FollowUp.objects.get(answer__thread=held).outcome == "yes"

    time.go(days=3, minutes=5)
    asking_back.run()
    (again,) = [letter for letter in post_goes_out() if "Does it still work?" in letter.subject]
    opened = reader.go(link_in(again, "said=worked_at_first$"))
    opened.locator("[name=note]").fill("Quiet for two days, then as before.")
    opened.get_by_role("button", name="Say so").click()
    expect(opened.get_by_text("Somebody looks at the answer again.")).to_be_visible()
    assert Thread.objects.get(pk=short.pk).recheck_at is not None
    page = asker.go(short.get_absolute_url())
    expect(page.locator(".thread__head")).to_contain_text("check")
    assert asker.problems == reader.problems == []


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_step_that_is_refused_says_why_and_an_invitation_arrives(
    visit: Open, time: Time, transactional_db: None, alice: User, bob: User, charlie: User, dana: User, duo: Product,
    scripts: bool,
) -> None:  # fmt: skip
    thread = factories.a_thread(alice, product=duo)
    answer = factories.an_answer(thread, dana)
    reader = visit(charlie, java_script_enabled=scripts)
    page = reader.go(thread.get_absolute_url())
    vote = page.get_by_role("group", name="Vote on Dana's answer")
    for score in ("1", "0", "-1", "0"):  # cast, undone, turned round, undone
        name = "Useful" if score == "1" or (score == "0" and vote.locator("b").inner_text() == "1") else "Not useful"
        vote.get_by_role("button", name=name, exact=True).click()
        expect(vote.locator("b")).to_have_text(score)
    assert not Answer.objects.get(pk=answer.pk).votes.exists()

    agent = visit(dana, java_script_enabled=scripts)
    desk = agent.go(thread.get_absolute_url())
    desk.locator(".thread__invite a").click()
    desk.get_by_label("The first letters of a name").fill("bo")
    desk.get_by_role("button", name="Look").click()
    desk.get_by_role("button", name="Invite Bob").click()
    expect(desk.locator("main")).to_contain_text("Bob")
    letters = [letter for letter in post_goes_out() if letter.to == [bob.email]]
    assert len(letters) == 1 and thread.title in letters[0].subject + letters[0].body
    invited = visit(bob, java_script_enabled=scripts)
    there = invited.go("/notifications/")
    there.locator(".notices__link").first.click()
    expect(there.get_by_role("heading", level=1)).to_have_text(thread.title)

    # Two agents at once: what one did meanwhile is the reason the other reads, and the words stay.
    desk = agent.go(f"/questions/thread/{thread.pk}/steps/")
    services.close_thread(thread, dana, "It is on another site")
    section = desk.locator("section[aria-labelledby=step-info]")
    section.locator("textarea, input[type=text]").first.fill("Which water do you use?")
    section.get_by_role("button").click()
    expect(desk.get_by_text("This thread is closed. Reopen it first.").first).to_be_visible()
    expect(section.locator("textarea, input[type=text]").first).to_have_value("Which water do you use?")
    assert Thread.objects.get(pk=thread.pk).needs_info_since is None
    page.goto(reader.base + thread.get_absolute_url())
    expect(page.locator("main")).to_contain_text("It is on another site")
    assert reader.problems == invited.problems == agent.problems == []


def test_500_answers_page_back_is_exact_and_what_is_gone_says_so(
    visit: Open, time: Time, transactional_db: None, alice: User, bob: User, ravi: User, duo: Product
) -> None:
    thread = factories.a_thread(alice, product=duo)
    Answer.objects.bulk_create(
        Answer(
            thread=thread, author=bob, created_at=time.at + timedelta(minutes=n), published_at=time.at,
            visibility="visible", body_source=f"Answer {n}", body_html=f"<p>Answer {n}</p>", body_text=f"Answer {n}",
        )
        for n in range(500)
    )  # fmt: skip
    facts.refresh(thread)
    reader = visit()
    page = reader.go(thread.get_absolute_url() + "?sort=oldest")
    page.get_by_role("link", name="Next").click()
    page.wait_for_url("**page=2**")
    expect(page.get_by_text("Page 2 of 25")).to_be_visible()
    assert page.locator("link[rel=next], link[rel=prev]").count() == 2
    shown = page.locator("[id^=answer-]").first.get_attribute("id")
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_text("Page 3 of 25")).to_be_visible()
    page.go_back()
    page.wait_for_url("**page=2**")
    expect(page.get_by_text("Page 2 of 25")).to_be_visible()
    assert page.locator("[id^=answer-]").first.get_attribute("id") == shown
    page.goto(f"{reader.base}{thread.get_absolute_url()}?sort=oldest&page=25")
    expect(page.locator(".post", has_text="Answer 499")).to_be_visible()
    expect(page.get_by_role("link", name="Next")).to_have_count(0)

    into = factories.a_thread(alice, product=duo)
    services.merge_thread(thread, into, ravi, "The same")
    page.goto(reader.base + thread.get_absolute_url())
    assert page.url.split("?")[0].endswith(into.get_absolute_url()), "the old address leads there"
    expect(page.get_by_role("heading", level=1)).to_have_text(into.title)
    gone = factories.a_thread(alice, product=duo)
    moderation.delete(gone, alice)
    response = page.goto(reader.base + gone.get_absolute_url())
    assert response is not None and response.status == 410
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.locator("main a").count() >= 1, "and says where to go from there"
    assert reader.problems == []

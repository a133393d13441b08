"""What all this is for, once from the first look to the last badge, in a browser.

Ida has a question and no account. She writes first and joins after. Nobody answers; owners are asked, then customer
support, each once. An agent says that she has it, and answers for the house. Ida accepts, and the place has grown by
one answer that holds.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from playwright.sync_api import expect

from advocates import services as advocates
from advocates.models import Badge
from community.accounts.models import Department, User
from community.core.models import Delivery
from community.escalation.sweep import sweep
from community.events.models import Event
from community.notifications.models import Notification
from community.questions.models import Thread
from products.models import Product
from tests import factories
from tests.products.pages import a_product_page

from .conftest import Open, Time, code_in, current_code, post_goes_out

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TITLE = "How often does the water filter want changing?"


def told(person: User) -> list[str]:
    return list(Notification.objects.filter(recipient=person).order_by("pk").values_list("kind", flat=True))


def mails_to(person: User) -> list[str]:
    return [message.subject for message in mail.outbox if message.to == [person.email]]


@pytest.fixture
def owners(transactional_db: None, alice: User, bob: User, hanna: User, duo: Product, tmp_path: Path) -> list[User]:
    """A product with a life: a page, a review, a recipe, a tip, a solved question; Bob and Cleo are its advocates."""
    cleo = factories.a_person("cleo")
    a_product_page(tmp_path, duo)
    factories.a_review(alice, duo, title="Four years and no regrets", stars=5)
    factories.a_recipe(bob, title="Cortado for two", products=[duo])
    factories.a_tip(cleo, title="Warm the cups on top", product=duo)
    factories.an_answer(factories.a_thread(alice, product=duo, title="Does it fit under a low cupboard?"), bob)
    for person in (bob, cleo):
        advocates.admit(person, hanna, [duo])
    post_goes_out()
    Notification.objects.all().delete()
    mail.outbox.clear()
    return [bob, cleo]


def test_a_question_nobody_answers_is_not_forgotten(
    visit: Open,
    time: Time,
    owners: list[User],
    alice: User,
    duo: Product,
    support: Department,
    dana: User,
    second_factor: Callable[[User], None],
    settings: Any,
) -> None:
    settings.EMAIL_BACKEND = "community.core.mail.OutboxBackend"  # the true way out, which tests else step round
    dana.set_password("crema-linen-4417")
    dana.save()
    EmailAddress.objects.create(user=dana, email=dana.email, verified=True, primary=True)
    second_factor(dana)
    bob = owners[0]

    # --- Before buying: the product page shows what owners wrote
    ida = visit()
    page = ida.go("/products/duo/")
    for words in (
        "Four years and no regrets", "Cortado for two", "Warm the cups on top", "Does it fit under a low cupboard?",
    ):  # fmt: skip
        expect(page.get_by_text(words).first).to_be_visible()

    # --- She writes first, and joins with a code by mail
    ida.go("/questions/ask/?product=duo")
    page.get_by_label("In one sentence").or_(page.locator("#id_title")).first.fill(TITLE)
    page.locator("[name=body]").fill("The water here is hard, and I filter it. The manual says nothing of the filter.")
    time.go(minutes=2)
    page.get_by_role("button", name="Go on to sign up").click()
    page.get_by_label("Your name").fill("Ida Berg")
    page.get_by_label("User name").fill("ida.berg")
    page.get_by_label("address").fill("ida@example.org")
    page.get_by_role("button", name="Join").click()
    page.wait_for_selector("[name=code]")
    (letter,) = post_goes_out()
    page.locator("[name=code]").fill(code_in(letter))
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("Posted. You hear of every answer.")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    thread = Thread.objects.get(title=TITLE)
    asker = thread.author
    assert (asker.username, thread.product, thread.is_visible) == ("ida.berg", duo, True)
    expect(page.locator(".relay")).to_contain_text("Owners have it until")

    # --- Four hours and nobody: advocates are asked, each once
    time.go(hours=3, minutes=50)
    sweep()
    post_goes_out()
    assert told(bob) == []
    time.go(minutes=10)
    for _twice in range(2):
        sweep()
        post_goes_out()
    for person in owners:
        assert len(told(person)) == 1, told(person)
        assert len(mails_to(person)) == 1, mails_to(person)
    assert told(alice) == [], "nobody has said that Alice knows the Duo"
    assert told(dana) == [], "it is the owners' turn"

    neighbour = visit(bob)
    bobs = neighbour.go("/notifications/")
    expect(bobs.locator(".notices__row")).to_have_count(1)
    bobs.locator(".notices__link").click()
    expect(bobs.get_by_role("heading", level=1)).to_have_text(TITLE)
    bobs.get_by_role("group", name="Vote on the question").get_by_role("button", name="Useful", exact=True).click()
    expect(bobs.get_by_role("group", name="Vote on the question").locator("b")).to_have_text("1")

    # --- Twelve hours and nobody: customer support is told
    time.go(hours=8)
    for _twice in range(2):
        sweep()
        post_goes_out()
    assert told(dana) == ["case_department"]
    assert len(mails_to(dana)) + Delivery.objects.filter(address=support.mailbox).count() >= 1
    assert Event.objects.about(thread).filter(kind="escalation.department_notified").count() == 1
    page.reload()
    expect(page.locator(".relay")).to_contain_text("Customer support")

    # --- An agent comes in by password and code, and finds it on top of her desk
    time.go(hours=9)  # Thursday morning
    cache.clear()
    agent = visit()
    desk = agent.go("/admin/desk/")
    desk.get_by_label("Mail address or name").fill("dana")
    desk.locator("[name=password]").fill("crema-linen-4417")
    desk.locator("main").get_by_role("button", name="Sign in", exact=True).click()
    desk.locator("[name=code]").fill(current_code())
    desk.locator("[name=code]").press("Enter")
    expect(desk).to_have_url(agent.base + "/admin/desk/")
    top = desk.locator(".dsk-queue tbody tr").first
    expect(top).to_contain_text(TITLE)
    top.get_by_role("link").click()
    desk.get_by_role("button", name="Acknowledge").click()
    expect(desk.locator(".dsk-case")).to_contain_text("with you")
    post_goes_out()
    page.reload()
    expect(page.locator(".relay")).to_contain_text("Dana")
    assert told(asker) == ["badge", "acknowledged"], "Bob found the question worth a vote"

    time.go(minutes=30)
    desk.locator("#act-official [name=body]").fill(
        "Every two months with hard water. The drawer at the back holds it; a quarter turn and it is out."
    )
    desk.get_by_role("button", name="Post officially").click()
    expect(desk.locator(".dsk-post--official")).to_contain_text("official for Customer support")

    # --- Ida hears of it and accepts
    post_goes_out()
    assert told(asker) == ["badge", "acknowledged", "official_answer"]
    assert len(mails_to(asker)) >= 2, "the code, and the answer"
    ida.go("/notifications/")
    expect(page.locator(".notices__group--unread").first).to_contain_text("Dana")
    page.locator(".notices__link").first.click()
    expect(page.locator(".post--official")).to_contain_text("Every two months")
    page.get_by_role("button", name="This solved it").click()
    expect(page.locator(".post--accepted.post--official")).to_be_visible()
    expect(page.locator(".thread__head")).to_contain_text("Solved")
    expect(page.locator(".thread__head")).to_contain_text("Official")
    thread.refresh_from_db()
    assert (thread.state, bool(thread.solved_at)) == ("solved", True)
    post_goes_out()
    assert "answer_accepted" in told(dana)

    # --- And the place has grown
    asker.refresh_from_db()
    assert asker.reputation == 13, "1, and 10 for Bob's vote, and 2 for accepting"
    ida.go("/people/ida.berg/")
    expect(page.locator("main")).to_contain_text("13")
    expect(page.get_by_text(Badge.objects.get(slug="first-question").name).first).to_be_visible()
    ida.go("/advocates/leaderboard/")
    expect(page.locator("main")).to_contain_text("Ida Berg")
    expect(page.locator("main")).not_to_contain_text("Dana")
    ida.go("/notifications/")
    expect(page.locator(".notices__group--unread")).to_contain_text("You earned a badge")
    page.get_by_role("button", name="Mark all as read").click()
    expect(page.locator(".notices__group--unread")).to_have_count(0)
    ida.go("/questions/")
    row = page.locator(".trow", has_text=TITLE)
    expect(row).to_contain_text("Solved")
    desk.goto(agent.base + "/admin/desk/")
    expect(desk.locator("main, #main").first).not_to_contain_text(TITLE)
    for one in (ida, neighbour, agent):
        assert one.problems == []

"""A week in the life of a department: what comes in on Friday evening is settled by the next one, and nothing is lost.

Alice writes when customer support has gone home. The weekend counts for nobody's clock. On Monday an agent new to the
desk finds the case on top, reads it, and asks for what is missing; the clocks stand until it comes. She
hands it off to the workshop, and at the end of her shift hands the case to a colleague, who posts what came of it and
answers for the house. Alice says that it solved it, and three days later
that it still does. The department's figures have moved by one case.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from community.accounts.models import Department, User
from community.accounts.services import set_role
from community.core import clock
from community.escalation import check
from community.escalation.models import Channel, Escalation, HandOff
from community.escalation.sweep import sweep
from community.insights import daily
from community.notifications.models import Notification
from community.questions import asking_back
from community.questions.models import FollowUp, Thread
from products.models import Product
from tests import factories

from .conftest import Open, Time, post_goes_out, press

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FRIDAY = datetime(2026, 11, 20, 17, 30, tzinfo=UTC)  # half past six in Berlin, half an hour after closing
TITLE = "Mill 54 trips the fuse when it starts"


@pytest.fixture
def mei(support: Department) -> User:
    mei = factories.a_person("mei", name="Mei Tanaka")
    set_role(mei, None, "agent", support)
    return User.objects.get(pk=mei.pk)


@pytest.fixture
def workshop(transactional_db: None) -> Channel:
    """Where the house's own repairs are kept: another system, reached by mail."""
    return Channel.objects.create(
        slug="workshop", name="Workshop", kind=Channel.Kind.MAIL, address="workshop@example.org"
    )


def minute(time: Time) -> None:
    """What the worker does: sweeps run, twice as if there were two of them, and the post goes out."""
    for _twice in range(2):
        sweep()
        asking_back.run()
    post_goes_out()
    assert check.look()[1] == [], f"something is forgotten at {time.at}"


def on(time: Time, day: int, hour: int, minutes: int = 0) -> None:
    """To a moment of November, in Berlin (an hour before UTC), past every due time on the way."""
    goal = datetime(2026, 11, day, hour - 1, minutes, tzinfo=UTC)
    while (due := _next_due()) is not None and due < goal:
        time.at = max(due, time.at)
        clock.set_now(time.at)
        minute(time)
    time.at = goal
    clock.set_now(goal)
    minute(time)


def _next_due() -> datetime | None:
    rows = Escalation.objects.filter(next_due_at__isnull=False).order_by("next_due_at")
    return rows.values_list("next_due_at", flat=True).first()


def figure(desk: Page, base: str, name: str) -> str:
    desk.goto(f"{base}/admin/insights/")
    return desk.locator(f"section:has(#{name}-h) .fgs-now").inner_text()


def test_a_week_in_the_life_of_a_department(
    visit: Open,
    time: Time,
    transactional_db: None,
    alice: User,
    bob: User,
    duo: Product,
    support: Department,
    dana: User,
    mei: User,
    workshop: Channel,
    second_factor: Callable[[User], None],
) -> None:
    support.hours = {str(day): [["09:00", "18:00"]] for day in range(5)}
    support.save()
    for person in (dana, mei):
        second_factor(person)
    time.at = FRIDAY
    clock.set_now(FRIDAY)

    # --- Friday, half past six: nobody is in
    asker = visit(alice)
    page = asker.go("/questions/ask/?product=duo&kind=problem")
    page.locator("#id_title").fill(TITLE)
    page.locator("[name=body]").fill("New mill. I press the button and the lights are out in the whole flat.")
    time.go(minutes=2)
    page.locator("main form [type=submit]").last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    thread = Thread.objects.get(title=TITLE)
    assert thread.kind == "problem"
    minute(time)

    # --- The weekend: owners are asked, support is told, and nothing is late
    on(time, 22, 20)
    case = Escalation.objects.get(thread=thread)
    assert (case.department, case.late_at) == (support, None)
    assert case.acknowledge_due_at == datetime(2026, 11, 23, 12, 0, tzinfo=UTC), "four hours of Monday"
    assert case.assignee in (dana, mei), "given out by rotation"
    page.reload()
    expect(page.locator(".relay")).to_contain_text("Customer support")

    # --- Monday, half past nine: Dana comes in, new to the desk
    on(time, 23, 9, 30)
    agent = visit(dana)
    desk = agent.go("/admin/")
    home = desk.locator(".dsk-home", has=desk.get_by_role("heading", name="Desk", exact=True))
    expect(home.get_by_role("link", name=TITLE).first).to_be_visible()
    before = figure(desk, agent.base, "acknowledged")
    desk.goto(f"{agent.base}/admin/desk/")
    expect(desk.locator("[data-count=due]")).to_have_text("1")
    expect(desk.locator(".dsk-queue tbody tr").first).to_contain_text("in 3 h 30")
    press(desk, "?")
    expect(desk.get_by_role("dialog")).to_contain_text("next case")
    press(desk, "Escape")
    expect(desk.get_by_role("dialog")).to_have_count(0)
    press(desk, "j")
    expect(desk.locator(".dsk-queue").get_by_role("link", name=TITLE)).to_be_focused()
    press(desk, "x")
    expect(desk.locator("[data-picked]")).to_have_text("Chosen cases: 1")
    press(desk, "x")
    expect(desk.locator("[data-picked]")).to_have_text("Chosen cases: 0")
    press(desk, "Enter")
    expect(desk.locator("h1")).to_have_text(TITLE)
    desk.get_by_role("button", name="Acknowledge").click()
    expect(desk.locator(".dsk-case")).to_contain_text(re.compile("with (you|Mei)"))
    minute(time)
    page.reload()
    expect(page.locator(".relay")).to_contain_text("Dana")

    # --- She asks for what is missing; the clocks stand
    on(time, 23, 10)
    press(desk, "i")
    expect(desk.locator("#act-info textarea").first).to_be_focused()
    desk.keyboard.type("Which serial number does it have?")
    desk.locator("#act-info button[type=submit]").click()
    expect(desk.locator(".dsk-case")).to_contain_text("Paused")
    minute(time)
    desk.goto(f"{agent.base}/admin/desk/?queue=info")
    expect(desk.locator(".dsk-queue tbody tr")).to_have_count(1)
    case.refresh_from_db()
    assert case.is_paused and case.resolve_due_at is not None
    promised = case.resolve_due_at
    on(time, 24, 10)
    page.reload()
    expect(page.locator("main")).to_contain_text("Which serial number does it have?")
    box = page.locator("#answer")
    box.locator("textarea").first.fill("It says M54-2609-0388 on the plate below, and I bought it in October.")
    time.go(minutes=1)
    box.locator("button[type=submit]").first.click()
    expect(page.locator("#thread")).to_contain_text("M54-2609-0388")
    minute(time)
    case.refresh_from_db()
    assert not case.is_paused and case.resolve_due_at is not None and case.resolve_due_at > promised
    assert "customer" in set(case.pauses.values_list("cause", flat=True))

    # --- The workshop must look at it: it goes on by mail, and the thread stays open with its reference
    on(time, 24, 11)
    desk.goto(f"{agent.base}/admin/desk/{thread.pk}/")
    press(desk, "h")
    form = desk.locator("#act-hand-off")
    form.locator("[name=channel]").select_option(value=str(workshop.pk))
    form.locator("[name=note]").fill("Does the board of this one have the new resistor?")
    form.get_by_role("button", name="Hand it over").click()
    expect(desk.locator(".dsk-side")).to_contain_text("Workshop")
    handed = HandOff.objects.get()
    letters = post_goes_out()
    letter = next(letter for letter in letters if letter.to == ["workshop@example.org"])
    assert handed.reference in letter.subject + letter.body
    assert "M54-2609-0388" in letter.body, "she need not say it again"
    minute(time)
    page.reload()
    expect(page.locator("main")).to_contain_text(handed.reference)

    # --- Tuesday evening: her shift ends, and Mei has it
    on(time, 24, 17, 45)
    if case.assignee != dana:
        desk.goto(f"{agent.base}/admin/desk/{thread.pk}/")
        desk.get_by_role("button", name="Take").first.click()
    desk.goto(f"{agent.base}/admin/desk/hand-over/")
    desk.locator("[name=to]").select_option(label=str(mei))
    desk.get_by_label("Note for all of them").fill("She has answered; it is one of the September boards.")
    desk.get_by_role("button", name="Hand over the chosen cases").click()
    expect(desk.locator("h1")).to_have_text("From Dana to Mei Tanaka")
    time.go(minutes=15)
    minute(time)
    assert Notification.objects.filter(recipient=mei, kind="cases_handed").count() == 1

    # --- Wednesday: Mei answers for the house
    on(time, 25, 11)
    colleague = visit(mei)
    hers = colleague.go("/admin/desk/?queue=mine")
    hers.locator(".dsk-queue").get_by_role("link", name=TITLE).click()
    expect(hers.locator(".dsk-hist")).to_contain_text("September boards")
    hers.locator("details:has(> form[action$='/outcome/']) > summary").first.click()
    outcome = hers.locator("form[action$='/outcome/']").first
    outcome.locator("[name=outcome]").fill("The board is one of those without the resistor; a new one is packed.")
    outcome.get_by_role("button").click()
    expect(hers.locator(".dsk-hist")).to_contain_text(f"outcome of {handed.reference} posted")
    minute(time)
    page.reload()
    expect(page.locator("#thread")).to_contain_text("a new one is packed")
    handed.refresh_from_db()
    assert handed.state == HandOff.State.DONE
    hers.goto(f"{colleague.base}/admin/desk/{thread.pk}/")
    hers.locator("#act-official [name=body]").fill(
        "It is the start current of one batch of boards, and ours to fix: a new board is on its way to you."
    )
    hers.get_by_role("button", name="Post officially").click()
    expect(hers.locator(".dsk-post--official")).to_contain_text("official for Customer support")
    minute(time)
    assert Escalation.objects.get(thread=thread).resolved_cause == "official"

    # --- It works; and on Saturday it still does
    on(time, 25, 19)
    page = asker.go(thread.get_absolute_url())
    page.locator(".post--official").get_by_role("button", name="This solved it").click()
    expect(page.locator(".post--accepted.post--official")).to_be_visible()
    minute(time)
    time.go(days=3, minutes=5)
    asking_back.run()
    letter = next(letter for letter in post_goes_out() if "Does it still work?" in letter.subject)
    link = next(link for link in re.findall(r"http://testserver(\S+)", letter.body) if link.endswith("said=yes"))
    page = asker.go(link)
    page.locator("main button[type=submit]").first.click()
    expect(page.get_by_text("You said: Yes")).to_be_visible()
    assert FollowUp.objects.get().answer.thread == thread

    # --- The figures have moved by one case that was acknowledged in time
    daily.catch_up(clock.now())
    after = figure(desk, agent.base, "acknowledged")
    assert before != after and "100" in after, (before, after)
    desk.get_by_role("link", name="The rows behind it").first.click()
    expect(desk.locator("main, #main").first).to_contain_text(TITLE)
    desk.goto(f"{agent.base}/admin/desk/?queue=done")
    expect(desk.locator(".dsk-queue tbody tr").first).to_contain_text(TITLE)
    assert check.look() == (0, [])
    for one in (asker, agent, colleague):
        assert one.problems == []

"""An application from its first line to its end, by its applicant, two judges and a manager; and what follows from it:
the queue, an absence, a tie, the letter and its picture, leaving, a role taken away."""

import os
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from advocates import letters, matching, queue
from advocates import services as advocates
from advocates.models import AdvocateMembership, Application, Ask, Claim, Letter
from community.accounts.models import Department, Standing, User
from community.core import clock
from community.questions import services as questions
from community.questions.models import Answer, Readings
from products.models import Product
from tests import factories

from .conftest import Open, Time, Visit, post_goes_out
from .test_pages import THEMES, violations

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WHY = "I have repaired three of these machines and like to explain how."
WORDS = "Open the steam valve, wait for a minute and close it again. That empties the boiler."
DRIPS, HUMS, COLD = "The wand of my Duo drips", "The pump of my Duo hums", "My Duo does not get hot"
EVERY = [(width, theme) for width in (360, 1280) for theme in THEMES]
BOTH = [(360, "dark"), (1280, "light")]


def holds_up(page: Page, name: str, looks: list[tuple[int, str]] = BOTH, only: str = "") -> None:
    """Nothing to scroll sideways, nothing for axe. SHOTS names a folder for pictures."""
    for width, theme in EVERY if os.environ.get("SHOTS") else looks:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=theme)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} stands out at {width}"
        if (width, theme) in looks:
            assert violations(page, only=only) == [], f"{name}, {width} {theme}"
        if folder := os.environ.get("SHOTS"):
            page.screenshot(path=f"{folder}/{name}-{width}-{theme}.png", full_page=True)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 900})


@pytest.fixture
def judges(transactional_db: None, time: Time, hanna: User, duo: Product) -> list[User]:
    people = [factories.a_person(name, name=name.title()) for name in ("jule", "kim")]
    with clock.travel(datetime(2026, 9, 1, tzinfo=UTC)):
        for person in people:
            advocates.admit(person, hanna, [duo])
    return people


@pytest.fixture
def old(time: Time, transactional_db: None, duo: Product) -> list[Answer]:
    """What settled three questions long ago, by people who take no part."""
    found = []
    with clock.travel(time.at - timedelta(days=90)):
        for what in ("drips from the wand", "is slow to heat", "hums at night"):
            thread = factories.a_thread(product=duo, title=f"The Duo {what}")
            found.append(factories.an_answer(thread))
            questions.accept_answer(found[-1], thread.author)
    return found


def judge_all(visit: Visit, application: Application, last: str) -> Page:
    """A judge finds the trial from their own place, and says of each answer whether it would have helped."""
    page = visit.go("/advocates/mine/")
    page.get_by_role("link", name="1 trial to judge").click()
    page.get_by_role("link", name=f"Trial {application.pk}").click()
    expect(page.locator("main")).to_contain_text("You don't see who applied")
    expect(page.locator("main")).not_to_contain_text("Bob")
    for place, part in enumerate(page.locator("article.prg-item").all()):
        part.get_by_text("What settled it then").click()
        part.get_by_label("Yes" if place < 2 else last, exact=True).check()
    page.locator("article.prg-item input[name^=note]").first.fill("Clear, and in the right order.")
    return page


def test_an_application_from_its_first_line_to_its_end(
    visit: Open, time: Time, second_factor: Callable[[User], None], judges: list[User], old: list[Answer], bob: User,
    hanna: User, duo: Product,
) -> None:  # fmt: skip
    factories.a_product("mill", name="Mill 54")
    # --- Bob reads what it is, and applies for two products; what is missing is said at the field
    applicant = visit(bob)
    page = applicant.go("/advocates/")
    page.locator("#become").get_by_role("link", name="Become an advocate").click()
    expect(page.locator("h1")).to_have_text("Become an advocate")
    page.get_by_label(duo.label, exact=True).check()
    page.get_by_label("Mill 54", exact=True).check()
    page.get_by_label("Why you, and why these?").fill("I like it.")
    page.get_by_role("button", name="Apply and begin the trial").click()
    expect(page.get_by_label("Why you, and why these?")).to_have_value("I like it.")
    expect(page.get_by_label(duo.label, exact=True)).to_be_checked()
    expect(page.locator("[data-error-summary]")).to_contain_text("2 things to mend first.")
    holds_up(page, "apply-refused")
    page.get_by_label("Why you, and why these?").fill(WHY)
    page.get_by_label("I have read the code of conduct").check()
    page.get_by_role("button", name="Apply and begin the trial").click()

    # --- A blind trial: real old questions without their answers; kept, refused while too short, sent
    expect(page.locator("h1")).to_have_text("Your trial")
    boxes = page.locator("textarea[name^=answer-]")
    expect(boxes).to_have_count(2)  # two of each product; the mill has no old ones
    for answer in old:
        expect(page.locator("main")).not_to_contain_text(answer.body_text)
    boxes.first.fill(WORDS)
    page.get_by_role("button", name="Keep it for now").click()
    expect(page.locator("#toasts")).to_contain_text("Kept.")
    expect(boxes.first).to_have_value(WORDS)
    page.get_by_role("button", name="Send to the judges").click()
    expect(page.locator("[data-error-summary]")).to_contain_text("Question 2: Write at least 40 characters.")
    holds_up(page, "trial")
    boxes.nth(1).fill(WORDS)
    page.get_by_role("button", name="Send to the judges").click()
    expect(page.locator("main")).to_contain_text("Two advocates read your answers, without your name")
    application = Application.objects.get()
    told = {mail.to[0]: mail.subject for mail in post_goes_out()}
    assert {told[judge.email] for judge in judges} == {"Would you judge a trial?"}

    # --- Two judges, each blind; what is missing is said, and kept
    first = visit(judges[0])
    page = judge_all(first, application, last="Yes")
    second_yes = page.locator("article.prg-item").nth(1).get_by_label("Yes", exact=True)
    holds_up(page, "judge")
    expect(second_yes).to_be_checked()
    page.get_by_role("button", name="Judge", exact=True).click()
    expect(page.locator("main")).to_contain_text("What the others say is shown when all are done.")
    second = visit(judges[1])
    page = judge_all(second, application, last="Yes")
    expect(page.locator("main")).not_to_contain_text("Clear, and in the right order.")
    page.locator("article.prg-item input[type=radio]").first.evaluate("one => { one.checked = false }")
    page.get_by_role("button", name="Judge", exact=True).click()
    expect(page.locator("main")).to_contain_text("Say whether it would help.")
    expect(page.locator("article.prg-item input[name^=note]").first).to_have_value("Clear, and in the right order.")
    page.locator("article.prg-item").first.get_by_label("Yes", exact=True).check()
    page.get_by_role("button", name="Judge", exact=True).click()
    expect(page.locator("main")).to_contain_text("The two judges agree on 2 of 2 answers: 100 %.")
    expect(page.locator("main")).to_contain_text("Another judge: it would have helped.")
    holds_up(page, "judged")

    # --- The manager sees both judgements and how far they agree, and decides for each product
    second_factor(hanna)
    manager = visit(hanna)
    page = manager.go("/admin/programme/")
    funnel = page.locator("section").filter(has=page.locator("#fun-h"))
    expect(funnel).to_contain_text("wait for your decision: 1")
    holds_up(page, "console", only="main .dsk")
    page.locator(".dsk-tabs").get_by_role("link", name="Applications").click()
    page.get_by_role("link", name="Bob").click()
    expect(page.locator(".dsk")).to_contain_text("The two judges agree on 2 of 2 answers: 100 %.")
    expect(page.locator(".dsk")).to_contain_text("Judge 1: Jule")
    expect(page.locator(".dsk")).to_contain_text("trial passed")
    expect(page.get_by_label("Mill 54")).not_to_be_checked()  # there was no trial on it
    holds_up(page, "application", only="main .dsk")
    page.get_by_label("A line to them").fill("The mill has too few old questions yet.")
    page.get_by_role("button", name="Decide").click()
    expect(page.locator(".dsk")).to_contain_text("Accepted")
    page.goto(f"{manager.base}/admin/programme/")
    expect(funnel.locator("div").filter(has_text="Accepted").first).to_contain_text("100 %")

    # --- Bob is told for which, and reads what the judges said, without their names
    mail = next(one for one in post_goes_out() if one.to == [bob.email])
    assert "Accepted for: Brindle Duo." in mail.body and "Not this time: Mill 54." in mail.body
    page = applicant.go("/advocates/apply/")
    last = page.locator("section").filter(has=page.locator("#last-h"))
    expect(last).to_contain_text("Brindle Duo: accepted")
    expect(last).to_contain_text("Mill 54: not this time")
    expect(last).to_contain_text("Clear, and in the right order.")
    expect(last).not_to_contain_text("Jule")
    holds_up(page, "accepted")
    assert User.objects.get(pk=bob.pk).standing == Standing.ADVOCATE
    assert [*applicant.problems, *first.problems, *second.problems, *manager.problems] == []


def test_a_month_of_an_advocate_and_the_end_of_it(
    visit: Open, time: Time, second_factor: Callable[[User], None], judges: list[User], alice: User, hanna: User,
    support: Department, duo: Product,
) -> None:  # fmt: skip
    jule, kim = judges
    mine = [factories.a_thread(alice, product=duo, title=title) for title in (DRIPS, HUMS, COLD)]
    for thread in mine[:2]:
        matching.asked(thread, [jule])
    with clock.travel(datetime(2026, 10, 3, tzinfo=UTC)):
        answer = factories.an_answer(factories.a_thread(alice, product=duo, title="Why is the Duo so loud?"), jule)
        questions.accept_answer(answer, alice)
    Readings.objects.create(thread=answer.thread, day=date(2026, 10, 9), settled=True, times=1_240)

    # --- The queue: why in this order; one taken, one passed on with a reason
    advocate, other = visit(jule), visit(kim)
    page = advocate.go("/advocates/queue/")
    expect(page.locator(".prg-queue > li")).to_have_count(3)
    expect(page.locator(".prg-queue > li").first).to_contain_text("Asked of you")
    expect(page.locator(".prg-why")).to_contain_text("What was asked of you comes first.")
    holds_up(page, "queue")
    page.locator(f"#q-{mine[0].pk}").get_by_role("button", name="Answer it").click()
    expect(page.locator("h1")).to_have_text(DRIPS)
    theirs = other.go("/advocates/queue/").locator(f"#q-{mine[0].pk}")
    expect(theirs).to_contain_text("Somebody else is writing, for 10 more minutes at most.")
    expect(theirs.get_by_role("button", name="Answer it")).to_have_count(0)
    time.go(minutes=10)
    theirs = other.go("/advocates/queue/").locator(f"#q-{mine[0].pk}")
    expect(theirs.get_by_role("button", name="Answer it")).to_be_visible()
    page = advocate.go("/advocates/queue/")
    page.locator(f"#q-{mine[1].pk} summary").click()
    page.locator(f"#q-{mine[1].pk}").get_by_role("button", name="I don't know").click()
    expect(page.locator("#toasts")).to_contain_text("You will be asked less about this topic")
    expect(page.locator(f"#q-{mine[1].pk}")).to_have_count(0)

    # --- A tie that is over is declared, and stands beside what was written then
    page = advocate.go("/advocates/mine/")
    page.get_by_text("Declare a tie").click()
    page.get_by_label("What ties you to us?").select_option("payment")
    page.get_by_label("In a line, as it will be printed").fill("Paid for a talk in Leeds.")
    page.get_by_label("Since").fill("2026-10-01")
    page.locator("#tie_until").fill("2026-09-01")
    page.get_by_role("button", name="Declare it").click()
    expect(page.locator("#ties")).to_contain_text("It can't end before it began.")
    expect(page.get_by_label("In a line, as it will be printed")).to_have_value("Paid for a talk in Leeds.")
    page.locator("#tie_until").fill("2026-10-31")
    page.get_by_role("button", name="Declare it").click()
    expect(page.locator("#ties")).to_contain_text("Paid for a talk in Leeds.")
    reader = visit()
    page = reader.go(answer.thread.get_absolute_url())
    expect(page.locator(f"#answer-{answer.pk} .post__by")).to_contain_text("Paid for a talk in Leeds.")
    page = reader.go(jule.get_absolute_url())
    expect(page.locator(".prg-neutral")).to_contain_text("100 %")

    # --- The letter of the month: its page, its picture, and that it can be checked
    letters.write_all(date(2026, 10, 1))
    letter = Letter.objects.get(person=jule)
    page = advocate.go("/advocates/mine/")
    page.get_by_role("link", name="October 2026").click()
    expect(page.locator(".prg-letter")).to_contain_text("Dear Jule,")
    expect(page.locator(".prg-letter")).to_contain_text("1,240")
    page.locator(".prg-picture").scroll_into_view_if_needed()
    expect(page.locator(".prg-picture")).to_have_js_property("naturalWidth", 1200)
    holds_up(page, "letter")
    shown = reader.go(letter.get_absolute_url())
    expect(shown.locator("main")).to_contain_text("This letter is genuine.")
    expect(shown.locator("main")).not_to_contain_text("To share, if you like")
    address = letter.get_absolute_url()
    assert reader.page.request.get(reader.base + address.replace(f"{letter.pk}:", "999:")).status == 404

    # --- Away: what was asked goes to who stands in
    page = advocate.go("/advocates/mine/#away")
    page.get_by_text("Go away for a while").click()
    page.get_by_label("Who stands in for you").select_option(label="Kim")
    page.locator("#away_until").fill("2026-11-01")
    page.get_by_role("button", name="I am away").click()
    expect(page.locator("#away")).to_contain_text("Choose a day that lies ahead.")
    page.locator("#away_until").fill("2026-12-24")
    page.get_by_role("button", name="I am away").click()
    expect(page.locator("#away")).to_contain_text("Kim stands in for you.")
    holds_up(page, "mine-away")
    assert Ask.objects.get(person=kim).thread == mine[0]
    page = advocate.go("/advocates/queue/")
    expect(page.locator("main")).to_contain_text("You are away, and nobody asks you.")
    expect(page.get_by_role("button", name="Answer it")).to_have_count(0)
    expect(other.go("/advocates/queue/").locator(f"#q-{mine[0].pk}")).to_contain_text("Asked of you")
    page = advocate.go("/advocates/mine/")
    page.get_by_role("button", name="I am back").click()
    expect(page.locator("#toasts")).to_contain_text("Welcome back.")

    # --- Why is she first? The manager reads it; then a role ends with a reason, and another with honours
    second_factor(hanna)
    manager = visit(hanna)
    page = manager.go("/admin/programme/routing/")
    page.locator("tr", has_text=COLD).get_by_role("link", name="Why?").click()
    first = queue.ranking.rank([mine[2]])[mine[2].pk][0]
    expect(page.locator("h1")).to_have_text(f"Why {first.member.user} is first")
    expect(page.locator(".dsk")).to_contain_text("the most of all who can be asked")
    holds_up(page, "why", only="main .dsk")
    page = advocate.go("/advocates/mine/")
    page.get_by_text("Leave the programme").click()
    page.get_by_label("I am sure.").check()
    page.get_by_role("button", name="Leave with our thanks").click()
    expect(page.locator("main")).to_contain_text("Former advocate, until November 2026. Thank you.")
    page = manager.go(f"/admin/programme/ending/{AdvocateMembership.objects.get(user=kim).pk}/")
    page.get_by_label("Why, in 20 characters").fill("Rude.")
    page.get_by_role("button", name="Take the role away").click()
    expect(page.locator("[role=alert]")).to_contain_text("20 characters or more")
    expect(page.get_by_label("Why, in 20 characters")).to_have_value("Rude.")
    page.get_by_label("Why, in 20 characters").fill("Was rude to newcomers, twice, after a warning.")
    holds_up(page, "ending", only="main .dsk")
    page.get_by_role("button", name="Take the role away").click()
    page = other.go("/advocates/mine/")
    expect(page.locator("main")).to_contain_text("Was rude to newcomers, twice, after a warning.")
    page = reader.go("/advocates/")
    expect(page.locator("main")).to_contain_text("With our thanks")
    expect(page.locator("main")).to_contain_text("Jule")
    expect(page.locator("main")).not_to_contain_text("Kim")
    assert not Claim.objects.exists()
    assert [*advocate.problems, *other.problems, *reader.problems, *manager.problems] == []

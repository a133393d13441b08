"""An agent new to the desk settles a case without help: by keys, with a saved reply, and nothing typed is lost."""

import os
from collections.abc import Callable, Sequence

import pytest
from playwright.sync_api import Page, expect

from community.accounts.models import Department, User
from community.accounts.services import set_role
from community.core import clock
from community.escalation import claims, clusters, handoffs, promises, replies
from community.escalation.models import Channel, Escalation, HandOff, SavedReply
from community.escalation.services import pause, resume
from community.posts.models import Draft
from community.questions.models import Answer
from community.search import documents
from products.models import Product
from tests import factories

from .conftest import Open, Time, press
from .test_pages import THEMES, violations

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TITLE = "The Duo trips the fuse when it starts"
SAID = "The board of your Brindle Duo is ours to mend. You can read how in the paper that came with it."


EVERY = [(width, theme) for width in (360, 1280) for theme in THEMES]


def holds_up(page: Page, name: str, looks: Sequence[tuple[int, str]] = EVERY) -> None:
    """Nothing to scroll sideways, nothing for axe. SHOTS names a folder for pictures."""
    for width, theme in looks:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=theme)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} stands out at {width}"
        assert violations(page, only="main .dsk") == [], f"{name}, {width} {theme}"
        if folder := os.environ.get("SHOTS"):
            page.screenshot(path=f"{folder}/{name}-{width}-{theme}.png", full_page=True)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 900})


def test_a_case_by_keyboard_from_opening_to_settled(
    visit: Open, time: Time, second_factor: Callable[[User], None], alice: User, bob: User, dana: User, duo: Product,
    support: Department, hanna: User,
) -> None:  # fmt: skip
    second_factor(dana)
    mei = factories.a_person("mei", name="Mei Tanaka")
    set_role(mei, None, "agent", support)
    mei = User.objects.get(pk=mei.pk)
    body = "Thank you, {first_name}. The [part] of your {product} is ours to mend."
    replies.save(SavedReply(slug="mend", title="It is ours to mend", body=body), hanna)
    handoffs.save_channel(Channel(slug="phone", name="a call back", kind="call"), hanna)
    thread = factories.a_thread(
        alice, product=duo, kind="problem", title=TITLE,
        body="New Duo. Press the button, lights out in the whole flat. Other sockets, same thing.",
        private={"serial": "M54-2609", "phone": "030 1234", "call_when": "after 17:00"},
    )  # fmt: skip
    factories.an_answer(thread, bob, body="Start current, not a fault in your flat. Does it trip when it is cold?")
    other = factories.a_thread(
        factories.a_person("nils"), product=duo, kind="problem", title="Duo trips the fuse in the morning"
    )
    documents.index_changes()

    # --- Found and opened by keys; who has it stands on top
    agent = visit(dana, viewport={"width": 1280, "height": 900})
    page = agent.go("/admin/desk/?queue=department")
    press(page, "?")
    expect(page.get_by_role("dialog")).to_contain_text("next case")
    # Fast fingers: the next keys come in the moment of closing, while the sheet still has the focus.
    page.evaluate("""() => {
      document.querySelector("dialog[open]").close();
      for (const key of ["j", "x", "j", "k"])
        document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
    }""")
    expect(page.locator("[data-picked]")).to_have_text("Chosen cases: 1")
    expect(page.locator(".dsk-queue tbody tr").first.locator("th a")).to_be_focused()
    if TITLE not in page.evaluate("document.activeElement.textContent"):
        press(page, "j")
    expect(page.locator(".dsk-queue").get_by_role("link", name=TITLE)).to_be_focused()
    press(page, "Enter")
    expect(page.locator("h1")).to_have_text(TITLE)
    expect(page.locator(".dsk-head")).to_contain_text("with nobody")
    press(page, "a")
    expect(page.locator(".dsk-head")).to_contain_text("with you")
    promises.make(thread, mei, text="Word from Design on the board", due_at=time.at.replace(day=20))
    pause(thread, dana, "workshop")
    time.go(hours=2)
    resume(thread, dana)
    press(page, "v")
    expect(page.locator(".dsk-private")).to_contain_text("M54-2609")
    expect(page.locator(".dsk-side")).to_contain_text("In the workshop: 2 h")
    press(page, "?")
    expect(page.get_by_role("dialog")).to_contain_text("promise something by a day")
    press(page, "Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("[data-alike]")).to_contain_text(other.title)
    holds_up(page, "case")

    # --- The wrong key: Escape takes it back, and the next one does what it says
    press(page, "p")
    expect(page.locator("#pause_cause")).to_be_focused()
    press(page, "Escape")
    assert page.locator(".dsk-act[open]").count() == 0

    # --- Handed off, and what came of it
    press(page, "h")
    page.locator("#hand-off_channel").select_option(index=1)
    page.locator("#hand-off_note").fill("Ring her after five, please.")
    page.locator("#hand-off_note").press("Control+Enter")
    expect(page.locator(".dsk-side")).to_contain_text(HandOff.objects.get().reference)

    # --- A colleague writes already: that is said, and what was typed comes back
    press(page, "c")  # what she wrote to the phone has claimed it
    expect(page.locator(".messages").first).to_contain_text("Colleagues can answer it again.")
    claims.claim(thread, mei)
    press(page, "o")
    expect(page.locator("#official_body")).to_be_focused()
    page.keyboard.type("Dear Alice, please help. ")
    assert page.locator(".dsk-act[open]").count() == 0, "no key fires while somebody writes"
    expect(page.locator("[data-claim]")).to_contain_text("Mei Tanaka is answering this case just now")
    field = page.locator("#official_body")
    field.press("Control+Enter")
    expect(page.locator("#act-official [role=alert]")).to_contain_text("Mei Tanaka")
    expect(field).to_have_value("Dear Alice, please help. ")
    expect(page.locator("[data-kept]")).to_have_text("Draft kept.")
    assert Draft.objects.get().data["body"] == "Dear Alice, please help. "
    claims.release(thread, mei)

    # --- A saved reply; what it leaves open is asked for
    field.fill("")
    page.wait_for_load_state("load")
    page.locator("[data-replies]").select_option(label="It is ours to mend")
    page.locator("[data-insert]").click()
    expect(field).to_have_value("Thank you, Alice. The [part] of your Brindle Duo is ours to mend.")
    expect(page.locator("[data-claim]")).to_contain_text("You answer it alone")
    page.locator(f"input[type=checkbox][name=threads][value='{other.pk}']").check()
    field.press("Control+Enter")
    expect(page.locator("#official_body_error")).to_contain_text("Still to be put in: [part].")
    expect(page.locator(f"input[type=checkbox][name=threads][value='{other.pk}']")).to_be_checked()
    holds_up(page, "refused", [(360, "dark"), (1280, "light")])

    # --- Sent to both, with where it is from and when to look again
    field.fill(SAID)
    page.locator("#official_sources").fill("Service paper 14")
    page.locator("#official_recheck_on").fill("2027-03-01")
    field.press("Control+Enter")
    expect(page.locator(".messages").first).to_contain_text("1 other thread")
    expect(page.locator(".dsk-head")).to_contain_text("Answered officially")
    given = Answer.objects.get(thread=thread, author=dana)
    assert (given.official_sources, str(given.recheck_on)) == (["Service paper 14"], "2027-03-01")
    assert not Escalation.objects.get(thread=thread).is_open and not Draft.objects.exists()
    assert clusters.post_waiting() == 1
    page.get_by_role("button", name="Kept").click()
    expect(page.locator(".messages").first).to_contain_text("Kept.")

    # --- The next one is settled without an answer
    third = factories.a_thread(factories.a_person("ole"), product=duo, kind="problem", title="Is the Duo loud?")
    page.goto(f"{agent.base}/admin/desk/{third.pk}/")
    press(page, "e")
    page.locator("#resolve_cause").select_option("private")
    page.locator("#resolve_note").fill("Spoke on the phone.")
    page.locator("#resolve_note").press("Control+Enter")
    expect(page.locator(".dsk-head")).to_contain_text("Settled with the customer directly")
    assert Escalation.objects.get(thread=third).resolved_at == clock.now()
    refused = [problem for problem in agent.problems if not problem.startswith("409: ")]  # the claim she was told of
    assert refused == [] and agent.problems

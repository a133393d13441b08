"""Every kind of page, as eyes and machines meet it: at 360 and 1280, light and dark.

No violations of axe, nothing in the console, nothing refused by the policy, nobody asked but us, nothing to scroll
sideways. The words are chosen to be unkind: long ones, right to left ones, and products without a picture.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from allauth.mfa.models import Authenticator
from axe_playwright_python.sync_playwright import Axe
from django.core.cache import cache
from playwright.sync_api import Browser, BrowserContext, Page
from pytest_django.live_server_helper import LiveServer
from pytest_django.plugin import DjangoDbBlocker

from advocates import services as advocates
from community.accounts.models import User
from community.accounts.services import set_role
from community.escalation.sweep import sweep
from community.moderation import services as moderation
from community.pages import services as pages
from community.posts import services as posts
from community.questions import services as questions
from community.search import documents
from reviews import services as reviews
from tests import factories, primed
from tests.conftest import WEDNESDAY
from tests.products.pages import a_product_page

from .conftest import SECRET, Time, Visit, opener, post_goes_out

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

# Whatever stands out of the window, and is not in a box that scrolls by itself.
TOO_WIDE = """() => {
  const wide = document.documentElement.clientWidth, found = [];
  for (const one of document.body.querySelectorAll("*")) {
    if (one.getBoundingClientRect().right <= wide + 1) continue;
    let box = one.parentElement;
    while (box && getComputedStyle(box).overflowX === "visible") box = box.parentElement;
    if (!box || box === document.documentElement || box === document.body)
      found.push(one.tagName.toLowerCase() + "." + one.className);
  }
  return found.slice(-4).join(" < ");
}"""
SIZES = ((1280, 900), (360, 740))
THEMES = ("light", "dark")
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
ARABIC = "لماذا تقطر آلة القهوة في الليل عندما تكون مغلقة؟"
BODY = (
    f"It drips. {LONG}{LONG}\n\n| day | drops |\n|---|---|\n| Monday | 12 |\n\n> Somebody said so.\n\n"
    f"```\nvalve --open --{'x' * 140}\n```\n\n1. Open it.\n2. Close it.\n\nhttps://example.org/{'a' * 90}"
)
ARTICLE = {
    "title": "Descaling the Duo", "slug": "descaling", "summary": "When and how.", "owner": "bob",
    "department": "support", "products": ["duo"], "search_terms": ["limescale"], "days_ago": 40,
    "last_checked_days_ago": 10, "review_in_days": 5, "helpful": {"yes": 3, "no": 1},
    "changes": [{"days_ago": 10, "by": "bob", "summary": "Two tanks now."}], "credit": ["alice"],
}  # fmt: skip
HOME = {
    "hero": {"title": "Better coffee, together.", "lead": "At one table.", "ask_label": "What would you like to know?"},
    "phases": [
        {"title": "Before", "lead": "Look.", "points": ["Ask"], "action": {"label": "Products", "url": "/products/"}}
    ],
    "promises": {"title": "What we promise", "items": [{"title": "Nothing is forgotten", "body": "Ever."}]},
    "how_it_works": {"title": "How it works", "steps": [{"title": "You ask", "body": "One line."}]},
    "closing": {"title": "No machine yet?", "body": "You are welcome."},
}


def a_town(time: Time, folder: Path) -> dict[str, str]:
    """A small community with one of everything. Returns the addresses that have a number in them."""
    support = factories.a_department("support", name="Customer support", mailbox="support@example.org")
    duo = factories.a_product("duo", name="Brindle Duo", short_name="Duo")
    bare = factories.a_product("bare", name=f"Brindle {LONG}")
    alice, bob, charlie, dana, ravi, hanna = (
        factories.a_person(name) for name in ("alice", "bob", "charlie", "dana", "ravi", "hanna")
    )
    set_role(dana, None, "agent", support)
    set_role(ravi, None, "moderator")
    set_role(hanna, None, "community-manager")
    dana, ravi, hanna = (User.objects.get(pk=person.pk) for person in (dana, ravi, hanna))
    for person in (dana, ravi, hanna):
        Authenticator.objects.create(user=person, type=Authenticator.Type.TOTP, data={"secret": SECRET})
    advocates.admit(bob, hanna, [duo])
    advocates.declare_interest(bob, bob, kind="payment", line="Paid once for a water test.", since=time.at.date())
    a_product_page(folder, duo)
    a_product_page(folder, bare, gallery=[])
    pages.save_home(HOME, changes=[{"you_said": "It drips.", "we_did": "A new seat.", "url": "/"}])
    pages.save_help_article(
        ARTICLE, "Read this.\n\n> **Warning.** Hot.\n\n## When\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    )

    time.go(hours=1)
    factories.a_tag("steam")
    factories.a_tag("valve")
    drips = factories.a_thread(
        alice, kind="problem", title=f"It drips {LONG}"[:150], body=BODY, product=duo, tags=["steam", "valve"],
        private={"serial": "DU2031877"},
    )  # fmt: skip
    time.go(hours=13)
    sweep()
    solved = factories.a_thread(alice, product=duo, title="Does it fit under a cupboard?")
    answer = factories.an_answer(solved, bob, body=BODY)
    questions.vote_answer(answer, charlie, 1)
    posts.comment(answer, charlie, body=f"Thank you. {LONG}")
    questions.accept_answer(answer, alice)
    settled = factories.a_thread(charlie, product=duo, title="How long is the warranty?")
    factories.an_answer(settled, dana, official_for=support)
    factories.a_thread(charlie, title=ARABIC, body=f"{ARABIC} {ARABIC}", language="ar")
    idea = factories.a_thread(bob, kind="idea", title="A lid for the bare one", product=bare)
    questions.vote_thread(idea, alice, 1)
    review = factories.a_review(bob, duo, title=LONG, did_well="Steam", stars=5)
    reviews.find_helpful(review, alice, True)
    reviews.respond(review, dana, support, "Thank you for every word of it.")
    recipe = factories.a_recipe(bob, title=f"Cortado {LONG}"[:120], products=[duo])
    tip = factories.a_tip(charlie, title="Warm the cups on top", product=duo)
    gone = factories.a_thread(charlie, title="Never mind this one")
    moderation.delete(gone, charlie, reason="asked twice")
    moderation.flag(solved, charlie, reason="off_topic", note=LONG)
    post_goes_out()
    documents.index_changes()
    return {
        "drips": drips.get_absolute_url(),
        "solved": solved.get_absolute_url(),
        "settled": settled.get_absolute_url(),
        "idea": idea.get_absolute_url(),
        "review": review.get_absolute_url(),
        "recipe": recipe.get_absolute_url(),
        "tip": tip.get_absolute_url(),
        "gone": gone.get_absolute_url(),
        "edit": f"/questions/thread/{drips.pk}/edit/",
        "history": f"/questions/thread/{drips.pk}/history/",
        "flag": f"/posts/answer/{answer.pk}/flag/",
        "official": f"/questions/answer/{answer.pk}/official/",
        "case": f"/admin/desk/{drips.pk}/",
    }


@pytest.fixture(scope="module")
def town(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, dict[str, str]]]:
    """The small community, served; made once for all tests of this file, which only look."""
    with django_db_blocker.unblock(), primed.kept():
        time = Time(WEDNESDAY)
        server = LiveServer("localhost")
        try:
            yield server.url, a_town(time, tmp_path_factory.mktemp("pictures"))
        finally:
            server.stop()
            time.end()
            cache.clear()


@pytest.fixture(scope="module")
def browsers(browser: Browser, town: tuple[str, dict[str, str]]) -> Iterator[Callable[[str], Visit]]:
    """A browser for each person, opened once."""
    opened: list[BrowserContext] = []
    open_one = opener(browser, town[0], opened)
    kept: dict[str, Visit] = {}

    def of(username: str) -> Visit:
        if username not in kept:
            kept[username] = open_one(User.objects.get(username=username) if username else None)
        return kept[username]

    yield of
    for context in opened:
        context.close()


PAGES: list[tuple[str, str, int]] = [  # who looks, where (or the name of an address), and the status
    ("", "/", 200),
    ("alice", "/", 200),
    ("", "/products/", 200),
    ("", "/products/duo/", 200),
    ("alice", "/products/duo/", 200),
    ("", "/products/bare/", 200),
    ("", "/products/compare/?a=duo&b=bare", 200),
    ("", "/questions/", 200),
    ("", "/questions/?show=unanswered&state=solved", 200),
    ("", "/ideas/", 200),
    ("", "drips", 200),
    ("alice", "solved", 200),
    ("dana", "solved", 200),
    ("", "settled", 200),
    ("charlie", "idea", 200),
    ("", "/questions/ask/", 200),
    ("alice", "/questions/ask/?product=duo&title=It+drips", 200),
    ("alice", "edit", 200),
    ("alice", "history", 200),
    ("alice", "flag", 200),
    ("dana", "official", 200),
    ("", "/recipes/", 200),
    ("", "recipe", 200),
    ("alice", "recipe", 200),
    ("alice", "/recipes/new/", 200),
    ("", "/tips/", 200),
    ("alice", "tip", 200),
    ("alice", "/tips/new/", 200),
    ("", "/reviews/", 200),
    ("alice", "review", 200),
    ("alice", "/reviews/write/duo/", 200),
    ("", "/reviews/policy/", 200),
    ("", "/reviews/figures/", 200),
    ("", "/help/", 200),
    ("", "/help/descaling/", 200),
    ("", "/about/", 200),
    ("", "/advocates/", 200),
    ("", "/advocates/leaderboard/", 200),
    ("", "/advocates/how-points-work/", 200),
    ("", "/badges/", 200),
    ("", "/badges/first-answer/", 200),
    ("", "/people/bob/", 200),
    ("bob", "/people/bob/points/", 200),
    ("", "/search/?q=drips", 200),
    ("", "/search/?q=zebrafish", 200),
    ("", "/search/", 200),
    ("alice", "/notifications/", 200),
    ("charlie", "/notifications/", 200),
    ("alice", "/settings/", 200),
    ("alice", "/settings/notifications/", 200),
    ("alice", "/settings/username/", 200),
    ("alice", "/accounts/email/", 200),
    ("alice", "/accounts/2fa/", 200),
    ("", "/accounts/login/", 200),
    ("", "/accounts/signup/", 200),
    ("", "/accounts/login/code/", 200),
    ("", "/language/", 200),
    ("alice", "/admin/desk/", 403),
    ("", "/questions/999999/", 404),
    ("", "gone", 410),
    ("dana", "/admin/desk/", 200),
    ("dana", "case", 200),
    ("ravi", "/admin/moderation/", 200),
]


@pytest.mark.parametrize(("who", "where", "status"), PAGES, ids=[f"{who or 'visitor'} {at}" for who, at, _ in PAGES])
def test_page(
    town: tuple[str, dict[str, str]], browsers: Callable[[str], Visit], who: str, where: str, status: int
) -> None:
    visit = browsers(who)
    visit.problems.clear()
    page = visit.page
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    answer = page.goto(town[0] + town[1].get(where, where))
    assert answer is not None
    assert answer.status == status, page.locator("h1").all_inner_texts()
    found = [*visit.problems, *heads(page)]
    staff = "/admin/" in page.url
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        sideways = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if sideways > 0 and not (staff and width < 1000):
            found.append(f"{width}: scrolls {sideways} px sideways, by {page.evaluate(TOO_WIDE)}")
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            found += [f"{width} {theme}: {problem}" for problem in violations(page, only="main .dsk" if staff else "")]
    assert found == []


def violations(page: Page, only: str = "") -> list[str]:
    """What axe objects to. In the admin only our own part is asked about: the rest is Wagtail's."""
    inside = only.split()[-1] if only else ""
    context = inside if inside and page.locator(inside).count() else None
    asked = {"resultTypes": ["violations"], "runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]}
    found = Axe().run(page, context=context, options=asked).response["violations"]
    problems = []
    for one in found:
        for node in one["nodes"][:3]:
            why = " ".join((node.get("failureSummary") or "").split())
            problems.append(f"{one['id']} ({one['impact']}): {node['html'][:160]} {why[:200]}")
    return problems


def heads(page: Page) -> list[str]:
    """What every page has once, and never."""
    problems = []
    if (headings := page.locator("h1").count()) != 1:
        problems.append(f"{headings} headings of the first level")
    if not page.title().strip(" ·"):
        problems.append("no title")
    if "/admin/" not in page.url and (inline := page.locator("main [style], main style").count()):
        problems.append(f"{inline} inline styles")
    return problems

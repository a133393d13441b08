import json
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from community.accounts.models import User
from community.pages import services
from community.pages.models import ContentPage, HomePage
from community.posts.models import Follow
from community.questions.models import Thread
from products.models import Product
from tests import factories
from tests.products.pages import a_picture, a_product_page

HOME = {
    "hero": {"title": "Better coffee, together.", "lead": "At one table.", "ask_label": "What would you like to know?"},
    "phases": [
        {
            "title": "Before",
            "lead": "Look.",
            "points": ["Ask an owner"],
            "action": {"label": "Products", "url": "/products/"},
        }
    ],
    "promises": {"title": "What we promise", "items": [{"title": "Nothing is forgotten", "body": "Ever."}]},
    "how_it_works": {"title": "How it works", "steps": [{"title": "You ask", "body": "One line."}]},
    "closing": {"title": "No machine yet?", "body": "You are welcome."},
}


def test_a_new_site_has_its_doors(client: Client, db: None) -> None:
    for address in ("/", "/products/", "/help/", "/about/", "/products/compare/", "/robots.txt", "/sitemap.xml"):
        assert client.get(address).status_code == 200, address


def test_the_tree_is_made_once(db: None) -> None:
    before = services.ensure_tree()
    assert services.ensure_tree() == before
    assert HomePage.objects.count() == 1


def test_home_says_what_editors_wrote(client: Client, db: None, tmp_path: Path) -> None:
    picture = services.save_image(a_picture(tmp_path), "Home", "A machine on a counter.")
    services.save_home(HOME, image=picture, changes=[{"you_said": "It drips.", "we_did": "A new seat.", "url": "/"}])
    html = client.get("/").content.decode()
    for words in (
        "Better coffee, together.",
        "Ask an owner",
        "Nothing is forgotten",
        "You ask",
        "It drips.",
        "No machine yet?",
    ):
        assert words in html
    assert 'alt="A machine on a counter."' in html
    assert 'action="/questions/ask/"' in html and 'name="title"' in html


def test_home_saved_again_writes_nothing(db: None) -> None:
    services.save_home(HOME)
    with CaptureQueriesContext(connection) as asked:
        services.save_home(HOME)
    assert [one["sql"] for one in asked if one["sql"].split()[0] in ("INSERT", "UPDATE", "DELETE")] == []


def test_home_asks_no_more_with_more_products(client: Client, db: None, tmp_path: Path) -> None:
    def asked() -> int:
        client.get("/")
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/").status_code == 200
        return len(queries)

    a_product_page(tmp_path)
    one = asked()
    for _each in range(7):
        a_product_page(tmp_path)
    assert asked() == one <= 20


def test_a_plain_page_with_sections(client: Client, db: None) -> None:
    data = {
        "slug": "points",
        "title": "How points work",
        "intro": "By others.",
        "sections": [
            {
                "heading": "What counts",
                "body": "Each **line**.",
                "table": {"columns": ["A", "B"], "rows": [["x", "+10"]]},
            }
        ],
    }
    page = services.save_content_page(data)
    html = client.get("/about/points/").content.decode()
    assert '<h2 id="what-counts">What counts</h2>' in html and "<b>line</b>" in html and "+10" in html
    assert "/about/points/" in client.get("/about/").content.decode()
    revision = page.latest_revision_id
    assert services.save_content_page(data).latest_revision_id == revision
    assert ContentPage.objects.filter(slug="points").count() == 1


def test_a_picture_is_kept_once(db: None, tmp_path: Path) -> None:
    first = services.save_image(a_picture(tmp_path), "Front")
    again = services.save_image(a_picture(tmp_path), "Front", "The front.")
    assert first.pk == again.pk and again.alt == "The front."


def test_following_a_product(client: Client, duo: Product, alice: User, tmp_path: Path) -> None:
    a_product_page(tmp_path, duo)
    assert client.get("/products/duo/follow/").status_code == 405
    assert client.post("/products/duo/follow/", {"on": "1"}).status_code == 302
    assert not Follow.objects.exists()
    client.force_login(alice)
    client.post("/products/duo/follow/", {"on": "1"})
    client.post("/products/duo/follow/", {"on": "1"})
    assert Follow.objects.filter(user=alice).count() == 1
    assert "Following" in client.get("/products/duo/").content.decode()
    client.post("/products/duo/follow/", {"on": ""})
    assert not Follow.objects.exists()


def test_the_map_lists_what_everybody_may_see(client: Client, thread: Thread) -> None:
    hidden = factories.a_thread()
    Thread.objects.filter(pk=hidden.pk).update(visibility="hidden")
    found = client.get("/sitemap-questions.xml").content.decode()
    assert thread.get_absolute_url() in found and hidden.get_absolute_url() not in found
    assert "sitemap-questions.xml" in client.get("/sitemap.xml").content.decode()
    assert "Disallow: /admin/" in client.get("/robots.txt").content.decode()


@pytest.mark.parametrize("address", ["/nothing/", "/help/nothing/", "/about/nothing/"])
def test_unknown_is_not_found(client: Client, db: None, address: str) -> None:
    assert client.get(address).status_code == 404


@pytest.mark.django_db
def test_the_demo_is_written_as_we_read_it() -> None:
    """The files that the loader will hand to these services parse into blocks without losing a table or warning."""
    folder = Path(__file__).resolve().parents[2] / "demo" / "help"
    for file in folder.glob("*.md"):
        body = file.read_text(encoding="utf-8").split("---\n", 2)[2]
        kinds = [block["type"] for block in services.blocks_from_markdown(body)]
        assert kinds.count("table") == body.count("\n|---"), file.name
        assert kinds.count("warning") == len([line for line in body.splitlines() if line.startswith("> **")]), file.name
        json.dumps(kinds)

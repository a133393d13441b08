import datetime
import json
import re
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from wagtail.models import PageViewRestriction

from community.accounts.models import User
from community.core import clock
from community.events.models import Event
from community.pages import services
from community.pages.models import HelpArticlePage, HelpVote
from community.questions.models import Thread
from products.models import Product
from tests import factories
from tests.conftest import WEDNESDAY
from tests.products.pages import a_product_page

BODY = "Read this.\n\n> **Warning.** Let it cool.\n\n## When\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"


def front(**told: object) -> dict[str, object]:
    return {
        "title": "Descaling the Duo",
        "slug": "descaling",
        "summary": "When and how.",
        "owner": "bob",
        "department": "support",
        "products": ["duo"],
        "search_terms": ["limescale"],
        "days_ago": 40,
        "last_checked_days_ago": 10,
        "review_in_days": 5,
        "helpful": {"yes": 3, "no": 1},
        "changes": [{"days_ago": 10, "by": "bob", "summary": "Two tanks now."}],
        "credit": ["alice"],
        **told,
    }


@pytest.fixture
def article(wednesday: object, support: object, alice: User, bob: User, duo: Product) -> HelpArticlePage:
    return services.save_help_article(front(), BODY)


def test_it_says_who_keeps_it_and_since_when(client: Client, article: HelpArticlePage) -> None:
    html = client.get("/help/descaling/").content.decode()
    for words in ("Kept right by Bob", "8 Nov 2026", "Two tanks now.", "Alice", "Let it cool.", "Brindle Duo"):
        assert words in html
    data = json.loads(re.findall(r'<script type="application/ld\+json">(.*?)</script>', html)[0])
    assert (data["@type"], data["headline"], data["dateModified"]) == ("Article", "Descaling the Duo", "2026-11-08")


def test_it_is_listed_by_product_and_on_the_products_page(
    client: Client, article: HelpArticlePage, duo: Product, tmp_path: Path
) -> None:
    assert "Descaling the Duo" in client.get("/help/").content.decode()
    other = factories.a_product("other", name="Other")
    for product in (duo, other):
        a_product_page(tmp_path, product)
    assert 'href="/help/descaling/"' in client.get("/products/duo/").content.decode()
    assert 'href="/help/descaling/"' not in client.get("/products/other/").content.decode()


def test_a_guarded_article_is_named_nowhere(
    client: Client, article: HelpArticlePage, duo: Product, alice: User, tmp_path: Path
) -> None:
    """Not on the product's page, which keeps its list for an hour, not in the list of help, not beside another."""
    a_product_page(tmp_path, duo)
    beside = services.save_help_article(front(slug="rinsing", title="Rinsing", products=[]), BODY)
    beside.related_articles.add(article)
    beside.save()
    pages = ("/products/duo/", "/help/", "/help/rinsing/")
    assert all('href="/help/descaling/"' in client.get(address).content.decode() for address in pages)
    guard = PageViewRestriction.objects.create(page=article, restriction_type=PageViewRestriction.LOGIN)
    for address in pages:
        html = client.get(address).content.decode()
        assert "Descaling the Duo" not in html, address
    assert "When and how." not in client.get("/products/duo/").content.decode()
    guard.delete()
    assert 'href="/help/descaling/"' in client.get("/products/duo/").content.decode()
    # A guard over all of help is passed by whoever reads its list; the products' pages are for everybody.
    PageViewRestriction.objects.create(page=article.get_parent(), restriction_type=PageViewRestriction.LOGIN)
    assert 'href="/help/descaling/"' not in client.get("/products/duo/").content.decode()
    client.force_login(alice)
    assert 'href="/help/descaling/"' in client.get("/help/").content.decode()


def test_it_says_when_it_is_overdue(client: Client, article: HelpArticlePage) -> None:
    assert "due for another look" not in client.get("/help/descaling/").content.decode()
    with clock.travel(WEDNESDAY + datetime.timedelta(days=6)):
        assert "due for another look" in client.get("/help/descaling/").content.decode()


def test_saving_again_writes_nothing(article: HelpArticlePage) -> None:
    with CaptureQueriesContext(connection) as asked:
        services.save_help_article(front(), BODY)
    written = [one["sql"] for one in asked if one["sql"].split()[0] in ("INSERT", "UPDATE", "DELETE")]
    assert written == []


def test_changing_a_word_publishes_it_again(article: HelpArticlePage) -> None:
    services.save_help_article(front(summary="When, how, and why."), BODY)
    assert HelpArticlePage.objects.get().summary == "When, how, and why."
    assert Event.objects.filter(kind="help_article.published").count() == 2


def test_unpublished_is_not_found_and_recorded(client: Client, article: HelpArticlePage) -> None:
    article.unpublish()
    assert client.get("/help/descaling/").status_code == 404
    assert client.post("/help/descaling/did-this-help/", {"helpful": "yes"}).status_code == 404
    assert Event.objects.filter(kind="help_article.withdrawn").count() == 1


def test_threads_beside_it_are_those_one_may_see(client: Client, article: HelpArticlePage, thread: Thread) -> None:
    services.save_help_article(front(related_threads=[thread]), BODY)
    assert thread.title in client.get("/help/descaling/").content.decode()
    Thread.objects.filter(pk=thread.pk).update(visibility="hidden")
    assert thread.title not in client.get("/help/descaling/").content.decode()


def test_one_answer_a_person_that_can_be_changed(client: Client, article: HelpArticlePage, alice: User) -> None:
    client.force_login(alice)
    for said in ("yes", "yes", "no"):
        assert client.post("/help/descaling/did-this-help/", {"helpful": said}).status_code == 302
    assert HelpVote.objects.get(voter=alice).helpful is False
    assert [event.data["helpful"] for event in Event.objects.filter(kind="help_article.judged")] == [True, False]
    assert HelpArticlePage.objects.get().judged == {"yes": 3, "no": 2}


def test_a_visitor_answers_once_a_visit(client: Client, article: HelpArticlePage) -> None:
    for _again in range(2):
        client.post("/help/descaling/did-this-help/", {"helpful": "no"})
    row = HelpVote.objects.get(source="visit")
    assert row.external_id and row.external_id != client.session.session_key
    html = client.get("/help/descaling/").content.decode()
    assert "somebody will look at this page" in html
    Client().post("/help/descaling/did-this-help/", {"helpful": "no"})
    assert HelpVote.objects.filter(source="visit").count() == 2


def test_only_yes_and_no_count_and_only_by_post(client: Client, article: HelpArticlePage) -> None:
    assert client.get("/help/descaling/did-this-help/").status_code == 405
    client.post("/help/descaling/did-this-help/", {"helpful": "perhaps"})
    assert not HelpVote.objects.filter(source="visit").exists()


def test_asking_stays_within_bounds(client: Client, article: HelpArticlePage, thread: Thread) -> None:
    services.save_help_article(front(related_threads=[thread]), BODY)
    for number in range(4):
        services.save_help_article(front(slug=f"other-{number}", title=f"Other {number}"), BODY)
    services.relate_help_articles("descaling", [f"other-{number}" for number in range(4)])
    for address in ("/help/", "/help/descaling/"):
        client.get(address)
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address).status_code == 200
        assert len(asked) <= 20, (address, len(asked))

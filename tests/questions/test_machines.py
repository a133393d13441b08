"""What machines read: structured data, canonical and paging addresses, statuses of what is gone, feeds."""

import json
import re
from datetime import timedelta
from xml.etree import ElementTree

import pytest
from django.urls import reverse

from community.core import clock
from community.moderation import services as moderation
from community.posts.services import comment
from community.questions import services
from community.questions.models import Kind
from tests.factories import a_person, a_tag, a_thread, an_answer

pytestmark = pytest.mark.django_db
ATOM = "{http://www.w3.org/2005/Atom}"


def data_of(client, address):
    page = client.get(address).content.decode()
    found = [
        json.loads(block) for block in re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.S)
    ]
    return page, {block["@type"]: block for block in found}


@pytest.mark.parametrize("kind", Kind.values)
@pytest.mark.parametrize("answered", [True, False])
def test_a_question_with_answers_is_a_qa_page_and_all_else_a_posting(client, alice, bob, kind, answered):
    thread = a_thread(alice, kind=kind)
    if answered:
        an_answer(thread, bob)
    _page, data = data_of(client, thread.get_absolute_url())
    is_qa = answered and kind in ("question", "problem")
    assert ("QAPage" in data, "DiscussionForumPosting" in data) == (is_qa, not is_qa)
    if is_qa:
        question = data["QAPage"]["mainEntity"]
        assert question["answerCount"] == len(question["suggestedAnswer"]) == 1
        assert question["name"] == thread.title and question["author"]["name"] == "Alice"


def test_each_page_says_what_it_shows_and_no_more(client, thread, alice, ravi):
    answers = [an_answer(thread) for _ in range(23)]
    services.accept_answer(answers[5], alice)
    moderation.hide(answers[7], ravi, reason="Rude")
    services.give_private_details(thread, alice, serial="DU2-SECRET", order_number="", phone="", note="")
    comment(thread, alice, body="Nobody needs this remark in the data.")
    seen = []
    for number in (1, 2):
        page, data = data_of(client, f"{thread.get_absolute_url()}?page={number}")
        question = data["QAPage"]["mainEntity"]
        told = [*question.get("acceptedAnswer", []), *question.get("suggestedAnswer", [])]
        shown = re.findall(r'<article class="[^"]*" id="answer-(\d+)"', page)
        assert [re.search(r"answer-(\d+)$", one["url"])[1] for one in told] == shown
        assert all(one["text"] and one["text"] in page.replace("&#x27;", "'") for one in told)
        assert question["answerCount"] == 22
        assert "DU2-SECRET" not in page
        seen += shown
    assert str(answers[5].pk) == seen[0] and str(answers[7].pk) not in seen and len(set(seen)) == 22


def test_a_solution_settles_the_data_too(client, thread, alice, dana, bob):
    services.accept_answer(an_answer(thread, bob), alice)
    an_answer(thread, dana, official_for=dana.department)
    an_answer(thread)
    question = data_of(client, thread.get_absolute_url())[1]["QAPage"]["mainEntity"]
    assert (len(question["acceptedAnswer"]), len(question["suggestedAnswer"])) == (2, 1)


def test_pages_of_a_thread_have_addresses_of_their_own(client, thread):
    for _ in range(41):
        an_answer(thread)
    base = thread.get_absolute_url()

    def links(address):
        page = client.get(address).content.decode()
        return {
            rel: (found[1] if (found := re.search(rf'<link rel="{rel}" href="([^"]+)"', page)) else None)
            for rel in ("canonical", "prev", "next")
        }, 'content="noindex' in page

    first, noindex = links(base)
    assert first["canonical"].endswith(base) and first["prev"] is None and first["next"] == f"{base}?page=2"
    assert not noindex
    second, noindex = links(f"{base}?page=2")
    assert second["canonical"].endswith(f"{base}?page=2") and not noindex
    assert (second["prev"], second["next"]) == (f"{base}?page=1", f"{base}?page=3")
    assert links(f"{base}?page=3")[0]["next"] is None
    for other in ("?sort=newest", "?sort=newest&page=2", f"?answer={thread.answers.first().pk}"):
        assert links(base + other)[1], other
    assert links(f"{base}?sort=newest")[0]["canonical"].endswith(base)


def test_lists_name_their_feeds_and_the_address_to_keep(client, thread):
    a_tag("valve")
    services.edit_thread(thread, thread.author, title=thread.title, body=thread.body_source, tags=["valve"],
                         product=thread.product)  # fmt: skip
    cases = {
        "": ("/questions/", None, False),
        "?show=solved": ("/questions/", "/feeds/questions/list/solved/", True),
        "?product=duo": ("/questions/?product=duo", "/feeds/questions/product/duo/", False),
        "?tag=valve": ("/questions/?tag=valve", "/feeds/questions/tag/valve/", False),
        "?tag=valve&sort=votes": ("/questions/", "/feeds/questions/tag/valve/", True),
        "?after=1.1": ("/questions/", None, True),
    }
    for query, (canonical, feed, noindex) in cases.items():
        page = client.get(f"/questions/{query}").content.decode()
        assert re.search(r'rel="canonical" href="[^"]*?//[^/]+([^"]+)"', page)[1] == canonical, query
        assert ('content="noindex' in page) == noindex, query
        feeds = re.findall(r'<link rel="alternate" type="application/atom\+xml" title="[^"]+" href="([^"]+)"', page)
        assert "/feeds/questions/" in feeds
        if feed:
            assert feed in feeds
            assert client.get(feed).status_code == 200


def test_what_is_gone_says_how(client, thread, alice, ravi):
    address = thread.get_absolute_url()
    assert client.get(address.replace(thread.slug, "other")).status_code == 301
    moderation.hide(thread, ravi, reason="Personal data")
    assert client.get(address).status_code == 404
    moderation.restore(thread, ravi)
    moderation.delete(thread, alice)
    assert client.get(address).status_code == 410
    other, into = a_thread(), a_thread()
    services.merge_thread(other, into, ravi, "The same")
    moved = client.get(other.get_absolute_url())
    assert (moved.status_code, moved["Location"]) == (301, into.get_absolute_url())


FEEDS = ["/feeds/questions/", "/feeds/questions/product/duo/", "/feeds/questions/tag/valve/",
         "/feeds/questions/list/unanswered/", "/feeds/ideas/"]  # fmt: skip


@pytest.fixture
def fed(alice, duo):
    a_tag("valve")
    return [
        a_thread(alice, product=duo, tags=["valve"], kind=kind, private={"serial": "DU2-SECRET"})
        for kind in ("question", "idea")
    ]


@pytest.mark.parametrize("feed", FEEDS)
def test_feeds_are_valid_atom_without_private_words(client, fed, feed):
    answer = client.get(feed)
    assert answer["Content-Type"].startswith("application/atom+xml")
    assert "DU2-SECRET" not in answer.content.decode()
    root = ElementTree.fromstring(answer.content)  # noqa: S314 - our own
    assert root.tag == f"{ATOM}feed"
    for name in ("id", "title", "updated"):
        assert root.findtext(f"{ATOM}{name}")
    links = {link.get("rel"): link.get("href") for link in root.findall(f"{ATOM}link")}
    assert links["self"].endswith(feed) and links["alternate"].startswith("http")
    entries = root.findall(f"{ATOM}entry")
    assert entries
    ids = [entry.findtext(f"{ATOM}id") for entry in entries]
    assert len(set(ids)) == len(ids)
    for entry in entries:
        assert (
            entry.findtext(f"{ATOM}title") and entry.findtext(f"{ATOM}updated") and entry.findtext(f"{ATOM}published")
        )
        assert entry.findtext(f"{ATOM}author/{ATOM}name") == "Alice"


@pytest.mark.parametrize("feed", FEEDS)
def test_feeds_are_sent_again_only_when_something_changed(client, fed, feed):
    first = client.get(feed)
    tag, changed = first["ETag"], first["Last-Modified"]
    assert client.get(feed, headers={"If-None-Match": tag}).status_code == 304
    assert client.get(feed, headers={"If-Modified-Since": changed}).status_code == 304
    thread = fed[1] if "ideas" in feed else fed[0]
    with clock.travel(clock.now() + timedelta(hours=1)):
        comment(thread, a_person(), body="The same here.")
    again = client.get(feed, headers={"If-None-Match": tag})
    assert again.status_code == 200 and again["ETag"] != tag


def test_an_id_stays_when_the_title_changes(client, fed, alice):
    def ids():
        root = ElementTree.fromstring(client.get("/feeds/questions/").content)  # noqa: S314 - our own
        return {entry.findtext(f"{ATOM}id") for entry in root.findall(f"{ATOM}entry")}

    before = ids()
    services.edit_thread(fed[0], alice, title="Another title that is long enough", body=fed[0].body_source)
    assert ids() == before


def test_what_is_hidden_or_merged_leaves_the_feeds_at_once(client, fed, ravi):
    tag = client.get("/feeds/questions/")["ETag"]
    services.merge_thread(fed[0], a_thread(), ravi, "The same")
    moderation.hide(fed[1], ravi, reason="Personal data")
    again = client.get("/feeds/questions/", headers={"If-None-Match": tag})
    assert again.status_code == 200
    assert fed[1].title not in again.content.decode()
    assert f"/questions/{fed[0].pk}/" not in again.content.decode()


def test_feeds_of_what_is_not_there(client, db):
    for feed in ("/feeds/questions/list/mine/", "/feeds/questions/list/x/", "/feeds/questions/tag/x/"):
        assert client.get(feed).status_code == 404
    assert client.post(reverse("questions:feed")).status_code == 405

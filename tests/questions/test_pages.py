"""The pages of questions: who sees what, in how many queries, and what an address may hold."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from community.accounts.models import User
from community.core import clock, text
from community.moderation import services as moderation
from community.posts import services as posts
from community.questions import reading, services
from community.questions.models import Answer, Thread
from community.questions.templatetags.questions import said_in_short
from products.models import Ownership, Product
from tests import factories

pytestmark = pytest.mark.django_db


def queries(client: Client, address: str) -> int:
    client.get(address)  # content types and settings are remembered after the first time
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def ld(response: Any) -> list[dict[str, Any]]:
    found = re.findall(r'<script type="application/ld\+json">(.*?)</script>', response.content.decode(), re.DOTALL)
    return [json.loads(piece) for piece in found]


# The list


def test_the_list_shows_threads_with_their_state_and_counts(client: Client, thread: Thread, answer: Answer) -> None:
    lonely = factories.a_thread(thread.author)
    body = client.get("/questions/").content.decode()
    assert thread.title in body and lonely.title in body
    assert "2 asked, 0 solved" in body and "1 waits for a first reply" in body
    assert "Bob" in body


@pytest.mark.parametrize(("show", "index"), [("unanswered", 0), ("attention", 1), ("solved", 2), ("official", 3)])
def test_each_filter_shows_its_own(client: Client, dana: User, bob: User, alice: User, show: str, index: int) -> None:
    threads = [factories.a_thread(alice) for _ in range(4)]
    factories.an_answer(threads[1], bob)
    with clock.travel(clock.now() + timedelta(minutes=1)):
        posts.comment(threads[1], alice, body="It did not help, sorry.")
    services.accept_answer(factories.an_answer(threads[2], bob), alice)
    factories.an_answer(threads[3], dana, official_for=dana.department)
    body = client.get("/questions/", {"show": show}).content.decode()
    assert [number for number, thread in enumerate(threads) if thread.title in body] == [index]
    tab = re.search(rf'show={show}"[^>]*>[^<]*<span>(\d+)</span>', body)
    assert tab and tab[1] == "1"


def test_mine_and_followed(alice: User, bob: User, thread: Thread) -> None:
    other = factories.a_thread(bob)
    posts.follow(other, alice)
    mine = signed_in(alice).get("/questions/?show=mine").content.decode()
    followed = signed_in(alice).get("/questions/?show=followed").content.decode()
    assert thread.title in mine and other.title not in mine
    assert other.title in followed
    assert "Sign in to see yours" in Client().get("/questions/?show=mine").content.decode()


def test_facets_narrow_the_list(client: Client, thread: Thread, alice: User) -> None:
    tagged = factories.a_thread(alice, kind="problem", tags=[factories.a_tag("steam").name])
    for params, shown, hidden in [
        ({"product": "duo"}, thread, tagged),
        ({"kind": "problem"}, tagged, thread),
        ({"tag": "steam"}, tagged, thread),
    ]:
        body = client.get("/questions/", params).content.decode()
        assert shown.title in body and hidden.title not in body


@pytest.mark.parametrize(
    "query",
    ["show=nonsense", "sort=nonsense", "product=none", "kind=none", "state=none-such", "tag=none", "after=x",
     "after=1.x", "before=99999999999999999999999.1", "after=9999999999999999999.1"],
)  # fmt: skip
def test_wrong_addresses_of_the_list_are_404(client: Client, thread: Thread, query: str) -> None:
    assert client.get(f"/questions/?{query}").status_code == 404


@pytest.mark.parametrize("sort", ["active", "newest", "votes", "me-too", "views"])
def test_pages_follow_one_another_without_a_gap(client: Client, alice: User, sort: str) -> None:
    start = clock.now()
    for number in range(45):
        with clock.travel(start + timedelta(minutes=number // 2)):  # pairs at the same moment
            thread = factories.a_thread(alice)
        Thread.objects.filter(pk=thread.pk).update(score=number % 3, me_too_count=number % 4, view_count=number % 5)
    seen: list[str] = []
    address = f"/questions/?sort={sort}"
    for _page in range(3):
        body = client.get(address).content.decode()
        seen += re.findall(r'trow__title"><a href="/questions/(\d+)/', body)
        following = re.search(r'rel="next" href="([^"]+)"', body)
        address = following[1].replace("&amp;", "&") if following else ""
    assert len(seen) == 45 and len(set(seen)) == 45 and not address
    previous = re.search(r'rel="prev" href="([^"]+)"', body)
    back = client.get(previous[1].replace("&amp;", "&")).content.decode()
    assert re.findall(r'trow__title"><a href="/questions/(\d+)/', back) == seen[20:40]


def test_the_list_costs_the_same_however_long_it_is(client: Client, alice: User, bob: User) -> None:
    thread = factories.a_thread(alice)
    factories.an_answer(thread, bob)
    few = queries(client, "/questions/")
    for _ in range(15):
        factories.an_answer(factories.a_thread(alice), bob)
    assert queries(client, "/questions/") == few <= 10
    assert queries(signed_in(alice), "/questions/") <= 14


def test_htmx_gets_the_list_alone(client: Client, thread: Thread) -> None:
    response = client.get("/questions/", headers={"HX-Request": "true"})
    assert b"<html" not in response.content and b'id="list"' in response.content
    assert "HX-Request" in response["Vary"]


def test_hidden_threads_are_in_no_list_and_no_feed(client: Client, thread: Thread, ravi: User) -> None:
    moderation.hide(thread, ravi, reason="An advertisement.")
    for address in ["/questions/", "/ideas/", "/feeds/questions/", "/feeds/questions/product/duo/"]:
        assert thread.title not in client.get(address).content.decode()


def test_ideas_stand_by_votes_and_status(client: Client, alice: User, bob: User, dana: User) -> None:
    wanted, planned = factories.a_thread(alice, kind="idea"), factories.a_thread(alice, kind="idea")
    services.vote_thread(wanted, bob, 1)
    services.set_idea_status(planned, dana, "planned", "In the next batch.")
    body = client.get("/ideas/").content.decode()
    assert body.index(wanted.title) < body.index(planned.title)
    assert "In the next batch." in body
    coming = client.get("/ideas/?status=coming", follow=True).content.decode()
    assert planned.title in coming and wanted.title not in coming
    assert client.get("/ideas/?status=none").status_code == 404


def test_feeds_are_atom_and_say_what_the_public_sees(client: Client, thread: Thread) -> None:
    thread.tags.add(factories.a_tag("drip"))
    for address in ["/feeds/questions/", "/feeds/questions/product/duo/", "/feeds/questions/tag/drip/"]:
        response = client.get(address)
        assert response["Content-Type"].startswith("application/atom+xml")
        assert thread.title in response.content.decode()
    assert client.get("/feeds/questions/product/none/").status_code == 404


# The thread


def test_a_thread_shows_what_was_said(client: Client, thread: Thread, answer: Answer) -> None:
    posts.comment(answer, thread.author, body="That was it.")
    body = client.get(thread.get_absolute_url()).content.decode()
    for words in [thread.title, thread.body_text, answer.body_text, "That was it.", "1 answer", "Replied"]:
        assert words in body


def test_a_wrong_slug_leads_to_the_right_address(client: Client, thread: Thread) -> None:
    for address in [f"/questions/{thread.pk}/", f"/questions/{thread.pk}/something-else/"]:
        response = client.get(address)
        assert (response.status_code, response["Location"]) == (301, thread.get_absolute_url())


def test_hidden_is_404_and_deleted_is_410(thread: Thread, alice: User, ravi: User, charlie: User) -> None:
    address = thread.get_absolute_url()
    moderation.hide(thread, ravi, reason="Names a neighbour.")
    assert Client().get(address).status_code == signed_in(charlie).get(address).status_code == 404
    assert "Names a neighbour." in signed_in(alice).get(address).content.decode()
    moderation.delete(thread, ravi)
    assert Client().get(address).status_code == Client().get(f"/questions/{thread.pk}/").status_code == 410
    assert Client().get("/questions/987654/none/").status_code == 404


@pytest.mark.parametrize("query", ["page=0", "page=x", "page=2", "page=999999999", "sort=none"])
def test_wrong_pages_of_a_thread_are_404(client: Client, thread: Thread, answer: Answer, query: str) -> None:
    assert client.get(f"{thread.get_absolute_url()}?{query}").status_code == 404


def a_long_thread(thread: Thread, answers: int, comments: int) -> None:
    people = [factories.a_person() for _ in range(answers)]
    for person in people:
        Ownership.objects.create(owner=person, product=thread.product, verified="order")
        answer = factories.an_answer(thread, person)
        for number in range(comments):
            posts.comment(answer, people[number % len(people)], body=f"Remark {number} on {answer.pk}")
    for number in range(comments):
        posts.comment(thread, people[0], body=f"Remark {number} on the question")


@pytest.mark.parametrize("who", ["nobody", "charlie", "alice", "dana", "ravi", "hanna"])
def test_a_thread_costs_the_same_however_long_it_is(
    request: pytest.FixtureRequest, settings: Any, thread: Thread, dana: User, who: str
) -> None:
    settings.BRAND_SECONDS = 60  # as on a live site: the brand is not asked for on every page
    client = Client() if who == "nobody" else signed_in(request.getfixturevalue(who))
    a_long_thread(thread, 1, 0)
    few = queries(client, thread.get_absolute_url())
    a_long_thread(thread, 19, 2)
    for number in range(30):
        posts.comment(thread, thread.author, body=f"More {number}")
    for answer in thread.answers.order_by("pk")[:4]:
        services.accept_answer(answer, thread.author)
        services.make_official(answer, dana, dana.department)
        for person in User.objects.filter(shelf__product=thread.product).exclude(pk=answer.author_id)[:3]:
            services.say_works_for_mine(answer, person, True, "Series 2")
    many = queries(client, thread.get_absolute_url())
    a_long_thread(thread, 40, 0)
    pages = queries(client, thread.get_absolute_url())
    assert few == many == pages
    assert many <= (8 if who == "nobody" else 12)


def test_comments_fold_after_ten_and_unfold(client: Client, thread: Thread, bob: User) -> None:
    for number in range(14):
        posts.comment(thread, bob, body=f"Remark number {number:02}")
    body = client.get(thread.get_absolute_url()).content.decode()
    assert "Remark number 09" in body and "Remark number 10" not in body and "4 more comments" in body
    everything = client.get(f"{thread.get_absolute_url()}?comments=thread-{thread.pk}").content.decode()
    assert "Remark number 13" in everything and "more comments" not in everything
    piece = client.get(reverse("posts:comments", args=["thread", thread.pk]), headers={"HX-Request": "true"})
    assert "Remark number 13" in piece.content.decode() and "<html" not in piece.content.decode()


def test_settled_answers_stand_first_and_answers_come_in_pages(
    client: Client, thread: Thread, alice: User, dana: User
) -> None:
    answers = [factories.an_answer(thread) for _ in range(22)]
    official = factories.an_answer(thread, dana, official_for=dana.department)
    services.accept_answer(answers[21], alice)
    body = client.get(thread.get_absolute_url()).content.decode()
    shown = re.findall(r'<article class="post[^"]*" id="answer-(\d+)"', body)
    assert shown[:2] == [str(answers[21].pk), str(official.pk)] and len(shown) == 20
    second = client.get(f"{thread.get_absolute_url()}?page=2").content.decode()
    assert len(re.findall(r'<article class="post[^"]*" id="answer-(\d+)"', second)) == 3
    assert f"#answer-{answers[21].pk}" in second  # the way to the solution is on every page
    newest = client.get(f"{thread.get_absolute_url()}?sort=newest").content.decode()
    assert re.findall(r'id="answer-(\d+)" aria', newest)[0] == str(official.pk)


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("Open the valve, and close it **again**. Then wait.", "Open the valve, and close it again."),
        (r"See [here](https://x.example/): $\frac{a}{b}$ holds." + " and so on" * 20, "<mfrac>"),
        (r"Look at $|\psi\rangle$ and $$A(x) = 1$$ then", "⟩</mi></mrow></math> and …"),
        (" ".join([r"$a^2$"] * 30), "</math> …"),
        ("Costs $5, not $10, in every shop.", "Costs $5, not $10, in every shop."),
    ],
)
def test_the_line_that_leads_to_an_answer_sets_its_formulas(thread: Thread, bob: User, body: str, line: str) -> None:
    answer = factories.an_answer(thread, bob, body=body)
    made = str(said_in_short(answer))
    assert line in made and "<a" not in made and len(text.plain_text(made)) < 170
    assert made.count("<math") == made.count("</math>") and "\x00" not in made and 'display="block"' not in made


def test_structured_data_says_what_the_page_shows(
    client: Client, thread: Thread, answer: Answer, alice: User, ravi: User
) -> None:
    services.accept_answer(answer, alice)
    hidden = factories.an_answer(thread)
    moderation.hide(hidden, ravi, reason="Off topic.")
    page, crumbs = ld(client.get(thread.get_absolute_url()))
    question = page["mainEntity"]
    assert (page["@type"], question["name"], question["answerCount"]) == ("QAPage", thread.title, 1)
    assert [entry["text"] for entry in question["acceptedAnswer"]] == [answer.body_text]
    assert "suggestedAnswer" not in question
    assert crumbs["itemListElement"][1]["name"] == "Brindle Duo"
    idea = factories.a_thread(alice, kind="idea", body="</script><script>alert(1)</script> would be a fine idea.")
    response = client.get(idea.get_absolute_url())
    assert ld(response)[0]["@type"] == "DiscussionForumPosting"
    assert "<script>alert" not in response.content.decode()


def test_moderators_see_hidden_answers_and_others_do_not(
    thread: Thread, answer: Answer, ravi: User, charlie: User
) -> None:
    moderation.hide(answer, ravi, reason="Names a neighbour.")
    assert answer.body_text not in signed_in(charlie).get(thread.get_absolute_url()).content.decode()
    body = signed_in(ravi).get(thread.get_absolute_url()).content.decode()
    assert answer.body_text in body and "Names a neighbour." in body


def test_imported_posts_name_their_source(client: Client, alice: User) -> None:
    thread = factories.a_thread(
        alice, source="coffee.stackexchange.com", external_id="7", licence="CC BY-SA 4.0",
        source_url="https://coffee.stackexchange.com/q/7",
    )  # fmt: skip
    User.objects.filter(pk=alice.pk).update(source_url="https://coffee.stackexchange.com/users/3")
    body = client.get(thread.get_absolute_url()).content.decode()
    for words in [
        "https://coffee.stackexchange.com/q/7", "https://coffee.stackexchange.com/users/3",
        "https://creativecommons.org/licenses/by-sa/4.0/",
    ]:  # fmt: skip
        assert words in body


def test_duplicates_lead_to_the_original(client: Client, thread: Thread, alice: User, ravi: User) -> None:
    again = factories.a_thread(alice)
    services.mark_duplicate(again, ravi, thread)
    body = client.get(again.get_absolute_url()).content.decode()
    assert "This was asked before." in body
    assert f'rel="canonical" href="http://testserver{thread.get_absolute_url()}"' in body


def test_readers_are_counted_once_and_not_on_the_spot(thread: Thread, alice: User, charlie: User) -> None:
    reading.flush()
    Thread.objects.update(view_count=0)
    visitor = Client(headers={"User-Agent": "Mozilla/5.0"})
    for client in [visitor, visitor, signed_in(charlie), signed_in(alice), Client(headers={"User-Agent": "a Bot"})]:
        client.get(thread.get_absolute_url())
    reading.flush()
    thread.refresh_from_db()
    assert thread.view_count == 2  # the visitor and Charlie


# History


def test_history_shows_what_changed(client: Client, thread: Thread, alice: User) -> None:
    services.edit_thread(
        thread, alice, title=thread.title, body="It has dripped since Tuesday, and I can see why.",
        product=thread.product, summary="It was Tuesday",
    )  # fmt: skip
    body = client.get(reverse("questions:history", args=[thread.pk])).content.decode()
    assert "It was Tuesday" in body and "<ins>Tuesday</ins>" in body and "<del>Monday</del>" in body
    assert client.get(reverse("questions:history", args=[thread.pk]) + "?page=9").status_code == 404


# Panels


def test_panels_show_threads_where_others_ask_for_them(
    rf: Any, thread: Thread, answer: Answer, alice: User, duo: Product
) -> None:
    from community.core import panels

    services.accept_answer(answer, alice)
    request = rf.get("/")
    request.user = AnonymousUser()
    pieces: Callable[[str, list[Any]], str] = lambda slot, batch: "".join(  # noqa: E731
        panels.render(slot, request, batch).values()
    )
    assert thread.title in pieces("product.questions", [duo])
    assert thread.title in pieces("home.solved_now", [None])
    assert thread.title in pieces("person.work", [answer.author])


def test_a_hidden_original_is_not_named_by_its_duplicate(
    client: Client, thread: Thread, charlie: User, hanna: User, ravi: User
) -> None:
    original = factories.a_thread(charlie, title="My address is 12 Elm Street")
    services.mark_duplicate(thread, hanna, original)
    moderation.hide(original, ravi, reason="Personal data")
    body = client.get(thread.get_absolute_url()).content.decode()
    assert "elm-street" not in body.lower() and "Elm Street" not in body


@pytest.mark.parametrize("number", ["0000019999999999999999999999", "1" * 5000, "0", "-1", "x", "99999"])
def test_pages_of_answers_and_versions_that_are_not_there(client: Client, thread: Thread, number: str) -> None:
    for place in (thread.get_absolute_url(), reverse("questions:history", args=[thread.pk])):
        assert client.get(place, {"page": number}).status_code == 404

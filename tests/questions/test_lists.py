"""Lists: filters that combine, numbers that are right, pages that hold still, filters that are kept."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from community.accounts.models import User
from community.core import brand, clock
from community.core.errors import NotAllowed
from community.moderation import services as moderation
from community.posts import services as posts
from community.questions import counting, services
from community.questions.models import SavedFilter, Thread
from community.questions.views import listing
from tests.factories import a_person, a_tag, a_thread, an_answer

pytestmark = pytest.mark.django_db
LIST = "/questions/"


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def crowd(alice, bob, dana, hanna, duo):
    """Some of everything."""
    a_tag("valve")
    threads = {
        "plain": a_thread(alice, product=duo, tags=["valve"]),
        "answered": a_thread(alice, kind="problem", product=duo),
        "solved": a_thread(bob, tags=["valve"]),
        "praise": a_thread(bob, kind="praise", product=duo),
        "duplicate": a_thread(bob),
        "locked": a_thread(alice),
    }
    an_answer(threads["answered"], bob)
    services.accept_answer(an_answer(threads["solved"], dana, official_for=dana.department), bob)
    services.mark_duplicate(threads["duplicate"], hanna, threads["plain"])
    services.lock_thread(threads["locked"], hanna, reason="Enough")
    with clock.travel(clock.now() - timedelta(days=500)):
        threads["old"] = a_thread(alice, product=duo)
    return threads


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"show": "unanswered"}, {"plain", "old"}),
        ({"show": "solved"}, {"solved"}),
        ({"show": "official"}, {"solved"}),
        ({"state": "none"}, {"plain", "old", "praise"}),
        ({"state": ["duplicate", "locked"]}, {"duplicate", "locked"}),
        ({"state": "none", "kind": "question", "product": "duo"}, {"plain", "old"}),
        ({"tag": "valve"}, {"plain", "solved"}),
        ({"tag": "valve", "show": "solved"}, {"solved"}),
        ({"age": "older"}, {"old"}),
        ({"age": "day", "product": "duo"}, {"plain", "answered", "praise"}),
    ],
)
def test_filters_combine_and_their_numbers_are_right(client, crowd, query, names):
    page = client.get(LIST, query)
    assert {thread.pk for thread in page.context["threads"]} == {crowd[name].pk for name in names}
    assert page.context["counted"]["total"] == len(names)
    # Each number is what choosing it gives.
    for show, count, address in page.context["tabs"]:
        assert client.get(address).context["counted"][f"show_{show.key or 'all'}"] == count
    for key, _sign, _word, count, _on in page.context["state_facet"]:
        assert client.get(LIST, {**query, "state": key}).context["counted"]["total"] == count, key
    for kind, count, _on in page.context["kind_facet"]:
        assert client.get(LIST, {**query, "kind": kind.value}).context["counted"]["total"] == count, kind


def test_mine_answered_and_followed_combine_with_the_rest(alice, bob, ravi, crowd):
    posts.follow(crowd["old"], bob)
    mine = signed_in(alice).get(LIST, {"show": "mine", "kind": "problem"})
    assert mine.context["threads"] == [crowd["answered"]]
    helped = signed_in(bob).get(LIST, {"show": "answered", "kind": "problem"})
    assert helped.context["threads"] == [crowd["answered"]] and "Answered by me" in helped.content.decode()
    moderation.hide(crowd["answered"].answers.get(), ravi, reason="Spam")
    nothing = signed_in(bob).get(LIST, {"show": "answered"})
    assert nothing.context["threads"] == [] and "You have not answered anything here yet" in nothing.content.decode()
    followed = signed_in(bob).get(LIST, {"show": "followed", "age": "older"})
    assert followed.context["threads"] == [crowd["old"]]
    assert followed.context["counted"]["show_followed"] == 1


@pytest.mark.parametrize(
    "query", ["age=decade", "state=merged", "state=solved&state=nonsense", "after=x", "after=--5.1"]
)
def test_what_no_list_knows_is_404(client, crowd, query):
    assert client.get(f"{LIST}?{query}").status_code == 404


def test_numbers_beyond_what_is_counted_say_so(client, monkeypatch, alice):
    monkeypatch.setattr(counting, "MOST", 3)
    for _ in range(5):
        a_thread(alice)
    rows = counting.count_up_to({"all": Thread.objects.visible(), "none": Thread.objects.filter(pk__in=[])})
    assert rows == {"all": 4, "none": 0}
    assert counting.exact("all", Thread.objects.visible(), 4) == 5
    from community.questions.templatetags import questions as tags

    assert (tags.up_to(999), tags.up_to(1000)) == ("999", "999+")


def test_a_list_costs_ten_queries_at_most(settings, client, crowd, alice):
    settings.BRAND_SECONDS = 60
    for number in range(5):
        services.save_filter(alice, f"Filter {number}", f"show=solved&sort=votes&age=week{number}")
    for visitor in (client, signed_in(alice)):
        for query in ({}, {"show": "solved", "tag": "valve", "product": "duo"}, {"sort": "votes", "state": "none"}):
            visitor.get(LIST, query)
            with CaptureQueriesContext(connection) as found:
                visitor.get(LIST, query)
            assert len(found) <= 10, [q["sql"][:120] for q in found]
    brand.forget()


# Pages


def walk(client, query):
    """All ids along "next", and the addresses on the way."""
    address, ids, addresses = f"{LIST}?{query}", [], []
    while address:
        page = client.get(address)
        addresses.append(address)
        ids += [thread.pk for thread in page.context["threads"]]
        address = page.context["next_url"]
    return ids, addresses


@pytest.mark.parametrize("sort", listing.SORTS)
def test_every_sort_pages_without_gaps_or_doubles_through_ties(client, alice, sort, monkeypatch):
    monkeypatch.setattr(listing, "ROWS", 3)
    monkeypatch.setattr(listing.page_of, "__kwdefaults__", {**listing.page_of.__kwdefaults__, "size": 3})
    made = clock.now()
    with clock.travel(made):
        threads = [a_thread(alice) for _ in range(11)]
    for number, thread in enumerate(threads):  # everything is a tie but for a few
        Thread.objects.filter(pk=thread.pk).update(
            score=number // 6, me_too_count=number // 6, view_count=number // 6,
            active_at=made + timedelta(hours=number // 6), created_at=made + timedelta(hours=number // 6),
        )  # fmt: skip
    ids, addresses = walk(client, f"sort={sort}")
    column = listing.SORTS[sort][1]
    assert ids == [t.pk for t in Thread.objects.order_by(f"-{column}", "-pk")]
    # Backwards from the last page, the pages are the same.
    back, address = [], addresses[-1]
    while address:
        page = client.get(address)
        back = [thread.pk for thread in page.context["threads"]] + back
        address = page.context["previous_url"]
    assert back == ids


def test_a_thread_that_moves_up_meanwhile_moves_nothing_else(client, alice, bob, monkeypatch):
    monkeypatch.setattr(listing.page_of, "__kwdefaults__", {**listing.page_of.__kwdefaults__, "size": 3})
    for hours in range(9):
        with clock.travel(clock.now() - timedelta(days=3, hours=hours)):
            a_thread(alice)
    in_order = [thread.pk for thread in Thread.objects.order_by("-active_at", "-pk")]
    first = client.get(LIST)
    second = first.context["next_url"]
    assert [t.pk for t in client.get(second).context["threads"]] == in_order[3:6]
    an_answer(Thread.objects.get(pk=in_order[7]), bob)  # goes to the top
    assert [t.pk for t in client.get(second).context["threads"]] == in_order[3:6]
    third = client.get(second).context["next_url"]
    assert [t.pk for t in client.get(third).context["threads"]] == [in_order[6], in_order[8]]
    moderation.delete(Thread.objects.get(pk=in_order[2]), alice)  # the row the cursor names
    assert [t.pk for t in client.get(second).context["threads"]] == in_order[3:6]


# Empty lists


@pytest.mark.parametrize("show", [s.key for s in listing.SHOWS])
def test_an_empty_list_says_what_to_do_next(client, db, show):
    page = client.get(LIST, {"show": show}).content.decode()
    assert 'class="empty"' in page and 'class="btn' in page.partition('class="empty"')[2]


@pytest.mark.parametrize("state", [s.key for s in listing.STATES])
def test_an_empty_state_has_its_own_words(client, alice, state):
    thread = a_thread(alice)
    if state == "none":
        an_answer(thread, a_person())
    page = client.get(LIST, {"state": state})
    wanted = next(s for s in listing.STATES if s.key == state)
    assert not page.context["threads"]
    assert str(wanted.nothing) in page.content.decode()


# Filters that are kept


def test_a_filter_is_kept_under_a_name_and_taken_away(alice, crowd):
    visitor = signed_in(alice)
    page = visitor.get(LIST, {"tag": "valve", "show": "solved", "sort": "votes"})
    assert "Keep this filter" in page.content.decode()
    kept = visitor.post(reverse("questions:save_filter"), {"name": " Valves ", "query": page.context["query"]})
    assert kept.status_code == 303
    page = visitor.get(kept["Location"])
    assert page.context["threads"] == [crowd["solved"]]
    [(saved, address, on)] = page.context["saved"]
    assert (saved.name, address, on) == ("Valves", kept["Location"], True)
    assert "Keep this filter" in visitor.get(LIST, {"show": "official"}).content.decode()
    for _ in range(2):
        gone = visitor.post(reverse("questions:delete_filter", args=[saved.pk]), {"query": saved.query})
        assert (gone.status_code, gone["Location"]) == (303, kept["Location"])
    assert not SavedFilter.objects.exists()


def test_the_same_choice_is_the_same_filter_in_any_order(alice, crowd):
    visitor = signed_in(alice)
    page = visitor.get(f"{LIST}?state=none&product=duo&state=info&show=unanswered")
    services.save_filter(alice, "Mine", page.context["query"])
    other_way = visitor.get(f"{LIST}?state=info&state=none&show=unanswered&product=duo&after=0.1")
    assert [on for _f, _a, on in other_way.context["saved"]] == [True]


def test_twenty_filters_and_names_of_forty_letters(alice):
    for number in range(SavedFilter.MOST):
        services.save_filter(alice, f"Filter {number}", "show=solved")
    with pytest.raises(ValidationError, match="20"):
        services.save_filter(alice, "One more", "show=solved")
    services.save_filter(alice, "Filter 3", "show=official")  # its name is there already: it is that one now
    assert SavedFilter.objects.get(name="Filter 3").query == "show=official"
    for name, query in (("", "show=solved"), ("x" * 41, "show=solved"), ("Nothing", "")):
        with pytest.raises(ValidationError):
            services.save_filter(a_person(), name, query)


def test_filters_are_ones_own(alice, bob, client):
    saved = services.save_filter(alice, "Mine", "show=solved")
    with pytest.raises(NotAllowed):
        services.delete_filter(saved, bob)
    assert signed_in(bob).post(reverse("questions:delete_filter", args=[saved.pk])).status_code == 403
    assert signed_in(bob).get(LIST).context["saved"] == []
    for name, args in (("save_filter", []), ("delete_filter", [saved.pk])):
        address = reverse(f"questions:{name}", args=args)
        assert signed_in(alice).get(address).status_code == 405
        assert client.post(address).status_code in (302, 303)
    assert SavedFilter.objects.exists()


def test_a_kept_filter_holds_only_what_lists_know(alice):
    visitor = signed_in(alice)
    visitor.post(
        reverse("questions:save_filter"),
        {"name": "Odd", "query": "show=solved&next=https://evil.example&after=1.2&state=" + "x" * 200},
    )
    assert SavedFilter.objects.get().query == "show=solved"
    assert visitor.post(reverse("questions:save_filter"), {"name": "x", "query": "a=b"}).status_code == 422


def test_a_list_that_is_known_no_longer_is_404_and_can_be_taken_away(alice):
    saved = services.save_filter(alice, "Odd", "state=gone")
    assert signed_in(alice).get(f"{LIST}?{saved.query}").status_code == 404
    gone = signed_in(alice).post(reverse("questions:delete_filter", args=[saved.pk]), {"query": ""})
    assert gone["Location"] == LIST


def test_a_row_says_how_old_what_it_is_sorted_by_is(thread, bob, client):
    moment = clock.now()
    with clock.travel(moment + timedelta(days=3)):
        an_answer(thread, bob)
    with clock.travel(moment + timedelta(days=3, hours=5)):
        by_activity, by_age = (client.get("/questions/", {"sort": sort}).content.decode() for sort in ("", "newest"))
    assert ">5 hours<" in by_activity and ">3 days<" not in by_activity
    assert ">3 days<" in by_age and ">5 hours<" not in by_age


def test_the_box_of_filters_opens_by_hand(thread, client):
    assert '<details class="facets__d">' in client.get("/questions/?kind=question").content.decode()

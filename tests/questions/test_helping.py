"""Helping one another: votes with limits by trust, history, quotes, mentions."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from community.accounts.models import Profile, TrustLevel, User
from community.accounts.services import edit_profile, rename
from community.core import clock
from community.core.errors import NotAllowed
from community.core.models import Numbers
from community.posts import changes as history
from community.posts import services as posts
from community.questions import services
from community.questions.models import Answer, Thread
from tests import factories

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


# Votes


@pytest.mark.parametrize(
    ("trust", "most"),
    [(TrustLevel.NEWCOMER, 10), (TrustLevel.MEMBER, 30), (TrustLevel.REGULAR, 45), (TrustLevel.LEADER, 60)],
)
def test_votes_a_day_grow_with_trust(charlie: User, trust: int, most: int) -> None:
    charlie.trust = trust
    assert services.votes_a_day(charlie) == services.votes_left(charlie) == most


def test_the_last_vote_counts_and_the_next_is_refused_until_midnight(charlie: User, alice: User) -> None:
    numbers = Numbers.load()
    numbers.votes_member = 2
    numbers.save()
    threads = [factories.a_thread(alice) for _ in range(3)]
    answer = factories.an_answer(threads[0], alice)
    with clock.travel(NOON):
        services.vote_thread(threads[0], charlie, 1)
        services.vote_answer(answer, charlie, 1)
        with pytest.raises(NotAllowed) as refused:
            services.vote_thread(threads[1], charlie, 1)
        assert "2 votes" in refused.value.reason and "12 hours" in refused.value.reason
        services.vote_thread(threads[0], charlie, -1)  # changing one's mind is no new vote
        services.vote_answer(answer, charlie, 0)
        services.vote_thread(threads[1], charlie, 1)  # and what is taken back is free again
        with pytest.raises(NotAllowed):
            services.vote_thread(threads[2], charlie, 1)
    with clock.travel(NOON + timedelta(hours=12)):
        assert services.vote_thread(threads[2], charlie, 1) == 1
    assert [thread.votes.count() for thread in threads] == [1, 1, 1]


def test_ideas_have_votes_of_their_own(charlie: User, alice: User) -> None:
    numbers = Numbers.load()
    numbers.votes_member = 1
    numbers.save()
    idea, thread = factories.a_thread(alice, kind="idea"), factories.a_thread(alice)
    services.vote_thread(idea, charlie, 1)
    assert services.votes_left(charlie) == 1
    assert services.vote_thread(thread, charlie, 1) == 1


def test_what_is_left_is_said_only_when_it_is_little(charlie: User, alice: User, answer: Answer) -> None:
    numbers = Numbers.load()
    numbers.votes_member = 7
    numbers.save()
    client = signed_in(charlie)
    said = []
    for number in range(3):
        thread = factories.a_thread(alice)
        address = reverse("questions:vote", args=[thread.pk])
        piece = client.post(address, {"value": "1"}, headers=HTMX).content.decode()
        said.append("votes left today" in piece)
        assert f'id="up-thread-{thread.pk}" name="value" value="0"' in piece, number
    assert said == [False, True, True]
    page = client.post(reverse("questions:vote_answer", args=[answer.pk]), {"value": "1"}, follow=True)
    assert "3 votes left today" in page.content.decode()
    numbers.votes_member = 4
    numbers.save()
    refused = client.post(reverse("questions:vote", args=[answer.thread_id]), {"value": "1"}, headers=HTMX)
    assert refused.status_code == 403 and b"There are new ones in" in refused.content


# One answer


def test_one_answer_per_person_leads_to_editing_it(thread: Thread, answer: Answer, bob: User) -> None:
    client = signed_in(bob)
    box = client.get(thread.get_absolute_url()).content.decode()
    assert "You have answered this" in box and reverse("questions:edit_answer", args=[answer.pk]) in box
    numbers = Numbers.load()
    numbers.one_answer_per_person = False
    numbers.save()
    assert "Post answer" in client.get(thread.get_absolute_url()).content.decode()
    assert factories.an_answer(thread, bob).pk


# History


def test_words_that_changed_are_found() -> None:
    assert history.changes("one two three", "one 2 three four") == [
        ("", "one "), ("gone", "two"), ("added", "2"), ("", " three"), ("added", " four"),
    ]  # fmt: skip
    assert history.changes("same", "same") == [("", "same")]
    assert history.changes("", "new") == [("added", "new")]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a b " * 20_000, "b a " * 20_000),
        ("word\n" * 40_000, "other word\n" * 40_000),
        ("".join(chr(97 + n * n % 26) for n in range(200_000)), "x " * 100_000),
        (" ".join(f"w{n * n % 7}" for n in range(9_000)), " ".join(f"w{n * n % 11}" for n in range(9_000))),
    ],
)
def test_no_text_is_too_odd_to_be_compared(before: str, after: str) -> None:
    started = time.monotonic()
    pieces = history.changes(before, after)
    assert time.monotonic() - started < 5  # generous: it takes a fraction of a second
    assert "".join(words for change, words in pieces if change != "added") == before
    assert "".join(words for change, words in pieces if change != "gone") == after


def test_a_title_taken_away_by_a_moderator_is_not_in_the_history(
    client: Client, thread: Thread, alice: User, bob: User, ravi: User
) -> None:
    old = "My number is 0170 5550123, call me"
    services.edit_thread(thread, alice, title=old, body=thread.body_source, product=thread.product)
    services.move_thread(thread, ravi, title="Why does it drip at night", product=thread.product, reason="Tidied")
    services.edit_thread(
        thread, alice, title="Why does it drip at noon", body=thread.body_source, product=thread.product
    )
    address = reverse("questions:history", args=[thread.pk])
    for reader in (client, signed_in(bob)):
        body = reader.get(address).content.decode()
        assert "0170" not in body and "5550123" not in body
        assert "A moderator changed the title" in body
        assert "<del>night</del>" in body and "<ins>noon</ins>" in body
    for reader in (signed_in(alice), signed_in(ravi)):
        assert "5550123" in reader.get(address).content.decode()


# Quotes


def test_a_quote_fills_the_box_without_a_script(client: Client, thread: Thread, bob: User, charlie: User) -> None:
    bob.name = "Bob *the* [Builder]"
    bob.save()
    answer = factories.an_answer(thread, bob, body="Open the valve.\n\nThen close it again, six times.")
    page = client.get(thread.get_absolute_url()).content.decode()
    assert f"?quote=answer:{answer.pk}#answer" in page and f"?quote=thread:{thread.pk}#answer" in page
    filled = client.get(f"{thread.get_absolute_url()}?quote=answer:{answer.pk}")
    assert filled.context["answer_form"]["body"].value() == (
        "Bob \\*the\\* \\[Builder\\] wrote:\n\n> Open the valve.\n>\n> Then close it again, six times.\n\n"
    )
    elsewhere = factories.an_answer(factories.a_thread(), charlie)
    for nothing in (f"answer:{elsewhere.pk}", "answer:x", "thread:1", "answer:" + "9" * 30):
        got = client.get(f"{thread.get_absolute_url()}?quote={nothing}")
        assert got.status_code == 200 and not got.context["answer_form"]["body"].value()


def test_a_quote_comes_after_what_was_drafted(thread: Thread, answer: Answer, charlie: User) -> None:
    posts.save_draft(charlie, f"answer:{thread.pk}", {"body": "I had begun."})
    got = signed_in(charlie).get(f"{thread.get_absolute_url()}?quote=answer:{answer.pk}")
    assert got.context["answer_form"]["body"].value().startswith("I had begun.\n\nBob wrote:")


def test_nothing_to_quote_where_nothing_can_be_answered(thread: Thread, answer: Answer, bob: User, ravi: User) -> None:
    assert "data-quote" not in signed_in(bob).get(thread.get_absolute_url()).content.decode()
    services.lock_thread(thread, ravi, reason="Settled")
    assert "data-quote" not in Client().get(f"{thread.get_absolute_url()}?quote=answer:{answer.pk}").content.decode()


# Mentions


def test_people_of_the_thread_are_offered_first(thread: Thread, answer: Answer, charlie: User) -> None:
    famous = factories.a_person("bobby", reputation=9000)
    commenter = factories.a_person("zoe", name="Rita Bower")
    posts.comment(answer, commenter, body="And it holds")
    address = reverse("questions:people", args=[thread.pk])
    client = signed_in(charlie)
    offered = client.get(address, {"q": "bo"}).json()["people"]
    assert [person["username"] for person in offered] == ["zoe", "bob", famous.username] or [
        person["username"] for person in offered
    ] == ["bob", "zoe", famous.username]
    assert client.get(address, {"q": "b"}).json()["people"] == []
    assert client.get(address, {"q": "char"}).json()["people"] == [], "not oneself"
    assert Client().get(address, {"q": "bo"}).status_code == 401
    assert client.post(address, {"q": "bo"}).status_code == 405


def test_nobody_of_a_hidden_thread_is_named(thread: Thread, charlie: User, ravi: User) -> None:
    from community.moderation import services as moderation

    moderation.hide(thread, ravi, reason="Spam")
    assert signed_in(charlie).get(reverse("questions:people", args=[thread.pk]), {"q": "al"}).status_code == 404


# Silenced people, and small doors


def test_the_silenced_change_nothing_that_others_read(charlie: User) -> None:
    charlie.silenced_until = clock.now() + timedelta(hours=5)
    charlie.save()
    with pytest.raises(NotAllowed):
        edit_profile(charlie, name="Buy my beans", about="", city="")
    with pytest.raises(NotAllowed):
        rename(charlie, "cheapbeans")
    edit_profile(charlie, name=charlie.name, about="", city="", time_zone="Europe/Paris", show_shelf=True)
    charlie.refresh_from_db()
    assert (charlie.name, charlie.time_zone) == ("Charlie", "Europe/Paris")
    assert Profile.objects.get(user=charlie).show_shelf
    client = signed_in(charlie)
    response = client.post(reverse("accounts:profile"), {"name": "Buy my beans", "about": "", "city": ""})
    assert response.status_code == 422 and b"You can read, but not write" in response.content
    response = client.post(reverse("accounts:username"), {"username": "cheapbeans"})
    assert response.status_code == 422 and b"You can read, but not write" in response.content


def test_favicon_leads_to_the_picture(client: Client) -> None:
    response = client.get("/favicon.ico")
    assert response.status_code == 301 and response["Location"].endswith(".svg")


def test_single_keys_can_be_switched_off(client: Client, thread: Thread, bob: User) -> None:
    address = reverse("keyboard")
    assert client.get(address).status_code == 200
    assert "<html" not in client.get(f"{address}?sheet=1").content.decode()
    assert client.post(address, {"shortcuts": "off"}).status_code == 302
    member = signed_in(bob)
    assert 'data-keys="off"' not in member.get(thread.get_absolute_url()).content.decode()
    back = member.post(address, {"shortcuts": "off", "next": thread.get_absolute_url()})
    assert back["Location"] == thread.get_absolute_url()
    assert 'data-keys="off"' in member.get(thread.get_absolute_url()).content.decode()
    assert member.post(address, {"shortcuts": "on", "next": "//evil.example/"})["Location"] == address
    bob.refresh_from_db()
    assert bob.shortcuts

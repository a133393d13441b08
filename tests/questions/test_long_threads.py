"""Threads with hundreds of answers and thousands of comments, and what is new in them since somebody was there."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from community.accounts.models import User
from community.core import brand, clock
from community.core.models import Body, Numbers
from community.moderation import services as moderation
from community.posts import services as posts
from community.posts.models import Comment
from community.posts.views import place_of
from community.questions import facts, seen, services
from community.questions.models import Answer, Seen, Thread
from tests.factories import a_person, a_thread, an_answer

pytestmark = pytest.mark.django_db


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def cost(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(
        connection,
    ) as found:
        assert client.get(address).status_code == 200
    return len(found)


@pytest.fixture
def long(thread: Thread) -> Thread:
    """Alice's question with 500 answers and 5,000 comments, as the tables hold them."""
    people = [a_person() for _ in range(10)]
    at = thread.created_at
    told = {"source_format": Body.Format.PLAIN, "visibility": "visible"}
    answers = Answer.objects.bulk_create(
        Answer(
            thread=thread, author=people[n % 10], created_at=at + timedelta(minutes=n), published_at=at,
            body_source=f"Answer {n}", body_html=f"<p>Answer {n}</p>", body_text=f"Answer {n}", **told,
        )
        for n in range(1, 501)
    )  # fmt: skip
    targets = [(thread, 2000), (answers[0], 1000), *((answer, 4) for answer in answers[1:])]
    remarks = [
        Comment(
            target=target, author=people[n % 10], created_at=at + timedelta(minutes=n), published_at=at,
            body_source=f"Remark {n}", body_html=f"<p>Remark {n}</p>", body_text=f"Remark {n}", **told,
        )
        for target, number in targets
        for n in range(number)
    ]  # fmt: skip
    remarks += [
        Comment(
            target=answers[1], author=people[0], created_at=at, published_at=at, body_source="x", body_html="<p>x</p>",
            body_text="x", **told,
        )
        for _ in range(5000 - len(remarks))
    ]  # fmt: skip
    Comment.objects.bulk_create(remarks)
    facts.refresh(thread)
    return thread


def test_500_answers_and_5000_comments_page_well(settings, long, thread, charlie, client):
    settings.BRAND_SECONDS = 60
    assert (long.answer_count, Comment.objects.count()) == (500, 5000)
    short = a_thread(product=thread.product)
    for person in [a_person() for _ in range(3)]:
        an_answer(short, person)
    for visitor in (client, signed_in(charlie)):
        few = cost(visitor, short.get_absolute_url())
        for address in (long.get_absolute_url(), f"{long.get_absolute_url()}?page=13"):
            assert cost(visitor, address) == few
    brand.forget()
    ids: list[str] = []
    for number in range(1, 26):
        page = client.get(f"{long.get_absolute_url()}?page={number}")
        assert len(page.content) < 400_000
        ids += re.findall(r'id="answer-(\d+)"', page.content.decode())
    assert len(ids) == len(set(ids)) == 500
    assert client.get(f"{long.get_absolute_url()}?page=26").status_code == 404


@pytest.mark.parametrize("sort", ["settled", "score", "newest", "oldest"])
def test_the_address_of_an_answer_leads_to_its_page(long, client, sort):
    for answer in (long.answers.order_by("pk")[0], long.answers.order_by("pk")[333], long.answers.order_by("-pk")[0]):
        address = answer.get_absolute_url()
        place, _hash, anchor = address.partition("#")
        page = client.get(f"{place}&sort={sort}").content.decode()
        assert f'id="{anchor}"' in page


def test_an_answer_of_a_short_thread_is_found_by_its_anchor(answer, client):
    assert answer.get_absolute_url() == f"{answer.thread.get_absolute_url()}#answer-{answer.pk}"
    for wrong in ("x", "0", "99999999999999999999999", "-1"):
        assert client.get(f"{answer.thread.get_absolute_url()}?answer={wrong}").status_code == 200


def test_comments_of_a_long_row_are_bounded_when_unfolded(long, client):
    page = client.get(f"{long.get_absolute_url()}?comments=thread-{long.pk}")
    assert len(page.content) < 600_000
    assert page.content.decode().count('id="comment-') < 400


def test_a_comment_of_an_answer_on_another_page_is_found(long, client):
    remark = Comment.objects.on(long.answers.order_by("pk")[0]).order_by("-created_at", "-pk")[0]
    far = Comment.objects.on(long.answers.order_by("pk")[400]).order_by("pk")[0]
    for comment in (remark, far):
        address = place_of(comment)
        assert address.count("?") == 1
        assert f'id="comment-{comment.pk}"' in client.get(address).content.decode()


# What is new


def test_a_view_writes_only_when_there_was_something_new(thread, charlie, bob):
    visitor = signed_in(charlie)
    moment = clock.now()
    with clock.travel(moment + timedelta(hours=1)):
        visitor.get(thread.get_absolute_url())
        first = Seen.objects.values().get()
        assert (first["user_id"], first["thread_id"], first["before"]) == (charlie.pk, thread.pk, None)
    with clock.travel(moment + timedelta(days=1)), CaptureQueriesContext(connection) as found:
        visitor.get(thread.get_absolute_url())
    assert Seen.objects.values().get() == first
    assert not any("questions_seen" in query["sql"] and not query["sql"].startswith("SELECT") for query in found)
    with clock.travel(moment + timedelta(days=2)):
        an_answer(thread, bob)
    with clock.travel(moment + timedelta(days=3)):
        visitor.get(thread.get_absolute_url())
        second = Seen.objects.get()
        assert (second.at, second.before) == (clock.now(), first["at"])


def test_visitors_and_looks_without_a_page_write_nothing(thread, charlie, client):
    client.get(thread.get_absolute_url())
    signed_in(charlie).head(thread.get_absolute_url())
    assert not Seen.objects.exists()


def test_what_is_new_is_marked_for_the_visit_and_jumped_to(thread, bob, charlie):
    visitor = signed_in(charlie)
    moment = clock.now()
    old = an_answer(thread, bob)
    with clock.travel(moment + timedelta(hours=1)):
        assert "since your last visit" not in visitor.get(thread.get_absolute_url()).content.decode()
    with clock.travel(moment + timedelta(hours=2)):
        new = an_answer(thread)
        an_answer(thread)
        an_answer(thread, charlie)
    for minutes in (0, 5, 25):  # a reload or a vote later they are still new
        with clock.travel(moment + timedelta(hours=3, minutes=minutes)):
            page = visitor.get(thread.get_absolute_url())
            body = page.content.decode()
            assert "2 new answers since your last visit" in body and f'href="#answer-{new.pk}"' in body
            assert body.count('class="isnew"') == 2
            assert {answer.pk for answer in page.context["answers"] if not answer.is_new} >= {old.pk}
    with clock.travel(moment + timedelta(hours=5)):
        assert "since your last visit" not in visitor.get(thread.get_absolute_url()).content.decode()


def test_new_comments_are_marked_counted_and_jumped_to_with_no_more_queries(answer, thread, alice, bob, charlie):
    visitor = signed_in(charlie)
    for day in range(11):
        posts.comment(thread, alice, body=f"On day {day} it drips in the morning, too.")
    moment = clock.now()
    with clock.travel(moment + timedelta(hours=1)):
        visitor.get(thread.get_absolute_url())
        few = cost(visitor, thread.get_absolute_url())
    with clock.travel(moment + timedelta(hours=2)):
        posts.comment(thread, charlie, body="My own word is no news to me.")
        folded = posts.comment(thread, bob, body="Only in the morning?")
        shown = posts.comment(answer, alice, body="Six times did it.")
    with clock.travel(moment + timedelta(hours=3)):
        page = visitor.get(thread.get_absolute_url())
        assert (page.context["new"], page.context["new_comments"]) == (0, 2)
        body = page.content.decode()
        assert "2 new comments since your last visit" in body and body.count('class="isnew"') == 1
        assert f'id="comment-{shown.pk}"' in body and f'id="comment-{folded.pk}"' not in body
        there = visitor.get(page.context["first_new_comment"], follow=True)
        assert f'id="comment-{folded.pk}"' in there.content.decode()
        since = int((moment + timedelta(hours=1)).timestamp())
        more = f"{reverse('posts:comments', args=['thread', thread.pk])}?since={since}"
        assert visitor.get(more, headers={"HX-Request": "true"}).content.decode().count('class="isnew"') == 1
        assert cost(visitor, thread.get_absolute_url()) <= few
        # With no answer there is no query for answers to carry the number.
        answer.visibility = "hidden"
        answer.save(update_fields=["visibility"])
        assert visitor.get(thread.get_absolute_url()).context["new_comments"] == 1


def test_what_a_moderator_lets_through_is_new_from_then_on(thread, charlie, ravi):
    Numbers.objects.update_or_create(defaults={"review_first_posts": True})
    moment = clock.now()
    waiting = an_answer(thread, a_person(trust=0))
    visitor = signed_in(charlie)
    with clock.travel(moment + timedelta(hours=1)):
        visitor.get(thread.get_absolute_url())
    with clock.travel(moment + timedelta(hours=2)):
        moderation.approve(waiting, ravi)
    with clock.travel(moment + timedelta(hours=3)):
        assert visitor.get(reverse("questions:list")).context["threads"][0].news == 1
        assert visitor.get(thread.get_absolute_url()).context["first_new"] == f"#answer-{waiting.pk}"


def test_the_jump_leads_to_another_page(long, charlie):
    visitor = signed_in(charlie)
    with clock.travel(clock.now() + timedelta(days=2)):
        visitor.get(long.get_absolute_url())
    with clock.travel(clock.now() + timedelta(days=3)):
        new = an_answer(long, a_person())
    with clock.travel(clock.now() + timedelta(days=4)):
        page = visitor.get(long.get_absolute_url())
        first = page.context["first_new"]
        assert first == f"{long.get_absolute_url()}?answer={new.pk}#answer-{new.pk}"
        there = visitor.get(first).content.decode()
        assert f'id="answer-{new.pk}"' in there and 'class="isnew"' in there


def test_hidden_answers_are_not_new(thread, bob, charlie, ravi):
    visitor = signed_in(charlie)
    with clock.travel(clock.now() + timedelta(hours=1)):
        visitor.get(thread.get_absolute_url())
    with clock.travel(clock.now() + timedelta(hours=2)):
        moderation.hide(an_answer(thread, bob), ravi, reason="Rude")
        listed = visitor.get(reverse("questions:list"))
        assert listed.context["threads"][0].news == 0
        assert "since your last visit" not in visitor.get(thread.get_absolute_url()).content.decode()


def test_the_list_says_what_is_new_in_one_query(thread, bob, charlie, client):
    threads = [thread, *(a_thread() for _ in range(3))]
    visitor = signed_in(charlie)
    with clock.travel(clock.now() + timedelta(hours=1)):
        visitor.get(thread.get_absolute_url())
        few = cost(visitor, reverse("questions:list"))
    with clock.travel(clock.now() + timedelta(hours=2)):
        for one in threads:
            visitor.get(one.get_absolute_url())
    with clock.travel(clock.now() + timedelta(hours=3)):
        for one in threads:
            an_answer(one, bob)
        an_answer(thread)
        page = visitor.get(reverse("questions:list"))
        assert {one.pk: one.news for one in page.context["threads"]} == {
            **{one.pk: 1 for one in threads}, thread.pk: 2,
        }  # fmt: skip
        assert "2 new answers" in page.content.decode()
        assert cost(visitor, reverse("questions:list")) <= few + 1  # who answered is asked once there are answers
        assert "new answer" not in client.get(reverse("questions:list")).content.decode()


def test_what_came_with_a_merge_is_new(thread, bob, charlie, ravi):
    other = a_thread()
    answer = an_answer(other, bob)
    visitor = signed_in(charlie)
    with clock.travel(clock.now() + timedelta(hours=1)):
        visitor.get(thread.get_absolute_url())
    with clock.travel(clock.now() + timedelta(hours=2)):
        services.merge_thread(other, thread, ravi, "The same")
    with clock.travel(clock.now() + timedelta(hours=3)):
        page = visitor.get(thread.get_absolute_url())
        assert (page.context["new"], page.context["first_new"]) == (1, f"#answer-{answer.pk}")


def test_old_visits_are_forgotten(thread, charlie):
    signed_in(charlie).get(thread.get_absolute_url())
    assert seen.sweep() == 0
    with clock.travel(clock.now() + timedelta(days=401)):
        assert seen.sweep() == 1

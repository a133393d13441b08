"""Words that come late, or are taken away again: who is called, what is news, who spoke last."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from community.accounts.models import User
from community.core import clock
from community.core.errors import Conflict
from community.events.models import Event
from community.moderation import services as moderation
from community.posts import services as posts
from community.posts.models import Comment
from community.questions import services
from community.questions.models import Answer, Thread
from tests.factories import a_thread, an_answer
from tests.questions.test_pages import signed_in

pytestmark = pytest.mark.django_db


def needs_attention(thread: Thread) -> bool:
    return Thread.objects.needs_attention().filter(pk=thread.pk).exists()


def test_a_comment_let_through_later_calls_whom_it_names_and_is_news(
    thread: Thread, alice: User, bob: User, charlie: User, ravi: User
) -> None:
    moderation.watch(ravi, pattern="watchme", act="queue")
    start, client = clock.now(), signed_in(alice)
    with clock.travel(start + timedelta(hours=1)):
        remark = posts.comment(thread, bob, body="Please watchme @charlie and look at this.")
    assert remark.visibility == Comment.Visibility.PENDING
    with clock.travel(start + timedelta(hours=2)):
        client.get(thread.get_absolute_url())
    with clock.travel(start + timedelta(hours=3)):
        moderation.approve(remark, ravi)
    event = Event.objects.get(kind="comment.posted", subject_id=remark.pk)
    assert event.data["mentions"] == [charlie.pk]
    thread.refresh_from_db()
    assert (thread.active_at, thread.replied_at) == (start + timedelta(hours=3),) * 2
    with clock.travel(start + timedelta(hours=4)):
        page = client.get(thread.get_absolute_url())
    assert (page.context["new_comments"], page.context["first_new_comment"]) == (1, f"#comment-{remark.pk}")


def test_spam_that_was_hidden_answered_nobody(
    thread: Thread, alice: User, bob: User, charlie: User, ravi: User
) -> None:
    start = clock.now()

    def later(hours: int) -> clock.travel:
        return clock.travel(start + timedelta(hours=hours))

    with later(1):
        posts.comment(thread, alice, body="It still drips, and more than before.")
    assert needs_attention(thread)
    for hour, post in ((2, lambda: posts.comment(thread, bob, body="Buy pills")), (4, lambda: an_answer(thread, bob))):
        with later(hour):
            spam = post()
        assert not needs_attention(thread)
        with later(hour + 1):
            moderation.hide(spam, ravi, reason="Spam")
            assert needs_attention(thread)
            moderation.restore(spam, ravi)
            assert not needs_attention(thread)
            moderation.delete(spam, bob)
            assert needs_attention(thread)
    with later(6):
        remark = posts.comment(thread, alice, body="Nobody there?")
        posts.comment(thread, charlie, body="I am, wait a moment.")
    with later(7):
        moderation.delete(remark, alice)
    thread.refresh_from_db()
    assert thread.asker_spoke_at == start + timedelta(hours=1)


def test_a_question_of_staff_stays_a_word_when_a_comment_is_hidden(
    thread: Thread, alice: User, bob: User, dana: User, ravi: User
) -> None:
    spam = posts.comment(thread, bob, body="Buy pills")
    services.ask_for_info(thread, dana, "Which firmware is it?")
    moderation.hide(spam, ravi, reason="Spam")
    thread.refresh_from_db()
    assert thread.replied_at == thread.needs_info_since


def test_a_comment_has_no_comments(client: Client, thread: Thread, bob: User) -> None:
    remark = posts.comment(thread, bob, body="A first remark here")
    assert client.get(reverse("posts:comments", args=["comment", remark.pk])).status_code == 404
    sent = signed_in(bob).post(reverse("posts:comment", args=["comment", remark.pk]), {"body": "And another"})
    assert sent.status_code == 404
    with pytest.raises(Conflict):
        posts.comment(remark, bob, body="And another")
    assert Comment.objects.count() == 1


def test_the_original_merges_into_its_duplicate(charlie: User, ravi: User, answer: Answer) -> None:
    copy = a_thread(charlie, title="The better one of the two of them", product=answer.thread.product)
    services.mark_duplicate(copy, ravi, answer.thread)
    original = Thread.objects.get(pk=answer.thread_id)
    page = signed_in(ravi).post(reverse("questions:merge", args=[original.pk]), {"of": str(copy.pk), "reason": "Same"})
    assert page.status_code in (200, 302, 303) and "itself" not in page.content.decode()
    assert services.merge_thread(original, copy, ravi, "The second is clearer").pk == copy.pk
    copy.refresh_from_db()
    answer.refresh_from_db()
    assert (copy.duplicate_of, answer.thread_id) == (None, copy.pk)
    assert copy.state == "replied"


def test_private_details_that_are_refused_come_back(thread: Thread, alice: User) -> None:
    client, place = signed_in(alice), reverse("questions:private", args=[thread.pk])
    long = client.post(place, {"serial": "S" * 81, "note": "By the back door, please"})
    assert long.status_code == 422
    assert "By the back door" in long.content.decode() and long.context["form"].errors["serial"]
    User.objects.filter(pk=alice.pk).update(silenced_until=clock.now() + timedelta(hours=3))
    silent = client.post(place, {"order_number": "B-1042"})
    assert silent.status_code == 403 and 'value="B-1042"' in silent.content.decode()


def test_a_reason_that_is_refused_comes_back(answer: Answer, charlie: User) -> None:
    refused = signed_in(charlie).post(
        reverse("questions:unofficial", args=[answer.pk]), {"reason": "It names the wrong valve"}
    )
    assert refused.status_code == 403 and "It names the wrong valve" in refused.content.decode()

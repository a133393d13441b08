"""Comments in their numbers: folded, by the hundred, changed for an hour only."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from community.accounts.models import User
from community.core import clock
from community.core.errors import Conflict, NotAllowed
from community.posts import services as posts
from community.posts.models import Comment
from community.questions.models import Answer, Thread
from tests import factories

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


def many(thread: Thread, by: User, number: int) -> None:
    begin = clock.now() - timedelta(hours=1)
    Comment.objects.bulk_create(
        Comment(
            target=thread, author=by, body_source=f"Remark {n:03}", body_html=f"<p>Remark {n:03}</p>",
            body_text=f"Remark {n:03}", visibility="visible", created_at=begin + timedelta(seconds=n),
        )
        for n in range(number)
    )  # fmt: skip


@pytest.mark.parametrize("where", ["page", "piece"])
def test_comments_unfold_a_hundred_at_once(client: Client, thread: Thread, bob: User, where: str) -> None:
    many(thread, bob, 230)

    def read(part: int) -> str:
        if where == "page":
            address = f"{thread.get_absolute_url()}?comments=thread-{thread.pk}&part={part}"
            return client.get(address).content.decode()
        address = reverse("posts:comments", args=["thread", thread.pk])
        return client.get(f"{address}?part={part}", headers=HTMX).content.decode()

    first, second, third = read(1), read(2), read(3)
    assert "Remark 099" in first and "Remark 100" not in first and "1 to 100 of 230" in first
    assert "Remark 100" in second and "Remark 199" in second and "Remark 200" not in second
    assert "Earlier comments" in second and "Later comments" in second
    assert "Remark 229" in third and "201 to 230 of 230" in third and "Later comments" not in third


def test_without_a_script_the_parts_are_addresses(client: Client, thread: Thread, bob: User) -> None:
    many(thread, bob, 120)
    response = client.get(reverse("posts:comments", args=["thread", thread.pk]), {"part": "2"})
    assert response.status_code == 302 and "part=2" in response["Location"]
    assert "Remark 119" in client.get(response["Location"]).content.decode()
    assert client.get(f"{thread.get_absolute_url()}?comments=thread-{thread.pk}&part=x").status_code == 200


def test_a_new_comment_is_shown_wherever_it_stands(client: Client, thread: Thread, bob: User) -> None:
    many(thread, bob, 150)
    client.force_login(bob)
    address = reverse("posts:comment", args=["thread", thread.pk])
    piece = client.post(address, {"body": "The newest of all"}, headers=HTMX).content.decode()
    assert "The newest of all" in piece and "Remark 000" not in piece
    page = client.post(address, {"body": "And one more"})
    assert "part=2" in page["Location"]
    assert "And one more" in client.get(page["Location"]).content.decode()


def test_comments_of_a_tip_fold_after_ten(client: Client, bob: User) -> None:
    tip = factories.a_tip(bob)
    for number in range(13):
        posts.comment(tip, bob, body=f"Remark {number:03}")
    folded = client.get(tip.get_absolute_url()).content.decode()
    assert "Remark 009" in folded and "Remark 010" not in folded and "3 more comments" in folded
    opened = client.get(reverse("posts:comments", args=["tip", tip.pk]), follow=True).content.decode()
    assert "Remark 012" in opened


def test_a_comment_can_be_changed_for_an_hour(client: Client, thread: Thread, bob: User, charlie: User) -> None:
    made = posts.comment(thread, bob, body="It is the vlave")
    posts.edit_comment(made, bob, body="It is the valve")
    with pytest.raises(NotAllowed):
        posts.edit_comment(made, charlie, body="It is mine")
    client.force_login(bob)
    edit = reverse("posts:comment_edit", args=[made.pk])
    assert edit in client.get(thread.get_absolute_url()).content.decode()
    with clock.travel(made.created_at + timedelta(minutes=61)):
        with pytest.raises(Conflict):
            posts.edit_comment(made, bob, body="Something else")
        assert edit not in client.get(thread.get_absolute_url()).content.decode()
        refused = client.get(edit)
        assert refused.status_code == 409 and "for an hour" in refused.content.decode()
        assert client.post(edit, {"body": "Something else"}).status_code == 409
        assert client.post(reverse("posts:delete", args=["comment", made.pk])).status_code == 302
    made.refresh_from_db()
    assert (made.body_source, made.visibility) == ("It is the valve", "deleted")


def test_600_characters_and_not_one_more(client: Client, thread: Thread, answer: Answer, bob: User) -> None:
    assert posts.comment(answer, bob, body="x" * 600).pk
    client.force_login(bob)
    response = client.post(reverse("posts:comment", args=["answer", answer.pk]), {"body": "word " * 121})
    assert response.status_code == 422 and "word word" in response.content.decode()

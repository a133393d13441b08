"""The doors that all kinds of posts share: preview, pictures, drafts, comments, flags, hiding, deleting."""

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from community.accounts.models import User
from community.core.models import RateLimit
from community.moderation import services as moderation
from community.moderation.models import Flag
from community.posts import services
from community.posts.models import Comment, Draft, Upload
from community.questions.models import Answer, Thread
from tests import factories

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def a_picture(colour: str = "red") -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(out, "JPEG", comment=b"taken at home")
    return SimpleUploadedFile("../../home address.jpg", out.getvalue(), "image/jpeg")


# Preview and drafts


def test_preview_is_safe_for_members_and_visitors(alice: User, bob: User) -> None:
    written = {"body": "**Bold** @alice <script>alert(1)</script>"}
    for client, calls in ((signed_in(bob), True), (Client(), False)):
        drawn = client.post("/posts/preview/", written).content.decode()
        assert "<strong>Bold</strong>" in drawn and "<script>" not in drawn
        assert ("/people/alice/" in drawn) is calls, "whether a name exists is for members"
    assert signed_in(alice).get("/posts/preview/").status_code == 405
    assert Client(enforce_csrf_checks=True).post("/posts/preview/", written).status_code == 403


def test_preview_has_a_pace(alice: User) -> None:
    for client in (signed_in(alice), Client()):
        statuses = [client.post("/posts/preview/", {"body": "x"}, headers={"HX-Request": "true"}) for _ in range(61)]
        assert [response.status_code for response in statuses] == [200] * 60 + [429]
        assert int(statuses[-1]["Retry-After"]) > 0


def test_preview_refuses_what_is_too_long(alice: User) -> None:
    assert signed_in(alice).post("/posts/preview/", {"body": "a" * 30_000}).status_code == 422


def test_drafts_are_ones_own(alice: User, bob: User) -> None:
    signed_in(alice).post("/posts/draft/?key=answer:1", {"body": "Half a thought"})
    signed_in(alice).post("/posts/draft/?key=answer:1", {"body": "A whole thought"})
    assert services.draft_of(alice, "answer:1") == {"body": "A whole thought"}
    assert services.draft_of(bob, "answer:1") == {}
    assert signed_in(alice).post("/posts/draft/", {"body": "x"}).status_code == 404
    assert signed_in(alice).post("/posts/draft/?key=x", {"body": "x" * 70_000}).status_code == 422
    assert Draft.objects.count() == 1


# Pictures


def test_a_picture_is_drawn_anew_under_our_name(alice: User) -> None:
    response = signed_in(alice).post("/posts/upload/", {"file": a_picture()})
    made = Upload.objects.get()
    assert response.status_code == 201 and response.json()["url"] == made.file.url
    assert "home" not in made.file.name and made.file.name.endswith(".webp")
    assert b"taken at home" not in made.file.read() and (made.width, made.height) == (40, 30)


@pytest.mark.parametrize("content", [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"GIF89a" + b"\0" * 40])
def test_what_is_no_picture_is_refused(alice: User, content: bytes) -> None:
    file = SimpleUploadedFile("photo.jpg", content, "image/jpeg")
    assert signed_in(alice).post("/posts/upload/", {"file": file}).status_code == 422
    assert signed_in(alice).post("/posts/upload/").status_code == 422
    assert not Upload.objects.exists()


def test_pictures_are_as_visible_as_their_post(alice: User, bob: User, ravi: User) -> None:
    address = signed_in(alice).post("/posts/upload/", {"file": a_picture()}).json()["url"]
    assert signed_in(alice).get(address).status_code == 200
    assert signed_in(bob).get(address).status_code == Client().get(address).status_code == 404
    thread = factories.a_thread(alice, body=f"This is what it looks like from the left: ![The left side]({address})")
    shown = Client().get(address)
    assert shown.status_code == 200 and shown["Content-Type"] == "image/webp"
    assert shown["X-Content-Type-Options"] == "nosniff"
    moderation.hide(thread, ravi, reason="A face is seen.")
    assert Client().get(address).status_code == 404 and signed_in(alice).get(address).status_code == 200
    assert Client().get("/media/uploads/2026/01/none.webp").status_code == 404


def test_uploading_needs_a_member_and_a_pace(alice: User) -> None:
    assert Client().post("/posts/upload/", {"file": a_picture()}).status_code == 401
    assert Client().get("/posts/upload/").status_code == 405
    statuses = [signed_in(alice).post("/posts/upload/", {"file": a_picture()}).status_code for _ in range(11)]
    assert statuses == [201] * 10 + [429]


# Comments


def test_commenting_leads_back_to_the_comment(thread: Thread, bob: User) -> None:
    address = reverse("posts:comment", args=["thread", thread.pk])
    response = signed_in(bob).post(address, {"body": "Same here."})
    assert response["Location"].endswith(f"#comment-{Comment.objects.get().pk}")
    assert signed_in(bob).get(address).status_code == 405
    assert "/accounts/login/" in Client().post(address, {"body": "Same here."})["Location"]


@pytest.mark.parametrize("words", ["", "x" * 601])
def test_comments_have_a_length_and_keep_their_text(thread: Thread, bob: User, words: str) -> None:
    response = signed_in(bob).post(reverse("posts:comment", args=["thread", thread.pk]), {"body": words})
    assert response.status_code == 422 and words in response.content.decode()


def test_comments_are_edited_and_deleted_by_their_author(thread: Thread, bob: User, charlie: User) -> None:
    row = services.comment(thread, bob, body="Same here.")
    edit, delete = reverse("posts:comment_edit", args=[row.pk]), reverse("posts:delete", args=["comment", row.pk])
    assert signed_in(charlie).post(edit, {"body": "Not here."}).status_code == 403
    assert signed_in(charlie).post(delete).status_code == 403
    assert signed_in(bob).post(edit, {"body": "Same here, since May."}).status_code == 302
    row.refresh_from_db()
    assert row.body_source == "Same here, since May."
    assert signed_in(bob).post(delete)["Location"] == thread.get_absolute_url()
    assert row.body_source not in Client().get(thread.get_absolute_url()).content.decode()


def test_comments_under_what_is_hidden_are_hidden(thread: Thread, bob: User, charlie: User, ravi: User) -> None:
    row = services.comment(thread, bob, body="Same here.")
    moderation.hide(thread, ravi, reason="An advertisement.")
    assert signed_in(charlie).get(reverse("posts:flag", args=["comment", row.pk])).status_code == 404
    assert Client().get(reverse("posts:comments", args=["thread", thread.pk])).status_code == 404


@pytest.mark.parametrize("kind", ["user", "flag", "product", "none"])
def test_other_kinds_are_404(alice: User, thread: Thread, kind: str) -> None:
    for name in ["flag", "moderate", "delete", "comments"]:
        assert signed_in(alice).get(reverse(f"posts:{name}", args=[kind, thread.pk])).status_code == 404


# Flags, hiding, deleting


def test_flagging_once_is_enough(thread: Thread, bob: User, alice: User) -> None:
    address = reverse("posts:flag", args=["thread", thread.pk])
    for _ in range(2):
        response = signed_in(bob).post(address, {"reason": "spam", "note": "A shop."})
        assert response["Location"] == thread.get_absolute_url()
    assert Flag.objects.get().reporter == bob
    assert signed_in(bob).post(address, {"reason": "nonsense"}).status_code == 422
    assert signed_in(alice).get(address).status_code == 403
    assert Client().get(address).status_code == 302


def test_moderators_hide_with_a_reason_and_show_again(answer: Answer, ravi: User, charlie: User) -> None:
    address = reverse("posts:moderate", args=["answer", answer.pk])
    assert signed_in(charlie).post(address, {"reason": "I don't like it."}).status_code == 403
    assert signed_in(ravi).post(address, {"reason": ""}).status_code == 422
    assert signed_in(ravi).post(address, {"reason": "Names a neighbour."}).status_code == 302
    answer.refresh_from_db()
    assert (answer.visibility, answer.hidden_reason) == ("hidden", "Names a neighbour.")
    assert "Names a neighbour." in signed_in(ravi).get(address).content.decode()
    assert signed_in(ravi).post(address).status_code == 422, "showing needs a reason, too"
    assert signed_in(ravi).post(address, {"reason": "It names nobody."}).status_code == 302
    answer.refresh_from_db()
    assert answer.is_visible


def test_deleting_asks_first_and_is_for_authors_and_moderators(
    thread: Thread, alice: User, charlie: User, ravi: User
) -> None:
    address = reverse("posts:delete", args=["thread", thread.pk])
    assert signed_in(charlie).post(address).status_code == 403
    assert signed_in(alice).get(address).status_code == 200
    refused = signed_in(ravi).post(address, {"reason": ""})
    assert refused.status_code == 422 and "its author reads it" in refused.content.decode()
    thread.refresh_from_db()
    assert thread.is_visible
    assert signed_in(alice).post(address).status_code == 302
    assert Client().get(thread.get_absolute_url()).status_code == 410


def test_the_pace_is_kept_in_rows(thread: Thread, bob: User, settings: Any) -> None:
    settings.REDIS_URL = ""  # where there is a Redis, it counts instead
    signed_in(bob).post(reverse("posts:comment", args=["thread", thread.pk]), {"body": "Same here."})
    assert RateLimit.objects.filter(key__startswith="comment:").exists()


def test_a_refused_comment_leaves_the_page_and_its_text_alone(thread: Thread, bob: User) -> None:
    address = reverse("posts:comment", args=["thread", thread.pk])
    answer = signed_in(bob).post(address, {"body": "x" * 700}, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert answer["HX-Reswap"] == "none"
    assert "600" in answer["HX-Trigger"]

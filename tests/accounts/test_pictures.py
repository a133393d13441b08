"""The picture beside somebody's name."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.template import engines
from django.test import Client
from django.urls import reverse
from PIL import Image

from community.accounts import services
from community.accounts.models import Penalty, User
from community.core.errors import NotAllowed
from community.events.models import Event
from tests.reviews.test_photos import HOSTILE

pytestmark = pytest.mark.django_db
PLACE = "accounts:picture"


def a_file(size: tuple[int, int] = (640, 400)) -> SimpleUploadedFile:
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0)})
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, "JPEG", exif=exif.tobytes(), comment=b"secret")
    return SimpleUploadedFile("me at home.jpg", out.getvalue(), "image/jpeg")


def test_somebody_shows_a_picture_everywhere_without_a_query(
    client: Client, alice: User, django_capture_on_commit_callbacks: Any, django_assert_num_queries: Any
) -> None:
    client.force_login(alice)
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(reverse(PLACE), {"picture": a_file()}).status_code == 302
    alice.refresh_from_db()
    first = alice.avatar.name
    assert first.endswith(".webp") and "home" not in first
    with alice.avatar.open() as file:
        kept = file.read()
    shown = Image.open(io.BytesIO(kept))
    assert (shown.format, shown.size) == ("WEBP", (208, 208)) and not shown.getexif() and b"secret" not in kept
    assert client.get(alice.avatar.url).status_code == 200 and client.get("/media/avatars/none.webp").status_code == 404
    plate = engines["django"].from_string("{% load community %}{% avatar person %}")
    with django_assert_num_queries(1):
        html = [plate.render({"person": person}) for person in User.objects.filter(pk=alice.pk)]
    assert f'<img src="{alice.avatar.url}"' in html[0]
    own = client.get(alice.get_absolute_url()).content.decode()
    assert own.count(alice.avatar.url) >= 3, "in the head of the page, in its menu, and told to machines"
    # Another one: the file before goes. Then the letters again; twice is harmless.
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse(PLACE), {"picture": a_file((100, 300))})
    alice.refresh_from_db()
    storage, second = alice.avatar.storage, alice.avatar.name
    assert not storage.exists(first) and storage.exists(second)
    for _twice in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            assert client.post(reverse(PLACE), {"away": "1"}).status_code == 302
    alice.refresh_from_db()
    assert not alice.avatar and not storage.exists(second)
    assert [event.data["on"] for event in Event.objects.filter(kind="person.pictured").order_by("pk")] == [
        True, True, False,
    ]  # fmt: skip


def test_what_is_no_picture_is_said_beside_the_field(client: Client, alice: User, ravi: User) -> None:
    assert client.post(reverse(PLACE), {"picture": a_file()}).url.startswith("/accounts/login/")
    client.force_login(alice)
    assert client.get(reverse(PLACE)).status_code == 405
    for data in ({}, {"picture": SimpleUploadedFile("a.svg", b"<svg onload=alert(1)>", "image/svg+xml")}):
        response = client.post(reverse(PLACE), data)
        assert response.status_code == 422 and response.context["picture"].errors.keys() == {"picture"}
    services.change_picture(alice, a_file())
    services.silence(alice, ravi, hours=24, reason="Calm down")
    assert client.post(reverse(PLACE), {"away": "1"}).status_code == 302, "their face is theirs to take away"
    response = client.post(reverse(PLACE), {"picture": a_file()})
    assert response.status_code == 403 and "You can read, but not write" in response.content.decode()
    alice.refresh_from_db()
    assert not alice.avatar


@pytest.mark.once
def test_hostile_files_are_refused_with_a_reason(alice: User) -> None:
    for what, (data, reason) in HOSTILE.items():
        with pytest.raises(ValidationError) as refused:
            services.change_picture(alice, io.BytesIO(data))
        assert reason in refused.value.message_dict["picture"][0], what


def test_a_moderator_takes_a_picture_away_and_says_why(
    client: Client, alice: User, bob: User, ravi: User, enrol: Callable[[User], None]
) -> None:
    services.change_picture(alice, a_file())
    with pytest.raises(NotAllowed):
        services.take_picture(alice, bob, reason="I do not like it.")
    with pytest.raises(ValidationError):
        services.take_picture(alice, ravi, reason=" ")
    enrol(ravi)
    client.force_login(ravi)
    page = reverse("keepers:person", args=[alice.pk])
    assert "Take the picture away" in client.get(page).content.decode()
    press = reverse("keepers:act", args=[alice.pk, "picture"])
    for _twice in range(2):
        assert client.post(press, {"reason": "It shows somebody else."}).status_code == 303
    alice.refresh_from_db()
    assert not alice.avatar
    assert [row.reason for row in Penalty.objects.filter(person=alice)] == ["It shows somebody else."]
    assert "Take the picture away" not in client.get(page).content.decode()


def test_the_picture_of_an_account_that_became_part_of_another_comes_along(alice: User, bob: User, hanna: User) -> None:
    services.change_picture(alice, a_file())
    name = alice.avatar.name
    services.close_into(alice, bob, hanna, reason="One person.", posts={})
    bob.refresh_from_db()
    alice.refresh_from_db()
    assert bob.avatar.name == name and bob.avatar.storage.exists(name) and not alice.avatar


def test_without_an_account_to_show_it_nothing_is_kept(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that was stored goes when the row can't be written."""
    storage = User._meta.get_field("avatar").storage
    before = set(storage.listdir("avatars")[1]) if storage.exists("avatars") else set()
    monkeypatch.setattr(services, "record", lambda *_args, **_more: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        services.change_picture(alice, a_file())
    assert set(storage.listdir("avatars")[1] if storage.exists("avatars") else ()) == before
    assert not User.objects.get(pk=alice.pk).avatar

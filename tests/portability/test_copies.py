"""A copy of one's data: whole, its owner's alone, and gone after a week."""

import io
import json
import zipfile
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.urls import reverse
from PIL import Image

from community.core import clock
from community.core.errors import Conflict
from community.core.models import Delivery
from community.portability import copies
from community.portability.models import DataCopy
from community.posts import photos
from community.posts import services as posts
from community.questions import services as questions
from products.services import add_to_shelf

from ..factories import a_confirmed_address, a_recipe, a_review, an_answer

pytestmark = pytest.mark.django_db


def test_it_holds_all_one_wrote_and_owns_and_nothing_of_others(alice, bob, thread, duo):
    a_confirmed_address(alice)
    add_to_shelf(duo, alice)
    alice.shelf.update(serial="SN-4711")
    questions.give_private_details(thread, alice, order_number="ORDER-9", phone="", serial="", note="")
    posts.comment(thread, alice, body="It drips in the morning, too.")
    posts.comment(thread, bob, body="BOBS-SECRET-REMARK")
    posts.save_draft(alice, "ask", {"title": "Half a thought"})
    an_answer(thread, bob, body="BOBS-ANSWER is descaling.")
    a_review(alice, duo, title="Good after a year")
    file = io.BytesIO()
    Image.new("RGB", (2, 2)).save(file, "WEBP")
    picture = photos.store(alice, photos.named(file.getvalue()), "My machine")
    archive = io.BytesIO()
    copies.write(alice, archive)
    with zipfile.ZipFile(archive) as opened:
        told = json.loads(opened.read("data.json"))
        assert opened.read(f"files/{picture.file.name}") == file.getvalue()
    words = json.dumps(told)
    for mine in (
        "alice@example.org", thread.title, "SN-4711", "ORDER-9", "It drips in the morning", "Half a thought",
        "Good after a year", "My machine",
    ):  # fmt: skip
        assert mine in words
    assert "BOBS" not in words and "pbkdf2" not in words and told["account"]["username"] == "alice"
    assert told["rooms"]["questions.Thread"][0]["title"] == thread.title


def test_it_is_made_once_told_of_and_gone_after_a_week(alice, wednesday, django_capture_on_commit_callbacks):
    copies.ask_for_copy(alice)
    with pytest.raises(Conflict):
        copies.ask_for_copy(alice)
    assert copies.make_waiting() == 1 and copies.make_waiting() == 0
    copy = DataCopy.objects.get()
    name = copy.file.name
    assert default_storage.exists(name) and copy.expires_at == wednesday + timedelta(days=7)
    assert "ready" in Delivery.objects.get(user=alice).body_text
    with pytest.raises(Conflict):
        copies.ask_for_copy(alice)
    with clock.travel(wednesday + timedelta(days=2)):
        second = copies.ask_for_copy(alice)
        assert copies.latest(alice) == second
    with clock.travel(wednesday + timedelta(days=7, seconds=1)):
        with django_capture_on_commit_callbacks(execute=True):
            assert copies.tidy() == 1
        assert not default_storage.exists(name)


def test_only_its_owner_fetches_it_and_only_in_time(client, alice, bob, wednesday):
    alice.last_login = clock.now()
    copies.ask_for_copy(alice)
    copies.make_waiting()
    copy = DataCopy.objects.get()
    address = reverse("portability:fetch_copy", args=[copy.pk])
    assert client.get(address).status_code == 302
    client.force_login(bob)
    assert client.get(address).status_code == 404
    client.force_login(alice)
    page = client.get(reverse("portability:data")).content.decode()
    assert address in page
    fetched = client.get(address)
    assert fetched["Content-Type"] == "application/zip" and "no-store" in fetched["Cache-Control"]
    assert zipfile.is_zipfile(io.BytesIO(b"".join(fetched.streaming_content)))
    assert client.get(f"/media/{copy.file.name}").status_code == 404
    with clock.travel(wednesday + timedelta(days=8)):
        assert client.get(address).status_code in (302, 404)  # the session may be over, too
        client.force_login(alice)
        assert client.get(address).status_code == 404


def test_asking_is_a_post_with_the_password(client, alice):
    address = reverse("portability:ask_for_copy")
    alice.set_password("correct horse battery")
    alice.save()
    client.force_login(alice)
    assert client.get(address).status_code == 405
    asked = client.post(address)
    assert "reauthenticate" in asked["Location"] and not DataCopy.objects.exists()
    client.post(asked["Location"], {"password": "wrong"})
    assert not DataCopy.objects.exists()
    client.post(asked["Location"], {"password": "correct horse battery"})
    assert DataCopy.objects.filter(person=alice).count() == 1


@pytest.mark.once
def test_it_holds_the_parts_of_posts_and_one_that_fails_stops_nobody(alice, bob, monkeypatch, caplog):
    told = copies.gather(a_recipe(alice).author)["rooms"]
    assert told["sharing.RecipeStep"] and told["sharing.Ingredient"] and not told["sharing.TipStep"]
    assert not copies.gather(bob)["rooms"]["sharing.RecipeStep"]
    assert {"reviews.Refusal", "advocates.TrialItem", "advocates.Judgement"} <= told.keys()  # what they wrote there
    cache.clear()
    for person in (alice, bob):
        copies.ask_for_copy(person)
    write = copies.write

    def fails_for_alice(person, file):
        if person == alice:
            raise OSError("full")
        write(person, file)

    monkeypatch.setattr(copies, "write", fails_for_alice)
    assert copies.make_waiting() == 1 and DataCopy.objects.get(ready_at=None).person == alice
    assert "could not be made" in caplog.text

    def erased_meanwhile(person, file):
        write(person, file)
        DataCopy.objects.filter(person=person).delete()

    cache.clear()
    files = set(default_storage.listdir("copies")[1])
    monkeypatch.setattr(copies, "write", erased_meanwhile)
    assert copies.make_waiting() == 0 and set(default_storage.listdir("copies")[1]) == files

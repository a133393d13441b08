"""Leaving: asked for, thought about for two weeks, and then nothing names a person any more."""

import io
import json
import re
from datetime import timedelta
from unittest import mock

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.core.files.base import ContentFile
from django.db import models
from django.test import Client
from django.urls import reverse
from PIL import Image

from advocates import rebuild, rings
from advocates import services as programme
from advocates.models import Award, Badge, BoardScore, ReputationEntry, VoteFinding, VoteTakenOut
from community.accounts import services as accounts
from community.accounts.models import User
from community.bridges.models import Bridge
from community.core import clock, outbox
from community.core.errors import NotAllowed
from community.core.models import Delivery
from community.events.models import Event, EventNote
from community.notifications.models import Notification
from community.portability import leaving
from community.portability.models import Departure
from community.posts import photos
from community.posts import services as posts
from community.posts.models import Revision
from community.questions import services as questions
from community.questions.models import AnswerVote, EditSuggestion, PrivateDetails, Thread
from community.search import documents
from community.search.models import IndexChange
from products.services import add_to_shelf
from reviews.models import ReviewRequest

from ..factories import a_confirmed_address, a_person, a_review, a_thread, a_tip, an_answer

pytestmark = pytest.mark.django_db

# A name that stands nowhere by chance, in all its forms.
MARK = re.compile(r"quirina|zabel", re.IGNORECASE)


@pytest.fixture
def quirina(duo, alice, bob) -> User:
    """Somebody who has done of everything: asked, answered, judged, owned, drafted, mentioned, thanked."""
    person = a_person("quirina-old", name="Quirina Zabel", about="I am Quirina.", city="Zabelstadt")
    accounts.rename(person, "quirina")
    a_confirmed_address(person, "quirina@zabel.example")
    User.objects.filter(pk=person.pk).update(email="quirina@zabel.example")
    person.refresh_from_db()
    person.avatar.save("quirina.webp", ContentFile(b"x"))
    add_to_shelf(duo, person)
    person.shelf.update(serial="ZABEL-1")
    own = a_thread(person, product=duo, title="Why does the pump hum at night")
    questions.give_private_details(own, person, order_number="ZABEL-77", phone="", serial="", note="")
    questions.edit_thread(own, person, title=own.title, body="It hums, says my ear, since Monday evening.", tags=[])
    reply = an_answer(own, bob, body="@quirina try this.\n\n> **Quirina Zabel wrote:**\n> It hums.")
    questions.accept_answer(reply, person)
    questions.vote_answer(reply, person, 1)
    other = a_thread(alice, product=duo)
    helped = an_answer(other, person)
    questions.vote_answer(helped, alice, 1)
    questions.accept_answer(helped, alice)
    posts.comment(other, person, body="Signed, Quirina Zabel.")
    a_review(person, duo)
    a_tip(person, product=duo)
    posts.save_draft(person, "ask", {"title": "Zabel"})
    programme.admit(person, None, [duo])
    programme.declare_interest(person, person, kind="other", line="Zabel is a cousin.", since=clock.now().date())
    photos.store(person, photos.named(_picture()), "Zabel")
    ReviewRequest.objects.create(person=person, product=duo, bought_on=clock.now().date())
    by_hand = Badge.objects.filter(by_hand=True).first() or Badge.objects.create(slug="hand", name="Hand", by_hand=True)
    Award.objects.create(badge=by_hand, person=person, per_key="", reason="For Quirina")
    outbox.queue(kind="notice", user=person, subject="To Quirina", text="Zabel")
    UserSession.objects.create(
        user=person, ip="203.0.113.9", user_agent="Zabel/1", session_key="z" * 40, last_seen_at=clock.now()
    )
    me = {"actor_content_type_id": _type(person), "actor_object_id": str(person.pk)}
    Notification.objects.create(recipient=bob, verb="Quirina Zabel answered", kind="new_answer", **me)
    Notification.objects.create(recipient=person, verb="Bob answered", kind="new_answer", **me)
    documents.rebuild()
    return User.objects.get(pk=person.pk)


def _picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (2, 2)).save(file, "WEBP")
    return file.getvalue()


def _type(person: User) -> int:
    from django.contrib.contenttypes.models import ContentType

    return ContentType.objects.get_for_model(person).pk


def _where_named() -> set[str]:
    """Every text column of the whole database that still holds the mark."""
    found = set()
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            if isinstance(field, models.CharField | models.TextField | models.JSONField | models.FileField):
                for value in model._base_manager.values_list(field.attname, flat=True):
                    if value and MARK.search(value if isinstance(value, str) else json.dumps(value, default=str)):
                        found.add(f"{model._meta.label}.{field.name}")
    return found


def test_nothing_names_who_left_and_what_they_wrote_stays(quirina, alice, bob, django_capture_on_commit_callbacks):
    avatar = quirina.avatar
    storage, name = avatar.storage, avatar.name
    threads, answers = list(quirina.threads.all()), list(quirina.answers.all())
    before = alice.reputation, User.objects.get(pk=bob.pk).reputation
    with django_capture_on_commit_callbacks(execute=True):
        assert leaving.erase(quirina, words_go=False)
    documents.index_changes()
    left = _where_named()
    # Their own words are theirs to sign or not: what they said of themselves in a post stays with the post.
    assert left == {f"posts.Comment.body_{part}" for part in ("source", "html", "text")}
    assert not storage.exists(name)
    row = User.objects.get(pk=quirina.pk)
    assert (row.email, row.is_active, row.is_erased, row.reputation, row.badge_counts) == (None, False, True, 1, {})
    assert not row.has_usable_password() and str(row) == "Former member" and row.rank_name == ""
    assert not EmailAddress.objects.filter(user=row).exists() and not Award.objects.filter(person=row).exists()
    assert not BoardScore.objects.filter(person=row).exists() and not PrivateDetails.objects.exists()
    for post in [*threads, *answers]:
        post.refresh_from_db()
        assert post.is_visible
    # The mention and the quotation in Bob's answer name nobody.
    reply = bob.answers.get()
    assert "a former member try this" in reply.body_text and "Former member wrote" in reply.body_text
    # What they gave stands; what they earned is taken back line by line.
    assert (alice.reputation, User.objects.get(pk=bob.pk).reputation) == before
    assert ReputationEntry.objects.filter(person=row).standing().count() == 0
    page = Client().get(threads[0].get_absolute_url()).content.decode()
    assert "Former member" in page and not MARK.search(page)
    assert b"Former member" in Client().get(row.get_absolute_url()).content
    assert Client().get("/people/quirina/").status_code == 404 == Client().get("/people/quirina-old/").status_code
    assert not leaving.erase(row, words_go=False)  # twice is harmless
    assert rebuild.rebuild(write=False).differences == []


def test_words_go_along_where_nobody_builds_on_them(quirina, alice, bob, duo, django_capture_on_commit_callbacks):
    lonely = a_thread(quirina, product=duo, title="Zabel's own and lonely question")
    settled = quirina.threads.get(title__startswith="Why does the pump")
    helped = quirina.answers.get()
    points = User.objects.get(pk=bob.pk).reputation
    with django_capture_on_commit_callbacks(execute=True):
        assert leaving.erase(quirina, words_go=True)
    documents.index_changes()
    assert _where_named() == set()
    lonely.refresh_from_db()
    settled.refresh_from_db()
    helped.refresh_from_db()
    assert lonely.visibility == helped.visibility == Thread.Visibility.DELETED
    assert Client().get(reverse("questions:thread", args=[lonely.pk, "x"])).status_code == 410
    # Bob's answer helped: the thread stays, with its title and without her words.
    assert settled.is_visible and settled.title == "Why does the pump hum at night"
    assert settled.body_text == "Its author has left and taken these words along."
    assert set(Revision.objects.filter(target_id=settled.pk).values_list("body_source", flat=True)) == {
        settled.body_text
    }
    assert not AnswerVote.objects.filter(voter=quirina).exists()
    assert (
        User.objects.get(pk=bob.pk).reputation == points - 10
    )  # her vote went, her acceptance is a fact of the thread
    assert rebuild.rebuild(write=False).differences == []


def test_it_takes_two_weeks_and_can_be_called_off(alice, wednesday, mailoutbox):
    departure = leaving.ask_to_leave(alice, words_go=False)
    again = leaving.ask_to_leave(alice, words_go=True)
    assert Departure.objects.count() == 1 and again.due_at == departure.due_at and again.words_go
    mail = Delivery.objects.get(user=alice)  # one, though asked twice
    assert "erase your account" in mail.body_text and reverse("portability:data") in mail.body_text
    assert leaving.leave_due() == 0
    leaving.stay(alice)
    leaving.stay(alice)
    with clock.travel(wednesday + timedelta(days=15)):
        assert leaving.leave_due() == 0
    leaving.ask_to_leave(alice, words_go=False)
    with clock.travel(wednesday + timedelta(days=14, seconds=1)):
        assert leaving.leave_due() == 1 and leaving.leave_due() == 0
    assert User.objects.get(pk=alice.pk).is_erased and not Departure.objects.exists()
    assert Event.objects.filter(kind="person.erased", subject_id=alice.pk).count() == 1
    assert not EventNote.objects.filter(event__actor=alice).exists()


def test_staff_hand_over_first(dana, wednesday):
    with pytest.raises(NotAllowed):
        leaving.ask_to_leave(dana, words_go=False)
    Departure.objects.create(person=dana, due_at=wednesday - timedelta(days=1))  # they were no staff then
    assert leaving.leave_due() == 0


def test_the_page_asks_for_the_password_again(client, alice, wednesday):
    address = reverse("portability:leave")
    assert client.post(address).status_code == 302  # nobody: to the sign-in
    alice.set_password("correct horse battery")
    alice.save()
    client.force_login(alice)
    asked = client.post(address, {"words": "stay", "sure": "on"})
    assert asked.status_code == 302 and "reauthenticate" in asked["Location"] and not Departure.objects.exists()
    done = client.post(asked["Location"], {"password": "correct horse battery"}, follow=True)
    assert done.status_code == 200 and Departure.objects.get().person == alice
    page = client.get(reverse("portability:data")).content.decode()
    assert "Keep my account" in page and "erased on 2 Dec 2026" in page
    assert client.get(address).status_code == 405
    client.post(reverse("portability:stay"))
    assert not Departure.objects.exists()
    refused = client.post(address, {"words": "stay"})
    assert refused.status_code == 422 and "Please say that you know" in refused.content.decode()


def test_who_signs_in_by_mail_needs_a_fresh_code(client, alice):
    client.force_login(alice)
    User.objects.filter(pk=alice.pk).update(last_login=clock.now() - timedelta(hours=1))
    refused = client.post(reverse("portability:leave"), {"words": "stay", "sure": "on"})
    assert refused.status_code == 403 and "code from your mail" in refused.content.decode()
    User.objects.filter(pk=alice.pk).update(last_login=clock.now())
    client.post(reverse("portability:leave"), {"words": "stay", "sure": "on"})
    assert Departure.objects.filter(person=alice).exists()


@pytest.mark.once
def test_one_who_thinks_again_or_fails_keeps_nobody(alice, bob, charlie, wednesday, monkeypatch, caplog):
    for person in (alice, bob, charlie):
        Departure.objects.create(person=person, due_at=wednesday - timedelta(hours=person.pk))
    erase = leaving.erase

    def as_it_goes(person, *, words_go):
        if person == charlie:  # the first
            Departure.objects.filter(person=bob).delete()
            raise RuntimeError("no")
        return erase(person, words_go=words_go)

    due = sorted((alice, bob, charlie), key=lambda person: -person.pk)
    assert due[0] == charlie
    monkeypatch.setattr(leaving, "erase", as_it_goes)
    leaving.stay(bob)
    assert leaving.leave_due() == 1 and "could not be erased" in caplog.text
    assert [User.objects.get(pk=one.pk).is_erased for one in (alice, bob, charlie)] == [True, False, False]


@pytest.mark.once
def test_only_their_own_heads_are_reworded_and_search_hears_of_it(alice, bob, charlie):
    User.objects.filter(pk=alice.pk).update(name="Sal")
    alice.refresh_from_db()
    thread, elsewhere = a_thread(alice), a_thread(charlie)
    reply = an_answer(thread, bob, body="> Sal wrote:\n> Hello.\n\nRosal wrote: Sal wrote: nothing, @alice.")
    other = an_answer(elsewhere, bob, body="Sal wrote:\n\n> Another one of this name.")
    IndexChange.objects.all().delete()
    with monkeyed_linking() as linked:
        leaving.erase(alice, words_go=False)
    reply.refresh_from_db()
    other.refresh_from_db()
    assert reply.body_source.startswith("> Former member wrote:\n> Hello.")
    assert "Rosal wrote: Sal wrote: nothing, a former member." in reply.body_source
    assert other.body_source.startswith("Sal wrote:")
    assert IndexChange.objects.filter(target_id=thread.pk).exists() and linked.called


def monkeyed_linking():
    return mock.patch("community.moderation.screening.linked", side_effect=lambda html: html)


@pytest.mark.once
def test_words_that_go_are_nowhere_else(alice, bob, dana):
    thread = a_thread(alice)
    an_answer(thread, bob)
    suggested = {"thread": thread, "base": 1, "body_source": "SECRET", "summary": "Better"}
    EditSuggestion.objects.create(author=bob, **suggested)
    EditSuggestion.objects.create(author=bob, state=EditSuggestion.State.APPROVED, **suggested)
    review = a_review(alice)
    bridge = Bridge.objects.create(review=review, kind=Bridge.Kind.FIX, passage="SECRET", note="SECRET")
    version = Revision.objects.filter(target_id=review.pk, target_type__model="review").first()
    Revision.objects.filter(pk=version.pk).update(more={"did_well": "SECRET"})
    finding = VoteFinding.objects.create(
        kind="serial", mark="x", since=clock.now(), until=clock.now(), state=VoteFinding.State.TAKEN_OUT
    )
    VoteTakenOut.objects.create(finding=finding, voter=alice, target=thread, kept={"note": "SECRET"})
    leaving.erase(alice, words_go=True)
    bridge.refresh_from_db()
    version.refresh_from_db()
    assert (bridge.passage, bridge.note, version.more) == ("", "", {}) and not VoteTakenOut.objects.exists()
    assert "SECRET" not in EditSuggestion.objects.get().body_source


@pytest.mark.once
def test_no_vote_comes_back_to_who_left_or_for_oneself(alice, bob, dana):
    answer = an_answer(a_thread(alice), bob)
    kept = {"value": 1, "at": clock.now().isoformat(), "owner": False}
    assert not rings._give_one_back(answer, bob, dana, kept)
    assert not rings._give_one_back(None, alice, dana, kept)
    leaving.erase(alice, words_go=False)
    assert not rings._give_one_back(answer, User.objects.get(pk=alice.pk), dana, kept)


def test_mails_to_an_address_go_with_its_owner(alice, bob):
    """Codes and receipts hang on no account: the outbox holds name and code of who has left otherwise."""
    a_confirmed_address(alice, "second@example.org")
    for address in ("Alice@example.org", "second@example.org", "bob@example.org"):
        outbox.queue(kind=outbox.TRANSACTIONAL, address=address, subject="Code", text="Hello, 123456")
    Delivery.objects.update(state=Delivery.State.PARKED)
    leaving.erase(alice, words_go=False)
    assert list(Delivery.objects.values_list("address", flat=True)) == ["bob@example.org"]
    with clock.travel(clock.now() + outbox.KEPT + timedelta(days=1)):
        outbox.tidy()
    assert not Delivery.objects.exists(), "what was given up is kept no longer than what was sent"

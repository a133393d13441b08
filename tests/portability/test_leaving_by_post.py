"""Somebody asks by letter to be erased: staff begin it, with a reason and a second look; the two weeks follow."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from community.accounts.models import User
from community.core import clock
from community.core.errors import Conflict, NotAllowed
from community.core.models import Delivery
from community.events.models import Event, EventNote
from community.portability import leaving
from community.portability.models import Departure

from ..factories import a_person, a_thread

pytestmark = pytest.mark.django_db

WHY = "A signed letter of 12 November; the address is that of the order."


def test_it_is_begun_once_told_logged_and_done_after_two_weeks(alice, hanna, wednesday):
    User.objects.filter(pk=alice.pk).update(email="alice@example.org")
    departure = leaving.ask_for(alice, hanna, words_go=False, reason=WHY)
    leaving.ask_for(alice, hanna, words_go=False, reason=WHY)  # twice is harmless
    assert departure.due_at == wednesday + leaving.GRACE
    mail = Delivery.objects.get(user=alice)
    assert "in your name" in mail.body_text and reverse("portability:data") in mail.body_text
    begun = Event.objects.get(kind="person.leaving")
    assert (begun.actor, begun.whom_id, begun.act, begun.data) == (hanna, alice.pk, True, {"words": "stay"})
    assert EventNote.objects.get(event=begun).text == WHY
    leaving.ask_for(alice, hanna, words_go=True, reason=WHY)  # what they wrote goes, after all
    assert Departure.objects.get().words_go and Delivery.objects.filter(user=alice).count() == 1
    with clock.travel(wednesday + timedelta(days=13)):
        assert leaving.leave_due() == 0
    with clock.travel(wednesday + leaving.GRACE):
        assert leaving.leave_due() == 1
    assert User.objects.get(pk=alice.pk).is_erased
    with pytest.raises(Conflict):
        leaving.ask_for(alice, hanna, words_go=False, reason=WHY)


def test_it_can_be_called_off_by_staff_and_by_themselves(alice, bob, hanna):
    for person in (alice, bob):
        leaving.ask_for(person, hanna, words_go=False, reason=WHY)
    leaving.stay(alice)
    with pytest.raises(NotAllowed):
        leaving.call_off(bob, bob, reason=WHY)
    with pytest.raises(ValidationError):
        leaving.call_off(bob, hanna, reason="no")
    for _ in range(2):
        leaving.call_off(bob, hanna, reason=WHY)
    assert not Departure.objects.exists()
    assert [event.subject_id for event in Event.objects.filter(kind="person.staying")] == [bob.pk]


def test_who_may_and_whose(alice, bob, ravi, dana, hanna):
    for by in (bob, ravi, dana, alice):
        with pytest.raises(NotAllowed):
            leaving.ask_for(alice, by, words_go=False, reason=WHY)
    root = a_person("root", is_superuser=True)
    for person in (dana, hanna, root):
        with pytest.raises(Conflict):
            leaving.ask_for(person, hanna, words_go=False, reason=WHY)
    with pytest.raises(ValidationError):
        leaving.ask_for(alice, hanna, words_go=False, reason="asked")
    assert not Departure.objects.exists() and not Event.objects.filter(kind="person.leaving").exists()


def test_the_screen_looks_twice(client, alice, hanna, ravi, dana, enrol):
    a_thread(alice)
    address, person = reverse("leaving:erase", args=[alice.pk]), reverse("keepers:person", args=[alice.pk])
    enrol(ravi)
    client.force_login(ravi)
    assert client.get(address).status_code == client.post(address, {"reason": WHY}).status_code == 403
    enrol(hanna)
    client.force_login(hanna)
    assert address in client.get(person).content.decode()
    assert client.get(address).status_code == 200
    short = client.post(address, {"reason": "by post", "words": "stay"})
    assert (
        short.status_code == 422 and "20 characters" in short.content.decode() and "by post" in short.content.decode()
    )
    look = client.post(address, {"reason": WHY, "words": "go"}).content.decode()
    assert "Threads: 1." in look and WHY in look and "goes, too" in look and not Departure.objects.exists()
    wrong = client.post(address, {"reason": WHY, "words": "go", "name": "bob"})
    assert wrong.status_code == 422 and "not the user name" in wrong.content.decode() and not Departure.objects.exists()
    done = client.post(address, {"reason": WHY, "words": "go", "name": "@Alice"})
    assert done.status_code == 303 and Departure.objects.get().words_go
    assert "will be erased on" in client.get(person).content.decode()
    kept = client.post(address, {"reason": WHY})
    assert kept.status_code == 303 and not Departure.objects.exists()
    assert client.get(reverse("leaving:erase", args=[dana.pk])).status_code == 409

"""Whoever was warned, silenced or suspended reads why, and appeals once; another moderator decides."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from community.accounts import services as accounts
from community.accounts.models import User
from community.accounts.services import set_role
from community.core import clock
from community.core.errors import NotAllowed
from community.core.models import Delivery
from community.events.models import Event
from community.moderation import figures, penalties, services, spam
from community.moderation.models import PenaltyAppeal, SpamAct
from community.notifications.delivery import announce_due
from community.notifications.models import Notification
from tests import factories
from tests.questions.test_pages import signed_in

pytestmark = pytest.mark.django_db
Enrol = Callable[[User], None]
WORDS = "That was my brother on my telephone, and it will not happen again."


@pytest.fixture
def mika(db: None) -> User:
    """Another moderator."""
    factories.a_person("filler")  # ids differ per table
    set_role(factories.a_person("mika"), None, "moderator")
    return User.objects.get(username="mika")


def told(person: User) -> list[str]:
    while announce_due():
        pass
    return list(Notification.objects.filter(recipient=person).order_by("pk").values_list("verb", flat=True))


def test_a_silence_is_read_appealed_once_and_undone_by_somebody_else(
    bob: User, ravi: User, mika: User, charlie: User, enrol: Enrol
) -> None:
    enrol(ravi)
    enrol(mika)
    accounts.silence(bob, ravi, hours=72, reason="Rude to Alice.")
    penalty = bob.penalties.get()
    page = signed_in(bob).get(reverse("posts:conduct")).content.decode()
    assert "Rude to Alice." in page and "72 hours" in page and "ends by itself" in page
    assert "You can read, but not write, until" in page, "every page says so"
    address = reverse("posts:appeal_penalty", args=[penalty.pk])
    assert address in page
    assert signed_in(charlie).get(address).status_code == 404
    assert signed_in(bob).post(address, {"words": "No."}).status_code == 422
    assert signed_in(bob).post(address, {"words": WORDS}).status_code == 302
    appeal = penalties.appeal_penalty(penalty, bob, "Other words, said a second time.")
    assert appeal.words == WORDS and PenaltyAppeal.objects.count() == 1
    with pytest.raises(NotAllowed, match="Only the person"):
        penalties.appeal_penalty(penalty, charlie, WORDS)
    queue = reverse("moderation:queue") + "?queue=appeals"
    assert "You decided this." in signed_in(ravi).get(queue).content.decode()
    with pytest.raises(NotAllowed, match="You decided this"):
        penalties.decide_penalty_appeal(appeal, ravi, granted=False, answer="No.")
    with pytest.raises(NotAllowed):
        penalties.decide_penalty_appeal(appeal, charlie, granted=True)
    desk = signed_in(mika)
    assert WORDS in desk.get(queue).content.decode()
    assert "?queue=appeals" in desk.get(reverse("keepers:person", args=[bob.pk])).content.decode()
    decide = reverse("moderation:penalty_appeal", args=[appeal.pk])
    assert desk.get(decide).status_code == 405
    refused = desk.post(decide, {"answer": " "})
    assert refused.status_code == 422 and "they will read it" in refused.content.decode()
    desk.post(decide, {"grant": "1", "answer": "We believe you."})
    desk.post(decide, {"answer": "Changed my mind."})
    bob.refresh_from_db()
    appeal.refresh_from_db()
    assert bob.silenced_until is None and appeal.granted is True and accounts.next_hours(bob) == 24
    assert Event.objects.filter(kind="appeal.decided").count() == 1
    assert "A moderator ended a silence before its time" in told(bob)
    page = signed_in(bob).get(reverse("posts:conduct")).content.decode()
    assert "Your appeal was granted." in page and "We believe you." in page and address not in page


def test_a_warning_stands_after_an_appeal_and_says_why(bob: User, ravi: User, mika: User) -> None:
    penalty = accounts.warn(bob, ravi, reason="Please be kind.")
    appeal = penalties.appeal_penalty(penalty, bob, WORDS)
    with pytest.raises(ValidationError):
        penalties.decide_penalty_appeal(appeal, mika, granted=False)
    penalties.decide_penalty_appeal(appeal, mika, granted=False, answer="It was read by three of us.")
    penalty.refresh_from_db()
    assert penalty.lifted_at is None
    assert told(bob)[-1] == "Your appeal against a warning was not granted"
    (month,) = figures.by_month()["rows"]
    assert (month["people"], month["appeals"], month["granted"]) == (1, 1, 0), "everybody may read the numbers"
    assert "It was read by three of us." in signed_in(bob).get(reverse("posts:conduct")).content.decode()


def test_after_thirty_days_only_what_stands_is_appealed(bob: User, ravi: User) -> None:
    warning = accounts.warn(bob, ravi, reason="Please be kind.")
    accounts.suspend(bob, ravi, reason="Threats.")
    with clock.travel(clock.now() + timedelta(days=31)):
        assert penalties.why_not_appeal(bob, warning) and not penalties.why_not_appeal(bob, bob.penalties.first())


def test_who_is_suspended_appeals_by_the_address_in_the_mail(client: Client, bob: User, ravi: User, mika: User) -> None:
    penalty = accounts.suspend(bob, ravi, reason="Threats.", hours=72)
    assert penalty is not None
    mail = Delivery.objects.get(user=bob, kind="transactional").body_text
    found = re.search(r"https?://[^/]+(/appeal/\S+/)", mail)
    assert found
    page = client.get(found[1])
    assert "Threats." in page.content.decode() and page["Referrer-Policy"] == "same-origin"
    assert client.get("/appeal/nonsense/").status_code == 404
    assert client.post(found[1], {"words": WORDS}).status_code == 302
    assert "_auth_user_id" not in client.session, "it opens an appeal, not the account"
    assert "You appealed." in client.get(found[1]).content.decode()
    appeal = PenaltyAppeal.objects.get()
    penalties.decide_penalty_appeal(appeal, mika, granted=False, answer="Three people were afraid.")
    mails = Delivery.objects.filter(user=bob, subject="Your appeal was not granted")
    assert "Three people were afraid." in mails.get().body_text
    bob.refresh_from_db()
    assert not bob.is_active


def test_granting_a_spammers_appeal_undoes_all_of_it(bob: User, ravi: User, mika: User, client: Client) -> None:
    thread = factories.a_thread(bob)
    act = spam.delete_spammer(bob, ravi, reason="Advertising.")
    appeal = penalties.appeal_penalty(bob.penalties.get(), bob, WORDS)
    penalties.decide_penalty_appeal(appeal, mika, granted=True, answer="A mix-up.")
    bob.refresh_from_db()
    thread.refresh_from_db()
    assert bob.is_active and thread.is_visible and SpamAct.objects.get(pk=act.pk).undone_at
    assert "Your account is open again" in told(bob)


def test_an_appeal_that_waits_too_long_is_told_once(bob: User, ravi: User, mika: User) -> None:
    penalties.appeal_penalty(accounts.warn(bob, ravi, reason="Please be kind."), bob, WORDS)
    assert services.alarm() == 0
    with clock.travel(clock.now() + timedelta(hours=49)):
        assert (services.alarm(), services.alarm()) == (1, 0)
        assert "1 post in the moderators' queue waits too long" in told(mika)

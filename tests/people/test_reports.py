"""Somebody's picture, name or page can be reported; moderators look, and nobody learns who it was."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from community.accounts import services as accounts
from community.accounts.models import User
from community.core.errors import NotAllowed
from community.events.models import Event
from community.moderation import reports
from community.moderation import services as moderation
from community.moderation.models import ProfileReport
from community.notifications.delivery import announce_due
from community.notifications.models import Notification
from tests.moderation.test_desk import later

pytestmark = pytest.mark.django_db


def test_a_visitor_signs_in_first_and_nobody_reports_themselves(client: Client, alice: User, bob: User) -> None:
    address = f"/people/{bob.username}/report/"
    assert f'href="{address}"' in client.get(f"/people/{bob.username}/").content.decode()
    assert client.get(address).url.startswith("/accounts/login/")
    client.force_login(bob)
    assert address not in client.get(f"/people/{bob.username}/").content.decode()
    assert client.post(address, {"reason": "picture"}).status_code == 403
    assert client.get("/people/nobody-here/report/").status_code == 404
    assert not ProfileReport.objects.exists()


def test_a_report_goes_to_moderators_once_and_is_settled(
    client: Client, alice: User, bob: User, charlie: User, ravi: User
) -> None:
    client.force_login(charlie)
    address = f"/people/{bob.username}/report/"
    refused = client.post(address, {"reason": "", "note": "It is a picture of my house."})
    assert refused.status_code == 422 and "It is a picture of my house." in refused.content.decode()
    given = {"reason": "picture", "note": "It is a picture of my house."}
    for _time in range(2):
        assert client.post(address, given).url == f"/people/{bob.username}/"
    reports.report(bob, alice, reason="name")
    assert ProfileReport.objects.count() == 2
    assert Event.objects.filter(kind="profile.reported").count() == 2
    with pytest.raises(ValidationError):
        reports.report(bob, ravi, reason="because")
    with pytest.raises(IntegrityError), transaction.atomic():
        ProfileReport.objects.create(person=bob, reporter=charlie, reason="name")
    looked = f"/people/{bob.username}/reports/"
    assert client.get(looked).status_code == 403
    client.force_login(ravi)
    page = client.get(looked).content.decode()
    assert "It is a picture of my house." in page and charlie.name not in page and alice.name not in page
    assert f"/admin/people/{bob.pk}/" in page
    assert client.post(looked, {"upheld": "no"}).url == reverse("moderation:queue")
    assert client.post(looked, {"upheld": "yes"}).status_code == 302  # nothing is left to settle
    assert set(ProfileReport.objects.values_list("upheld", "settled_by")) == {(False, ravi.pk)}
    assert Event.objects.filter(kind="profile.report_settled").count() == 1
    while announce_due():
        pass
    told = Notification.objects.filter(verb__contains=f"looked at the page of {bob.name} and left it as it is")
    assert set(told.values_list("recipient", flat=True)) == {alice.pk, charlie.pk}  # and not bob
    reports.report(bob, charlie, reason="picture")  # a new picture may be reported anew
    with pytest.raises(NotAllowed):
        reports.settle(bob, charlie, upheld=True)
    with pytest.raises(NotAllowed):
        reports.settle(ravi, ravi, upheld=False)


def test_the_queue_leads_there_and_taking_the_picture_away_settles_it(
    client: Client, bob: User, charlie: User, ravi: User, enrol: object
) -> None:
    enrol(ravi)  # type: ignore[operator]
    reports.report(bob, charlie, reason="picture")
    client.force_login(ravi)
    queue = reverse("moderation:queue")
    shown = client.get(queue).content.decode()
    assert f"The page of {bob.name} was reported" in shown and f"/people/{bob.username}/reports/" in shown
    User.objects.filter(pk=bob.pk).update(avatar="avatars/house.webp")
    accounts.take_picture(bob, ravi, reason="It shows somebody's house.")
    assert ProfileReport.objects.get().upheld is True
    assert "was reported" not in client.get(queue).content.decode()
    while announce_due():
        pass
    assert Notification.objects.get(recipient=charlie).verb.startswith("A moderator agreed with your report")


def test_moderators_hear_once_of_a_report_that_waits_too_long(bob: User, charlie: User, ravi: User) -> None:
    reports.report(bob, charlie, reason="name")
    with later(hours=47):
        assert moderation.alarm() == 0
    with later(hours=49):
        assert moderation.alarm() == 1 and moderation.alarm() == 0
        while announce_due():
            pass
    assert Notification.objects.filter(recipient=ravi, verb__contains="too long").count() == 1
    assert Event.objects.get(kind="queue.late").data["profiles"] == 1

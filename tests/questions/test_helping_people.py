"""Inviting somebody to answer, and the credit for links that were shared."""

from datetime import UTC, datetime, timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed
from django.test import Client, RequestFactory
from django.urls import reverse

from advocates import services as programme
from community.accounts.models import Profile, User
from community.core import clock
from community.core.errors import Conflict, NotAllowed
from community.core.models import Numbers
from community.events.models import Event
from community.moderation import services as moderation
from community.notifications.delivery import announce_due
from community.notifications.models import Notification
from community.posts import credit
from community.posts.doors import long_open
from community.posts.models import ShareCredit
from community.questions import permissions, services
from community.questions.models import Answer, Invitation, Thread
from products.models import Ownership
from tests import factories

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
FIREFOX = {"User-Agent": "Mozilla/5.0 Firefox/140"}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def host(db: None) -> User:
    """Somebody with the points to invite."""
    return factories.a_person("host", reputation=500)


def test_somebody_is_told_once_that_they_can_help(thread: Thread, host: User, charlie: User, dana: User) -> None:
    services.invite(thread, charlie, host)
    services.invite(thread, charlie, host)
    services.invite(thread, charlie, dana)
    announce_due()
    assert Invitation.objects.get().by == host
    notice = Notification.objects.get(recipient=charlie)
    assert notice.kind == "invited"
    assert "Host thinks you can help" in signed_in(charlie).get("/notifications/").content.decode()


def test_who_may_invite_whom(thread: Thread, alice: User, bob: User, charlie: User, host: User, dana: User) -> None:
    with pytest.raises(NotAllowed) as refused:
        services.invite(thread, charlie, bob)
    assert "500" in refused.value.reason
    services.invite(thread, factories.a_person(), dana)
    factories.an_answer(thread, bob)
    away, shy, quiet = (factories.a_person(name) for name in ("away", "shyone", "quiet"))
    User.objects.filter(pk=away.pk).update(is_away=True)
    User.objects.filter(pk=shy.pk).update(invitable=False)
    User.objects.filter(pk=quiet.pk).update(silenced_until=clock.now() + timedelta(hours=5))
    for person in (alice, bob, host, away, shy, quiet):
        with pytest.raises(NotAllowed):
            services.invite(thread, User.objects.get(pk=person.pk), host)
    assert Invitation.objects.count() == 1
    services.close_thread(thread, dana, "Done")
    with pytest.raises(NotAllowed):
        services.invite(thread, charlie, host)


def test_who_is_silenced_or_has_an_answer_out_of_sight_reads_like_who_would_rather_not(
    thread: Thread, charlie: User, host: User, ravi: User
) -> None:
    quiet, shy, waiting, taken_down = (factories.a_person(name) for name in ("quiet", "shyone", "waiting", "taken"))
    User.objects.filter(pk=quiet.pk).update(silenced_until=clock.now() + timedelta(hours=5))
    User.objects.filter(pk=shy.pk).update(invitable=False)
    moderation.hide(factories.an_answer(thread, taken_down), ravi, reason="Spam.")
    Answer.objects.filter(pk=factories.an_answer(thread, waiting).pk).update(visibility="pending")
    factories.an_answer(thread, charlie)
    said = {
        person.username: permissions.why_not_invited(User.objects.get(pk=person.pk), thread, host)
        for person in (quiet, shy, waiting, taken_down, charlie)
    }
    assert said.pop("charlie") == "They have answered already."
    assert set(said.values()) == {"They would rather not be invited."}


def test_five_a_day_and_the_next_is_refused_until_midnight(host: User, alice: User) -> None:
    numbers = Numbers.load()
    numbers.invitations_a_day, numbers.invitations_a_thread = 2, 3
    numbers.save()
    thread, people = factories.a_thread(alice), [factories.a_person() for _ in range(4)]
    with clock.travel(NOON):
        for person in people[:2]:
            services.invite(thread, person, host)
        with pytest.raises(NotAllowed) as refused:
            services.invite(thread, people[2], host)
        assert "12 hours" in refused.value.reason
    with clock.travel(NOON + timedelta(hours=13)):
        services.invite(thread, people[2], host)
        with pytest.raises(Conflict):
            services.invite(thread, people[3], host)


def test_the_page_to_invite_from(thread: Thread, host: User, alice: User, bob: User, charlie: User) -> None:
    Ownership.objects.create(owner=charlie, product=thread.product)
    Profile.objects.filter(user=charlie).update(show_shelf=True)
    hidden = factories.a_person("hidden")
    Ownership.objects.create(owner=hidden, product=thread.product)
    client, address = signed_in(host), reverse("questions:invite", args=[thread.pk])
    assert address in client.get(thread.get_absolute_url()).content.decode()
    assert address not in signed_in(bob).get(thread.get_absolute_url()).content.decode()
    assert signed_in(bob).get(address).status_code == 403
    assert Client().get(address).status_code == 302
    page = client.get(address).content.decode()
    assert 'value="charlie"' in page and 'value="hidden"' not in page, (
        "whoever hides their shelf is not named as an owner"
    )
    assert 'value="bob"' in client.get(address, {"q": "bo"}).content.decode()
    assert "Two letters or more" in client.get(address, {"q": "b"}).content.decode()
    done = client.post(address, {"person": "charlie"}, follow=True).content.decode()
    assert "Charlie is invited" in done and 'value="charlie"' not in done
    assert "1 person is invited" in client.get(thread.get_absolute_url()).content.decode()
    refused = client.post(address, {"person": "alice"})
    assert refused.status_code == 403 and "asked this themselves" in refused.content.decode()
    assert client.post(address, {"person": "nobody-here"}).status_code == 422


def test_advocates_who_know_the_product_are_offered(thread: Thread, host: User, bob: User, hanna: User) -> None:
    programme.admit(bob, hanna, products=[thread.product])
    address = reverse("questions:invite", args=[thread.pk])
    assert "Advocates who know it" in signed_in(host).get(address).content.decode()
    programme.set_away(bob, bob)
    assert "Advocates who know it" not in signed_in(host).get(address).content.decode()
    with pytest.raises(NotAllowed):
        services.invite(thread, User.objects.get(pk=bob.pk), host)
    programme.set_away(bob, bob, on=False)
    assert services.invite(thread, User.objects.get(pk=bob.pk), host).person == bob


# Shared links


def test_a_shared_link_carries_who_shared_it(thread: Thread, alice: User, bob: User, client: Client) -> None:
    page = signed_in(bob).get(thread.get_absolute_url()).content.decode()
    assert f"{thread.get_absolute_url()}?u={bob.pk}" in page
    shared = client.get(f"{thread.get_absolute_url()}?u={bob.pk}", headers=FIREFOX).content.decode()
    assert f'rel="canonical" href="http://testserver{thread.get_absolute_url()}"' in shared
    assert client.session[credit.KEY]["u"] == bob.pk


def test_a_first_post_is_the_sharers_credit_once(thread: Thread, bob: User, charlie: User) -> None:
    client = signed_in(charlie)
    client.get(f"{thread.get_absolute_url()}?u={bob.pk}", headers=FIREFOX)
    body = "Open the valve and close it again, six times."
    client.post(reverse("questions:answer", args=[thread.pk]), {"body": body, "started": long_open()})
    made = ShareCredit.objects.get()
    assert (made.sharer, made.newcomer, made.outcome, made.target) == (bob, charlie, "posted", thread)
    assert Event.objects.filter(kind="share.credited").count() == 1
    other = factories.a_thread(bob)
    client.get(f"{other.get_absolute_url()}?u={bob.pk}", headers=FIREFOX)
    client.post(reverse("questions:answer", args=[other.pk]), {"body": body + " Yes.", "started": long_open()})
    assert ShareCredit.objects.count() == 1
    assert "1 person came by one" in signed_in(bob).get(bob.get_absolute_url()).content.decode()
    assert "came by one" not in signed_in(charlie).get(bob.get_absolute_url()).content.decode()


def test_joining_is_credited_and_an_old_member_is_not(thread: Thread, bob: User, alice: User) -> None:
    def come_and_confirm(person: User) -> None:
        client = Client()
        client.get(f"{thread.get_absolute_url()}?u={bob.pk}", headers=FIREFOX)
        request = RequestFactory().get("/")
        request.session = client.session  # type: ignore[assignment]
        address, _new = EmailAddress.objects.get_or_create(user=person, email=person.email)
        email_confirmed.send(EmailAddress, request=request, email_address=address)

    come_and_confirm(alice)
    assert not ShareCredit.objects.exists()
    newcomer = factories.a_person("newcomer")
    User.objects.filter(pk=newcomer.pk).update(date_joined=clock.now() + timedelta(minutes=1))
    newcomer.refresh_from_db()
    come_and_confirm(newcomer)
    come_and_confirm(newcomer)
    assert ShareCredit.objects.get().outcome == "joined"


@pytest.mark.parametrize("query", ["u=x", "u=", "u=99999999999999999999", "u=0"])
def test_nonsense_is_nobodys_credit(thread: Thread, charlie: User, query: str) -> None:
    client = signed_in(charlie)
    assert client.get(f"{thread.get_absolute_url()}?{query}", headers=FIREFOX).status_code == 200
    body = "Open the valve and close it again, six times."
    client.post(reverse("questions:answer", args=[thread.pk]), {"body": body, "started": long_open()})
    assert not ShareCredit.objects.exists()


def test_robots_and_oneself_leave_no_trace(thread: Thread, bob: User) -> None:
    robot = Client()
    robot.get(f"{thread.get_absolute_url()}?u={bob.pk}", headers={"User-Agent": "Googlebot/2.1"})
    assert "sessionid" not in robot.cookies
    own = signed_in(bob)
    own.get(f"{thread.get_absolute_url()}?u={bob.pk}", headers=FIREFOX)
    assert credit.KEY not in own.session

"""Warn, silence, suspend, delete a spammer: each with a reason, told, kept, and undone."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from advocates.models import ReputationEntry
from community.accounts import services as accounts
from community.accounts.models import Penalty, User
from community.core import clock
from community.core.errors import NotAllowed
from community.core.models import Delivery
from community.events.models import Event
from community.moderation import learning, screening, services, spam
from community.moderation.models import Flag, Look, SpamAct
from community.notifications.delivery import announce_due
from community.notifications.models import Notification
from community.posts import services as posts
from community.questions.models import Thread
from products.models import Product
from reviews.models import Review
from tests import factories

pytestmark = pytest.mark.django_db
Enrol = Callable[[User], None]


def later(**by: int) -> object:
    return clock.travel(clock.now() + timedelta(**by))


def test_the_ladder_goes_up_a_step_each_time(bob: User, ravi: User) -> None:
    accounts.warn(bob, ravi, reason="Please be kind.")
    for hours in (24, 72, 168, 720):
        assert accounts.next_hours(bob) == hours
        accounts.silence(bob, ravi, hours=hours, reason="Again.")
    assert accounts.next_hours(bob) is None
    with later(days=366):
        assert accounts.next_hours(bob) == 24
    assert [one.step for one in bob.penalties.order_by("pk")] == ["warn"] + ["silence"] * 4
    while announce_due():
        pass
    told = list(Notification.objects.filter(recipient=bob).values_list("verb", flat=True))
    assert "A moderator warned you" in told


def test_undoing_a_silence_leaves_the_other_one(bob: User, ravi: User, charlie: User) -> None:
    accounts.silence(bob, ravi, hours=24, reason="Rude.")
    accounts.silence(bob, ravi, hours=72, reason="Ruder.")
    short, long = bob.penalties.order_by("pk")
    with pytest.raises(NotAllowed):
        accounts.lift(long, charlie)
    accounts.lift(long, ravi, reason="That was somebody else.")
    accounts.lift(long, ravi)
    bob.refresh_from_db()
    assert bob.silenced_until == short.until and Event.objects.filter(kind="penalty.lifted").count() == 1
    accounts.lift(short, ravi)
    bob.refresh_from_db()
    assert bob.silenced_until is None and accounts.next_hours(bob) == 24


def test_a_suspension_ends_sessions_at_once_and_itself_in_time(client: Client, bob: User, ravi: User) -> None:
    client.force_login(bob, backend="django.contrib.auth.backends.ModelBackend")
    client.get("/")
    key = client.session.session_key
    UserSession.objects.get_or_create(session_key=key, defaults={"user": bob, "ip": "127.0.0.1"})
    with pytest.raises(ValidationError):
        accounts.suspend(bob, ravi, reason=" ")
    accounts.suspend(bob, ravi, reason="Threats.", hours=72)
    assert not Session.objects.filter(session_key=key).exists() and not UserSession.objects.filter(user=bob).exists()
    mail = Delivery.objects.get(user=bob, kind="transactional")
    assert "Threats." in mail.body_text and "opens again by itself" in mail.body_text
    with later(hours=71):
        assert accounts.lift_expired() == 0
    with later(hours=73):
        assert accounts.lift_expired() == 1 and accounts.lift_expired() == 0
    bob.refresh_from_db()
    assert bob.is_active and bob.suspended_at is None
    assert Event.objects.get(kind="person.restored").actor is None


def test_staff_see_the_history_and_undo_from_it(client: Client, bob: User, ravi: User, enrol: Enrol) -> None:
    from django.contrib.auth.models import Permission

    enrol(ravi)
    ravi.user_permissions.add(Permission.objects.get(codename="view_user", content_type__app_label="accounts"))
    client.force_login(ravi)
    act = "keepers:act"
    client.post(reverse(act, args=[bob.pk, "warn"]), {"reason": "Please be kind."})
    client.post(reverse(act, args=[bob.pk, "silence"]), {"hours": "24", "reason": "Again."})
    page = client.get(reverse("keepers:person", args=[bob.pk])).content.decode()
    assert "Please be kind." in page and "Warning" in page and '<option value="72" selected' in page
    silence = Penalty.objects.get(step="silence")
    client.post(reverse(act, args=[bob.pk, "undo"]), {"penalty": silence.pk})
    silence.refresh_from_db()
    assert silence.lifted_by == ravi
    assert client.get(reverse(act, args=[bob.pk, "undo"])).status_code == 405


@pytest.fixture
def spammer(thread: Thread, duo: Product, charlie: User) -> User:
    person = factories.a_person("spam")
    answer = factories.an_answer(thread, person)
    Review.objects.filter(pk=factories.a_review(person, duo).pk).update(title="Ad")  # from another site
    factories.a_tip(person)
    posts.comment(factories.a_thread(person), person, body="Buy here.")
    services.flag(answer, charlie, reason="spam")
    return person


def shown(person: User) -> list[str]:
    return sorted(post.noun for post in spam.posts_of(person))


def test_threads_are_held_before_people(spammer: User, ravi: User) -> None:
    """Whoever votes in one of them takes its thread first, and then its author."""
    with CaptureQueriesContext(connection) as queries:
        spam.delete_spammer(spammer, ravi, reason="Sells watches on every page.")
    if connection.vendor != "postgresql":
        return  # one writes at a time there; that nothing breaks is all
    held = [query["sql"] for query in queries if "FOR NO KEY UPDATE" in query["sql"]]
    first = {table: next(n for n, sql in enumerate(held) if f'FROM "{table}"' in sql) for table in (
        "questions_thread", "accounts_user",
    )}  # fmt: skip
    assert first["questions_thread"] < first["accounts_user"]


def test_delete_spammer_is_one_act_that_can_be_undone(spammer: User, ravi: User, charlie: User, dana: User) -> None:
    for _ in range(2):  # and charlie's: flags alone have hidden it
        services.flag(spammer.answers.get(), factories.a_person(), reason="spam")
    before = shown(spammer)
    assert before == ["answer", "comment", "review", "thread", "tip"]
    for somebody in (charlie, spammer):
        with pytest.raises(NotAllowed):
            spam.delete_spammer(spammer, somebody, reason="Spam.")
    with pytest.raises(NotAllowed):
        spam.delete_spammer(dana, ravi, reason="A colleague.")
    for somebody in (ravi, factories.a_person("root", is_superuser=True)):
        with pytest.raises(NotAllowed):
            spam.delete_spammer(somebody, ravi, reason="Oneself, and one with all powers.")
    review = Review.objects.get(author=spammer)
    screening.ask_for_a_look(review, {Look.Reason.MENDED}, {}, held=False)
    act = spam.delete_spammer(spammer, ravi, reason="Advertising.")
    assert spam.delete_spammer(spammer, ravi, reason="Twice.") == act and SpamAct.objects.count() == 1
    spammer.refresh_from_db()
    assert (shown(spammer), spammer.is_active) == ([], False)
    assert Look.objects.get().kept is False, "the review went back: nobody lets it stay by its look"
    assert set(Flag.objects.values_list("state", flat=True)) == {"upheld"}
    points = ReputationEntry.objects.filter(person=spammer, reason="spam")
    assert points.exists() and spammer.reputation == 1
    spamming = [text for text, is_spam in learning.decisions() if is_spam]
    assert len(spamming) == 5
    spam.undo(act, ravi, reason="A mistake, sorry.")
    spam.undo(act, ravi, reason="Twice.")
    spammer.refresh_from_db()
    assert (shown(spammer), spammer.is_active) == (before, True)
    assert set(Flag.objects.values_list("state", flat=True)) == {"declined"}
    assert Event.objects.filter(kind="spammer.given_back").count() == 1
    assert sum(entry.points for entry in ReputationEntry.objects.filter(person=spammer)) == 0


def test_a_spammer_does_not_come_back_after_a_day(spammer: User, ravi: User) -> None:
    accounts.suspend(spammer, ravi, reason="Rude.", hours=24)
    act = spam.delete_spammer(spammer, ravi, reason="Advertising.")
    with later(hours=25):
        assert accounts.lift_expired() == 1
    spammer.refresh_from_db()
    assert not spammer.is_active
    accounts.lift_suspension(spammer, ravi)
    answer = factories.an_answer(factories.a_thread(spammer), spammer)
    assert spam.delete_spammer(spammer, ravi, reason="Again.") == act, "let in by hand, marked anew"
    answer.refresh_from_db()
    assert answer.visibility == "hidden" and not User.objects.get(pk=spammer.pk).is_active
    act.refresh_from_db()
    spam.undo(act, ravi, reason="A mistake.")
    assert User.objects.get(pk=spammer.pk).is_active and len(spam.posts_of(spammer)) == 7


def test_undoing_leaves_what_a_colleague_decided_before(spammer: User, ravi: User, hanna: User) -> None:
    accounts.suspend(spammer, hanna, reason="Threats.")
    act = spam.delete_spammer(spammer, ravi, reason="Advertising.")
    spam.undo(act, ravi, reason="A mistake.")
    spammer.refresh_from_db()
    assert not spammer.is_active and len(spam.posts_of(spammer)) == 5
    accounts.lift(Penalty.objects.get(), hanna)
    assert User.objects.get(pk=spammer.pk).is_active
    User.objects.filter(pk=spammer.pk).update(standing="erased", is_active=False)
    accounts.lift_suspension(spammer, ravi)
    assert not User.objects.get(pk=spammer.pk).is_active, "who has left stays away"


def test_what_waited_waits_again_and_what_others_hid_stays(spammer: User, ravi: User) -> None:
    tip = next(post for post in spam.posts_of(spammer) if post.noun == "tip")
    services.hide(tip, ravi, reason="Another matter.")
    waiting = factories.a_tip(spammer, hold=True)
    act = spam.delete_spammer(spammer, ravi, reason="Advertising.")
    spam.undo(act, ravi, reason="A mistake.")
    tip.refresh_from_db()
    waiting.refresh_from_db()
    assert (tip.visibility, waiting.visibility) == ("hidden", "pending")


def test_the_page_asks_once_more(client: Client, spammer: User, ravi: User, charlie: User, enrol: Enrol) -> None:
    enrol(ravi)
    client.force_login(ravi)
    page = reverse("moderation:spammer", args=[spammer.pk])
    assert "Hide all and close the account" in client.get(page).content.decode()
    assert client.post(page, {"reason": ""}).status_code == 422 and not SpamAct.objects.exists()
    assert client.post(page, {"reason": "Advertising."}).status_code == 303
    assert "Undo it" in client.get(page).content.decode()
    about = reverse("keepers:person", args=[spammer.pk])
    assert "Closed as a spammer: undo it" in client.get(about).content.decode()
    client.post(page, {"reason": "A mistake."})
    assert "This is a spammer" in client.get(about).content.decode()
    spammer.refresh_from_db()
    assert spammer.is_active
    client.force_login(charlie)
    assert client.get(page).status_code in (302, 403)

"""The words under a question: who has it, until when, who is next, in whose zone."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory

from community.accounts.models import Department, User
from community.core import clock, panels
from community.escalation import handoffs, incidents, promises, services
from community.escalation.models import Channel, Escalation
from community.escalation.sweep import sweep
from community.posts import services as posts
from community.questions import services as questions
from community.questions.models import Thread
from products.models import Product
from tests import factories

from .conftest import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def question(alice: User, support: Department) -> Thread:
    with clock.travel(NOON):
        return factories.a_thread(alice)


def shown(thread: Thread, user: object = None, *, at: float = 0, slot: str = "thread.relay") -> str:
    request = RequestFactory().get("/")
    request.user = user or AnonymousUser()  # type: ignore[assignment]
    with clock.travel(NOON + timedelta(hours=at)):
        html = panels.render(slot, request, [Thread.objects.select_related("author").get(pk=thread.pk)])[thread.pk]
    return " ".join(html.split())


def plain(html: str) -> str:
    from django.utils.html import strip_tags

    return " ".join(strip_tags(html).split())


def test_owners_have_it_until(question: Thread) -> None:
    """Posted on Wednesday at noon UTC; twelve hours later it is one o'clock on Thursday in Berlin."""
    html = shown(question, at=1)
    assert "Owners have it until Thu 01:00, then Customer support." in plain(html)
    assert 'datetime="2026-11-19T01:00+01:00"' in html
    assert "Times as in Berlin" in html
    assert "11 hours left" in html


def test_times_are_in_the_readers_zone(question: Thread, alice: User, dana: User, support: Department) -> None:
    alice.time_zone = "Asia/Tokyo"
    assert "until Thu 09:00" in plain(shown(question, alice))
    assert "Times as in" not in shown(question, alice)
    Department.objects.filter(pk=support.pk).update(time_zone="Europe/London")
    assert "until Thu 00:00" in plain(shown(question, dana))


def test_the_legs(question: Thread, asked: list[User], lead: User) -> None:
    sweep(NOON + timedelta(hours=4))
    html = shown(question, at=5)
    assert html.count('<li class="leg') == 4
    assert html.count("leg--now") == 1
    assert "1 asked to look" in html
    assert "Lea Lindqvist" in html
    assert html.index("Owners</b>") < html.index("Advocates</b>") < html.index("Customer support</b>")


def test_the_department_has_it(question: Thread, asked: list[User], dana: User, lead: User) -> None:
    sweep(NOON + timedelta(hours=12))
    html = shown(question, at=12.5)
    assert "Customer support has it until today 13:00, then one person of Customer support." in plain(html)
    assert "relay--staff" in html


def test_somebody_looks_after_it(question: Thread, asked: list[User], dana: User) -> None:
    with clock.travel(NOON):
        services.acknowledge(question, dana)
    html = shown(question, at=1)
    assert "Dana of Customer support looks after it, with an answer by" in plain(html)
    assert "Read by Dana, today 13:00." in plain(html)


def test_late_is_said(question: Thread, asked: list[User], dana: User) -> None:
    sweep(NOON + timedelta(hours=12))
    sweep(NOON + timedelta(hours=23))
    html = shown(question, at=23.5)
    assert "relay--late" in html
    assert "Customer support was to have read it by today 12:00" in plain(html)


def test_paused_says_for_what(question: Thread, alice: User, dana: User) -> None:
    with clock.travel(NOON):
        services.ask_for_info(question, dana, "Which serial number?")
    html = shown(question, at=1)
    assert "Waiting for Alice since today 13:00." in plain(html)
    assert "Asked: Which serial number?" in plain(html)
    assert "relay--paused" in html
    with clock.travel(NOON + timedelta(hours=2)):
        posts.comment(question, alice, body="It is M54-2609.")
    assert "Paused once, 2 hours" in shown(question, at=3)


def test_waiting_for_a_part_it_says_when_it_is_looked_at_again(question: Thread, dana: User) -> None:
    with clock.travel(NOON):
        services.pause(question, dana, "part", until=(NOON + timedelta(days=3)).date())
    assert "Dana of Customer support looks at it again by Sat 08:00 at the latest." in plain(shown(question, at=1))
    assert "looks at it again" not in shown(question, at=80)
    with clock.travel(NOON):
        services.resume(question, dana)
    running = plain(shown(question, at=1))
    with clock.travel(NOON):
        services.pause(question, dana, "customer")
    paused = plain(shown(question, at=1))
    assert "not while the clock stands" in paused and "not while the clock stands" not in running


def test_after_a_reply_the_asker_decides(question: Thread, bob: User) -> None:
    with clock.travel(NOON):
        factories.an_answer(question, bob)
    assert "An owner has answered. Alice says whether that settles it." in plain(shown(question, at=1))


def test_settled(question: Thread, alice: User, bob: User) -> None:
    with clock.travel(NOON + timedelta(hours=5)):
        questions.accept_answer(factories.an_answer(question, bob), alice)
    html = shown(question, at=6)
    assert "Settled after 5 hours: an answer was chosen." in plain(html)
    assert "relay--done" in html and "leg" not in html


def test_a_note_of_staff_never_shows(question: Thread, dana: User) -> None:
    services.add_note(question, dana, "A journalist, be careful.")
    assert "journalist" not in shown(question, dana)


def test_a_name_is_text(question: Thread, dana: User) -> None:
    User.objects.filter(pk=dana.pk).update(name="<script>alert(1)</script>")
    dana.refresh_from_db()
    services.acknowledge(question, dana)
    assert "<script>" not in shown(question)


def test_one_line_for_lists(question: Thread, asked: list[User], alice: User, bob: User) -> None:
    assert plain(shown(question, slot="thread.now", at=1)) == "Owners until Thu 01:00"
    with clock.travel(NOON):
        questions.accept_answer(factories.an_answer(question, bob), alice)
    assert shown(question, slot="thread.now") == ""


def test_the_batch_costs_the_same_however_large(
    alice: User, support: Department, django_assert_max_num_queries
) -> None:
    with clock.travel(NOON):
        threads = [factories.a_thread(alice) for _ in range(8)]
    rows = list(Thread.objects.select_related("author").filter(pk__in=[thread.pk for thread in threads]))
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    for slot in ("thread.relay", "thread.now"):
        with clock.travel(NOON), django_assert_max_num_queries(3):
            assert all(panels.render(slot, request, rows).values())


def test_a_thread_without_a_case_shows_nothing(question: Thread) -> None:
    question.escalation.delete()
    assert shown(question) == ""


def test_nobody_owes_an_answer_to_praise(alice: User, support: Department) -> None:
    with clock.travel(NOON):
        thanks = factories.a_thread(alice, kind="praise")
    assert plain(shown(thanks, slot="thread.now", at=1)) == ""
    assert "Owners" not in plain(shown(thanks, at=1))


def test_one_honest_line_when_it_is_late_with_the_new_time(
    question: Thread, asked: list[User], dana: User, lead: User
) -> None:
    with clock.travel(NOON):
        services.acknowledge(question, dana)
    due = Escalation.objects.get().resolve_due_at
    assert due is not None
    sweep(due + timedelta(minutes=1))
    late = plain(shown(question, at=(due + timedelta(minutes=2) - NOON).total_seconds() / 3600))
    assert "Dana of Customer support looks after it. This is late: it was promised for" in late
    assert "Unless it is settled by" in late and "the community manager steps in." in late


def test_the_asker_sees_what_was_promised_where_it_is_and_which_fault_it_is(
    question: Thread, asked: list[User], dana: User, hanna: User, duo: Product, django_assert_max_num_queries: Callable
) -> None:
    friday = NOON + timedelta(days=2)
    with clock.travel(NOON):
        made = promises.make(question, dana, text="A new lid.", due_at=friday)
        workshop = handoffs.save_channel(
            Channel(slug="workshop", name="the workshop", kind="mail", address="w@example.org"), hanna
        )
        given = handoffs.hand_off(question, dana, workshop, note="Look at the lid")
        incidents.open_incident(duo, dana, title="Lids dribble", body="Wait for ours.", first=question)
    words = plain(shown(question, at=1))
    assert "Promised: “A new lid”, by Fri 13:00." in words
    assert f"With the workshop, reference {given.reference}. What comes of it is posted here." in words
    assert "Part of a known issue: Lids dribble" in words
    assert "Late: “A new lid” was promised for today 13:00. Staff owe you a new day." in plain(shown(question, at=49))
    with clock.travel(friday + timedelta(hours=1)):
        promises.move(made, dana, due_at=friday + timedelta(days=3), why="None in stock")
        services.resolve(question, dana, "private")
    words = plain(shown(question, at=50))
    assert "New day for “A new lid”: Mon 13:00 instead of today 13:00." in words, "also once the case is settled"
    with django_assert_max_num_queries(4):  # the thread itself, the case with all of that, and the brand's two
        shown(question, at=50)

"""The front page's figures: true, stored, and cheap to show."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from community.accounts.models import User
from community.core import clock, schedule
from community.escalation import services as escalation
from community.moderation import services as moderation
from community.pages import figures
from community.pages.models import PublicFigures
from community.posts import services as posts
from community.questions import services as questions
from community.questions.models import Thread
from tests import factories

pytestmark = pytest.mark.django_db


def asked(by: User, *, days_ago: float, **more: Any) -> Thread:
    with clock.travel(clock.now() - timedelta(days=days_ago)):
        return factories.a_thread(by, **more)


def answered(thread: Thread, by: User, *, hours: float) -> Any:
    with clock.travel(thread.created_at + timedelta(hours=hours)):
        return factories.an_answer(thread, by)


@pytest.fixture
def told(wednesday: Any, alice: User, bob: User, charlie: User) -> list[Thread]:
    """Twelve of the period: four without an answer, four solved by the first, one by the second, one reopened."""
    threads = [asked(alice, days_ago=80 - place) for place in range(12)]
    for place, thread in enumerate(threads[4:]):
        first = answered(thread, bob, hours=place + 1)
        later = answered(thread, charlie, hours=place + 5)
        if place < 6:
            with clock.travel(thread.created_at + timedelta(hours=20)):
                questions.accept_answer(later if place == 4 else first, alice)
        if place == 5:
            with clock.travel(thread.created_at + timedelta(hours=30)):
                questions.reopen_thread(thread, alice, "Back again, sadly.")
            with clock.travel(thread.created_at + timedelta(hours=31)):
                questions.accept_answer(later, alice)
    return threads


def test_counts(told: list[Thread]) -> None:
    found = figures.count(clock.now())
    assert (found.asked, found.answered) == (12, 8)
    assert found.first_reply_seconds == 4.5 * 3600
    assert (found.solved, found.settled_at_once) == (6, 4)


def test_what_is_left_out(told: list[Thread], alice: User, bob: User, ravi: User) -> None:
    before = figures.count(clock.now())
    asked(alice, days_ago=366)
    asked(alice, days_ago=3, kind="idea")
    asked(alice, days_ago=3, kind="praise")
    hidden = asked(alice, days_ago=3)
    moderation.hide(hidden, ravi, reason="Spam")
    imported = asked(alice, days_ago=3)
    Thread.objects.filter(pk=imported.pk).update(source="coffee.example")
    assert figures.count(clock.now()) == before


def test_open_the_longest_speaks_of_what_waits_for_us(
    told: list[Thread], alice: User, bob: User, dana: User, ravi: User
) -> None:
    oldest, second, third, fourth = told[:4]
    assert figures.open_longest() == oldest.created_at
    questions.ask_for_info(oldest, dana, "Which series is it?")
    assert figures.open_longest() == second.created_at
    factories.an_answer(second, bob)
    assert figures.open_longest() == third.created_at, "answered: whoever asked has to say whether that settles it"
    questions.lock_thread(third, ravi, reason="All is said.")
    assert figures.open_longest() == fourth.created_at
    with clock.travel(clock.now() + timedelta(hours=1)):
        posts.comment(second, alice, body="It still drips, a little less.")
    assert figures.open_longest() == second.created_at, "whoever asked spoke last"
    with clock.travel(clock.now() + timedelta(hours=2)):
        posts.comment(second, bob, body="Then turn it once more, please.")
    assert figures.open_longest() == fourth.created_at
    escalation.acknowledge(second, dana)
    assert figures.open_longest() == second.created_at, "we look into it"
    factories.an_answer(second, dana, official_for=dana.department)
    assert figures.open_longest() == fourth.created_at
    with clock.travel(clock.now() + timedelta(days=1)):
        posts.comment(second, alice, body="It came back after a day.")
    assert figures.open_longest() == second.created_at


def test_the_front_page_shows_them_from_one_row(client: Client, told: list[Thread]) -> None:
    assert b'id="numbers-h"' not in client.get("/").content, "nothing before they are counted"
    figures.recount()
    figures.recount()
    assert PublicFigures.objects.count() == 1
    client.get("/")
    with CaptureQueriesContext(connection) as queries:
        html = client.get("/").content.decode()
    assert "8 of 12" in html and "66 %" in html and "80 days" in html
    assert "What waits for whoever asked is left out." in html
    assert "4 hours" in html or "5 hours" in html
    assert "ettled by the first answer" not in html, "six solved are too few for a share"
    assert len(queries) <= 20
    assert sum("publicfigures" in query["sql"] for query in queries) == 1


def test_too_little_says_nothing(client: Client, wednesday: Any, alice: User) -> None:
    asked(alice, days_ago=3)
    figures.recount()
    assert b'id="numbers-h"' not in client.get("/").content


def test_nothing_at_all(db: None) -> None:
    figures.recount()
    row = PublicFigures.objects.get()
    assert (row.asked, row.first_reply_seconds, figures.open_longest()) == (0, None, None)


def test_the_worker_counts_every_hour() -> None:
    assert [sweep.seconds for sweep in schedule.sweeps() if sweep.job is figures.recount] == [3600]

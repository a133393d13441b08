"""An import beside people who write: on SQLite, too, nobody waits for its end (CHECKS 64)."""

import threading
from collections.abc import Callable

import pytest

from community.accounts.models import User
from community.core import turns
from community.posts import services as posts
from community.posts.models import Comment
from community.questions.models import Thread
from tests import factories
from tests.races import at_once

from . import dumps

WRITERS = 20
QUESTIONS = 24


@pytest.mark.slow  # twenty threads and an import of twenty-four questions
@pytest.mark.once  # turns are SQLite's: PostgreSQL holds rows, and the quicker of the two ends first
@pytest.mark.django_db(transaction=True)
def test_twenty_write_while_an_import_runs(
    bring: Callable[..., str], alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_pause = turns.pause
    monkeypatch.setattr(turns, "LONGEST", 0.05)  # so that a small import has many turns
    monkeypatch.setattr(turns, "pause", lambda: pause())
    thread = factories.a_thread(alice)
    people = [factories.a_person(f"writer{number}") for number in range(WRITERS)]
    begun, left = threading.Event(), []
    wrote = threading.Semaphore(0)

    def pause() -> None:  # after the people, and after each turn of questions
        begun.set()
        real_pause()
        wrote.acquire(timeout=5)  # however the machine deals out its time, somebody had a chance to write

    def bring_them() -> None:
        posts_there = [dumps.a_question(key) for key in range(1, QUESTIONS + 1)]
        bring({"Users": [dumps.a_user(1), dumps.a_user(2)], "Posts": posts_there})

    def write(person: User) -> Callable[[], None]:
        def act() -> None:
            begun.wait(30)
            for turn in range(2):
                posts.comment(thread, person, body=f"Word {turn} of {person.username}, while others come.")
                wrote.release()
            left.append(QUESTIONS - Thread._base_manager.filter(source=dumps.SITE).count())

        return act

    assert at_once([bring_them, *[write(person) for person in people]]) == []
    assert Comment.objects.filter(target_id=thread.pk).count() == 2 * WRITERS
    assert Thread._base_manager.filter(source=dumps.SITE).count() == QUESTIONS
    assert sum(rest > 0 for rest in left) > WRITERS / 2, f"they write between its questions, not after them: {left}"

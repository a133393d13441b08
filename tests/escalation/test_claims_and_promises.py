"""Who answers a case just now, and what staff said they would do by a day."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError

from community.accounts.models import User
from community.core import clock
from community.core.errors import Conflict, NotAllowed
from community.core.models import Numbers
from community.escalation import claims, promises, services
from community.escalation.models import Claim, Escalation, EscalationStep, Promise
from community.posts.models import Comment
from community.questions.models import Thread
from tests import factories

from .conftest import NOON, Kinds

pytestmark = [pytest.mark.django_db, pytest.mark.once]
FRIDAY = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


@pytest.fixture
def problem(alice: User, asked: list[User]) -> Thread:
    with clock.travel(NOON):
        return factories.a_thread(alice, kind="problem")


def test_the_second_of_two_agents_is_told_who_has_it(problem: Thread, dana: User, mei: User, alice: User) -> None:
    with clock.travel(NOON):
        made = claims.claim(problem, dana)
        assert made.until == NOON + timedelta(seconds=600)
        with pytest.raises(NotAllowed):
            claims.claim(problem, alice)
        for refused in (
            lambda: claims.claim(problem, mei),
            lambda: services.acknowledge(problem, mei),
            lambda: services.answer_officially(
                problem, mei, body="Turn it off, please, and wait.", department=mei.department
            ),
            lambda: services.ask_for_info(problem, mei, "Which one?"),
            lambda: services.resolve(problem, mei, "nothing"),
            lambda: promises.make(problem, alice, text="A lid", due_at=FRIDAY),
        ):
            with pytest.raises((Conflict, NotAllowed)) as said:
                refused()
        with pytest.raises(Conflict, match="for 10 more minutes at most. Your text is kept") as said:
            claims.claim(problem, mei)
        assert dana.name in str(said.value)
        services.add_note(problem, mei, "I know this one.")  # a note is in nobody's way
        services.assign(problem, mei, mei)
    with clock.travel(NOON + timedelta(seconds=500)):  # going on begins the time anew
        assert claims.claim(problem, dana).until == NOON + timedelta(seconds=1100)
        assert Claim.objects.get().since == NOON
    with clock.travel(NOON + timedelta(seconds=1100)):  # and it ends by itself
        assert claims.claim(problem, mei).holder == mei
        claims.release(problem, dana)  # only one's own
        assert claims.of(problem.escalation) is not None
        claims.release(problem, mei)
        claims.release(problem, mei)
        assert claims.of(problem.escalation) is None
        services.resolve(problem, dana, "nothing")


def test_how_long_is_the_managers_to_say(problem: Thread, dana: User) -> None:
    Numbers.objects.update_or_create(defaults={"claim_seconds": 60})
    with clock.travel(NOON):
        assert claims.claim(problem, dana).until == NOON + timedelta(seconds=60)


def test_a_promise_is_kept_in_the_register_and_takes_the_place_of_the_policys_hours(
    problem: Thread, dana: User, alice: User, told: Kinds
) -> None:
    with clock.travel(NOON):
        for wrong in ({"text": ""}, {"due_at": NOON - timedelta(minutes=1)}, {"due_at": NOON + timedelta(days=400)}):
            with pytest.raises(ValidationError):
                promises.make(problem, dana, **{"text": "A new lid", "due_at": FRIDAY, **wrong})
        with pytest.raises(NotAllowed):
            promises.make(problem, alice, text="A new lid", due_at=FRIDAY)
        made = promises.make(problem, dana, text="A new lid", due_at=FRIDAY)
        assert promises.make(problem, dana, text="A new lid", due_at=FRIDAY) == made
    case = Escalation.objects.get(thread=problem)
    assert case.acknowledged_by == dana and case.resolve_due_at == FRIDAY
    assert told(problem).count("promise_made") == 1
    with clock.travel(FRIDAY - timedelta(hours=1)):
        with pytest.raises(NotAllowed):
            promises.keep(made, alice)
        promises.keep(made, dana, note="Sent today")
        promises.keep(made, dana)
        assert Promise.objects.get().why == "Sent today"
        with pytest.raises(Conflict, match="answered for already"):
            promises.move(made, dana, due_at=FRIDAY + timedelta(days=1), why="Late")
    assert promises.find_late(FRIDAY + timedelta(hours=1)) == 0
    assert EscalationStep.objects.filter(kind="promise_kept").count() == 1


def test_a_late_promise_is_answered_for_in_public(
    problem: Thread, dana: User, lead: User, told: Kinds, django_capture_on_commit_callbacks: Callable
) -> None:
    with clock.travel(NOON):
        made = promises.make(problem, dana, text="A new lid", due_at=FRIDAY)
    assert promises.find_late(FRIDAY - timedelta(minutes=1)) == 0
    assert promises.find_late(FRIDAY) == 1
    assert promises.find_late(FRIDAY + timedelta(minutes=1)) == 0, "told once"
    made.refresh_from_db()
    assert made.is_late and made.late_at == FRIDAY
    assert told(problem).count("promise_late") == 1
    monday = FRIDAY + timedelta(days=3)
    with clock.travel(FRIDAY + timedelta(hours=1)):
        with pytest.raises(ValidationError) as refused:
            promises.move(made, dana, due_at=FRIDAY, why=" ")
        assert set(refused.value.error_dict) == {"why", "due_at"}
        new = promises.move(made, dana, due_at=monday, why="The supplier had none.")
    made.refresh_from_db()
    assert (made.state, made.moved_to) == ("moved", new) and new.is_open and not new.is_late
    said = Comment.objects.get()
    assert "The supplier had none." in said.body_text and "2026-11-23" in said.body_text and said.author == dana
    assert Escalation.objects.get().resolve_due_at == monday


def test_an_answer_that_names_a_day_can_be_a_promise(problem: Thread, dana: User) -> None:
    with clock.travel(NOON):
        answer = services.answer_officially(
            problem, dana, body="It is in the post to you.", department=dana.department, promise=("A new lid", FRIDAY)
        )
    promise = Promise.objects.get()
    assert promise.answer == answer and promise.is_open, "the case is settled, the promise stands"
    assert not Escalation.objects.get().is_open
    assert promises.find_late(FRIDAY) == 1


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("It should be with you by 2026-12-01.", date(2026, 12, 1)),
        ("Es kommt bis 1.12. bei dir an.", date(2026, 12, 1)),
        ("We look at it on 3 January.", date(2027, 1, 3)),
        ("Look here on March 3rd, please.", date(2027, 3, 3)),
        ("Am 24. Dezember ist es da.", date(2026, 12, 24)),
        ("I'll ring you by Friday.", date(2026, 11, 20)),
        ("Bis Mittwoch weiß ich mehr.", date(2026, 11, 25)),
        ("Bis morgen.", date(2026, 11, 19)),
        ("Since Friday it drips, and firmware 1.3.1 of 2025-01-01 is no help.", None),
        ("Number 31.2. is no day, nor is 2026-13-45.", None),
        ("Guten Morgen, May I ask?", None),
    ],
)
def test_which_day_a_text_names(words: str, day: date | None) -> None:
    assert promises.day_named(words, date(2026, 11, 18)) == day

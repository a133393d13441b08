"""Many at once: a vote counts once, an answer is posted once, and two who vote for each other both get through."""

import threading
from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.db import OperationalError, connection, transaction
from django.test import Client
from django.urls import reverse

from community.accounts.models import User
from community.core import clock, rows
from community.core.errors import Conflict
from community.core.models import Numbers
from community.events.models import Event
from community.posts import doors
from community.questions import asking_back, services
from community.questions.models import Answer, AnswerVote, Reminder, Thread
from community.questions.services import merging, states
from tests import factories
from tests.questions.test_pages import signed_in
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
postgresql = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="One writer at a time on SQLite: nobody can wait for two."
)


def test_50_identical_votes_count_one(answer: Answer, charlie: User) -> None:
    def vote() -> None:
        services.vote_answer(Answer.objects.select_related("thread").get(pk=answer.pk), charlie, 1)

    assert at_once([vote] * 50) == []
    answer.refresh_from_db()
    assert (answer.score, AnswerVote.objects.count()) == (1, 1)
    assert Event.objects.filter(kind="answer.voted").count() == 1


def test_20_submits_make_one_answer(thread: Thread, bob: User) -> None:
    problems = at_once([lambda: factories.an_answer(Thread.objects.get(pk=thread.pk), bob)] * 20)
    assert len(problems) == 19 and all(isinstance(problem, Conflict) for problem in problems), problems
    thread.refresh_from_db()
    assert (Answer.objects.count(), thread.answer_count) == (1, 1)


def test_20_submits_of_the_form_make_one_answer(thread: Thread, bob: User) -> None:
    clients = [signed_in(bob) for _ in range(20)]
    given = {"body": "Open the valve fully and close it again, six times.", "started": doors.long_open()}
    statuses: list[int] = []

    def send(client: Client) -> Callable[[], object]:
        return lambda: statuses.append(client.post(reverse("questions:answer", args=[thread.pk]), given).status_code)

    assert at_once([send(client) for client in clients]) == []
    assert statuses.count(303) == 1 and set(statuses) <= {303, 409, 429}, statuses
    assert Answer.objects.count() == 1


def test_two_presses_at_once_of_a_newcomer_keep_to_the_first_days_limit(alice: User) -> None:
    """In two threads, so that nothing but the person makes one of them wait."""
    rookie = factories.a_person("rookie", trust=0)
    Numbers.objects.update_or_create(pk=Numbers.load().pk, defaults={"newcomer_replies_first_day": 1})
    threads = [factories.a_thread(alice), factories.a_thread(alice)]
    jobs = [lambda pk=thread.pk: factories.an_answer(Thread.objects.get(pk=pk), rookie) for thread in threads]
    problems = at_once(jobs)
    assert [type(problem) for problem in problems] == [ValidationError], problems
    assert "tomorrow" in str(problems[0]) and rookie.answers.count() == 1


@postgresql
def test_two_who_vote_for_each_other_at_the_same_time_both_get_through(alice: User, bob: User) -> None:
    """Enough votes each way that badges and ranks are given to both while they vote."""
    for _round in range(8):
        one, other = factories.a_thread(alice), factories.a_thread(bob)
        jobs = [
            lambda one=one: services.vote_thread(Thread.objects.get(pk=one.pk), bob, 1),
            lambda other=other: services.vote_thread(Thread.objects.get(pk=other.pk), alice, 1),
        ]
        assert at_once(jobs) == []
    assert list(Thread.objects.values_list("score", flat=True)) == [1] * 16
    assert set(User.objects.filter(pk__in=[alice.pk, bob.pk]).values_list("reputation", flat=True)) == {81}


@postgresql
def test_who_lost_a_race_begins_anew(alice: User, bob: User) -> None:
    """Two that lock two people the wrong way round: the database ends one, and it is told once more."""
    both_hold_one = threading.Barrier(2)
    tries: list[int] = []

    def crossing(first: User, second: User) -> Callable[[], None]:
        turns: list[int] = []

        @rows.retried
        def work() -> None:
            tries.append(first.pk)
            turns.append(1)
            rows.locked(first)
            if len(turns) == 1:
                both_hold_one.wait(20)
            rows.locked(second)

        return work

    assert at_once([crossing(alice, bob), crossing(bob, alice)]) == []
    assert len(tries) == 3


def test_only_lost_races_are_told_again(alice: User) -> None:
    told: list[int] = []

    @rows.retried
    def broken() -> None:
        told.append(1)
        raise OperationalError("the disk is full")

    with pytest.raises(OperationalError):
        broken()
    assert len(told) == 1


def test_inside_of_a_transaction_the_outermost_begins_anew(alice: User) -> None:
    class Lost(Exception):
        sqlstate = "40P01"

    told: list[str] = []

    @rows.retried
    def inner() -> None:
        told.append("inner")
        raise OperationalError("deadlock detected") from Lost()

    @rows.retried
    def outer() -> None:
        told.append("outer")
        inner()

    with pytest.raises(OperationalError), transaction.atomic():
        inner()
    assert told == ["inner"]
    told.clear()
    with pytest.raises(OperationalError):
        outer()
    assert told == ["outer", "inner"] * rows.TRIES


def test_two_sweeps_at_once_ask_once(thread: Thread, answer: Answer) -> None:
    later = answer.created_at + asking_back.interval()
    assert at_once([lambda: asking_back.sweep(later)] * 4) == []
    assert Reminder.objects.count() == 1
    assert Event.objects.filter(kind="thread.asker_reminded").count() == 1


def test_two_sweeps_at_once_ask_once_whether_it_still_works(answer: Answer, alice: User) -> None:
    services.accept_answer(answer, alice)
    later = clock.now() + services.FOLLOW_UP_AFTER
    assert at_once([lambda: asking_back.sweep(later)] * 4) == []
    assert Event.objects.filter(kind="follow_up.asked").count() == 1


def test_a_double_click_on_accept_accepts_once(answer: Answer, alice: User) -> None:
    def accept() -> None:
        services.accept_answer(Answer.objects.select_related("thread").get(pk=answer.pk), alice)

    assert at_once([accept] * 10) == []
    kinds = list(Event.objects.filter(kind__in=["answer.accepted", "thread.solved"]).values_list("kind", flat=True))
    assert sorted(kinds) == ["answer.accepted", "thread.solved"]
    assert connection.in_atomic_block is False


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The threads that a service holds, in the order in which it takes them."""
    order: list[int] = []

    def watched(row: rows.Row) -> rows.Row:
        if isinstance(row, Thread):
            order.append(row.pk)
        return rows.locked(row)

    for module in (states, merging):
        monkeypatch.setattr(module, "locked", watched)
    return order


def test_threads_are_held_in_the_order_of_their_ids(alice: User, ravi: User, held: list[int]) -> None:
    first, second, third, last = (factories.a_thread(alice) for _ in range(4))
    services.mark_duplicate(third, ravi, first)
    held.clear()
    services.mark_duplicate(second, ravi, third)
    assert held == [first.pk, second.pk]
    held.clear()
    services.merge_thread(last, third, ravi, "The same")
    assert held == [first.pk, last.pk]


def test_an_original_that_is_merged_at_that_moment_is_refused(
    alice: User, ravi: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread, of, stands = (factories.a_thread(alice) for _ in range(3))
    end_of = states.end_of

    def merged_right_after(row: Thread) -> Thread:
        found = end_of(row)
        services.merge_thread(of, stands, ravi, "The same")
        return found

    monkeypatch.setattr(states, "end_of", merged_right_after)
    with pytest.raises(Conflict, match="a moment ago"):
        services.mark_duplicate(thread, ravi, of)
    thread.refresh_from_db()
    assert thread.duplicate_of is None


@pytest.mark.parametrize("verb", ["duplicate", "merge"])
def test_pointing_and_merging_begin_anew_after_a_lost_race(
    alice: User, ravi: User, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    class Lost(Exception):
        sqlstate = "40P01"

    turns: list[int] = []

    def lost_once(row: rows.Row) -> rows.Row:
        turns.append(row.pk)
        if len(turns) == 1:
            raise OperationalError("deadlock detected") from Lost()
        return rows.locked(row)

    for module in (states, merging):
        monkeypatch.setattr(module, "locked", lost_once)
    thread, other = factories.a_thread(alice), factories.a_thread(alice)
    if verb == "duplicate":
        services.mark_duplicate(thread, ravi, other)
    else:
        services.merge_thread(thread, other, ravi, "The same")
    thread.refresh_from_db()
    assert (thread.duplicate_of or thread.merged_into) == other

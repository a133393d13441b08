"""Many at once: the sums stay right."""

import threading
import time

import pytest
from django.db import OperationalError, connection

from advocates import rebuild, totals
from advocates.models import BoardBucket, BoardScore, ReputationEntry
from community.accounts import services as accounts
from community.core import rows
from community.events.models import Event
from community.moderation import services as moderation
from community.questions import services as questions

from ..factories import a_person, a_thread, an_answer


@pytest.mark.django_db(transaction=True)
def test_two_votes_at_once_on_two_answers_of_one_person(alice, bob, points_of):
    answers = [an_answer(a_thread(alice), bob) for _ in range(2)]
    voters = [a_person(), a_person()]
    start = threading.Barrier(2)
    errors = []

    def vote(answer, voter):
        try:
            start.wait()
            questions.vote_answer(answer, voter, 1)
        except Exception as error:  # noqa: BLE001 - told to the test
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=vote, args=pair) for pair in zip(answers, voters, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert ReputationEntry.objects.count() == 2
    assert points_of(bob) == 21
    assert BoardScore.objects.get(person=bob, period="all", board="all").points == 20
    assert list(
        BoardBucket.objects.filter(period="all", board="all", people__gt=0).values_list("points", "people")
    ) == [(20, 1)]


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # a transaction is shown the same activity all along
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0"
        )
        return bool(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_a_vote_that_waits_for_its_author_has_the_higher_number(alice, bob, charlie, monkeypatch):
    """Bob becomes staff while somebody votes for him: live gives nothing, so the log must say he was staff first."""
    if connection.vendor != "postgresql":
        pytest.skip("on SQLite one writes at a time")
    answer = an_answer(a_thread(alice), bob)
    said, errors = accounts.record, []

    def vote():
        try:
            questions.vote_answer(answer, charlie, 1)
        except Exception as error:  # noqa: BLE001 - told to the test
            errors.append(error)
        finally:
            connection.close()

    other = threading.Thread(target=vote)

    def record_late(kind, **data):
        other.start()
        for _ in range(1000):
            if _somebody_waits():
                break
            time.sleep(0.01)
        else:
            errors.append("nobody waits")
        return said(kind, **data)

    monkeypatch.setattr(accounts, "record", record_late)
    accounts.set_role(bob, None, "moderator")
    other.join()
    assert not errors
    changed, voted = (Event.objects.get(kind=kind).pk for kind in ("person.role_changed", "answer.voted"))
    assert voted > changed
    assert not ReputationEntry.objects.exists()
    assert rebuild.rebuild(write=False).differences == []


@pytest.mark.django_db
def test_who_gets_a_point_back_is_held_with_the_others(alice, bob, charlie, ravi, monkeypatch):
    """Charlie paid for voting an answer down. Held later than its author, by itself, he could close a circle."""
    answer = an_answer(a_thread(alice), bob)
    questions.vote_answer(answer, charlie, -1)
    held = []
    monkeypatch.setattr("advocates.totals.hold", lambda people, hold=totals.hold: held.append(people) or hold(people))
    moderation.hide(answer, ravi, reason="A look first.")
    assert {charlie.pk, bob.pk, alice.pk} <= held[0]
    assert not any(held[1:]), "nobody is asked for in a second round"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("service", ["flag", "decide_flag"])
def test_who_lost_a_race_over_a_flag_begins_anew(service, alice, bob, ravi, monkeypatch):
    flag = moderation.flag(a_thread(alice), bob, reason="spam") if service == "decide_flag" else None
    thread, said, tries = a_thread(alice), moderation.record, []

    class Lost(Exception):
        sqlstate = "40P01"

    def lose_once(kind, **data):
        tries.append(kind)
        if len(tries) == 1:
            raise OperationalError("deadlock detected") from Lost()
        return said(kind, **data)

    monkeypatch.setattr(moderation, "record", lose_once)
    monkeypatch.setattr(rows.time, "sleep", lambda seconds: None)
    if flag is None:
        assert moderation.flag(thread, bob, reason="spam").pk
    else:
        moderation.decide_flag(flag, ravi, uphold=True)
        flag.refresh_from_db()
        assert flag.state == "upheld"
    assert len(tries) == 2


@pytest.mark.django_db(transaction=True)
def test_a_vote_waits_while_the_rebuild_runs(alice, bob, charlie, points_of, monkeypatch):
    """It would stand in live and not in the walk through the log, or the other way round."""
    if connection.vendor != "postgresql":
        pytest.skip("on SQLite one writes at a time")
    answers = [an_answer(a_thread(alice), bob) for _ in range(2)]
    questions.vote_answer(answers[0], charlie, 1)
    compared, errors = rebuild._compare, []

    def vote():
        try:
            questions.vote_answer(answers[1], charlie, 1)
        except Exception as error:  # noqa: BLE001 - told to the test
            errors.append(error)
        finally:
            connection.close()

    other = threading.Thread(target=vote)

    def compare_late(report, shown):
        other.start()
        for _ in range(1000):
            if _somebody_waits():
                break
            time.sleep(0.01)
        else:
            errors.append("nobody waits")
        compared(report, shown)

    monkeypatch.setattr(rebuild, "_compare", compare_late)
    assert rebuild.rebuild(write=True).differences == []
    other.join()
    assert not errors
    assert points_of(bob) == 21
    monkeypatch.setattr(rebuild, "_compare", compared)
    assert rebuild.rebuild(write=False).differences == []

"""Many at once: the sums stay right."""

import threading

import pytest
from django.db import connection

from advocates.models import BoardBucket, BoardScore, ReputationEntry
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

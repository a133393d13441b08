"""Leaderboards: dense places, periods, products, and who is left out."""

from datetime import UTC, datetime, timedelta

import pytest

from advocates import boards
from advocates.models import BoardBucket, BoardScore, Period
from community.accounts.models import User
from community.accounts.services import lift_suspension, set_role, silence, suspend
from community.core import clock
from community.questions import services as questions

from ..factories import a_person, a_product, a_thread, an_answer

pytestmark = pytest.mark.django_db


def earn(person, times, product=None):
    for _ in range(times):
        questions.vote_answer(an_answer(a_thread(product=product), person), a_person(), 1)


def shown(period="all", product_key=0, **more):
    return [(row.person.username, row.place, row.points) for row in boards.top(period, product_key, **more)]


def test_equal_points_share_a_place_and_none_is_skipped(wednesday, alice, bob, charlie):
    earn(alice, 2)
    earn(bob, 2)
    earn(charlie, 1)
    assert shown() == [("alice", 1, 20), ("bob", 1, 20), ("charlie", 2, 10)]


def test_week_month_and_all_time(wednesday, alice, bob):
    earn(alice, 1)
    with clock.travel(wednesday - timedelta(days=5)):  # last week, this month
        earn(bob, 2)
    with clock.travel(wednesday - timedelta(days=40)):
        earn(bob, 3)
    assert shown("week") == [("alice", 1, 10)]
    assert shown("month") == [("bob", 1, 20), ("alice", 2, 10)]
    assert shown("all") == [("bob", 1, 50), ("alice", 2, 10)]


@pytest.mark.parametrize(
    ("moment", "week", "month"),
    [
        (datetime(2026, 11, 15, 23, 59, 59, tzinfo=UTC), "2026-11-09", "2026-11-01"),
        (datetime(2026, 11, 16, 0, 0, tzinfo=UTC), "2026-11-16", "2026-11-01"),
        (datetime(2026, 12, 1, 0, 0, tzinfo=UTC), "2026-11-30", "2026-12-01"),
    ],
)
def test_weeks_begin_on_monday_in_utc(moment, week, month):
    with clock.travel(moment):
        assert str(boards.start_of(Period.WEEK, boards.today())) == week
        assert str(boards.start_of(Period.MONTH, boards.today())) == month


def test_a_reversal_belongs_to_the_week_of_the_original(wednesday, alice, charlie):
    answer = an_answer(by=alice)
    with clock.travel(wednesday - timedelta(days=7)):
        questions.vote_answer(answer, charlie, 1)
    earn(alice, 1)
    questions.vote_answer(answer, charlie, 0)
    assert shown("week") == [("alice", 1, 10)]
    assert shown("all") == [("alice", 1, 10)]


def test_a_product_board_has_no_daily_cap(wednesday, bob, duo):
    answer = an_answer(a_thread(product=duo), bob)
    for _ in range(25):
        questions.vote_answer(answer, a_person(), 1)
    assert shown() == [("bob", 1, 200)]
    assert shown(product_key=duo.pk) == [("bob", 1, 250)]
    assert shown(product_key=a_product().pk) == []


def test_who_falls_to_nothing_leaves_the_board(wednesday, alice, charlie):
    answer = an_answer(by=alice)
    questions.vote_answer(answer, charlie, 1)
    questions.vote_answer(answer, charlie, 0)
    assert shown() == []
    assert not BoardBucket.objects.filter(people__gt=0).exists()


def test_wishes_hold_at_once_and_places_close_up_with_the_sweep(wednesday, alice, bob, charlie):
    earn(alice, 3)
    earn(bob, 2)
    earn(charlie, 1)
    User.objects.filter(pk=alice.pk).update(hide_from_boards=True)
    assert [row[0] for row in shown()] == ["bob", "charlie"]
    assert boards.keep_in_step() == 1
    assert boards.keep_in_step() == 0
    assert [row.place for row in boards.around(charlie, "all")] == [1, 2]
    User.objects.filter(pk=alice.pk).update(hide_from_boards=False)
    boards.keep_in_step()
    assert shown() == [("alice", 1, 30), ("bob", 2, 20), ("charlie", 3, 10)]


def test_staff_suspended_and_silenced_are_left_out(wednesday, alice, bob, charlie, ravi):
    for person in (alice, bob, charlie):
        earn(person, 1)
    set_role(alice, None, "moderator")
    suspend(bob, ravi, reason="Spam.")
    silence(charlie, ravi, hours=24, reason="Was rude.")
    assert shown() == []
    assert not BoardBucket.objects.filter(people__gt=0).exists()
    set_role(alice, None, "")
    lift_suspension(bob, ravi)
    with clock.travel(wednesday + timedelta(hours=25)):
        boards.keep_in_step()
    assert [row[0] for row in shown()] == ["alice", "bob", "charlie"]


def test_imported_people_stand_on_their_products_board_alone(wednesday, duo):
    somebody = a_person("elsewhere", source="coffee.example", email=None)
    earn(somebody, 1, duo)
    assert shown() == []
    assert shown(product_key=duo.pk) == [("elsewhere", 1, 10)]
    User.objects.filter(pk=somebody.pk).update(claimed_at=clock.now())
    boards.keep_in_step()
    assert shown() == [("elsewhere", 1, 10)]


def test_neighbours_above_and_below(wednesday):
    people = [a_person() for _ in range(7)]
    for number, person in enumerate(people):
        earn(person, number + 1)
    rows = boards.around(people[3], "all")
    assert [(row.person, row.place) for row in rows] == [
        (people[5], 2), (people[4], 3), (people[3], 4), (people[2], 5), (people[1], 6),
    ]  # fmt: skip
    assert boards.around(a_person(), "all") == []


def test_old_weeks_are_let_go(wednesday, alice):
    earn(alice, 1)
    with clock.travel(wednesday + timedelta(days=420)):
        boards.prune()
        assert set(BoardScore.objects.values_list("period", flat=True)) == {"all"}
        assert shown() == [("alice", 1, 10)]


def test_what_is_older_than_a_year_makes_no_weeks(wednesday, alice):
    answer = an_answer(by=alice)
    questions.add_vote_rows(answer, value=1, rows=[("1", wednesday - timedelta(days=2000))], source="coffee.example")
    with clock.travel(wednesday):
        boards.prune()
    assert set(BoardScore.objects.values_list("period", flat=True)) == {"all"}


def test_a_place_is_a_count_of_buckets(wednesday, alice, bob, django_assert_num_queries):
    earn(alice, 2)
    earn(bob, 1)
    with django_assert_num_queries(1):
        assert boards.place("all", boards.ALL_TIME, 0, 10) == 2

"""Leaderboards: dense places, periods, products, and who is left out."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advocates import boards, totals
from advocates.models import BoardAbsence, BoardBucket, BoardScore, Period, ReputationEntry
from community.accounts.models import User
from community.accounts.services import edit_profile, lift_suspension, set_role, silence, suspend
from community.core import clock
from community.events.log import replay
from community.events.models import Event
from community.posts.models import Topic
from community.questions import services as questions
from community.questions.models import Thread

from ..factories import a_person, a_product, a_thread, an_answer

pytestmark = pytest.mark.django_db


def earn(person, times, product=None):
    for _ in range(times):
        questions.vote_answer(an_answer(a_thread(product=product), person), a_person(), 1)


def hide(person, on):
    """The switch in the settings; returns how many events it made."""
    before = Event.objects.filter(kind="person.listing_changed").count()
    edit_profile(person, name=person.name, about="", city="", hide_from_boards=on)
    return Event.objects.filter(kind="person.listing_changed").count() - before


def shown(period="all", board="all", **more):
    return [(row.person.username, row.place, row.points) for row in boards.top(period, board, **more)]


def test_equal_points_share_a_place_and_none_is_skipped(wednesday, alice, bob, charlie):
    earn(alice, 2)
    earn(bob, 2)
    earn(charlie, 1)
    assert shown() == [("alice", 1, 20), ("bob", 1, 20), ("charlie", 2, 10)]


def test_a_batch_moves_its_own_people_and_leaves_the_places_of_others(wednesday, alice, bob, charlie, monkeypatch):
    """Others vote while an import runs: places counted anew for everybody would forget what they just moved."""
    earn(alice, 1)
    earn(bob, 1)
    with monkeypatch.context() as patch, replay("import"), totals.later():
        patch.setattr(boards, "recount_buckets", lambda: pytest.fail("for everybody"))
        earn(bob, 2)
    kept = BoardBucket.objects.filter(people__gt=0).order_by("period", "start", "board", "points")
    fields = ("period", "start", "board", "points", "people")
    moved = list(kept.values_list(*fields))
    boards.recount_buckets()
    assert moved == list(kept.values_list(*fields))
    assert shown() == [("bob", 1, 30), ("alice", 2, 10)]


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
    ("moment", "week", "month", "quarter", "year"),
    [
        (datetime(2026, 11, 15, 23, 59, 59, tzinfo=UTC), "2026-11-09", "2026-11-01", "2026-10-01", "2026-01-01"),
        (datetime(2026, 11, 16, 0, 0, tzinfo=UTC), "2026-11-16", "2026-11-01", "2026-10-01", "2026-01-01"),
        (datetime(2026, 12, 1, 0, 0, tzinfo=UTC), "2026-11-30", "2026-12-01", "2026-10-01", "2026-01-01"),
        # Half past midnight in Berlin is the old year in UTC, and the other way round in New York.
        (datetime(2027, 1, 1, 0, 30, tzinfo=ZoneInfo("Europe/Berlin")),
         "2026-12-28", "2026-12-01", "2026-10-01", "2026-01-01"),
        (datetime(2026, 12, 31, 19, 30, tzinfo=ZoneInfo("America/New_York")),
         "2026-12-28", "2027-01-01", "2027-01-01", "2027-01-01"),
        (datetime(2026, 6, 30, 23, 59, tzinfo=UTC), "2026-06-29", "2026-06-01", "2026-04-01", "2026-01-01"),
    ],
)  # fmt: skip
def test_periods_begin_in_utc_and_weeks_on_monday(moment, week, month, quarter, year):
    with clock.travel(moment):
        starts = [str(boards.start_of(period, boards.today())) for period in Period.values[:4]]
    assert starts == [week, month, quarter, year]


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
    assert shown(board=f"product:{duo.pk}") == [("bob", 1, 250)]
    assert shown(board=f"product:{a_product().pk}") == []


def test_topics_and_kinds_of_help_have_boards(wednesday, ravi, alice, bob, charlie, duo):
    milk = Topic.objects.create(slug="milk", name="Milk")
    thread = a_thread(alice, product=duo)
    Thread.objects.filter(pk=thread.pk).update(topic=milk)
    thread.refresh_from_db()
    answer = an_answer(thread, bob)
    questions.vote_answer(answer, charlie, 1)
    questions.vote_thread(thread, charlie, 1)
    questions.accept_answer(answer, alice)
    assert shown(board=boards.of_topic(milk.pk)) == [("bob", 1, 25), ("alice", 2, 10)]
    assert shown(board="help:answering") == [("bob", 1, 25)]
    assert shown(board="help:asking") == [("alice", 1, 12)]
    # Judged before it was moved to another topic: that stays where it was earned.
    Thread.objects.filter(pk=thread.pk).update(topic=None)
    answer.refresh_from_db()
    questions.vote_answer(answer, ravi, 1)
    assert shown(board=boards.of_topic(milk.pk)) == [("bob", 1, 25), ("alice", 2, 10)]
    assert shown(board="help:answering", period="quarter") == [("bob", 1, 35)]


def test_voting_down_costs_points_and_is_no_kind_of_help(wednesday, alice, bob, charlie):
    earn(charlie, 1)
    questions.vote_answer(an_answer(by=bob), charlie, -1)
    assert shown() == [("charlie", 1, 9)]
    assert shown(board="help:answering") == [("charlie", 1, 10)]


def test_who_falls_to_nothing_leaves_the_board(wednesday, alice, charlie):
    answer = an_answer(by=alice)
    questions.vote_answer(answer, charlie, 1)
    questions.vote_answer(answer, charlie, 0)
    assert shown() == []
    assert not BoardBucket.objects.filter(people__gt=0).exists()


def test_wishes_hold_at_once_and_places_close_up(wednesday, alice, bob, charlie):
    earn(alice, 3)
    earn(bob, 2)
    earn(charlie, 1)
    assert hide(alice, True) == 1
    assert hide(alice, True) == 0
    assert [row[0] for row in shown()] == ["bob", "charlie"]
    assert [row.place for row in boards.around(charlie, "all")] == [1, 2]
    earn(alice, 1)  # unseen, and not forgotten
    assert boards.keep_in_step() == 0
    hide(alice, False)
    assert shown() == [("alice", 1, 40), ("bob", 2, 20), ("charlie", 3, 10)]


def test_what_changed_without_an_event_is_mended_by_night(wednesday, alice, bob):
    earn(alice, 2)
    earn(bob, 1)
    User.objects.filter(pk=alice.pk).update(hide_from_boards=True)
    assert [row[0] for row in shown()] == ["bob"]
    assert boards.keep_in_step() == 1
    assert boards.keep_in_step() == 0
    assert [row.place for row in boards.around(bob, "all")] == [1]


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
    assert shown() == [("alice", 1, 10), ("bob", 1, 10)]
    with clock.travel(wednesday + timedelta(hours=25)):  # the first who reads the board ends the silence on it
        assert shown() == [("alice", 1, 10), ("bob", 1, 10), ("charlie", 1, 10)]
    assert not BoardAbsence.objects.exists()


def test_imported_people_stand_on_their_products_board_alone(wednesday, duo):
    somebody = a_person("elsewhere", source="coffee.example", email=None)
    earn(somebody, 1, duo)
    assert shown() == []
    assert shown(board=f"product:{duo.pk}") == [("elsewhere", 1, 10)]
    User.objects.filter(pk=somebody.pk).update(claimed_at=clock.now())
    boards.relist(somebody)
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
        assert set(BoardScore.objects.values_list("period", flat=True)) == {"all", "quarter", "year"}
        assert shown() == [("alice", 1, 10)]


def test_what_is_older_than_a_year_makes_no_weeks(wednesday, alice):
    answer = an_answer(by=alice)
    questions.add_vote_rows(answer, value=1, rows=[("1", wednesday - timedelta(days=2000))], source="coffee.example")
    with clock.travel(wednesday):
        boards.prune()
    assert set(BoardScore.objects.values_list("period", flat=True)) == {"all", "year"}


def test_a_place_is_a_count_of_buckets(wednesday, alice, bob, django_assert_num_queries):
    earn(alice, 2)
    earn(bob, 1)
    with django_assert_num_queries(3):  # me, and whether somebody is back; my place and who is beside me; people
        assert [row.place for row in boards.around(bob, "all")] == [1, 2]


def test_my_neighbours_are_found_among_many_with_the_same_points(wednesday):
    people = [a_person() for _ in range(9)]
    for person in people:
        earn(person, 1)
    assert [row.person for row in boards.around(people[4], "week")] == people[2:7]
    assert [row.person for row in boards.around(people[8], "week")] == people[6:]
    assert {row.place for row in boards.around(people[4], "week")} == {1}


PEOPLE, DAYS = 5, [0, 1, 3, 6, 20, 45, 110, 400]  # days ago: this week, the last, month, quarter, year
DEEDS = st.lists(
    st.one_of(
        st.tuples(st.just("earn"), st.integers(0, PEOPLE - 1), st.sampled_from(DAYS), st.integers(1, 3)),
        st.tuples(st.just("lose"), st.integers(0, 20)),
        st.tuples(st.just("hide"), st.integers(0, PEOPLE - 1), st.booleans()),
        st.tuples(st.just("silence"), st.integers(0, PEOPLE - 1), st.integers(1, 48)),
        st.tuples(st.just("wait"), st.integers(1, 60)),
        st.tuples(st.just("staff"), st.integers(0, PEOPLE - 1), st.booleans()),
    ),
    max_size=14,
)


def naive(people, period, board, today):
    """Places and points read off the ledger and the people, with no table of ours."""
    start = boards.start_of(period, today)
    points = defaultdict(int)
    for entry in ReputationEntry.objects.filter(day__gte=start):
        if board == "all" or board in boards.boards_of(entry.reason, entry.product_id, entry.topic_id):
            points[entry.person_id] += entry.points
    standing = {
        person.pk: points[person.pk]
        for person in User.objects.filter(pk__in=[one.pk for one in people])
        if points[person.pk] > 0 and boards.is_listed(person, board)
    }
    scores = sorted(set(standing.values()), reverse=True)
    rows = [(scores.index(score) + 1, pk, score) for pk, score in standing.items()]
    return sorted(rows)


@pytest.mark.slow
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(deeds=DEEDS)
def test_boards_equal_a_naive_recount_at_any_moment(deeds, wednesday, ravi, duo):
    with transaction.atomic():
        people = [a_person() for _ in range(PEOPLE)]
        votes, now = [], wednesday
        with clock.travel(now):
            answers = [an_answer(a_thread(product=duo), person) for person in people]
        for deed, *what in deeds:
            with replay("demo", at=now):
                if deed == "earn":
                    who, ago, times = what
                    new = [str(len(votes) + number) for number in range(times)]
                    rows = [(one, now - timedelta(days=ago)) for one in new]
                    questions.add_vote_rows(answers[who], value=1, rows=rows, source="elsewhere.example")
                    votes += [(answers[who], one) for one in new]
                elif deed == "lose" and votes:
                    answer, one = votes[what[0] % len(votes)]
                    questions.withdraw_vote_rows(answer, source="elsewhere.example", gone=[one])
                elif deed == "hide":
                    hide(people[what[0]], what[1])
                elif deed == "silence":
                    silence(people[what[0]], ravi, hours=what[1], reason="Was rude.")
                elif deed == "staff":
                    set_role(people[what[0]], None, "moderator" if what[1] else "")
                elif deed == "wait":
                    now += timedelta(hours=what[0])
        with clock.travel(now):
            for period in Period.values:
                for board in ("all", boards.of_product(duo.pk), "help:answering"):
                    wanted = naive(people, period, board, now.date())
                    rows = boards.top(period, board)
                    assert sorted((row.place, row.person_id, row.points) for row in rows) == wanted, (period, board)
                    if rows:
                        me = rows[len(rows) // 2]
                        assert [
                            (row.place, row.person_id) for row in boards.around(me.person, period, board, reach=9)
                        ] == [(row.place, row.person_id) for row in rows]
        transaction.set_rollback(True)

"""Whom routing asks and why, the queue, taking and passing, the own pattern, handing over, the figures."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from advocates import matching, queue, ranking, rhythm, services
from advocates.models import AdvocateMembership, Ask, Claim, Lesson, Rhythm
from community.accounts.services import set_role
from community.core import clock
from community.core.errors import Conflict, NotAllowed
from community.core.models import Numbers
from community.posts.models import Tag
from community.questions import services as questions

from ..factories import a_person, a_thread, a_topic, an_answer, an_owner

pytestmark = pytest.mark.django_db


@pytest.fixture
def experts(hanna, duo):
    people = [a_person() for _ in range(4)]
    for person in people:
        services.admit(person, hanna, [duo])
    return people


def ranked(thread):
    return ranking.rank([thread])[thread.pk]


def of(thread, person):
    return next(row for row in ranked(thread) if row.member.user_id == person.pk)


def test_the_own_pattern_counts(wednesday, experts, thread):
    """Two who know as much: the one who answers on Wednesday mornings is asked on a Wednesday morning."""
    early, late = experts[:2]
    for week in range(1, 9):
        for person, hours in ((early, 1), (late, 13)):
            rhythm.note(person.pk, wednesday - timedelta(weeks=week) + timedelta(hours=hours))
    assert of(thread, early).here > 2 * of(thread, late).here
    assert ranked(thread)[0].member.user_id == early.pk
    with clock.travel(wednesday + timedelta(hours=12)):
        assert ranked(thread)[0].member.user_id == late.pk


def test_a_rhythm_is_begun_with_the_last_half_year_and_kept(wednesday, bob, hanna, duo):
    with clock.travel(wednesday - timedelta(days=90)):
        an_answer(a_thread(product=duo), bob)
    services.admit(bob, hanna, [duo])
    row = Rhythm.objects.get(person=bob)
    assert sum(row.hours) == pytest.approx(0.5, abs=0.01)  # halved in 90 days
    an_answer(a_thread(product=duo), bob)
    row.refresh_from_db()
    assert row.hours[rhythm.hour_of(wednesday)] >= 1
    shares = rhythm.smoothed(row.hours)
    assert sum(shares) == pytest.approx(1)
    assert min(shares) > 0
    assert rhythm.LEAST <= rhythm.likelihood(None, wednesday) <= rhythm.likelihood(row, wednesday) <= rhythm.MOST
    assert rhythm.hour_of(datetime(2026, 11, 16, 0, 30, tzinfo=UTC)) == 0


def test_fatigue_lets_others_go_first(experts, thread, duo):
    first = ranked(thread)[0].member.user
    matching.asked(a_thread(product=duo), [first])
    assert of(thread, first).fresh == pytest.approx(1 - ranking.TIRED / Numbers.load().asks_per_advocate_a_week)
    assert ranked(thread)[0].member.user != first


def test_three_are_asked_and_never_a_fourth(experts, thread):
    assert matching.asked(thread, experts) == experts[:3]
    assert matching.asked(thread, experts[3:]) == []
    assert sorted(Ask.objects.values_list("place", flat=True)) == [1, 2, 3]


def test_three_is_the_most_whatever_the_settings_say(experts, thread):
    numbers = Numbers.load()
    numbers.advocates_asked = 9
    numbers.save()
    with pytest.raises(ValidationError) as said:
        numbers.full_clean()
    assert list(said.value.message_dict) == ["advocates_asked"]
    assert len(matching.matching_advocates(thread)) == 3
    assert matching.asked(thread, experts) == experts[:3]


def test_the_queue_shows_what_was_asked_first_and_never_what_does_not_fit(experts, thread, duo, alice, client):
    me = experts[0]
    other = a_thread(alice, product=duo)
    matching.asked(other, [me])
    done = an_answer(a_thread(alice, product=duo), me).thread
    mine = a_thread(me, product=duo)
    settled = a_thread(alice, product=duo)
    questions.accept_answer(an_answer(settled), alice)
    shown = queue.for_advocate(queue.member_of(me)).rows
    assert [row.thread for row in shown] == [other, thread]
    assert shown[0].asked and not shown[1].asked
    assert not {done.pk, mine.pk, settled.pk} & {row.thread.pk for row in shown}
    client.force_login(me)
    page = client.get("/advocates/queue/").content.decode()
    assert "Asked of you" in page and "Why in this order" in page
    assert "Asked of you" not in client.get(other.get_absolute_url()).content.decode()
    client.force_login(alice)
    assert client.get("/advocates/queue/").status_code == 403


def test_what_nobody_replied_to_comes_first_on_every_engine(experts, thread, duo, alice, monkeypatch):
    replied = a_thread(alice, product=duo)  # younger, and somebody has been there
    an_answer(replied)
    monkeypatch.setattr(queue, "LOOKED_AT", 1)
    assert [row.thread for row in queue.for_advocate(queue.member_of(experts[0])).rows] == [thread]


def test_the_queue_costs_the_same_however_long(experts, thread, duo, client, django_assert_max_num_queries):
    for _ in range(8):
        a_thread(product=duo)
    client.force_login(experts[0])
    client.get("/advocates/queue/")
    with django_assert_max_num_queries(15):
        client.get("/advocates/queue/")
    client.get("/advocates/mine/")
    with django_assert_max_num_queries(19):  # a page of many small parts, none of which grows
        client.get("/advocates/mine/")


def test_a_claim_keeps_others_off_for_ten_minutes(wednesday, experts, thread, client, charlie):
    first, second = experts[:2]
    assert queue.take(thread, first).until == wednesday + timedelta(seconds=600)
    queue.take(thread, first)
    with pytest.raises(Conflict):
        queue.take(thread, second)
    with pytest.raises(NotAllowed):
        queue.take(thread, charlie)
    with clock.travel(wednesday + timedelta(seconds=600)):
        assert queue.take(thread, second).person == second
        assert queue.let_go(thread, second)
        assert not queue.let_go(thread, second)
    client.force_login(first)
    assert client.get(f"/advocates/queue/{thread.pk}/take/").status_code == 405
    response = client.post(f"/advocates/queue/{thread.pk}/take/")
    assert response["Location"].endswith("#answer")
    an_answer(thread, first)
    assert not Claim.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_who_claim_at_once_leave_one(hanna, duo):
    people = [a_person() for _ in range(2)]
    for person in people:
        services.admit(person, hanna, [duo])
    thread = a_thread(product=duo)
    gate, won, lost = threading.Barrier(2), [], []

    def claim(person):
        try:
            gate.wait()
            queue.take(thread, person)
            won.append(person)
        except Conflict:
            lost.append(person)
        finally:
            connection.close()

    both = [threading.Thread(target=claim, args=[person]) for person in people]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert (len(won), len(lost)) == (1, 1)
    assert Claim.objects.get().person == won[0]


def test_what_a_pass_teaches(wednesday, experts, duo, charlie):
    """Each reason changes one thing, within its bound, for half a year at most; an answer undoes it."""
    me = experts[0]
    topic = a_topic("water")
    tag = Tag.objects.create(slug="lime", name="lime", topic=topic)

    def ask():
        thread = a_thread(product=duo, tags=[tag.name])
        matching.asked(thread, [me])
        return thread

    Numbers.objects.update_or_create(defaults={"asks_per_advocate_a_week": 50})
    open_one = a_thread(product=duo, tags=[tag.name])
    for _ in range(4):
        queue.pass_on(ask(), me, "not_my_product")
    assert of(open_one, me).fit == 0.25
    an_answer(ask(), me)
    assert of(open_one, me).fit == 1
    for _ in range(5):
        queue.pass_on(ask(), me, "dont_know")
    assert Lesson.objects.get().kind == "topic"
    assert of(open_one, me).fit == 0.4
    with clock.travel(wednesday + ranking.LESSON_LASTS):
        assert of(open_one, me).fit == 1
    for _ in range(6):
        queue.pass_on(ask(), me, "no_time")
    assert AdvocateMembership.objects.get(user=me).resting_until == wednesday + ranking.LONGEST_REST
    assert of(open_one, me).out == "resting"
    queue.rest_no_longer(me)
    assert of(open_one, me).out == ""
    thread = ask()
    queue.pass_on(thread, me, "no_time")
    queue.pass_on(thread, me, "dont_know")
    assert Ask.objects.get(thread=thread, person=me).why == "no_time"
    with pytest.raises(Conflict):
        queue.pass_on(open_one, me, "bored")
    with pytest.raises(NotAllowed):
        queue.pass_on(open_one, charlie, "no_time")
    assert thread.pk not in {row.thread.pk for row in queue.for_advocate(queue.member_of(me)).rows}


def test_who_goes_away_hands_over_what_is_open(experts, thread, duo, alice, client):
    me, other = experts[:2]
    done = a_thread(alice, product=duo)
    matching.asked(thread, [me])
    matching.asked(done, [me])
    an_answer(done, me)
    queue.take(thread, me)
    services.set_away(me, me, stand_in=other)
    services.set_away(me, me, stand_in=other)
    assert list(Ask.objects.filter(person=other).values_list("thread", "place")) == [(thread.pk, None)]
    assert not Claim.objects.exists()
    assert queue.for_advocate(queue.member_of(other)).rows[0].thread == thread
    assert of(thread, me).out == "away"
    client.force_login(me)
    page = client.get("/advocates/queue/").content.decode()
    assert "You are away" in page and "Answer it" not in page


def test_how_often_the_first_asked_answered(wednesday, experts, duo):
    threads = [a_thread(product=duo) for _ in range(4)]
    for thread in threads:
        matching.asked(thread, experts[:2])
    with clock.travel(wednesday + timedelta(hours=2)):
        an_answer(threads[0], experts[0])
        an_answer(threads[1], experts[1])
        queue.pass_on(threads[2], experts[0], "no_time")
    found = queue.figures(wednesday - timedelta(days=1))
    assert (found.threads, found.first_percent, found.any_percent, found.passed, found.hours) == (4, 25, 50, 1, 2.0)
    assert queue.figures(wednesday + timedelta(days=1)).first_percent is None


def test_ranking_many_costs_as_much_as_one(experts, duo, django_assert_num_queries):
    an_owner(duo)
    threads = [a_thread(product=duo) for _ in range(5)]
    Numbers.load()
    with django_assert_num_queries(7):
        ranking.rank(threads[:1])
    with django_assert_num_queries(7):
        ranking.rank(threads)


def test_who_is_removed_stands_in_for_nobody(experts, thread, hanna):
    """What was handed to them is the absent one's again, so that somebody is asked."""
    me, other = experts[:2]
    matching.asked(thread, [me])
    services.set_away(me, me, stand_in=other)
    assert Ask.objects.get(person=me).handed_to == other
    services.remove(other, hanna, reason="Answers for money, and says so")
    assert AdvocateMembership.objects.get(user=me).stand_in is None
    assert Ask.objects.get(person=me).handed_to is None


def test_who_joins_the_staff_is_no_advocate_any_more(experts, support):
    person = experts[0]
    set_role(person, None, "agent", support)
    member = AdvocateMembership.objects.get(user=person)
    person.refresh_from_db()
    assert (member.state, member.removed, person.standing) == ("left", False, "staff")
    member.state = "active"  # an import, a row of an older release
    services.copy_standing(member)
    person.refresh_from_db()
    assert person.standing == "staff" and not person.groups.filter(name="Advocates").exists()


def test_what_puts_one_before_another_is_said_in_sentences(experts, thread, duo):
    first, second = experts[:2]
    questions.vote_answer(an_answer(a_thread(product=duo), first), an_owner(duo), 1)
    ask = a_thread(product=duo)
    matching.asked(ask, [first])
    own, others = ranking.compared(of(thread, first), of(thread, second))
    assert own[0] == f"{first} knows more of it: 10 points against 0."
    assert len(own) == 2 and own[1].startswith(f"{first} is likelier to answer within four hours: ")
    assert others == [f"{second} was asked less this week: 0 against 1."]
    assert ranking.compared(of(thread, second), of(thread, second)) == ([], [])


def test_a_score_is_made_of_the_figures_that_are_shown():
    one = ranking.Candidate(None, knows=70.6, fit=0.5625, here=0.22673, asked=1, limit=5)
    assert (one.fit_percent, one.here_percent, one.fresh_percent) == (56, 22.7, 88)
    assert one.score == round((15 + 71) * 0.56 * 0.227 * 0.88, 2)

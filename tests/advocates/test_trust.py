"""Trust by conduct: up with time, taking part and use; down with trouble; not at the first quiet week."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advocates import trust
from community.accounts.models import TrustLevel, User
from community.accounts.services import silence
from community.core import clock
from community.events.models import Event
from community.moderation import services as moderation
from community.questions import services as questions

from ..factories import a_person, a_thread, an_answer

pytestmark = pytest.mark.django_db


def level(person):
    return User.objects.values_list("trust", flat=True).get(pk=person.pk)


@pytest.fixture
def newcomer(wednesday):
    return a_person("newbie", trust=TrustLevel.NEWCOMER)


def test_three_posts_and_a_day_make_a_member(wednesday, newcomer):
    for _ in range(3):
        a_thread(newcomer)
    assert level(newcomer) == TrustLevel.NEWCOMER
    with clock.travel(wednesday + timedelta(hours=23, minutes=59)):
        trust.evaluate(newcomer)
        assert level(newcomer) == TrustLevel.NEWCOMER
    with clock.travel(wednesday + timedelta(days=1)):
        trust.evaluate(newcomer)
        trust.evaluate(newcomer)
    assert level(newcomer) == TrustLevel.MEMBER
    assert Event.objects.filter(kind="person.trust_changed").count() == 1


def test_one_useful_post_is_enough(wednesday, newcomer):
    answer = an_answer(by=newcomer)
    with clock.travel(wednesday + timedelta(days=2)):
        questions.vote_answer(answer, a_person(), 1)
    assert level(newcomer) == TrustLevel.MEMBER


def test_hidden_posts_do_not_count(wednesday, newcomer, ravi):
    threads = [a_thread(newcomer) for _ in range(3)]
    moderation.hide(threads[0], ravi, reason="A look first.")
    with clock.travel(wednesday + timedelta(days=2)):
        trust.evaluate(newcomer)
    assert level(newcomer) == TrustLevel.NEWCOMER


def regular(wednesday):
    person = a_person(date_joined=wednesday - timedelta(days=31))
    voters = [a_person() for _ in range(5)]
    with clock.travel(wednesday - timedelta(days=20)):
        for number in range(15):
            answer = an_answer(by=person)
            if number < 10:
                questions.vote_answer(answer, voters[number % 5], 1)
    trust.evaluate(person)
    return person


def test_regulars_were_useful_to_several(wednesday):
    assert level(regular(wednesday)) == TrustLevel.REGULAR


def test_the_daily_sweep_finds_them(wednesday):
    person = regular(wednesday)
    User.objects.filter(pk=person.pk).update(trust=TrustLevel.MEMBER)
    with clock.travel(wednesday - timedelta(days=19)):
        assert trust.due().filter(pk=person.pk).exists()
    assert trust.evaluate_all([User.objects.get(pk=person.pk)]) == 1
    assert level(person) == TrustLevel.REGULAR
    assert trust.due().filter(pk=person.pk).exists()  # what is above must be kept
    assert trust.evaluate_all() == 0


def test_a_level_is_kept_on_easier_terms_and_lost_in_the_end(wednesday):
    person = regular(wednesday)
    with clock.travel(wednesday + timedelta(days=150)):
        assert trust.evaluate(person) == TrustLevel.REGULAR
    with clock.travel(wednesday + timedelta(days=200)):
        assert trust.evaluate(person) == TrustLevel.MEMBER


def test_trouble_costs_the_level_at_once(wednesday, ravi):
    person = regular(wednesday)
    for _ in range(3):
        moderation.decide_flag(moderation.flag(an_answer(by=person), a_person(), reason="rude"), ravi, uphold=True)
    assert level(person) < TrustLevel.REGULAR


def test_who_is_silenced_waits_as_a_member(wednesday, ravi):
    person = regular(wednesday)
    silence(person, ravi, hours=24, reason="Was rude.")
    assert level(person) == TrustLevel.MEMBER
    with clock.travel(wednesday + timedelta(hours=25)):
        assert trust.evaluate(User.objects.get(pk=person.pk)) == TrustLevel.REGULAR


def test_staff_and_people_from_elsewhere_are_left_alone(wednesday, dana):
    before = level(dana)
    trust.evaluate(dana)
    assert level(dana) == before
    somebody = a_person(source="coffee.example", trust=0, date_joined=wednesday - timedelta(days=400))
    for _ in range(3):
        a_thread(somebody)
    trust.evaluate(somebody)
    assert level(somebody) == TrustLevel.NEWCOMER


# At the edges: what is reached at a figure is lost only well below it.


def _with(monkeypatch, person, at, conduct):
    """The level that somebody of level `at` comes to, if this is how they behaved."""
    monkeypatch.setattr(trust, "conduct_of", lambda _person, _since: conduct)
    person.trust = at
    return trust.level_of(person)


@pytest.mark.parametrize("wanted", [TrustLevel.REGULAR, TrustLevel.LEADER])
@pytest.mark.parametrize("figure", ["posts", "useful", "people"])
def test_one_less_does_not_reach_and_does_not_lose(monkeypatch, wednesday, wanted, figure):
    person = a_person(date_joined=wednesday - timedelta(days=400))
    reach, keep = trust.REACH[wanted], trust.KEEP[wanted]
    exact = trust.Conduct(reach.posts, reach.useful, reach.people, 0)
    assert _with(monkeypatch, person, wanted - 1, exact) == wanted
    less = replace(exact, **{figure: getattr(reach, figure) - 1})
    assert _with(monkeypatch, person, wanted - 1, less) == wanted - 1
    assert _with(monkeypatch, person, wanted, less) == wanted  # who has it keeps it
    least = replace(exact, **{figure: getattr(keep, figure)})
    assert _with(monkeypatch, person, wanted, least) == wanted
    assert _with(monkeypatch, person, wanted, replace(exact, **{figure: getattr(keep, figure) - 1})) < wanted


def test_the_days_count_to_the_minute_and_only_upwards(monkeypatch, wednesday):
    busy = trust.Conduct(500, 500, 500, 0)
    for wanted in (TrustLevel.REGULAR, TrustLevel.LEADER):
        days = timedelta(days=trust.REACH[wanted].days)
        young, old = (a_person(date_joined=wednesday - days + late) for late in (timedelta(minutes=1), timedelta()))
        assert _with(monkeypatch, young, wanted - 1, busy) == wanted - 1
        assert _with(monkeypatch, old, wanted - 1, busy) == wanted
        assert _with(monkeypatch, young, wanted, busy) == wanted


@pytest.mark.parametrize("at", [TrustLevel.MEMBER, TrustLevel.REGULAR, TrustLevel.LEADER])
def test_trouble_at_the_bound_keeps_and_one_more_costs(monkeypatch, wednesday, at):
    person = a_person(date_joined=wednesday - timedelta(days=400))
    bound = trust.KEEP[at].most_upheld
    assert _with(monkeypatch, person, at, trust.Conduct(500, 500, 500, bound)) == at
    assert _with(monkeypatch, person, at, trust.Conduct(500, 500, 500, bound + 1)) < at


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    figures=st.tuples(*[st.integers(0, 60)] * 3, st.integers(0, 4)),
    step=st.tuples(*[st.integers(-1, 1)] * 3, st.just(0)),
    at=st.integers(0, 3),
)
def test_nobody_flickers(monkeypatch, wednesday, figures, step, at):
    """The same conduct looked at twice gives the same; going one up and down again changes a level once at most."""
    person = User(pk=0, username="nobody", date_joined=wednesday - timedelta(days=400))
    here, there = trust.Conduct(*figures), trust.Conduct(*(max(0, a + b) for a, b in zip(figures, step, strict=True)))
    levels = [_with(monkeypatch, person, at, here)]
    assert _with(monkeypatch, person, levels[0], here) == levels[0]
    for conduct in (there, here, there, here, there):
        levels.append(_with(monkeypatch, person, levels[-1], conduct))
    assert len(set(levels)) <= 2 and levels[1:] == [levels[1]] * 5

"""Trust by conduct: up with time, taking part and use; down with trouble; not at the first quiet week."""

from datetime import timedelta

import pytest

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

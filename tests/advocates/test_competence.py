"""What somebody knows: which signs count, that they fade, fall away with their ground, and what is made of them."""

from datetime import timedelta

import pytest

from advocates import competence, rebuild
from advocates.models import Competence, ReputationEntry
from community.core import clock
from community.events.log import replay
from community.moderation import services as moderation
from community.people import reading
from community.questions import services as questions
from community.questions.views.thread import sorted_answers

from ..factories import a_person, a_tag, a_thread, a_topic, an_answer, an_owner

pytestmark = pytest.mark.django_db


@pytest.fixture
def about(alice, duo):
    """A question about the Duo and its grinding."""
    return a_thread(alice, product=duo, tags=[a_tag("burrs", topic=a_topic("grinding")).slug])


def test_signs_are_what_owners_say_what_is_accepted_and_what_held(about, alice, bob, duo, wednesday):
    answer = an_answer(about, bob)
    questions.vote_answer(answer, a_person(), 1)
    assert competence.of([bob], duo) == {}  # ten points, but nobody who would know
    questions.vote_answer(answer, an_owner(duo), 1)
    assert competence.of([bob], duo) == {bob.pk: 10}
    questions.vote_answer(answer, an_owner(duo), -1)
    questions.accept_answer(answer, alice)
    questions.say_works_for_mine(answer, an_owner(duo), True)
    assert competence.of([bob], duo) == {bob.pk: 10 - 2 + 15 + 10}
    assert competence.of([bob], None, about.tags.all()) == {bob.pk: 33 / 2}
    assert competence.of([bob, alice.pk], duo, [about.topic]) == {bob.pk: 33 * 1.5}
    assert competence.of([bob], None) == {}


def test_signs_go_with_their_ground_and_come_back(about, alice, bob, duo, ravi, wednesday):
    answer = an_answer(about, bob)
    owner, other = an_owner(duo), an_owner(duo)
    questions.vote_answer(answer, owner, 1)
    questions.say_works_for_mine(answer, owner, True)
    questions.say_works_for_mine(answer, other, True)
    questions.say_works_for_mine(answer, other, True)
    assert competence.of([bob], duo) == {bob.pk: 30}
    questions.say_works_for_mine(answer, other, False)
    questions.vote_answer(answer, owner, 0)
    assert competence.of([bob], duo) == {bob.pk: 10}
    moderation.hide(answer, ravi, reason="A look first.")
    assert competence.of([bob], duo) == {}
    assert set(Competence.objects.values_list("score", flat=True)) == {0}  # to the last thousandth
    moderation.restore(answer, ravi)
    assert competence.of([bob], duo) == {bob.pk: 10}
    moderation.hide(answer, ravi, reason="A look first.")
    with replay("demo", wednesday + timedelta(days=1)):
        questions.say_works_for_mine(answer, owner, None)
    moderation.restore(answer, ravi)
    assert competence.of([bob], duo) == {}
    assert rebuild.rebuild(write=False).differences == []


def test_it_halves_in_18_months_without_anybody_counting(about, bob, duo, wednesday):
    answer = an_answer(about, bob)
    for _ in range(4):
        questions.vote_answer(answer, an_owner(duo), 1)
    before = set(Competence.objects.values_list("score", flat=True))
    for months, left in ((0, 40), (18, 20), (36, 10)):
        assert competence.of([bob], duo, at=wednesday + timedelta(days=548 * months / 18)) == {bob.pk: left}
    assert set(Competence.objects.values_list("score", flat=True)) == before
    assert competence.worth(competence.stored(150)) == 150


def test_old_and_new_signs_add_up_exactly():
    """2000 signs over twenty years, taken back in another order, leave nothing."""
    days = [clock.now().date() + timedelta(days=n * 3 - 3000) for n in range(2000)]
    score = sum(competence.term(15, day) for day in days)
    for day in reversed(days):
        score -= competence.term(15, day)
    assert score == 0
    assert competence.term(15, days[-1]) * 100_000 < 2**63


def test_ones_place_is_told_among_enough_people(about, alice, bob, duo):
    rows = [Competence(person=a_person(), kind="product", key=duo.pk, score=n) for n in range(1, 10)]
    Competence.objects.bulk_create(rows[:8])
    questions.vote_answer(an_answer(about, bob), an_owner(duo), 1)
    product, topic = reading.skills(bob)
    assert (product.thing, product.place, product.people, product.top) == (duo, 1, 9, None)
    Competence.objects.bulk_create(rows[8:])
    assert reading.skills(bob)[0].top == 10
    assert topic.is_topic and topic.thing.slug == "grinding" and topic.top is None


def test_profile_and_panels_ask_little(about, bob, duo, django_assert_num_queries, client):
    answer = an_answer(about, bob)
    for _ in range(3):
        questions.vote_answer(answer, an_owner(duo), 1)
    with django_assert_num_queries(3):
        assert len(competence.areas(bob)) == 2
    with django_assert_num_queries(1):
        competence.of([bob], duo, about.tags.none())
    page = client.get(bob.get_absolute_url()).content.decode()
    assert duo.label in page and "Grinding" in page


def test_who_knows_it_stands_higher(about, bob, charlie, duo, django_assert_num_queries, client):
    first, second = an_answer(about, charlie), an_answer(about, bob)
    questions.vote_answer(first, a_person(), 1)

    def order():
        return list(sorted_answers(about.answers.all(), "settled", about))

    assert order() == [first, second]
    Competence.objects.create(person=bob, kind="product", key=duo.pk, score=competence.stored(competence.VERSED))
    assert order() == [first, second]  # one vote against one
    Competence.objects.update(score=competence.stored(competence.EXPERT))
    with django_assert_num_queries(1):
        assert order() == [second, first]
    assert list(sorted_answers(about.answers.all(), "score", about)) == [first, second]
    # The page says why it stands above one with more votes, where it does, and only there.
    said = "Stands above an answer with more votes"
    page = client.get(about.get_absolute_url()).content.decode()
    assert page.count(said) == 1 and "counts like 2 votes here" in page and "/advocates/how-points-work/#knows" in page
    assert said not in client.get(about.get_absolute_url(), {"sort": "score"}).content.decode()
    questions.accept_answer(second, about.author)
    assert said not in client.get(about.get_absolute_url()).content.decode()


def test_what_a_vote_costs(about, bob, duo, charlie, monkeypatch):
    """The ledger adds three statements to a vote: the lines, the days, the people. A sign of competence is one more,
    and boards have theirs (test_boards)."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from advocates import boards, reputation

    answer = an_answer(about, bob)

    def cost(voter, value):
        with CaptureQueriesContext(connection) as queries:
            questions.vote_answer(answer, voter, value)
        return [query["sql"] for query in queries]

    monkeypatch.setattr(boards, "add", lambda *args: {})
    cost(a_person(), 1)  # what is read once in a process
    with_ledger = [cost(a_person(), 1), cost(a_person(), -1), cost(an_owner(duo), 1)]
    written = ReputationEntry.objects.count()
    monkeypatch.setattr(reputation, "hear", lambda event: None)
    without = [cost(a_person(), 1), cost(a_person(), -1), cost(an_owner(duo), 1)]
    assert ReputationEntry.objects.count() == written
    assert [len(a) - len(b) for a, b in zip(with_ledger, without, strict=True)] == [3, 3, 4]

"""The ledger: what judgement is worth, the cap, the floor, and that what falls away takes its points with it."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from advocates import rebuild, reputation
from advocates.models import DayTotal, Reason, ReputationEntry
from community.accounts.models import User
from community.accounts.services import set_role
from community.core import clock
from community.core.models import Numbers
from community.events.log import record
from community.events.models import Event
from community.moderation import services as moderation
from community.questions import services as questions
from community.questions.models import Thread

from ..factories import a_person, a_product, a_thread, an_answer, an_owner

pytestmark = pytest.mark.django_db


def test_a_vote_up_gives_ten(answer, alice, points_of):
    questions.vote_answer(answer, alice, 1)
    assert points_of(answer.author) == 11
    entry = ReputationEntry.objects.get()
    assert (entry.person, entry.giver, entry.target, entry.product) == (
        answer.author, alice, answer, answer.thread.product,
    )  # fmt: skip


def test_voting_twice_gives_once(answer, alice, points_of):
    questions.vote_answer(answer, alice, 1)
    questions.vote_answer(answer, alice, 1)
    assert points_of(answer.author) == 11


def test_voting_an_answer_down_costs_both(answer, charlie, points_of):
    questions.vote_answer(an_answer(by=charlie), a_person(), 1)
    questions.vote_answer(answer, a_person(), 1)
    questions.vote_answer(answer, charlie, -1)
    assert points_of(answer.author) == 1 + 10 - 2
    assert points_of(charlie) == 1 + 10 - 1


def test_voting_a_question_down_costs_its_author_alone(thread, charlie, points_of):
    questions.vote_answer(an_answer(by=charlie), a_person(), 1)
    questions.vote_thread(thread, a_person(), 1)
    questions.vote_thread(thread, charlie, -1)
    assert points_of(thread.author) == 9
    assert points_of(charlie) == 11


def test_an_undone_vote_is_reversed_on_the_day_of_the_original(wednesday, answer, alice, points_of):
    questions.vote_answer(answer, alice, 1)
    with clock.travel(wednesday + timedelta(days=3)):
        questions.vote_answer(answer, alice, 0)
    assert points_of(answer.author) == 1
    first, second = ReputationEntry.objects.order_by("id")
    assert second.reverses == first
    assert second.takes_back
    assert second.day == first.day == wednesday.date()


def test_a_changed_vote_is_a_reversal_and_a_new_entry(answer, charlie, points_of):
    questions.vote_answer(answer, a_person(), 1)
    questions.vote_answer(answer, charlie, 1)
    questions.vote_answer(answer, charlie, -1)
    assert points_of(answer.author) == 1 + 10 - 2
    questions.vote_answer(answer, charlie, 1)
    assert points_of(answer.author) == 1 + 20
    assert points_of(charlie) == 1


def test_a_day_stops_at_exactly_the_cap(wednesday, bob, points_of, crowd):
    answer = an_answer(by=bob)
    people = crowd(21)
    for person in people[:20]:
        questions.vote_answer(answer, person, 1)
    assert points_of(bob) == 201
    questions.vote_answer(answer, people[20], 1)
    assert points_of(bob) == 201
    # A loss comes off what was earned beyond the cap first.
    questions.vote_answer(answer, people[0], 0)
    assert points_of(bob) == 201
    questions.vote_answer(answer, people[1], 0)
    assert points_of(bob) == 191


def test_acceptance_is_beside_the_cap(wednesday, bob, alice, points_of, crowd):
    thread = a_thread(alice)
    answer = an_answer(thread, bob)
    for person in crowd(21):
        questions.vote_answer(answer, person, 1)
    questions.accept_answer(answer, alice)
    assert points_of(bob) == 1 + 200 + 15
    assert points_of(alice) == 1 + 2
    day = DayTotal.objects.get(person=bob)
    assert (day.capped, day.exempt, day.value) == (210, 15, 215)


def test_days_are_days_in_utc(wednesday, bob, points_of, crowd):
    answer = an_answer(by=bob)
    people = crowd(30)
    for person in people[:21]:
        questions.vote_answer(answer, person, 1)
    with clock.travel(wednesday.replace(hour=23, minute=59)):
        questions.vote_answer(answer, people[21], 1)
    assert points_of(bob) == 201
    with clock.travel(wednesday.replace(hour=23, minute=59) + timedelta(minutes=1)):
        questions.vote_answer(answer, people[22], 1)
    assert points_of(bob) == 211


def test_another_cap_holds_from_the_next_day(wednesday, bob, points_of, crowd):
    answer = an_answer(by=bob)
    people = crowd(24)
    for person in people[:21]:
        questions.vote_answer(answer, person, 1)
    Numbers.objects.update_or_create(defaults={"daily_reputation_cap": 20})
    with clock.travel(wednesday + timedelta(days=1)):
        for person in people[21:]:
            questions.vote_answer(answer, person, 1)
    assert points_of(bob) == 1 + 200 + 20


def test_nobody_falls_below_one_and_rises_from_where_they_stand(thread, points_of, crowd):
    first, second, third = crowd(3)
    questions.vote_thread(thread, first, -1)
    questions.vote_thread(thread, second, -1)
    assert points_of(thread.author) == 1
    questions.vote_thread(thread, third, 1)
    assert points_of(thread.author) == 1 + 10 - 4


def test_accepting_gives_both_once(answer, alice, points_of):
    questions.accept_answer(answer, alice)
    questions.accept_answer(answer, alice)
    assert (points_of(answer.author), points_of(alice)) == (16, 3)
    questions.withdraw_acceptance(answer, alice)
    assert (points_of(answer.author), points_of(alice)) == (1, 1)


def test_accepting_ones_own_answer_gives_nothing(thread, alice, points_of):
    mine = an_answer(thread, alice)
    questions.accept_answer(mine, alice)
    assert points_of(alice) == 1


def test_a_second_accepted_answer_gives_its_author_but_not_the_asker_again(answer, alice, charlie, points_of):
    other = an_answer(answer.thread, charlie)
    questions.accept_answer(answer, alice)
    questions.accept_answer(other, alice)
    assert (points_of(answer.author), points_of(charlie), points_of(alice)) == (16, 16, 3)


def test_acceptance_by_staff_gives_the_answerer_alone(answer, alice, dana, points_of):
    with clock.travel(clock.now() + timedelta(days=8)):
        questions.accept_answer(answer, dana)
    assert (points_of(answer.author), points_of(alice)) == (16, 1)


def test_accepting_again_after_reopening_gives_nothing_more(wednesday, answer, alice, points_of):
    questions.accept_answer(answer, alice)
    with clock.travel(wednesday + timedelta(days=1)):
        questions.reopen_thread(answer.thread, alice)
    with clock.travel(wednesday + timedelta(days=2)):
        answer.refresh_from_db()
        questions.accept_answer(answer, alice)
    assert points_of(answer.author) == 16


def test_a_fix_that_held_gives_five(wednesday, answer, alice, points_of):
    questions.accept_answer(answer, alice)
    with clock.travel(wednesday + timedelta(days=4)):
        questions.answer_follow_up(answer, alice, "yes")
        questions.answer_follow_up(answer, alice, "yes")
    assert points_of(answer.author) == 21


def test_a_fix_that_failed_gives_nothing(wednesday, answer, alice, points_of):
    questions.accept_answer(answer, alice)
    with clock.travel(wednesday + timedelta(days=4)):
        questions.answer_follow_up(answer, alice, "no")
    assert points_of(answer.author) == 16


def test_ideas_give_no_reputation(alice, points_of, crowd):
    idea = a_thread(alice, kind="idea")
    for voter in crowd(2):
        questions.vote_thread(idea, voter, 1)
    assert points_of(alice) == 1
    assert not ReputationEntry.objects.exists()


def test_staff_earn_nothing(thread, dana, alice, points_of):
    answer = an_answer(thread, dana)
    questions.vote_answer(answer, alice, 1)
    questions.accept_answer(answer, alice)
    assert points_of(dana) == 1
    assert not ReputationEntry.objects.filter(person=dana).exists()
    assert points_of(alice) == 3


def test_votes_without_a_voter_count_and_can_be_withdrawn(wednesday, answer, points_of):
    rows = [(str(number), wednesday - timedelta(days=number)) for number in range(3)]
    questions.add_vote_rows(answer, value=1, rows=rows, source="elsewhere.example")
    questions.add_vote_rows(answer, value=1, rows=rows, source="elsewhere.example")
    assert points_of(answer.author) == 31
    assert DayTotal.objects.filter(person=answer.author).count() == 3
    questions.withdraw_vote_rows(answer, source="elsewhere.example", gone=["1"])
    assert points_of(answer.author) == 21
    gone = ReputationEntry.objects.get(takes_back=True)
    assert gone.day == (wednesday - timedelta(days=1)).date()


def test_what_is_hidden_earns_nothing_until_it_is_shown_again(answer, alice, ravi, points_of):
    questions.vote_answer(answer, alice, 1)
    moderation.hide(answer, ravi, reason="Looks copied.")
    assert points_of(answer.author) == 1
    moderation.hide(answer, ravi, reason="Looks copied.")
    moderation.restore(answer, ravi)
    assert points_of(answer.author) == 11
    moderation.hide(answer, ravi, reason="It is copied.")
    assert points_of(answer.author) == 1
    moderation.restore(answer, ravi)
    assert points_of(answer.author) == 11
    assert ReputationEntry.objects.count() == 5


def test_a_vote_undone_while_hidden_does_not_come_back(answer, alice, ravi, points_of):
    questions.vote_answer(answer, alice, 1)
    moderation.hide(answer, ravi, reason="Looks copied.")
    answer.votes.filter(voter=alice).delete()
    with transaction.atomic():
        record("answer.voted", actor=alice, subject=answer, value=0, previous=1)
    moderation.restore(answer, ravi)
    assert points_of(answer.author) == 1
    questions.vote_answer(answer, alice, 1)
    assert points_of(answer.author) == 11


def test_confirmed_spam_costs_a_hundred_once_and_restoring_gives_it_back(
    answer, alice, charlie, ravi, points_of, crowd
):
    other = an_answer(by=answer.author)
    for person in crowd(15):
        questions.vote_answer(other, person, 1)
    for person in (alice, charlie):
        flag = moderation.flag(answer, person, reason="spam")
        moderation.decide_flag(flag, ravi, uphold=True)
    assert points_of(answer.author) == 1 + 150 - 100
    moderation.hide(answer, ravi, reason="Spam.")
    assert points_of(answer.author) == 51
    moderation.restore(answer, ravi, reason="It was none.")
    assert points_of(answer.author) == 151


def test_other_flags_cost_nothing(answer, alice, ravi, points_of):
    questions.vote_answer(answer, alice, 1)
    moderation.decide_flag(moderation.flag(answer, alice, reason="off_topic"), ravi, uphold=True)
    assert points_of(answer.author) == 11


def test_changing_a_rule_prices_only_what_comes(wednesday, answer, alice, charlie, points_of, monkeypatch):
    questions.vote_answer(answer, alice, 1)
    old = reputation.RULES[Reason.ANSWER_UP]
    new = reputation.Rule(4, old[0].says, version=2, since=wednesday + timedelta(days=1))
    monkeypatch.setitem(reputation.RULES, Reason.ANSWER_UP, (*old, new))
    with clock.travel(wednesday + timedelta(days=2)):
        questions.vote_answer(answer, charlie, 1)
        assert points_of(answer.author) == 1 + 10 + 4
        questions.vote_answer(answer, alice, 0)
    assert points_of(answer.author) == 1 + 4
    assert set(ReputationEntry.objects.values_list("rule_version", flat=True)) == {1, 2}


def test_suggested_edits_stop_at_their_lifetime_cap(wednesday, answer, bob, charlie, points_of, monkeypatch):
    rule = reputation.Rule(2, "An edit", lifetime_cap=5)
    monkeypatch.setitem(reputation.RULES, Reason.EDIT, (rule,))
    from community.posts.services import add_revision

    for number in range(4):
        revision = add_revision(answer, charlie, body_source=f"Better {number}")
        with transaction.atomic():
            record("edit.accepted", actor=bob, subject=revision, post_author=bob.pk)
    assert points_of(charlie) == 1 + 4


def test_the_ledger_cannot_be_changed(answer, alice):
    questions.vote_answer(answer, alice, 1)
    entry = ReputationEntry.objects.get()
    entry.points = 1000
    with pytest.raises(TypeError):
        entry.save()
    with pytest.raises(TypeError):
        ReputationEntry.objects.update(points=1000)
    with pytest.raises(TypeError):
        ReputationEntry.objects.all().delete()


def test_one_cause_counts_once(answer, alice):
    questions.vote_answer(answer, alice, 1)
    with pytest.raises(IntegrityError), transaction.atomic():
        reputation.hear(_heard())


def _heard():
    event = Event.objects.get(kind="answer.voted")
    event.subject.thread  # noqa: B018 - as the service hands it over
    return event


def test_whoever_joins_the_staff_loses_the_rank_and_keeps_the_past(answer, alice, bob, points_of):
    questions.vote_answer(answer, alice, 1)
    assert User.objects.get(pk=bob.pk).rank_name == "Newcomer"
    set_role(bob, None, "moderator")
    assert User.objects.get(pk=bob.pk).rank_name == ""
    questions.vote_answer(answer, a_person(), 1)
    set_role(bob, None, "")
    assert points_of(bob) == 11
    assert User.objects.get(pk=bob.pk).rank_name == "Newcomer"


def test_a_vote_costs_few_queries(answer, alice, charlie, django_assert_max_num_queries):
    questions.vote_answer(answer, alice, 1)
    answer.author.refresh_from_db()
    with transaction.atomic():
        event = Event(
            kind="answer.voted", actor=charlie, data={"value": 1, "previous": 0}, occurred_at=clock.now(),
            subject_id=answer.pk,
        )  # fmt: skip
        event.subject = answer
        event.save()
        with django_assert_max_num_queries(9):
            reputation.hear(event)


def test_points_count_for_the_product_a_thread_is_about_now_however_old_what_one_holds(alice, bob, duo, ravi):
    """Who took the thread before it was moved, and judges after, judges it where it is: so says the log, too."""
    steam = a_product()
    thread = a_thread(alice, product=duo)
    held = an_answer(thread, bob)
    owner = an_owner(steam)
    questions.move_thread(Thread.objects.get(pk=thread.pk), ravi, product=steam, reason="It is about this.")
    assert held.thread.product == duo  # an old copy
    questions.add_vote_rows(held, value=1, rows=[("a", clock.now())], source="elsewhere.example")
    questions.say_works_for_mine(held, owner, True)
    questions.add_works_rows(held, works=True, rows=[("b", clock.now())], source="elsewhere.example")
    assert set(ReputationEntry.objects.filter(person=bob).values_list("product", flat=True)) == {steam.pk}
    questions.withdraw_vote_rows(held, source="elsewhere.example", gone=["a"])
    assert rebuild.rebuild(write=False).differences == []

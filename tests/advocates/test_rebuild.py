"""The log is the source: made anew from the events, everything equals what is live."""

import random
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from advocates import badges, rebuild, totals
from advocates.models import Award, BoardScore, DayTotal, ReputationEntry
from community.accounts.models import User
from community.accounts.services import set_role, silence
from community.core import clock
from community.core.errors import Conflict, NotAllowed
from community.events.log import replay
from community.events.models import Event
from community.moderation import services as moderation
from community.portability import joining, leaving
from community.questions import services as questions

from ..factories import a_person, a_product, a_thread, an_answer

pytestmark = pytest.mark.django_db


def live_through(seed: int, actions: int, start, *, moderator, manager) -> None:
    """A community at random: asking, answering, judging, changing one's mind, moderating."""
    dice = random.Random(seed)
    people = [a_person() for _ in range(6)]
    products = [a_product(), a_product(), None]
    threads, answers = [], []
    now = start - timedelta(days=40)
    for number in range(actions):
        now += timedelta(minutes=dice.randint(1, 400))
        somebody = dice.choice(people)
        deed = dice.choice(
            ["ask", "answer", "answer", "vote", "vote", "vote", "vote", "vote_thread", "accept", "withdraw", "hide",
             "restore", "restore", "restore", "flag", "follow_up", "tally", "untally", "move", "role",
             "me_too", "reopen", "delete", "merge", "works", "leave", "join"]
        )  # fmt: skip
        with replay("demo", at=now):
            try:
                if deed in ("leave", "join"):
                    _end_an_account(deed, dice, people, manager)
                else:
                    _act(deed, dice, somebody, people, products, threads, answers, moderator, number, now)
            except (Conflict, NotAllowed, IndexError):
                continue


def _act(deed, dice, somebody, people, products, threads, answers, moderator, number, now):
    if deed == "ask" or not threads:
        kind = dice.choice(["question", "problem", "idea"])
        threads.append(a_thread(somebody, kind=kind, product=dice.choice(products)))
        return
    thread = dice.choice(threads)
    thread.refresh_from_db()
    if deed == "answer" or not answers:
        answers.append(an_answer(thread, somebody))
        return
    answer = dice.choice(answers)
    answer.refresh_from_db()
    post = dice.choice([thread, answer])
    value = dice.choice([1, 1, 1, -1, 0])
    if deed == "vote" and somebody != answer.author:
        questions.vote_answer(answer, somebody, value)
    elif deed == "vote_thread" and somebody != thread.author:
        questions.vote_thread(thread, somebody, value)
    elif deed == "accept":
        questions.accept_answer(answer, dice.choice([answer.thread.author, moderator]))
    elif deed == "withdraw":
        questions.withdraw_acceptance(answer, answer.thread.author)
    elif deed == "hide":
        moderation.hide(post, moderator, reason="A look first.")
    elif deed == "delete":
        moderation.delete(post, moderator, reason="No.")
    elif deed == "restore":
        moderation.restore(post, moderator)
    elif deed == "flag" and somebody != post.author:
        flag = moderation.flag(post, somebody, reason=dice.choice(["spam", "rude"]))
        moderation.decide_flag(flag, moderator, uphold=dice.random() < 0.6)
    elif deed == "follow_up" and answer.is_accepted:
        questions.answer_follow_up(answer, answer.thread.author, dice.choice(["yes", "yes", "no"]))
    elif deed == "tally":
        rows = [(f"{number}.{n}", now - timedelta(hours=n)) for n in range(dice.randint(1, 9))]
        questions.add_vote_rows(answer, value=dice.choice([1, 1, -1]), rows=rows, source="elsewhere.example")
    elif deed == "untally":
        known = list(answer.votes.filter(voter=None).values_list("external_id", flat=True))
        questions.withdraw_vote_rows(answer, source="elsewhere.example", gone=dice.sample(known, len(known) // 2))
    elif deed == "move":
        questions.move_thread(thread, moderator, product=dice.choice(products), reason="It is about this.")
    elif deed == "works" and somebody != answer.author:
        questions.say_works_for_mine(answer, somebody, dice.choice([True, False, None]))
    elif deed == "role":
        set_role(somebody, None, dice.choice(["", "", "moderator"]))
    elif deed == "me_too":
        questions.set_me_too(thread, somebody, dice.random() < 0.7)
    elif deed == "merge" and dice.random() < 0.4:
        questions.merge_thread(thread, dice.choice(threads), moderator, "The same.")
    elif deed == "reopen":
        questions.reopen_thread(thread, moderator, "Once more.")


def _end_an_account(deed, dice, people, manager):
    """Somebody leaves, with or without their words, or turns out to be somebody else; somebody new comes."""
    gone, kept = (User.objects.get(pk=person.pk) for person in dice.sample(people, 2))
    if dice.random() < 0.4 or gone.speaks_for_brand:
        return
    if deed == "leave":
        leaving.erase(gone, words_go=dice.random() < 0.5)
    else:
        joining.join(gone, kept, manager, reason="They order with one customer number.")
    people.remove(gone)
    people.append(a_person())


@pytest.mark.parametrize("seed", [1, 2])
def test_after_anything_a_rebuild_equals_live(wednesday, seed, ravi, hanna):
    live_through(seed, 200, wednesday, moderator=ravi, manager=hanna)
    assert ReputationEntry.objects.filter(takes_back=True).exists()
    assert Event.objects.filter(kind="badge.awarded").exists()
    report = rebuild.rebuild(write=False)
    assert report.differences == []
    assert report.is_clean
    assert report.events > 100


def test_counting_at_the_end_equals_counting_at_once(wednesday, ravi, hanna):
    with totals.later():
        live_through(4, 200, wednesday, moderator=ravi, manager=hanna)
    assert DayTotal.objects.exists()
    report = rebuild.rebuild(write=False)
    assert report.differences == []


def test_a_check_fails_and_a_rebuild_mends(answer, alice):
    questions.vote_answer(answer, alice, 1)
    User.objects.filter(pk=answer.author_id).update(reputation=9000, badge_counts={"gold": 3})
    BoardScore.objects.update(points=4)
    Award.objects.all().delete()
    with pytest.raises(CommandError, match="people"):
        call_command("rebuild_reputation", "--check", verbosity=0, stdout=StringIO())
    assert User.objects.get(pk=answer.author_id).reputation == 9000
    out = StringIO()
    call_command("rebuild_reputation", "--dry-run", verbosity=0, stdout=out)
    assert "would be mended" in out.getvalue()
    call_command("rebuild_reputation", verbosity=0, stdout=StringIO())
    bob = User.objects.get(pk=answer.author_id)
    assert (bob.reputation, bob.badge_counts) == (11, {"bronze": 1})
    assert set(BoardScore.objects.values_list("points", flat=True)) == {10}
    out = StringIO()
    call_command("rebuild_reputation", "--check", verbosity=0, stdout=out)
    assert "everything equals the log" in out.getvalue()


def test_a_rebuild_with_nothing_to_mend_leaves_the_rows(answer, alice):
    questions.vote_answer(answer, alice, 1)
    before = list(ReputationEntry.objects.values_list("pk", flat=True))
    call_command("rebuild_reputation", verbosity=0, stdout=StringIO())
    assert list(ReputationEntry.objects.values_list("pk", flat=True)) == before


def test_lost_entries_are_written_again(answer, alice):
    questions.vote_answer(answer, alice, 1)
    ReputationEntry.objects.all().wipe()
    with pytest.raises(CommandError, match="ledger"):
        call_command("rebuild_reputation", "--check", verbosity=0, stdout=StringIO())
    call_command("rebuild_reputation", verbosity=0, stdout=StringIO())
    assert ReputationEntry.objects.get().points == 10


def test_badges_by_hand_are_left_alone(answer, alice, hanna):
    from advocates import services

    thanks = services.save_badge(None, {
        "slug": "thanks", "name": "Thanks", "level": "silver", "rule": "For what no rule could see.",
        "award": {"event": badges.BY_HAND, "to": "author", "count": "events", "when": [], "threshold": 1},
        "awarded": "many", "per": "reason", "by_hand": {"at_most_people": 50},
    })  # fmt: skip
    services.give_badge(thanks, [alice], hanna, reason="Sat with a newcomer for an evening.")
    assert rebuild.rebuild(write=True).is_clean
    assert Award.objects.filter(badge=thanks).count() == 1


def test_silence_and_its_end(wednesday, answer, alice, bob, ravi):
    questions.vote_answer(answer, alice, 1)
    silence(bob, ravi, hours=24, reason="Was rude.")
    assert rebuild.rebuild(write=False).is_clean
    with clock.travel(wednesday + timedelta(days=2)):
        assert rebuild.rebuild(write=False).is_clean

"""Badges for very many at a time: the same as one by one, and what is news is told."""

from datetime import timedelta

import pytest
from django.db import transaction

from advocates import badges, services
from advocates.badges import bulk, giving, judging
from advocates.models import Award, Badge
from community.accounts.models import User
from community.accounts.services import set_role
from community.core import clock
from community.events.models import Event
from community.notifications.models import Announcement
from community.questions import services as questions
from community.questions.models import AnswerVote
from community.sharing import services as sharing
from reviews import services as reviews

from ..factories import a_recipe, a_review, a_thread, a_tip, an_answer

pytestmark = pytest.mark.django_db


@pytest.fixture
def life(wednesday, alice, bob, charlie, duo, crowd):
    """Some of everything: judged once, often, by the asker, after three days, within a window."""
    people = crowd(11)
    rule = {"event": "answer.voted", "to": "author", "count": "things", "when": [], "threshold": 1, "window_days": 7}
    Badge.objects.create(slug="burst", name="Burst", award=rule, event="answer.voted", position=99)
    badges.forget()
    with clock.travel(wednesday - timedelta(days=20)):
        first = an_answer(a_thread(alice, product=duo), bob)
        for person in people:
            questions.vote_answer(first, person, 1)
        questions.vote_thread(first.thread, charlie, 1)
        questions.accept_answer(first, alice)
        questions.vote_answer(an_answer(by=charlie), alice, 1)
        reviews.find_helpful(a_review(bob, duo), alice, True)
        sharing.set_made(a_recipe(charlie), alice, stars=5, note="With less sugar, and a little more milk.")
        sharing.say_worked(a_tip(charlie), alice, True)
    with clock.travel(wednesday - timedelta(days=16)):
        questions.answer_follow_up(first, alice, "yes")
    questions.vote_answer(an_answer(by=charlie), people[0], 1)


def seen():
    return sorted(Award.objects.values_list("badge__slug", "person", "per_key"))


def test_all_at_once_gives_what_was_given_one_by_one(wednesday, life, bob, charlie):
    given = seen()
    assert {"first-answer", "good-answer", "burst", "solved-it"} <= {slug for slug, _person, _key in given}
    counts = dict(User.objects.values_list("pk", "badge_counts"))
    everybody = list(User.objects.values_list("pk", flat=True))
    groups = giving.in_groups(Badge.objects.all())
    for group in groups:  # the statement that is kept for a few people, and the one for a range of them
        assert judging.grounds(group, everybody) == judging.grounds(group, range(1, max(everybody) + 1))
        assert judging.grounds(group, [bob.pk]).keys() <= judging.grounds(group, [charlie.pk, bob.pk]).keys()
    assert bulk.whom_it_changes(groups, None) == []

    Award.objects.all().delete()
    User.objects.update(badge_counts={})
    noted = Event.objects.filter(kind="badge.awarded").count()
    assert bulk.whom_it_changes(groups, None) == sorted({person for _slug, person, _key in given})
    assert badges.award_badges() == (len(given), 0)
    assert seen() == given
    assert dict(User.objects.values_list("pk", "badge_counts")) == counts
    events = Event.objects.filter(kind="badge.awarded").order_by("pk")[noted:]
    assert sorted((e.data["badge"], e.subject_id, e.data["per"]) for e in events) == given
    assert {e.actor_id == e.subject_id and e.origin == "live" for e in events} == {True}
    assert badges.award_badges() == (0, 0)


def test_old_ones_are_dated_by_their_ground_and_only_news_is_told(wednesday, life, bob, charlie):
    Award.objects.all().delete()
    Announcement.objects.all().delete()
    badges.sweep(restart=True)
    assert Award.objects.get(badge__slug="good-answer").at == wednesday - timedelta(days=20)
    told = {row.event.subject_id for row in Announcement.objects.filter(event__kind="badge.awarded")}
    assert told == {charlie.pk}  # somebody found his second answer useful just now
    assert Award.objects.get(badge__slug="first-answer", person=charlie).at == wednesday


def test_what_lost_its_ground_goes_and_what_is_kept_stays(wednesday, life, bob, charlie, django_assert_max_num_queries):
    kept = Badge.objects.get(slug="solved-it")
    Badge.objects.filter(pk=kept.pk).update(kept=True)
    badges.forget()
    AnswerVote.objects.filter(target__author=bob).delete()
    questions.withdraw_acceptance(bob.answers.get(), bob.answers.get().thread.author)
    groups = giving.in_groups(Badge.objects.all())
    one_by_one = giving.compare(groups, [bob.pk, charlie.pk])
    with transaction.atomic(), bulk.counting(groups, None):
        assert {(badge.slug, ground) for badge, ground in bulk.lost(groups, None)} == {
            (badge.slug, ground) for badge, ground in one_by_one.take
        }
    assert badges.sweep().taken == len(one_by_one.take) > 0
    assert {badge for badge, person, _key in seen() if person == bob.pk} >= {"solved-it"}
    assert Event.objects.filter(kind="badge.revoked", subject_id=bob.pk).exists()
    set_role(bob, None, "moderator")
    assert not Award.objects.filter(person=bob).exists()
    with django_assert_max_num_queries(70):  # twice what there are kinds of counting, however many people
        badges.sweep(restart=True)


def test_a_retired_badge_is_given_to_nobody_more(life, wednesday):
    held = Award.objects.filter(badge__slug="first-answer").count()
    badge = Badge.objects.get(slug="first-answer")
    Badge.objects.filter(pk=badge.pk).update(retired_at=clock.now())
    Award.objects.filter(badge__slug="first-answer").first().delete()
    badges.award_badges()
    assert Award.objects.filter(badge=badge).count() == held - 1 > 0


def test_a_rule_that_nobody_can_fulfil_stops_nothing(hanna, alice, bob):
    """Databases keep no stars below nothing, and Django says so instead of asking them."""
    for number, condition in enumerate([["stars", "is", -1], ["stars", "<", -5], ["stars", ">=", 1_000_000_000]]):
        rule = {"event": "recipe.made", "to": "author", "count": "people", "when": [condition], "threshold": 1}
        services.save_badge(hanna, {"slug": f"never-{number}", "name": "Never", "level": "gold", "award": rule})
    recipe = a_recipe(bob)
    assert sharing.set_made(recipe, alice, stars=5).made_count == 1
    badges.award_badges()
    assert not Award.objects.filter(badge__slug__startswith="never").exists()

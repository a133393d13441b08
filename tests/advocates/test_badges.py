"""Badges: what the rules of the demo say is what people get, and what loses its ground goes."""

import re
from collections import Counter
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
import yaml
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import QuerySet
from django.utils import translation

from advocates import badges, services
from advocates.badges import fields
from advocates.models import Award, Badge, BadgeSweep
from community.accounts.models import User
from community.accounts.services import set_role
from community.core import clock
from community.core.errors import Conflict, NotAllowed
from community.events import guard
from community.events.log import record, record_past
from community.events.models import Event
from community.moderation import services as moderation
from community.moderation.models import Flag
from community.notifications.models import Announcement
from community.posts.models import ShareCredit
from community.questions import services as questions
from community.questions.models import EditSuggestion
from products.models import Ownership

from ..factories import a_person, a_thread, an_answer

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parents[2]
DEMO = yaml.safe_load((ROOT / "demo" / "badges.yaml").read_text())["badges"]


@pytest.fixture
def demo_badges():
    return {data["slug"]: services.save_badge(None, data, position=n) for n, data in enumerate(DEMO)}


def has(person, slug):
    return Award.objects.filter(person=person, badge__slug=slug).count()


def test_every_badge_of_the_demo_can_be_judged(demo_badges):
    assert len(demo_badges) == len(DEMO)
    assert badges.award_badges() == (0, 0)


def test_saving_twice_changes_nothing(demo_badges):
    before = list(Badge.objects.values_list("pk", "award"))
    for number, data in enumerate(DEMO):
        services.save_badge(None, data, position=number)
    assert list(Badge.objects.values_list("pk", "award")) == before


def test_the_house_brings_forty_and_more_in_every_area_and_level():
    """As data that can be judged, with words in German and a drawing of our own."""
    assert Badge.objects.count() >= 40
    for area in Badge.Area.values:
        assert Badge.objects.filter(area=area).exists(), area
    by_level = Counter(Badge.objects.values_list("level", flat=True))
    assert min(by_level[level] for level in Badge.Level.values) >= 10
    drawn = set(re.findall(r'<symbol id="g-(\w+)"', (ROOT / "static/icons/badges.svg").read_text()))
    for badge in Badge.objects.all():
        badges.check_award(badge.award, awarded=badge.awarded, per=badge.per, by_hand=badge.by_hand)
        assert badge.words["de"]["name"], badge.slug
        assert badge.words["de"]["rule"], badge.slug
        assert badge.glyph in badges.GLYPHS, badge.slug
    assert set(badges.GLYPHS) == drawn
    assert set(badges.OF_AREA) == set(Badge.Area.values)
    badge = Badge.objects.get(slug="cook")
    with translation.override("de"):
        assert (badge.label, badge.sentence) == ("Koch", "Jemand hat eines deiner Rezepte gemacht.")
    assert badge.label == "Cook"


def test_what_others_think_goes_and_what_somebody_did_stays(wednesday, demo_badges, charlie, ravi):
    """Both lose their ground: a vote is undone, a confirmed flag is declined after all."""
    flags = [moderation.flag(an_answer(), charlie, reason="rude") for _ in range(5)]
    for flag in flags:
        moderation.decide_flag(flag, ravi, uphold=True)
    assert has(charlie, "scout") == 1
    Flag.objects.filter(pk=flags[0].pk).delete()
    badges.award_badges()
    assert has(charlie, "scout") == 1
    set_role(charlie, None, "moderator")
    assert has(charlie, "scout") == 0


def test_a_suggested_edit_brings_a_badge_to_who_suggested_it(bob, alice, ravi):
    thread = a_thread(alice)
    EditSuggestion.objects.create(
        thread=thread, author=bob, base=1, body_source="Better.", summary="Clearer.", state="approved",
        decided_at=clock.now(), decided_by=ravi,
    )  # fmt: skip
    badges.award_badges([bob.pk, alice.pk])
    assert has(bob, "first-edit") == 1
    assert not has(alice, "first-edit")


def test_who_brings_somebody_who_writes_is_thanked(bob, alice):
    with transaction.atomic():
        ShareCredit.objects.create(target=a_thread(bob), sharer=bob, newcomer=alice, outcome="posted")
        record("share.credited", actor=alice, subject=bob, outcome="posted")
    assert has(bob, "word-of-mouth") == 1


def test_nothing_is_asked_where_no_badge_listens(answer, bob, django_assert_num_queries):
    Badge.objects.all().delete()
    badges.forget()
    event = Event(kind="answer.voted", actor=bob, data={"value": 1})
    event.subject, event.held = answer, {bob.pk: bob}
    with django_assert_num_queries(1):  # what badges there are: remembered from now on
        badges.hear(event)
    with django_assert_num_queries(0):
        badges.hear(event)


def seen():
    return sorted(Award.objects.values_list("badge__slug", "person", "per_key"))


def test_a_sweep_that_is_killed_goes_on_and_gives_the_same(wednesday, bob, crowd):
    """In steps of two people, killed after the second: nothing twice, nothing left out, nobody told of the past."""
    authors = crowd(5)
    for author in authors:
        questions.vote_answer(an_answer(by=author), bob, 1)
    wanted = seen()
    assert wanted
    Award.objects.all().delete()
    User.objects.update(badge_counts={})
    with guard.lifted():
        QuerySet.delete(Event.objects.filter(kind="badge.awarded"))
    steps = []

    def kill(done, everybody):
        steps.append(done)
        if len(steps) == 3:
            raise KeyboardInterrupt

    with clock.travel(wednesday + timedelta(days=30)):
        with pytest.raises(KeyboardInterrupt):
            badges.sweep(at_once=2, progress=kill)
        row = BadgeSweep.objects.get()
        assert row.finished_at is None
        assert row.after
        out = StringIO()
        call_command("award_badges", at_once=2, verbosity=0, stdout=out)
        assert f"{len(wanted)} badges given" in out.getvalue()
        assert seen() == wanted
        call_command("award_badges", verbosity=0, stdout=out)
        assert "0 badges given, 0 taken" in out.getvalue()
    assert seen() == wanted
    assert Award.objects.filter(at__date=wednesday.date()).count() == len(wanted)  # dated by what earned them
    assert Event.objects.filter(kind="badge.awarded").count() == len(wanted)
    assert not Announcement.objects.filter(event__kind="badge.awarded").exists()
    authors[0].refresh_from_db()
    assert authors[0].badge_counts["bronze"] == Award.objects.filter(person=authors[0], badge__level="bronze").count()


def test_only_what_nobody_hears_at_once_is_recorded_in_bulk(bob):
    with transaction.atomic():
        record_past("badge.awarded", User, [(bob.pk, clock.now(), {"badge": "cook", "per": ""})])
        with pytest.raises(ValueError, match="heard at once"):
            record_past("answer.voted", User, [(bob.pk, clock.now(), {})])
    assert Event.objects.get(kind="badge.awarded").subject == bob


def test_a_sweep_of_what_is_not_there():
    with pytest.raises(CommandError, match="no-such-badge"):
        call_command("award_badges", badge=["no-such-badge"], verbosity=0)


def test_staff_see_beforehand_who_would_get_a_badge(bob, charlie, alice, django_assert_max_num_queries):
    for _ in range(3):
        questions.vote_answer(an_answer(by=bob), alice, 1)
    questions.vote_answer(an_answer(by=charlie), alice, 1)
    rule = {"event": "answer.voted", "to": "author", "count": "things", "when": [], "threshold": 2}
    new = Badge(slug="new", name="New", award=rule, event="answer.voted")
    with django_assert_max_num_queries(8):
        found = badges.preview(new)
    assert (found.people, found.awards, found.new, found.lost) == (1, 1, 1, 0)
    assert found.sample == [(bob, 3)]
    assert not Award.objects.filter(badge__slug="new").exists()
    five = Badge.objects.get(slug="first-answer")
    five.award = {**five.award, "threshold": 2}
    found = badges.preview(five)
    assert (found.people, found.new, found.lost) == (1, 0, 1)  # Charlie would lose it


def test_how_far_one_is(wednesday, bob, alice, crowd, django_assert_num_queries):
    people = crowd(4)
    answer = an_answer(by=bob)
    for person in people:
        questions.vote_answer(answer, person, 1)
    for _ in range(2):
        questions.vote_answer(an_answer(by=bob), alice, 1)
    badges.forget()
    with django_assert_num_queries(3):  # the badges, the counts of all of them, what is there already
        found = {one.badge.slug: one for one in badges.progress(bob)}
    assert (found["five-answers"].have, found["five-answers"].need) == (3, 5)
    assert (found["good-answer"].have, found["good-answer"].need) == (4, 10)  # his best
    assert found["cook"].have == 0
    assert "first-answer" not in found
    near = badges.nearest(bob)
    assert [one.badge.slug for one in near][:2] == ["five-answers", "good-answer"]


def test_first_answer_comes_with_a_vote_and_goes_with_it(answer, alice):
    questions.vote_answer(answer, alice, 1)
    assert has(answer.author, "first-answer") == 1
    answer.author.refresh_from_db()
    assert answer.author.badge_counts == {"bronze": 1}
    assert Event.objects.filter(kind="badge.awarded").count() == 1
    questions.vote_answer(answer, alice, 0)
    assert has(answer.author, "first-answer") == 0
    answer.author.refresh_from_db()
    assert answer.author.badge_counts == {}
    assert Event.objects.filter(kind="badge.revoked").count() == 1


def test_a_vote_down_gives_no_badge(answer, alice):
    questions.vote_answer(answer, alice, -1)
    assert not Award.objects.exists()


def test_good_answer_at_exactly_ten_people_once_for_each(answer, bob, crowd):
    people = crowd(10)
    for person in people[:9]:
        questions.vote_answer(answer, person, 1)
    assert has(bob, "good-answer") == 0
    questions.vote_answer(answer, people[9], 1)
    assert has(bob, "good-answer") == 1
    other = an_answer(by=bob)
    for person in people:
        questions.vote_answer(other, person, 1)
    assert has(bob, "good-answer") == 2
    moderation.delete(other, bob)
    assert has(bob, "good-answer") == 1


def test_a_tally_counts_as_people(wednesday, answer, bob):
    questions.add_vote_rows(answer, value=1, rows=[(str(n), wednesday) for n in range(10)], source="elsewhere.example")
    assert has(bob, "good-answer") == 1


def test_solved_it_is_the_askers_word(wednesday, thread, answer, alice, bob, dana):
    with clock.travel(wednesday + timedelta(days=8)):
        questions.accept_answer(answer, dana)
        assert has(bob, "solved-it") == 0
        questions.withdraw_acceptance(answer, alice)
        answer.refresh_from_db()
        questions.accept_answer(answer, alice)
    assert has(bob, "solved-it") == 1
    mine = an_answer(a_thread(alice), alice)
    questions.accept_answer(mine, alice)
    assert has(alice, "solved-it") == 0


def test_hiding_a_thread_hides_what_its_answers_earned(answer, alice, bob, ravi):
    questions.vote_answer(answer, alice, 1)
    moderation.hide(answer.thread, ravi, reason="A look first.")
    assert has(bob, "first-answer") == 0
    moderation.restore(answer.thread, ravi)
    assert has(bob, "first-answer") == 1


def test_scout_goes_to_who_flagged(demo_badges, charlie, ravi):
    for _ in range(5):
        moderation.decide_flag(moderation.flag(an_answer(), charlie, reason="rude"), ravi, uphold=True)
    assert has(charlie, "scout") == 1
    assert not has(ravi, "scout")


def test_better_late_and_second_opinion(wednesday, demo_badges, thread, alice, bob, charlie):
    with clock.travel(wednesday + timedelta(days=29)):
        first = an_answer(thread, bob)
        questions.accept_answer(first, alice)
        assert has(bob, "better-late") == 0
    with clock.travel(wednesday + timedelta(days=33)):
        questions.reopen_thread(thread, alice)
        assert has(bob, "solved-it") == 1
        second = an_answer(thread, charlie)
        questions.accept_answer(second, alice)
    assert has(charlie, "better-late") == 1
    assert has(charlie, "second-opinion") == 1
    assert has(bob, "second-opinion") == 0


def test_closed_the_loop_goes_to_who_asked(wednesday, demo_badges, alice, bob):
    for _ in range(5):
        answer = an_answer(a_thread(alice), bob)
        questions.accept_answer(answer, alice)
        with clock.travel(wednesday + timedelta(days=4)):
            questions.answer_follow_up(answer, alice, "yes")
    assert has(alice, "closed-the-loop") == 1
    assert has(bob, "closed-the-loop") == 0


def test_it_held_wants_fixes_that_held_often_enough(wednesday, demo_badges, bob):
    rule = {**demo_badges["built-to-last"].award, "threshold": 2}
    services.save_badge(None, {**next(one for one in DEMO if one["slug"] == "built-to-last"), "award": rule})
    outcomes = ["yes", "yes", "no"]
    for outcome in outcomes:
        thread = a_thread()
        answer = an_answer(thread, bob)
        questions.accept_answer(answer, thread.author)
        with clock.travel(wednesday + timedelta(days=4)):
            questions.answer_follow_up(answer, thread.author, outcome)
        answer.refresh_from_db()
    assert has(bob, "built-to-last") == 0  # one of three failed
    for _ in range(9):
        thread = a_thread()
        answer = an_answer(thread, bob)
        questions.accept_answer(answer, thread.author)
        with clock.travel(wednesday + timedelta(days=4)):
            questions.answer_follow_up(answer, thread.author, "yes")
    assert has(bob, "built-to-last") == 1


def test_warm_welcome_counts_newcomers_not_voters(bob, crowd):
    data = next(one for one in DEMO if one["slug"] == "warm-welcome")
    services.save_badge(None, {**data, "award": {**data["award"], "threshold": 2, "people": "thread.author"}})
    voters = crowd(4)
    newcomer = a_person()
    first = an_answer(a_thread(newcomer), bob)
    later = an_answer(a_thread(newcomer), bob)
    for voter in voters:
        questions.vote_answer(first, voter, 1)
        questions.vote_answer(later, voter, 1)
    assert has(bob, "warm-welcome") == 0
    questions.vote_answer(an_answer(a_thread(a_person()), bob), voters[0], 1)
    assert has(bob, "warm-welcome") == 1


def test_owned_up_wants_a_correction_after_doubt(wednesday, demo_badges, answer, alice, bob, charlie):
    questions.accept_answer(answer, alice)
    owner = a_person()
    for person in (charlie, owner):
        Ownership.objects.create(owner=person, product=answer.thread.product)
    questions.say_works_for_mine(answer, charlie, True)
    assert has(bob, "owned-up") == 0
    with clock.travel(wednesday + timedelta(days=1)):
        questions.say_no_longer_works(answer, charlie)
    with clock.travel(wednesday + timedelta(days=2)):
        questions.edit_answer(answer, bob, body="Since firmware 3 one holds the button for ten seconds.")
    with clock.travel(wednesday + timedelta(days=3)):
        questions.say_works_for_mine(answer, owner, True)
    assert has(bob, "owned-up") == 1


def test_you_said_it_when_an_idea_ships(demo_badges, alice, hanna):
    idea = a_thread(alice, kind="idea")
    questions.set_idea_status(idea, hanna, "planned", "In spring.")
    assert has(alice, "you-said-it") == 0
    questions.set_idea_status(idea, hanna, "shipped", "Here it is.", "https://example.org/notes")
    assert has(alice, "you-said-it") == 1


def test_rules_over_the_past(demo_badges, bob, alice):
    Award.objects.all().delete()
    Badge.objects.all().delete()
    badges.forget()
    questions.vote_answer(an_answer(by=bob), alice, 1)
    assert has(bob, "first-answer") == 0
    services.save_badge(None, next(one for one in DEMO if one["slug"] == "first-answer"))
    assert badges.award_badges() == (1, 0)
    assert badges.award_badges() == (0, 0)
    assert has(bob, "first-answer") == 1


def test_a_window_wants_them_close_together(wednesday, bob):
    rule = {"event": "answer.voted", "to": "author", "count": "things", "when": [["answer.score", ">=", 1]],
            "threshold": 2, "window_days": 7}  # fmt: skip
    services.save_badge(
        None, {"slug": "burst", "name": "Burst", "level": "bronze", "rule": "Two in a week.", "award": rule}
    )
    for days in (0, 10, 13):
        with clock.travel(wednesday + timedelta(days=days)):
            questions.vote_answer(an_answer(by=bob), a_person(), 1)
            assert has(bob, "burst") == (1 if days == 13 else 0)
    with clock.travel(wednesday + timedelta(days=100)):
        badges.award_badges()
        assert has(bob, "burst") == 1


def test_staff_get_none_and_lose_theirs_while_they_are(answer, alice, bob):
    questions.vote_answer(answer, alice, 1)
    set_role(bob, None, "moderator")
    assert has(bob, "first-answer") == 0
    set_role(bob, None, "")
    assert has(bob, "first-answer") == 1


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("event", "answer.sung", "no event"),
        ("to", "everybody", "author or actor"),
        ("count", "noise", "things, people or events"),
        ("threshold", 0, "whole number"),
        ("threshold", True, "whole number"),
        ("when", [["answer.taste", "is", 1]], "not known"),
        ("when", [["answer.score", "~", 1]], "operators"),
        ("when", "always", "a list"),
        ("window_days", -1, "number of days"),
        ("colour", "red", "Unknown"),
    ],
)
def test_a_rule_that_cannot_be_judged_is_refused(field, value, words):
    rule = {"event": "answer.voted", "to": "author", "count": "things", "when": [], "threshold": 1, field: value}
    with pytest.raises(ValidationError, match=words):
        services.save_badge(None, {"slug": "odd", "name": "Odd", "level": "bronze", "award": rule})
    assert not Badge.objects.filter(slug="odd").exists()


def test_many_says_for_each_what():
    rule = {"event": "answer.voted", "to": "author", "count": "things", "when": [], "threshold": 1}
    with pytest.raises(ValidationError, match="For each what"):
        services.save_badge(None, {"slug": "odd", "name": "Odd", "level": "gold", "award": rule, "awarded": "many"})


def test_only_managers_save_badges(alice, hanna):
    data = DEMO[0]
    with pytest.raises(NotAllowed):
        services.save_badge(alice, data)
    services.save_badge(hanna, data)


def test_thanks_by_hand(demo_badges, alice, bob, hanna, dana, crowd):
    thanks = demo_badges["from-the-bench"]
    reason = "Stayed up with a stranger until the machine ran."
    services.give_badge(thanks, [alice, bob], hanna, reason=reason)
    services.give_badge(thanks, [alice], hanna, reason=reason)
    assert has(alice, "from-the-bench") == 1
    services.give_badge(thanks, [alice], hanna, reason="And for the drawings of the seal, too.")
    assert has(alice, "from-the-bench") == 2
    with pytest.raises(NotAllowed):
        services.give_badge(thanks, [bob], alice, reason=reason)
    with pytest.raises(ValidationError):
        services.give_badge(thanks, [bob], hanna, reason="Nice.")
    with pytest.raises(ValidationError):
        services.give_badge(thanks, [dana], hanna, reason=reason)
    with pytest.raises(ValidationError):
        services.give_badge(thanks, [bob] * 51, hanna, reason=reason)
    with pytest.raises(Conflict):
        services.give_badge(demo_badges["scout"], [bob], hanna, reason=reason)
    award = Award.objects.filter(person=bob).get()
    services.take_back_badge(award, hanna, reason="A mistake.")
    services.take_back_badge(award, hanna, reason="A mistake.")
    assert has(bob, "from-the-bench") == 0


def test_a_vote_asks_few_queries_for_badges(demo_badges, answer, alice, charlie, django_assert_max_num_queries):
    questions.vote_answer(answer, alice, 1)
    event = Event.objects.filter(kind="answer.voted").get()
    event.subject = answer
    with django_assert_max_num_queries(8):
        badges.hear(event)


def test_a_word_that_could_never_be_met_is_refused_and_told(demo_badges, duo):
    """A misspelt product or kind would make a badge that nobody ever gets, without a sign."""
    wrong = (("thread.product", "duoo"), ("thread.kind", "questions"), ("status", "done"), ("reason", "bad"))
    for field, word in wrong:
        with pytest.raises(ValidationError) as refused:
            fields.read_value(field, word)
        assert "would never be met" in refused.value.messages[0]
    with pytest.raises(ValidationError) as refused:
        fields.read_value("thread.product", "none")
    assert duo.slug in refused.value.messages[0]
    assert fields.read_value("thread.product", duo.slug.upper()) == duo.slug
    for badge in Badge.objects.exclude(by_hand=True):
        for field, _operator, value in badge.award.get("when", []):
            assert fields.read_value(field, fields.write_value(value)) == value

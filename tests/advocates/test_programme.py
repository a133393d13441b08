"""The programme: admitting, going away, leaving, ties; whom to ask; and the ladder of ranks."""

from datetime import date, timedelta
from pathlib import Path

import pytest
import yaml
from django.core.exceptions import ValidationError
from wagtail.images.tests.utils import get_test_image_file

from advocates import competence, matching, services, tasks, totals
from advocates.models import AdvocateMembership, Rank
from community.accounts.models import Standing, TrustLevel, User
from community.accounts.services import silence
from community.core import clock
from community.core.errors import Conflict, NotAllowed
from community.core.models import CommunityImage, Numbers
from community.events.log import replay
from community.events.models import Event
from community.moderation import services as moderation
from community.questions import services as questions

from ..factories import a_person, a_product, a_thread, an_answer, an_owner

pytestmark = pytest.mark.django_db


def test_admitting(bob, hanna, duo):
    services.admit(bob, hanna, [duo])
    services.admit(bob, hanna, [duo])
    bob = User.objects.get(pk=bob.pk)
    assert (bob.standing, bob.expertise_text, bob.trust) == (Standing.ADVOCATE, duo.label, TrustLevel.REGULAR)
    assert Event.objects.filter(kind="advocate.joined").count() == 1


def test_only_managers_admit_and_never_staff(bob, charlie, dana, hanna):
    with pytest.raises(NotAllowed):
        services.admit(bob, charlie)
    with pytest.raises(NotAllowed):
        services.admit(dana, hanna)


def test_a_candidate_shows_nothing_yet(bob, hanna, duo):
    services.note_candidate(bob, hanna, [duo])
    services.note_candidate(bob, hanna, [duo])
    bob.refresh_from_db()
    assert (bob.standing, bob.expertise_text) == (Standing.MEMBER, "")
    with pytest.raises(Conflict):
        services.set_away(bob, hanna)


def test_away_and_back(bob, charlie, hanna, duo):
    services.admit(bob, hanna, [duo])
    with pytest.raises(ValidationError):
        services.set_away(bob, bob, stand_in=charlie)
    services.admit(charlie, hanna, [duo])
    services.set_away(bob, bob, note="Away until spring", stand_in=charlie)
    services.set_away(bob, bob, note="Away until spring", stand_in=charlie)
    assert Event.objects.filter(kind="advocate.away").count() == 1
    assert User.objects.get(pk=bob.pk).standing == Standing.ADVOCATE
    member = services.set_away(bob, hanna, False)
    assert (member.state, member.note, member.stand_in) == ("active", "", None)
    with pytest.raises(NotAllowed):
        services.set_away(bob, a_person())
    with pytest.raises(ValidationError):
        services.set_away(bob, bob, stand_in=bob)


def test_an_absence_ends_by_itself(bob, hanna, duo):
    services.admit(bob, hanna, [duo])
    services.set_away(bob, bob, until=clock.now() + timedelta(days=2))
    assert services.bring_back() == 0
    with clock.travel(clock.now() + timedelta(days=3)):
        assert services.bring_back() == 1
        assert services.bring_back() == 0
    assert AdvocateMembership.objects.get(user=bob).state == "active"
    assert not User.objects.get(pk=bob.pk).is_away


def test_leaving_keeps_what_was_earned(bob, charlie, hanna, duo):
    services.admit(bob, hanna, [duo])
    questions.vote_answer(an_answer(by=bob), charlie, 1)
    with pytest.raises(NotAllowed):
        services.leave(bob, charlie)
    services.leave(bob, bob)
    services.leave(bob, bob)
    bob.refresh_from_db()
    assert (bob.standing, bob.expertise_text, bob.reputation) == (Standing.FORMER_ADVOCATE, "", 11)
    assert Event.objects.filter(kind="advocate.left").count() == 1
    services.admit(bob, hanna, [duo])
    assert User.objects.get(pk=bob.pk).standing == Standing.ADVOCATE


def test_ties_are_printed_while_they_last(wednesday, bob, charlie):
    tie = {"kind": "free_product", "line": "Given a Mill 54 in May 2023.", "since": date(2023, 5, 4)}
    interest = services.declare_interest(bob, bob, **tie)
    services.declare_interest(bob, bob, **tie)
    assert User.objects.get(pk=bob.pk).interests_text == "Given a Mill 54 in May 2023."
    assert services.interests_on(bob, date(2023, 5, 3)) == []
    with pytest.raises(ValidationError, match="can end today"):  # it would go from what was written yesterday
        services.end_interest(interest, bob, date(2026, 11, 17))
    services.end_interest(interest, bob, date(2026, 11, 18))
    with clock.travel(wednesday + timedelta(days=1)):
        services.copy_all_interests()
        services.end_interest(interest, bob, date(2026, 11, 19))  # it ended before
        assert User.objects.get(pk=bob.pk).interests_text == ""
    assert services.interests_on(bob, date(2026, 11, 18)) == [interest]
    with pytest.raises(NotAllowed):
        services.declare_interest(bob, charlie, **tie)
    with pytest.raises(ValidationError):
        services.declare_interest(bob, bob, kind="love", line="", since=date(2023, 5, 4), until=date(2020, 1, 1))


def test_a_tie_that_begins_tomorrow_is_printed_tomorrow(wednesday, bob):
    services.declare_interest(bob, bob, kind="payment", line="Paid for a test.", since=date(2026, 11, 19))
    assert User.objects.get(pk=bob.pk).interests_text == ""
    with clock.travel(wednesday + timedelta(days=1)):
        assert services.copy_all_interests() == 1
    assert User.objects.get(pk=bob.pk).interests_text == "Paid for a test."


def test_what_is_printed_beside_a_name_keeps_the_rules(bob, charlie, hanna, ravi, duo):
    day = clock.now().date()
    services.admit(bob, hanna, [duo])
    moderation.watch(ravi, pattern="cheapbeans", act="queue")
    with pytest.raises(ValidationError):
        services.declare_interest(charlie, charlie, kind="other", line="Buy at cheapbeans", since=day)
    with pytest.raises(ValidationError):
        services.set_away(bob, bob, note="Gone to cheapbeans")
    for person in (bob, charlie):
        silence(person, ravi, hours=24, reason="Rude.")
        person.refresh_from_db()
    with pytest.raises(NotAllowed):
        services.declare_interest(charlie, charlie, kind="other", line="My aunt works there", since=day)
    with pytest.raises(NotAllowed):
        services.set_away(bob, bob, note="I am not rude")
    services.set_away(bob, bob, until=clock.now() + timedelta(days=2))  # without a word
    services.declare_interest(charlie, hanna, kind="other", line="An aunt works here", since=day)


@pytest.fixture
def experts(hanna, duo):
    people = [a_person() for _ in range(5)]
    for person in people:
        services.admit(person, hanna, [duo])
    return people


def test_the_most_competent_are_asked(thread, experts, duo):
    questions.vote_answer(an_answer(a_thread(product=duo), experts[3]), an_owner(duo), 1)
    found = matching.matching_advocates(thread)
    assert len(found) == 3
    assert found[0] == experts[3]


def test_todays_expert_outranks_yesterdays(wednesday, experts, thread, duo):
    for person, years, votes in ((experts[0], 6, 3), (experts[1], 0, 1)):
        answer = an_answer(a_thread(product=duo), person)
        with clock.travel(wednesday - timedelta(days=365 * years)):
            for _ in range(votes):
                questions.vote_answer(answer, an_owner(duo), 1)
    known = competence.of(experts, duo)
    assert known[experts[1].pk] > known[experts[0].pk] > 0
    assert matching.matching_advocates(thread)[0] == experts[1]


def test_who_is_not_asked(experts, alice, duo, hanna, ravi):
    asker, away, silenced, answered, left = experts
    thread = a_thread(asker, product=duo)
    services.set_away(away, hanna)
    silence(silenced, ravi, hours=2, reason="Was rude.")
    an_answer(thread, answered)
    services.leave(left, hanna)
    other = a_person()
    services.admit(other, hanna, [a_product()])
    assert matching.matching_advocates(thread) == []


def test_nobody_is_asked_more_often_than_a_week_bears(wednesday, experts, thread, duo):
    most = Numbers.load().asks_per_advocate_a_week
    tired = experts[0]
    for _ in range(most):
        matching.asked(a_thread(product=duo), [tired])
    assert tired not in matching.matching_advocates(thread, 10)
    with clock.travel(wednesday + timedelta(days=7, minutes=1)):
        assert tired in matching.matching_advocates(thread, 10)


def test_who_is_asked_about_one_thread_counts_for_the_next(experts, duo, django_assert_num_queries):
    threads = [a_thread(product=duo) for _ in range(3)]
    numbers = Numbers.load()
    numbers.asks_per_advocate_a_week = 1
    numbers.save()
    with matching.looked_up(threads):
        first = matching.asked(threads[0], matching.matching_advocates(threads[0], 3))
        with django_assert_num_queries(0):
            second = matching.matching_advocates(threads[1], 3)
        matching.asked(threads[1], second)
        assert matching.matching_advocates(threads[2], 3) == []
    assert len(first) == 3 and len(second) == 2 and {*first, *second} == {*experts}


def test_asking_is_noted_once(experts, thread):
    assert matching.asked(thread, experts[:2]) == experts[:2]
    assert matching.asked(thread, experts[:3]) == experts[2:3]
    assert set(matching.matching_advocates(thread, 10)) == set(experts[3:])


def test_a_thread_without_product_goes_to_whom_was_asked_least(experts, alice):
    thread = a_thread(alice)
    matching.asked(a_thread(), experts[:3])
    assert set(matching.matching_advocates(thread, 2)) == set(experts[3:])


def test_the_ladder_of_the_demo(bob, alice, answer):
    questions.vote_answer(answer, alice, 1)
    data = yaml.safe_load((Path(__file__).parents[2] / "demo" / "ranks.yaml").read_text())["ranks"]
    with replay("demo"):
        services.save_ranks(None, data)
        services.save_ranks(None, data)
    assert Rank.objects.count() == len(data)
    assert User.objects.get(pk=bob.pk).rank_name == data[0]["name"]


def test_a_threshold_renames_people(bob, alice, answer, hanna, dana):
    questions.vote_answer(answer, alice, 1)
    services.save_rank(hanna, slug="sprout", name="Sprout", threshold=11)
    tasks.rename_by_rank.call()
    assert User.objects.get(pk=bob.pk).rank_name == "Sprout"
    assert User.objects.get(pk=dana.pk).rank_name == ""
    services.save_rank(hanna, slug="sprout", name="Sprout", threshold=12)
    tasks.rename_by_rank.call()
    assert totals.rename_by_rank() == 0
    assert User.objects.get(pk=bob.pk).rank_name == "Newcomer"
    services.delete_rank(Rank.objects.get(slug="sprout"), hanna)


def test_a_rank_is_reached_at_exactly_its_threshold(bob, answer, hanna, crowd):
    services.save_rank(hanna, slug="sprout", name="Sprout", threshold=21)
    first, second = crowd(2)
    questions.vote_answer(answer, first, 1)
    assert User.objects.get(pk=bob.pk).rank_name == "Newcomer"
    questions.vote_answer(answer, second, 1)
    assert User.objects.get(pk=bob.pk).rank_name == "Sprout"


def test_a_rank_has_a_picture_and_the_brand_gives_it_another(bob, answer, hanna, crowd, client):
    first, second = crowd(2)
    questions.vote_answer(answer, first, 1)
    assert User.objects.get(pk=bob.pk).rank_picture == "rank-1"  # a step of the ladder looks like one
    assert services.save_rank(hanna, slug="sprout", name="Sprout", threshold=21).drawing == "rank-2"
    with pytest.raises(ValidationError) as said:
        services.save_rank(hanna, slug="sprout", name="Sprout", threshold=21, drawing="rank-99")
    assert list(said.value.message_dict) == ["drawing"]
    picture = CommunityImage.objects.create(title="bean", file=get_test_image_file())
    own = {"slug": "sprout", "name": "Sprout", "threshold": 21, "picture": picture}
    with pytest.raises(ValidationError) as said:
        services.save_rank(hanna, **own)
    assert list(said.value.message_dict) == ["alt"]
    shown = services.save_rank(hanna, **own, alt="A green bean").shown
    assert "/" in shown
    questions.vote_answer(answer, second, 1)
    assert User.objects.get(pk=bob.pk).rank_picture == shown
    page = client.get(answer.thread.get_absolute_url()).content.decode()
    assert f'src="{shown}" alt=""' in page and "Sprout</span>" in page
    assert 'alt="A green bean"' in client.get("/advocates/how-points-work/").content.decode()
    services.save_rank(hanna, slug="sprout", name="Sprout", threshold=21, drawing="rank-8")
    tasks.rename_by_rank.call()
    assert User.objects.get(pk=bob.pk).rank_picture == "rank-8"


def test_a_ladder_keeps_its_first_step(hanna, charlie):
    first = Rank.objects.get(threshold=0)
    with pytest.raises(Conflict):
        services.delete_rank(first, hanna)
    with pytest.raises(ValidationError):
        services.save_rank(hanna, slug=first.slug, name="Late", threshold=5)
    with pytest.raises(ValidationError):
        services.save_rank(hanna, slug="other", name="Other", threshold=50)
    with pytest.raises(ValidationError):
        services.save_ranks(None, [{"slug": "a", "name": "A", "threshold": 1}])
    with pytest.raises(NotAllowed):
        services.save_rank(charlie, slug="other", name="Other", threshold=55)


def test_membership_is_one_row(bob, hanna):
    services.note_candidate(bob, hanna)
    services.admit(bob, hanna)
    services.leave(bob, hanna)
    assert AdvocateMembership.objects.filter(user=bob).count() == 1

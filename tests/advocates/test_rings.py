"""Votes for a person and not for posts: what is found and what is not, one decision, and its undoing."""

from datetime import timedelta

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.urls import reverse

from advocates import competence, rebuild, rings
from advocates.models import Award, ReputationEntry, VoteFinding
from community.accounts.models import User
from community.core import clock, outbox
from community.core.errors import Conflict, NotAllowed
from community.events.models import Event
from community.notifications.delivery import announce_due
from community.notifications.models import Notification
from community.questions import services as questions
from community.sharing import services as sharing
from products.services import add_to_shelf
from reviews import services as reviews

from ..factories import a_person, a_recipe, a_review, a_thread, a_tip, an_answer

pytestmark = pytest.mark.django_db


@pytest.fixture
def posts(duo):
    """So many answers of somebody."""

    def make(by, number):
        thread = a_thread(product=duo)
        return [an_answer(thread if n == 0 else a_thread(product=duo), by) for n in range(number)]

    return make


def vote(voter, answers, start, *, apart):
    for number, answer in enumerate(answers):
        with clock.travel(start + apart * number):
            questions.vote_answer(answer, voter, 1)


def test_five_in_a_day_are_found_and_four_or_five_in_two_days_are_not(wednesday, alice, bob, charlie, posts):
    answers = posts(bob, 5)
    vote(alice, answers[:4], wednesday - timedelta(days=2), apart=timedelta(minutes=1))
    vote(charlie, answers, wednesday - timedelta(days=3), apart=timedelta(hours=6, minutes=1))
    assert rings.look() == 0
    with clock.travel(wednesday - timedelta(days=2, hours=-1)):
        questions.vote_answer(answers[4], alice, 1)
    assert rings.look() == 1
    assert rings.look() == 0  # it is known
    finding = VoteFinding.objects.get()
    assert (finding.kind, set(finding.people.all()), finding.state) == ("serial", {alice, bob}, "open")
    assert [finding.evidence[0][key] for key in ("giver", "author", "votes", "of", "share")] == [
        alice.pk, bob.pk, 5, 5, 100,
    ]  # fmt: skip
    assert {entry.giver_id for entry in rings.entries_of(finding)} == {alice.pk}


def test_who_reads_and_votes_a_lot_is_left_alone(wednesday, alice, bob, posts):
    vote(alice, posts(bob, 5), wednesday - timedelta(hours=9), apart=timedelta(minutes=1))
    for _ in range(2):
        vote(alice, posts(a_person(), 3), wednesday - timedelta(hours=8), apart=timedelta(minutes=1))
    assert rings.look() == 0


def test_most_votes_to_one_and_to_each_other(wednesday, alice, bob, charlie, posts):
    by_bob, by_alice = posts(bob, 8), posts(alice, 5)
    vote(charlie, by_bob, wednesday - timedelta(days=40), apart=timedelta(days=2))
    vote(alice, by_bob[:5], wednesday - timedelta(days=40), apart=timedelta(days=2))
    vote(bob, by_alice, wednesday - timedelta(days=40), apart=timedelta(days=2))
    assert rings.look() == 2
    found = dict(VoteFinding.objects.values_list("kind", "mark"))
    assert found == {
        "share": f"share:{charlie.pk}>{bob.pk}",
        "mutual": f"mutual:{min(alice.pk, bob.pk)}>{max(alice.pk, bob.pk)}",
    }
    with clock.travel(wednesday + timedelta(days=91)):
        assert rings.look() == 0


def test_a_circle_of_three_is_one_finding(wednesday, alice, bob, charlie, posts):
    for voter, author in ((alice, bob), (bob, charlie), (charlie, alice)):
        vote(voter, posts(author, 4), wednesday - timedelta(days=20), apart=timedelta(days=1))
    assert rings.look() == 1
    finding = VoteFinding.objects.get()
    assert (finding.kind, finding.people.count(), len(finding.evidence)) == ("group", 3, 3)


def test_taken_out_in_one_step_and_given_back_as_it_was(wednesday, alice, bob, posts, duo, ravi, client, enrol,
                                                        django_capture_on_commit_callbacks):  # fmt: skip
    add_to_shelf(duo, alice)
    answers = posts(bob, 4)
    vote(alice, answers, wednesday - timedelta(days=2), apart=timedelta(minutes=1))
    with clock.travel(wednesday - timedelta(days=2)):
        reviews.find_helpful(a_review(bob, duo), alice, True)
        sharing.set_made(a_recipe(bob), alice, stars=4, note="With less sugar.")
        sharing.say_worked(a_tip(bob), alice, True)
    questions.vote_answer(answers[0], a_person(), 1)
    rings.look()
    finding = VoteFinding.objects.get()
    before = (
        User.objects.get(pk=bob.pk).reputation,
        competence.of([bob], duo),
        Award.objects.filter(person=bob).count(),
    )
    assert before[0] == 1 + 4 * 10 + 3 * 2 + 10

    with pytest.raises(NotAllowed):
        rings.take_out(finding, bob, reason="Mine.")
    with pytest.raises(ValidationError):
        rings.take_out(finding, ravi, reason=" ")
    client.force_login(ravi)
    enrol(ravi)
    page = client.get(finding.get_absolute_url()).content.decode()
    assert "100 % of 7" in page and page.count(answers[0].thread.title) == 1
    # Which rule, how unusual, and what a press changes for whom, before it is pressed.
    assert (
        "5 votes or more within 24 hours" in page
        and "1 of the 2 people who had voted in 90 days had given one person 7 votes" in page
        and "<td>3 minutes</td>" in page
    )
    assert [(one.person, one.votes, one.points) for one in rings.effects(finding)] == [(bob, 7, -46)]
    assert "What taking them out changes" in page
    listed = client.get("/admin/vote-findings/").content.decode()
    assert (
        finding.get_kind_display() in listed and f"{alice} <span aria-hidden" in listed and "<td>7 votes</td>" in listed
    )
    decide = f"{finding.get_absolute_url()}decide/"
    assert client.get(decide).status_code == 405
    kept = client.post(decide, {"act": "take_out", "reason": ""})
    assert kept.status_code == 422
    assert client.post(decide, {"act": "take_out", "reason": "All within a minute."}).status_code == 303
    assert User.objects.get(pk=bob.pk).reputation == 11
    page = client.get(finding.get_absolute_url()).content.decode()
    assert "The votes that were taken out" in page and page.count(answers[0].thread.title) == 1
    assert competence.of([bob], duo) == {}
    assert [type(answer).objects.get(pk=answer.pk).score for answer in answers] == [1, 0, 0, 0]
    told = Event.objects.get(kind="votes.taken_out")
    assert (told.actor, told.note.text, told.data["votes"], set(told.data["people"])) == (
        ravi, "All within a minute.", 7, {alice.pk, bob.pk},
    )  # fmt: skip
    with pytest.raises(Conflict):
        rings.take_out(finding, ravi, reason="Twice.")
    assert rings.look() == 0
    assert rebuild.rebuild(write=False).differences == []

    assert rings.give_back(VoteFinding.objects.get(), ravi, reason="They sat at one table.") == 7
    after = (
        User.objects.get(pk=bob.pk).reputation,
        competence.of([bob], duo),
        Award.objects.filter(person=bob).count(),
    )
    assert after == before
    back = ReputationEntry.objects.filter(person=bob, reverses=None).order_by("-pk").first()
    assert back.day == (wednesday - timedelta(days=2)).date()
    assert rings.look() == 0  # looked at, and left
    assert rebuild.rebuild(write=False).differences == []
    client.force_login(bob)
    assert client.get(finding.get_absolute_url()).status_code in (302, 403)


def test_both_sides_are_told_without_names(wednesday, alice, bob, posts, ravi):
    vote(alice, posts(bob, 5), wednesday - timedelta(days=1), apart=timedelta(minutes=1))
    rings.look()
    rings.take_out(VoteFinding.objects.get(), ravi, reason="Secret.")
    announce_due()
    outbox.deliver_due()
    assert Notification.objects.filter(recipient__in=[alice, bob], kind="moderation").count() == 2
    letters = [letter for letter in mail.outbox if "votes between accounts" in letter.subject]
    assert {letter.to[0] for letter in letters} == {alice.email, bob.email}
    for letter in letters:
        assert not any(word in letter.body for word in ("Ravi", "Alice", "Bob", "Secret"))


def test_left_alone_until_there_are_new_votes(wednesday, alice, bob, posts, ravi, hanna, client):
    answers = posts(bob, 10)
    vote(alice, answers[:5], wednesday - timedelta(days=9), apart=timedelta(minutes=1))
    rings.look()
    finding = VoteFinding.objects.get()
    rings.leave(finding, ravi, reason="All good answers.")
    client.force_login(hanna)
    refused = client.post(reverse("vote_findings:decide", args=[finding.pk]), {"act": "take_out", "reason": "A ring."})
    html = refused.content.decode()
    assert refused.status_code == 409 and "Somebody has decided this already." in html
    assert "readonly>A ring.</textarea>" in html, "what a colleague typed meanwhile is kept"
    vote(alice, answers[5:9], wednesday - timedelta(days=1), apart=timedelta(minutes=1))
    assert rings.look() == 0
    with clock.travel(wednesday - timedelta(hours=23)):
        questions.vote_answer(answers[9], alice, 1)
    assert rings.look() == 1


def test_one_ring_found_as_two_is_told_on_both(wednesday, alice, bob, charlie, posts):
    vote(
        alice,
        [post for _n in range(9) for post in posts(a_person(), 1)],
        wednesday - timedelta(days=20),
        apart=timedelta(days=1),
    )
    vote(alice, posts(bob, 5), wednesday - timedelta(days=1), apart=timedelta(minutes=1))
    vote(bob, posts(alice, 5), wednesday - timedelta(days=1), apart=timedelta(minutes=1))
    vote(charlie, posts(bob, 5), wednesday - timedelta(days=1), apart=timedelta(minutes=1))
    rings.look()
    one, other = VoteFinding.objects.filter(people=alice)
    assert (list(rings.near(one)), list(rings.near(other))) == ([other], [one])
    assert {line["alike"] for finding in (one, other) for line in finding.evidence} == {3}

"""Two accounts of one person become one: content, judgements, follows, points and badges, each once."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from advocates import rebuild
from advocates.models import Award, BoardScore, ReputationEntry
from community.accounts.models import User
from community.core.errors import Conflict, NotAllowed
from community.events.models import Event, EventNote
from community.moderation import services as moderation
from community.moderation.models import Flag
from community.portability import joining
from community.posts.models import Follow
from community.posts.services import follow
from community.questions import services as questions
from community.questions.models import AnswerVote, MeToo
from products.services import add_to_shelf
from reviews.models import Review

from ..factories import a_confirmed_address, a_person, a_review, a_thread, an_answer

pytestmark = pytest.mark.django_db

WHY = "Both accounts order with the same customer number."


def test_everything_becomes_the_other_accounts_once(alice, bob, charlie, ravi, hanna, duo):
    bobby = a_person("bobby", email="bobby@example.net")
    a_confirmed_address(bobby)
    a_confirmed_address(bob)
    thread = a_thread(alice, product=duo)
    by_bob, by_bobby = an_answer(thread, bob), an_answer(a_thread(charlie, product=duo), bobby)
    both = an_answer(a_thread(alice), charlie)
    own = a_thread(bobby, product=duo)
    theirs = an_answer(own, bob)  # Bob helps himself
    hidden = an_answer(a_thread(charlie), bobby)
    for person in (alice, charlie):
        questions.vote_answer(by_bobby, person, 1)
    questions.vote_answer(hidden, alice, 1)
    moderation.hide(hidden, ravi, reason="To be looked at.")
    questions.vote_answer(both, bob, 1)
    questions.vote_answer(both, bobby, 1)  # twice for one answer
    questions.vote_answer(by_bob, bobby, 1)  # for himself
    questions.vote_answer(by_bob, alice, 1)
    only = an_answer(a_thread(alice), charlie)
    questions.vote_answer(only, bobby, 1)
    questions.accept_answer(theirs, bobby)
    questions.set_me_too(thread, bob, True)
    questions.set_me_too(thread, bobby, True)
    for person in (bob, bobby):
        follow(own, person)
        add_to_shelf(duo, person)
        a_review(person, duo)
    joining.join(bobby, bob, hanna, reason=WHY)

    assert {post.author_id for post in (_again(by_bobby), _again(own), _again(hidden))} == {bob.pk}
    assert AnswerVote.objects.filter(target=both).count() == 1 and _again(both).score == 1
    assert _again(by_bob).score == 1  # Alice's; his own went
    assert AnswerVote.objects.get(target=only).voter == bob
    assert MeToo.objects.get(target=thread).voter == bob and _again(thread).me_too_count == 1
    assert Follow.objects.filter(user=bob, target_id=own.pk, target_type__model="thread").count() == 1
    assert bob.shelf.count() == 1
    assert Review.objects.filter(author=bob, product=duo, visibility="visible").count() == 1
    # 20 for his other self's answer, 10 for his own; nothing for accepting himself.
    bob.refresh_from_db()
    assert (bob.reputation, User.objects.get(pk=bobby.pk).reputation) == (31, 1)
    charlie.refresh_from_db()
    assert charlie.reputation == 1 + 10 + 10  # one vote for one answer, and the only one for the other
    assert rebuild.rebuild(write=False).differences == []
    # The chains go on: a vote taken back, a hidden answer shown again.
    questions.vote_answer(_again(by_bobby), alice, 0)
    questions.vote_answer(_again(only), bob, 0)
    moderation.restore(_again(hidden), ravi)
    bob.refresh_from_db()
    charlie.refresh_from_db()
    assert (bob.reputation, charlie.reputation) == (31 - 10 + 10, 11)
    assert rebuild.rebuild(write=False).differences == []
    # Each badge once, and none with the account that went; once per person, reason and cause.
    assert not Award.objects.filter(person=bobby).exists()
    per = list(Award.objects.filter(person=bob).values_list("badge", "per_key"))
    assert len(per) == len(set(per))
    first = list(ReputationEntry.objects.filter(reverses=None).values_list("person", "reason", "event"))
    assert len(first) == len(set(first))
    assert not BoardScore.objects.filter(person=bobby).exclude(points=0).exists()
    # His name leads to the account that stayed, his address signs in there.
    page = Client().get("/people/bobby/")
    assert page.status_code == 301 and page["Location"] == bob.get_absolute_url()
    assert set(bob.emailaddress_set.values_list("email", "primary")) == {
        ("bob@example.org", True), ("bobby@example.net", False),
    }  # fmt: skip
    event = Event.objects.get(kind="person.merged")
    assert (event.actor, event.subject_id, event.data["into"]) == (hanna, bobby.pk, bob.pk)
    assert EventNote.objects.get(event=event).text == WHY


def _again(row):
    return type(row)._base_manager.get(pk=row.pk)


def test_accounts_in_a_chain(alice, bob, charlie, hanna, duo):
    """One into another, and that into a third: the rebuild tells each step as it was."""
    one, two = a_person(), a_person()
    first = an_answer(a_thread(two, product=duo), one)
    second = an_answer(a_thread(alice, product=duo), one)
    for answer in (first, second):
        questions.vote_answer(answer, alice, 1) if answer is first else questions.vote_answer(answer, charlie, 1)
        questions.accept_answer(answer, answer.thread.author)
    joining.join(one, bob, hanna, reason=WHY)
    bob.refresh_from_db()
    assert bob.reputation == 1 + 10 + 15 + 10 + 15
    joining.join(two, bob, hanna, reason=WHY)  # whose question he answered
    bob.refresh_from_db()
    assert bob.reputation == 1 + 10 + 10 + 15
    assert rebuild.rebuild(write=False).differences == []


def test_who_may_and_what_cannot_be_joined(alice, bob, charlie, ravi, dana, hanna):
    with pytest.raises(NotAllowed):
        joining.join(alice, bob, ravi, reason=WHY)
    with pytest.raises(NotAllowed):
        joining.join(alice, bob, bob, reason=WHY)
    with pytest.raises(ValidationError):
        joining.join(alice, bob, hanna, reason="same")
    root = a_person("root", is_superuser=True)
    for gone, kept in ((bob, bob), (dana, bob), (bob, dana), (root, bob), (bob, root)):
        with pytest.raises(Conflict):
            joining.join(gone, kept, hanna, reason=WHY)
    joining.join(alice, bob, hanna, reason=WHY)
    with pytest.raises(Conflict):
        joining.join(alice, charlie, hanna, reason=WHY)  # twice: she is Bob now


def test_the_screen_shows_first_and_joins_then(client, alice, bob, hanna, ravi, enrol):
    address = reverse("joining:join", args=[bob.pk])
    for person in (ravi, hanna):
        enrol(person)
    client.force_login(ravi)
    assert client.get(address).status_code == 403
    client.force_login(hanna)
    assert address in client.get(reverse("keepers:person", args=[bob.pk])).content.decode()
    assert client.get(address).status_code == 200
    missing = client.post(address, {"gone": "nobody-here", "reason": WHY})
    assert missing.status_code == 422 and "Nobody has this user name" in missing.content.decode()
    itself = client.post(address, {"gone": "bob", "reason": WHY})
    assert itself.status_code == 409 and WHY in itself.content.decode()
    shown = client.post(address, {"gone": "@Alice", "reason": WHY})
    assert shown.status_code == 200 and "Join them for good" in shown.content.decode()
    assert not User.objects.get(pk=alice.pk).is_erased
    done = client.post(address, {"gone": "alice", "reason": WHY, "sure": "1"})
    assert done.status_code == 303 and User.objects.get(pk=alice.pk).is_erased


def test_what_both_have_is_kept_whole_and_a_suspended_account_waits(alice, bob, hanna, thread, duo, wednesday):
    other = a_person()
    for person in (bob, other):
        add_to_shelf(duo, person)
        moderation.flag(thread, person, reason="spam")
    other.shelf.update(verified="order", serial="SN-1")
    review = a_review(bob, duo)
    User.objects.filter(pk=other.pk).update(silenced_until=wednesday, suspended_at=wednesday)
    with pytest.raises(Conflict):
        joining.join(other, bob, hanna, reason=WHY)
    User.objects.filter(pk=other.pk).update(suspended_at=None)
    joining.join(other, bob, hanna, reason=WHY)
    assert list(bob.shelf.values_list("verified", "serial")) == [("order", "SN-1")]
    assert _again(review).verified == "order" and bob.silenced_until == wednesday
    assert set(Flag.objects.values_list("reporter", flat=True)) == {bob.pk, other.pk}
    assert rebuild.rebuild(write=False).differences == []

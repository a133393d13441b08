"""What was moved, merged or taken away meanwhile: nothing is done in the wrong thread, and no title is told."""

import pytest
from django.test import Client
from django.urls import reverse

from community.accounts.models import Department, User
from community.core.errors import Conflict
from community.events.models import Event
from community.moderation import services as moderation
from community.questions import services
from community.questions.models import Answer, Thread
from products.models import Product
from tests.factories import a_thread, an_answer
from tests.questions.test_pages import signed_in

pytestmark = pytest.mark.django_db


def split(thread: Thread, by: User, question: Answer, *along: Answer, title: str) -> Thread:
    return services.split_thread(
        thread, by, question=question, answers=list(along), title=title, kind="question", reason="Another matter"
    )


def test_an_answer_that_moved_is_not_judged_in_its_old_thread(
    thread: Thread, alice: User, bob: User, charlie: User, ravi: User, dana: User, support: Department
) -> None:
    begins, moves = an_answer(thread, bob), an_answer(thread, charlie)
    stale = Answer.objects.select_related("thread").get(pk=moves.pk)
    split(thread, ravi, begins, moves, title="How is the second boiler descaled")
    before = Event.objects.count()
    for act in (
        lambda: services.accept_answer(stale, alice),
        lambda: services.withdraw_acceptance(stale, alice),
        lambda: services.make_official(stale, dana, support),
        lambda: services.withdraw_official(stale, dana, "Not ours"),
        lambda: services.say_no_longer_works(stale, bob),
        lambda: services.vote_answer(stale, alice, 1),
        lambda: services.take_vote_out(stale, alice, ravi),
        lambda: services.edit_answer(stale, charlie, body="Something else than what stood there before."),
        lambda: services.answer_follow_up(stale, alice, "yes"),
        lambda: moderation.hide(stale, ravi, reason="Rude"),
    ):
        with pytest.raises(Conflict, match="moved this"):
            act()
    moves.refresh_from_db()
    thread.refresh_from_db()
    assert (moves.accepted_at, moves.score, moves.is_visible, thread.solved_at) == (None, 0, True, None)
    assert Event.objects.count() == before


def test_a_split_names_the_thread_that_stands_and_no_title_that_was_taken_away(
    client: Client, thread: Thread, duo: Product, bob: User, charlie: User, ravi: User
) -> None:
    secret = split(thread, ravi, an_answer(thread, bob), title="Secret name of somebody here")
    stands = a_thread(charlie, product=duo, title="The one that stands and is read")
    services.merge_thread(secret, stands, ravi, "The same")
    services.retitle_merged(secret, ravi, title=secret.title, hidden=True, reason="A name")
    page = client.get(thread.get_absolute_url()).content.decode()
    assert "Secret name" not in page and "secret-name" not in page and stands.title in page
    moderation.hide(stands, ravi, reason="A name, too")
    page = client.get(thread.get_absolute_url()).content.decode()
    assert "Secret name" not in page and "secret-name" not in page and stands.title not in page
    assert stands.title in signed_in(ravi).get(thread.get_absolute_url()).content.decode()


def test_what_was_merged_back_is_no_split_any_longer(client: Client, thread: Thread, bob: User, ravi: User) -> None:
    part = split(thread, ravi, an_answer(thread, bob), title="A part of its own for a while")
    services.merge_thread(part, thread, ravi, "It belongs here after all")
    assert "A moderator" not in client.get(thread.get_absolute_url()).content.decode()


def test_when_to_ring_stays_with_the_private_details(thread: Thread, alice: User) -> None:
    services.give_private_details(thread, alice, phone="+44 20 7946", call_when="Mondays after six")
    shown = signed_in(alice).get(thread.get_absolute_url())
    assert shown.context["private"]["call_when"].value() == "Mondays after six"


def test_an_answer_written_before_signing_in_is_found_after_a_merge(
    client: Client, thread: Thread, duo: Product, bob: User, charlie: User, ravi: User
) -> None:
    stands = a_thread(charlie, product=duo)
    words = "Take the gasket out and rinse it."
    client.post(reverse("questions:answer", args=[thread.pk]), {"body": words})
    services.merge_thread(thread, stands, ravi, "The same")
    client.force_login(bob)
    page = client.get(thread.get_absolute_url(), follow=True)
    assert page.context["answer_form"]["body"].value() == words
    started = page.context["answer_form"]["started"].value()
    sent = client.post(reverse("questions:answer", args=[stands.pk]), {"body": words, "started": started})
    assert sent.status_code == 303 and client.session["kept_answers"] == {}


def test_mine_shows_what_waits_for_a_look_to_its_asker_only(thread: Thread, alice: User, bob: User, ravi: User) -> None:
    moderation.watch(ravi, pattern="watchme", act="queue")
    waits = a_thread(alice, title="It waits for a look, watchme")
    page = signed_in(alice).get("/questions/?show=mine")
    assert {row.pk for row in page.context["threads"]} == {thread.pk, waits.pk}
    assert {show.key: count for show, count, _address in page.context["tabs"]}["mine"] == 2
    assert page.context["counted"]["total"] == 2 and page.context["counted"]["asked"] == 1
    for who, show in ((alice, ""), (bob, ""), (bob, "mine"), (ravi, "mine")):
        assert waits.title not in signed_in(who).get(f"/questions/?show={show}").content.decode()

"""States of a thread: what may be done in which, the sentence and the filter of each, and merging."""

import threading
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from advocates import rebuild
from advocates.models import ReputationEntry
from community.core import clock
from community.core.errors import Conflict, NotAllowed
from community.escalation.models import Escalation
from community.events.models import Event
from community.moderation import services as moderation
from community.notifications.delivery import announce_due
from community.notifications.models import Notification
from community.posts import services as posts
from community.posts.models import Comment, Draft, Follow
from community.questions import facts, likes, services
from community.questions.models import Answer, Kind, MeToo, State, Thread, ThreadVote
from community.search import documents
from community.search.models import Document
from tests.factories import a_person, a_thread, an_answer

pytestmark = pytest.mark.django_db

# The matrix


def _replied(thread, asker, helper, staff):
    an_answer(thread, helper)


def _solved(thread, asker, helper, staff):
    services.accept_answer(an_answer(thread, helper), asker)


def _another_way(thread, asker, helper, staff):
    services.solve_another_way(thread, asker, "It went away by itself")


def _needs_info(thread, asker, helper, staff):
    services.ask_for_info(thread, staff, "Which series is it?")


def _duplicate(thread, asker, helper, staff):
    services.mark_duplicate(thread, staff, a_thread(kind=thread.kind))


def _closed(thread, asker, helper, staff):
    services.close_thread(thread, staff, "Not about coffee")


def _locked(thread, asker, helper, staff):
    services.lock_thread(thread, staff, reason="Going in circles")


def _reopened(thread, asker, helper, staff):
    _closed(thread, asker, helper, staff)
    services.reopen_thread(thread, staff)


def _merged(thread, asker, helper, staff):
    services.merge_thread(thread, a_thread(kind=thread.kind), staff, "The same")


def _remark(thread):
    """Said before its state was reached; it hangs on the first post."""
    return Comment.objects.create(target=thread, author=a_person(), body_source="And mine?", body_text="And mine?")


def _split(thread, staff):
    return services.split_thread(
        thread, staff, question=_remark(thread), title="Why does the other one drip", kind="question", reason="Another"
    )


STATES = {
    "no_reply": (lambda *_all: None, State.NO_REPLY),
    "replied": (_replied, State.REPLIED),
    "solved": (_solved, State.SOLVED),
    "another_way": (_another_way, State.SOLVED_ANOTHER_WAY),
    "needs_info": (_needs_info, State.NEEDS_INFO),
    "duplicate": (_duplicate, State.DUPLICATE),
    "closed": (_closed, State.CLOSED),
    "locked": (_locked, State.NO_REPLY),
    "reopened": (_reopened, State.REOPENED),
    "merged": (_merged, State.MERGED),
}
VERBS = {
    "solve": lambda t, asker, staff: services.solve_another_way(t, asker, "It went away"),
    "info": lambda t, asker, staff: services.ask_for_info(t, staff, "Since when?"),
    "duplicate": lambda t, asker, staff: services.mark_duplicate(t, staff, a_thread(kind=t.kind)),
    "merge": lambda t, asker, staff: services.merge_thread(t, a_thread(kind=t.kind), staff, "The same"),
    "close": lambda t, asker, staff: services.close_thread(t, staff, "Enough"),
    "reopen": lambda t, asker, staff: services.reopen_thread(t, staff, "Once more"),
    "lock": lambda t, asker, staff: services.lock_thread(t, staff, reason="Enough"),
    "status": lambda t, asker, staff: services.set_idea_status(t, staff, "planned", "For the spring"),
    "answer": lambda t, asker, staff: an_answer(t),
    "split": lambda t, asker, staff: _split(t, staff),
    "move": lambda t, asker, staff: services.move_posts(t, a_thread(), staff, comments=[_remark(t)], reason="There"),
}
SOLVABLE = {Kind.QUESTION, Kind.PROBLEM}
EVERYWHERE = set(VERBS) - {"reopen"}
ALLOWED = {
    "no_reply": EVERYWHERE,
    "replied": EVERYWHERE,
    "solved": (EVERYWHERE | {"reopen"}) - {"solve", "info"},
    "another_way": (EVERYWHERE | {"reopen"}) - {"solve", "info"},
    "needs_info": EVERYWHERE,
    "duplicate": {"duplicate", "merge", "reopen", "lock", "answer"},
    "closed": {"merge", "reopen", "lock"},
    "locked": EVERYWHERE - {"info", "answer", "split", "move"},
    "reopened": EVERYWHERE,
    "merged": set(),
}
ONLY_FOR = {"solve": SOLVABLE, "info": SOLVABLE | {Kind.IDEA}, "status": {Kind.IDEA}}


def _in_state(kind, state, asker, helper, staff):
    thread = a_thread(asker, kind=kind)
    STATES[state][0](thread, asker, helper, staff)
    return Thread.objects.get(pk=thread.pk)


@pytest.mark.once
@pytest.mark.parametrize("kind", Kind.values)
@pytest.mark.parametrize("state", STATES)
def test_every_verb_in_every_state_is_done_or_refused_with_a_reason(alice, bob, hanna, kind, state):
    if state in ("solved", "another_way") and kind not in SOLVABLE:
        pytest.skip("ideas and praise have no solution")
    if state == "needs_info" and kind == Kind.PRAISE:
        pytest.skip("praise is asked nothing")
    for verb, act in VERBS.items():
        thread = _in_state(kind, state, alice, bob, hanna)
        assert thread.state == STATES[state][1]
        before = Thread.objects.filter(pk=thread.pk).values().get()
        allowed = verb in ALLOWED[state] and kind in ONLY_FOR.get(verb, Kind.values)
        if allowed:
            act(thread, alice, hanna)
            continue
        with pytest.raises((Conflict, NotAllowed)) as refused:
            act(thread, alice, hanna)
        assert str(refused.value.reason).endswith("."), (verb, state)
        assert Thread.objects.filter(pk=thread.pk).values().get() == before


@pytest.mark.parametrize("state", [s for s in STATES if s != "merged"])
def test_each_state_has_its_sentence_on_the_page_and_its_filter(client, alice, bob, hanna, state):
    thread = _in_state("question", state, alice, bob, hanna)
    said = {
        "no_reply": "Nobody has replied yet", "replied": "There is a reply", "solved": "An answer settled it",
        "another_way": "Solved another way.", "needs_info": "Waiting for the asker", "duplicate": "asked before",
        "closed": "Not about coffee", "locked": "Going in circles", "reopened": "open again",
    }  # fmt: skip
    assert said[state] in client.get(thread.get_absolute_url()).content.decode()
    keys = {"no_reply": "none", "needs_info": "info"}
    page = client.get(reverse("questions:list"), {"state": keys.get(state, state)})
    assert thread in page.context["threads"]
    assert [chip[0] for chip in page.context["chips"]]


def test_locking_ends_the_wait_for_the_asker(thread, hanna):
    services.ask_for_info(thread, hanna, "Which series?")
    case = Escalation.objects.filter(thread=thread).first()
    services.lock_thread(thread, hanna, reason="Settled by phone")
    thread.refresh_from_db()
    assert thread.needs_info_since is None
    assert case is None or not Escalation.objects.get(pk=case.pk).is_paused


def test_what_is_open_again_waits_for_nobody(thread, hanna):
    services.ask_for_info(thread, hanna, "Which series?")
    services.close_thread(thread, hanna, "No reply for a year")
    services.reopen_thread(thread, hanna)
    assert (thread.state, thread.needs_info_since) == (State.REOPENED, None)


# Merging


@pytest.fixture
def other(bob, duo):
    """What Bob asked about the same matter."""
    return a_thread(bob, product=duo)


def test_everything_moves_once_per_person(thread, other, alice, bob, charlie, ravi):
    answer = an_answer(thread, charlie)
    remark = posts.comment(thread, charlie, body="The same here, since May.")
    on_answer = posts.comment(answer, alice, body="That helped a little.")
    both, here, there = a_person(), a_person(), a_person()
    for voter in (both, here, bob):
        services.vote_thread(thread, voter, 1)
        if voter != bob:
            services.set_me_too(thread, voter, True)
    services.vote_thread(other, both, -1)
    services.set_me_too(other, both, True)
    services.vote_thread(other, there, 1)
    services.vote_thread(other, alice, 1)
    posts.follow(other, both, Follow.Level.MUTED)
    posts.save_draft(here, f"answer:{thread.pk}", {"body": "I would first"})
    stands = services.merge_thread(thread, other, ravi, "The same valve")
    other.refresh_from_db()
    assert stands == other
    answer.refresh_from_db()
    assert (answer.thread, answer.moved_from_id) == (other, thread.pk)
    assert set(other.answers.all()) == {answer}
    assert {remark.pk} == set(Comment.objects.on(other).values_list("pk", flat=True))
    assert Comment.objects.get(pk=on_answer.pk).target == answer
    # A vote each: both's own one there stands, Bob's was on what is now his own thread.
    assert dict(ThreadVote.objects.filter(target=other).values_list("voter", "value")) == {
        both.pk: -1, here.pk: 1, there.pk: 1, alice.pk: 1,
    }  # fmt: skip
    assert not ThreadVote.objects.filter(target=thread).exists()
    assert other.score == 2
    assert set(MeToo.objects.filter(target=other).values_list("voter", flat=True)) == {both.pk, here.pk, alice.pk}
    assert other.me_too_count == 3
    level = dict(Follow.objects.filter(target_id=other.pk, target_type__model="thread").values_list("user", "level"))
    assert level[both.pk] == "muted" and level[alice.pk] == "watching" and here.pk in level
    assert not Follow.objects.filter(target_id=thread.pk, target_type__model="thread").exists()
    assert Draft.objects.get(user=here).key == f"answer:{other.pk}"
    assert (other.answer_count, other.state) == (1, State.REPLIED)
    thread.refresh_from_db()
    assert (thread.state, thread.answer_count, thread.score, thread.me_too_count) == (State.MERGED, 0, 0, 0)
    assert thread.product.thread_count == 1


def test_the_log_says_everything(thread, other, charlie, ravi):
    answer = an_answer(thread, charlie)
    services.vote_thread(thread, charlie, 1)
    services.merge_thread(thread, other, ravi, "The same valve")
    event = Event.objects.get(kind="thread.merged")
    assert (event.subject, event.actor, event.note.text) == (thread, ravi, "The same valve")
    assert (event.data["into"], event.data["answers"], event.data["votes"]) == (other.pk, [answer.pk], [charlie.pk])


def test_the_address_leads_there_for_good(thread, other, charlie, ravi, client):
    answer = an_answer(thread, charlie)
    old, short = thread.get_absolute_url(), reverse("questions:short", args=[thread.pk])
    services.merge_thread(thread, other, ravi, "The same valve")
    for visitor in (client, _as(charlie), _as(ravi)):
        for address in (old, short):
            found = visitor.get(address)
            assert (found.status_code, found["Location"]) == (301, other.get_absolute_url())
    found = client.get(f"{old}?sort=newest")
    assert found["Location"] == f"{other.get_absolute_url()}?sort=newest"
    page = client.get(other.get_absolute_url()).content.decode()
    assert f'id="answer-{answer.pk}"' in page  # the old anchor
    assert thread.title in page


def test_an_address_leads_nowhere_when_the_thread_that_stands_is_gone(thread, other, ravi, client):
    services.merge_thread(thread, other, ravi, "The same valve")
    moderation.hide(other, ravi, reason="Personal data")
    hidden = client.get(thread.get_absolute_url())
    assert hidden.status_code == 404 and other.title not in hidden.content.decode()
    moderation.delete(other, ravi)
    assert client.get(thread.get_absolute_url()).status_code == 410


def test_chains_are_one_step_long(thread, other, charlie, ravi, client):
    last, copy = a_thread(charlie), a_thread(charlie)
    services.mark_duplicate(copy, ravi, thread)
    an_answer(thread, charlie)
    services.merge_thread(thread, other, ravi, "The same")
    services.merge_thread(other, last, ravi, "The same")
    for source in (thread, other):
        source.refresh_from_db()
        assert source.merged_into == last
        assert client.get(source.get_absolute_url())["Location"] == last.get_absolute_url()
    copy.refresh_from_db()
    assert copy.duplicate_of == last
    assert last.answers.count() == 1


def test_into_what_was_merged_or_asked_before_goes_to_where_that_leads(thread, other, charlie, ravi):
    last, more = a_thread(charlie), a_thread(charlie)
    services.merge_thread(other, last, ravi, "The same")
    assert services.merge_thread(thread, other, ravi, "The same") == last
    services.mark_duplicate(more, ravi, last)
    assert services.merge_thread(a_thread(charlie), more, ravi, "The same") == last


def test_the_original_can_go_into_its_copy(thread, other, ravi):
    services.mark_duplicate(other, ravi, thread)
    assert services.merge_thread(thread, other, ravi, "The copy has the better answers") == other
    other.refresh_from_db()
    assert (other.duplicate_of, other.state) == (None, "no_reply")


def test_twice_is_harmless_and_back_is_refused(thread, other, charlie, ravi):
    an_answer(thread, charlie)
    services.merge_thread(thread, other, ravi, "The same")
    services.merge_thread(thread, other, ravi, "The same")
    assert Event.objects.filter(kind="thread.merged").count() == 1
    with pytest.raises(Conflict):
        services.merge_thread(other, thread, ravi, "And back")
    with pytest.raises(Conflict):
        moderation.restore(thread, ravi, reason="It was better apart")


def test_who_may_merge_what(thread, other, alice, charlie, ravi, dana):
    for stranger in (alice, charlie):
        with pytest.raises(NotAllowed):
            services.merge_thread(thread, other, stranger, "Mine now")
    with pytest.raises(ValidationError):
        services.merge_thread(thread, other, ravi, " ")
    with pytest.raises(Conflict, match="kinds"):
        services.merge_thread(thread, a_thread(kind="idea"), ravi, "The same")
    hidden = a_thread()
    moderation.hide(hidden, ravi, reason="Rude")
    with pytest.raises(Conflict, match="everybody sees"):
        services.merge_thread(thread, hidden, ravi, "The same")
    assert services.merge_thread(thread, other, dana, "The same") == other


def test_the_database_keeps_what_was_merged_out_of_sight(thread, other, ravi):
    services.merge_thread(thread, other, ravi, "The same")
    with pytest.raises(IntegrityError), transaction.atomic():
        Thread.objects.filter(pk=thread.pk).update(visibility="visible")


def test_what_the_other_asker_accepted_does_not_settle_this(thread, other, alice, bob, charlie, ravi):
    answer = an_answer(thread, charlie)
    services.accept_answer(answer, alice)
    services.merge_thread(thread, other, ravi, "The same")
    other.refresh_from_db()
    answer = Answer.objects.get(pk=answer.pk)
    assert answer.is_accepted and not answer.stands
    assert (other.state, other.solved_at) == (State.REPLIED, None)
    services.accept_answer(answer, bob)
    other.refresh_from_db()
    assert other.state == State.SOLVED and Answer.objects.get(pk=answer.pk).stands
    assert rebuild.rebuild(write=False).is_clean


def test_a_reply_counts_from_when_it_came(thread, other, charlie, ravi):
    an_answer(thread, charlie)
    with clock.travel(clock.now() + timedelta(days=2)):
        services.merge_thread(thread, other, ravi, "The same")
        other.refresh_from_db()
        assert other.first_reply_at == clock.now()


def test_points_stay_with_those_who_earned_them(thread, other, alice, bob, charlie, ravi):
    answer = an_answer(thread, charlie)
    voter = a_person()
    services.vote_thread(thread, voter, 1)
    services.vote_answer(answer, voter, 1)
    services.accept_answer(answer, alice)
    alice.refresh_from_db()
    charlie.refresh_from_db()
    before = (alice.reputation, charlie.reputation)
    services.merge_thread(thread, other, ravi, "The same")
    for person in (alice, bob, charlie):
        person.refresh_from_db()
    assert (alice.reputation, charlie.reputation, bob.reputation) == (*before, 1)
    assert rebuild.rebuild(write=False).is_clean
    # A vote that was cast on Alice's question and is taken back takes Alice's points.
    services.vote_thread(other, voter, 0)
    alice.refresh_from_db()
    assert alice.reputation == before[0] - 10
    # Cast again it is about Bob's.
    services.vote_thread(other, voter, 1)
    bob.refresh_from_db()
    assert bob.reputation == 11
    assert rebuild.rebuild(write=False).is_clean


def test_one_who_asked_both_has_accepted_in_both(alice, bob, charlie, ravi):
    first, second = a_thread(alice), a_thread(alice)
    services.accept_answer(an_answer(first, bob), alice)
    services.accept_answer(an_answer(second, charlie), alice)
    services.merge_thread(first, second, ravi, "Twice the same")
    second.refresh_from_db()
    assert second.state == State.SOLVED
    assert ReputationEntry.objects.filter(person=alice, reason="accepting").count() == 2
    assert rebuild.rebuild(write=False).is_clean


def test_search_forgets_the_one_and_finds_the_other_by_its_words(thread, other, ravi):
    documents.index_changes()
    assert Document.objects.filter(target_id=thread.pk, kind="question").exists()
    services.merge_thread(thread, other, ravi, "The same")
    assert not Document.objects.filter(url=thread.get_absolute_url()).exists()
    documents.index_changes()
    assert thread.title in Document.objects.get(url=other.get_absolute_url()).text


def test_people_are_told_once_and_their_notices_follow(thread, other, alice, bob, charlie, ravi):
    an_answer(thread, charlie)
    announce_due()
    assert Notification.objects.get(recipient=alice, kind="new_answer").target == thread
    posts.follow(thread, bob)
    services.merge_thread(thread, other, ravi, "The same valve")
    announce_due()
    announce_due()
    for person in (alice, bob, charlie):
        told = Notification.objects.filter(recipient=person, kind="thread_state")
        assert [notice.target for notice in told] == [other], person
    assert not Notification.objects.filter(recipient=ravi, kind="thread_state").exists()
    assert Notification.objects.get(recipient=alice, kind="new_answer").target == other
    assert "goes on in another thread" in _as(alice).get(reverse("notices:list")).content.decode()
    assert Notification.objects.get(recipient=alice, kind="thread_state").data["url"] == other.get_absolute_url()


def test_private_details_stay_with_their_asker(thread, other, alice, bob, dana, client):
    services.give_private_details(thread, alice, serial="DU2-SECRET", order_number="", phone="", note="")
    services.merge_thread(thread, other, dana, "The same valve")
    place = reverse("questions:private", args=[thread.pk])
    assert "DU2-SECRET" not in _as(bob).get(other.get_absolute_url()).content.decode()
    assert _as(bob).post(place).status_code == 403
    assert "DU2-SECRET" in _as(dana).post(place).content.decode()
    assert "DU2-SECRET" not in str(Event.objects.get(kind="thread.merged").data)
    assert _as(alice).post(place, {"serial": "DU2-OTHER"}).status_code == 303
    thread.private_details.refresh_from_db()
    assert thread.private_details.serial == "DU2-OTHER"


def test_the_asker_and_staff_find_the_private_details_of_a_merged_thread(
    thread, other, alice, bob, charlie, dana, ravi
):
    services.give_private_details(thread, alice, serial="DU2-SECRET", order_number="", phone="", note="")
    services.merge_thread(thread, other, dana, "The same valve")
    place = reverse("questions:merged", args=[thread.pk])
    for person in (alice, dana, ravi):
        assert f'href="{place}"' in _as(person).get(other.get_absolute_url()).content.decode()
    for person in (bob, charlie):
        assert place not in _as(person).get(other.get_absolute_url()).content.decode()
        assert _as(person).get(place).status_code == 404
        assert _as(person).post(place, {"title": "A title of my own for it"}).status_code == 404
    assert "DU2-SECRET" in _as(alice).get(place).content.decode()
    assert "DU2-SECRET" not in _as(ravi).get(place).content.decode()
    page = _as(dana).get(place).content.decode()
    assert "DU2-SECRET" not in page and "Show private details" in page  # each look is kept, so it takes a press
    saved = _as(alice).post(reverse("questions:private", args=[thread.pk]), {"serial": "DU2-OTHER"})
    assert saved["Location"] == place
    assert _as(alice).get(reverse("questions:merged", args=[other.pk])).status_code == 404
    moderation.hide(other, ravi, reason="Rude")
    assert _as(alice).get(place).status_code == 404


def test_a_title_under_also_asked_can_be_changed_and_taken_away(thread, other, alice, charlie, ravi, client):
    title = thread.title
    services.merge_thread(thread, other, ravi, "The same valve")
    place, page = reverse("questions:merged", args=[thread.pk]), other.get_absolute_url()
    assert title in client.get(page).content.decode()
    with pytest.raises(NotAllowed):
        services.retitle_merged(thread, charlie, title="Another title altogether", hidden=True)
    with pytest.raises(Conflict):
        services.retitle_merged(other, ravi, title="Another title altogether", hidden=True)
    assert _as(alice).post(place, {"title": "Another title altogether"}).status_code == 403
    short = _as(ravi).post(place, {"title": "Short", "reason": "A name stood in it"})
    assert short.status_code == 422 and 'value="Short"' in short.content.decode()
    documents.index_changes()
    for given in ({"title": "Another title altogether", "reason": "A name stood in it"},) * 2:
        assert _as(ravi).post(place, given).status_code == 303
    listed = client.get(page).content.decode()
    assert "Another title altogether" in listed and title not in listed
    assert Event.objects.filter(kind="thread.moved", subject_id=other.pk).count() == 1
    assert _as(ravi).post(place, {"title": "Another title altogether", "hidden": "on"}).status_code == 303
    assert "Another title" not in client.get(page).content.decode()
    for person in (alice, ravi):
        assert "Another title" in _as(person).get(page).content.decode()
    documents.index_changes()
    assert "Another title" not in Document.objects.get(target_id=other.pk, kind="question").text


def test_a_page_that_was_open_meanwhile_acts_on_the_thread_that_stands(thread, other, charlie, ravi):
    services.merge_thread(thread, other, ravi, "The same")
    visitor = _as(charlie)
    visitor.post(reverse("questions:vote", args=[thread.pk]), {"value": "1"})
    visitor.post(reverse("posts:comment", args=["thread", thread.pk]), {"body": "The same here."})
    other.refresh_from_db()
    assert other.score == 1
    assert Comment.objects.on(other).get().body_source == "The same here."


@pytest.mark.parametrize(
    ("place", "given"),
    [
        ("posts:delete", {"reason": "Rude words here"}),
        ("posts:moderate", {"reason": "Rude words here"}),
        ("posts:flag", {"reason": "spam", "note": "Rude words here"}),
        ("questions:manage", {"step": "close", "reason": "Rude words here"}),
        ("questions:manage", {"step": "lock", "reason": "Rude words here"}),
        ("questions:manage", {"step": "move", "title": "Quite another title here", "reason": "Rude words here"}),
        ("questions:suggest", {"title": "Quite another title here", "body": "Rude words here", "summary": "x"}),
    ],
)
def test_a_page_that_was_open_meanwhile_changes_nothing_of_the_thread_that_stands(thread, other, ravi, place, given):
    services.merge_thread(thread, other, ravi, "The same")
    before = Thread.objects.values().get(pk=other.pk)
    events = Event.objects.count()
    address = reverse(place, args=["thread", thread.pk] if place.startswith("posts") else [thread.pk])
    for response in (_as(ravi).post(address, given), _as(ravi).get(address)):
        page = response.content.decode()
        assert response.status_code == 409 and "merged already" in page and other.get_absolute_url() in page
        assert ("Rude words here" in page) == (response.wsgi_request.method == "POST")
    assert Thread.objects.values().get(pk=other.pk) == before and Event.objects.count() == events
    assert not other.edit_suggestions.exists()


def test_unlocking_needs_a_reason_too(thread, ravi):
    services.lock_thread(thread, ravi, reason="It grew loud.")
    place = reverse("questions:manage", args=[thread.pk])
    assert _as(ravi).post(place, {"step": "unlock"}).status_code == 422
    assert Thread.objects.get(pk=thread.pk).locked_at
    assert _as(ravi).post(place, {"step": "unlock", "reason": "It is calm again."}).status_code in (302, 303)
    assert Thread.objects.get(pk=thread.pk).locked_at is None
    assert Event.objects.filter(kind="thread.locked").latest("pk").note.text == "It is calm again."


def test_the_staff_page_shows_what_would_move_and_does_it(thread, other, charlie, ravi, dana):
    an_answer(thread, charlie)
    place = reverse("questions:merge", args=[thread.pk])
    assert Client().get(place).status_code == 302
    assert _as(charlie).get(place).status_code == 403
    page = _as(dana).get(place, {"of": str(other.pk)}).content.decode()
    assert other.title in page and "1 answer moves." in page and not Event.objects.filter(kind="thread.merged").exists()
    assert _as(dana).get(place, {"of": "999999"}).status_code == 422
    assert "itself" in _as(dana).get(place, {"of": str(thread.pk)}).content.decode()
    silent = _as(dana).post(place, {"of": other.pk})
    assert silent.status_code == 422 and "Say why" in silent.content.decode()
    done = _as(dana).post(place, {"of": other.pk, "reason": "The same valve"})
    assert (done.status_code, done["Location"]) == (303, other.get_absolute_url())
    assert place in _as(ravi).get(reverse("questions:manage", args=[other.pk])).content.decode().replace(
        f"/{other.pk}/merge/", f"/{thread.pk}/merge/"
    )


def test_threads_like_it_are_offered_and_any_may_be_named(thread, other, dana, ravi, monkeypatch):
    """For a merge, for “asked before” and for posts that belong elsewhere; the number is the other way."""
    idea, copy = a_thread(kind="idea"), a_thread()
    services.mark_duplicate(copy, dana, other)
    monkeypatch.setattr(likes, "_finders", [lambda found, by: [thread, idea, Thread.objects.get(pk=copy.pk), other]])
    place = reverse("questions:merge", args=[thread.pk])
    page = _as(dana).get(place).content.decode()
    assert page.count('type="radio"') == 2 and f'name="like" value="{other.pk}"' in page and other.title in page
    asked = _as(dana).get(place, {"like": str(other.pk), "of": ""}).content.decode()
    assert "What would happen" in asked and f'name="of" value="{other.pk}"' in asked
    for given, said in (({"of": "", "like": ""}, "Choose one above"), ({"of": "7", "like": str(other.pk)}, "not both")):
        refused = _as(dana).get(place, given)
        assert refused.status_code == 422 and said in refused.content.decode()

    steps = reverse("questions:manage", args=[thread.pk])
    assert f'name="like" value="{other.pk}"' in _as(dana).get(steps).content.decode()
    empty = _as(dana).post(steps, {"step": "duplicate", "like": "", "of": ""})
    assert empty.status_code == 422 and "Choose one above" in empty.content.decode()

    answer = an_answer(thread)
    moving = reverse("questions:move_posts", args=[thread.pk])
    given = {"posts": [f"answer-{answer.pk}"], "reason": "It belongs there"}
    bare = _as(ravi).post(moving, {**given, "like": ""}).content.decode()
    assert "Choose one above" in bare and "It belongs there" in bare
    assert _as(ravi).post(moving, {**given, "like": other.pk}).status_code == 303
    answer.refresh_from_db()
    assert answer.thread == other

    assert _as(dana).post(steps, {"step": "duplicate", "like": other.pk, "of": ""}).status_code == 303
    assert Thread.objects.get(pk=thread.pk).duplicate_of == other
    monkeypatch.setattr(likes, "_finders", [])
    page = _as(dana).get(reverse("questions:merge", args=[other.pk])).content.decode()
    assert 'type="radio"' not in page and 'name="of"' in page


def test_a_merged_thread_is_in_no_list_and_no_feed(thread, other, ravi, alice, client):
    services.merge_thread(thread, other, ravi, "The same")
    addresses = [reverse("questions:list"), reverse("questions:feed"), f"/people/{alice.username}/"]
    for address in addresses:
        assert thread.title not in client.get(address).content.decode(), address
    mine = _as(alice).get(reverse("questions:list"), {"show": "mine"})
    assert mine.context["threads"] == [other]  # where her question went


def _as(person):
    client = Client()
    client.force_login(person)
    return client


# A hidden thread and the points of its answers


def test_a_hidden_threads_answers_earn_nothing_until_it_is_back(thread, alice, charlie, ravi):
    answer = an_answer(thread, charlie)
    services.vote_answer(answer, a_person(), 1)
    services.accept_answer(answer, alice)
    charlie.refresh_from_db()
    had = charlie.reputation
    moderation.hide(thread, ravi, reason="Personal data")
    charlie.refresh_from_db()
    assert charlie.reputation == 1
    assert rebuild.rebuild(write=False).is_clean
    moderation.restore(thread, ravi)
    charlie.refresh_from_db()
    assert charlie.reputation == had
    assert rebuild.rebuild(write=False).is_clean


def test_an_answer_hidden_meanwhile_stays_without_points(thread, charlie, ravi):
    answer = an_answer(thread, charlie)
    services.vote_answer(answer, a_person(), 1)
    moderation.hide(thread, ravi, reason="Personal data")
    moderation.hide(answer, ravi, reason="Rude")
    moderation.restore(thread, ravi)
    charlie.refresh_from_db()
    assert charlie.reputation == 1
    moderation.hide(thread, ravi, reason="Once more")
    moderation.restore(answer, ravi)
    charlie.refresh_from_db()
    assert charlie.reputation == 1
    moderation.restore(thread, ravi)
    charlie.refresh_from_db()
    assert charlie.reputation == 11
    assert rebuild.rebuild(write=False).is_clean


def test_hidden_and_merged_in_turn_still_add_up(thread, other, charlie, ravi):
    answer = an_answer(thread, charlie)
    services.vote_answer(answer, a_person(), 1)
    moderation.hide(thread, ravi, reason="Personal data")
    moderation.restore(thread, ravi)
    services.merge_thread(thread, other, ravi, "The same")
    moderation.hide(other, ravi, reason="Personal data")
    charlie.refresh_from_db()
    assert charlie.reputation == 1
    assert rebuild.rebuild(write=False).is_clean
    moderation.restore(other, ravi)
    charlie.refresh_from_db()
    assert charlie.reputation == 11
    assert rebuild.rebuild(write=False).is_clean


def test_every_verb_is_known_to_the_table():
    assert set.union(*facts.TRANSITIONS.values()) == {
        "accept", "solve_another_way", "ask_for_info", "recheck", "duplicate", "merge", "split", "close", "lock",
        "reopen", "official", "idea_status",
    }  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_two_at_once_merge_once(alice, bob, charlie, ravi):
    one, two = a_thread(alice), a_thread(bob)
    an_answer(one, charlie)
    an_answer(two, charlie)
    done, refused = [], []

    def merge(a, b):
        try:
            done.append(services.merge_thread(Thread.objects.get(pk=a), Thread.objects.get(pk=b), ravi, "The same"))
        except Conflict as error:
            refused.append(error)
        finally:
            connection.close()

    runs = [threading.Thread(target=merge, args=pair) for pair in ((one.pk, two.pk), (two.pk, one.pk))]
    for run in runs:
        run.start()
    for run in runs:
        run.join(30)
    assert (len(done), len(refused)) == (1, 1)
    stands = Thread.objects.visible().get()
    assert stands.answers.count() == 2 and stands.answer_count == 2

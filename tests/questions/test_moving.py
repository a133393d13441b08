"""Posts that belong to another thread are moved there: what goes along, who hears of it, where old addresses lead."""

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from advocates import rebuild
from advocates.models import ReputationEntry
from community.core.errors import Conflict, NotAllowed
from community.escalation.models import Escalation
from community.events.models import Event
from community.notifications.delivery import announce_due
from community.notifications.models import Notification
from community.posts import services as posts
from community.posts.models import Comment
from community.questions import services
from community.questions.models import Answer, Split, State, Thread
from tests.factories import a_person, a_thread, an_answer
from tests.questions.test_pages import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def there(thread, charlie):
    """A thread that was there before, and another one, so that ids differ."""
    a_thread()
    return a_thread(charlie, title="How do I descale the second boiler")


@pytest.fixture
def said(thread, alice, bob, charlie):
    """Bob's answer that Alice accepted, Erin's about something else with a remark on it, and Charlie's remark."""
    solution = an_answer(thread, bob)
    services.accept_answer(solution, alice)
    other = an_answer(thread, a_person("erin"))
    services.vote_answer(other, alice, 1)
    on_it = posts.comment(other, alice, body="That is about the other boiler.")
    remark = posts.comment(thread, charlie, body="And mine drips from the second boiler.")
    thread.refresh_from_db()
    return solution, other, on_it, remark


def move(thread, there, by, *chosen, reason="It belongs there"):
    return services.move_posts(
        thread, there, by, reason=reason, answers=[post for post in chosen if isinstance(post, Answer)],
        comments=[post for post in chosen if isinstance(post, Comment)],
    )  # fmt: skip


def test_what_hangs_on_it_goes_along_once_and_points_stay(thread, there, said, ravi, alice):
    solution, other, on_it, remark = said
    ledger = list(ReputationEntry.objects.order_by("pk").values())
    assert move(thread, there, ravi, other, on_it, remark) == there
    other.refresh_from_db()
    assert (other.thread, other.moved_from, other.score) == (there, thread, 1)
    assert Comment.objects.get(pk=on_it.pk).target == other and Comment.objects.get(pk=remark.pk).target == there
    thread.refresh_from_db()
    there.refresh_from_db()
    assert (there.answer_count, there.state, there.first_reply_at) == (1, State.REPLIED, other.moved_at)
    assert (thread.answer_count, thread.state, thread.leading_solution) == (1, State.SOLVED, solution)
    assert list(ReputationEntry.objects.order_by("pk").values()) == ledger and rebuild.rebuild(write=False).is_clean
    made = Split.objects.get()
    assert (made.answers, made.comments, made.made_it, made.count) == ([other.pk], [remark.pk], False, 2)
    event = Event.objects.get(kind="thread.posts_moved")
    assert (event.subject, event.note.text, event.data["into"]) == (thread, "It belongs there", there.pk)
    assert move(thread, there, ravi, other, on_it, remark) == there, "twice is harmless"
    assert Event.objects.filter(kind="thread.posts_moved").count() == 1


def test_old_addresses_lead_on_and_back_again(thread, there, said, ravi, client):
    _solution, other, _on_it, remark = said
    move(thread, there, ravi, other, remark)
    page = client.get(thread.get_absolute_url()).content.decode()
    assert f'id="answer-{other.pk}"' in page and "A moderator moved a part of this to" in page
    lead = client.get(thread.get_absolute_url(), {"answer": other.pk})
    assert lead.status_code == 301 and lead["Location"].startswith(there.get_absolute_url())
    here = client.get(there.get_absolute_url()).content.decode()
    assert "A moderator moved 2 posts here from" in here and "moved here by a moderator" in here
    other.refresh_from_db()
    move(there, thread, ravi, other, Comment.objects.get(pk=remark.pk), reason="A mistake of mine")
    page = client.get(thread.get_absolute_url()).content.decode()
    assert page.count(f'id="answer-{other.pk}"') == 1 and "moved a part of this" not in page
    other.refresh_from_db()
    assert other.thread == thread and move(thread, there, ravi, other) == there


def test_cases_and_people_of_both(thread, there, said, ravi, alice, bob, charlie):
    solution, other, _on_it, remark = said
    case = Escalation.objects.get(thread=there)
    move(thread, there, ravi, solution, other)
    thread.refresh_from_db()
    there.refresh_from_db()
    assert thread.state == State.NO_REPLY and Escalation.objects.get(thread=thread).is_open, "it lost its solution"
    assert there.state == State.REPLIED, "what Alice accepted settles nothing of Charlie's"
    before, case = case.phase, Escalation.objects.get(pk=case.pk)
    assert case.is_open and case.phase != before, "a reply has come"
    while announce_due():
        pass
    told = Notification.objects.filter(verb__contains="goes on in another thread")
    people = [one.recipient for one in told]
    assert {alice, bob, charlie} <= {*people} and len(people) == len({*people})


def test_a_moved_solution_settles_the_same_askers_other_thread(thread, said, ravi, alice):
    solution, *_rest = said
    mine = a_thread(alice)
    move(thread, mine, ravi, solution)
    mine.refresh_from_db()
    assert mine.state == State.SOLVED and not Escalation.objects.get(thread=mine).is_open


def test_who_may_move_what_where(thread, there, said, ravi, dana, alice, hanna):
    _solution, other, _on_it, remark = said
    for person in (alice, dana):
        with pytest.raises(NotAllowed):
            move(thread, there, person, other)
    with pytest.raises(ValidationError, match="Say why"):
        move(thread, there, ravi, other, reason=" ")
    with pytest.raises(ValidationError, match="at least one"):
        move(thread, there, ravi)
    with pytest.raises(Conflict, match="stand in"):
        move(thread, thread, ravi, other)
    with pytest.raises(Conflict, match="Somebody moved"):
        move(there, thread, ravi, other)
    idea = a_thread(kind="idea")
    with pytest.raises(ValidationError, match="another kind"):
        move(thread, idea, ravi, other)
    assert move(thread, idea, ravi, remark) == idea, "a comment can stand anywhere"
    services.lock_thread(there, ravi, reason="Enough")
    with pytest.raises(Conflict, match="locked"):
        move(thread, there, ravi, other)
    services.lock_thread(there, ravi, on=False)
    merged = a_thread()
    services.merge_thread(merged, there, ravi, "The same")
    assert move(thread, merged, ravi, other) == there, "it is followed to the thread that stands"


def test_the_page(thread, there, said, ravi, bob, client):
    _solution, other, on_it, remark = said
    address = reverse("questions:move_posts", args=[thread.pk])
    assert client.get(address).status_code == 302 and signed_in(bob).get(address).status_code == 403
    moderator = signed_in(ravi)
    assert address in moderator.get(reverse("questions:manage", args=[thread.pk])).content.decode()
    told = {"posts": [f"answer-{other.pk}", f"comment-{remark.pk}"], "of": "99999", "reason": "It belongs there"}
    lost = moderator.post(address, told)
    assert lost.status_code == 422 and "There is no such thread." in lost.content.decode()
    assert "It belongs there" in lost.content.decode(), "what was typed is kept"
    assert "Choose at least one post." in moderator.post(address, {"of": str(there.pk)}).content.decode()
    told["of"] = there.get_absolute_url()
    assert moderator.post(address, told)["Location"] == there.get_absolute_url()
    assert moderator.post(address, told)["Location"] == there.get_absolute_url(), "a double click"
    assert Thread.objects.get(pk=there.pk).answer_count == 1

"""Splitting a thread: what moves, what stays, who hears of it, and where the old addresses lead."""

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from advocates import rebuild
from advocates.models import ReputationEntry
from community.core import clock
from community.core.errors import Conflict, NotAllowed
from community.escalation.models import Escalation
from community.events.models import Event
from community.moderation import services as moderation
from community.moderation.models import Flag
from community.notifications.delivery import announce_due
from community.notifications.models import Notification
from community.posts import services as posts
from community.posts.models import Comment, Follow, Revision, Upload
from community.questions import services
from community.questions.models import Answer, AnswerVote, FollowUpRequest, Split, State, Thread, WorksForMine
from community.search.models import IndexChange
from products.services import add_to_shelf
from tests.factories import a_person, a_thread, an_answer
from tests.questions.test_pages import signed_in
from tests.races import at_once

pytestmark = pytest.mark.django_db
TITLE = "How do I descale the second boiler"


def split(thread, by, question, *along, **given):
    told = {
        "question": question,
        "answers": [post for post in along if isinstance(post, Answer)],
        "comments": [post for post in along if isinstance(post, Comment)],
        "title": TITLE,
        "kind": "question",
        "reason": "Another matter",
        "product": thread.product,
        **given,
    }
    return services.split_thread(thread, by, **told)


@pytest.fixture
def said(thread, alice, bob, charlie):
    """An accepted answer by Bob, a remark of Charlie's that asks something else, and Bob's answer to that."""
    solution = an_answer(thread, bob)
    services.accept_answer(solution, alice)
    asks = posts.comment(thread, charlie, body="And how do I descale the second boiler of mine?")
    helps = an_answer(thread, a_person("erin"))
    thread.refresh_from_db()
    return solution, asks, helps


def test_everything_that_belongs_to_a_moved_answer_goes_along_once(thread, said, alice, bob, charlie, ravi, duo):
    solution, asks, helps = said
    remark = posts.comment(helps, alice, body="That helped a little.")
    services.vote_answer(helps, alice, 1)
    add_to_shelf(duo, charlie)
    services.say_works_for_mine(helps, charlie, works=True)
    flag = moderation.flag(helps, bob, reason="off_topic")
    services.edit_answer(helps, helps.author, body="Open the valve fully, and close it again seven times.")
    ledger = list(ReputationEntry.objects.order_by("pk").values())
    new = split(thread, ravi, asks, helps)

    assert (new.author, new.title, new.body_source) == (charlie, TITLE, asks.body_source)
    assert (new.kind, new.product, new.visibility, new.source_format) == ("question", duo, "visible", "plain")
    helps.refresh_from_db()
    assert (helps.thread, helps.moved_from, helps.moved_at) == (new, thread, new.created_at)
    assert (helps.score, helps.works_yes) == (1, 1)
    assert AnswerVote.objects.get(target=helps).voter == alice and WorksForMine.objects.get(target=helps)
    assert Comment.objects.get(pk=remark.pk).target == helps
    assert Flag.objects.get(pk=flag.pk).target == helps
    assert posts.latest_revision(helps) == 2
    new.refresh_from_db()
    thread.refresh_from_db()
    assert (new.answer_count, new.state, new.first_reply_at) == (1, State.REPLIED, new.created_at)
    assert (thread.answer_count, thread.state, thread.leading_solution) == (1, State.SOLVED, solution)
    assert thread.replied_at == solution.created_at, "the last word of another is not here any more"
    duo.refresh_from_db()
    assert (duo.thread_count, duo.solved_count) == (2, 1)
    assert list(ReputationEntry.objects.order_by("pk").values()) == ledger
    assert rebuild.rebuild(write=False).is_clean
    assert Revision.objects.get(target_type=ContentType.objects.get_for_model(Thread), target_id=new.pk).title == TITLE


def test_an_answer_can_be_the_question_and_keeps_its_points(thread, said, alice, bob, charlie, ravi, client):
    solution, asks, helps = said
    remark = posts.comment(helps, alice, body="That helped a little.")
    picture = Upload.objects.create(owner=helps.author, target=helps)
    flag = moderation.flag(helps, bob, reason="off_topic")
    services.vote_answer(helps, bob, 1)
    before = helps.author.__class__.objects.get(pk=helps.author_id).reputation
    assert before > 0
    old = helps.get_absolute_url()
    new = split(thread, ravi, helps, asks)

    assert (new.author, new.body_html) == (helps.author, helps.body_html)
    assert {asks.pk, remark.pk} == set(Comment.objects.on(new).values_list("pk", flat=True))
    picture.refresh_from_db()
    flag.refresh_from_db()
    assert picture.target == new == flag.target
    helps.refresh_from_db()
    assert (helps.visibility, helps.score, helps.thread) == ("deleted", 1, new)
    new.refresh_from_db()
    assert (new.answer_count, new.score) == (0, 0)
    with pytest.raises(Conflict, match="question"):
        moderation.restore(helps, ravi, reason="It was an answer")
    # What hiding takes, showing gives again, and the log says the same.
    moderation.hide(new, ravi, reason="A look")
    moderation.restore(new, ravi, reason="Fine")
    assert helps.author.__class__.objects.get(pk=helps.author_id).reputation == before
    assert rebuild.rebuild(write=False).is_clean

    found = client.get(f"{old.split('#')[0]}?answer={helps.pk}")
    assert (found.status_code, found["Location"]) == (301, new.get_absolute_url())


def test_old_addresses_lead_on(thread, said, ravi, client):
    solution, asks, helps = said
    new = split(thread, ravi, asks, helps)
    helps.refresh_from_db()
    found = client.get(f"{thread.get_absolute_url()}?answer={helps.pk}")
    assert (found.status_code, found["Location"]) == (301, helps.get_absolute_url())
    found = client.get(reverse("posts:comment_place", args=[asks.pk]))
    assert (found.status_code, found["Location"]) == (301, new.get_absolute_url())
    page = client.get(thread.get_absolute_url()).content.decode()
    assert f'<a id="answer-{helps.pk}" href="{new.get_absolute_url()}?answer={helps.pk}#answer-{helps.pk}"' in page
    assert f'<a id="comment-{asks.pk}" href="{new.get_absolute_url()}"' in page
    assert asks.body_source not in page
    page = client.get(new.get_absolute_url()).content.decode()
    assert thread.get_absolute_url() in page and f'id="answer-{helps.pk}"' in page
    # Merged once more, they lead further; hidden, they name nothing.
    moderation.hide(new, ravi, reason="A look")
    assert TITLE not in client.get(thread.get_absolute_url()).content.decode()
    assert client.get(reverse("posts:comment_place", args=[asks.pk])).status_code == 404


def test_marks_of_what_moves(thread, said, alice, dana, ravi, support):
    """What Alice accepted settles her thread, not Charlie's; an official answer settles wherever it stands."""
    solution, asks, helps = said
    assert FollowUpRequest.objects.get(answer=solution).done_at is None
    new = split(thread, ravi, asks, solution)
    thread.refresh_from_db()
    new.refresh_from_db()
    assert (thread.solved_at, thread.state, thread.leading_solution) == (None, State.REPLIED, None)
    assert (new.solved_at, new.state) == (None, State.REPLIED)
    solution.refresh_from_db()
    assert solution.accepted_by == alice and not solution.stands
    assert FollowUpRequest.objects.get(answer=solution).done_at is not None
    services.accept_answer(solution, new.author)
    new.refresh_from_db()
    assert new.state == State.SOLVED
    assert rebuild.rebuild(write=False).is_clean

    other = a_thread(alice)
    official = an_answer(other, dana)
    services.make_official(official, dana, support)
    with pytest.raises(Conflict, match="official"):
        split(other, ravi, official)
    begins = posts.comment(other, alice, body="And the second boiler of mine?")
    made = split(other, ravi, begins, official)
    made.refresh_from_db()
    other.refresh_from_db()
    assert made.official_at is not None and other.official_at is None


def test_cases_of_both(thread, alice, bob, charlie, ravi):
    asked = a_thread(alice)
    solution = an_answer(asked, bob)
    services.accept_answer(solution, alice)
    begins = posts.comment(asked, charlie, body="And the second boiler of mine?")
    assert not Escalation.objects.get(thread=asked).is_open
    new = split(asked, ravi, begins, solution)
    assert Escalation.objects.get(thread=new).is_open
    case = Escalation.objects.get(thread=asked)
    assert (case.is_open, case.round) == (True, 2), "it has lost its solution"


def test_everybody_concerned_is_told_once(thread, said, alice, bob, charlie, ravi, duo, hanna):
    solution, asks, helps = said
    muted, fan = a_person("muted"), a_person("fan")
    posts.follow(thread, muted, Follow.Level.MUTED)
    posts.follow(thread, fan)
    posts.follow(duo, fan)
    announce_due()
    answered = Event.objects.get(kind="answer.posted", subject_id=helps.pk)
    moved = Notification.objects.get(dedupe_key=f"event:{answered.pk}", recipient=alice)
    Notification.objects.exclude(pk=moved.pk).delete()
    new = split(thread, ravi, asks, helps)
    moved.refresh_from_db()
    assert (moved.target_object_id, moved.group_key) == (str(new.pk), f"questions.thread:{new.pk}")
    moved.delete()
    announce_due()
    told = list(Notification.objects.values_list("recipient__username", flat=True).order_by("recipient__username"))
    assert told == ["alice", "bob", "charlie", "erin", "fan"]
    notice = Notification.objects.get(recipient=fan)
    assert notice.data["url"].endswith(new.get_absolute_url()) and notice.kind == "thread_state"
    of_thread = ContentType.objects.get_for_model(Thread)
    follows = Follow.objects.filter(target_type=of_thread, target_id=new.pk)
    assert set(follows.values_list("user__username", flat=True)) == {"charlie", "erin"}


def test_the_log_and_the_index(thread, said, ravi):
    solution, asks, helps = said
    IndexChange.objects.all().delete()
    new = split(thread, ravi, asks, helps)
    event = Event.objects.get(kind="thread.split")
    assert (event.subject, event.actor, event.note.text, event.act) == (thread, ravi, "Another matter", True)
    assert event.data["into"] == new.pk and event.data["question"] == f"comment-{asks.pk}"
    assert event.data["answers"] == [helps.pk]
    assert event.note.changes["answers"] == [2, 1] and event.note.changes["title"] == [thread.title, TITLE]
    assert set(IndexChange.objects.values_list("target_id", flat=True)) >= {thread.pk, new.pk}
    assert Event.objects.filter(kind="thread.posted", subject_id=new.pk).count() == 1


def test_who_may_split_what(thread, said, alice, bob, charlie, dana, ravi):
    solution, asks, helps = said
    for stranger in (alice, charlie, dana):
        with pytest.raises(NotAllowed):
            split(thread, stranger, asks)
    with pytest.raises(ValidationError, match="Say why"):
        split(thread, ravi, asks, reason=" ")
    with pytest.raises(ValidationError, match="characters"):
        split(thread, ravi, asks, title="Short")
    with pytest.raises(ValidationError, match="another kind"):
        split(thread, ravi, asks, helps, kind="idea")
    with pytest.raises(Conflict, match="accepted"):
        split(thread, ravi, solution)
    with pytest.raises(Conflict, match="a moment ago"):
        split(thread, ravi, asks, an_answer())
    moderation.hide(helps, ravi, reason="A look")
    with pytest.raises(Conflict, match="a moment ago"):
        split(thread, ravi, asks, helps)
    for change in (
        {"locked_at": clock.now()}, {"closed_at": clock.now()}, {"visibility": "hidden"}, {"duplicate_of": a_thread()},
        {"kind": "idea", "source": "old"},
    ):  # fmt: skip
        Thread.objects.filter(pk=thread.pk).update(**change)
        with pytest.raises(Conflict):
            split(thread, ravi, asks)
        back = {"locked_at": None, "closed_at": None, "visibility": "visible", "duplicate_of": None,
                "kind": "question", "source": ""}  # fmt: skip
        Thread.objects.filter(pk=thread.pk).update(**back)
    other = a_thread(alice)
    services.merge_thread(thread, other, ravi, "The same")
    with pytest.raises(Conflict, match="merged"):
        split(thread, ravi, asks)
    assert not Split.objects.exists()


def test_twice_is_harmless_and_something_else_is_refused(thread, said, ravi):
    solution, asks, helps = said
    new = split(thread, ravi, asks, helps)
    assert split(thread, ravi, asks, helps) == new
    assert Split.objects.count() == Event.objects.filter(kind="thread.split").count() == 1
    with pytest.raises(Conflict, match="a moment ago"):
        split(thread, ravi, asks)
    with pytest.raises(Conflict, match="a moment ago"):
        split(thread, ravi, helps)


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_wins(thread, said, ravi):
    solution, asks, helps = said
    problems = at_once([lambda: split(thread, ravi, asks, helps), lambda: split(thread, ravi, helps)])
    assert len(problems) == 1 and isinstance(problems[0], Conflict), problems
    assert Split.objects.count() == Thread.objects.exclude(pk=thread.pk).count() == 1


def test_the_page(thread, said, ravi, bob, dana, client):
    solution, asks, helps = said
    address = reverse("questions:split", args=[thread.pk])
    assert client.get(address).status_code == 302
    assert signed_in(bob).get(address).status_code == 403
    assert signed_in(dana).get(address).status_code == 403
    moderator = signed_in(ravi)
    assert address in moderator.get(reverse("questions:manage", args=[thread.pk])).content.decode()
    assert address not in signed_in(dana).get(reverse("questions:manage", args=[thread.pk])).content.decode()
    page = moderator.get(address).content.decode()
    for post in (solution, asks, helps):
        assert f'value="{post.noun}-{post.pk}"' in page
    assert thread.title in page
    given = {"title": TITLE, "kind": "question", "product": "duo", "tags": "boiler", "reason": "Another matter"}
    empty = moderator.post(address, given)
    assert empty.status_code == 422 and "Choose the post that becomes the question." in empty.content.decode()
    assert TITLE in empty.content.decode(), "what was typed is kept"
    told = {**given, "question": f"comment-{asks.pk}", "along": [f"answer-{helps.pk}"]}
    done = moderator.post(address, told)
    new = Thread.objects.get(title=TITLE)
    assert done["Location"] == new.get_absolute_url()
    assert [tag.name for tag in new.tags.all()] == ["boiler"] and new.answers.get() == helps
    assert moderator.post(address, told)["Location"] == new.get_absolute_url(), "a double click"
    late = moderator.post(address, {**told, "title": "Something else altogether"})
    assert late.status_code == 409 and "Something else altogether" in late.content.decode()


def test_only_a_thread_that_was_split_asks_for_more_and_once(thread, said, alice, ravi, bob, client):
    solution, asks, helps = said

    def costs(visitor, address):
        visitor.get(address)  # this visit is noted
        with CaptureQueriesContext(connection) as asked:
            assert visitor.get(address).status_code == 200
        return len(asked)

    address, visitors = thread.get_absolute_url(), (signed_in(bob), client)
    before = [costs(visitor, address) for visitor in visitors]
    new = split(thread, ravi, asks, helps)
    for visitor, was in zip(visitors, before, strict=True):
        for place in (address, new.get_absolute_url()):
            assert costs(visitor, place) <= was + 1

"""The ideas board: few votes, nine statuses, and everybody told who wanted it."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from community.accounts.models import User
from community.core import panels
from community.core.errors import Conflict, NotAllowed
from community.core.models import Delivery, Numbers
from community.events.models import Event
from community.moderation import services as moderation
from community.notifications import delivery
from community.notifications.delivery import announce_due
from community.notifications.models import Announcement, Notification
from community.notifications.services import prefer
from community.posts.services import follow
from community.questions import ideas, services
from community.questions.ideas import LINKED
from community.questions.models import IdeaStatus, IdeaStep, Thread, ThreadVote
from community.sharing.models import Tip
from products.models import Product
from tests import factories

HTMX = {"HX-Request": "true"}


def an_idea(by: User | None = None, **fields: Any) -> Thread:
    return factories.a_thread(by, kind="idea", **fields)


def make(thread: Thread, by: User, status: str, reason: str = "We looked at it.", link: str = "") -> None:
    services.set_idea_status(thread, by, status, reason, link)


def parallel(*works: Callable[[], Any]) -> list[str]:
    """Run each in a thread of its own with a connection of its own; the names of what they raised."""
    start = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> None:
        try:
            start.wait(10)
            work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        ended = [pool.submit(run, work) for work in works]
    return [type(one.exception()).__name__ for one in ended if one.exception()]


# Votes


@pytest.mark.parametrize(("trust", "most"), [(0, 2), (1, 4), (2, 6), (3, 10)])
def test_votes_by_trust(db: None, trust: int, most: int) -> None:
    voter = factories.a_person(trust=trust)
    for _ in range(most):
        services.vote_thread(an_idea(), voter, 1)
    assert ideas.purse_of(voter) == (most, most)
    with pytest.raises(services.NoVotesLeft):
        services.vote_thread(an_idea(), voter, 1)
    assert ThreadVote.objects.filter(voter=voter).count() == most


def test_a_manager_turns_the_number(db: None, bob: User) -> None:
    Numbers.objects.create(idea_votes_member=1)
    first = an_idea()
    services.vote_thread(first, bob, 1)
    with pytest.raises(services.NoVotesLeft):
        services.vote_thread(an_idea(), bob, 1)
    services.vote_thread(first, bob, 1)  # twice is harmless, with no vote left too
    assert first.score == 1
    services.vote_thread(first, bob, 0)
    services.vote_thread(an_idea(), bob, 1)


def test_votes_on_questions_are_not_counted(bob: User, thread: Thread) -> None:
    services.vote_thread(thread, bob, 1)
    assert ideas.purse_of(bob) == (4, 0)


def test_ideas_are_voted_up_only(bob: User, hanna: User) -> None:
    idea = an_idea()
    with pytest.raises(NotAllowed):
        services.vote_thread(idea, bob, -1)
    with pytest.raises(ValidationError):
        services.add_vote_rows(idea, value=-1, rows=[("1", idea.created_at)], source="elsewhere")
    idea.refresh_from_db()
    assert idea.score == 0


def closed(idea: Thread, dana: User, ravi: User) -> dict[str, Callable[[], Any]]:
    return {
        "shipped": lambda: make(idea, dana, "shipped", link="https://example.org/notes"),
        "declined": lambda: make(idea, dana, "declined"),
        "exists": lambda: make(idea, dana, "exists", link="/"),
        "closed": lambda: services.close_thread(idea, dana, "Talked over."),
        "duplicate": lambda: services.mark_duplicate(idea, dana, an_idea()),
        "hidden": lambda: moderation.hide(idea, ravi, reason="Off topic."),
    }


@pytest.mark.parametrize("how", ["shipped", "declined", "exists", "closed", "duplicate", "hidden"])
def test_a_vote_comes_back_when_the_idea_closes_and_stays_counted(bob: User, dana: User, ravi: User, how: str) -> None:
    idea = an_idea()
    services.vote_thread(idea, bob, 1)
    assert ideas.purse_of(bob).left == 3
    closed(idea, dana, ravi)[how]()
    assert ideas.purse_of(bob).left == 4
    idea.refresh_from_db()
    assert idea.score == 1 and idea.votes.count() == 1
    for value in (0, 1):
        if how in ("duplicate", "hidden") and value == 0:
            continue
        with pytest.raises(NotAllowed):
            services.vote_thread(idea, factories.a_person() if value else bob, value)


@pytest.mark.parametrize("status", ["in_review", "planned", "in_progress", "needs_info", "future"])
def test_a_vote_stays_out_while_the_idea_is_open(bob: User, dana: User, status: str) -> None:
    idea = an_idea()
    services.vote_thread(idea, bob, 1)
    make(idea, dana, status)
    assert ideas.purse_of(bob).out == 1


def test_opened_again_it_is_taken_again_even_over_the_limit(bob: User, dana: User) -> None:
    idea = an_idea()
    services.vote_thread(idea, bob, 1)
    make(idea, dana, "declined")
    for _ in range(4):
        services.vote_thread(an_idea(), bob, 1)
    make(idea, dana, "in_review", "The new pump bears it.")
    assert ideas.purse_of(bob) == (4, 5) and ideas.purse_of(bob).left == 0
    with pytest.raises(services.NoVotesLeft):
        services.vote_thread(an_idea(), bob, 1)
    services.vote_thread(idea, bob, 0)
    with pytest.raises(services.NoVotesLeft):
        services.vote_thread(an_idea(), bob, 1)


def test_moved_rows_need_nothing_special(bob: User, charlie: User) -> None:
    """A merge moves each person's row or drops it: the budget is read from the rows."""
    one, other = an_idea(), an_idea()
    services.vote_thread(one, bob, 1)
    services.vote_thread(other, bob, 1)
    services.vote_thread(one, charlie, 1)
    ThreadVote.objects.filter(target=one, voter=bob).delete()
    ThreadVote.objects.filter(target=one).update(target=other)
    assert (ideas.purse_of(bob).out, ideas.purse_of(charlie).out) == (1, 1)
    with pytest.raises(IntegrityError), transaction.atomic():
        ThreadVote.objects.create(target=other, voter=bob, value=1)


def test_a_locked_idea_gives_a_vote_back_and_takes_none(bob: User, charlie: User, ravi: User) -> None:
    idea = an_idea()
    services.vote_thread(idea, bob, 1)
    services.lock_thread(idea, ravi, True, "Too loud.")
    with pytest.raises(NotAllowed):
        services.vote_thread(idea, charlie, 1)
    services.vote_thread(idea, bob, 0)
    assert ideas.purse_of(bob).out == 0


@pytest.mark.django_db(transaction=True)
def test_two_votes_at_once_with_one_left() -> None:
    voter = factories.a_person(trust=0)
    services.vote_thread(an_idea(), voter, 1)
    first, second = an_idea(), an_idea()

    def vote(idea: Thread) -> Callable[[], Any]:
        return lambda: services.vote_thread(Thread.objects.get(pk=idea.pk), User.objects.get(pk=voter.pk), 1)

    assert parallel(vote(first), vote(second)) == ["NoVotesLeft"]
    assert ThreadVote.objects.filter(voter=voter).count() == 2
    assert sorted(Thread.objects.filter(pk__in=[first.pk, second.pk]).values_list("score", flat=True)) == [0, 1]


@pytest.mark.django_db(transaction=True)
def test_the_same_vote_many_times_at_once_counts_one() -> None:
    voter, idea = factories.a_person(), an_idea()
    vote = lambda: services.vote_thread(Thread.objects.get(pk=idea.pk), User.objects.get(pk=voter.pk), 1)  # noqa: E731
    assert parallel(*[vote] * 8) == []
    idea.refresh_from_db()
    assert (idea.score, idea.votes.count(), ideas.purse_of(voter).out) == (1, 1, 1)


# Statuses


def test_a_status_is_kept_with_who_when_and_why(alice: User, dana: User, wednesday: Any) -> None:
    idea = an_idea(alice)
    make(idea, dana, "in_review", "Passed to Design.")
    make(idea, dana, "planned", "For the spring.")
    steps = list(IdeaStep.objects.filter(thread=idea).order_by("pk"))
    assert [(s.status, s.previous, s.by_id, s.reason, s.at) for s in steps] == [
        ("in_review", "new", dana.pk, "Passed to Design.", wednesday),
        ("planned", "in_review", dana.pk, "For the spring.", wednesday),
    ]
    assert (idea.idea_status, idea.idea_reason) == ("planned", "For the spring.")
    events = Event.objects.filter(kind="idea.status_changed").order_by("pk")
    assert [event.data["step"] for event in events] == [step.pk for step in steps]


def test_only_staff_says_what_becomes_of_an_idea(alice: User, bob: User) -> None:
    idea = an_idea(alice)
    for person in (alice, bob):
        with pytest.raises(NotAllowed):
            make(idea, person, "planned")
    assert not IdeaStep.objects.exists()


@pytest.mark.parametrize(
    ("status", "reason", "link", "field"),
    [
        ("declined", "  ", "", "reason"),
        ("needs_info", "", "", "reason"),
        ("planned", "", "", "reason"),
        ("shipped", "Done.", "", "link"),
        ("shipped", "Done.", "notes in the forum", "link"),
        ("shipped", "Done.", "http://example.org/notes", "link"),
        ("shipped", "Done.", "javascript:alert(1)", "link"),
        ("shipped", "Done.", "//example.org/notes", "link"),
        ("shipped", "Done.", "https://[a", "link"),
        ("shipped", "Done.", f"{settings.BASE_URL}//[a", "link"),
        ("shipped", "Done.", "/help/there-is-no-such-page/", "link"),
        ("shipped", "Done.", "/settings/", "link"),
        ("exists", "Look.", "", "link"),
        ("exists", "Look.", "/questions/999999/x/", "link"),
        ("planned", "Soon.", "https://example.org/", "link"),
        ("never", "Soon.", "", "status"),
    ],
)
def test_what_a_status_asks_for(alice: User, dana: User, status: str, reason: str, link: str, field: str) -> None:
    idea = an_idea(alice)
    with pytest.raises(ValidationError) as refused:
        make(idea, dana, status, reason, link)
    assert field in refused.value.message_dict
    idea.refresh_from_db()
    assert (idea.idea_status, idea.idea_steps.count()) == ("new", 0)


def test_links_lead_to_what_everybody_can_read(alice: User, dana: User, ravi: User, thread: Thread) -> None:
    tip: Tip = factories.a_tip()
    for link in (
        "https://example.org/notes?v=2",
        thread.get_absolute_url(),
        tip.get_absolute_url(),
        "https://www.example.org/notes",
        "/",
    ):
        idea = an_idea()
        make(idea, dana, "exists", "It is there.", link)
        assert idea.idea_link == link
    moderation.hide(tip, ravi, reason="Wrong.")
    with pytest.raises(ValidationError):
        make(an_idea(), dana, "exists", "It is there.", tip.get_absolute_url())


def test_ways_an_idea_cannot_go(alice: User, dana: User, thread: Thread) -> None:
    idea = an_idea(alice)
    make(idea, dana, "in_review")
    with pytest.raises(Conflict):
        make(idea, dana, "new")
    make(idea, dana, "declined")
    for status in ("shipped", "exists"):
        with pytest.raises(Conflict):
            make(idea, dana, status, link="https://example.org/")
    with pytest.raises(Conflict):
        make(thread, dana, "planned")
    make(idea, dana, "planned")
    services.close_thread(idea, dana, "Talked over.")
    with pytest.raises(Conflict):
        make(idea, dana, "in_progress")
    assert [s.status for s in idea.idea_steps.order_by("pk")] == ["in_review", "declined", "planned"]


def test_the_same_status_mends_the_reason_and_tells_nobody(alice: User, dana: User, hanna: User) -> None:
    idea = an_idea(alice)
    make(idea, dana, "planned", "For the sprnig.")
    make(idea, dana, "planned", "For the spring.")
    assert [s.reason for s in idea.idea_steps.all()] == ["For the spring."]
    assert Event.objects.filter(kind="idea.status_changed").count() == 1
    with pytest.raises(Conflict):
        make(idea, hanna, "planned", "For the autumn.")
    make(idea, hanna, "planned", "For the spring.")  # nothing changes: harmless
    assert idea.idea_reason == "For the spring."


# Pages


@pytest.fixture
def board(alice: User, dana: User, duo: Product) -> dict[str, Thread]:
    found = {status: an_idea(alice, product=duo if status != "planned" else None) for status in IdeaStatus.values}
    for status, idea in found.items():
        if status != "new":
            make(idea, dana, status, f"Because of {status}.", "https://example.org/n" if status in LINKED else "")
    return found


def titles(client: Client, query: str = "") -> set[str]:
    return {thread.title for thread in client.get(f"/ideas/{query}").context["threads"]}


def test_the_board_filters_by_status_and_product(client: Client, board: dict[str, Thread]) -> None:
    for status, idea in board.items():
        assert titles(client, f"?status={status}") == {idea.title}
    assert titles(client, "?status=planned&status=new") == {board["planned"].title, board["new"].title}
    assert titles(client, "?show=coming") == {board["planned"].title, board["in_progress"].title}
    assert titles(client, "?show=coming&product=duo") == {board["in_progress"].title}
    for wrong in ("?status=nothing", "?show=nothing", "?product=nothing", "?sort=nothing", "?after=x"):
        assert client.get(f"/ideas/{wrong}").status_code == 404


def test_counts_say_what_choosing_gives(client: Client, board: dict[str, Thread], ravi: User) -> None:
    moderation.hide(an_idea(), ravi, reason="Spam.")
    context = client.get("/ideas/?product=duo").context
    assert {s.value: n for s, n, _on in context["status_facet"]} == {s: int(s != "planned") for s in IdeaStatus.values}
    assert {str(word): n for word, n, _a, _on in context["tabs"]} == {
        "All": 8, "Open": 4, "Coming": 1, "Shipped": 1, "Not planned": 2,
    }  # fmt: skip
    assert context["total"] == 8 and context["all"] == 9
    for _word, count, address, _on in context["tabs"]:
        assert client.get(address).context["total"] == count == len(titles(client, address.removeprefix("/ideas/")))


def test_sorts(client: Client, board: dict[str, Thread], bob: User, charlie: User) -> None:
    for voter in (bob, charlie):
        services.vote_thread(board["future"], voter, 1)
    services.vote_thread(board["planned"], bob, 1)
    rows = client.get("/ideas/").context["threads"]
    assert [rows[0].pk, rows[1].pk] == [board["future"].pk, board["planned"].pk]
    assert client.get("/ideas/?sort=newest").context["threads"][0].pk == board["exists"].pk
    services.post_answer(board["new"], bob, body="I would like this as well, for the left hand.")
    assert client.get("/ideas/?sort=active").context["threads"][0].pk == board["new"].pk


def test_every_list_that_is_empty_says_what_to_do(client: Client, db: None) -> None:
    assert "Nobody has proposed anything yet" in client.get("/ideas/").content.decode()
    an_idea()
    assert "Nothing has shipped yet" in client.get("/ideas/?show=shipped").content.decode()
    assert "No idea fits these filters" in client.get("/ideas/?status=declined").content.decode()


def queries(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    return len(asked)


def test_the_board_costs_the_same_with_many(client: Client, board: dict[str, Thread], bob: User) -> None:
    before = queries(client, "/ideas/")
    client.force_login(bob)
    signed_in = queries(client, "/ideas/")
    for _ in range(8):
        services.vote_thread(an_idea(product=factories.a_product()), factories.a_person(), 1)
    assert queries(client, "/ideas/") == signed_in <= 10
    client.logout()
    assert queries(client, "/ideas/") == before <= 10


def test_the_board_says_how_many_votes_are_left(client: Client, board: dict[str, Thread], bob: User) -> None:
    assert "Your votes" not in client.get("/ideas/").content.decode()
    client.force_login(bob)
    answer = client.post(f"/questions/thread/{board['new'].pk}/vote/", {"value": "1"}, headers=HTMX)
    html = answer.content.decode()
    assert 'aria-pressed="true"' in html and 'id="votes-left" hx-swap-oob="true"' in html
    assert "3 of your 4 votes are left." in html
    assert "3 of your 4 votes are left." in client.get("/ideas/").content.decode()
    assert "3 of your 4 votes are left." in client.get(board["new"].get_absolute_url()).content.decode()


def test_refused_with_the_reason_and_where_the_votes_are(client: Client, bob: User) -> None:
    given, wanted = [an_idea() for _ in range(4)], an_idea()
    for idea in given:
        services.vote_thread(idea, bob, 1)
    client.force_login(bob)
    address = f"/questions/thread/{wanted.pk}/vote/"
    page = client.post(address, {"value": "1"})
    html = page.content.decode()
    assert page.status_code == 403 and "you have 4" in html
    assert all(idea.title in html for idea in [*given, wanted])
    quick = client.post(address, {"value": "1"}, headers=HTMX)
    assert quick.headers["HX-Redirect"] == f"/ideas/votes/?for={wanted.pk}"
    back = client.post(f"/questions/thread/{given[0].pk}/vote/", {"value": "0", "next": quick.headers["HX-Redirect"]})
    assert (back.status_code, back.headers["Location"]) == (303, quick.headers["HX-Redirect"])
    assert "A vote is free for it now." in client.get(back.headers["Location"]).content.decode()
    client.post(address, {"value": "1", "next": "https://evil.example/"})
    assert ideas.purse_of(bob).out == 4
    wanted.refresh_from_db()
    assert wanted.score == 1


def test_votes_are_ones_own(client: Client, bob: User, charlie: User, dana: User) -> None:
    mine, done = an_idea(), an_idea()
    services.vote_thread(mine, bob, 1)
    services.vote_thread(done, bob, 1)
    make(done, dana, "declined", "It would break the seal.")
    assert client.get("/ideas/votes/").status_code == 302
    client.force_login(bob)
    context = client.get("/ideas/votes/").context
    assert [t.pk for t in context["out"]] == [mine.pk] and [t.pk for t in context["returned"]] == [done.pk]
    client.force_login(charlie)
    context = client.get(f"/ideas/votes/?for={mine.pk}").context
    assert not context["out"] and not context["returned"] and context["wanted"].pk == mine.pk
    assert client.get("/ideas/votes/?for=nothing").context["wanted"] is None
    assert client.post("/ideas/votes/").status_code == 405


def test_staff_sets_the_status_on_the_ideas_page(client: Client, bob: User, dana: User) -> None:
    idea = an_idea()
    address = f"/questions/thread/{idea.pk}/steps/"
    client.force_login(bob)
    assert "Set the status" not in client.get(idea.get_absolute_url()).content.decode()
    given = {"step": "status", "status": "shipped", "reason": "In firmware 2.4.", "link": ""}
    assert client.post(address, given).status_code == 403
    client.force_login(dana)
    assert "Set the status" in client.get(idea.get_absolute_url()).content.decode()
    refused = client.post(address, given)
    html = refused.content.decode()
    assert refused.status_code == 422 and "release note" in html and "In firmware 2.4." in html
    assert client.post(address, {**given, "link": "https://example.org/2-4"}).status_code == 303
    html = client.get(idea.get_absolute_url()).content.decode()
    assert "In firmware 2.4." in html and 'href="https://example.org/2-4"' in html and "Dana" in html
    assert "The way so far" in html


def test_the_page_of_an_idea_costs_the_same_with_a_long_way(client: Client, bob: User, dana: User) -> None:
    idea = an_idea()
    make(idea, dana, "in_review")
    client.force_login(bob)
    before = queries(client, idea.get_absolute_url())
    for number in range(6):
        make(idea, dana, ("planned", "in_progress")[number % 2], f"Step {number}.")
        services.vote_thread(idea, factories.a_person(), 1)
    assert queries(client, idea.get_absolute_url()) == before <= 15


# News


def news_of(idea: Thread) -> dict[str, list[str]]:
    announce_due()
    told: dict[str, list[str]] = {}
    group = f"questions.thread:{idea.pk}"
    for notice in Notification.objects.filter(group_key=group).select_related("recipient").order_by("pk"):
        told.setdefault(notice.recipient.username, []).append(notice.kind)
    return told


def test_author_voters_and_followers_are_told_once_by_the_worker(
    alice: User, bob: User, charlie: User, dana: User, hanna: User
) -> None:
    idea = an_idea(alice)
    muted, stranger, both = factories.a_person("muted"), factories.a_person("stranger"), factories.a_person("both")
    for voter in (bob, muted, both):
        services.vote_thread(idea, voter, 1)
    for follower in (charlie, both, dana):
        follow(idea, follower)
    follow(idea, muted, "muted")
    announce_due()
    Notification.objects.all().delete()
    make(idea, dana, "declined", "The pump does not bear it.")
    assert not Notification.objects.exists()  # nothing in the request
    told = news_of(idea)
    assert told == {"alice": ["own_idea"], "bob": ["idea_status"], "charlie": ["idea_status"], "both": ["idea_status"]}
    assert stranger.username not in told
    announce_due()
    assert news_of(idea) == told
    mails = {d.user.username: d for d in Delivery.objects.filter(subject__startswith="Declined: ")}
    assert set(mails) == set(told)
    assert "your idea" in mails["alice"].body_text and "that vote is yours again" in mails["bob"].body_text
    assert all("The pump does not bear it." in mail.body_text for mail in mails.values())


def test_mail_as_chosen_and_stopped_with_one_click(client: Client, alice: User, bob: User, dana: User) -> None:
    idea, quiet = an_idea(alice), factories.a_person("quiet")
    services.vote_thread(idea, bob, 1)
    services.vote_thread(idea, quiet, 1)
    prefer(quiet, "idea_status", mail=False)
    make(idea, dana, "planned", "For the spring.")
    assert "quiet" in news_of(idea)
    mails = Delivery.objects.filter(kind="notice", data__kind="idea_status")
    assert [mail.user.username for mail in mails] == ["bob"]
    headers = mails[0].headers
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = urlsplit(headers["List-Unsubscribe"].strip("<>")).path
    assert client.post(address, {"List-Unsubscribe": "One-Click"}).status_code == 200
    make(idea, dana, "in_progress", "On ten machines.")
    assert news_of(idea)["bob"] == ["idea_status"] * 2
    assert Delivery.objects.filter(data__kind="idea_status").count() == 1
    assert Delivery.objects.filter(data__kind="own_idea", user=alice).count() == 2  # another kind, not stopped
    client.force_login(bob)
    page = client.get("/settings/notifications/").content.decode()
    assert "News about an idea you voted for or follow" in page and "News about an idea of yours" in page


def test_two_steps_before_the_worker_are_told_as_two(alice: User, dana: User) -> None:
    idea = an_idea(alice)
    make(idea, dana, "planned", "For the spring.")
    make(idea, dana, "shipped", "In firmware 2.4.", "https://example.org/2-4")
    announce_due()
    verbs = list(Notification.objects.filter(kind="own_idea").order_by("pk").values_list("verb", flat=True))
    assert [verb.rsplit(": ")[-1] for verb in verbs] == ["Planned", "Shipped"]
    first, second = Delivery.objects.filter(data__kind="own_idea").order_by("pk")
    assert "For the spring." in first.body_text and "https://example.org/2-4" not in first.body_text
    assert "In firmware 2.4." in second.body_text and "https://example.org/2-4" in second.body_text


def test_many_voters_are_told_in_batches_and_a_dead_worker_leaves_the_rest(
    alice: User, dana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "BATCH", 20)
    idea = an_idea(alice)
    people = User.objects.bulk_create(
        User(username=f"v{n}", username_key=f"v{n}", email=f"v{n}@example.org") for n in range(90)
    )
    people = list(User.objects.filter(username__in=[person.username for person in people]))
    ThreadVote.objects.bulk_create(ThreadVote(target=idea, voter=person, value=1) for person in people)
    announce_due()
    make(idea, dana, "planned", "For the spring.")
    put_down, batches = delivery._put_down, []

    def dies(notices: Any, mails: Any) -> None:
        batches.append(len(notices))
        if len(batches) == 3:
            raise RuntimeError("killed")
        put_down(notices, mails)

    monkeypatch.setattr(delivery, "_put_down", dies)
    announce_due()
    told = Notification.objects.filter(kind__in=("idea_status", "own_idea"))
    waiting = Announcement.objects.get(event__kind="idea.status_changed")
    assert told.count() == 40 and waiting.done_at is None and waiting.told_to > 0
    monkeypatch.setattr(delivery, "_put_down", put_down)
    Announcement.objects.update(due_at=waiting.event.occurred_at)
    with CaptureQueriesContext(connection) as asked:
        announce_due()
    assert told.count() == 91 == told.values("recipient").distinct().count()
    assert Delivery.objects.filter(data__kind__in=("idea_status", "own_idea")).count() == 91
    assert len(asked) <= 20 + 3 * 12, len(asked)  # by batch, not by person


# At the desk, and on the product's page


def test_ideas_in_the_admin_are_for_staff(
    client: Client, bob: User, dana: User, enrol: Callable[[User], None], duo: Product
) -> None:
    idea, other = an_idea(product=duo), an_idea()
    client.force_login(bob)
    assert client.get("/admin/ideas/").status_code in (302, 403)
    assert client.post(f"/admin/ideas/{idea.pk}/", {"status": "planned", "reason": "Yes."}).status_code in (302, 403)
    enrol(dana)
    client.force_login(dana)
    html = client.get("/admin/ideas/?product=duo").content.decode()
    assert idea.title in html and other.title not in html
    assert client.get("/admin/ideas/?status=nothing").status_code == 404
    refused = client.post(f"/admin/ideas/{idea.pk}/", {"status": "shipped", "reason": "Done.", "link": "/nothing/"})
    assert refused.status_code == 422 and "Nothing is published at this address." in refused.content.decode()
    idea.refresh_from_db()
    assert idea.idea_status == "new"
    done = client.post(f"/admin/ideas/{idea.pk}/", {"status": "planned", "reason": "For the spring.", "link": ""})
    assert done.status_code == 302
    idea.refresh_from_db()
    assert idea.idea_status == "planned"
    assert "For the spring." in client.get(f"/admin/ideas/{idea.pk}/").content.decode()


def panel(product: Product) -> str:
    return str(panels.render("product.ideas", None, [product])[product.pk])


def test_a_products_page_shows_top_ideas_and_what_became_of_them(bob: User, dana: User, duo: Product) -> None:
    assert panel(duo) == ""
    wanted, other = an_idea(product=duo), an_idea(product=duo)
    services.vote_thread(wanted, bob, 1)
    done, gone = an_idea(product=duo), an_idea(product=duo)
    make(done, dana, "shipped", "In firmware 2.4.", "https://example.org/2-4")
    services.close_thread(gone, dana, "Talked over.")
    html = panel(duo)
    assert html.index(wanted.title) < html.index(other.title) < html.index(done.title)
    assert gone.title not in html and "All 4" in html
    services.close_thread(done, dana, "Shipped.")
    assert done.title in panel(duo)
    assert "In firmware 2.4." in html and 'href="https://example.org/2-4"' in html
    assert 'id="praise"' not in html


def test_what_asks_nothing_is_replied_to(alice: User, bob: User, duo: Product) -> None:
    """Nobody is asked to guess at an answer to praise, nor to invite somebody who could give one."""
    User.objects.filter(pk=bob.pk).update(reputation=5_000)
    client = Client()
    client.force_login(User.objects.get(pk=bob.pk))
    pages = {
        kind: client.get(factories.a_thread(alice, kind=kind, product=duo).get_absolute_url()).content.decode()
        for kind in ("question", "idea", "praise")
    }
    assert "No answer yet" in pages["question"] and "Even a guess helps" in pages["question"]
    assert "Do you know somebody who could answer?" in pages["question"]
    for kind in ("idea", "praise"):
        assert "No reply yet" in pages[kind] and "Post reply" in pages[kind]
        assert "answer yet" not in pages[kind] and "guess" not in pages[kind]
    assert "who could answer" not in pages["praise"] and "Glad of the same?" in pages["praise"]


def test_praise_has_a_wall(client: Client, alice: User, ravi: User, duo: Product) -> None:
    assert client.get("/products/duo/praise/").status_code == 404
    assert client.get("/products/nothing/praise/").status_code == 404
    words = "It has poured every morning for five years. " * 12
    posted = [
        factories.a_thread(kind="praise", product=duo, title=f"Five good years, number {number}", body=words)
        for number in range(4)
    ]
    moderation.hide(posted[0], ravi, reason="Copied.")
    html = panel(duo)
    assert all(one.title in html and str(one.author) in html for one in posted[1:])
    assert posted[0].title not in html and "<time" in html and words not in html
    assert "/products/duo/praise/" not in html  # three fit
    factories.a_thread(kind="praise", product=duo, title="And one that is new")
    assert "/products/duo/praise/" in panel(duo)
    page = client.get("/products/duo/praise/")
    assert page.context["total"] == 4 and "And one that is new" in page.content.decode()
    before = queries(client, "/products/duo/praise/")
    for _ in range(6):
        factories.a_thread(kind="praise", product=duo)
    assert queries(client, "/products/duo/praise/") == before <= 10

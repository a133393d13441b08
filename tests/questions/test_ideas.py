"""The ideas board: few votes, nine statuses, and everybody told who wanted it."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from community.accounts.models import User
from community.core.errors import Conflict, NotAllowed
from community.core.models import Numbers
from community.events.models import Event
from community.moderation import services as moderation
from community.questions import ideas, services
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
        "exists": lambda: make(idea, dana, "exists"),
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
        ("shipped", "Done.", "/help/there-is-no-such-page/", "link"),
        ("shipped", "Done.", "/settings/", "link"),
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
            make(idea, dana, status, f"Because of {status}.", "https://example.org/n" if status == "shipped" else "")
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

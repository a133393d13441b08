"""One fault, many threads: incidents, and one answer for many."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from community.accounts.models import User
from community.core import clock
from community.core.errors import Conflict, NotAllowed
from community.escalation import clusters, incidents
from community.escalation.models import ClusterThread, Escalation, Incident, IncidentThread
from community.events.models import Event
from community.notifications.recipients import recipients
from community.notifications.wording import words_for
from community.posts import services as posts
from community.questions import services as questions
from community.questions.models import Answer, Thread
from products.models import OwnerAlert, Product
from products.services import add_to_shelf, change_product
from products.shelf import alerts
from tests import factories

from .conftest import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def threads(alice: User, bob: User, charlie: User, duo: Product, asked: list[User]) -> list[Thread]:
    """Three people with the same fault."""
    with clock.travel(NOON):
        return [
            factories.a_thread(by, product=duo, kind="problem", title=f"It beeps three times at {by}")
            for by in (alice, bob, charlie)
        ]


def test_an_answer_reaches_everyone_affected(threads: list[Thread], dana: User, alice: User) -> None:
    first, second, third = threads
    ids = [thread.pk for thread in threads]
    with clock.travel(NOON):
        with pytest.raises(NotAllowed):
            clusters.answer_all(
                first, alice, threads=ids, body="Please update it to 1.3.1 today.", department=dana.department
            )
        with pytest.raises(ValidationError) as refused:
            clusters.answer_all(
                first,
                dana,
                threads=[first.pk, 987_654],
                body="Please update it to 1.3.1 today.",
                department=dana.department,
            )
        assert "threads" in refused.value.error_dict and not Answer.objects.exists()
        made = clusters.answer_all(
            first, dana, threads=ids, body="Install **1.3.1**. That settles it.", department=dana.department
        )
        assert Answer.objects.count() == 1, "the others are the worker's"
        questions.solve_another_way(third, third.author, "Found it myself")
        assert clusters.post_waiting() == 1 and clusters.post_waiting() == 0
    posted = Answer.objects.get(thread=second)
    assert posted.is_official and "Install 1.3.1. That" in posted.body_text and first.title in posted.body_text
    assert made.answer.get_absolute_url() in posted.body_html
    assert not Answer.objects.filter(thread=third).exists()
    skipped = ClusterThread.objects.get(thread=third)
    assert skipped.state == "skipped" and "settled meanwhile" in skipped.why
    assert not Escalation.objects.get(thread=second).is_open
    event = Event.objects.get(kind="answer.made_official", subject_id=str(posted.pk))
    assert recipients(event)[second.author_id] == "official_answer"


def test_one_that_fails_is_tried_again_and_stops_nobody(
    threads: list[Thread], dana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    with clock.travel(NOON):
        clusters.answer_all(
            threads[0],
            dana,
            threads=[row.pk for row in threads],
            body="Please update it to 1.3.1 today.",
            department=dana.department,
        )
        post, failed = questions.post_answer, []

        def sometimes(thread: Thread, *args: object, **kwargs: object) -> Answer:
            if thread.pk == threads[1].pk and not failed:
                failed.append(thread)
                raise RuntimeError("the disk is full")
            return post(thread, *args, **kwargs)  # type: ignore[arg-type]

        monkeypatch.setattr(questions, "post_answer", sometimes)
        assert clusters.post_waiting() == 1
        assert clusters.post_waiting() == 1
    assert Answer.objects.count() == 3


def test_an_incident_gathers_threads_and_tells_all_when_it_is_solved(
    threads: list[Thread], dana: User, alice: User, bob: User, charlie: User, duo: Product
) -> None:
    first, second, third = threads
    with clock.travel(NOON):
        with pytest.raises(NotAllowed):
            incidents.open_incident(duo, alice, title="Three beeps", body="Go back to 1.2.")
        with pytest.raises(ValidationError) as refused:
            incidents.open_incident(duo, dana, title=" ", body="")
        assert set(refused.value.error_dict) == {"title", "text"}
        made = incidents.open_incident(duo, dana, title="Three beeps", body="Go back to 1.2.", first=first)
        assert incidents.open_incident(duo, dana, title="Three beeps", body="Again") == made
        for thread in (second, second, third):
            incidents.gather(made, thread, dana)
        other = incidents.open_incident(duo, dana, title="Another", body="Wait.")
        with pytest.raises(Conflict, match="another incident already: Three beeps"):
            incidents.gather(other, second, dana)
        with pytest.raises(NotAllowed):
            incidents.gather(made, second, alice)
        erin = factories.a_person("erin")
        questions.set_me_too(third, erin, True)
        questions.solve_another_way(third, third.author, "Went back to 1.2")
    duo.refresh_from_db()
    assert [known["title"] for known in duo.known_issues] == ["Another", "Three beeps"] or len(duo.known_issues) == 2
    with clock.travel(NOON):
        incidents.say(made, dana, "The cause is found.")
        with pytest.raises(ValidationError):
            incidents.say(made, dana, " ")
        with pytest.raises(ValidationError):
            incidents.solve(made, dana, solution=" ")
        with pytest.raises(NotAllowed):
            incidents.solve(made, alice, solution="1.3.1")
        incidents.solve(made, dana, solution="Install 1.3.1, please.")
        incidents.solve(made, dana, solution="Twice")
        clusters.post_waiting()
        with pytest.raises(Conflict, match="is solved"):
            incidents.gather(made, factories.a_thread(alice), dana)
    duo.refresh_from_db()
    assert [known["title"] for known in duo.known_issues] == ["Another"]
    made.refresh_from_db()
    assert not made.is_open and made.solution == "Install 1.3.1, please." and made.alert.ended_at
    assert set(Answer.objects.values_list("thread", flat=True)) == {first.pk, second.pk}
    event = Event.objects.get(kind="incident.closed")
    heard = recipients(event)
    # Alice and Bob got the answer; Charlie, who had settled it, and Erin, who has the same, hear of the incident.
    assert heard[charlie.pk] == "incident" and heard[erin.pk] == "incident"
    assert alice.pk not in heard and bob.pk not in heard


def test_a_thread_can_be_let_go(threads: list[Thread], dana: User, alice: User, duo: Product) -> None:
    with clock.travel(NOON):
        made = incidents.open_incident(duo, dana, title="Three beeps", body="Wait.", first=threads[0])
    with pytest.raises(NotAllowed):
        incidents.let_go(made, threads[0], alice)
    incidents.let_go(made, threads[0], dana)
    incidents.let_go(made, threads[0], dana)
    assert not IncidentThread.objects.exists() and Incident.objects.get().is_open


def test_whoever_reported_it_first_is_thanked(threads: list[Thread], dana: User, duo: Product) -> None:
    with clock.travel(NOON):
        incidents.open_incident(duo, dana, title="Three beeps", body="Wait.", first=threads[0])
    event = Event.objects.get(kind="incident.opened")
    assert event.data["author"] == threads[0].author_id and event.data["is_first_report"] is True


def banners(product: Product) -> str:
    """What stands on top of a product's page."""
    return render_to_string("products/_banners.html", {"product": Product.objects.get(pk=product.pk)})


def test_what_is_new_stands_at_the_banner_where_people_look_and_ask(
    threads: list[Thread], dana: User, duo: Product, client: Client, django_assert_num_queries: Callable
) -> None:
    with clock.travel(NOON):
        known = incidents.open_incident(duo, dana, title="Three beeps", body="Go back to 1.2.", first=threads[0])
        ask = "/questions/ask/?product=duo"
        client.get(ask)
        with CaptureQueriesContext(connection) as before:
            client.get(ask)
    for hours, words in ((1, "Cause found: the limit is too low."), (5, "1.3.1 comes on <Friday>.")):
        with clock.travel(NOON + timedelta(hours=hours)):
            incidents.say(known, dana, words)
    with clock.travel(NOON + timedelta(hours=6)):
        with django_assert_num_queries(len(before)):
            page = client.get(ask).content.decode()
        assert page.index("1.3.1 comes on &lt;Friday&gt;.") < page.index("Cause found"), "the newest first"
        assert "1 hour ago</time>: 1.3.1 comes" in page
        assert "Cause found" in banners(duo)
        alerts.issue(duo, dana, title="It hums", body="Put it on the cork mat.")
        assert "Cause found" in client.get(ask).content.decode(), "another banner leaves it as it is"
        incidents.solve(known, dana, solution="Install **1.3.1**. That settles it.")
        assert "Cause found" not in client.get(ask).content.decode()
        assert incidents.say(known, dana, "Nobody has told of it since.").pk


def test_a_recall_keeps_its_banner_when_its_incident_is_solved(
    threads: list[Thread], dana: User, hanna: User, duo: Product, client: Client
) -> None:
    duo.recall_title, duo.recall_note = "The lid can open", "Unplug it."
    with clock.travel(NOON):
        change_product(duo, hanna)
        recall = OwnerAlert.objects.get()
        known = incidents.open_incident(
            duo, dana, title="Lids open", body="Unplug it.", first=threads[0], recall=recall
        )
        incidents.say(known, dana, "Letters are on their way.")
        assert known.title == "Lids open" and OwnerAlert.objects.get() == recall, "owners are told once"
        for shown in (banners(duo), client.get("/questions/ask/?product=duo").content.decode()):
            assert "The lid can open" in shown and "Letters are on their way." in shown
        incidents.solve(known, dana, solution="A new lid for everybody, free.")
    recall.refresh_from_db()
    assert recall.ended_at is None


def heard_the_end(*kinds: str) -> dict[str, list[str]]:
    """Who hears what of these events and of answers made official, by user name."""
    heard: dict[str, list[str]] = {}
    for event in Event.objects.filter(kind__in=[*kinds, "answer.made_official"]).order_by("pk"):
        for pk, kind in recipients(event).items():
            heard.setdefault(User.objects.get(pk=pk).username, []).append(kind)
    return heard


ENDS = ("alert.issued", "alert.ended", "incident.closed", "incident.passed_on")


def test_each_who_asked_hears_of_the_solution_once(
    threads: list[Thread], dana: User, alice: User, charlie: User, duo: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opened, gathered and solved in one minute: some own the product, one has settled it, one just comes along."""
    first, second, third = threads
    erin = factories.an_owner(duo)
    for owner in (alice, charlie):
        add_to_shelf(duo, owner)
    hold, came = incidents.locked, []

    def slowly(row: Any) -> Any:
        """While the incident is waited for, a colleague gathers the third."""
        if isinstance(row, Incident) and solving and not came:
            came.append(IncidentThread.objects.create(incident=row, thread=third, added_by=dana))
        return hold(row)

    solving = False
    monkeypatch.setattr(incidents, "locked", slowly)
    with clock.travel(NOON):
        known = incidents.open_incident(duo, dana, title="Three beeps", body="Go back to 1.2.", first=first)
        incidents.gather(known, second, dana)
        questions.solve_another_way(second, second.author, "Went back to 1.2")
        solving = True
        incidents.solve(known, dana, solution="Install **1.3.1**. That settles it.")
        clusters.post_waiting()
    assert came and Answer.objects.filter(thread=third).exists()
    heard = heard_the_end(*ENDS)
    assert heard == {
        "alice": ["official_answer"], "bob": ["incident"], "charlie": ["official_answer"],
        erin.username: ["known_issue", "known_issue"],
    }  # fmt: skip


def test_where_it_can_not_be_posted_the_asker_is_told_of_the_solution(
    threads: list[Thread], dana: User, charlie: User, ravi: User, duo: Product
) -> None:
    first, second, third = threads
    erin = factories.a_person("erin")
    with clock.travel(NOON):
        known = incidents.open_incident(duo, dana, title="Three beeps", body="Go back to 1.2.", first=first)
        for thread in (second, third):
            incidents.gather(known, thread, dana)
        posts.follow(third, erin)
        incidents.solve(known, dana, solution="Install **1.3.1**. That settles it.")
        questions.solve_another_way(third, charlie, "Found it myself")
        clusters.post_waiting()
        clusters.post_waiting()
    assert heard_the_end(*ENDS) == {
        "alice": ["official_answer"], "bob": ["official_answer"], "charlie": ["incident"], "erin": ["incident"],
    }  # fmt: skip
    event = Event.objects.get(kind="incident.passed_on")
    assert "Install **1.3.1**. That settles it." in words_for(event, "incident", charlie).lines


def test_where_the_solver_had_answered_already_the_open_case_says_why(
    client: Client, threads: list[Thread], dana: User, duo: Product, enrol: Callable[[User], None]
) -> None:
    first, second, third = threads
    with clock.travel(NOON):
        known = incidents.open_incident(duo, dana, title="Three beeps", body="Go back to 1.2.", first=first)
        incidents.gather(known, second, dana)
        questions.post_answer(second, dana, body="Which firmware does it show on the display?")
        incidents.gather(known, third, dana)
        assert not incidents.left_open(known, threads), "it is not solved"
        known = incidents.solve(known, dana, solution="Install **1.3.1**. That settles it.")
        rows = list(Thread.objects.filter(pk__in=[thread.pk for thread in threads]))
        assert incidents.left_open(known, rows) == {second.pk}, "the third is about to be answered"
        clusters.post_waiting()
        enrol(dana)
        client.force_login(dana)
        why = "it does not stand here as an answer: the case is still open"
        html = client.get(reverse("escalation:incident", args=[known.pk])).content.decode()
        assert html.count(why) == 1 and why in html.partition(second.title)[2].partition("</tr>")[0]
        assert why in client.get(reverse("escalation:case", args=[second.pk])).content.decode()
        assert why not in client.get(reverse("escalation:case", args=[third.pk])).content.decode()
    assert heard_the_end("incident.closed")["bob"] == ["incident"], "told of the solution all the same"


def test_an_owner_who_asked_hears_of_the_solution_although_the_recall_goes_on(
    threads: list[Thread], dana: User, hanna: User, bob: User, duo: Product
) -> None:
    add_to_shelf(duo, bob)
    duo.recall_title, duo.recall_note = "The lid can open", "Unplug it."
    with clock.travel(NOON):
        change_product(duo, hanna)
        known = incidents.open_incident(
            duo, dana, title="Lids open", body="Unplug it.", first=threads[1], recall=OwnerAlert.objects.get()
        )
        questions.solve_another_way(threads[1], bob, "Sent it back")
        incidents.solve(known, dana, solution="A new lid for everybody, free.")
    assert heard_the_end("alert.ended", "incident.closed") == {"bob": ["incident"]}

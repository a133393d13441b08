"""You said, we did: who asked is told in person, and asked sixty days later whether it helped."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from community.accounts.models import User
from community.bridges import releases
from community.bridges.models import ReleaseHelp, ReleaseNote
from community.core import addresses, clock
from community.core.errors import NotAllowed
from community.core.models import Delivery
from community.events.log import replay
from community.events.models import Event
from community.moderation import services as moderation
from community.notifications.delivery import announce_due
from community.notifications.models import Notification
from community.portability import leaving
from community.questions import services as questions
from community.questions.models import Thread
from products.models import Product
from reviews.models import Review
from tests import factories

pytestmark = pytest.mark.django_db

WORDS = {
    "title": "Duo firmware 2.4: a day off", "version": "firmware 2.4", "you_said": "It heats an empty kitchen.",
    "we_did": "Two sets of times, and a day off.", "body": "- `WK` and `SS`",
}  # fmt: skip


@pytest.fixture
def idea(alice: User, bob: User, duo: Product) -> Thread:
    """Alice's; Bob voted for it."""
    idea = factories.a_thread(alice, product=duo, kind="idea", title="A timer that knows weekends")
    with replay("demo"):
        questions.vote_thread(idea, bob, 1)
    return idea


@pytest.fixture
def problem(bob: User, charlie: User, duo: Product) -> Thread:
    """Bob's; Charlie has the same."""
    thread = factories.a_thread(bob, product=duo, kind="problem", title="The display shows a number it doesn't know")
    questions.set_me_too(thread, charlie, True)
    return thread


@pytest.fixture
def review(duo: Product) -> Review:
    return factories.a_review(factories.a_person("ellen"), duo, title="Heats on Sundays")


@pytest.fixture
def note(idea: Thread, problem: Thread, review: Review, ravi: User, duo: Product, wednesday: object) -> ReleaseNote:
    return releases.publish_release(ravi, duo, threads=[idea, problem], reviews=[review], **WORDS)


def people(found: dict[int, Any]) -> dict[str, str]:
    names = dict(User.objects.filter(pk__in=found).values_list("pk", "username"))
    return {names[pk]: getattr(asked, "how", asked) for pk, asked in found.items()}


def test_who_asked_and_how_each_once(note: ReleaseNote) -> None:
    """Bob wrote the problem and voted for the idea: what he wrote is nearer."""
    assert people(releases.who_asked(note)) == {
        "alice": "idea", "bob": "thread", "charlie": "me_too", "ellen": "review",
    }  # fmt: skip


def test_one_person_is_looked_for_alone(note: ReleaseNote, charlie: User) -> None:
    writers = {"alice": "idea", "bob": "thread", "ellen": "review"}
    with CaptureQueriesContext(connection) as queries:
        assert people(releases.who_asked(note, only=charlie.pk)) == {**writers, "charlie": "me_too"}
    assert not any("body_" in query["sql"] for query in queries)
    assert people(releases.who_asked(note, only=note.by_id)) == writers


def test_everybody_is_told_in_person_by_one_notice_and_one_mail(note: ReleaseNote, idea: Thread, bob: User) -> None:
    for name in ("alice", "bob", "charlie", "ellen"):
        User.objects.filter(username=name).update(email=f"{name}@example.org")
    announce_due()
    announce_due()
    told = Notification.objects.filter(kind="release")
    assert sorted(told.values_list("recipient__username", flat=True)) == ["alice", "bob", "charlie", "ellen"]
    mails = {mail.user.username: mail for mail in Delivery.objects.filter(data__kind="release")}
    assert len(mails) == 4
    assert "Your idea was: “A timer that knows weekends”" in mails["alice"].body_text
    assert "You have the same as: “The display shows" in mails["charlie"].body_text
    assert "You wrote in your review: “Heats on Sundays”" in mails["ellen"].body_text
    assert all("Two sets of times, and a day off." in mail.body_text for mail in mails.values())
    # The idea shipped with it: nobody who asked is told the same twice.
    assert not Notification.objects.filter(kind__in=["own_idea", "idea_status"]).exists()


def test_open_ideas_ship_with_the_note(note: ReleaseNote, idea: Thread, ravi: User) -> None:
    idea.refresh_from_db()
    assert (idea.idea_status, idea.idea_reason) == ("shipped", WORDS["we_did"])
    assert idea.idea_link == note.get_absolute_url()
    assert idea.idea_steps.get().by == ravi
    address = note.get_absolute_url()
    assert addresses.checked(address) == address, "an idea can be shipped with a note that is there already"
    with pytest.raises(ValidationError):
        addresses.checked(address.replace(str(note.pk), "987654"))


def test_an_idea_that_is_declined_stays_so(idea: Thread, ravi: User, duo: Product) -> None:
    questions.set_idea_status(idea, ravi, "declined", "Too dear")
    releases.publish_release(ravi, duo, threads=[idea], **WORDS)
    idea.refresh_from_db()
    assert idea.idea_status == "declined"


def test_what_was_taken_away_asks_for_nothing(note: ReleaseNote, problem: Thread, ravi: User) -> None:
    moderation.hide(problem, ravi, reason="Names a neighbour")
    assert people(releases.who_asked(note)) == {"alice": "idea", "bob": "voted", "ellen": "review"}


def test_strangers_publish_nothing_and_words_are_checked(idea: Thread, alice: User, ravi: User, duo: Product) -> None:
    with pytest.raises(NotAllowed):
        releases.publish_release(alice, duo, threads=[idea], **WORDS)
    with pytest.raises(ValidationError) as problem:
        releases.publish_release(ravi, duo, **{**WORDS, "title": " ", "we_did": "x" * 301, "body": ""})
    assert set(problem.value.message_dict) == {"title", "we_did", "body", "asked"}
    assert not ReleaseNote.objects.exists()


def test_changed_words_tell_nobody_and_stand_in_the_audit(note: ReleaseNote, ravi: User, alice: User) -> None:
    announce_due()
    count = Notification.objects.count()
    words = {name: value for name, value in WORDS.items() if name != "title"}
    releases.mend_release(note, ravi, title="Duo firmware 2.4", **words)
    releases.mend_release(note, ravi, title="Duo firmware 2.4", **words)
    event = Event.objects.get(kind="release.edited")
    assert event.note.changes == {"title": [WORDS["title"], "Duo firmware 2.4"]}
    announce_due()
    assert Notification.objects.count() == count
    with pytest.raises(NotAllowed):
        releases.mend_release(note, alice, title="Mine", **words)


def test_sixty_days_later_who_asked_is_asked_once(note: ReleaseNote, alice: User, problem: Thread) -> None:
    gone = factories.a_person()
    questions.set_me_too(problem, gone, True)
    leaving.erase(gone, words_go=False)
    with clock.travel(note.published_at + timedelta(days=59)):
        assert releases.ask_whether_it_helped() == 0
        with pytest.raises(NotAllowed):
            releases.say_whether_it_helped(note, alice, "yes")
    with clock.travel(note.published_at + timedelta(days=60, minutes=1)):
        assert releases.ask_whether_it_helped() == 1
        assert releases.ask_whether_it_helped() == 0
        announce_due()
    note.refresh_from_db()
    assert note.asked_count == 4
    asked = Notification.objects.filter(kind="release_helped")
    assert sorted(asked.values_list("recipient__username", flat=True)) == ["alice", "bob", "charlie", "ellen"]
    assert all(row.data["url"].endswith("#helped") for row in asked)


@pytest.fixture
def asked(note: ReleaseNote) -> ReleaseNote:
    with clock.travel(note.published_at + timedelta(days=61)):
        releases.ask_whether_it_helped()
    note.refresh_from_db()
    return note


def figure(note: ReleaseNote) -> releases.Helped:
    found = releases.helped(ReleaseNote.objects.with_help().get(pk=note.pk))
    assert found is not None
    return found


def test_one_answer_a_person_and_the_share_is_of_those_who_answer(
    asked: ReleaseNote, alice: User, bob: User, charlie: User, ravi: User
) -> None:
    for person, said in ((alice, "yes"), (bob, "no"), (charlie, "yes"), (alice, "yes"), (bob, "partly")):
        releases.say_whether_it_helped(asked, person, said)
    found = figure(asked)
    assert (found.yes, found.partly, found.no, found.n, found.asked, found.percent) == (2, 1, 0, 3, 4, 67)
    assert Event.objects.filter(kind="release.helped").count() == 4, "the same twice is told once"
    with pytest.raises(NotAllowed):
        releases.say_whether_it_helped(asked, ravi, "yes")
    with pytest.raises(ValidationError):
        releases.say_whether_it_helped(asked, alice, "very")


def test_told_tallies_are_rows_without_a_person(note: ReleaseNote) -> None:
    with pytest.raises(NotAllowed):
        releases.tell_help(note, clock.now(), 9, {"yes": 3}, source="demo")
    with replay("demo"):
        for _turn in range(2):
            releases.tell_help(note, clock.now(), 9, {"yes": 3, "no": 1}, source="demo")
    assert (figure(note).yes, figure(note).n, figure(note).asked) == (3, 4, 9)
    assert ReleaseHelp.objects.filter(voter=None).count() == 4


# Pages


def test_the_pages_say_it_and_one_press_answers(asked: ReleaseNote, alice: User, ravi: User, client: Client) -> None:
    page = client.get(asked.get_absolute_url()).content.decode()
    assert "It heats an empty kitchen." in page
    assert "4 people were asked whether it helped" in page
    assert "Sign in and say" in page
    assert 'name="said"' not in page
    address = reverse("changes:helped", args=[asked.product.slug, asked.pk])
    assert client.post(address, {"said": "yes"}).status_code == 302
    assert client.get(address).status_code == 405
    client.force_login(ravi)
    assert client.post(address, {"said": "yes"}).status_code == 403
    client.force_login(alice)
    assert 'name="said"' in client.get(asked.get_absolute_url()).content.decode()
    assert client.post(address, {"said": "very"}).status_code == 422
    answer = client.post(address, {"said": "yes"}, follow=True)
    assert "1 of 1 say it helped" in answer.content.decode()
    assert 'aria-pressed="true"' in answer.content.decode()
    assert client.get(reverse("changes:note", args=["other", asked.pk])).status_code == 301
    for url in (reverse("changes:all"), reverse("changes:product", args=[asked.product.slug])):
        assert "Two sets of times, and a day off." in client.get(url).content.decode()
    assert client.get(reverse("changes:product", args=["nothing"])).status_code == 404


def test_hidden_threads_are_not_named(note: ReleaseNote, problem: Thread, ravi: User, client: Client) -> None:
    moderation.hide(problem, ravi, reason="Names a neighbour")
    page = client.get(note.get_absolute_url()).content.decode()
    assert problem.title not in page
    assert "A timer that knows weekends" in page


def test_threads_and_reviews_lead_to_what_came_of_them(
    note: ReleaseNote, problem: Thread, review: Review, client: Client
) -> None:
    for thing in (problem, review):
        assert note.get_absolute_url() in client.get(thing.get_absolute_url()).content.decode()


def test_lists_and_a_tied_thread_stay_within_their_budgets(
    note: ReleaseNote, idea: Thread, problem: Thread, alice: User, ravi: User, duo: Product, client: Client,
    django_assert_max_num_queries: Callable,
) -> None:  # fmt: skip
    for turn in range(3):
        releases.publish_release(ravi, duo, threads=[idea], **{**WORDS, "title": f"Another {turn}"})
    for person, most in ((None, 8), (alice, 12)):
        if person:
            client.force_login(person)
        client.get(note.get_absolute_url())
        for url, budget in ((reverse("changes:all"), 10), (note.get_absolute_url(), most)):
            with django_assert_max_num_queries(budget):
                client.get(url)
    client.logout()
    plain, counts = factories.a_thread(alice, product=duo, kind="problem"), []
    for thread in (plain, problem):
        client.get(thread.get_absolute_url())
        with django_assert_max_num_queries(20) as found:
            client.get(thread.get_absolute_url())
        counts.append(len(found.captured_queries))
    assert counts[0] == counts[1], "the thread's own query brings its note"


# The desk


def test_staff_write_a_note_with_addresses(
    client: Client, ravi: User, enrol: Callable[[User], None], idea: Thread, review: Review, duo: Product
) -> None:
    enrol(ravi)
    client.force_login(ravi)
    address = reverse("desk_changes:add")
    assert idea.get_absolute_url() in client.get(address, {"thread": idea.pk}).content.decode()
    given = {**WORDS, "product": duo.pk}
    bad = client.post(address, {**given, "asked": "/questions/999999/"})
    assert bad.status_code == 422
    assert "There is no visible thread or review at" in bad.content.decode()
    assert "It heats an empty kitchen." in bad.content.decode(), "what was typed stays"
    lines = f"https://example.org{idea.get_absolute_url()}\n/reviews/{review.pk}/\n"
    assert client.post(address, {**given, "asked": lines}).status_code == 303
    note = ReleaseNote.objects.get()
    assert {(tie.thread_id, tie.review_id) for tie in note.ties.all()} == {(idea.pk, None), (None, review.pk)}
    edit = reverse("desk_changes:edit", args=[note.pk])
    assert client.post(edit, {**WORDS, "finding": "Fourteen of sixteen wanted two sets."}).status_code == 303
    note.refresh_from_db()
    assert note.finding.startswith("Fourteen")
    assert WORDS["title"] in client.get(reverse("desk_changes:index")).content.decode()


def test_members_find_no_desk(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get(reverse("desk_changes:add")).status_code in (302, 403)


def test_a_note_shows_a_thread_where_it_was_merged(
    problem: Thread, bob: User, ravi: User, dana: User, duo: Product
) -> None:
    into = factories.a_thread(bob, product=duo)
    note = releases.publish_release(dana, duo, threads=[problem, into], **WORDS)
    questions.merge_thread(problem, into, ravi, "The same.")
    assert releases.visible_ties(note, bob) == [into], "once"


def test_the_second_of_two_presses_tells_nobody_again(
    note: ReleaseNote, idea: Thread, problem: Thread, review: Review, ravi: User, duo: Product
) -> None:
    again = releases.publish_release(ravi, duo, threads=[problem, idea], reviews=[review], **WORDS)
    assert again == note and Event.objects.filter(kind="release.published").count() == 1
    other = releases.publish_release(ravi, duo, threads=[problem], **WORDS)
    assert other != note, "for somebody else"

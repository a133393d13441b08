"""Suggested edits: proposed by those who may not edit, decided by the author, staff and the experienced."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from advocates.models import ReputationEntry
from community.accounts.models import User
from community.core.errors import Conflict, NotAllowed
from community.core.models import Numbers
from community.events.log import replay
from community.moderation import services as moderation
from community.notifications.delivery import announce_due
from community.notifications.models import Notification
from community.posts.models import Revision, Tag
from community.posts.services import latest_revision
from community.questions import services
from community.questions.models import Answer, EditSuggestion, Thread
from tests import factories

pytestmark = pytest.mark.django_db

BODY = "It has dripped since Monday evening, about a cup in a night."


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def worth(person: User, points: int) -> User:
    User.objects.filter(pk=person.pk).update(reputation=points)
    person.reputation = points
    return person


@pytest.fixture
def edith(db: None) -> User:
    """Somebody with the points to suggest edits, and not to make them."""
    return worth(factories.a_person("edith"), 150)


@pytest.fixture
def expert(db: None) -> User:
    return worth(factories.a_person("expert"), 1200)


def suggested(post: Thread | Answer, by: User, **more: object) -> EditSuggestion:
    told = {"title": getattr(post, "title", ""), "body": BODY, "summary": "Say since when", **more}
    return services.suggest_edit(post, by, **told)  # type: ignore[arg-type]


def test_a_suggestion_is_taken_over_in_the_name_of_who_made_it(thread: Thread, alice: User, edith: User) -> None:
    row = suggested(thread, edith, title="Why does it drip at night, since Monday", tags=[])
    thread.refresh_from_db()
    assert thread.body_source != BODY, "nothing changes before somebody decides"
    services.approve_suggestion(row, alice)
    services.approve_suggestion(row, alice)
    thread.refresh_from_db()
    assert (thread.title, thread.body_source) == ("Why does it drip at night, since Monday", BODY)
    newest = Revision.objects.filter(target_id=thread.pk).order_by("-number").first()
    assert (newest.editor, newest.summary, newest.number) == (edith, "Say since when", 2)
    assert (row.state, row.decided_by) == ("approved", alice)
    points = ReputationEntry.objects.filter(person=edith)
    assert [entry.points for entry in points] == [2]


def test_an_answer_s_words_too(answer: Answer, bob: User, edith: User) -> None:
    row = suggested(answer, edith)
    services.approve_suggestion(row, bob)
    answer.refresh_from_db()
    assert (answer.body_source, answer.edit_count) == (BODY, 1)


def test_who_may_suggest(thread: Thread, answer: Answer, alice: User, charlie: User, dana: User, expert: User) -> None:
    for person, why in ((charlie, "100"), (alice, "yourself"), (dana, "Staff"), (expert, "yourself")):
        with pytest.raises(NotAllowed) as refused:
            suggested(thread, person)
        assert why in refused.value.reason
    with pytest.raises(NotAllowed):
        worth(charlie, 99)
        suggested(thread, charlie)
    worth(charlie, 100)
    assert suggested(thread, charlie).is_open


def test_never_on_what_speaks_for_a_department(thread: Thread, answer: Answer, dana: User, bob: User, edith: User):
    row = suggested(answer, edith)
    services.make_official(answer, dana, dana.department)
    with pytest.raises(NotAllowed) as refused:
        suggested(answer, edith, body=BODY + " Really.")
    assert "department" in refused.value.reason
    with pytest.raises(NotAllowed):
        services.approve_suggestion(row, bob)
    by_staff = factories.an_answer(thread, dana)
    with pytest.raises(NotAllowed):
        suggested(by_staff, edith)


def test_who_may_decide(
    thread: Thread, alice: User, bob: User, edith: User, expert: User, dana: User, ravi: User
) -> None:
    row = suggested(thread, edith)
    for person in (bob, edith, worth(factories.a_person(), 999)):
        with pytest.raises(NotAllowed):
            services.approve_suggestion(row, person)
        with pytest.raises(NotAllowed):
            services.reject_suggestion(row, person, "No")
    for person in (alice, expert, dana, ravi):
        other = suggested(factories.a_thread(alice), edith)
        services.approve_suggestion(other, person)
        assert other.state == "approved"
    worth(edith, 5000)
    with pytest.raises(NotAllowed):
        services.approve_suggestion(row, edith)


def test_left_with_a_reason_or_taken_back(thread: Thread, alice: User, bob: User, edith: User) -> None:
    row = suggested(thread, edith)
    services.reject_suggestion(row, alice, "It was Tuesday")
    services.reject_suggestion(row, alice, "It was Tuesday")
    assert (row.state, row.reason) == ("rejected", "It was Tuesday")
    with pytest.raises(Conflict):
        services.approve_suggestion(row, alice)
    again = suggested(thread, edith)
    with pytest.raises(NotAllowed):
        services.withdraw_suggestion(again, bob)
    services.withdraw_suggestion(again, edith)
    services.withdraw_suggestion(again, edith)
    with pytest.raises(Conflict):
        services.reject_suggestion(again, alice, "Late")
    thread.refresh_from_db()
    assert latest_revision(thread) == 1 and not ReputationEntry.objects.filter(person=edith).exists()


def test_one_open_suggestion_a_post_which_can_be_changed(thread: Thread, alice: User, edith: User) -> None:
    first = suggested(thread, edith)
    second = suggested(thread, edith, summary="Better said", body=BODY + " Really.")
    assert first.pk == second.pk and EditSuggestion.objects.count() == 1
    with pytest.raises(IntegrityError):
        EditSuggestion.objects.create(thread=thread, author=edith, base=1, body_source="x", summary="x")


def test_five_wait_and_the_sixth_is_refused(alice: User, edith: User) -> None:
    threads = [factories.a_thread(alice) for _ in range(3)]
    numbers = Numbers.load()
    numbers.open_edit_suggestions = 2
    numbers.save()
    rows = [suggested(thread, edith) for thread in threads[:2]]
    with pytest.raises(NotAllowed):
        suggested(threads[2], edith)
    suggested(threads[1], edith, body=BODY + " Still.")
    services.reject_suggestion(rows[0], alice, "No")
    assert suggested(threads[2], edith).is_open


def test_changed_elsewhere_is_brought_together(thread: Thread, alice: User, edith: User) -> None:
    row = suggested(thread, edith)
    services.edit_thread(
        thread, alice, title="Why does the Duo drip at night", body=thread.body_source, product=thread.product
    )
    services.approve_suggestion(row, alice)
    thread.refresh_from_db()
    assert (thread.title, thread.body_source) == ("Why does the Duo drip at night", BODY)


def test_changed_in_the_same_place_is_refused_and_kept(thread: Thread, alice: User, edith: User) -> None:
    row = suggested(thread, edith)
    services.edit_thread(
        thread, alice, title=thread.title, body="Something else, at some length.", product=thread.product
    )
    with pytest.raises(Conflict):
        services.approve_suggestion(row, alice)
    row.refresh_from_db()
    assert row.is_open and row.body_source == BODY
    with pytest.raises(Conflict):
        suggested(thread, edith, seen_revision=1)
    page = signed_in(alice).get(row.get_absolute_url()).content.decode()
    assert "changed in the same place" in page
    form = signed_in(edith).get(reverse("questions:suggest", args=[thread.pk]))
    assert BODY in form.content.decode() and "Something else, at some length." in form.content.decode()
    suggested(thread, edith, seen_revision=2)
    services.approve_suggestion(row, alice)
    thread.refresh_from_db()
    assert thread.body_source == BODY


def test_the_author_improves_it_and_staff_do_not(thread: Thread, alice: User, edith: User, ravi: User) -> None:
    row = suggested(thread, edith)
    with pytest.raises(NotAllowed):
        services.approve_suggestion(row, ravi, body="Words of a moderator, which is never done.")
    services.approve_suggestion(row, alice, title=thread.title, body=BODY + " Or Tuesday.")
    thread.refresh_from_db()
    assert thread.body_source == BODY + " Or Tuesday."
    assert Revision.objects.filter(target_id=thread.pk).order_by("-number").first().editor == edith


HTML = "<p>It drips <b>at night</b>.</p>\n<p>Why?</p>\n"


def imported(post: Thread | Answer, html: str = HTML) -> None:
    with replay("import"):
        more = {"title": post.title, "product": post.product} if isinstance(post, Thread) else {}
        edit = services.edit_thread if isinstance(post, Thread) else services.edit_answer
        edit(post, post.author, body=html, source_format="html", **more)  # type: ignore[operator]
    post.refresh_from_db()


def test_another_title_or_tag_leaves_an_imported_text_as_it_is(
    thread: Thread, answer: Answer, alice: User, edith: User, bob: User
) -> None:
    Tag.objects.create(name="Valve", slug="valve")
    imported(thread)
    imported(answer)
    shown = thread.body_html
    assert "<b>at night</b>" in shown or "<strong>at night</strong>" in shown
    sent = HTML.replace("\n", "\r\n").strip()
    page = signed_in(edith).get(reverse("questions:suggest", args=[thread.pk])).content.decode()
    assert "came as HTML from another site" in page
    row = suggested(thread, edith, title="Why does it drip at night only", body=sent)
    services.approve_suggestion(row, alice)
    services.edit_thread(thread, alice, title="Why does it drip at night only", body=sent, tags=["Valve"])
    services.edit_answer(answer, bob, body=sent, disclosure="My sister works there")
    for post in (thread, answer):
        post.refresh_from_db()
        assert (post.source_format, post.body_source, post.body_html) == ("html", HTML, shown)
    assert thread.title == "Why does it drip at night only"
    services.edit_thread(thread, alice, title=thread.title, body=BODY)
    thread.refresh_from_db()
    assert (thread.source_format, thread.body_source) == ("markdown", BODY)


def test_a_text_that_was_short_or_long_when_it_came_stands_in_no_other_change_s_way(thread: Thread, alice: User):
    for html in ("<p>Help!</p>", "<p>Help!</p>" * 20_000):
        imported(thread, html)
        title = f"Why does it drip at night {len(html)}"
        services.edit_thread(thread, alice, title=title, body=html)
        thread.refresh_from_db()
        assert (thread.title, thread.body_source) == (title, html)


def test_forms_measure_only_what_is_changed(thread: Thread, alice: User, edith: User, ravi: User) -> None:
    Tag.objects.bulk_create([Tag(name=name, slug=name) for name in ("valve", "steam", "lid")])
    Thread.objects.filter(pk=thread.pk).update(title="Help", body_source="Drips", source_format="html")
    client, place = signed_in(alice), reverse("questions:edit", args=[thread.pk])
    sent = {"title": "Help", "body": "Drips", "tags": "valve", "seen": latest_revision(thread)}
    for changed in ({"title": "Help me"}, {"body": "Drips a lot"}):
        assert client.post(place, {**sent, **changed}).status_code == 422
    assert client.post(place, sent).status_code == 303
    proposed = signed_in(edith).post(
        reverse("questions:suggest", args=[thread.pk]),
        {**sent, "tags": "steam", "summary": "A better tag", "seen": latest_revision(thread)},
    )
    assert proposed.status_code == 303
    row = EditSuggestion.objects.get()
    amended = client.post(
        reverse("questions:suggestion", args=[row.pk]),
        {**sent, "verb": "amend", "tags": "steam, lid", "seen": latest_revision(thread)},
    )
    assert amended.status_code == 303
    assert {tag.slug for tag in thread.tags.all()} == {"steam", "lid"}
    Thread.objects.filter(pk=thread.pk).update(title="Help " * 32 + "please")
    long = Thread.objects.get(pk=thread.pk).title
    moved = signed_in(ravi).post(
        reverse("questions:manage", args=[thread.pk]),
        {"step": "move", "title": long, "tags": "lid", "reason": "Clearer"},
    )
    assert moved.status_code == 303
    thread.refresh_from_db()
    assert (thread.title, thread.body_source, [tag.slug for tag in thread.tags.all()]) == (long, "Drips", ["lid"])


def test_both_are_told_once(thread: Thread, alice: User, edith: User, expert: User) -> None:
    row = suggested(thread, edith)
    suggested(thread, edith, body=BODY + " Really.")
    announce_due()
    assert [notice.kind for notice in Notification.objects.filter(recipient=alice)] == ["edit_suggested"]
    services.approve_suggestion(row, expert)
    other = suggested(factories.a_thread(alice), edith)
    services.reject_suggestion(other, alice, "It was Tuesday")
    announce_due()
    told = Notification.objects.filter(recipient=edith).exclude(kind="badge").values_list("kind", flat=True)
    assert sorted(told) == ["edit_reviewed", "edit_reviewed"]
    client = signed_in(edith)
    assert "was not taken over" in client.get("/notifications/").content.decode()


# Pages


def test_suggesting_on_the_page(thread: Thread, answer: Answer, edith: User, charlie: User, alice: User) -> None:
    client = signed_in(edith)
    page = client.get(thread.get_absolute_url()).content.decode()
    address, of_answer = (
        reverse("questions:suggest", args=[thread.pk]),
        reverse("questions:suggest_answer", args=[answer.pk]),
    )
    assert address in page and of_answer in page
    assert address not in signed_in(charlie).get(thread.get_absolute_url()).content.decode()
    assert signed_in(charlie).get(address).status_code == 403
    assert "/login/" in Client().get(address)["Location"]
    form = client.get(of_answer)
    assert form.status_code == 200 and 'name="title"' not in form.content.decode()
    refused = client.post(address, {"title": "Short", "body": BODY, "summary": "", "seen": "1"})
    assert refused.status_code == 422 and BODY in refused.content.decode().replace("&#x27;", "'")
    sent = client.post(address, {"title": thread.title, "body": BODY, "summary": "Since when", "seen": "1", "tags": ""})
    assert sent.status_code == 303 and EditSuggestion.objects.get().summary == "Since when"
    same = client.post(of_answer, {"body": answer.body_source, "summary": "Nothing", "seen": "1"})
    assert same.status_code == 422 and "Nothing is changed yet" in same.content.decode()
    asker = signed_in(alice).get(thread.get_absolute_url()).content.decode()
    assert "1 suggested edit waits for review" in asker
    assert "waits for review" not in signed_in(charlie).get(thread.get_absolute_url()).content.decode()


def test_deciding_on_the_page(thread: Thread, alice: User, bob: User, edith: User, ravi: User) -> None:
    row = suggested(thread, edith)
    address = row.get_absolute_url()
    assert signed_in(bob).get(address).status_code == 404
    assert Client().get(address).status_code == 302
    seen = signed_in(alice).get(address).content.decode()
    assert "<ins>" in seen and "<del>" in seen and "Improve it first" in seen
    assert "Improve it first" not in signed_in(ravi).get(address).content.decode()
    assert "Take it back" in signed_in(edith).get(address).content.decode()
    client = signed_in(alice)
    refused = client.post(address, {"verb": "reject", "reason": ""})
    assert refused.status_code == 422 and EditSuggestion.objects.get().is_open
    assert client.post(address, {"verb": "nonsense"}).status_code in (409, 422)
    assert client.post(address, {"verb": "approve"}).status_code == 303
    assert "took it over" in client.get(address).content.decode()
    assert signed_in(edith).post(address, {"verb": "withdraw"}).status_code == 409


def improving(client: Client, address: str) -> dict[str, str]:
    """What the form to improve a suggestion holds, as a browser would send it."""
    initial = client.get(address).context["amend"].initial
    return {"verb": "amend", **{name: str(value) for name, value in initial.items()}}


def test_improving_starts_from_the_post_as_it_is_now(thread: Thread, alice: User, edith: User) -> None:
    Tag.objects.create(name="Valve", slug="valve")
    row = suggested(thread, edith, tags=[])
    services.edit_thread(thread, alice, title="Why does it drip from the left", body=thread.body_source, tags=["Valve"])
    client = signed_in(alice)
    given = improving(client, row.get_absolute_url())
    assert (given["title"], given["body"], given["tags"], given["seen"]) == (
        "Why does it drip from the left", BODY, "valve", "2",
    )  # fmt: skip
    sent = client.post(row.get_absolute_url(), {**given, "body": BODY + " Or Tuesday."})
    assert sent.status_code == 303
    thread.refresh_from_db()
    assert (thread.title, thread.body_source) == ("Why does it drip from the left", BODY + " Or Tuesday.")
    assert [tag.name for tag in thread.tags.all()] == ["Valve"]


def test_improving_what_changed_meanwhile_is_told_and_kept(thread: Thread, alice: User, edith: User) -> None:
    row = suggested(thread, edith)
    client = signed_in(alice)
    given = {**improving(client, row.get_absolute_url()), "body": BODY + " Or Tuesday."}
    newer = "It drips from the right only, as I saw this morning."
    services.edit_thread(thread, alice, title=thread.title, body=newer, tags=[])
    refused = client.post(row.get_absolute_url(), given)
    page = refused.content.decode()
    assert refused.status_code == 409 and newer in page and given["body"] in page
    thread.refresh_from_db()
    assert thread.body_source == newer
    without = {name: value for name, value in given.items() if name != "seen"}
    assert client.post(row.get_absolute_url(), without).status_code == 409, "a page from before knows no newer version"
    assert client.post(row.get_absolute_url(), {**given, "seen": "2"}).status_code == 303
    thread.refresh_from_db()
    assert thread.body_source == given["body"]


def test_improving_an_answer_that_changed_meanwhile(answer: Answer, bob: User, edith: User) -> None:
    row = suggested(answer, edith)
    client = signed_in(bob)
    given = improving(client, row.get_absolute_url())
    newer = "Open the valve three times only, not six times."
    services.edit_answer(answer, bob, body=newer)
    refused = client.post(row.get_absolute_url(), given)
    assert refused.status_code == 409 and newer in refused.content.decode()
    answer.refresh_from_db()
    assert answer.body_source == newer


def test_a_title_that_was_taken_away_is_not_read_in_suggestions(
    thread: Thread, alice: User, edith: User, expert: User, ravi: User
) -> None:
    secret, clean = "Why does Mr Jonathan Whitby drip", "Why does my neighbour's one drip"
    services.edit_thread(thread, alice, title=secret, body=thread.body_source)
    row = suggested(thread, edith, title=secret + " at night")
    assert "Whitby" in signed_in(expert).get(row.get_absolute_url()).content.decode()
    services.move_thread(thread, ravi, title=clean, product=thread.product, tags=[], reason="A name")
    own_form = reverse("questions:suggest", args=[thread.pk])
    for person, addresses in ((expert, [row.get_absolute_url()]), (edith, [row.get_absolute_url(), own_form])):
        for address in addresses:
            page = signed_in(person).get(address).content.decode()
            assert "Whitby" not in page and "Jonathan" not in page
    for person in (alice, ravi):
        assert "Whitby" in signed_in(person).get(row.get_absolute_url()).content.decode()
    services.reject_suggestion(row, alice, "No names, please")
    assert "Whitby" not in signed_in(edith).get(row.get_absolute_url()).content.decode()


def test_the_list_shows_what_one_can_decide(alice: User, bob: User, edith: User, ravi: User) -> None:
    of_alice, of_bob = factories.a_thread(alice), factories.a_thread(bob)
    suggested(of_alice, edith)
    suggested(of_bob, edith)
    address = reverse("questions:suggestions")
    assert "2 wait for a decision" in signed_in(ravi).get(address).content.decode()
    own = signed_in(bob).get(address).content.decode()
    assert "1 waits for a decision" in own and of_bob.title in own and of_alice.title not in own
    assert "0 wait for a decision" in signed_in(edith).get(address).content.decode()
    mine = signed_in(edith).get(address, {"mine": "1"}).content.decode()
    assert "2 suggestions of yours" in mine and "Waits for review" in mine
    assert "1 waits" in signed_in(ravi).get(address, {"thread": of_bob.pk}).content.decode()
    moderation.hide(of_bob, ravi, reason="Spam")
    assert "1 waits for a decision" in signed_in(ravi).get(address).content.decode()
    assert signed_in(edith).get(EditSuggestion.objects.get(thread=of_bob).get_absolute_url()).status_code == 404


def test_the_list_asks_the_same_whatever_its_length(alice: User, edith: User, ravi: User) -> None:
    client, address = signed_in(ravi), reverse("questions:suggestions")
    suggested(factories.a_thread(alice), edith)
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    for _ in range(4):
        suggested(factories.an_answer(factories.a_thread(alice), alice), edith)
    with CaptureQueriesContext(connection) as many:
        client.get(address)
    assert len(many) == len(few) <= 10


def test_merging_takes_suggestions_along(alice: User, bob: User, edith: User, dana: User) -> None:
    one, other = factories.a_thread(alice), factories.a_thread(bob)
    answer = factories.an_answer(one, alice)
    row = suggested(answer, edith)
    services.merge_thread(one, other, dana, "The same")
    row.refresh_from_db()
    assert row.thread == other and EditSuggestion.objects.waiting().count() == 1


def test_staff_find_the_queue_in_their_menu(client: Client, ravi: User, enrol: Callable[[User], None]) -> None:
    enrol(ravi)
    client.force_login(ravi)
    assert reverse("questions:suggestions") in client.get("/admin/").content.decode()

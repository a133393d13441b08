"""What is pressed and written in a thread: it works, a stranger is refused, GET is refused, twice is harmless, and no
text is ever lost."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from community.accounts.models import User
from community.core import clock
from community.moderation import services as moderation
from community.posts import doors
from community.posts.models import Comment, Draft
from community.questions import services
from community.questions.models import Answer, PrivateView, Thread
from products.models import Ownership, Version
from tests import factories

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
LONG = "Lift the tank out, wet the valve with a finger, and set it back."


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def at(name: str, thing: Thread | Answer) -> str:
    return reverse(f"questions:{name}", args=[thing.pk])


def asking(**more: str) -> dict[str, str]:
    return {
        "kind": "problem", "title": "It drips from the left at night", "started": doors.long_open(),
        "body": "Since Monday there is water under it each morning.", **more,
    }  # fmt: skip


def answering(**more: str) -> dict[str, str]:
    return {"body": LONG, "started": doors.long_open(), **more}


# Every button: POST only, sign-in first, 404 for what isn't there


BUTTONS = [
    "answer", "vote", "me_too", "follow", "private", "vote_answer", "works", "accept", "unaccept", "unofficial",
    "no_longer_works", "follow_up",
]  # fmt: skip


@pytest.mark.parametrize("name", BUTTONS)
def test_buttons_take_posts_of_members_only(thread: Thread, answer: Answer, bob: User, name: str) -> None:
    address = reverse(f"questions:{name}", args=[thread.pk])
    assert signed_in(bob).get(address).status_code == 405
    response = Client().post(address, answering(), headers={"Referer": "http://testserver/questions/"})
    assert response.status_code == 302 and response["Location"].startswith("/accounts/login/?next=/questions/")
    assert signed_in(bob).post(reverse(f"questions:{name}", args=[98765]), answering()).status_code == 404


@pytest.mark.parametrize("name", ["vote", "me_too", "follow", "vote_answer", "works"])
def test_buttons_refuse_unknown_values(thread: Thread, answer: Answer, charlie: User, name: str) -> None:
    fields = {"value": "7", "me_too": "x", "follow": "", "works": "maybe"}
    target = answer if name in ("vote_answer", "works") else thread
    assert signed_in(charlie).post(reverse(f"questions:{name}", args=[target.pk]), fields).status_code == 422


def test_csrf_is_asked_for(thread: Thread, bob: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(bob, backend="django.contrib.auth.backends.ModelBackend")
    assert client.post(at("vote", thread), {"value": "1"}).status_code == 403


def test_voting_returns_the_box_or_the_thread(thread: Thread, bob: User) -> None:
    client = signed_in(bob)
    piece = client.post(at("vote", thread), {"value": "1"}, headers=HTMX)
    assert piece.status_code == 200 and b'aria-pressed="true"' in piece.content and b"<b>1</b>" in piece.content
    again = client.post(at("vote", thread), {"value": "1"})
    assert (again.status_code, again["Location"]) == (303, thread.get_absolute_url())
    assert b"<b>0</b>" in client.post(at("vote", thread), {"value": "0"}, headers=HTMX).content


def test_nobody_votes_on_their_own(thread: Thread, alice: User) -> None:
    refused = signed_in(alice).post(at("vote", thread), {"value": "1"})
    assert refused.status_code == 403
    # The words are the page's, with their quotation marks escaped.
    assert "vote on what you wrote yourself" in refused.content.decode()
    line = signed_in(alice).post(at("vote", thread), {"value": "1"}, headers=HTMX)
    assert line.status_code == 403 and line["Content-Type"].startswith("text/plain")


def test_votes_have_a_pace(thread: Thread, bob: User) -> None:
    client = signed_in(bob)
    answers = [client.post(at("vote", thread), {"value": str(n % 2)}, headers=HTMX) for n in range(41)]
    assert {response.status_code for response in answers[:40]} == {200}
    assert answers[40].status_code == 429 and int(answers[40]["Retry-After"]) > 0


def test_me_too_follow_and_works(thread: Thread, answer: Answer, charlie: User) -> None:
    client = signed_in(charlie)
    assert client.post(at("works", answer), {"works": "yes"}, headers=HTMX).status_code == 403
    version = Version.objects.create(product=thread.product, name="Series 2")
    Ownership.objects.create(owner=charlie, product=thread.product, version=version)
    assert b"I have this too <b" in client.post(at("me_too", thread), {"me_too": "on"}, headers=HTMX).content
    assert b"Following" in client.post(at("follow", thread), {"follow": "on"}, headers=HTMX).content
    said = {"works": "yes", "model_version": "Buy the other brand"}
    assert b"Works for 1 of 1" in client.post(at("works", answer), said, headers=HTMX).content
    answer.refresh_from_db()
    assert list(answer.works_by_version) == ["Series 2"], "the version on the shelf, whatever else is sent"
    assert client.post(at("works", answer), {"works": "none"}).status_code == 303
    thread.refresh_from_db()
    answer.refresh_from_db()
    assert (thread.me_too_count, answer.works_yes) == (1, 0)


def test_the_asker_accepts_and_takes_back(thread: Thread, answer: Answer, alice: User, charlie: User) -> None:
    assert signed_in(charlie).post(at("accept", answer)).status_code == 403
    response = signed_in(alice).post(at("accept", answer))
    assert (response.status_code, response["Location"]) == (303, answer.get_absolute_url())
    assert "Accepted answer" in signed_in(alice).get(thread.get_absolute_url()).content.decode()
    assert signed_in(alice).post(at("unaccept", answer)).status_code == 303
    assert "Accepted answer" not in signed_in(alice).get(thread.get_absolute_url()).content.decode()


def test_staff_mark_an_answer_official_and_withdraw(thread: Thread, answer: Answer, dana: User, charlie: User) -> None:
    assert signed_in(charlie).get(at("official", answer)).status_code == 403
    given = {"department": dana.department_id, "sources": "Service note 17", "recheck_on": "2027-01-31"}
    assert signed_in(dana).post(at("official", answer), given).status_code == 303
    body = Client().get(thread.get_absolute_url()).content.decode()
    assert "Official answer" in body and "for Customer support" in body and "Service note 17" in body
    assert signed_in(dana).post(at("unofficial", answer), {"reason": ""}).status_code == 422
    assert signed_in(dana).post(at("unofficial", answer), {"reason": "It was wrong."}).status_code == 303
    assert "Official answer" not in Client().get(thread.get_absolute_url()).content.decode()


def test_the_asker_is_asked_whether_it_held(thread: Thread, answer: Answer, alice: User) -> None:
    services.accept_answer(answer, alice)
    address = thread.get_absolute_url()
    assert "Does it still work?" not in signed_in(alice).get(address).content.decode()
    assert signed_in(alice).post(at("follow_up", answer), {"outcome": "yes"}).status_code == 409
    with clock.travel(clock.now() + timedelta(days=4)):
        assert "Does it still work?" in signed_in(alice).get(address).content.decode()
        assert "Does it still work?" not in Client().get(address).content.decode()
        assert signed_in(alice).post(at("follow_up", answer), {"outcome": "maybe"}).status_code == 422
        assert signed_in(alice).post(at("follow_up", answer), {"outcome": "yes"}).status_code == 303
        assert "Does it still work?" not in signed_in(alice).get(address).content.decode()


# Answering


def test_answering_in_place(thread: Thread, bob: User) -> None:
    response = signed_in(bob).post(at("answer", thread), answering())
    new = Answer.objects.get(author=bob)
    assert (response.status_code, response["Location"]) == (303, new.get_absolute_url())
    page = signed_in(bob).get(thread.get_absolute_url()).content.decode()
    assert LONG in page and "You have answered this." in page


def test_a_short_answer_comes_back_with_its_text(thread: Thread, bob: User) -> None:
    response = signed_in(bob).post(at("answer", thread), answering(body="Too short <b>"))
    body = response.content.decode()
    assert response.status_code == 422 and "Too short &lt;b&gt;" in body and "at least 20 letters" in body


def test_an_answer_without_a_moment_is_sent_twice(thread: Thread, bob: User) -> None:
    again = signed_in(bob).post(at("answer", thread), {"body": LONG}).content.decode()
    fresh = re.search(r'name="started" value="([^"]+)"', again)[1]  # type: ignore[index]
    assert signed_in(bob).post(at("answer", thread), answering(started=fresh)).status_code == 303


def test_a_second_answer_is_a_conflict_that_keeps_the_text(thread: Thread, answer: Answer, bob: User) -> None:
    response = signed_in(bob).post(at("answer", thread), answering())
    assert response.status_code == 409
    assert Answer.objects.filter(author=bob).count() == 1


def test_a_closed_thread_takes_no_answer(thread: Thread, bob: User, ravi: User) -> None:
    services.close_thread(thread, ravi, "Settled by mail.")
    response = signed_in(bob).post(at("answer", thread), answering())
    assert response.status_code == 409 and "Settled by mail." in response.content.decode()


def test_too_many_answers_keep_the_text(alice: User, bob: User) -> None:
    threads = [factories.a_thread(alice) for _ in range(6)]
    client = signed_in(bob)
    statuses = [
        client.post(at("answer", thread), answering(body=f"{LONG} {number}")).status_code
        for number, thread in enumerate(threads[:5])
    ]
    last = client.post(at("answer", threads[5]), answering())
    assert statuses == [303] * 5
    assert last.status_code == 429 and int(last["Retry-After"]) > 0 and LONG in last.content.decode()


def test_a_visitor_writes_first_and_signs_in_after(thread: Thread, bob: User) -> None:
    client = Client()
    response = client.post(at("answer", thread), answering())
    assert response.status_code == 302 and "/accounts/login/" in response["Location"]
    client.force_login(bob, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(thread.get_absolute_url()).content.decode()
    assert LONG in page and "it is not posted yet" in page
    assert client.post(at("answer", thread), answering()).status_code == 303
    assert "it is not posted yet" not in client.get(thread.get_absolute_url()).content.decode()


def test_an_agent_answers_for_the_department(thread: Thread, dana: User, bob: User) -> None:
    signed_in(dana).post(
        at("answer", thread), answering(official_for=str(dana.department_id), sources="Note 1\nNote 2")
    )
    official = Answer.objects.get(author=dana)
    assert official.is_official and official.official_sources == ["Note 1", "Note 2"]
    signed_in(bob).post(at("answer", thread), answering(official_for=str(dana.department_id)))
    assert not Answer.objects.get(author=bob).is_official


def test_htmx_takes_part_of_the_page_and_is_told_where_to_look(thread: Thread, bob: User) -> None:
    response = signed_in(bob).post(at("answer", thread), answering(), headers=HTMX, follow=True)
    new = Answer.objects.get(author=bob)
    assert response.status_code == 200 and b'id="thread"' in response.content
    assert f"answer-{new.pk}" in response["HX-Trigger-After-Settle"]


# Asking


def test_asking(alice: User, duo: object) -> None:
    given = asking(product="duo", tags="", serial="D-17", follow="on")
    response = signed_in(alice).post("/questions/ask/", given)
    thread = Thread.objects.get()
    assert (response.status_code, response["Location"]) == (302, thread.get_absolute_url())
    assert thread.product == duo and thread.private_details.serial == "D-17"
    assert "D-17" not in Client().get(thread.get_absolute_url()).content.decode()
    assert "D-17" in signed_in(alice).get(thread.get_absolute_url()).content.decode()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("title", "Drips", "at least 15 letters"),
        ("body", "It drips.", "at least 20 letters"),
        ("kind", "rant", "be chosen here."),
        ("product", "none", "be chosen here."),
        ("tags", "brand-new-tag", "There is no tag"),
    ],
)
def test_each_field_says_what_is_wrong_and_keeps_the_text(alice: User, field: str, value: str, said: str) -> None:
    response = signed_in(alice).post("/questions/ask/", asking(**{field: value}))
    body = response.content.decode()
    assert response.status_code == 422 and said in body and "data-error-summary" in body
    assert asking(**{field: value})["body"] in body and asking(**{field: value})["title"] in body


def test_the_form_knows_where_one_came_from(alice: User, duo: object) -> None:
    Ownership.objects.create(owner=alice, product=duo)
    body = signed_in(alice).get("/questions/ask/?product=duo&kind=idea&title=A+quieter+pump").content.decode()
    assert 'value="duo" checked' in body and 'value="idea" id="id_kind_2" checked' in body
    assert 'value="A quieter pump"' in body
    assert signed_in(alice).get("/questions/ask/?kind=rant&product=none").status_code == 200


def test_a_visitor_asks_first_and_signs_up_after(alice: User) -> None:
    client = Client()
    response = client.post("/questions/ask/", asking(serial="D-17"))
    assert response.status_code == 302 and response["Location"].startswith("/accounts/signup/?next=")
    client.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get("/questions/ask/").content.decode()
    assert asking()["title"] in page and asking()["body"] in page and "D-17" in page
    started = re.search(r'name="started" value="([^"]+)"', page)[1]  # type: ignore[index]
    assert client.post("/questions/ask/", asking(started=started)).status_code == 302  # at once: it was read before
    assert Thread.objects.get().author == alice
    assert asking()["title"] not in client.get("/questions/ask/").content.decode()


def test_a_visitor_cannot_fill_the_sessions() -> None:
    client = Client()
    statuses = [client.post("/questions/ask/", asking()).status_code for _ in range(11)]
    assert statuses[:10] == [302] * 10 and statuses[10] == 429


def test_drafts_come_back_and_go_when_posted(alice: User) -> None:
    client = signed_in(alice)
    assert client.post("/posts/draft/?key=ask", asking(serial="D-17")).status_code == 204
    assert "serial" not in Draft.objects.get().data
    assert asking()["title"] in client.get("/questions/ask/").content.decode()
    client.post("/questions/ask/", asking())
    assert not Draft.objects.exists()


# Editing


def test_editing_keeps_versions_and_strangers_out(thread: Thread, alice: User, charlie: User) -> None:
    assert signed_in(charlie).get(at("edit", thread)).status_code == 403
    page = signed_in(alice).get(at("edit", thread)).content.decode()
    seen = re.search(r'name="seen" value="(\d+)"', page)[1]  # type: ignore[index]
    given = {"title": thread.title, "body": "It drips from the right, as I see now.", "product": "duo", "seen": seen}
    assert signed_in(alice).post(at("edit", thread), given).status_code == 303
    thread.refresh_from_db()
    assert thread.body_source == given["body"]


def test_the_second_of_two_editors_sees_both_texts(thread: Thread, alice: User) -> None:
    client = signed_in(alice)
    first = {"title": thread.title, "body": "The first one to save wrote this.", "product": "duo", "seen": "1"}
    second = {"title": thread.title, "body": "The second one to save wrote that.", "product": "duo", "seen": "1"}
    assert client.post(at("edit", thread), first).status_code == 303
    response = client.post(at("edit", thread), second)
    body = response.content.decode()
    assert response.status_code == 409 and first["body"] in body and second["body"] in body
    knowing = re.search(r'name="seen" value="(\d+)"', body)[1]  # type: ignore[index]
    assert client.post(at("edit", thread), {**second, "seen": knowing}).status_code == 303


def test_an_edit_of_what_was_merged_meanwhile_keeps_its_text(thread: Thread, alice: User, ravi: User) -> None:
    other = factories.a_thread()
    services.merge_thread(thread, other, ravi, "The same")
    given = {"title": thread.title, "body": LONG, "product": "duo", "seen": "1"}
    refused = signed_in(alice).post(at("edit", thread), given)
    page = refused.content.decode()
    assert refused.status_code == 409 and LONG in page and other.get_absolute_url() in page
    assert signed_in(alice).get(at("edit", thread)).status_code == 301
    other.refresh_from_db()
    assert other.body_source != LONG


def test_an_answer_sent_while_the_thread_is_merged_or_goes_keeps_its_text(
    thread: Thread, bob: User, ravi: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, right = factories.a_thread(), services.post_answer

    def while_merged(found: Thread, by: User, **given: object) -> Answer:
        services.merge_thread(found, other, ravi, "The same")
        return right(found, by, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(services, "post_answer", while_merged)
    refused = signed_in(bob).post(at("answer", thread), answering())
    page = refused.content.decode()
    assert refused.status_code == 409 and LONG in page and other.get_absolute_url() in page
    monkeypatch.setattr(services, "post_answer", right)
    moderation.delete(other, ravi, reason="Spam")
    gone = signed_in(bob).post(at("answer", other), answering())
    assert gone.status_code == 409 and LONG in gone.content.decode()


def test_answers_are_edited_by_their_author(thread: Thread, answer: Answer, bob: User, charlie: User) -> None:
    assert signed_in(charlie).get(at("edit_answer", answer)).status_code == 403
    given = {"body": "Open it fully, six times over.", "seen": "1", "summary": "Shorter"}
    assert signed_in(bob).post(at("edit_answer", answer), given).status_code == 303
    assert (
        signed_in(bob).post(at("edit_answer", answer), {**given, "body": "Seven times, in truth."}).status_code == 409
    )
    assert "edited once" in Client().get(thread.get_absolute_url()).content.decode()
    assert "<ins>" in Client().get(at("answer_history", answer)).content.decode()


# Steps


def test_each_person_sees_the_steps_open_to_them(thread: Thread, alice: User, dana: User, charlie: User) -> None:
    assert signed_in(charlie).get(at("manage", thread)).status_code == 403
    own = signed_in(alice).get(at("manage", thread)).content.decode()
    assert "Solved another way" in own and "Close the thread" not in own
    staff = signed_in(dana).get(at("manage", thread)).content.decode()
    assert "Ask for information" in staff and "Close the thread" in staff and "Lock the thread" not in staff


@pytest.mark.parametrize(
    ("who", "given", "field"),
    [
        ("alice", {"step": "solve", "note": "A new gasket."}, "solved_at"),
        ("dana", {"step": "info", "note": "Which serial number?"}, "needs_info_since"),
        ("dana", {"step": "close", "reason": "Settled by mail."}, "closed_at"),
        ("ravi", {"step": "lock", "reason": "It got too warm here."}, "locked_at"),
    ],
)
def test_steps_do_what_they_say(
    request: pytest.FixtureRequest, thread: Thread, charlie: User, who: str, given: dict[str, str], field: str
) -> None:
    assert signed_in(charlie).post(at("manage", thread), given).status_code == 403
    client = signed_in(request.getfixturevalue(who))
    without_words = {name: "" if name != "step" else value for name, value in given.items()}
    assert client.post(at("manage", thread), without_words).status_code == 422
    assert client.post(at("manage", thread), given).status_code == 303
    thread.refresh_from_db()
    assert getattr(thread, field)
    words = given.get("note") or given["reason"]
    assert words in Client().get(thread.get_absolute_url()).content.decode()


def test_duplicates_are_named_by_number_or_address(thread: Thread, alice: User, ravi: User) -> None:
    client = signed_in(ravi)
    for named in [
        str(thread.pk),
        f"http://testserver{thread.get_absolute_url()}#answers",
        f"#{thread.pk}",
        f"/questions/{thread.pk}/",
        f"testserver{thread.get_absolute_url()}",
    ]:
        again = factories.a_thread(alice)
        assert client.post(at("manage", again), {"step": "duplicate", "of": named}).status_code == 303
        again.refresh_from_db()
        assert again.duplicate_of == thread
    other = factories.a_thread(alice)
    elsewhere = [
        f"/questions/answer/{thread.pk}/edit/", f"/questions/thread/{thread.pk}/history/",
        f"https://evil.example{thread.get_absolute_url()}", f"evil.example/questions/{thread.pk}/",
    ]  # fmt: skip
    for wrong in ["", "none", "98765", f"/questions/{other.pk}/x/", "http://[", "9" * 400, *elsewhere]:
        assert client.post(at("manage", other), {"step": "duplicate", "of": wrong}).status_code == 422
    assert client.post(at("manage", other), {"step": "nonsense"}).status_code == 422


# Private details


def test_private_details_are_for_the_asker_and_staff_and_looks_are_kept(
    thread: Thread, alice: User, dana: User, charlie: User
) -> None:
    assert signed_in(alice).post(at("private", thread), {"serial": "D-2291"}).status_code == 303
    assert signed_in(charlie).post(at("private", thread)).status_code == 403
    assert "D-2291" not in signed_in(dana).get(thread.get_absolute_url()).content.decode()
    assert PrivateView.objects.count() == 0
    shown = signed_in(dana).post(at("private", thread))
    assert "D-2291" in shown.content.decode() and shown["Cache-Control"] == "no-store"
    assert PrivateView.objects.get().viewer == dana
    assert "D-2291" not in Client().get(thread.get_absolute_url()).content.decode()


def test_a_pending_thread_says_so_to_its_author_only(alice: User, bob: User) -> None:
    thread = factories.a_thread(alice)
    Thread.objects.filter(pk=thread.pk).update(visibility="pending", published_at=None)
    assert "A moderator reads this first." in signed_in(alice).get(thread.get_absolute_url()).content.decode()
    assert signed_in(bob).get(thread.get_absolute_url()).status_code == 404


def test_comments_by_htmx_return_the_list(thread: Thread, bob: User) -> None:
    address = reverse("posts:comment", args=["thread", thread.pk])
    response = signed_in(bob).post(address, {"body": "Same here."}, headers=HTMX)
    assert response.status_code == 200 and b"Same here." in response.content and b"<html" not in response.content
    assert Comment.objects.get().target == thread


def test_what_was_asked_for_is_said_and_the_page_says_so_at_once(thread: Thread, alice: User, dana: User) -> None:
    """The whole page is drawn again: who has it and the request stand in other parts of it."""
    services.ask_for_info(thread, dana, "Which series is it?")
    address = reverse("posts:comment", args=["thread", thread.pk])
    response = signed_in(alice).post(address, {"body": "It is the second."}, headers=HTMX)
    assert response.headers["HX-Refresh"] == "true" and Thread.objects.get().needs_info_since is None
    again = signed_in(alice).post(address, {"body": "And it is red."}, headers=HTMX)
    assert "HX-Refresh" not in again.headers and b"It is red" not in again.content and b"red." in again.content

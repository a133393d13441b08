"""One case on one screen: everything at hand, in twenty queries; each act has its address."""

import json
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import reverse

from community.accounts.models import Department, User
from community.accounts.services import edit_profile, set_role
from community.core import brand, clock
from community.escalation import claims, handoffs, incidents, promises, remembered, replies, services
from community.escalation.models import (
    Channel,
    Cluster,
    Escalation,
    HandOff,
    Incident,
    Promise,
    RoutingModel,
    SavedReply,
)
from community.escalation.views.case import _next_of as next_of
from community.posts import services as posts
from community.posts.models import Draft, Tag
from community.questions.models import Answer, Thread
from community.search import documents
from products.models import Product
from tests import factories

from .conftest import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def agent(client: Client, dana: User, enrol: Callable[[User], None]) -> Client:
    enrol(dana)
    client.force_login(dana)
    return client


@pytest.fixture
def problem(alice: User, duo: Product, asked: list[User]) -> Thread:
    with clock.travel(NOON):
        return factories.a_thread(
            alice, product=duo, kind="problem", title="The motor stalls with three beeps", private={"phone": "030 1234"}
        )


@pytest.fixture
def reply(hanna: User) -> SavedReply:
    body = "Thank you, {first_name}. The [part] is on its way to you, for {amount}."
    return replies.save(SavedReply(slug="part", title="A part is on its way", body=body), hanna)


def case_url(thread: Thread) -> str:
    return reverse("escalation:case", args=[thread.pk])


def act(client: Client, thread: Thread, verb: str, **data: object) -> tuple[int, str]:
    response = client.post(reverse("escalation:act", args=[thread.pk, verb]), data, follow=True)
    first = response.redirect_chain[0][1] if response.redirect_chain else response.status_code
    return first, response.content.decode()


def test_all_is_at_hand_in_twenty_queries(
    agent: Client, problem: Thread, reply: SavedReply, hanna: User, dana: User, mei: User, alice: User, bob: User,
    duo: Product, settings: object, django_assert_max_num_queries: Callable,
) -> None:  # fmt: skip
    ContentType.objects.get_for_models(Thread, Answer)
    mail = handoffs.save_channel(
        Channel(slug="workshop", name="the workshop", kind="mail", address="help@example.org"), hanna
    )
    with clock.travel(NOON):
        for number in range(3):
            answer = factories.an_answer(problem, factories.a_person())
            posts.comment(answer, alice, body=f"Comment {number}")
            services.add_note(problem, mei, f"Note {number}")
            factories.a_thread(alice, product=duo)
        handoffs.hand_off(problem, mei, mail, note="Look at the motor")
        promises.make(problem, mei, text="A new board", due_at=NOON + timedelta(days=2))
        services.pause(problem, mei, "part")
    with clock.travel(NOON + timedelta(minutes=90)):
        services.resume(problem, mei)
        found = incidents.open_incident(duo, mei, title="Three beeps", body="Go back to 1.2.", first=problem)
    words = {"motor": [1.0, 2.0, -2.0], "beeps": [1.0, 1.5, -1.0]}
    support = Escalation.objects.get(thread=problem).department
    RoutingModel.objects.create(
        weights={"classes": [str(support.pk), "0"], "commonest": "0", "intercepts": [0, 0], "words": words},  # type: ignore[union-attr]
        cases=100, held_back=20, accuracy=0.9, majority=0.5, mis_routed={str(support.pk): 0.06},  # type: ignore[union-attr]
    )  # fmt: skip
    claims.claim(problem, mei)
    settings.BRAND_SECONDS = 30  # type: ignore[attr-defined]  # what a live site remembers: brand, replies, channels
    brand.forget()
    remembered.forget()
    agent.get(case_url(problem))
    with django_assert_max_num_queries(20):
        page = agent.get(case_url(problem))
    html = page.content.decode()
    for said in (
        "Note 2", "Comment 2", "the workshop", "A new board", found.title,
        "Waiting for a part: <b>1 h 30", "<mark>motor</mark>", "Wrong in 6 %",
        f"{mei.name} is answering this case just now", "A part is on its way", "Thank you, Alice. The [part]",
        reverse("questions:merge", args=[problem.pk]), reverse("escalation:alike", args=[problem.pk]),
        'id="dsk-keys"', 'data-key="h"', 'data-key="d"',
    ):  # fmt: skip
        assert said in html, said
    assert "030 1234" not in html


def test_what_they_wrote_before_says_how_it_stands(agent: Client, problem: Thread, alice: User, duo: Product) -> None:
    idea = factories.a_thread(alice, product=duo, kind="idea", title="A longer crank, please")
    Thread.objects.filter(pk=idea.pk).update(idea_status="shipped")
    factories.a_thread(alice, product=duo, kind="praise", title="It simply works")
    factories.a_thread(alice, product=duo, title="Which grind for it?")
    said = re.sub(r"<[^>]+>|\s+", " ", agent.get(case_url(problem)).content.decode())
    before = re.sub(" +", " ", said.partition("Asked by them before")[2].partition("So far")[0])
    assert "A longer crank, please Shipped" in before and "Which grind for it? No reply" in before
    assert "It simply works No reply" not in before, "nobody waits for a reply to praise"


def test_an_official_answer_with_a_gap_or_a_day_is_asked_about(
    agent: Client, problem: Thread, reply: SavedReply, dana: User
) -> None:
    begun = agent.get(case_url(problem), {"reply": reply.pk}).content.decode()
    assert "Thank you, Alice. The [part] is on its way to you, for [a sum of money, put in by hand]." in begun
    body = "Thank you, Alice. The [part] is on its way to you, for 3 €."
    given = {"department": dana.department_id, "reply": reply.pk}
    status, html = act(agent, problem, "official", body=body, **given)
    assert status == 422 and "Still to be put in: [part]." in html and "The [part] is on its way" in html
    named = "Thank you, Alice. The ring is with you by 2099-01-01, or 2027-01-02."
    with clock.travel(NOON):
        status, html = act(agent, problem, "official", body=named, **given)
        assert status == 422 and "Is it a promise?" in html and 'name="no_promise"' in html
        status, html = act(agent, problem, "official", body=named, preview="1", **given)
        assert status == 200 and "As it would stand" in html and not Answer.objects.exists()
        status, _html = act(agent, problem, "official", body=named, promise_on="2027-01-02T12:00", **given)
    assert status == 303
    promise = Promise.objects.get()
    assert promise.answer == Answer.objects.get() and promise.due_at.isoformat() == "2027-01-02T11:00:00+00:00"


def test_a_draft_is_kept_and_goes_with_the_answer(agent: Client, problem: Thread, dana: User) -> None:
    beside = {"sources": "Service paper 14", "recheck_on": "2027-03-01", "promise_on": "", "department": "not one"}
    agent.post(f"{reverse('posts:draft')}?key=desk:{problem.pk}", {"body": "Dear Alice, it is the", **beside})
    html = agent.get(case_url(problem)).content.decode()
    assert "Dear Alice, it is the" in html and "Service paper 14" in html and 'value="2027-03-01"' in html
    status, _html = act(
        agent, problem, "official", body="Dear Alice, it is the start current.", department=dana.department_id
    )
    assert status == 303 and not Draft.objects.exists()


def test_whoever_sent_it_sees_that_it_went_out_and_what_is_next(
    agent: Client, problem: Thread, bob: User, dana: User, mei: User, support: Department
) -> None:
    before = agent.get(case_url(problem)).content.decode()
    assert 'id="sent"' not in before and "Answer once more" not in before
    body = "It is the start current, and ours to mend."
    act(agent, problem, "official", body=body, department=dana.department_id)
    html = agent.get(case_url(problem)).content.decode()
    given = Answer.objects.get()
    assert f"Sent: the official answer for {support}" in html and f'href="#answer-{given.pk}"' in html
    assert "is told of it. Should they write again" in html
    assert '<details class="dsk-again" hidden>' in html, "one answer a person: theirs can be changed"
    assert reverse("questions:edit_answer", args=[given.pk]) in html
    assert ">Whole desk</a>" in html[html.index('class="dsk-acts"') :], "nothing else is due"
    with clock.travel(NOON):
        other = factories.a_thread(bob, kind="problem")
        services.acknowledge(other, dana)
    html = agent.get(case_url(problem)).content.decode()
    assert f'dsk-btn--main" href="{case_url(other)}">Next case</a>' in html
    status, html = act(agent, problem, "official", body="Twice, by a second tab.", department=dana.department_id)
    assert status == 409 and '<details class="dsk-again" open>' in html and "Twice, by a second tab." in html
    agent.force_login(mei)
    html = agent.get(case_url(problem)).content.decode()
    assert '<details class="dsk-again"><summary' in html and "Change it" not in html, "a colleague may add one"
    posts.comment(problem, problem.author, body="It still hums, I fear.")
    assert 'id="sent"' not in agent.get(case_url(problem)).content.decode(), "open again: somebody waits"


def test_merging_and_asked_before_lead_back_to_the_case(
    agent: Client, problem: Thread, bob: User, duo: Product
) -> None:
    here = case_url(problem)
    html = agent.get(here).content.decode()
    other, third = factories.a_thread(bob, product=duo), factories.a_thread(bob, product=duo)
    merge, manage = (reverse(f"questions:{name}", args=[problem.pk]) for name in ("merge", "manage"))
    assert f'href="{merge}?next={here}"' in html and f'href="{manage}?next={here}#step-duplicate"' in html
    beside = agent.get(here, {"department": "support"}).content.decode()
    assert f'href="{merge}?next={here}%3Fdepartment%3Dsupport"' in beside, "with the queue it was opened from"
    page = agent.get(merge, {"next": here, "of": other.pk}).content.decode()
    assert f'name="next" value="{here}"' in page and f'<a href="{here}">Back to where you came from</a>' in page
    page = agent.get(merge, {"next": "https://evil.example/", "of": other.pk}).content.decode()
    assert "evil.example" not in page and "Back to the thread" in page
    assert f'name="next" value="{here}"' in agent.get(manage, {"next": here}).content.decode()
    given = {"step": "duplicate", "of": str(third.pk), "next": here}
    done = agent.post(manage, given)
    assert (done.status_code, done.url) == (303, here)  # type: ignore[attr-defined]
    merge_other = reverse("questions:merge", args=[other.pk])
    done = agent.post(merge_other, {"of": str(third.pk), "reason": "The same", "next": case_url(other)}, follow=True)
    html = done.content.decode()
    assert done.redirect_chain == [(case_url(other), 303)]
    assert f"Merged into “{third.title}”." in html and "Go to that case" in html


def test_the_claim_by_button_and_while_one_writes(agent: Client, problem: Thread, mei: User, dana: User) -> None:
    status, html = act(agent, problem, "claim")
    assert status == 303 and "You answer this alone until" in html
    assert act(agent, problem, "release")[0] == 303
    claims.claim(problem, mei)
    address = reverse("escalation:act", args=[problem.pk, "claim"])
    refused = agent.post(address, headers={"Accept": "application/json"})
    assert refused.status_code == 409 and mei.name in json.loads(refused.content)["error"]
    typed = "It is the start current, and ours to mend."
    status, html = act(agent, problem, "official", body=typed, department=dana.department_id)
    assert status == 409 and typed in html and "Your text is kept" in html and not Answer.objects.exists()


def test_one_answer_for_several_threads(agent: Client, problem: Thread, bob: User, duo: Product, dana: User) -> None:
    with clock.travel(NOON):
        other = factories.a_thread(bob, product=duo, kind="problem", title="Motor stalls, three beeps and then nothing")
        solved = factories.a_thread(bob, product=duo, kind="problem", title="The motor stalls with three beeps, too")
        services.answer_officially(solved, dana, body="Install 1.3.1, please.", department=dana.department)
        elsewhere = factories.a_thread(bob, product=duo, title="Which grease for the bearing, and how often")
        services.answer_officially(elsewhere, dana, body="Once a year, food grade.", department=dana.department)
    for thread in (problem, elsewhere):
        thread.tags.set([Tag.objects.get_or_create(slug="stall", defaults={"name": "stall"})[0]])
    documents.index_changes()
    alike = agent.get(reverse("escalation:alike", args=[problem.pk]), headers={"Accept": "text/html-fragment"})
    html = alike.content.decode()
    assert solved.title in html and f'value="{other.pk}"' in html and f'value="{solved.pk}"' not in html
    assert f"{reverse('questions:merge', args=[problem.pk])}?of={other.pk}" in html
    assert html.index(solved.title) < html.index(elsewhere.title), "other words, but the same product and tag"
    assert "<html" not in html and "<html" in agent.get(alike.request["PATH_INFO"]).content.decode()
    body = "This is the start current, and 1.3.1 mends it."
    status, html = act(agent, problem, "official", body="short", department=dana.department_id, threads=[other.pk])
    assert status == 422 and f'name="threads" value="{other.pk}"' in html, "what was ticked stays"
    status, html = act(agent, problem, "official", body=body, department=dana.department_id, threads=[other.pk])
    assert status == 303 and "1 other thread gets it" in html
    assert Cluster.objects.get().threads.get().thread == other


def test_promises_hand_offs_and_incidents_by_their_forms(
    agent: Client, problem: Thread, hanna: User, dana: User, duo: Product
) -> None:
    with clock.travel(NOON):
        assert act(agent, problem, "promise", text="A new board", due_at="2020-01-01T12:00")[0] == 422
        assert act(agent, problem, "promise", text="A new board", due_at="2026-11-20T12:00")[0] == 303
        promise = Promise.objects.get()
        status, html = act(agent, problem, "move", promise=promise.pk, due_at="2026-11-25T12:00", why="")
        assert status == 422 and 'id="move_why"' in html
        assert act(agent, problem, "move", promise=promise.pk, due_at="2026-11-25T12:00", why="None in stock")[0] == 303
        newest = Promise.objects.open().get()
        assert "A new board" in agent.get(reverse("escalation:promises")).content.decode()
        assert act(agent, problem, "keep", promise=newest.pk)[0] == 303
        assert act(agent, problem, "keep", promise=987_654)[0] == 404
        ended = agent.get(reverse("escalation:promises"), {"show": "ended"}).content.decode()
        assert "None in stock" in ended
        phone = handoffs.save_channel(Channel(slug="phone", name="a call back", kind="call"), hanna)
        assert act(agent, problem, "hand-off", channel="")[0] == 422
        status, html = act(agent, problem, "hand-off", channel=phone.pk)
        made = HandOff.objects.get()
        assert status == 303 and made.reference in html
        assert act(agent, problem, "outcome", hand_off=made.pk, outcome="")[0] == 422
        status, html = act(agent, problem, "outcome", hand_off=made.pk, outcome="We found it together.")
        assert status == 303 and "We found it together." in html
        status, html = act(agent, problem, "incident", title="", text="")
        assert status == 422 and 'id="incident_title"' in html
        assert act(agent, problem, "incident", title="Three beeps", text="Go back to 1.2.")[0] == 303
        found = Incident.objects.get()
        assert act(agent, problem, "let-go")[0] == 303
        assert act(agent, problem, "incident", known=found.title)[0] == 303
        assert "Three beeps" in agent.get(reverse("escalation:incidents")).content.decode()
        address = reverse("escalation:incident", args=[found.pk])
        assert problem.title in agent.get(address).content.decode()
        assert agent.post(address, {"text": ""}).status_code == 422
        assert agent.post(address, {"text": "The cause is found."}).status_code == 303
        assert agent.post(address, {"solution": "Install 1.3.1, that mends it."}).status_code == 303
        html = agent.get(address).content.decode()
        assert "The cause is found." in html and "Install 1.3.1" in html
    assert Answer.objects.get(thread=problem).is_official


def test_strangers_and_reading_change_nothing(client: Client, problem: Thread, alice: User, bob: User) -> None:
    client.force_login(bob)
    for verb in ("claim", "promise", "hand-off", "incident", "keep"):
        address = reverse("escalation:act", args=[problem.pk, verb])
        assert client.get(address).status_code in (302, 403, 405)
        assert client.post(address).status_code in (302, 403)
    for name in ("promises", "incidents"):
        assert client.get(reverse(f"escalation:{name}")).status_code in (302, 403)


def test_managers_write_replies_and_channels_in_the_admin(
    client: Client, hanna: User, dana: User, enrol: Callable[[User], None], support: object
) -> None:
    enrol(hanna)
    client.force_login(hanna)
    add = reverse("saved_replies:add")
    data = {
        "title": "A part",
        "slug": "part",
        "language": "de",
        "body": "Hallo {vorname}",
        "position": 1,
        "active": "on",
    }
    refused = client.post(add, data)
    assert "Nothing is known as {vorname}" in refused.content.decode() and "Hallo {vorname}" in refused.content.decode()
    assert client.post(add, {**data, "body": "Hallo {first_name} [Teil]", "kinds": ["problem"]}).status_code == 302
    reply = SavedReply.objects.get()
    assert (reply.kinds, reply.changed_by) == (["problem"], hanna)
    shown = client.get(reverse("saved_replies:inspect", args=[reply.pk])).content.decode()
    assert "Hallo Alice [Teil]" in shown
    assert client.get(reverse("saved_replies:index")).status_code == 200
    add = reverse("channels:add")
    data = {"name": "the shop", "slug": "shop", "kind": "webhook", "url": "http://127.0.0.1/", "active": "on"}
    assert "public server" in client.post(add, data).content.decode()
    assert client.post(add, {**data, "url": "https://hooks.example.org/"}).status_code == 302
    channel = Channel.objects.get()
    edit = client.get(reverse("channels:edit", args=[channel.pk])).content.decode()
    assert channel.secret not in edit
    made = client.post(reverse("escalation:channel_secret", args=[channel.pk]))
    channel.refresh_from_db()
    assert channel.secret in made.content.decode() and "no-store" in made.headers["Cache-Control"]
    enrol(dana)
    client.force_login(dana)
    assert client.get(add).status_code == 302
    assert client.post(reverse("escalation:channel_secret", args=[channel.pk])).status_code == 403


def test_the_next_case_is_the_one_behind_this_one() -> None:
    assert [next_of(queue, 1) for queue in ([3, 1, 7], [3, 1], [3, 7], [1], [])] == [7, 3, 3, None, None]


def test_who_begins_to_work_cases_stands_in_the_list_at_once(
    problem: Thread, mei: User, charlie: User, settings: object, django_capture_on_commit_callbacks: Callable
) -> None:
    settings.BRAND_SECONDS = 30  # type: ignore[attr-defined]  # who works cases is kept for half a minute
    assert mei in remembered.workers() and charlie not in remembered.workers()
    with django_capture_on_commit_callbacks(execute=True):
        set_role(charlie, None, "agent", mei.department)
        set_role(mei, None, "")
    assert charlie in remembered.workers() and mei not in remembered.workers()
    with django_capture_on_commit_callbacks(execute=True):
        edit_profile(charlie, name="Charlotte", about="", city="")
    assert "Charlotte" in [person.name for person in remembered.workers()]

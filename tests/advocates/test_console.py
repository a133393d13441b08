"""The programme in the Wagtail admin: overview, applications, why somebody is first, the end of a role, the code."""

import pytest

from advocates import console, matching, programme, queue, services
from advocates.models import AdvocateMembership, Application, Ask, CodeOfConduct
from community.accounts.models import User
from community.accounts.services import set_role
from community.questions import services as questions

from ..factories import a_person, a_product, a_thread, an_answer, an_owner

pytestmark = pytest.mark.django_db
WHY = "I have repaired three of these machines and like to explain."


@pytest.fixture
def manager(client, hanna, enrol):
    enrol(hanna)
    client.force_login(hanna)
    return client


def test_the_funnel_says_how_many_came_how_far_and_where_the_others_are(manager, wednesday, bob, hanna, duo):
    for state, done in (
        ("invited", {}), ("trial", {"applied_at": wednesday}),
        ("judged", {"applied_at": wednesday, "answered_at": wednesday, "judged_at": wednesday}),
        ("accepted", {"applied_at": wednesday, "judged_at": wednesday}),  # there were no old questions
    ):  # fmt: skip
        Application.objects.create(person=a_person(), state=state, created_at=wednesday, **done)
    found = console._funnel(wednesday - console.LOOKED_BACK)
    assert [(label, n, share) for label, n, share, _others in found] == [
        ("Invited or applied", 4, 100), ("Applied", 3, 75), ("Trial done", 2, 50), ("Judged", 2, 50),
        ("Accepted", 1, 25),
    ]  # fmt: skip
    others = [line for *_step, lines in found for line in lines]
    assert others == ["not answered yet: 1", "at the trial: 1", "wait for your decision: 1"]
    page = manager.get("/admin/programme/").content.decode()
    assert "wait for your decision: 1" in page and "75 %" in page


@pytest.fixture
def life(wednesday, hanna, duo):
    people = [a_person() for _ in range(4)]
    for person in people:
        services.admit(person, hanna, [duo])
    for _ in range(3):
        matching.asked(a_thread(product=duo), people[:2])
    an_answer(a_thread(product=duo), people[0])
    return people


def test_the_overview_costs_the_same_however_many_there_are(manager, life, django_assert_max_num_queries):
    manager.get("/admin/programme/")
    with django_assert_max_num_queries(22):  # ten of ours, the rest is Wagtail's frame
        page = manager.get("/admin/programme/").content.decode()
    assert "an even share would be 25 %" in page
    assert "0 of 3 questions" in page
    assert str(life[0]) in page


def test_a_manager_reads_why_somebody_is_first(manager, life, duo, django_assert_max_num_queries):
    thread = a_thread(product=duo)
    other = a_person("elsewhere")
    services.admit(other, None, [a_product()])
    with django_assert_max_num_queries(24):
        listed = manager.get("/admin/programme/routing/").content.decode()
    assert thread.title in listed and "Score = (15 + what they know)" in listed
    page = manager.get(f"/admin/programme/routing/{thread.pk}/").content.decode()
    assert "is first" in page and "the most of all who can be asked" in page
    assert "who is next" in page and "was asked less this week" in page
    assert "advocate for other products" in page
    assert manager.get("/admin/programme/routing/999999/").status_code == 404
    waiting = a_thread(product=duo)
    matching.asked(waiting, life[2:3])
    queue.pass_on(waiting, life[2], "no_time")
    page = manager.get(f"/admin/programme/routing/{waiting.pk}/").content.decode()
    assert f"passed: {Ask.Why.NO_TIME.label}" in page and "asked</span>" not in page


def test_invite_decide_and_end_a_role(manager, bob, duo, alice):
    assert manager.post("/admin/programme/applications/", {"username": "nobody.here"}).status_code == 422
    questions.vote_answer(an_answer(a_thread(alice, product=duo), bob), an_owner(duo), 1)
    page = manager.get(f"/admin/programme/applications/?product={duo.pk}&username=bob").content.decode()
    assert "Put into the form" in page and 'value="bob"' in page
    assert manager.post("/admin/programme/applications/", {"username": "bob", "product": duo.pk}).status_code == 303
    page = manager.get(f"/admin/programme/applications/?product={duo.pk}").content.decode()
    assert "Put into the form" not in page and "Nobody else has been found" in page
    programme.apply(bob, [duo], WHY, code_version=1)
    found = Application.objects.get()
    url = f"/admin/programme/applications/{found.pk}/"
    assert "There were no old questions" in manager.get(url).content.decode()
    assert manager.post(url, {}).status_code == 422  # declined without a reason
    assert manager.post(url, {"products": [duo.pk]}).status_code == 303
    member = AdvocateMembership.objects.get(user=bob)
    assert member.is_current
    assert "Bob" in manager.get("/admin/programme/applications/?state=all").content.decode()
    url = f"/admin/programme/ending/{member.pk}/"
    assert manager.post(url, {"remove": "1", "reason": "Rude."}).status_code == 422
    assert manager.post(url, {"remove": "1", "reason": "Was rude to newcomers, three times."}).status_code == 303
    assert User.objects.get(pk=bob.pk).standing == "member"
    page = manager.get(url).content.decode()
    assert "was taken away on" in page and "Save the line" not in page


def test_editors_word_the_code_and_see_nothing_else(client, enrol, charlie, dana):
    set_role(charlie, None, "editor")
    editor = User.objects.get(pk=charlie.pk)
    for person in (editor, dana):
        enrol(person)
    client.force_login(editor)
    words = "1. **Own it.** " + "And say what you know, and what you do not know, and what you only guess. " * 2
    assert client.post("/admin/programme/code/", {"body_source": words}).status_code == 422
    assert client.post("/admin/programme/code/", {"body_source": words, "what_changed": "All."}).status_code == 303
    assert CodeOfConduct.objects.first().version == 2
    assert client.get("/admin/programme/").status_code == 403
    client.force_login(dana)
    for path in ("", "applications/", "routing/", "code/"):
        assert client.get(f"/admin/programme/{path}").status_code == 403

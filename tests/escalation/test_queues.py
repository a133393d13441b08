"""Queues of the desk: what is in each, their numbers, orders, pages, filters, and acts on many at once."""

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.urls import reverse

from community.accounts.models import Department, User
from community.core import clock
from community.core.errors import NotAllowed
from community.escalation import bulk, queues, services, shifts
from community.escalation.models import DeskFilter, Escalation
from community.escalation.sweep import sweep
from community.events.log import record
from community.posts import services as posts
from community.questions import services as questions
from community.questions.counting import MOST
from community.questions.models import Thread
from tests import factories

from .conftest import NOON

pytestmark = pytest.mark.django_db
Enrol = Callable[[User], None]
DESK = "/admin/desk/"


@pytest.fixture
def agent(client: Client, dana: User, enrol: Enrol) -> Client:
    enrol(dana)
    client.force_login(dana)
    return client


@pytest.fixture
def problems(alice: User, support: Department, asked: list[User]) -> list[Thread]:
    """Three problems that have reached customer support, an hour apart."""
    made = []
    for hour in range(3):
        with clock.travel(NOON + timedelta(hours=hour)):
            made.append(factories.a_thread(alice, kind="problem", title=f"The steam wand drips, part {'abc'[hour]}"))
    sweep(NOON + timedelta(hours=15))
    return made


def inside(name: str, user: User) -> list[int]:
    wish = queues.read({"queue": name, "department": "all"}, user, user.department)
    assert wish is not None
    return list(queues.chosen(wish).order_by("thread").values_list("thread", flat=True))


def test_each_queue_holds_what_it_says(problems: list[Thread], alice: User, bob: User, dana: User) -> None:
    first, second, third = problems
    with clock.travel(NOON + timedelta(hours=16)):
        factories.an_answer(first, bob)
        fresh = factories.a_thread(alice)
        services.acknowledge(third, dana)
        services.ask_for_info(third, dana, "Which serial number does it have?")
    first.refresh_from_db()
    with clock.travel(NOON + timedelta(hours=17)):
        assert inside("responded", dana) == [first.pk]
        assert inside("attention", dana) == []
        assert inside("info", dana) == inside("paused", dana) == [third.pk]
        assert inside("mine", dana) == [third.pk]
        assert inside("unanswered", dana) == []
        assert inside("unhelped", dana) == []
        assert fresh.pk in inside("owners", dana) and fresh.pk not in inside("due", dana)
        assert set(inside("department", dana)) >= {second.pk, third.pk}
    with clock.travel(NOON + timedelta(hours=18)):
        posts.comment(first.answers.get(), alice, body="I tried it, and it still drips.")
    with clock.travel(NOON + timedelta(hours=27)):
        assert inside("attention", dana) == inside("unhelped", dana) == [first.pk]
        assert inside("responded", dana) == []
        assert inside("unanswered", dana) == [second.pk], "the third has been asked back, which is a reply to none"
        services.resolve(second, dana, "private")
        assert inside("done", dana) == [second.pk] and second.pk not in inside("due", dana)


def test_numbers_are_right_and_cost_two_queries(
    problems: list[Thread], dana: User, django_assert_num_queries: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.assign(problems[0], dana, dana)
    wish = queues.read({}, dana, dana.department)
    assert wish is not None
    with django_assert_num_queries(2):
        numbers = queues.counts(wish)
    assert (numbers["due"], numbers["mine"], numbers["department"], numbers["late"]) == (3, 1, 3, 0)
    for name in numbers:
        if name != "today":
            assert numbers[name] == queues.cases_of(name, wish).count()
    monkeypatch.setattr("community.questions.counting.MOST", 1)
    many = queues.counts(wish)
    assert many["due"] == 2, "counted up to one more than are shown"
    Thread.objects.update(asker_spoke_at=clock.now())
    with django_assert_num_queries(1):
        assert queues.counts(wish)["attention"] == many["attention"] == 0, "where many are open, kept for a minute"
    cache.clear()
    assert queues.counts(wish)["attention"] == 2
    assert MOST == 999


def test_what_staff_have_lies_in_an_index_in_its_order(problems: list[Thread], dana: User) -> None:
    """The database must know the condition and the order of the index for those of the queue."""
    wish = queues.read({}, dana, dana.department)
    assert wish is not None
    places = queues.cases_of("due", wish).in_due_order().values("pk")[:50]
    if connection.vendor == "postgresql":  # SQLite uses no index with a condition for values it is given
        with connection.cursor() as cursor:
            # With three rows any plan is cheap: left is what needs no sorting, and that only this index can give.
            for way in ("seqscan", "bitmapscan", "sort"):
                cursor.execute(f"SET LOCAL enable_{way} = off")
        assert "escalation_in_order" in places.explain()
    assert len(places) == 3


def test_the_desk_asks_for_numbers_while_it_is_looked_at(agent: Client, problems: list[Thread]) -> None:
    html = agent.get(DESK).content.decode()
    assert 'data-poll="/admin/desk/counts/?"' in html and 'data-count="due">3<' in html
    answer = agent.get("/admin/desk/counts/")
    assert answer.json()["due"] == "3" and "no-cache" in answer["Cache-Control"]


@pytest.mark.parametrize("sort", ["", "oldest", "newest", "active", "reporters"])
def test_pages_go_by_keyset_in_every_order(problems: list[Thread], dana: User, alice: User, sort: str) -> None:
    Escalation.objects.filter(thread=problems[1]).update(late_at=NOON)
    wish = queues.read({"sort": sort}, dana, dana.department)
    assert wish is not None
    found, order = queues.chosen(wish).for_desk(), wish.order
    whole = [case.pk for case in queues.page_of(found, order).rows]
    assert len(whole) == 3
    if not sort:
        assert whole[0] == Escalation.objects.get(thread=problems[1]).pk, "late first"
    walked, page = [], queues.page_of(found, order, size=1)
    while True:
        walked += [case.pk for case in page.rows]
        if not page.after:
            break
        page = queues.page_of(found, order, after=page.after, size=1)
    assert walked == whole
    back = queues.page_of(found, order, before=page.before, size=1)
    assert [case.pk for case in back.rows] == [whole[1]] and back.before and back.after


def test_odd_addresses_have_an_end(agent: Client, problems: list[Thread]) -> None:
    for query in ("after=x", "after=1.2", "before=9.9.9.9", "after=1.99999999999999999999.3", "queue=nope"):
        assert agent.get(f"{DESK}?{query}").status_code == 404
    assert agent.get(f"{DESK}?sort=nope&kind=x&with=y&q=%00%25&department=%00").status_code == 200
    assert agent.get(f"{DESK}{10**30}/").status_code == 404
    huge = [f"{10**30}:0", f"{problems[0].pk}:{10**30}"]
    assert agent.post(reverse("escalation:bulk"), {"verb": "take", "case": huge}).status_code == 422
    # A hundred Cyrillic letters are six hundred in an address, more than the column holds.
    long = {"name": "Long", "query": urlencode({"q": "п" * 100})}
    page = agent.post(reverse("escalation:keep_filter"), long, follow=True)
    assert "These words are too many to be kept." in page.content.decode() and not DeskFilter.objects.exists()


def test_search_within_a_queue(agent: Client, problems: list[Thread], alice: User) -> None:
    wanted = problems[1]

    def hits(words: str, **more: str) -> list[int]:
        page = agent.get(DESK, {"q": words, **more})
        return [row.thread.pk for row in page.context["rows"]]

    assert hits("part b") == hits(f"#{wanted.pk}") == [wanted.pk]
    assert hits(alice.name.upper()) and len(hits(wanted.body_text[:20])) == 3
    assert hits("Nobody wrote this") == [] and "Nothing matches" in agent.get(DESK, {"q": "x1x"}).content.decode()
    Escalation.objects.get(thread=wanted).history.create(round=1, kind="handed_off", reference="REP-4471")
    assert hits("rep-4471") == [wanted.pk]
    assert hits("part b", kind="idea") == [] and hits("", **{"with": "nobody"}) and hits("", **{"with": "me"}) == []


# Filters


def test_filters_are_kept_for_oneself_and_shared_with_the_department(
    agent: Client, dana: User, mei: User, lead: User, alice: User
) -> None:
    keep = reverse("escalation:keep_filter")
    query = "queue=late&kind=problem"
    assert agent.post(keep, {"name": "Late problems", "query": query, "shared": "1"}).status_code == 303
    agent.post(keep, {"name": "My own", "query": "sort=oldest&nonsense=1"})
    shared, own = DeskFilter.objects.order_by("pk")
    assert (shared.query, shared.department, own.query, own.department) == (query, dana.department, "sort=oldest", None)
    assert shifts.filters_of(mei) == [shared]
    assert "Late problems" in agent.get(DESK).content.decode()
    agent.post(keep, {"name": "Late problems", "query": "queue=late"})
    shared.refresh_from_db()
    assert (shared.query, shared.department) == ("queue=late", None), "the same name is the same filter"
    shared = shifts.keep_filter(dana, "Late problems", query, shared=True)
    with pytest.raises(NotAllowed):
        shifts.drop_filter(shared, mei)
    with pytest.raises(NotAllowed):
        shifts.keep_filter(alice, "Mine", query)
    for name, words in (("", query), ("n" * 41, query), ("Nothing chosen", "")):
        with pytest.raises(ValidationError):
            shifts.keep_filter(dana, name, words)
    drop = reverse("escalation:drop_filter", args=[own.pk])
    assert agent.get(drop).status_code == 405
    assert [agent.post(drop).status_code for _twice in range(2)] == [303, 303]
    shifts.drop_filter(shared, lead)
    assert not DeskFilter.objects.exists()


# Many at once


def chosen(threads: list[Thread]) -> list[str]:
    held = dict(Escalation.objects.values_list("thread", "assignee"))
    return [f"{thread.pk}:{held[thread.pk] or 0}" for thread in threads]


def test_acts_on_many_cases(agent: Client, problems: list[Thread], dana: User, mei: User) -> None:
    url = reverse("escalation:bulk")
    assert agent.get(url).status_code == 405

    def press(verb: str, **data: object) -> int:
        return agent.post(url, {"verb": verb, "case": chosen(problems), **data}).status_code

    assert press("assign", **{"assign-to": mei.pk}) == 303
    assert set(Escalation.objects.values_list("assignee", flat=True)) == {mei.pk}
    assert press("acknowledge") == 303
    assert press("pause", **{"pause-cause": "part", "pause-note": "Seal is on its way"}) == 303
    assert Escalation.objects.paused().count() == 3
    assert press("resume") == 303 and not Escalation.objects.paused().exists()
    assert press("note", **{"note-body": "One batch of seals"}) == 303
    design = factories.a_department("design")
    assert press("route", **{"route-department": design.pk, "route-reason": "A fault of the seal"}) == 303
    assert Escalation.objects.filter(department=design).count() == 3
    assert press("resolve", **{"resolve-cause": "private"}) == 303
    assert not Escalation.objects.open().exists()
    assert press("nope") == 404


def test_what_fails_is_told_per_case_and_the_rest_is_done(
    agent: Client, problems: list[Thread], dana: User, mei: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = problems
    ticks = chosen(problems)
    services.acknowledge(first, mei)
    services.resolve(second, mei, "private")
    page = agent.post(reverse("escalation:bulk"), {"verb": "acknowledge", "case": ticks})
    html = page.content.decode()
    assert page.status_code == 409
    assert "2 cases stay as they were" in html and "This case is settled" in html
    assert "Mei Tanaka looks after it already." in html
    assert "You look after 1 case now." in html
    assert Escalation.objects.get(thread=third).acknowledged_by == dana
    assert Escalation.objects.get(thread=first).acknowledged_by == mei
    assert list(page.context["chosen"]) == [first.pk, second.pk], "what failed is ticked still"

    taken = agent.post(reverse("escalation:bulk"), {"verb": "take", "case": ticks})
    assert "It is with Mei Tanaka meanwhile." in taken.content.decode(), "nothing is taken from anybody unawares"

    def fails(kind: str, *args: object, **data: object) -> object:
        if kind == "escalation.paused" and data["case"] == third.escalation.pk:
            raise ValidationError("The log is full.")
        return record(kind, *args, **data)  # type: ignore[arg-type]

    services.assign(first, dana, dana)
    monkeypatch.setattr("community.escalation.cases.ground.record", fails)
    done = bulk.act_on("pause", [first.pk, third.pk], dana, {"cause": "part", "note": ""}, seen={})
    assert [thread.pk for thread in done.done] == [first.pk]
    assert done.failed == [(third, "The log is full.")]
    case = Escalation.objects.get(thread=third)
    assert not case.is_paused and not case.pauses.exists(), "nothing half done"


def test_bad_forms_and_empty_choices_say_so(agent: Client, problems: list[Thread], charlie: User, dana: User) -> None:
    url = reverse("escalation:bulk")
    page = agent.post(url, {"verb": "route", "case": chosen(problems[:1]), "route-reason": "Kept words"})
    assert page.status_code == 422 and "Kept words" in page.content.decode()
    assert list(page.context["chosen"]) == [problems[0].pk]
    none = agent.post(url, {"verb": "acknowledge", "case": ["x", "5", "1:2:3"]})
    assert none.status_code == 422 and "Choose at least one case." in none.content.decode()
    with pytest.raises(ValidationError):
        bulk.act_on("take", list(range(1, 102)), dana, {}, seen={})
    with pytest.raises(NotAllowed):
        bulk.act_on("take", [problems[0].pk], charlie, {}, seen={})
    Thread.objects.filter(pk=problems[0].pk).update(visibility="hidden")
    gone = agent.post(url, {"verb": "acknowledge", "case": [f"{problems[0].pk}:0"]})
    assert gone.status_code == 409 and "1 thread is not visible any more." in gone.content.decode()


def test_the_first_page_of_the_admin(
    agent: Client, problems: list[Thread], dana: User, hanna: User, enrol: Enrol, alice: User,
    django_assert_max_num_queries: Callable,
) -> None:  # fmt: skip
    """Mine, due next, late, moderation and today's figures: as a whole, and no dearer with more in it."""
    services.assign(problems[0], dana, dana)
    Escalation.objects.filter(thread=problems[1]).update(late_at=NOON)
    home = reverse("wagtailadmin_home")
    html = agent.get(home).content.decode()
    for words in ("Mine", "Due next", "Late", "Today&#x27;s figures of Customer support"):
        assert words in html or words.replace("&#x27;", "'") in html, words
    enrol(hanna)
    agent.force_login(hanna)
    html = agent.get(home).content.decode()
    assert "moderation-home-h" in html and "figures-home-h" in html and "desk-home-h" in html
    with django_assert_max_num_queries(38) as few:
        agent.get(home)
    with clock.travel(NOON):
        for _ in range(3):
            factories.a_thread(alice, kind="problem")
    sweep(NOON + timedelta(hours=16))
    with django_assert_max_num_queries(len(few.captured_queries)):
        agent.get(home)


def test_private_threads_questions_and_strangers(client: Client, charlie: User, problems: list[Thread]) -> None:
    client.force_login(charlie)
    for name in ("counts", "keys", "check", "who", "hand_over"):
        assert client.get(reverse(f"escalation:{name}")).status_code in (302, 403)
    assert client.post(reverse("escalation:bulk"), {"verb": "take", "case": chosen(problems)}).status_code in (302, 403)
    assert not Escalation.objects.filter(assignee=charlie).exists()


def test_reopened_by_a_recheck_is_among_what_did_not_help(problems: list[Thread], bob: User, alice: User) -> None:
    thread = problems[0]
    answer = factories.an_answer(thread, bob)
    questions.accept_answer(answer, alice)
    questions.reopen_thread(thread, alice, "It drips again after two days.")
    dana = factories.a_person()
    assert thread.pk in inside("unhelped", dana)

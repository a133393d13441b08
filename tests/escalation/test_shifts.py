"""Who is next, who is away, who works when; and cases handed over at the end of a shift."""

import contextvars
import threading
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connections
from django.test import Client
from django.urls import reverse

from community.accounts.models import Department, User
from community.core import clock
from community.core.errors import NotAllowed
from community.escalation import rotation, services, shifts
from community.escalation.models import Absence, AgentHours, Escalation, HandOver
from community.escalation.sweep import sweep
from community.events.models import Event
from community.notifications.delivery import announce_due
from community.notifications.models import Notification
from community.questions.models import Thread
from tests import factories

from .conftest import NOON

Enrol = Callable[[User], None]
TODAY = date(2026, 11, 18)  # a Wednesday
WEEKDAYS = {str(day): [["09:00", "18:00"]] for day in range(5)}


@pytest.fixture
def agent(client: Client, dana: User, enrol: Enrol) -> Client:
    enrol(dana)
    client.force_login(dana)
    return client


def cases_for(person: User, asker: User, count: int) -> list[Thread]:
    made = []
    for _ in range(count):
        with clock.travel(NOON - timedelta(hours=1)):
            thread = factories.a_thread(asker, kind="problem")
            services.assign(thread, person, person)
        made.append(thread)
    return made


def order(department: Department) -> list[str]:
    rows = rotation.turns(department, at=NOON)
    return [turn.person.username for turn in rows if turn.order]


@pytest.mark.django_db
def test_the_least_load_is_next_by_weight_and_part(
    support: Department, dana: User, mei: User, alice: User, asked: list[User], django_assert_num_queries: Callable
) -> None:
    support.hours = WEEKDAYS
    support.save()
    ours, theirs = cases_for(dana, alice, 2), cases_for(mei, alice, 1)
    assert order(support) == ["mei", "dana"]
    with clock.travel(NOON):
        for thread in ours:
            services.pause(thread, dana, "part")
    Escalation.objects.filter(thread=theirs[0]).update(late_at=NOON)
    assert order(support) == ["dana", "mei"], "two paused ones count 1, one that is late 2"
    shifts.keep_hours(dana, dana, {"0": [["09:00", "18:00"]], "2": [["09:00", "14:00"]]})
    with django_assert_num_queries(5):
        first, second = rotation.turns(support, at=NOON)
    assert (first.person, second.person) == (mei, dana)
    assert second.share == pytest.approx(14 / 45) and second.load == pytest.approx(45 / 14)


@pytest.mark.django_db
def test_who_does_not_work_before_the_department_closes_is_passed_over(
    support: Department, dana: User, mei: User, asked: list[User]
) -> None:
    support.hours = WEEKDAYS
    support.save()
    shifts.keep_hours(dana, dana, {"2": [["09:00", "11:00"]]})  # noon UTC is 13:00 in Berlin
    assert order(support) == ["mei", "dana"]
    shifts.keep_hours(mei, mei, {"4": [["09:00", "12:00"]]})
    assert order(support) == ["mei", "dana"], "nobody works today: Friday comes before the next Wednesday"
    shifts.keep_hours(dana, dana, {})
    assert order(support) == ["dana", "mei"] and not AgentHours.objects.filter(user=dana).exists()
    for bad in ({"2": [["11:00", "09:00"]]}, {"2": [["9", "10"]]}, {"9": [["09:00", "10:00"]]}):
        with pytest.raises(ValidationError):
            shifts.keep_hours(dana, dana, bad)


@pytest.mark.django_db
def test_who_is_away_gets_nothing_and_the_stand_in_sees_to_it(
    support: Department, dana: User, mei: User, lead: User, alice: User, charlie: User, asked: list[User]
) -> None:
    with clock.travel(NOON):
        mine = cases_for(dana, alice, 1)[0]
        away = shifts.be_away(dana, dana, TODAY, TODAY + timedelta(days=2), mei)
        assert "dana" not in order(support)
        assert rotation.stands_in_for(mei) == {dana.pk} and not rotation.stands_in_for(lead)
        with pytest.raises(NotAllowed):
            shifts.be_away(dana, mei, TODAY + timedelta(days=9), TODAY + timedelta(days=9))
        for since, until, who in (
            (TODAY, TODAY - timedelta(days=1), None), (TODAY, TODAY + timedelta(days=1), None),
            (TODAY + timedelta(days=9), TODAY + timedelta(days=9), dana),
            (TODAY + timedelta(days=9), TODAY + timedelta(days=9), charlie),
        ):  # fmt: skip
            with pytest.raises(ValidationError):
                shifts.be_away(dana, dana, since, until, who)
        again = shifts.be_away(dana, lead, TODAY, TODAY + timedelta(days=2), None)
        assert (again.pk, again.stand_in) == (away.pk, None), "the same days twice is one absence"
        shifts.be_away(dana, lead, TODAY, TODAY + timedelta(days=2), mei)
    sweep(NOON + timedelta(hours=90))  # late by now
    announce_due()
    assert "case_late" not in list(Notification.objects.filter(recipient=mei).values_list("kind", flat=True))
    assert Escalation.objects.get(thread=mine).assignee == dana
    with pytest.raises(NotAllowed):
        shifts.be_back(away, mei)
    shifts.be_back(away, lead)
    shifts.be_back(away, lead)
    assert not Absence.objects.exists() and "dana" in order(support)


@pytest.mark.django_db
def test_news_of_a_case_reaches_the_stand_in(support: Department, dana: User, mei: User, alice: User) -> None:
    with clock.travel(NOON):
        shifts.be_away(dana, dana, TODAY, TODAY, mei)
        thread = factories.a_thread(alice, kind="problem")
        services.assign(thread, mei, dana)
        announce_due()
    with clock.travel(NOON + timedelta(minutes=15)):
        announce_due()
    for person in (dana, mei):
        kinds = set(Notification.objects.filter(recipient=person).values_list("kind", flat=True))
        assert "case_assigned" in kinds or person == mei, kinds
    assert rotation.with_stand_ins([dana.pk], NOON) == [dana.pk, mei.pk]
    assert rotation.with_stand_ins([dana.pk], NOON + timedelta(days=1)) == [dana.pk]


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_share_the_work_out_fairly(
    support: Department, dana: User, mei: User, alice: User, asked: list[User]
) -> None:
    with clock.travel(NOON):
        threads = [factories.a_thread(alice) for _ in range(6)]
    start, problems = threading.Barrier(2), []

    def run() -> None:
        try:
            start.wait()
            sweep(NOON + timedelta(hours=25))
        except BaseException as problem:  # noqa: BLE001 - handed to the test
            problems.append(problem)
        finally:
            connections.close_all()

    both = [threading.Thread(target=contextvars.copy_context().run, args=(run,)) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert not problems
    assert Event.objects.filter(kind="escalation.assigned").count() == len(threads)
    assert [Escalation.objects.of(person).count() for person in (dana, mei)] == [3, 3]


# Hand-over


@pytest.mark.django_db
def test_open_cases_go_to_a_colleague_in_one_act(
    agent: Client, support: Department, dana: User, mei: User, alice: User
) -> None:
    first, second, third = cases_for(dana, alice, 3)
    due = Escalation.objects.get(thread=first).resolve_due_at
    services.assign(third, dana, mei)
    url = reverse("escalation:hand_over")
    page = agent.get(url)
    assert first.title in page.content.decode()
    none = agent.post(url, {"to": "", "note": "Kept words", "case": [first.pk]})
    assert none.status_code == 422 and "Choose to whom." in none.content.decode()
    assert "Kept words" in none.content.decode()
    data = {
        "to": mei.pk, "note": "I am off until Monday.", "case": [first.pk, second.pk, third.pk],
        f"note-{first.pk}": "She is waiting for a call.",
    }  # fmt: skip
    answer = agent.post(url, data)
    act = HandOver.objects.get()
    assert (answer.status_code, answer.url) == (303, act.get_absolute_url())  # type: ignore[attr-defined]
    assert set(act.cases.values_list("thread", flat=True)) == {first.pk, second.pk}
    case = Escalation.objects.get(thread=first)
    assert (case.assignee, case.resolve_due_at, case.acknowledged_by) == (mei, due, dana)
    line = case.history.get(kind="handed_over")
    assert line.note == "I am off until Monday.\nShe is waiting for a call." and line.people == [mei.pk]
    shown = agent.get(answer.url, follow=True).content.decode()  # type: ignore[attr-defined]
    assert "From Dana to Mei Tanaka" in shown and "She is waiting" in shown
    assert "1 case had changed hands meanwhile" in shown
    assert "handed to Mei Tanaka" in agent.get(reverse("escalation:case", args=[first.pk])).content.decode()
    event = Event.objects.get(kind="escalation.handed_over")
    assert (event.data["to"], len(event.data["cases"])) == (mei.pk, 2)
    with clock.travel(clock.now() + timedelta(minutes=15)):
        announce_due()
    notice = Notification.objects.filter(recipient=mei, kind="cases_handed")
    assert notice.count() == 1, "one notice, not one for each case"
    assert shifts.hand_over(dana, dana, mei, [first.pk]) == (None, [first.pk]), "twice is harmless"


@pytest.mark.django_db
def test_back_to_the_department_and_by_its_lead(
    support: Department, dana: User, mei: User, lead: User, alice: User, charlie: User
) -> None:
    thread = cases_for(dana, alice, 1)[0]
    with pytest.raises(NotAllowed):
        shifts.hand_over(dana, mei, mei, [thread.pk])
    with pytest.raises(NotAllowed):
        shifts.hand_over(charlie, charlie, mei, [thread.pk])
    for to, threads, note in (
        (charlie, [thread.pk], ""),
        (dana, [thread.pk], ""),
        (mei, [], ""),
        (mei, [1], "n" * 501),
    ):
        with pytest.raises(ValidationError):
            shifts.hand_over(dana, dana, to, threads, note=note)
    act, missing = shifts.hand_over(dana, lead, None, [thread.pk])
    assert act is not None and not missing
    case = Escalation.objects.get(thread=thread)
    assert case.assignee is None and case.acknowledged_by == dana and case.history.filter(kind="given_back").exists()
    with clock.travel(clock.now() + timedelta(minutes=15)):
        announce_due()
    told = set(Notification.objects.filter(kind="cases_handed").values_list("recipient__username", flat=True))
    assert told == {"mei"}, "neither who gave it back nor the lead who did it"


@pytest.mark.django_db
def test_the_pages_of_a_shift(
    agent: Client, support: Department, dana: User, mei: User, lead: User, alice: User, enrol: Enrol
) -> None:
    who = reverse("escalation:who")
    cases_for(dana, alice, 1)
    html = agent.get(who).content.decode()
    assert "gets the next case" in html and "When you are away" in html
    assert "counts 1, a late one 2, a paused one 0.5" in html
    today = clock.now().date()
    away = reverse("escalation:away")
    bad = agent.post(away, {"since": today.isoformat(), "until": ""})
    assert bad.status_code == 422 and today.isoformat() in bad.content.decode()
    data = {"since": today.isoformat(), "until": (today + timedelta(days=3)).isoformat(), "stand_in": mei.pk}
    assert [agent.post(away, data).status_code for _twice in range(2)] == [303, 303]
    assert "Mei Tanaka stands in" in agent.get(who).content.decode()
    assert agent.post(away, {**data, "person": mei.pk}).status_code == 403
    hours = reverse("escalation:hours")
    wrong = agent.post(hours, {"day0": "nine to five"})
    assert wrong.status_code == 422 and "nine to five" in wrong.content.decode()
    assert agent.post(hours, {"day0": "9:00-13:00, 14:00–18:00"}).status_code == 303
    assert AgentHours.objects.get(user=dana).hours == {"0": [["09:00", "13:00"], ["14:00", "18:00"]]}
    absence = Absence.objects.get()
    for url in (away, hours, reverse("escalation:back", args=[absence.pk])):
        assert agent.get(url).status_code == 405
    enrol(lead)
    agent.force_login(lead)
    assert "When Dana is away" in agent.get(who, {"person": dana.pk}).content.decode()
    assert agent.post(reverse("escalation:back", args=[absence.pk])).status_code == 303
    assert agent.get(reverse("escalation:hand_over"), {"person": dana.pk}).status_code == 200
    agent.force_login(mei)
    enrol(mei)
    assert agent.get(reverse("escalation:hand_over"), {"person": dana.pk}).status_code == 403

"""What each figure counts, on which day, and what it leaves out."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from community.core import clock
from community.escalation import cases, sweep
from community.escalation import services as escalation
from community.escalation.models import Escalation
from community.events.log import replay
from community.insights import daily, metrics, report
from community.insights.models import DailyFigure, Fact, Figure
from community.moderation import services as moderation
from community.questions import asking_back, reading
from community.questions import services as questions
from community.search.services import record_deflection

from ..factories import a_department, a_person, a_thread, an_answer
from .conftest import MONDAY

pytestmark = pytest.mark.django_db
LATER = MONDAY + timedelta(days=25)


def test_a_promise_that_is_kept_counts_when_it_is_kept(story, counted):
    story()
    assert counted("acknowledged", LATER, day=MONDAY.date()) == {"kept": 1}
    assert counted("acknowledged", LATER) == {"kept": 1}


def test_a_promise_that_is_broken_counts_when_its_time_passes_and_once(alice, dana, support, counted):
    with clock.travel(MONDAY):
        thread = a_thread(alice, kind="problem")
        Escalation.objects.filter(thread=thread).update(department=support)
    for days in (1, 2, 3):
        sweep.sweep(MONDAY + timedelta(days=days))
    late = Escalation.objects.get(thread=thread).history.filter(kind="late", cause="acknowledge").get()
    with clock.travel(MONDAY + timedelta(days=5)):
        escalation.acknowledge(thread, dana)
    assert counted("acknowledged", LATER) == {"broken": 1}
    assert counted("acknowledged", LATER, day=late.fired_at.date()) == {"broken": 1}


def test_time_to_resolution_is_business_time_without_pauses_across_the_change_of_clocks(alice, bob, dana, counted):
    """From Friday 16:00 to Monday 10:00 in Berlin, over the night in which the clocks go back: two hours on Friday, of
    which one was a pause, and two on Monday."""
    department = a_department("repairs", time_zone="Europe/Berlin")
    friday = datetime(2026, 10, 23, 14, 0, tzinfo=UTC)  # 16:00 in summer
    with clock.travel(friday):
        thread = a_thread(alice)
        Escalation.objects.filter(thread=thread).update(department=department)
    with clock.travel(friday + timedelta(minutes=30)):
        questions.ask_for_info(thread, dana, "Which valve is it?")
    with clock.travel(friday + timedelta(minutes=90)):
        answer = an_answer(thread, alice, body="It is the valve on the left, the brass one.")
        thread.refresh_from_db()
        assert thread.needs_info_since is None
    with clock.travel(datetime(2026, 10, 26, 9, 0, tzinfo=UTC)):  # 10:00 in winter
        answer = an_answer(thread, bob)
        questions.accept_answer(answer, alice)
    assert counted("resolution", LATER) == {"180": 1}
    assert Fact.objects.get(figure="resolution").department == department


@pytest.mark.parametrize(
    ("again", "staff", "said"),
    [(None, 1, "yes"), (None, 2, "no"), (6, 1, "no"), (8, 1, "yes")],
    ids=["one contact", "a second contact", "opened again in time", "opened again too late"],
)
def test_first_contact(alice, bob, dana, ravi, counted, again, staff, said):
    with clock.travel(MONDAY):
        thread = a_thread(alice)
        an_answer(thread, dana)
    with clock.travel(MONDAY + timedelta(hours=1)):
        if staff == 2:
            questions.ask_for_info(thread, dana, "Which valve?")
        questions.accept_answer(an_answer(thread, bob), alice)
    if again:
        with clock.travel(MONDAY + timedelta(days=again, hours=1)):
            questions.reopen_thread(thread, ravi, "It drips again.")
    assert counted("first_contact", MONDAY + timedelta(days=6)) == {}
    assert counted("first_contact", LATER) == {said: 1}
    assert DailyFigure.objects.get(figure="first_contact").day == MONDAY.date() + timedelta(days=7)


@pytest.mark.parametrize(("still", "said"), [(True, "yes"), (False, "no")])
def test_a_look_that_was_planned_is_no_failure_unless_it_finds_one(alice, dana, support, counted, still, said):
    """The department set the day itself: nobody came back, and nobody above is alarmed."""
    with clock.travel(MONDAY):
        thread = a_thread(alice)
    with clock.travel(MONDAY + timedelta(hours=1)):
        escalation.answer_officially(
            thread, dana, body="Set the dial to four.", department=support, recheck_on=MONDAY.date() + timedelta(days=5)
        )
    with clock.travel(MONDAY + timedelta(days=5)):
        asking_back.run()
        case = Escalation.objects.get(thread=thread)
        assert case.round == 2 and case.department == support
        assert [row["kind"] for row in cases.waiting(case)][0] == "department_notified"
        sweep.sweep(clock.now() + timedelta(hours=1))
        assert not case.history.filter(round=2, kind__in=["lead_notified", "manager_notified", "late"]).exists()
        thread.refresh_from_db()
        questions.settle_recheck(thread, dana, holds=still, note="I measured it again.")
    assert counted("first_contact", MONDAY + timedelta(days=40)) == {said: 1}
    assert counted("holds", MONDAY + timedelta(days=40))[said] == 1


@pytest.mark.parametrize(("after", "said"), [(29, "no"), (31, "yes")])
def test_a_fix_holds_or_not(story, ravi, counted, after, said):
    thread = story()
    with clock.travel(MONDAY + timedelta(days=1 + after)):
        questions.reopen_thread(thread, ravi, "It drips again.")
    assert counted("holds", MONDAY + timedelta(days=33)) == {said: 1}
    assert DailyFigure.objects.get(figure="holds").day == MONDAY.date() + timedelta(days=31)


def test_who_settles_it_is_said_as_it_was_then(alice, bob, dana, counted):
    advocate = a_person("advocate", standing="advocate")
    with clock.travel(MONDAY):
        for author in (bob, advocate, dana):
            thread = a_thread(alice)
            questions.accept_answer(an_answer(thread, author), alice)
        questions.solve_another_way(a_thread(alice), alice, "It was the plug.")
        questions.close_thread(a_thread(alice), dana, "Not about us.")
    type(advocate).objects.filter(pk=advocate.pk).update(standing="former_advocate")
    assert counted("settled_by", LATER) == {"peers": 1, "advocates": 1, "staff": 1, "asker": 1}


def test_days_are_utc(story):
    """Half past midnight in Berlin is still the day before."""
    story(datetime(2026, 10, 5, 20, 30, tzinfo=UTC), settle_after=2.5)
    story(datetime(2026, 10, 5, 20, 30, tzinfo=UTC), settle_after=4)
    daily.catch_up(LATER)
    days = DailyFigure.objects.filter(figure="settled_by").order_by("day").values_list("day", "count")
    assert list(days) == [(date(2026, 10, 5), 1), (date(2026, 10, 6), 1)]


def test_deflection_counts_who_stopped_and_what_was_read(story, duo, counted):
    thread = story(product=duo)
    day = date(2026, 10, 8)
    with clock.travel(datetime(2026, 10, 8, 23, 59, tzinfo=UTC)):
        record_deflection(thread, "why does it drip", ask="one look")
        record_deflection(thread, "why does it drip", ask="one look")
    reading.write_days({(day, thread.pk, True): 40, (day, thread.pk, False): 10})
    reading.write_days({(day, thread.pk, True): 2})
    assert counted("deflection", LATER, day=day, product=duo) == {"stopped": 1, "settled": 42, "open": 10}
    section = report.sections(report.Scope(), date(2026, 10, 1), [Figure.DEFLECTION])[0]
    # 1; with 0.20 of 42, to two digits, 9; with 0.05 of 10, to one digit, 10
    assert [line.now for line in section.lines] == [1, 9, 10]


def test_contacts_spared_belong_to_the_department_that_settled_the_thread(story, alice, support, counted):
    """By the end of that day: what is read before it was settled, and what nobody settled, belongs to none."""
    thread = story()  # settled on Tuesday
    other = a_thread(alice)
    monday, friday = MONDAY.date(), MONDAY.date() + timedelta(days=4)
    reading.write_days({(monday, thread.pk, False): 7, (friday, thread.pk, True): 5, (friday, other.pk, False): 3})
    with clock.travel(MONDAY + timedelta(days=4)):
        record_deflection(thread, "why does it drip", ask="one look")
    assert counted("deflection", LATER, department=support) == {"settled": 5, "stopped": 1}
    assert counted("deflection", LATER, department=None) == {"open": 10}
    Escalation.objects.filter(thread=thread).update(department=a_department("elsewhere"))
    assert Fact.objects.filter(figure="deflection", department=support).count() == 2, "told from the log, not the case"


def test_facts_of_a_thread_are_looked_up_together(story):
    story()
    daily.catch_up(LATER)
    facts = list(Fact.objects.exclude(figure=Figure.CONTACT))
    asked = []
    for some in (facts[:1], facts):
        with CaptureQueriesContext(connection) as queries:
            daily._follow(some)
        asked.append(len(queries))
    assert len(facts) > 1 and asked[0] == asked[1]


def test_imports_do_not_count(alice, bob, counted):
    with replay("import", at=MONDAY):
        questions.accept_answer(an_answer(a_thread(alice), bob), alice)
    assert counted("settled_by", LATER) == {}


def test_what_is_taken_away_does_not_count_and_what_is_merged_does(story, ravi, counted, alice, bob):
    gone, merged, stays = story(), story(), story()
    assert counted("settled_by", LATER) == {"peers": 3}
    with clock.travel(LATER):
        moderation.hide(gone, ravi, reason="Spam.")
        questions.merge_thread(merged, stays, ravi, "The same.")
    assert counted("settled_by", LATER) == {"peers": 2}
    assert counted("acknowledged", LATER) == {"kept": 2}
    with clock.travel(LATER):
        moderation.restore(gone, ravi)
    assert counted("settled_by", LATER) == {"peers": 3}


@pytest.mark.parametrize(("minutes", "kept"), [(7, 7), (999, 999), (1234, 1230), (1235, 1240), (99_960, 100_000)])
def test_times_keep_three_digits(minutes, kept):
    assert metrics.three_digits(minutes) == kept


def test_quantiles_and_intervals():
    assert report.quantile({10: 5, 20: 4, 500: 1}, 0.5) == 10
    assert report.quantile({10: 5, 20: 4, 500: 1}, 0.9) == 20
    assert report.quantile({}, 0.5) is None
    low, high = report.wilson(9, 10)
    assert round(low, 3) == 0.596 and round(high, 3) == 0.982

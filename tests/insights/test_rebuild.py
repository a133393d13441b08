"""Stored equals counted anew, whatever happened; what is frozen stays."""

import random
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Sum

from community.core import clock
from community.core.errors import Conflict, NotAllowed
from community.escalation import services as escalation
from community.escalation import sweep
from community.escalation.models import Escalation
from community.insights import daily, metrics
from community.insights.models import DailyFigure, Fact, LateChange, Month, Stale
from community.moderation import services as moderation
from community.questions import reading
from community.questions import services as questions
from community.search.models import Deflection
from community.search.services import record_deflection

from ..factories import a_department, a_person, a_product, a_thread, an_answer
from .conftest import MONDAY

pytestmark = pytest.mark.django_db


def live_through(seed: int, actions: int, start: datetime, *, moderator, agents) -> datetime:
    """A community at random over some weeks, counted every now and then as the worker does. Returns when it ended."""
    dice = random.Random(seed)
    people = [a_person() for _ in range(4)] + [a_person(standing="advocate")]
    products = [a_product(), a_product(), None]
    threads, answers, now = [], [], start
    for _number in range(actions):
        now += timedelta(minutes=dice.randint(1, 900))
        with clock.travel(now), suppress(Conflict, NotAllowed, IndexError):
            _act(dice, dice.choice(people), products, threads, answers, moderator, dice.choice(agents), now)
        if dice.random() < 0.1:
            sweep.sweep(now)
        if dice.random() < 0.15:
            daily.catch_up(now)
    return now


def _act(dice, somebody, products, threads, answers, moderator, agent, now):
    deed = dice.choice(
        ["ask", "ask", "ask", "answer", "answer", "staff", "accept", "accept", "accept", "hide", "restore", "restore",
         "merge", "move", "reopen", "acknowledge", "acknowledge", "info", "resolve", "follow_up", "read", "deflect",
         "official", "edit"] + ["delete", "close"] * (dice.random() < 0.3)
    )  # fmt: skip
    if deed == "ask" or not threads:
        kind = dice.choice(["question", "problem", "problem", "idea"])
        threads.append(a_thread(somebody, kind=kind, product=dice.choice(products)))
        return
    thread = dice.choice(threads)
    thread.refresh_from_db()
    if deed in ("answer", "staff") or not answers:
        answers.append(an_answer(thread, agent if deed == "staff" else somebody))
        return
    answer = dice.choice(answers)
    answer.refresh_from_db()
    post = dice.choice([thread, thread, answer])
    if deed == "accept":
        questions.accept_answer(answer, answer.thread.author)
    elif deed == "hide":
        moderation.hide(post, moderator, reason="A look first.")
    elif deed == "delete":
        moderation.delete(post, moderator, reason="No.")
    elif deed == "restore":
        moderation.restore(post, moderator)
    elif deed == "merge":
        questions.merge_thread(thread, dice.choice(threads), moderator, "The same.")
    elif deed == "move":
        questions.move_thread(thread, moderator, product=dice.choice(products), reason="It is about this.")
    elif deed == "edit":
        questions.edit_thread(
            thread, thread.author, title=thread.title, body=thread.body_source, product=dice.choice(products)
        )
    elif deed == "reopen":
        questions.reopen_thread(thread, moderator, "Once more.")
    elif deed == "close":
        questions.close_thread(thread, moderator, "Enough.")
    elif deed == "acknowledge":
        escalation.acknowledge(thread, agent)
    elif deed == "info":
        questions.ask_for_info(thread, agent, "Which one?")
    elif deed == "resolve":
        escalation.resolve(thread, agent, Escalation.Cause.PRIVATE, note="By telephone.")
    elif deed == "official":
        questions.make_official(answer, agent, agent.department, sources=[], recheck_on=None)
    elif deed == "follow_up" and answer.is_accepted:
        questions.answer_follow_up(answer, answer.thread.author, dice.choice(["yes", "worked_at_first", "no"]))
    elif deed == "read":
        reading.write_days({(now.date(), thread.pk, thread.is_settled): dice.randint(1, 9)})
    elif deed == "deflect":
        record_deflection(thread, "why")


@pytest.mark.slow  # some weeks of a community's life
def test_after_anything_a_rebuild_equals_live_and_the_rows_behind_it(ravi, dana, support):
    other = a_person(standing="staff", department=a_department("pricing", time_zone="America/New_York"))
    other.user_permissions.set(dana.groups.get().permissions.all())
    start = datetime(2026, 10, 20, 22, 0, tzinfo=UTC)  # over the change of the clocks, and of the month
    now = live_through(7, 120, start, moderator=ravi, agents=[dana, other])
    now += timedelta(hours=1)
    daily.catch_up(now)
    frozen = set(Month.objects.exclude(frozen_at=None).values_list("first", flat=True))
    report = daily.rebuild(write=False, now=now)
    assert report.differences == []
    assert report.facts > 30
    assert set(DailyFigure.objects.values_list("figure", flat=True)) >= {
        "acknowledged", "resolution", "settled_by", "deflection", "first_contact",
    }  # fmt: skip
    by = ("day", "figure", "part", "value", "department", "product", "kind")
    behind = Fact.objects.counted().values_list(*by).annotate(n=Sum("count")).order_by(*by)
    assert list(behind) == list(DailyFigure.objects.values_list(*by, "count").order_by(*by))
    assert date(2026, 10, 1) in frozen
    assert Fact.objects.filter(counts=False).exclude(figure="contact").exists()
    assert Fact.objects.filter(thread__merged_into__isnull=False, counts=True).exists()


def test_what_was_spared_goes_with_a_merge_live_as_in_a_rebuild(story, ravi, duo):
    gone, stays = story(product=duo), story(product=a_product("mill"))
    with clock.travel(MONDAY + timedelta(days=2)):
        Deflection.objects.create(thread=gone, ask="x", at=clock.now())
    daily.catch_up(MONDAY + timedelta(days=4))
    with clock.travel(MONDAY + timedelta(days=5)):
        questions.merge_thread(gone, stays, ravi, "The same.")
    now = MONDAY + timedelta(days=6)
    daily.catch_up(now)
    assert DailyFigure.objects.get(figure="deflection", part="stopped").product == stays.product
    assert daily.rebuild(write=False, now=now).differences == []


def test_a_check_fails_and_a_rebuild_mends(story):
    story()
    daily.catch_up(MONDAY + timedelta(days=9))
    DailyFigure.objects.filter(figure="settled_by").update(count=9)
    DailyFigure.objects.filter(figure="first_contact").delete()
    with pytest.raises(CommandError, match="2 rows"):
        call_command("rebuild_insights", check=True, verbosity=0, stdout=StringIO())
    out = StringIO()
    call_command("rebuild_insights", dry_run=True, verbosity=0, stdout=out)
    assert "2 rows would be mended" in out.getvalue()
    assert DailyFigure.objects.get(figure="settled_by").count == 9
    call_command("rebuild_insights", verbosity=0, stdout=StringIO())
    out = StringIO()
    call_command("rebuild_insights", check=True, verbosity=0, stdout=out)
    assert "everything equals the log" in out.getvalue()
    assert DailyFigure.objects.get(figure="settled_by").count == 1


def test_counting_twice_writes_nothing(story, django_assert_num_queries):
    story()
    now = MONDAY + timedelta(days=9, hours=5)
    daily.catch_up(now)
    before = list(Fact.objects.order_by("pk").values_list()), list(DailyFigure.objects.order_by("pk").values_list())
    daily.catch_up(now)
    assert before == (
        list(Fact.objects.order_by("pk").values_list()),
        list(DailyFigure.objects.order_by("pk").values_list()),
    )


def test_a_frozen_month_stays_and_what_would_change_it_is_noted(story, ravi, duo):
    thread, other = story(), story()
    daily.catch_up(datetime(2026, 11, 3, 23, 59, tzinfo=UTC))
    assert Month.objects.get(first=date(2026, 10, 1)).frozen_at is None
    daily.catch_up(datetime(2026, 11, 4, 0, 0, tzinfo=UTC))
    frozen = datetime(2026, 11, 5, tzinfo=UTC)
    stands = list(DailyFigure.objects.order_by("pk").values_list())
    with clock.travel(frozen):
        moderation.delete(thread, ravi, reason="No.")
        questions.move_thread(other, ravi, product=duo, reason="It is about this.")
        assert Stale.objects.count() == 2
        daily.run()
    assert not Stale.objects.exists()
    october = [row for row in DailyFigure.objects.order_by("pk").values_list() if row[1].month == 10]
    assert october == [row for row in stands if row[1].month == 10]
    noted = LateChange.objects.get(figure="settled_by", part="peers")
    assert (noted.stands, noted.would_be) == (2, 1)
    report = daily.rebuild(write=True, now=frozen)
    assert not report.differences and report.in_frozen
    assert october == [row for row in DailyFigure.objects.order_by("pk").values_list() if row[1].month == 10]
    # the 30th day lies in November, which is open: there it follows
    daily.catch_up(datetime(2026, 11, 10, tzinfo=UTC))
    assert DailyFigure.objects.filter(figure="holds").aggregate(n=Sum("count"))["n"] == 1
    with clock.travel(frozen + timedelta(days=6)):
        moderation.restore(thread, ravi)
        daily.run()
    assert not LateChange.objects.exists()
    assert DailyFigure.objects.filter(figure="holds").aggregate(n=Sum("count"))["n"] == 2


def test_the_cost_of_a_day_depends_on_its_rows(story, django_assert_max_num_queries):
    """Whatever happened before: the same queries, and none that reads more than the days it counts."""
    for _ in range(3):
        story()
    now = MONDAY + timedelta(days=20, hours=3)
    daily.catch_up(now)
    with django_assert_max_num_queries(32) as queries:
        daily.catch_up(now + timedelta(minutes=15))
    assert not [one for one in queries if one["sql"].startswith(("INSERT", "DELETE"))]


def test_nothing_is_counted_before_anything_happened(db):
    assert daily.catch_up().facts == 0
    assert daily.rebuild(write=False).differences == []
    assert metrics.facts_between(date(2026, 1, 1), date(2026, 1, 2)) == []
    assert not Month.objects.exists()

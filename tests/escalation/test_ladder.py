"""The way of a case: up its ladder, paused, in staff's hands, settled, open again. The clock is moved, not awaited."""

from datetime import datetime, timedelta

import pytest
from django.core.exceptions import ValidationError

from community.accounts.models import Department, User
from community.core import clock
from community.core.errors import Conflict, NotAllowed
from community.escalation import promises, queues, services
from community.escalation.models import Escalation, EscalationPolicy, EscalationStep
from community.escalation.sweep import sweep
from community.events.models import Event
from community.moderation import services as moderation
from community.notifications.delivery import announce_due
from community.notifications.models import Notification
from community.posts import services as posts
from community.questions import asking_back
from community.questions import services as questions
from community.questions.models import Thread
from tests import factories

from .conftest import NOON, Kinds

pytestmark = pytest.mark.django_db


def hours(number: float) -> datetime:
    return NOON + timedelta(hours=number)


@pytest.fixture
def problem(alice: User, support: Department) -> Thread:
    with clock.travel(NOON):
        return factories.a_thread(alice, kind="problem")


@pytest.fixture
def question(alice: User, support: Department) -> Thread:
    with clock.travel(NOON):
        return factories.a_thread(alice)


def case_of(thread: Thread) -> Escalation:
    return Escalation.objects.get(thread=thread)


def test_a_question_climbs_from_owners_to_the_manager(
    question: Thread, asked: list[User], dana: User, lead: User, hanna: User, told: Kinds
) -> None:
    steps = [
        (3.9, []),
        (4, ["advocates_notified"]),
        (12, ["department_notified"]),
        (24, ["assigned"]),
        (48, ["lead_notified"]),
        (72, ["manager_notified"]),
        (500, ["manager_notified"]),
    ]
    seen: list[str] = []
    for at, expected in steps:
        sweep(hours(at))
        new = told(question)[len(seen) :]
        seen = told(question)
        # Business hours have a test of their own.
        assert [kind for kind in new if kind != "late"] == expected, f"at {at} h"
    assert seen.count("late") == 1
    case = case_of(question)
    assert case.department.slug == "support"
    assert case.assignee_id in (dana.pk, lead.pk)
    assert case.next_due_at == hours(524), "the manager is told again, day by day"


def test_the_acknowledgement_is_late_after_business_hours(
    question: Thread, asked: list[User], dana: User, told: Kinds
) -> None:
    """Told at 00:00 UTC, 01:00 in Berlin; four business hours later it is noon there, 11:00 UTC."""
    sweep(hours(12))
    assert case_of(question).acknowledge_due_at == hours(23)
    sweep(hours(23) - timedelta(seconds=1))
    assert "late" not in told(question)
    sweep(hours(23))
    assert "late" in told(question)
    assert case_of(question).late_at == hours(23)


def test_a_jump_of_the_clock_fires_each_rung_once_and_in_order(
    question: Thread, asked: list[User], dana: User, lead: User, hanna: User, told: Kinds
) -> None:
    fired = sweep(hours(24 * 30))
    order = ["advocates_notified", "department_notified", "assigned", "lead_notified", "manager_notified"]
    assert [kind for kind in told(question) if kind != "late"] == order
    assert all(fired[kind] == 1 for kind in order)
    again = told(question)
    assert not sweep(hours(24 * 30))
    sweep(hours(24 * 40))
    assert [kind for kind in told(question) if kind != "late"] == order
    assert told(question)[: len(again)] == again


def test_a_clock_set_back_fires_nothing_twice(question: Thread, asked: list[User], dana: User, told: Kinds) -> None:
    sweep(hours(13))
    before = told(question)
    sweep(hours(5))
    sweep(hours(13))
    assert told(question) == before


def test_without_a_match_the_next_rung_is_due_at_once(
    question: Thread, asked: list[User], dana: User, told: Kinds
) -> None:
    asked.clear()
    sweep(hours(4))
    assert told(question) == ["department_notified"]
    assert case_of(question).told_at == hours(4)


def test_nobody_present_goes_to_the_lead(question: Thread, asked: list[User], lead: User, told: Kinds) -> None:
    lead.memberships.update(away_until=hours(1000))
    sweep(hours(24))
    assert told(question)[-1] == "lead_notified"


def test_rotation_is_fair(alice: User, dana: User, mei: User, asked: list[User]) -> None:
    with clock.travel(NOON):
        threads = [factories.a_thread(alice) for _ in range(4)]
    sweep(hours(24))
    given = [case_of(thread).assignee_id for thread in threads]
    assert sorted(given) == sorted([dana.pk, mei.pk] * 2)


def test_a_reply_slows_the_care_of_a_question(
    question: Thread, asked: list[User], bob: User, dana: User, told: Kinds
) -> None:
    with clock.travel(hours(2)):
        factories.an_answer(question, bob)
    for turn in range(1, 7):
        sweep(hours(1 + 72 * turn))
        asking_back.sweep(hours(2 + 72 * turn))  # the reminders are the thread's own
    assert told(question) == []
    sweep(hours(2 + 72 * 6))
    assert told(question) == ["resolved"]
    case = case_of(question)
    assert [line.kind for line in services.history(case)] == ["asker_reminded"] * 5 + ["resolved"]
    assert (case.state, case.resolved_cause, case.next_due_at) == ("settled", "silent", None)


def test_silence_counts_from_the_last_reply(
    question: Thread, asked: list[User], bob: User, charlie: User, told: Kinds
) -> None:
    with clock.travel(hours(2)):
        factories.an_answer(question, bob)
    with clock.travel(hours(50)):
        factories.an_answer(question, charlie)
    sweep(hours(2 + 72 * 6))
    assert told(question) == []
    sweep(hours(50 + 72 * 6))
    assert told(question) == ["resolved"]


def test_the_asker_writes_again_and_the_care_goes_on(
    question: Thread, asked: list[User], alice: User, bob: User, dana: User, told: Kinds
) -> None:
    with clock.travel(hours(2)):
        answer = factories.an_answer(question, bob)
    with clock.travel(hours(3)):
        posts.comment(answer, alice, body="It still drips, I am afraid.")
    assert case_of(question).phase == "care"
    sweep(hours(3 + 23))
    assert told(question) == []
    sweep(hours(3 + 24))
    assert told(question) == ["department_notified"]


def test_a_reply_does_not_end_the_ladder_of_a_problem(
    problem: Thread, asked: list[User], bob: User, dana: User, told: Kinds
) -> None:
    with clock.travel(hours(2)):
        factories.an_answer(problem, bob)
    sweep(hours(4))
    assert told(problem) == []  # owners answer already: no advocate is asked
    sweep(hours(12))
    assert told(problem) == ["department_notified"]


def test_accepting_settles(question: Thread, asked: list[User], alice: User, bob: User, told: Kinds) -> None:
    with clock.travel(hours(1)):
        answer = factories.an_answer(question, bob)
        questions.accept_answer(answer, alice)
    assert told(question) == ["resolved"]
    assert case_of(question).resolved_cause == "accepted"
    assert not sweep(hours(1000))


def test_an_official_answer_settles(question: Thread, asked: list[User], dana: User, support: Department) -> None:
    with clock.travel(hours(1)):
        services.answer_officially(question, dana, body="Turn the valve twice and wait a minute.", department=support)
    case = case_of(question)
    assert (case.state, case.resolved_cause, case.acknowledged_by) == ("settled", "official", dana)


def test_staff_who_answer_look_after_it(problem: Thread, asked: list[User], dana: User, told: Kinds) -> None:
    with clock.travel(hours(1)):
        factories.an_answer(problem, dana)
    case = case_of(problem)
    assert (case.acknowledged_by, case.assignee, case.phase) == (dana, dana, "staff")
    assert told(problem) == ["acknowledged"]


def test_after_the_acknowledgement_the_promise_to_resolve_counts(
    problem: Thread, asked: list[User], dana: User, lead: User, hanna: User, told: Kinds
) -> None:
    sweep(hours(12))
    with clock.travel(hours(21)):  # Thursday, 10:00 in Berlin
        services.acknowledge(problem, dana)
    due = case_of(problem).resolve_due_at
    assert due == datetime(2026, 11, 23, 13, tzinfo=NOON.tzinfo)  # 24 business hours later: Monday, 14:00
    sweep(due - timedelta(minutes=1))
    assert told(problem)[-1] == "acknowledged"
    sweep(due)
    assert told(problem)[-2:] == ["late", "lead_notified"]
    sweep(due + timedelta(days=7))
    assert told(problem)[-1] == "manager_notified"


def test_asking_for_information_stops_the_clocks_until_the_reply(
    problem: Thread, asked: list[User], alice: User, dana: User, told: Kinds
) -> None:
    sweep(hours(12))
    with clock.travel(hours(21)):
        services.ask_for_info(problem, dana, "Which serial number does it have?")
    case = case_of(problem)
    assert case.is_paused and case.acknowledged_by == dana and case.next_due_at is None
    due = case.resolve_due_at
    assert not sweep(hours(24 * 20))
    with clock.travel(hours(21 + 24)):  # a day later, ten business hours
        posts.comment(problem, alice, body="It is M54-2609-0388.")
    case = case_of(problem)
    assert not case.is_paused and case.paused_seconds == 24 * 3600
    assert case.resolve_due_at == due + timedelta(days=1)  # Monday 14:00 to Tuesday 14:00
    assert [pause.cause for pause in case.pauses.all()] == ["customer"]
    assert told(problem)[-2:] == ["paused", "resumed"]


def test_a_pause_moves_a_clock_by_what_that_clock_saw_of_it(
    problem: Thread, question: Thread, asked: list[User], dana: User
) -> None:
    """Who acknowledges or routes during a pause starts clocks that have all their time left; a promised day stays."""
    week = timedelta(days=7)
    sweep(hours(12))
    for case in (problem, question):
        with clock.travel(hours(21)):
            services.pause(case, dana, "customer")
    with clock.travel(hours(21) + 2 * week):  # a Thursday again, 10:00 in Berlin
        services.acknowledge(problem, dana)
        services.route(question, dana, factories.a_department("pricing"), reason="It is about a price.")
    due, told_by = case_of(problem).resolve_due_at, case_of(question).acknowledge_due_at
    assert due and told_by
    with clock.travel(hours(22) + 2 * week):
        services.resume(problem, dana)
        services.resume(question, dana)
    assert case_of(problem).resolve_due_at == due + timedelta(hours=1)
    moved = case_of(question).acknowledge_due_at
    assert moved and told_by < moved < told_by + timedelta(days=2)
    with clock.travel(hours(23) + 2 * week):
        services.pause(problem, dana, "customer")
    promised = hours(22) + 4 * week
    with clock.travel(hours(22) + 3 * week):
        promises.make(problem, dana, text="A new seal", due_at=promised)
        services.resume(problem, dana)
    assert case_of(problem).resolve_due_at == promised
    sweep(promised)
    assert case_of(problem).late_at == promised


def test_a_pause_is_looked_at_again_on_its_day(
    problem: Thread, asked: list[User], alice: User, dana: User, bob: User, told: Kinds
) -> None:
    """By the cause, or on the day an agent names; who has it is told once, and it stands among what needs attention."""
    with clock.travel(hours(1)):
        services.pause(problem, dana, "supplier", note="Ordered")
        assert case_of(problem).pause_until == hours(1 + 7 * 24)
        with pytest.raises(NotAllowed):
            services.look_on(problem, bob, hours(48).date())
        for wrong in (hours(0), hours(24 * 400)):
            with pytest.raises(ValidationError):
                services.look_on(problem, dana, wrong.date())
        for _twice in range(2):
            services.look_on(problem, dana, hours(48).date())
    assert told(problem).count("look_on") == 1
    day = datetime(2026, 11, 20, 7, tzinfo=NOON.tzinfo)  # 8:00 in Berlin
    assert case_of(problem).pause_until == day

    def waits() -> bool:
        attention = queues.QUEUES["attention"].condition(queues.Wish(user=dana))
        return Escalation.objects.filter(attention, thread=problem).exists()

    with clock.travel(day - timedelta(minutes=1)):
        assert not sweep()["pause_over"] and not waits()
    with clock.travel(day):
        assert sweep()["pause_over"] == 1 and not sweep()["pause_over"] and waits()
        assert case_of(problem).is_paused
        announce_due()
        notice = Notification.objects.get(recipient=dana, kind="case_assigned")
        assert "paused until today" in notice.verb
        services.look_on(problem, dana, day.date() + timedelta(days=3))
        assert not waits()
        services.resume(problem, dana)
    assert case_of(problem).pause_until is None
    assert not sweep(day + timedelta(days=9))["pause_over"]
    with clock.travel(day), pytest.raises(Conflict):
        services.look_on(problem, dana, day.date() + timedelta(days=3))


def test_who_never_says_what_was_asked_is_reminded_and_then_the_case_ends(
    problem: Thread, asked: list[User], alice: User, dana: User, told: Kinds
) -> None:
    """As with answers: five reminders, three days apart; silence for as long again ends it, until the asker writes."""
    with clock.travel(hours(1)):
        services.ask_for_info(problem, dana, "Which serial number does it have?")
    for number in range(1, 6):
        asking_back.sweep(hours(1 + 72 * number - 1))
        assert problem.reminders.count() == number - 1
        asking_back.sweep(hours(1 + 72 * number))
        asking_back.sweep(hours(1 + 72 * number))
        assert problem.reminders.count() == number and case_of(problem).is_paused
    with clock.travel(hours(1 + 72 * 5)):
        announce_due()
    assert "waits for one thing from you" in Notification.objects.filter(recipient=alice, kind="reminder")[0].verb
    asking_back.sweep(hours(1 + 72 * 6))
    asking_back.sweep(hours(1 + 72 * 9))
    case = case_of(problem)
    assert (case.state, case.resolved_cause, problem.reminders.count()) == ("settled", "silent", 5)
    assert told(problem)[-1] == "resolved"
    with clock.travel(hours(1 + 72 * 10)):
        posts.comment(problem, alice, body="It is M54-2609-0388.")
    assert case_of(problem).is_open and not case_of(problem).is_paused


def test_a_pause_moves_the_ladder(question: Thread, asked: list[User], bob: User, dana: User, told: Kinds) -> None:
    with clock.travel(hours(1)):
        services.pause(question, dana, "customer")
    with clock.travel(hours(11)):
        services.resume(question, dana)
    sweep(hours(13.9))
    assert "advocates_notified" not in told(question)
    sweep(hours(14))
    assert told(question)[-1] == "advocates_notified"


def test_a_reopened_case_begins_one_level_up(
    problem: Thread, asked: list[User], alice: User, dana: User, mei: User, lead: User, told: Kinds
) -> None:
    sweep(hours(12))
    with clock.travel(hours(22)):
        answer = services.answer_officially(
            problem, dana, body="Turn the valve twice and wait a minute.", department=dana.department
        )
        questions.accept_answer(answer, alice)
    with clock.travel(hours(22 + 80)):
        questions.answer_follow_up(answer, alice, "no")
    case = case_of(problem)
    assert (case.state, case.round, case.policy.slug) == ("open", 2, "reopened")
    sweep(hours(22 + 80))
    assert told(problem)[-2:] == ["reopened", "lead_notified"]
    sweep(hours(22 + 80 + 12))
    assert case_of(problem).assignee_id in (mei.pk, lead.pk)  # never to who closed it


def test_owners_solved_it_before_so_the_department_begins(
    problem: Thread, asked: list[User], alice: User, bob: User, dana: User, told: Kinds
) -> None:
    with clock.travel(hours(1)):
        answer = factories.an_answer(problem, bob)
        questions.accept_answer(answer, alice)
    with clock.travel(hours(90)):
        questions.answer_follow_up(answer, alice, "no")
    sweep(hours(90))
    assert told(problem)[-2:] == ["reopened", "department_notified"]


def test_hidden_and_restored(problem: Thread, asked: list[User], ravi: User, dana: User, told: Kinds) -> None:
    with clock.travel(hours(1)):
        moderation.hide(problem, ravi, reason="Spam")
    assert case_of(problem).state == "settled"
    assert not sweep(hours(100))
    with clock.travel(hours(101)):
        moderation.restore(problem, ravi)
    assert case_of(problem).state == "open"


def test_a_hidden_reply_is_no_reply(question: Thread, asked: list[User], bob: User, ravi: User, told: Kinds) -> None:
    with clock.travel(hours(1)):
        answer = factories.an_answer(question, bob)
    assert case_of(question).phase == "remind"
    with clock.travel(hours(2)):
        moderation.hide(answer, ravi, reason="Spam")
    assert case_of(question).phase == "first"
    sweep(hours(6))
    assert told(question) == ["advocates_notified"]


def test_reporters_make_it_urgent(problem: Thread, asked: list[User], dana: User, told: Kinds) -> None:
    EscalationPolicy.objects.filter(slug="default-problem").update(me_too_skips_at=2)
    with clock.travel(hours(1)):
        for _ in range(2):
            questions.set_me_too(problem, factories.a_person(), True)
    sweep(hours(1))
    assert told(problem) == ["advocates_notified"]


def test_a_policy_for_many_reporters_takes_over(problem: Thread, asked: list[User], dana: User, told: Kinds) -> None:
    from community.escalation.policies import save_policy

    save_policy(
        {
            "slug": "several", "name": "Several", "match": {"kind": "problem", "me_too_at_least": 2},
            "until": "resolve", "acknowledge_hours": 1, "steps": [{"hours": 0, "step": "department notified"}],
        },
        position=5,
    )  # fmt: skip
    with clock.travel(hours(1)):
        questions.set_me_too(problem, factories.a_person(), True)
    assert case_of(problem).policy.slug == "default-problem"
    with clock.travel(hours(2)):
        questions.set_me_too(problem, factories.a_person(), True)
    sweep(hours(2))
    assert case_of(problem).policy.slug == "several"
    assert told(problem) == ["department_notified"]


def test_a_policy_that_takes_over_does_not_tell_the_department_again(
    problem: Thread, asked: list[User], dana: User, told: Kinds
) -> None:
    from community.escalation.policies import save_policy

    save_policy(
        {
            "slug": "several", "name": "Several", "match": {"kind": "problem", "me_too_at_least": 1},
            "until": "resolve", "acknowledge_hours": 1,
            "steps": [{"hours": 0, "step": "department notified"}, {"hours": 1, "step": "assigned"}],
        },
        position=5,
    )  # fmt: skip
    sweep(hours(12))
    assert told(problem).count("department_notified") == 1
    with clock.travel(hours(13)):
        questions.set_me_too(problem, factories.a_person(), True)
    assert case_of(problem).policy.slug == "several"
    sweep(hours(15))
    assert told(problem).count("department_notified") == 1
    assert told(problem)[-1] == "assigned", "the further rungs of the new policy count"


def test_a_changed_policy_does_not_change_what_was_promised(question: Thread, asked: list[User], told: Kinds) -> None:
    policy = EscalationPolicy.objects.get(slug="default-question")
    policy.steps.update(hours=1)
    sweep(hours(3))
    assert told(question) == []
    sweep(hours(4))
    assert told(question) == ["advocates_notified"]


def test_praise_is_passed_on(alice: User, dana: User, asked: list[User], told: Kinds) -> None:
    with clock.travel(NOON):
        thread = factories.a_thread(alice, kind="praise")
    sweep(hours(24))
    assert told(thread) == ["department_notified"]
    with clock.travel(hours(30)):
        factories.an_answer(thread, dana)
    assert case_of(thread).resolved_cause == "passed_on"


def test_an_idea_rests_when_it_has_its_answer(alice: User, dana: User, asked: list[User], told: Kinds) -> None:
    with clock.travel(NOON):
        thread = factories.a_thread(alice, kind="idea")
    with clock.travel(hours(1)):
        questions.set_idea_status(thread, dana, "planned", "We want it too.")
    case = case_of(thread)
    assert case.acknowledged_by == dana and case.is_open and case.next_due_at is None
    with clock.travel(hours(2)):
        questions.set_idea_status(thread, dana, "shipped", "In the spring series.", "https://example.org/notes")
    assert case_of(thread).resolved_cause == "decided"


def test_every_step_is_in_the_history(question: Thread, asked: list[User], bob: User, dana: User) -> None:
    sweep(hours(12))
    kinds = [step.kind for step in case_of(question).history.all()]
    assert kinds == ["advocates_notified", "department_notified"]
    step = EscalationStep.objects.get(kind="advocates_notified")
    assert (step.people, step.due_at) == ([bob.pk], hours(4))
    event = Event.objects.get(kind="escalation.advocates_notified")
    assert event.data["people"] == [bob.pk]
    assert event.subject_id == question.pk


@pytest.mark.parametrize("official", [False, True])
def test_without_its_solution_a_thread_is_looked_after_again(
    question: Thread, bob: User, alice: User, dana: User, ravi: User, support: Department, official: bool
) -> None:
    with clock.travel(hours(1)):
        answer = factories.an_answer(question, bob)
        if official:
            questions.make_official(answer, dana, support)
        else:
            questions.accept_answer(answer, alice)
    assert not case_of(question).is_open
    with clock.travel(hours(2)):
        moderation.hide(answer, ravi, reason="Dangerous advice")
    case = case_of(question)
    assert case.is_open and case.next_due_at is not None and case.round == 2
    with clock.travel(hours(3)):
        moderation.restore(answer, ravi)
    assert not case_of(question).is_open


def test_a_planned_look_stays_one_when_facts_change(
    question: Thread, asked: list[User], dana: User, support: Department
) -> None:
    """Nothing failed: the policy for what is open again is not asked, also when somebody edits or has the same."""
    from community.escalation.policies import save_policy

    again = {"slug": "again", "name": "Again", "match": {"kind": "question", "state": "reopened"}, "until": "resolve"}
    save_policy({**again, "steps": [{"hours": 0, "step": "community manager notified"}]}, position=5)
    with clock.travel(hours(1)):
        services.answer_officially(
            question, dana, body="Descale it once a month, or twice where the water is hard.", department=support,
            recheck_on=hours(24 * 7).date(),
        )  # fmt: skip
    asking_back.sweep(hours(24 * 7))
    case = case_of(question)
    assert (case.round, case.planned, case.policy.slug) == (2, True, "default-question")
    rungs = [row["kind"] for row in case.ladder]
    with clock.travel(hours(24 * 7 + 1)):
        questions.set_me_too(question, factories.a_person(), True)
        questions.edit_thread(question, question.author, title=question.title, body=question.body_text + " And now?")
    case = case_of(question)
    assert case.policy.slug == "default-question" and [row["kind"] for row in case.ladder] == rungs
    with clock.travel(hours(24 * 7 + 2)):
        services.resolve(question, dana, "nothing")
        services.reopen(question, dana, reason="It came back")
    assert (case_of(question).planned, case_of(question).policy.slug) == (False, "again")


@pytest.mark.parametrize(("kind", "due"), [("question", True), ("idea", False)])
def test_where_a_policy_names_no_hours_the_departments_count(
    kind: str, due: bool, alice: User, dana: User, support: Department
) -> None:
    EscalationPolicy.objects.update(acknowledge_hours=None, resolve_hours=None)
    Department.objects.filter(pk=support.pk).update(hours={}, acknowledge_hours=3, resolve_hours=9)
    with clock.travel(NOON):
        thread = factories.a_thread(alice, kind=kind)
        services.acknowledge(thread, dana)
    case = case_of(thread)
    assert (case.resolve_due_at == hours(9)) is due and (case.resolve_due_at is None) is not due

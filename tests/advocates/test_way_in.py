"""The way into the programme and out of it: code, application, blind trial, judges, decision, honours, removal."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError

from advocates import programme, services
from advocates.models import Application, CodeAcceptance, Interest, Judge, Judgement
from community.accounts.models import Standing, User
from community.core import clock
from community.core.errors import Conflict, NotAllowed
from community.events.models import Event
from community.questions import services as questions
from community.questions.models import Thread

from ..factories import a_person, a_product, a_thread, an_answer

pytestmark = pytest.mark.django_db
WHY = "I have repaired three of these machines and like to explain."
WORDS = "Open the steam valve, wait for a minute and close it again. That empties the boiler."


@pytest.fixture
def judges(hanna, duo):
    people = [a_person() for _ in range(3)]
    for person in people:
        services.admit(person, hanna, [duo])
    return people


@pytest.fixture
def solved(wednesday, duo):
    """Four questions that were solved long ago."""
    with clock.travel(wednesday - timedelta(days=90)):
        for _ in range(4):
            thread = a_thread(product=duo)
            questions.accept_answer(an_answer(thread), thread.author)


def applied(person, *products):
    return programme.apply(person, list(products), WHY, code_version=programme.current_code().version)


def sent(person, *products):
    application = applied(person, *products)
    for item in application.trial.all():
        programme.answer_trial(person, item.pk, WORDS)
    return programme.send_trial(person)


def seats(application):
    return list(application.judges.select_related("person"))


def judged(application, seat, *said):
    items = programme.items_for(seat)
    return programme.judge(
        application, seat.person, {item.pk: (yes, "") for item, yes in zip(items, said, strict=True)}
    )


def test_the_code_has_versions_and_is_accepted_with_the_day(wednesday, bob, hanna, charlie, client):
    assert programme.current_code().version == 1
    programme.accept_code(bob, 1)
    programme.accept_code(bob, 1)
    assert CodeAcceptance.objects.get(person=bob).at == wednesday
    words = "We promise **this** and that, and that is quite a long promise to be made by anybody at all, as one sees."
    with pytest.raises(NotAllowed):
        programme.publish_code(charlie, words, what_changed="All of it.")
    with pytest.raises(ValidationError):
        programme.publish_code(hanna, words)
    new = programme.publish_code(hanna, words, what_changed="All of it.")
    assert programme.publish_code(hanna, words, what_changed="Nothing.") == new
    with pytest.raises(Conflict):
        programme.accept_code(bob, 1)
    assert programme.acceptance_of(bob).code.version == 1
    page = client.get("/advocates/code-of-conduct/").content.decode()
    assert "<strong>this</strong>" in page and "Version 1" in page
    assert "noindex" in client.get("/advocates/code-of-conduct/1/").content.decode()


def test_a_code_that_changed_while_it_was_edited_is_read_first(wednesday, hanna):
    """Two managers had version 1 open; the second is told of the first's, and loses nothing."""
    words = "We promise that and this, and it is quite a long promise to be made by anybody at all, as one can see. "
    programme.publish_code(hanna, words, what_changed="One.", seen=1)
    with pytest.raises(ValidationError) as problem:
        programme.publish_code(hanna, words + "And more.", what_changed="Two.", seen=1)
    assert "Version 2 came meanwhile" in problem.value.message_dict["body_source"][0]
    assert programme.current_code().version == 2
    assert programme.publish_code(hanna, words + "And more.", what_changed="Two.", seen=2).version == 3


def test_older_rows_get_their_ties_and_answers(wednesday, bob, thread):
    """Migration 0013: what newer code writes at once is filled in from what stood there."""
    from importlib import import_module

    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    from advocates.models import Ask

    Interest.objects.create(person=bob, kind="family", line="A sister works there.", since=date(2026, 3, 1))
    Interest.objects.create(
        person=bob, kind="free_product", line="Given a Mill.", since=date(2025, 1, 2), until=date(2025, 2, 2)
    )
    ask = Ask.objects.create(person=bob, thread=thread, at=wednesday - timedelta(hours=1))
    answer = an_answer(thread, bob)
    Ask.objects.update(answered_at=None)
    User.objects.filter(pk=bob.pk).update(ties=[])
    apps = MigrationExecutor(connection).loader.project_state().apps
    for _twice in range(2):
        import_module("advocates.migrations.0013_ties_and_answers").fill(apps, None)
    bob.refresh_from_db()
    assert bob.ties == [["2025-01-02", "2025-02-02", "Given a Mill."], ["2026-03-01", "", "A sister works there."]]
    ask.refresh_from_db()
    assert ask.answered_at == answer.created_at


def test_a_trial_from_applying_to_being_accepted(judges, solved, bob, hanna, duo):
    application = sent(bob, duo)
    assert application.trial.count() == programme.QUESTIONS
    assert application.state == "judging"
    first, second = seats(application)
    assert not {first.person_id, second.person_id} - {person.pk for person in judges}
    judged(application, first, True, True, False)
    with pytest.raises(Conflict):
        judged(application, first, True, True, True)
    assert Application.objects.get().state == "judging"
    judged(application, second, True, True, False)
    assert Application.objects.get().state == "judged"
    assert Judge.objects.count() == 2
    agreed = programme.agreement(programme.pairs_of(programme.verdicts_of(application).values()))
    assert (agreed.percent, agreed.kappa, agreed.in_words) == (100, 1.0, "almost perfect")
    with pytest.raises(NotAllowed):
        programme.decide(application, bob, [duo])
    programme.decide(application, hanna, [duo])
    programme.decide(application, hanna, [])
    assert Application.objects.get().state == "accepted"
    assert User.objects.get(pk=bob.pk).standing == Standing.ADVOCATE
    assert Event.objects.filter(kind="advocate.decided").count() == 1


def test_a_third_judges_where_two_differ_and_the_majority_holds(judges, solved, bob, hanna, duo, client):
    application = sent(bob, duo)
    first, second = seats(application)
    judged(application, first, True, True, False)
    judged(application, second, False, True, False)
    assert Application.objects.get().state == "judging"
    third = seats(application)[2]
    items = programme.items_for(third)
    assert len(items) == 1
    judged(application, third, False)
    application.refresh_from_db()
    assert application.state == "judged"
    assert programme.passed_products(application) == {duo.pk: False}
    with pytest.raises(ValidationError):
        programme.decide(application, hanna, [duo])
    with pytest.raises(ValidationError):
        programme.decide(application, hanna, [])
    programme.decide(application, hanna, [], reason="The boiler answers were wrong.")
    client.force_login(bob)
    page = client.get("/advocates/apply/").content.decode()
    assert "The boiler answers were wrong." in page
    assert page.count("it would not have helped") == 2 and page.count("it would have helped") == 1
    assert first.person.username not in page
    assert User.objects.get(pk=bob.pk).standing == Standing.MEMBER


def test_kappa_is_that_of_cohen():
    pairs = [(True, True)] * 20 + [(True, False)] * 5 + [(False, True)] * 10 + [(False, False)] * 15
    assert programme.agreement(pairs).kappa == 0.4
    assert programme.agreement([(True, True)] * 3).kappa is None
    assert programme.agreement([]).percent is None
    even = [(True, True), (True, False), (False, True), (False, False)]
    assert (programme.agreement(even).kappa, programme.agreement(even).in_words) == (0.0, "slight")
    assert programme.agreement([(True, False), (False, True)]).in_words == "less than chance"


def test_judging_is_blind(judges, solved, bob, duo, client):
    """No name of the applicant, no answer that settled it among the trial's questions, no judgement of another."""
    application = sent(bob, duo)
    first, second = seats(application)
    judged(application, first, True, True, False)
    Judgement.objects.update(note="Says the first judge.")
    client.force_login(second.person)
    page = client.get(f"/advocates/judging/{application.pk}/").content.decode()
    assert "Bob" not in page and "bob" not in page
    assert "Says the first judge." not in page
    assert WORDS in page
    client.force_login(first.person)
    assert "Bob" not in client.get("/advocates/judging/").content.decode()
    client.force_login(judges[0] if judges[0].pk not in (first.person_id, second.person_id) else judges[2])
    stranger = next(one for one in judges if one.pk not in (first.person_id, second.person_id))
    client.force_login(stranger)
    assert client.get(f"/advocates/judging/{application.pk}/").status_code == 404
    client.force_login(bob)  # no advocate: not sent on to a queue that is not theirs
    assert "/advocates/queue/" not in client.get("/advocates/judging/").content.decode()
    with pytest.raises(NotAllowed):
        programme.judge(application, stranger, {})


def test_the_trial_shows_questions_without_answers_and_keeps_what_is_typed(judges, solved, bob, duo, client):
    client.force_login(bob)
    form = client.get("/advocates/apply/")
    assert form.status_code == 200
    data = {"products": [duo.pk], "motivation": WHY, "code": 1}
    assert client.post("/advocates/apply/", data).status_code == 422
    assert client.post("/advocates/apply/", {**data, "accepts": "on"})["Location"] == "/advocates/trial/"
    items = list(Application.objects.get().trial.select_related("thread__leading_solution"))
    page = client.get("/advocates/trial/").content.decode()
    for item in items:
        assert item.thread.title in page
        assert item.thread.leading_solution.body_text not in page
        assert item.thread.get_absolute_url() not in page
    short = client.post("/advocates/trial/", {f"answer-{items[0].pk}": "Too short.", "send": "1"})
    assert short.status_code == 422 and "Too short." in short.content.decode()
    long = {f"answer-{item.pk}": f"Of number {item.pk}. {WORDS}" for item in items}
    long[f"answer-{items[0].pk}"] = "x" * (programme.LONGEST_ANSWER + 1)
    page = client.post("/advocates/trial/", long)
    assert page.status_code == 422
    for item in items[1:]:  # what is wrong with the first costs nothing of the others
        assert long[f"answer-{item.pk}"] in page.content.decode()
        item.refresh_from_db()
        assert item.answer == long[f"answer-{item.pk}"]
    answers = {f"answer-{item.pk}": WORDS for item in items}
    assert client.post("/advocates/trial/", {**answers, "send": "1"}).status_code == 303
    assert Application.objects.get().state == "judging"
    assert client.get("/advocates/trial/").status_code == 303
    assert client.get("/advocates/apply/withdraw/").status_code == 405
    seat = Judge.objects.first()
    client.post("/advocates/apply/withdraw/")
    client.post("/advocates/apply/withdraw/")
    assert Application.objects.get().state == "withdrawn"
    client.force_login(seat.person)
    assert not Judge.objects.exists() and client.get(seat.get_absolute_url()).status_code == 404


def test_who_may_apply_for_what(wednesday, bob, dana, duo, hanna):
    with pytest.raises(NotAllowed):
        applied(dana, duo)
    with pytest.raises(ValidationError) as raised:
        programme.apply(bob, [], "Short.", code_version=1)
    assert set(raised.value.message_dict) == {"products", "motivation"}
    with pytest.raises(Conflict):
        programme.apply(bob, [duo], WHY, code_version=7)
    application = applied(bob, duo)  # there are no old questions: the manager decides
    assert application.state == "judged"
    with pytest.raises(Conflict):
        applied(bob, duo)
    programme.decide(application, hanna, [duo])
    with pytest.raises(ValidationError):
        applied(bob, duo)
    further = applied(bob, mill := a_product("mill"))
    programme.decide(further, hanna, [mill])
    held = {row.product_id for row in User.objects.get(pk=bob.pk).advocate.expertise.all()}
    assert held == {duo.pk, mill.pk}


def test_an_invitation_is_answered_by_whom_it_is_for(solved, judges, bob, charlie, hanna, duo, client):
    with pytest.raises(NotAllowed):
        programme.invite(bob, charlie)
    application = programme.invite(bob, hanna, [duo])
    assert programme.invite(bob, hanna) == application
    client.force_login(bob)
    assert "You are invited" in client.get("/advocates/apply/").content.decode()
    assert applied(bob, duo).pk == application.pk
    assert Application.objects.get().invited_by == hanna
    programme.withdraw(bob)
    programme.withdraw(bob)
    assert Event.objects.filter(kind="advocate.withdrew").count() == 1


def test_a_judge_who_does_not_judge_is_replaced(judges, solved, bob, duo, wednesday):
    application = sent(bob, duo)
    first, slow = seats(application)
    judged(application, first, True, True, True)
    assert programme.keep_judging() == 0
    with clock.travel(wednesday + programme.PATIENCE + timedelta(hours=1)):
        assert programme.keep_judging() == 1
        assert programme.keep_judging() == 0
    now = {seat.person_id for seat in seats(application)}
    assert slow.person_id not in now and first.person_id in now


def test_who_is_no_advocate_any_longer_judges_nobody(judges, solved, bob, hanna, duo):
    application = sent(bob, duo)
    seat = seats(application)[0]
    services.remove(seat.person, hanna, reason="Was rude to newcomers, twice, after a warning.")
    with pytest.raises(NotAllowed):
        judged(application, seat, True, True, True)
    assert seat.person_id not in {one.person_id for one in seats(application) if one.done_at is None}


def test_a_declared_tie_does_not_end_before_today_by_declaring_it_again(wednesday, bob):
    told = {"kind": "payment", "line": "Paid for a water test.", "since": date(2025, 1, 1)}
    services.declare_interest(bob, bob, **told)
    with pytest.raises(ValidationError):
        services.declare_interest(bob, bob, **told, until=date(2025, 1, 1))
    assert Interest.objects.get().until is None


def test_past_ties_stand_beside_what_was_written_then(wednesday, bob, alice, duo, client, django_assert_num_queries):
    with clock.travel(wednesday - timedelta(days=400)):
        then = an_answer(a_thread(alice, product=duo), bob)
    services.declare_interest(
        bob, bob, kind="payment", line="Paid for a water test.", since=date(2025, 1, 1), until=date(2025, 12, 31)
    )
    now = an_answer(a_thread(alice, product=duo), bob)
    assert "Paid for a water test." in client.get(then.thread.get_absolute_url()).content.decode()
    assert "Paid for a water test." not in client.get(now.thread.get_absolute_url()).content.decode()
    person = User.objects.get(pk=bob.pk)
    with django_assert_num_queries(0):
        assert person.ties_on(then.created_at) == "Paid for a water test."
        assert person.ties_on(now.created_at) == ""
    with pytest.raises(ValidationError):
        services.end_interest(Interest.objects.get(), bob, date(2025, 1, 2))
    assert User.objects.get(pk=bob.pk).ties == [["2025-01-01", "2025-12-31", "Paid for a water test."]]


def test_leaving_with_honours_and_being_sent_away(bob, charlie, hanna, duo, client):
    for person in (bob, charlie):
        services.admit(person, hanna, [duo])
    services.leave(bob, hanna, farewell="For a thousand patient answers.")
    page = client.get("/advocates/").content.decode()
    assert "With our thanks" in page and "For a thousand patient answers." in page
    with pytest.raises(NotAllowed):
        services.remove(charlie, bob, reason="Was rude to somebody twice.")
    with pytest.raises(ValidationError):
        services.remove(charlie, hanna, reason="Rude.")
    services.remove(charlie, hanna, reason="Was rude to newcomers, twice, after a warning.")
    services.remove(charlie, hanna, reason="Was rude to newcomers, twice, after a warning.")
    event = Event.objects.get(kind="advocate.removed")
    assert event.note.text.startswith("Was rude to newcomers")
    assert User.objects.get(pk=charlie.pk).standing == Standing.MEMBER
    assert "Charlie" not in client.get("/advocates/").content.decode()
    client.force_login(charlie)
    page = client.get("/advocates/mine/").content.decode()
    assert "ended on" in page and "Was rude to newcomers, twice, after a warning." in page
    assert "Was rude" not in client.get(charlie.get_absolute_url()).content.decode()


def test_a_trial_asks_what_enough_judges_have_not_answered(judges, solved, bob, duo):
    """Who answered a question doesn't judge it: a trial of questions that all answered would wait for ever."""
    free, busy = list(Thread.objects.order_by("pk"))[:3], Thread.objects.order_by("-pk").first()
    with clock.travel(clock.now() - timedelta(days=80)):
        for number in range(6):  # enough of the unfit that luck does not do
            thread = busy if number == 0 else a_thread(product=duo)
            if number:
                questions.accept_answer(an_answer(thread), thread.author)
            for person in judges[:2]:
                an_answer(thread, person)
    application = sent(bob, duo)
    assert {item.thread_id for item in application.trial.all()} == {thread.pk for thread in free}
    assert application.judges.count() == 2

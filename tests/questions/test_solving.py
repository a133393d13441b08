"""From an answer to a settled matter: who accepts, who is asked back how often, and two answers that disagree."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from community.accounts import services as accounts
from community.accounts.models import Department, User
from community.accounts.services import set_role
from community.core import clock, outbox
from community.core.errors import Conflict, NotAllowed
from community.core.models import Delivery, Numbers
from community.events.log import replay
from community.events.models import Event
from community.moderation import services as moderation
from community.notifications.delivery import announce_due
from community.notifications.models import Notification
from community.notifications.services import prefer
from community.notifications.wording import words_for
from community.people import reading
from community.posts import services as posts
from community.posts.models import Follow
from community.questions import asking_back, services
from community.questions.models import Answer, FollowUp, FollowUpRequest, Reminder, Thread
from products.models import Ownership, Version
from tests import factories
from tests.questions.test_pages import signed_in

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def after(days: float, work: Callable[[], Any]) -> Any:
    """Do it so many days from now."""
    with clock.travel(clock.now() + days * DAY):
        return work()


def sweep_daily(days: int) -> int:
    """The worker's sweep once a day; how often askers were reminded."""
    start = clock.now()
    return sum(asking_back.sweep(start + day * DAY + HOUR)["reminded"] for day in range(1, days + 1))


def post_goes_out() -> list[Any]:
    before = len(mail.outbox)
    announce_due()
    outbox.deliver_due()
    return mail.outbox[before:]


def kinds_told(user: User) -> list[str]:
    return list(Notification.objects.filter(recipient=user).order_by("timestamp", "pk").values_list("kind", flat=True))


def reload(thread: Thread) -> Thread:
    return Thread.objects.get(pk=thread.pk)


class TestAccepting:
    def test_the_asker_chooses_which_leads(self, thread: Thread, alice: User, bob: User, charlie: User) -> None:
        first, second = factories.an_answer(thread, bob), factories.an_answer(thread, charlie)
        services.accept_answer(first, alice)
        services.accept_answer(second, alice)
        address = reverse("questions:accept", args=[second.pk])
        page = signed_in(alice).get(thread.get_absolute_url()).content.decode()
        assert page.count('name="leading"') == 1  # on the one that does not lead
        assert 'name="leading"' not in signed_in(bob).get(thread.get_absolute_url()).content.decode()
        assert signed_in(bob).post(address, {"leading": "1"}).status_code == 403
        assert signed_in(alice).post(address, {"leading": "1"}).status_code == 303
        assert reload(thread).leading_solution_id == second.pk
        page = signed_in(alice).get(thread.get_absolute_url()).content.decode()
        assert page.index(f'id="answer-{second.pk}"') < page.index(f'id="answer-{first.pk}"')

    def test_the_asker_is_told_when_staff_accept(self, wednesday: Any, thread: Thread, answer: Answer, dana: User,
                                                 alice: User) -> None:  # fmt: skip
        after(8, lambda: services.accept_answer(answer, dana))
        letters = after(8, post_goes_out)
        assert "accepted_for_you" in kinds_told(alice)
        letter = next(
            letter for letter in letters if letter.to == [alice.email] and "Accepted for you" in letter.subject
        )
        assert answer.body_text in letter.body and "take the acceptance back" in letter.body

    def test_ones_own_answer_can_be_accepted_and_earns_nothing(self, thread: Thread, alice: User) -> None:
        own = factories.an_answer(thread, alice)
        services.accept_answer(own, alice)
        assert reload(thread).state == "solved"
        alice.refresh_from_db()
        found = reading.figures(alice)
        assert (alice.reputation, found.answers, found.accepted) == (1, 1, 0)
        assert reading.skills(alice) == []
        with replay("demo", clock.now() + 4 * DAY):
            services.answer_follow_up(own, alice, "yes")
        alice.refresh_from_db()
        assert (alice.reputation, reading.figures(alice).held_percent) == (1, None)
        assert not FollowUpRequest.objects.exists()

    def test_a_doubt_ends_when_the_asker_chooses_anew(
        self, thread: Thread, alice: User, bob: User, charlie: User
    ) -> None:
        first, second = factories.an_answer(thread, bob), factories.an_answer(thread, charlie)
        services.accept_answer(first, alice)
        services.say_no_longer_works(first, charlie)
        services.accept_answer(second, alice)
        assert reload(thread).recheck_at is None
        assert Event.objects.get(kind="thread.recheck_settled").data["outcome"] == "accepted_anew"


class TestReminders:
    def test_every_three_days_five_times(self, wednesday: Any, thread: Thread, answer: Answer, alice: User) -> None:
        start = clock.now()
        assert asking_back.sweep(start + 3 * DAY - HOUR) == {}
        assert asking_back.sweep(start + 3 * DAY)["reminded"] == 1
        assert asking_back.sweep(start + 3 * DAY) == {}
        assert asking_back.sweep(start + 5 * DAY) == {}
        assert sweep_daily(60) == 4
        assert list(Reminder.objects.values_list("number", flat=True)) == [1, 2, 3, 4, 5]
        assert reload(thread).remind_at is None

    def test_the_mail_quotes_the_answers_and_has_one_link(
        self, wednesday: Any, thread: Thread, alice: User, bob: User, charlie: User
    ) -> None:
        factories.an_answer(thread, bob, body="Open it fully and close it again, six times over.")
        hidden = factories.an_answer(thread, charlie, body="Throw it into the sea, and good riddance to it.")
        moderation.hide(hidden, factories.a_person(is_superuser=True), reason="Rude")
        post_goes_out()
        asking_back.sweep(clock.now() + 4 * DAY)
        [letter] = after(4, post_goes_out)
        assert letter.to == [alice.email] and "Did that settle it?" in letter.subject
        assert "six times over" in letter.body and "into the sea" not in letter.body
        links = re.findall(r"http\S+", letter.body.split("--")[0])
        assert links == [f"http://testserver{thread.get_absolute_url()}#answers"]
        assert letter.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert kinds_told(alice)[-1] == "reminder"

    def test_one_click_stops_the_mails(self, wednesday: Any, thread: Thread, answer: Answer, alice: User) -> None:
        asking_back.sweep(clock.now() + 4 * DAY)
        letter = after(4, post_goes_out)[-1]
        address = re.search(r"<http://testserver(\S+)>", letter.extra_headers["List-Unsubscribe"])[1]  # type: ignore[index]
        assert Client().post(address).status_code == 200
        asking_back.sweep(clock.now() + 8 * DAY)
        assert after(8, post_goes_out) == []

    def test_what_was_accepted_meanwhile_is_not_mailed(self, wednesday: Any, thread: Thread, answer: Answer,
                                                       alice: User) -> None:  # fmt: skip
        asking_back.sweep(clock.now() + 4 * DAY)
        with clock.travel(clock.now() + 4 * DAY):
            announce_due()
            services.accept_answer(answer, alice)
            outbox.deliver_due()
        assert Delivery.objects.get(subject__contains="Did that settle it?").state == "dropped"

    @pytest.mark.parametrize("end", ["accept", "elsewhere", "close", "duplicate", "hide", "mute", "suspend", "refuse"])
    def test_it_stops(self, wednesday: Any, thread: Thread, answer: Answer, alice: User, dana: User, ravi: User,
                      end: str) -> None:  # fmt: skip
        asking_back.sweep(clock.now() + 3 * DAY)
        after(3, post_goes_out)
        ended = {
            "accept": lambda: services.accept_answer(answer, alice),
            "elsewhere": lambda: services.solve_another_way(thread, alice, "A new gasket"),
            "close": lambda: services.close_thread(thread, dana, "Settled by telephone"),
            "duplicate": lambda: services.mark_duplicate(thread, dana, factories.a_thread()),
            "hide": lambda: moderation.hide(thread, ravi, reason="Personal data"),
            "mute": lambda: posts.follow(thread, alice, Follow.Level.MUTED),
            "suspend": lambda: User.objects.filter(pk=alice.pk).update(is_active=False),
            "refuse": lambda: prefer(alice, "reminder", in_app=False, mail=False),
        }
        after(3.5, ended[end])
        after(3.6, post_goes_out)
        told, sent = kinds_told(alice).count("reminder"), len(mail.outbox)
        sweep_daily(30)
        after(31, post_goes_out)
        assert kinds_told(alice).count("reminder") == told
        assert not [letter for letter in mail.outbox[sent:] if "Did that settle it?" in letter.subject]
        if end not in ("mute", "refuse"):
            assert Reminder.objects.count() == 1

    def test_three_days_count_from_the_last_answer_and_the_last_word(
        self, wednesday: Any, thread: Thread, answer: Answer, alice: User, charlie: User
    ) -> None:
        start = clock.now()
        after(2, lambda: factories.an_answer(thread, charlie))
        assert asking_back.sweep(start + 3 * DAY) == {}
        after(4, lambda: posts.comment(answer, alice, body="I try it at the weekend."))
        assert asking_back.sweep(start + 5 * DAY) == {"later": 1}
        assert asking_back.sweep(start + 7 * DAY)["reminded"] == 1

    def test_who_is_silenced_is_asked_when_they_may_write_again(
        self, wednesday: Any, thread: Thread, answer: Answer, alice: User
    ) -> None:
        User.objects.filter(pk=alice.pk).update(silenced_until=clock.now() + 5 * DAY)
        assert sweep_daily(5) == 0
        assert sweep_daily(9) == 2

    def test_ones_own_answer_ideas_and_imports_are_not_asked_about(
        self, wednesday: Any, alice: User, bob: User
    ) -> None:
        factories.an_answer(factories.a_thread(alice), alice)
        factories.an_answer(factories.a_thread(alice, kind="idea"), bob)
        with replay("import", clock.now()):
            factories.an_answer(factories.a_thread(alice), bob)
        assert sweep_daily(10) == 0

    def test_a_thread_that_is_open_again_is_asked_about_new_answers_only(
        self, wednesday: Any, thread: Thread, answer: Answer, alice: User, charlie: User
    ) -> None:
        services.accept_answer(answer, alice)
        after(1, lambda: services.reopen_thread(thread, alice, "It drips again"))
        assert sweep_daily(10) == 0
        after(11, lambda: factories.an_answer(thread, charlie))
        assert asking_back.sweep(clock.now() + 14 * DAY)["reminded"] == 1

    def test_what_was_asked_for_is_reminded_of_by_itself(
        self, wednesday: Any, thread: Thread, alice: User, bob: User, dana: User
    ) -> None:
        """Reminders of a request don't use up those of answers, nor the other way round."""
        services.ask_for_info(thread, dana, "Which serial number?")
        assert sweep_daily(10) == 3
        after(10, lambda: factories.an_answer(thread, alice, body="It says 1234 on the plate below the tank."))
        after(11, lambda: factories.an_answer(thread, bob))
        with clock.travel(clock.now() + 11 * DAY):
            assert sweep_daily(60) == 5
            assert list(Reminder.objects.order_by("number").values_list("info", flat=True)) == [True] * 3 + [False] * 5
            after(60, lambda: services.ask_for_info(thread, dana, "And which firmware?"))
        with clock.travel(clock.now() + 71 * DAY):
            assert sweep_daily(30) == 5

    def test_a_worker_that_dies_in_the_middle_has_asked_nobody(
        self, wednesday: Any, thread: Thread, answer: Answer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        later = clock.now() + 3 * DAY
        with monkeypatch.context() as patch:
            patch.setattr(asking_back, "record", lambda *_args, **_data: 1 / 0)
            assert asking_back.sweep(later) == {"failed": 1}
        assert not Reminder.objects.exists() and reload(thread).remind_at == later
        assert asking_back.sweep(later)["reminded"] == 1

    def test_a_manager_turns_the_numbers(self, wednesday: Any, thread: Thread, answer: Answer) -> None:
        numbers = Numbers.load()
        numbers.remind_after_hours, numbers.reminders = 24, 2
        numbers.save()
        services.edit_answer(answer, answer.author, body="Open it fully and close it again, seven times over.")
        factories.an_answer(thread)
        assert sweep_daily(30) == 2

    def test_a_sweep_costs_what_is_due(self, wednesday: Any, thread: Thread, answer: Answer,
                                       django_assert_num_queries: Any) -> None:  # fmt: skip
        for _ in range(5):
            factories.an_answer(factories.a_thread())
        with django_assert_num_queries(3):  # are there reminders, are there follow-ups
            asking_back.sweep(clock.now() + DAY)


class TestStillWorking:
    def asked(self, answer: Answer, alice: User) -> list[str]:
        """The three addresses of the mail that asks."""
        services.accept_answer(answer, alice)
        post_goes_out()
        assert asking_back.sweep(clock.now() + 3 * DAY - HOUR)["asked"] == 0
        assert asking_back.sweep(clock.now() + 3 * DAY)["asked"] == 1
        assert asking_back.sweep(clock.now() + 9 * DAY)["asked"] == 0
        [letter] = after(3, post_goes_out)
        assert letter.to == [alice.email] and answer.body_text in letter.body
        return re.findall(r"http://testserver(\S+still-working\S+)", letter.body)

    def test_one_mail_three_links_and_nothing_written_by_a_get(
        self, wednesday: Any, thread: Thread, answer: Answer, alice: User
    ) -> None:
        links = self.asked(answer, alice)
        assert [link.partition("said=")[2] for link in links] == ["yes", "worked_at_first", "no"]
        assert kinds_told(alice)[-1] == "follow_up"
        with clock.travel(clock.now() + 4 * DAY):
            for link in links:
                response = Client().get(link)
                chosen = re.search(r'value="(\w+)"[^>]*checked', response.content.decode())
                assert response.status_code == 200 and chosen and chosen[1] == link.partition("said=")[2]
                assert "no-store" in response["Cache-Control"] and response["Referrer-Policy"] == "same-origin"
        assert not FollowUp.objects.exists()

    def test_no_opens_the_thread_one_level_up(
        self, wednesday: Any, thread: Thread, answer: Answer, alice: User
    ) -> None:
        link = self.asked(answer, alice)[2].partition("?")[0]
        with clock.travel(clock.now() + 4 * DAY):
            given = {"outcome": "no", "note": "It drips again, more than before."}
            assert Client().post(link, given).status_code == 302
            assert "You said: No" in Client().get(link).content.decode()
            assert Client().post(link, {"outcome": "yes"}).status_code == 200  # the first word stands
        thread = reload(thread)
        assert (thread.state, thread.escalation.round) == ("reopened", 2)
        event = Event.objects.get(kind="thread.reopened")
        assert event.data["one_level_up"] is True and event.note.text == "It drips again, more than before."
        assert FollowUp.objects.get().outcome == "no"

    def test_worked_at_first_goes_to_the_recheck_queue(
        self, wednesday: Any, thread: Thread, answer: Answer, alice: User
    ) -> None:
        link = self.asked(answer, alice)[1].partition("?")[0]
        with clock.travel(clock.now() + 4 * DAY):
            Client().post(link, {"outcome": "worked_at_first", "note": "For two days."})
        thread = reload(thread)
        assert thread.is_settled and thread.recheck_at is not None
        assert FollowUp.objects.get().note == "For two days."

    def test_yes_is_shown_and_counts(
        self, wednesday: Any, thread: Thread, answer: Answer, alice: User, bob: User
    ) -> None:
        link = self.asked(answer, alice)[0].partition("?")[0]
        with clock.travel(clock.now() + 4 * DAY):
            Client().post(link, {"outcome": "yes"})
        assert "Held when we asked again" in Client().get(thread.get_absolute_url()).content.decode()
        assert reading.figures(bob).held == 1

    @pytest.mark.parametrize(("days", "status"), [(29, 200), (34, 410)])
    def test_a_link_holds_for_thirty_days(self, wednesday: Any, thread: Thread, answer: Answer, alice: User, days: int,
                                          status: int) -> None:  # fmt: skip
        link = self.asked(answer, alice)[0]
        response = after(days + 3, lambda: Client().get(link)) if days < 30 else after(days, lambda: Client().get(link))
        assert response.status_code == status
        if status == 410:
            assert "held for 30 days" in response.content.decode()
            assert after(days, lambda: Client().post(link, {"outcome": "yes"})).status_code == 410

    def test_a_link_that_was_tampered_with_says_so(
        self, wednesday: Any, answer: Answer, alice: User, bob: User
    ) -> None:
        address = reverse("questions:still_working", args=[asking_back.token_for(answer, alice)])
        for wrong in (address[:-3] + "/", address.replace("still-working/", "still-working/x"),
                      reverse("questions:still_working", args=[asking_back.token_for(answer, bob)])):  # fmt: skip
            response = Client().post(wrong, {"outcome": "no"})
            assert response.status_code == 404 and b"link" in response.content
        assert not FollowUp.objects.exists()

    def test_who_is_silenced_says_nothing(self, wednesday: Any, thread: Thread, answer: Answer, alice: User) -> None:
        link = self.asked(answer, alice)[2].partition("?")[0]
        User.objects.filter(pk=alice.pk).update(silenced_until=clock.now() + 30 * DAY)
        response = after(4, lambda: Client().post(link, {"outcome": "no"}))
        assert response.status_code == 403 and "not write" in response.content.decode()
        alice.refresh_from_db()
        with pytest.raises(NotAllowed):
            after(4, lambda: services.answer_follow_up(answer, alice, "no"))
        assert reload(thread).is_settled

    def test_nobody_is_asked_what_has_no_answer_any_more(
        self, wednesday: Any, thread: Thread, answer: Answer, alice: User, ravi: User
    ) -> None:
        services.accept_answer(answer, alice)
        services.withdraw_acceptance(answer, alice)
        assert asking_back.sweep(clock.now() + 3 * DAY)["asked"] == 0
        services.accept_answer(answer, alice)  # it was not asked yet, so it is asked three days from now
        moderation.hide(answer, ravi, reason="Dangerous")
        assert asking_back.sweep(clock.now() + 3 * DAY)["asked"] == 0

    def test_an_answer_is_asked_about_once_ever(
        self, wednesday: Any, thread: Thread, answer: Answer, alice: User
    ) -> None:
        self.asked(answer, alice)
        services.withdraw_acceptance(answer, alice)
        services.accept_answer(answer, alice)
        assert asking_back.sweep(clock.now() + 9 * DAY)["asked"] == 0


@pytest.fixture
def torn(thread: Thread, answer: Answer, alice: User, dana: User) -> Thread:
    """Bob's answer is accepted, Dana's is official, and they say different things."""
    services.accept_answer(answer, alice)
    factories.an_answer(thread, dana, official_for=dana.department)
    return reload(thread)


class TestReconciling:
    def test_an_agent_names_it_and_who_settles_it(self, torn: Thread, dana: User, hanna: User, alice: User) -> None:
        services.say_they_disagree(torn, dana, "One says never, one says weekly", reconciler=hanna)
        services.say_they_disagree(torn, dana, "One says never, one says weekly", reconciler=hanna)
        body = Client().get(torn.get_absolute_url()).content.decode()
        for words in ["Two answers disagree here.", "One says never, one says weekly", hanna.name]:
            assert words in body
        assert reload(torn).recheck_at is not None
        assert Event.objects.filter(kind="thread.recheck_opened").count() == 1
        post_goes_out()
        assert kinds_told(hanna)[-1] == "reconcile"
        assert kinds_told(alice)[-1] == "thread_state"

    def test_somebody_else_is_asked_when_who_was_named_can_not(
        self, torn: Thread, dana: User, hanna: User, support: Department, charlie: User
    ) -> None:
        def named() -> str:
            body = Client().get(torn.get_absolute_url()).content.decode()
            return re.sub("<[^>]+>", "", body[body.index('id="disagree"') :].partition("</div>")[0])

        mei = factories.a_person("mei")
        set_role(mei, None, "agent", support, lead=True)
        services.say_they_disagree(torn, dana, "They differ", reconciler=dana)
        accounts.suspend(dana, hanna, reason="Sold what she saw", hours=48)
        assert reload(torn).reconciler == mei and f"{mei} is settling it" in named()
        set_role(mei, hanna, "")
        assert reload(torn).reconciler == hanna, "nobody of the department is left: a community manager"
        changes = Event.objects.filter(kind="thread.reconciler_changed")
        assert changes.count() == 2
        set_role(charlie, None, "moderator")
        assert changes.count() == 2, "who can, goes on"
        post_goes_out()
        assert (kinds_told(mei), kinds_told(hanna)[-1]) == ([], "reconcile"), "only who settles it now is asked"
        told = Notification.objects.filter(recipient=hanna).latest("pk")
        assert "Who was to settle it can't any more" in words_for(changes.latest("pk"), "reconcile", hanna).lines[0]
        assert told.kind == "reconcile"
        set_role(hanna, None, "")
        assert reload(torn).settles_it is None and "finding who settles it" in named() and str(hanna) not in named()
        set_role(charlie, None, "agent", support)
        assert reload(torn).settles_it == charlie, "as soon as somebody is there again"
        services.reconcile(torn, charlie, "both", "Weekly.")
        set_role(charlie, None, "")
        assert changes.count() == 3, "what is settled needs nobody"

    @pytest.mark.parametrize("outcome", ["accepted", "official", "both"])
    def test_it_ends_with_a_line_for_everybody(self, torn: Thread, answer: Answer, dana: User, outcome: str) -> None:
        official = torn.answers.get(official_for__isnull=False)
        services.say_they_disagree(torn, dana, "They differ")
        services.reconcile(torn, dana, outcome, "Weekly, with hard water only.")
        services.reconcile(torn, dana, outcome, "Weekly, with hard water only.")
        row = reload(torn)
        assert (row.disagree_since, row.recheck_at, row.reconciled_outcome) == (None, None, outcome)
        assert row.is_settled and row.official_at, "both keep their marks"
        body = Client().get(torn.get_absolute_url()).content.decode()
        assert "Weekly, with hard water only." in body and "Two answers disagree here." not in body
        assert ("the other one holds" in body) == (outcome != "both")
        first = official if outcome == "official" else answer
        assert re.findall(r'<article class="post[^"]*" id="answer-(\d+)"', body)[0] == str(first.pk)
        assert Event.objects.filter(kind="thread.recheck_settled").get().data["outcome"] == outcome

    def test_strangers_and_moderators_are_refused(self, torn: Thread, charlie: User, ravi: User, dana: User) -> None:
        for who in (charlie, ravi):
            with pytest.raises(NotAllowed):
                services.say_they_disagree(torn, who, "They differ")
        with pytest.raises(ValidationError) as refused:
            services.say_they_disagree(torn, dana, "They differ", reconciler=charlie)
        assert "reconciler" in refused.value.message_dict
        services.say_they_disagree(torn, dana, "They differ")
        with pytest.raises(NotAllowed):
            services.reconcile(torn, charlie, "both", "I say so.")

    def test_it_takes_two(self, thread: Thread, answer: Answer, alice: User, dana: User) -> None:
        with pytest.raises(Conflict):
            services.say_they_disagree(thread, dana, "They differ")
        services.accept_answer(answer, alice)
        services.make_official(answer, dana, dana.department)  # type: ignore[arg-type]
        with pytest.raises(Conflict):
            services.say_they_disagree(thread, dana, "They differ")

    def test_words_are_asked_for(self, torn: Thread, dana: User) -> None:
        with pytest.raises(ValidationError):
            services.say_they_disagree(torn, dana, " ")
        services.say_they_disagree(torn, dana, "They differ")
        for outcome, line in (("both", " "), ("neither", "A line")):
            with pytest.raises(ValidationError):
                services.reconcile(torn, dana, outcome, line)

    def test_a_plain_it_holds_does_not_settle_it(self, torn: Thread, dana: User) -> None:
        services.say_they_disagree(torn, dana, "They differ")
        with pytest.raises(Conflict, match="disagree"):
            services.settle_recheck(torn, dana, holds=True)
        services.settle_recheck(torn, dana, holds=False, note="Neither of them")
        row = reload(torn)
        assert (row.state, row.disagree_since, row.reconciler) == ("reopened", None, None)

    def test_accepting_anew_does_not_end_it(self, torn: Thread, dana: User, alice: User, charlie: User) -> None:
        services.say_they_disagree(torn, dana, "They differ")
        services.accept_answer(factories.an_answer(torn, charlie), alice)
        assert reload(torn).disagree_since is not None and reload(torn).recheck_at is not None

    def test_by_the_steps_page(self, torn: Thread, dana: User, charlie: User) -> None:
        steps = reverse("questions:manage", args=[torn.pk])
        page = signed_in(dana).get(torn.get_absolute_url()).content.decode()
        assert f"{steps}#step-disagree" in page
        assert "#step-disagree" not in signed_in(charlie).get(torn.get_absolute_url()).content.decode()
        assert signed_in(charlie).post(steps, {"step": "disagree", "note": "They differ"}).status_code == 403
        assert signed_in(dana).post(steps, {"step": "disagree", "note": ""}).status_code == 422
        assert signed_in(dana).post(steps, {"step": "disagree", "note": "They differ"}).status_code == 303
        assert reload(torn).reconciler == dana
        given = {"step": "reconcile", "outcome": "both", "line": "Both say weekly now."}
        assert signed_in(dana).post(steps, given).status_code == 303
        assert "Both say weekly now." in Client().get(torn.get_absolute_url()).content.decode()


class TestWorksForMine:
    def test_by_version_from_the_shelf(self, thread: Thread, answer: Answer, charlie: User) -> None:
        series = Version.objects.create(product=thread.product, name="Series 2")
        Ownership.objects.create(owner=charlie, product=thread.product, version=series)
        other = factories.a_person()
        Ownership.objects.create(owner=other, product=thread.product)
        services.say_works_for_mine(answer, charlie, True)
        services.say_works_for_mine(answer, other, False)
        assert answer.works_by_version == {"Series 2": [1, 0], "": [0, 1]}
        with replay("demo", clock.now()):
            rows = [(str(number), clock.now()) for number in range(40)]
            services.add_works_rows(answer, works=True, rows=rows, source="demo", model_version="Series 1")
        body = Client().get(thread.get_absolute_url()).content.decode()
        assert "Works for 41 of 42" in body and "Only owners are counted." in body
        cells = re.findall(r'<th scope="row">([^<]+)</th><td class="num">(\d+)</td><td class="num">(\d+)</td>', body)
        assert cells == [("Series 1", "40", "0"), ("Series 2", "1", "0"), ("not said", "0", "1")]
        services.say_works_for_mine(answer, charlie, None)
        assert answer.works_by_version == {"Series 1": [40, 0], "": [0, 1]}

    def test_figures_are_counted_from_the_rows(self, thread: Thread, answer: Answer, charlie: User) -> None:
        Ownership.objects.create(owner=charlie, product=thread.product)
        for word in (True, False, None, True, True):
            services.say_works_for_mine(answer, charlie, word)
        row = Answer.objects.get(pk=answer.pk)
        assert (row.works_yes, row.works_no) == (1, 0) == (row.works.filter(works=True).count(), 0)

    def test_who_sold_it_can_take_a_word_back(self, thread: Thread, answer: Answer, charlie: User) -> None:
        owned = Ownership.objects.create(owner=charlie, product=thread.product)
        services.say_works_for_mine(answer, charlie, True)
        owned.delete()
        with pytest.raises(NotAllowed):
            services.say_works_for_mine(answer, charlie, False)
        services.say_works_for_mine(answer, charlie, None)
        assert answer.works_yes == 0

    def test_only_owners_see_the_buttons(self, thread: Thread, answer: Answer, charlie: User, alice: User) -> None:
        Ownership.objects.create(owner=charlie, product=thread.product)
        button = f'id="works-{answer.pk}"'
        assert button in signed_in(charlie).get(thread.get_absolute_url()).content.decode()
        assert button not in signed_in(alice).get(thread.get_absolute_url()).content.decode()
        assert button in Client().get(thread.get_absolute_url()).content.decode()  # who signs in may own one

    def test_without_a_product_nobody_owns_it(self, alice: User, charlie: User) -> None:
        answer = factories.an_answer(factories.a_thread(alice))
        with pytest.raises(NotAllowed, match="no product"):
            services.say_works_for_mine(answer, charlie, True)


class TestRecheckQueue:
    def agent(self, dana: User, enrol: Callable[[User], None]) -> Client:
        enrol(dana)
        return signed_in(dana)

    def test_it_lists_what_is_in_doubt_with_the_reason(
        self, thread: Thread, answer: Answer, alice: User, charlie: User, dana: User, enrol: Any
    ) -> None:
        client = self.agent(dana, enrol)
        assert "No solution is in doubt." in client.get("/admin/rechecks/").content.decode()
        services.accept_answer(answer, alice)
        services.say_no_longer_works(answer, charlie, "Since firmware 3 it drips again.")
        body = client.get("/admin/rechecks/").content.decode()
        for words in [thread.title, "Since firmware 3 it drips again.", answer.body_text, "Charlie"]:
            assert words in body
        assert "1 solution is in doubt" in client.get("/admin/").content.decode()
        listed = Client().get("/questions/", {"state": "recheck"}).content.decode()
        assert thread.title in listed

    def test_the_day_somebody_named_brings_an_official_answer_here_once(
        self, wednesday: Any, thread: Thread, answer: Answer, alice: User, dana: User, support: Any, enrol: Any
    ) -> None:
        day = clock.now().date() + 30 * DAY
        with pytest.raises(ValidationError, match="a day to come"):
            services.make_official(answer, dana, support, recheck_on=clock.now().date())
        services.make_official(answer, dana, support, recheck_on=day)
        other = factories.an_answer(factories.a_thread(alice), dana, official_for=support, recheck_on=day)
        services.withdraw_official(other, dana, "No longer sold")
        assert after(29, asking_back.sweep)["rechecked"] == 0
        assert [after(days, asking_back.sweep)["rechecked"] for days in (30, 30, 31)] == [1, 0, 0]
        assert reload(thread).recheck_at == clock.now() + 30 * DAY
        assert reload(other.thread).recheck_at is None
        event = Event.objects.get(kind="thread.recheck_opened")
        assert (event.actor, event.data["planned"], event.data["answer"]) == (None, True, answer.pk)
        body = self.agent(dana, enrol).get("/admin/rechecks/").content.decode()
        assert "This is the day on which its department wanted to look at it again." in body
        services.settle_recheck(reload(thread), dana, holds=True)
        assert after(60, asking_back.sweep)["rechecked"] == 0

    def test_a_day_is_no_matter_for_what_is_in_doubt_or_closed(
        self, wednesday: Any, thread: Thread, answer: Answer, charlie: User, dana: User, support: Any
    ) -> None:
        services.make_official(answer, dana, support, recheck_on=clock.now().date() + DAY)
        services.say_no_longer_works(answer, charlie)
        done = after(2, asking_back.sweep)
        assert (done["rechecked"], done["dropped"], done["failed"]) == (0, 1, 0)
        assert Event.objects.filter(kind="thread.recheck_opened").count() == 1

    def test_it_holds_or_opens_again(self, thread: Thread, answer: Answer, alice: User, charlie: User, dana: User,
                                     enrol: Any) -> None:  # fmt: skip
        client = self.agent(dana, enrol)
        address = f"/admin/rechecks/{thread.pk}/"
        services.accept_answer(answer, alice)
        services.say_no_longer_works(answer, charlie)
        assert client.get(address).status_code == 405
        assert client.post(address, {"outcome": "?"}).status_code == 422
        assert client.post(address, {"outcome": "holds", "line": "Tried it on three."}).status_code == 303
        assert reload(thread).recheck_at is None and reload(thread).is_settled
        answer.refresh_from_db()
        assert answer.no_longer_works_at is None
        services.say_no_longer_works(answer, charlie)
        assert client.post(address, {"outcome": "open", "line": "Quite right."}).status_code == 303
        assert reload(thread).state == "reopened"

    def test_two_that_disagree_are_reconciled_there(self, torn: Thread, dana: User, enrol: Any) -> None:
        client = self.agent(dana, enrol)
        services.say_they_disagree(torn, dana, "They differ")
        assert torn.title in client.get("/admin/rechecks/?queue=mine").content.decode()
        address = f"/admin/rechecks/{torn.pk}/"
        refused = client.post(address, {"outcome": "both", "line": ""})
        assert refused.status_code == 422 and "Say in a line what holds" in refused.content.decode()
        assert client.post(address, {"outcome": "holds", "line": "Both"}).status_code == 409
        assert client.post(address, {"outcome": "both", "line": "Both corrected."}).status_code == 303
        assert reload(torn).reconciled_outcome == "both"

    def test_members_do_not_see_it(self, torn: Thread, charlie: User) -> None:
        assert signed_in(charlie).get("/admin/rechecks/").status_code in (302, 403)
        assert signed_in(charlie).post(f"/admin/rechecks/{torn.pk}/", {"outcome": "holds"}).status_code in (302, 403)

    def test_it_costs_the_same_however_many_wait(
        self, dana: User, alice: User, bob: User, enrol: Any, django_assert_max_num_queries: Any
    ) -> None:
        client = self.agent(dana, enrol)
        for _ in range(12):
            thread = factories.a_thread(alice)
            services.make_official(factories.an_answer(thread, bob), dana, dana.department)  # type: ignore[arg-type]
            services.open_recheck(thread, dana, "Look again")
        client.get("/admin/rechecks/")
        with django_assert_max_num_queries(16):
            client.get("/admin/rechecks/")

"""Who hears of what: once, never of oneself, never of what they may not see."""

import re
import threading
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from community.accounts.models import User
from community.accounts.services import set_role
from community.core import clock, outbox
from community.core.models import Delivery, Numbers
from community.escalation import services as desk
from community.escalation.models import Escalation
from community.events.log import record, replay
from community.moderation import services as moderation
from community.notifications import delivery, services, wording
from community.notifications.delivery import announce, announce_due, stop_token
from community.notifications.kinds import KINDS
from community.notifications.models import Announcement, Notification, Preference
from community.notifications.recipients import recipients
from community.posts.services import comment, follow, unfollow
from community.questions import asking_back
from community.questions import services as questions
from community.questions.models import Thread
from reviews import services as reviews
from tests.factories import a_person, a_review, a_thread, an_answer

pytestmark = pytest.mark.django_db


def told(person):
    announce_due()
    return list(Notification.objects.filter(recipient=person).order_by("pk").values_list("kind", flat=True))


class TestRecipients:
    def test_the_asker_hears_of_an_answer_and_its_author_does_not(self, thread, alice, bob):
        an_answer(thread, bob)
        assert told(alice) == ["new_answer"]
        assert told(bob) == []

    def test_followers_hear_until_they_unfollow(self, thread, charlie, bob):
        follow(thread, charlie)
        an_answer(thread, bob)
        assert told(charlie) == ["new_answer"]
        unfollow(thread, charlie)
        an_answer(thread)
        assert told(charlie) == ["new_answer"]

    def test_a_look_that_a_department_planned_is_no_news(self, thread, alice, bob, charlie, dana, support):
        follow(thread, charlie)
        answer = an_answer(thread, bob)
        questions.accept_answer(answer, alice)
        questions.make_official(answer, dana, support, recheck_on=(clock.now() + timedelta(days=30)).date())
        before = told(alice), told(charlie)
        with clock.travel(clock.now() + timedelta(days=31)):
            assert asking_back.sweep()["rechecked"] == 1
            questions.settle_recheck(Thread.objects.get(pk=thread.pk), dana, holds=True)
            assert told(charlie) == before[1] and "thread_state" not in told(alice)
            questions.say_no_longer_works(answer, bob)
            assert told(charlie) == [*before[1], "thread_state"], "what somebody doubts is news"

    def test_muting_silences_even_mentions(self, thread, charlie, bob):
        follow(thread, charlie, "muted")
        an_answer(thread, bob, body="Ask @charlie, he has had three of these machines.")
        assert told(charlie) == []

    def test_a_mention_is_one_notice_not_two(self, thread, alice, bob):
        an_answer(thread, bob, body="Hello @alice, open the valve and close it again, please.")
        assert told(alice) == ["mention"]

    def test_a_first_post_calls_whom_it_mentions_when_a_moderator_lets_it_through_once(
        self, thread, ravi, bob, charlie
    ):
        numbers = Numbers.load()
        numbers.review_first_posts = True
        numbers.save()
        newcomer = a_person(trust=0)
        asked = a_thread(newcomer, body="Has @bob seen this drip, or does it only drip here?")
        answer = an_answer(thread, newcomer, body="As @charlie told me: open the valve six times, and wait.")
        assert told(bob) == told(charlie) == []
        for _ in range(2):
            moderation.approve(asked, ravi)
            moderation.approve(answer, ravi)
        moderation.hide(asked, ravi, reason="Let me think")
        moderation.restore(asked, ravi)
        assert (told(bob), told(charlie)) == (["mention"], ["mention"])

    def test_comments_reach_the_author_and_those_who_spoke(self, answer, alice, bob, charlie):
        comment(answer, charlie, body="Which spanner?")
        comment(answer, alice, body="I would like to know too.")
        assert told(bob) == ["new_comment", "new_comment"]
        assert told(charlie) == ["new_comment"]

    def test_acceptance_and_official_answers(self, thread, answer, alice, bob, dana, support):
        questions.make_official(answer, dana, support)
        questions.accept_answer(answer, alice)
        assert told(bob) == ["official_answer", "answer_accepted", "badge"]
        assert told(alice) == ["new_answer", "official_answer"]

    def test_an_answer_given_officially_is_one_notice_not_two(self, thread, alice, dana, support):
        an_answer(thread, dana, official_for=support)
        assert told(alice) == ["official_answer"]

    def test_an_answer_made_official_later_is_news_of_its_own(self, thread, alice, dana, support):
        with clock.travel(clock.now() - timedelta(hours=1)):
            answer = an_answer(thread, dana)
        questions.make_official(answer, dana, support)
        assert told(alice) == ["new_answer", "official_answer"]

    def test_a_badge_is_news_to_whoever_earned_it(self, thread, answer, alice, bob):
        assert told(bob) == []
        questions.vote_answer(answer, alice, 1)
        assert told(bob) == ["badge"]
        assert told(alice) == ["new_answer"]

    def test_staff_who_only_acknowledge_are_announced_those_who_answer_are_not(self, thread, answer, alice, dana):
        with transaction.atomic():
            record("escalation.acknowledged", actor=dana, subject=thread)
        assert told(alice) == ["new_answer", "acknowledged"]
        an_answer(thread, dana)
        with transaction.atomic():
            record("escalation.acknowledged", actor=dana, subject=thread)
        assert told(alice) == ["new_answer", "acknowledged", "new_answer"]

    def test_the_asker_is_reminded_to_say_whether_it_helped(self, thread, answer, alice):
        with transaction.atomic():
            record("thread.asker_reminded", actor=None, subject=thread, number=1, answers=[answer.pk])
        assert told(alice) == ["new_answer", "reminder"]

    def test_every_kind_has_its_words(self):
        assert set(wording.WORDS) == {slug for slug, kind in KINDS.items() if not kind.by_its_room}

    def test_a_department_hears_as_far_as_it_is_there(self, thread, dana, support):
        with transaction.atomic():
            record("escalation.department_notified", actor=None, subject=thread, department=support.pk)
        assert told(dana) == ["case_department"]

    def test_replays_are_silent(self, thread, bob, alice):
        with replay("demo"):
            an_answer(thread, bob)
        assert told(alice) == []
        assert not Announcement.objects.exclude(event__kind="thread.posted").exists()


class TestOnce:
    def test_telling_twice_is_harmless(self, thread, bob, alice):
        an_answer(thread, bob)
        waiting = Announcement.objects.get(event__kind="answer.posted")
        assert announce(waiting) is True
        assert announce(waiting) is False
        Announcement.objects.update(done_at=None)
        announce_due()
        assert Notification.objects.filter(recipient=alice).count() == 1
        assert Delivery.objects.filter(user=alice).count() == 1

    @pytest.mark.django_db(transaction=True)
    def test_two_workers_at_once(self, alice):
        thread = a_thread(alice)
        for _ in range(3):
            an_answer(thread)

        def work():
            try:
                announce_due()
            finally:
                connection.close()

        workers = [threading.Thread(target=work) for _ in range(3)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        announce_due()
        assert Notification.objects.filter(recipient=alice, kind="new_answer").count() == 3
        assert Delivery.objects.filter(user=alice).count() == 3
        assert not Announcement.objects.filter(done_at=None).exists()

    def test_a_failure_is_tried_again_and_holds_nobody_up(self, thread, bob, alice, monkeypatch):
        an_answer(thread, bob)
        good = delivery.words_for
        monkeypatch.setattr(delivery, "words_for", lambda *args: 1 / 0)
        announce_due()
        waiting = Announcement.objects.get(event__kind="answer.posted")
        assert (waiting.attempts, waiting.done_at) == (1, None)
        assert not Notification.objects.exists()
        monkeypatch.setattr(delivery, "words_for", good)
        Announcement.objects.update(due_at=waiting.event.occurred_at)
        announce_due()
        assert Notification.objects.filter(recipient=alice).count() == 1


class TestMail:
    def test_a_mail_says_what_happened_and_how_to_stop_it(self, thread, bob, alice):
        answer = an_answer(thread, bob)
        announce_due()
        outbox.deliver_due()
        (sent,) = mail.outbox
        assert sent.to == [alice.email]
        assert thread.title in sent.subject
        assert answer.get_absolute_url() in sent.body
        assert sent.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert "<script" not in sent.alternatives[0].content

    def test_what_is_hidden_meanwhile_is_not_mailed(self, thread, bob, ravi):
        answer = an_answer(thread, bob)
        announce_due()
        moderation.hide(answer, ravi, reason="Spam")
        outbox.deliver_due()
        assert mail.outbox == []
        assert Delivery.objects.get(data__kind="new_answer").state == Delivery.State.DROPPED

    def test_private_details_are_never_mailed(self, bob, alice, charlie, duo):
        follow(duo, charlie)
        thread = a_thread(alice, product=duo, private={"serial": "SECRET-77", "note": "SECRET-78"})
        services.prefer(charlie, "new_thread", mail=True)
        an_answer(thread, bob)
        announce_due()
        outbox.deliver_due()
        assert len(mail.outbox) == 2
        assert not any("SECRET" in sent.body or "SECRET" in sent.alternatives[0].content for sent in mail.outbox)

    def test_one_click_stops_a_kind_without_signing_in(self, client, thread, bob, alice):
        address = reverse("notices:stop", args=[stop_token(alice, "new_answer")])
        assert client.get(address).status_code == 200
        assert not Preference.objects.exists()
        assert client.post(address, {"List-Unsubscribe": "One-Click"}).status_code == 200
        an_answer(thread, bob)
        announce_due()
        outbox.deliver_due()
        assert mail.outbox == []
        assert told(alice) == ["new_answer"], "still in the house"

    def test_a_forged_token_is_nothing(self, client, alice):
        token = stop_token(alice, "new_answer")
        assert client.post(reverse("notices:stop", args=[token[:-2] + "xx"])).status_code == 404

    def test_imported_people_without_address_get_no_mail(self, thread, bob):
        User.objects.filter(pk=thread.author_id).update(email=None)
        an_answer(thread, bob)
        announce_due()
        assert not Delivery.objects.exists()


class TestPages:
    def test_the_list_groups_by_thread_unread_first(self, client, thread, alice, bob, django_assert_max_num_queries):
        an_answer(thread, bob)
        comment(thread, bob, body="And write down when it drips.")
        announce_due()
        client.force_login(alice)
        page = client.get(reverse("notices:list")).content.decode()
        assert len(re.findall(r"notices__group--unread", page)) == 1
        assert page.count("notices__row") == 2
        notice = Notification.objects.filter(recipient=alice).first()
        assert client.get(reverse("notices:open", args=[notice.pk])).status_code == 405
        answer = client.post(reverse("notices:open", args=[notice.pk]))
        assert answer.url.startswith(thread.get_absolute_url())
        assert not Notification.objects.filter(recipient=alice, unread=True).exists()
        for _ in range(8):
            an_answer(a_thread(alice), a_person())
        announce_due()
        with django_assert_max_num_queries(12):
            client.get(reverse("notices:list"))

    def test_somebody_elses_notice_is_404(self, client, thread, bob, charlie, alice):
        an_answer(thread, bob)
        announce_due()
        client.force_login(charlie)
        notice = Notification.objects.get(recipient=alice)
        assert client.post(reverse("notices:open", args=[notice.pk])).status_code == 404

    def test_an_empty_list_says_what_to_do(self, client, charlie):
        client.force_login(charlie)
        assert "Find something to follow" in client.get(reverse("notices:list")).content.decode()
        assert client.get(reverse("notices:list") + "?page=9").status_code == 404

    def test_choices_are_kept(self, client, alice):
        client.force_login(alice)
        assert client.post(reverse("notices:preferences"), {"mention-in_app": "on"}).status_code == 302
        choices = {choice.kind: (choice.in_app, choice.mail) for choice in Preference.objects.filter(user=alice)}
        assert choices["mention"] == (True, False)
        assert choices["new_answer"] == (False, False)
        assert "case_department" not in choices, "members are not asked about staff's"


class TestCommentsOnHiddenAnswers:
    def test_nobody_is_told_of_a_comment_under_what_they_may_not_see(self, answer, alice, charlie, ravi):
        follow(answer.thread, alice)
        comment(answer, charlie, body="Which spanner do you use for that?")
        moderation.hide(answer, ravi, reason="Dangerous advice")
        assert "new_comment" not in told(alice)
        assert not Delivery.objects.filter(user=alice, body_text__contains="spanner").exists()

    def test_the_list_names_nothing_that_was_hidden_since(self, client, alice, bob, charlie, ravi):
        thread = a_thread(alice, title="My neighbour lives at 12 Elm Street")
        follow(thread, charlie)
        an_answer(thread, bob)
        assert told(charlie) == ["new_answer"]
        client.force_login(charlie)
        assert "Elm Street" in client.get(reverse("notices:list")).content.decode()
        moderation.hide(thread, ravi, reason="Personal data")
        body = client.get(reverse("notices:list")).content.decode()
        assert "Elm Street" not in body and "not shown any more" in body

    def test_a_title_that_was_taken_away_is_told_to_nobody(self, client, alice, bob, charlie, ravi):
        thread = a_thread(alice, title="My neighbour lives at 12 Elm Street")
        follow(thread, charlie)
        services.prefer(charlie, "new_answer", mail=True)
        an_answer(thread, bob)
        assert told(charlie) == told(alice) == ["new_answer"]
        with clock.travel(clock.now() + timedelta(minutes=1)):
            questions.move_thread(thread, ravi, title="My neighbour has the same machine", product=None)
            outbox.deliver_due()
            assert [one.to for one in mail.outbox] == [[alice.email]]
            for person, shown in ((charlie, False), (alice, True)):
                client.force_login(person)
                body = client.get(reverse("notices:list")).content.decode()
                assert ("Elm Street" in body, "News about" in body) == (shown, not shown)


def test_the_brand_is_asked_for_once_however_many_hear(thread, bob):
    for _ in range(4):
        follow(thread, a_person())
    an_answer(thread, bob)
    with CaptureQueriesContext(connection) as asked:
        announce_due()
    assert Delivery.objects.filter(kind="notice").count() >= 5
    assert sum("brandsettings" in query["sql"] for query in asked) <= 1


@pytest.mark.parametrize(
    ("uphold", "said"), [(True, "agreed with your flag “Spam”"), (False, "left the post as it is")]
)
def test_who_flagged_hears_what_became_of_it(client, thread, answer, charlie, ravi, uphold, said):
    flag = moderation.flag(answer, charlie, reason="spam")
    if uphold:
        moderation.hide(answer, ravi, reason="An advertisement.")
    moderation.decide_flag(flag, ravi, uphold=uphold)
    announce_due()
    notice = Notification.objects.exclude(kind="badge").get(recipient=charlie)
    assert said in notice.verb and thread.title not in notice.verb
    assert notice.data["url"] == (thread if uphold else answer).get_absolute_url()


def test_a_flag_on_a_thread_that_is_hidden_leads_to_no_page(thread, charlie, ravi):
    flag = moderation.flag(thread, charlie, reason="spam")
    moderation.hide(thread, ravi, reason="An advertisement.")
    moderation.decide_flag(flag, ravi, uphold=True)
    announce_due()
    notice = Notification.objects.exclude(kind="badge").get(recipient=charlie)
    assert notice.data["url"] == reverse("notices:list")


def test_what_can_not_be_told_is_tried_again_and_counts_as_waiting(thread, alice, bob, monkeypatch):
    """However often it failed: nobody's notice is thrown away, and `/readyz` says that it is late."""

    def fails(announcement):
        raise RuntimeError("a template that breaks")

    with monkeypatch.context() as broken:
        broken.setattr(delivery, "announce", fails)
        an_answer(thread, bob)
        Announcement.objects.update(attempts=40)
        assert announce_due() == 0
    row = Announcement.objects.get(event__kind="answer.posted")
    assert row.done_at is None and row.due_at > clock.now() and "breaks" in row.last_error
    assert delivery.oldest_waiting() == Announcement.objects.earliest("event__recorded_at").event.recorded_at
    with clock.travel(clock.now() + timedelta(days=1)):
        assert told(alice) == ["new_answer"] and delivery.oldest_waiting() is None


def test_notices_of_the_staff_reach_nobody_who_left(thread, dana, alice, support):
    event = record(
        "escalation.lead_notified", actor=None, subject=thread, people=[dana.pk, alice.pk], department=support.pk
    )
    assert recipients(event) == {dana.pk: "case_lead"}
    announce(Announcement.objects.get(event=event))
    waiting = Delivery.objects.get(user=dana, kind="notice")
    assert delivery.still_wanted(waiting)
    set_role(dana, None, "")
    assert not delivery.still_wanted(Delivery.objects.get(pk=waiting.pk))


def test_one_act_is_one_notice(alice, ravi):
    """What is shown again after its author mended it was looked at, too."""
    thread = a_thread(alice)
    moderation.hide(thread, ravi, reason="Rude")
    now = clock.now()
    with clock.travel(now + timedelta(hours=1)):
        questions.edit_thread(thread, alice, title=thread.title, body="It has dripped since Monday, and I kindly ask.")
    with clock.travel(now + timedelta(hours=2)):
        moderation.approve(Thread.objects.get(pk=thread.pk), ravi)
        announce_due()
    said = list(Notification.objects.filter(recipient=alice).order_by("pk").values_list("verb", flat=True))
    assert [verb.rpartition("” ")[2] for verb in said] == ["was hidden", "is visible again"]


def test_authors_hear_what_a_moderator_did_besides_hiding(client, thread, answer, alice, bob, ravi, duo):
    """Put in order, locked, taken away: each with its reason; and nothing of what they did themselves."""
    own = an_answer(thread, a_person("erin"))
    moderation.delete(own, own.author)
    questions.move_thread(thread, ravi, title="Why does it drip at night, and only then", product=duo, reason="Clearer")
    moderation.delete(answer, ravi, reason="An advertisement.")
    questions.lock_thread(thread, ravi, reason="All is said.")
    questions.lock_thread(thread, ravi, on=False, reason="The new firmware changes it.")
    questions.lock_thread(thread, ravi, on=False)
    while announce_due():
        pass
    said = {mail.subject: mail.body_text for mail in Delivery.objects.filter(user__in=[alice, bob])}
    title = "Why does it drip at night, and only then"
    for person, subject, reason in (
        (alice, f"Put in order: {title}", "Clearer"),
        (bob, f"Taken away: {title}", "An advertisement."),
        (alice, f"Locked: {title}", "All is said."),
        (alice, f"Unlocked: {title}", "The new firmware changes it."),
    ):
        assert Delivery.objects.filter(user=person, subject=subject).exists(), sorted(said)
        assert reason in said[subject]
    assert "can write there again" in said[f"Unlocked: {title}"]
    assert Notification.objects.filter(recipient=alice, verb__contains="unlocked").count() == 1
    assert not Notification.objects.filter(recipient=own.author, verb__contains="taken away").exists()
    client.force_login(bob)
    shown = client.get("/notifications/")
    assert f"Your post in “{title}” was taken away" in shown.content.decode()
    assert not any(
        notice.by for group in shown.context["groups"] for notice in group["notices"] if notice.kind == "moderation"
    )


def test_who_flagged_a_comment_hears_of_it_and_is_led_there(client, thread, bob, charlie, ravi):
    remark = comment(thread, bob, body="A remark about this very machine.")
    flag = moderation.flag(remark, charlie, reason="rude")
    moderation.decide_flag(flag, ravi, uphold=False)
    announce_due()
    assert not Announcement.objects.filter(done_at=None).exists()
    notice = Notification.objects.get(recipient=charlie)
    assert client.get(notice.data["url"]).url.endswith(f"#comment-{remark.pk}")


def test_who_gave_a_review_back_is_not_named(client, bob, ravi, duo):
    """As with whatever a moderator does: the reason counts, not who it was. A department that answers has a name."""
    review = a_review(bob, duo)
    reviews.refuse_review(review, ravi, code="off_topic", passage=review.body_source[:20])
    announce_due()
    client.force_login(bob)
    notices = [n for group in client.get("/notifications/").context["groups"] for n in group["notices"]]
    assert [(n.kind, n.by) for n in notices] == [("review", None)]


def test_whoever_has_a_case_hears_when_its_asker_writes(thread, alice, bob, dana, support):
    """Once for each word, at the case; a stranger's comment is not theirs, and a change that says what was asked is."""
    questions.ask_for_info(thread, dana, "Which series is it?")
    comment(thread, bob, body="I should like to know that, too.")
    assert told(dana) == []
    comment(thread, alice, body="It is the second series.")
    assert told(dana) == ["case_answered"]
    notice = Notification.objects.get(recipient=dana, kind="case_answered")
    assert notice.data["url"] == reverse("escalation:case", args=[thread.pk])
    assert "wrote in a case of yours" in notice.verb
    assert "second series" in Delivery.objects.get(user=dana, kind="notice").body_text
    with clock.travel(clock.now() + timedelta(hours=1)):
        thread.refresh_from_db()
        questions.ask_for_info(thread, dana, "And since when?")
        thread.refresh_from_db()
        questions.edit_thread(
            thread, alice, title=thread.title, body="It has dripped since Monday, morning and evening."
        )
        assert told(dana) == ["case_answered"] * 2
    with clock.travel(clock.now() + timedelta(hours=2)):
        thread.refresh_from_db()
        questions.ask_for_info(thread, dana, "And the serial number, please.")
        questions.give_private_details(Thread.objects.get(pk=thread.pk), alice, serial="DU-1180")
        assert told(dana) == ["case_answered"] * 3 and Escalation.objects.get().paused_since is None
    with clock.travel(clock.now() + timedelta(hours=3)):
        questions.solve_another_way(Thread.objects.get(pk=thread.pk), alice, "It was the seal.")
        comment(thread, alice, body="Thank you again.")
        assert told(dana) == ["case_answered"] * 3, "what is settled is nobody's"


def test_an_asker_hears_that_staff_took_it_for_settled(thread, alice, dana, support):
    """How it ended, without what staff noted for themselves; their word opens it again."""
    desk.resolve(thread, dana, "private", note="She was rude on the telephone.")
    assert told(alice) == ["thread_state"]
    mail = Delivery.objects.get(user=alice, kind="notice").body_text
    assert "settled with the customer directly" in mail and "open again at once" in mail and "rude" not in mail
    comment(thread, alice, body="It still drips.")
    assert Escalation.objects.get().is_open

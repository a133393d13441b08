"""What people can do with threads: it works, strangers are refused, twice is harmless, events are recorded."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from community.accounts.models import Membership
from community.core import clock
from community.core.errors import Conflict, NotAllowed
from community.core.models import Numbers
from community.events.log import replay
from community.events.models import Event
from community.moderation import services as moderation
from community.posts.models import Follow, Revision
from community.posts.services import comment
from community.questions import services
from community.questions.models import Answer, AnswerVote, FollowUp, State, Thread
from products.models import Ownership
from tests.factories import a_department, a_person, a_tag, a_thread, an_answer

pytestmark = pytest.mark.django_db
TEXT = "It has dripped since Monday, and I can't see why."


def kinds(about):
    return list(Event.objects.about(about).in_order().values_list("kind", flat=True))


class TestAsking:
    def test_a_question_is_published_followed_and_kept_as_version_one(self, alice, duo):
        a_tag("steam-wand")
        thread = services.post_thread(
            alice, kind="problem", title="Steam wand drips after I close it", body=TEXT, product=duo,
            tags=["steam wand"], private={"serial": " DU2-1 ", "order_number": ""},
        )  # fmt: skip
        assert (thread.state, thread.visibility) == (State.NO_REPLY, "visible")
        assert [tag.slug for tag in thread.tags.all()] == ["steam-wand"]
        assert thread.private_details.serial == "DU2-1"
        assert Revision.objects.get(target_id=thread.pk, target_type__model="thread").number == 1
        assert Follow.objects.filter(user=alice, target_id=thread.pk).exists()
        assert kinds(thread) == ["thread.posted"]
        duo.refresh_from_db()
        assert duo.thread_count == 1

    @pytest.mark.parametrize(
        ("field", "changed"),
        [
            ("title", {"title": "Too short"}),
            ("title", {"title": "x" * 151}),
            ("body", {"body": "too short"}),
            ("kind", {"kind": "poem"}),
        ],
    )
    def test_what_is_wrong_is_said_at_the_field_and_nothing_is_written(self, alice, field, changed):
        told = {"kind": "question", "title": "Why does the wand drip at night", "body": TEXT, **changed}
        with pytest.raises(ValidationError) as refused:
            services.post_thread(alice, **told)
        assert field in refused.value.message_dict
        assert not Thread.objects.exists()

    def test_a_title_may_have_exactly_15_and_150_characters(self, alice):
        for length in (15, 150):
            assert services.post_thread(alice, kind="question", title="x" * length, body=TEXT).pk

    def test_private_details_never_stand_in_the_event(self, alice):
        thread = a_thread(alice, private={"serial": "SECRET-1"})
        assert "SECRET-1" not in str(list(Event.objects.values_list("data", flat=True)))
        assert "SECRET-1" not in thread.body_html

    def test_new_tags_take_points(self, alice):
        with pytest.raises(ValidationError) as refused:
            a_thread(alice, tags=["brand-new"])
        assert "750" in refused.value.message_dict["tags"][0]

    def test_a_silenced_person_is_told_until_when(self, alice):
        alice.silenced_until = clock.now() + timedelta(hours=1)
        with pytest.raises(NotAllowed, match="until"):
            a_thread(alice)

    def test_newcomers_use_two_links(self, db):
        newcomer = a_person(trust=0)
        body = "Look at https://a.example/1 and https://b.example/2 please, both."
        assert a_thread(newcomer, body=body).pk
        with pytest.raises(ValidationError) as refused:
            a_thread(newcomer, body=body + " And https://c.example/3")
        assert "link" in refused.value.message_dict["body"][0]

    def test_newcomers_ask_three_times_on_their_first_day(self, db):
        newcomer = a_person(trust=0)
        for _ in range(3):
            a_thread(newcomer)
        with pytest.raises(ValidationError):
            a_thread(newcomer)
        with clock.travel(clock.now() + timedelta(days=2)):
            assert a_thread(newcomer).pk

    def test_a_newcomers_first_post_waits_when_the_manager_wants_it(self, ravi, duo):
        numbers = Numbers.load()
        numbers.review_first_posts = True
        numbers.save()
        thread = a_thread(a_person(trust=0), product=duo)
        assert thread.visibility == "pending"
        assert kinds(thread) == []
        assert not Thread.objects.visible().exists()
        moderation.approve(thread, ravi)
        moderation.approve(thread, ravi)
        assert kinds(thread) == ["thread.posted", "moderation.approved"]
        assert Thread.objects.visible().get() == thread


class TestAnswering:
    def test_a_reply_is_by_somebody_else(self, thread, alice, bob):
        an_answer(thread, alice)
        assert (thread.state, thread.first_reply_at) == (State.NO_REPLY, None)
        answer = an_answer(thread, bob)
        assert thread.state == State.REPLIED
        assert thread.first_reply_at == answer.created_at
        assert thread.answer_count == 2

    def test_one_answer_per_person_unless_the_brand_wants_more(self, thread, bob):
        an_answer(thread, bob)
        with pytest.raises(Conflict, match="edit your answer"):
            an_answer(thread, bob)
        numbers = Numbers.load()
        numbers.one_answer_per_person = False
        numbers.save()
        assert an_answer(thread, bob).pk

    def test_locked_and_closed_threads_take_no_answers(self, thread, bob, ravi):
        services.lock_thread(thread, ravi, reason="Going in circles")
        with pytest.raises(Conflict, match="locked"):
            an_answer(thread, bob)
        services.lock_thread(thread, ravi, on=False)
        services.close_thread(thread, ravi, "Not about coffee")
        with pytest.raises(Conflict, match="closed"):
            an_answer(thread, bob)

    def test_what_was_hidden_while_it_waited_is_published_when_restored(self, thread, ravi):
        numbers = Numbers.load()
        numbers.review_first_posts = True
        numbers.save()
        answer = an_answer(thread, a_person(trust=0))
        moderation.hide(answer, ravi, reason="Let me think")
        assert kinds(answer) == ["answer.hidden"]
        moderation.restore(answer, ravi)
        assert kinds(answer) == ["answer.hidden", "answer.posted"]
        thread.refresh_from_db()
        assert thread.state == State.REPLIED

    def test_hidden_answers_do_not_count_and_come_back(self, thread, bob, ravi):
        answer = an_answer(thread, bob)
        moderation.hide(answer, ravi, reason="Rude")
        thread.refresh_from_db()
        assert (thread.answer_count, thread.first_reply_at, thread.state) == (0, None, State.NO_REPLY)
        moderation.restore(answer, ravi)
        thread.refresh_from_db()
        assert (thread.answer_count, thread.state) == (1, State.REPLIED)

    def test_an_answer_is_visible_only_where_its_thread_is(self, answer, thread, bob, ravi):
        moderation.hide(thread, ravi, reason="Personal data")
        assert not Answer.objects.visible().exists()
        assert not Answer.objects.visible_to(bob).exists()
        assert Answer.objects.visible_to(ravi).exists()

    def test_mentions_are_known_and_limited(self, thread, bob, charlie):
        answer = an_answer(thread, bob, body="As @charlie and @alice said: open it, and close it again.")
        event = Event.objects.get(kind="answer.posted")
        assert sorted(event.data["mentions"]) == sorted([charlie.pk, thread.author_id])
        assert f'href="/people/{charlie.username}/"' in answer.body_html
        people = [a_person() for _ in range(11)]
        with pytest.raises(ValidationError) as refused:
            an_answer(thread, charlie, body="Hello there " + " ".join(f"@{person.username}" for person in people))
        assert "10" in refused.value.message_dict["body"][0]


class TestVoting:
    def test_vote_change_and_undo_keep_score_and_rows_alike(self, answer, charlie):
        assert services.vote_answer(answer, charlie, 1) == 1
        assert services.vote_answer(answer, charlie, 1) == 1
        assert services.vote_answer(answer, charlie, -1) == -1
        assert services.vote_answer(answer, charlie, 0) == 0
        assert not AnswerVote.objects.exists()
        data = [event.data for event in Event.objects.filter(kind="answer.voted").in_order()]
        assert [(d["value"], d["previous"]) for d in data] == [(1, 0), (-1, 1), (0, -1)]

    def test_not_on_ones_own(self, answer, bob):
        with pytest.raises(NotAllowed, match="yourself"):
            services.vote_answer(answer, bob, 1)

    def test_newcomers_vote_up_not_down(self, answer):
        newcomer = a_person(trust=0)
        assert services.vote_answer(answer, newcomer, 1) == 1
        with pytest.raises(NotAllowed):
            services.vote_answer(answer, newcomer, -1)

    def test_no_votes_on_hidden_locked_or_duplicate(self, thread, answer, charlie, ravi):
        other = a_thread(product=thread.product)
        services.mark_duplicate(thread, ravi, other)
        answer.refresh_from_db()
        with pytest.raises(NotAllowed, match="original"):
            services.vote_answer(answer, charlie, 1)
        with pytest.raises(NotAllowed):
            services.vote_thread(thread, charlie, 1)

    def test_rows_of_a_source_count_once(self, thread):
        rows = [(str(number), clock.now()) for number in range(3)]
        with replay("import"):
            assert services.add_vote_rows(thread, value=1, rows=rows, source="coffee") == 3
            assert services.add_vote_rows(thread, value=1, rows=rows, source="coffee") == 0
            assert services.withdraw_vote_rows(thread, source="coffee", gone=["1"]) == 1
        thread.refresh_from_db()
        assert thread.score == 2 == thread.votes.count()

    def test_the_database_refuses_a_second_vote_and_a_vote_of_nobody(self, answer, charlie):
        AnswerVote.objects.create(target=answer, voter=charlie, value=1)
        for wrong in ({"voter": charlie, "value": -1}, {"value": 1}, {"voter": charlie, "source": "x", "value": 1}):
            with pytest.raises(IntegrityError), transaction.atomic():
                AnswerVote.objects.create(target=answer, **wrong)


class TestSettling:
    def test_the_asker_accepts_and_the_thread_is_solved(self, thread, answer, alice):
        services.accept_answer(answer, alice)
        services.accept_answer(answer, alice)
        thread.refresh_from_db()
        assert (thread.state, thread.leading_solution) == (State.SOLVED, answer)
        assert kinds(answer).count("answer.accepted") == 1
        assert kinds(thread).count("thread.solved") == 1

    def test_a_stranger_cannot_accept(self, answer, charlie):
        with pytest.raises(NotAllowed, match="person who asked"):
            services.accept_answer(answer, charlie)

    def test_staff_accept_after_seven_days_of_silence(self, thread, answer, dana):
        with pytest.raises(NotAllowed, match="7 days"):
            services.accept_answer(answer, dana)
        with clock.travel(thread.created_at + timedelta(days=7, minutes=1)):
            services.accept_answer(answer, dana)
        assert Event.objects.get(kind="answer.accepted").data["accepted_by"] == "staff"

    def test_several_accepted_one_leads(self, thread, answer, alice, charlie):
        second = an_answer(thread, charlie)
        services.accept_answer(answer, alice)
        services.accept_answer(second, alice)
        thread.refresh_from_db()
        assert thread.leading_solution == answer
        services.accept_answer(second, alice, leading=True)
        thread.refresh_from_db()
        assert thread.leading_solution == second
        services.withdraw_acceptance(second, alice)
        thread.refresh_from_db()
        assert (thread.leading_solution, thread.state) == (answer, State.SOLVED)

    def test_hiding_the_solution_opens_the_thread(self, thread, answer, alice, ravi):
        services.accept_answer(answer, alice)
        moderation.hide(answer, ravi, reason="Dangerous")
        thread.refresh_from_db()
        assert (thread.state, thread.leading_solution, thread.solved_at) == (State.NO_REPLY, None, None)

    def test_an_idea_has_no_solution(self, alice, bob):
        idea = a_thread(alice, kind="idea")
        with pytest.raises(NotAllowed):
            services.accept_answer(an_answer(idea, bob), alice)

    def test_solved_another_way_needs_a_line(self, thread, alice):
        with pytest.raises(ValidationError):
            services.solve_another_way(thread, alice, " ")
        services.solve_another_way(thread, alice, "The shop changed the seal")
        assert thread.state == State.SOLVED_ANOTHER_WAY
        with pytest.raises(Conflict):
            services.solve_another_way(thread, alice, "Again")

    def test_reopening_outlives_the_old_acceptance(self, thread, answer, alice):
        services.accept_answer(answer, alice)
        services.reopen_thread(thread, alice, "Drips again")
        assert thread.state == State.REOPENED
        an_answer(thread, a_person())
        assert thread.state == State.REOPENED
        services.accept_answer(Answer.objects.get(pk=answer.pk), alice)
        thread.refresh_from_db()
        assert thread.state == State.SOLVED

    def test_the_fix_did_not_hold(self, thread, answer, alice):
        services.accept_answer(answer, alice)
        with pytest.raises(Conflict, match="three days"):
            services.answer_follow_up(answer, alice, "no")
        with clock.travel(clock.now() + timedelta(days=3, minutes=1)):
            services.answer_follow_up(answer, alice, "no")
            services.answer_follow_up(answer, alice, "yes")
        thread.refresh_from_db()
        assert thread.state == State.REOPENED
        assert Event.objects.filter(kind="thread.reopened").get().data["one_level_up"] is True
        assert answer.follow_up.outcome == "no"

    def test_no_about_an_old_fix_leaves_the_new_one_alone(self, thread, answer, alice):
        services.accept_answer(answer, alice)
        with clock.travel(clock.now() + timedelta(days=4)):
            services.reopen_thread(thread, alice, "Drips again")
        with clock.travel(clock.now() + timedelta(days=5)):
            services.accept_answer(an_answer(thread, a_person()), alice)
        with clock.travel(clock.now() + timedelta(days=8)), pytest.raises(Conflict, match="before"):
            services.answer_follow_up(Answer.objects.get(pk=answer.pk), alice, "no")
        thread.refresh_from_db()
        assert thread.state == State.SOLVED
        assert not FollowUp.objects.exists()

    def test_no_about_a_solution_that_does_not_lead_puts_it_in_doubt(self, thread, answer, alice):
        services.accept_answer(answer, alice)
        leading = an_answer(thread, a_person())
        services.accept_answer(leading, alice, leading=True)
        with clock.travel(clock.now() + timedelta(days=4)):
            services.answer_follow_up(Answer.objects.get(pk=answer.pk), alice, "no", "Drips again")
        thread.refresh_from_db()
        answer.refresh_from_db()
        assert thread.leading_solution == leading and thread.solved_at and thread.recheck_at
        assert answer.no_longer_works_at and "thread.reopened" not in kinds(thread)


class TestOfficial:
    def test_an_agent_speaks_for_a_department(self, thread, answer, dana, support, charlie):
        with pytest.raises(NotAllowed):
            services.make_official(answer, charlie, support)
        services.make_official(answer, dana, support, sources=["Manual 6.2"])
        services.make_official(answer, dana, support)
        thread.refresh_from_db()
        assert thread.official_at is not None
        assert kinds(answer).count("answer.made_official") == 1
        assert not thread.solved_at, "official is not accepted"

    def test_an_edit_by_a_member_opens_a_recheck(self, thread, answer, bob, dana, support):
        services.make_official(answer, dana, support)
        services.edit_answer(answer, bob, body="Something else altogether, and quite wrong too.")
        answer.refresh_from_db()
        thread.refresh_from_db()
        assert answer.official_is_stale
        assert thread.recheck_at is not None

    def test_withdrawing_takes_a_reason(self, thread, answer, dana, support):
        services.make_official(answer, dana, support)
        with pytest.raises(ValidationError):
            services.withdraw_official(answer, dana, "")
        services.withdraw_official(answer, dana, "The part number was wrong")
        thread.refresh_from_db()
        assert thread.official_at is None

    def test_a_department_with_official_answers_cannot_be_deleted(self, answer, dana, support):
        services.make_official(answer, dana, support)
        with pytest.raises(IntegrityError), transaction.atomic():
            support.delete()


class TestStates:
    def test_asking_for_info_clears_on_the_askers_word(self, thread, alice, dana, charlie):
        with pytest.raises(NotAllowed):
            services.ask_for_info(thread, charlie, "Which series?")
        services.ask_for_info(thread, dana, "Which series?")
        assert thread.state == State.NEEDS_INFO
        comment(thread, charlie, body="I would like to know too.")
        thread.refresh_from_db()
        assert thread.state == State.NEEDS_INFO
        comment(thread, alice, body="The second.")
        thread.refresh_from_db()
        assert thread.state == State.NO_REPLY
        assert thread.needs_attention
        assert list(Thread.objects.needs_attention()) == [thread]
        assert "thread.info_given" in kinds(thread)

    def test_a_duplicate_points_to_the_first_original(self, thread, ravi):
        second, third = a_thread(), a_thread()
        services.mark_duplicate(second, ravi, thread)
        services.mark_duplicate(third, ravi, second)
        assert third.duplicate_of_id == thread.pk
        with pytest.raises(ValidationError):
            services.mark_duplicate(thread, ravi, third)

    def test_what_pointed_to_a_duplicate_points_to_its_original(self, thread, ravi):
        second, third = a_thread(), a_thread()
        services.mark_duplicate(third, ravi, second)
        services.mark_duplicate(second, ravi, thread)
        third.refresh_from_db()
        assert third.duplicate_of_id == thread.pk

    def test_a_silenced_asker_reopens_nothing(self, thread, answer, alice):
        services.accept_answer(answer, alice)
        alice.silenced_until = clock.now() + timedelta(hours=1)
        with pytest.raises(NotAllowed):
            services.reopen_thread(thread, alice, "And another thing")

    def test_praise_cannot_be_put_on_hold(self, alice, dana):
        with pytest.raises(Conflict, match="praise"):
            services.ask_for_info(a_thread(alice, kind="praise"), dana, "Which series?")

    def test_idea_statuses_come_with_a_reason(self, alice, dana):
        idea = a_thread(alice, kind="idea")
        with pytest.raises(ValidationError):
            services.set_idea_status(idea, dana, "declined", "")
        services.set_idea_status(idea, dana, "declined", "The frame is too thin for it")
        assert idea.idea_status == "declined"


class TestEditing:
    def test_every_version_is_kept_and_nothing_changed_is_nothing(self, thread, alice):
        services.edit_thread(thread, alice, title=thread.title, body=TEXT + " More.", product=thread.product)
        services.edit_thread(thread, alice, title=thread.title, body=TEXT + " More.", product=thread.product)
        numbers = Revision.objects.filter(target_id=thread.pk, target_type__model="thread")
        assert [revision.number for revision in numbers] == [1, 2]

    def test_the_second_of_two_editors_is_told(self, thread, alice):
        services.edit_thread(thread, alice, title=thread.title, body=TEXT + " One.", seen_revision=1)
        with pytest.raises(Conflict, match="kept"):
            services.edit_thread(thread, alice, title=thread.title, body=TEXT + " Two.", seen_revision=1)

    def test_others_edit_from_1000_points_staff_never(self, thread, bob, dana):
        with pytest.raises(NotAllowed, match="1000"):
            services.edit_thread(thread, bob, title=thread.title, body=TEXT + " Better.")
        bob.reputation = 1000
        services.edit_thread(thread, bob, title=thread.title, body=TEXT + " Better.")
        dana.reputation = 5000
        with pytest.raises(NotAllowed, match="Staff never"):
            services.edit_thread(thread, dana, title=thread.title, body=TEXT + " Nicer.")


class TestPrivateDetails:
    def test_staff_looks_are_kept_strangers_are_refused(self, alice, bob, dana):
        thread = a_thread(alice, private={"serial": "DU2-1"})
        with pytest.raises(NotAllowed):
            services.view_private_details(thread, bob)
        assert services.view_private_details(thread, alice).serial == "DU2-1"
        assert not thread.private_views.exists()
        services.view_private_details(thread, dana)
        assert thread.private_views.get().viewer == dana


def test_deleting_is_for_the_author_and_moderators(thread, charlie, alice):
    with pytest.raises(NotAllowed):
        moderation.delete(thread, charlie)
    moderation.delete(thread, alice)
    moderation.delete(thread, alice)
    assert thread.is_gone
    assert kinds(thread).count("thread.deleted") == 1


def test_an_asker_cannot_take_away_what_others_built_on(thread, answer, alice, ravi):
    services.accept_answer(answer, alice)
    with pytest.raises(Conflict, match="stays"):
        moderation.delete(thread, alice)
    assert thread.is_visible
    moderation.delete(thread, ravi, reason="Personal data")
    assert thread.is_gone


class TestForWhom:
    """An agent speaks for departments they belong to; community managers for any (docs/decisions/0095)."""

    def test_an_agent_does_not_name_another_department(self, thread, answer, dana, support):
        design = a_department("design", name="Design")
        with pytest.raises(NotAllowed, match="people of Design"):
            services.make_official(answer, dana, design)
        with pytest.raises(NotAllowed, match="people of Design"):
            an_answer(thread, dana, official_for=design)
        assert not Answer.objects.filter(official_for__isnull=False).exists()
        Membership.objects.create(department=design, user=dana)
        services.make_official(answer, dana, design)
        assert answer.official_for_id == design.pk

    def test_nor_takes_its_name_back(self, answer, dana, hanna):
        services.make_official(answer, hanna, a_department("design", name="Design"))
        with pytest.raises(NotAllowed, match="people of Design"):
            services.withdraw_official(answer, dana, "I know better")

    def test_a_community_manager_names_any(self, answer, hanna):
        services.make_official(answer, hanna, a_department("design"))
        assert answer.official_for.slug == "design"

    def test_an_archived_department_is_named_by_nobody(self, answer, hanna):
        gone = a_department("gone", archived_at=clock.now())
        with pytest.raises(NotAllowed):
            services.make_official(answer, hanna, gone)


class TestOthersRights:
    """What one service refuses, no other one lets through."""

    def test_a_follow_up_does_not_open_what_staff_closed(self, thread, answer, alice, hanna):
        services.accept_answer(answer, alice)
        services.close_thread(thread, hanna, "It went off the rails")
        with clock.travel(clock.now() + timedelta(days=4)):
            services.answer_follow_up(answer, alice, "no")
        thread.refresh_from_db()
        assert thread.closed_at and thread.solved_at
        assert "thread.reopened" not in kinds(thread)

    def test_nobody_says_that_their_own_answer_works(self, answer, bob, charlie):
        with pytest.raises(NotAllowed):
            services.say_works_for_mine(answer, bob, True)
        with pytest.raises(NotAllowed, match="shelf first"):
            services.say_works_for_mine(answer, charlie, True)
        Ownership.objects.create(owner=charlie, product=answer.thread.product)
        services.say_works_for_mine(answer, charlie, True)
        answer.refresh_from_db()
        assert answer.works_yes == 1

    def test_nothing_is_said_of_answers_in_a_hidden_thread(self, thread, answer, charlie, ravi):
        moderation.hide(thread, ravi, reason="Personal data")
        Ownership.objects.create(owner=charlie, product=thread.product)
        with pytest.raises(Conflict):
            services.say_works_for_mine(answer, charlie, True)

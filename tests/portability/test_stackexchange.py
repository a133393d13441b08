"""Importing a Stack Exchange dump: what comes, from whom, and what a newer one changes."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core import mail
from django.core.management import CommandError
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext

from community.accounts.models import Department, User
from community.accounts.services import join
from community.core.errors import Conflict
from community.core.models import Delivery
from community.escalation.models import Escalation
from community.events.models import Event
from community.moderation import services as moderation
from community.portability.models import SourceState
from community.portability.stackexchange import importing, threads
from community.posts.models import Comment, Follow, Revision, Tag
from community.questions import services as questions
from community.questions.models import Answer, Thread
from products.models import Product

from . import dumps
from .conftest import newest_rows, run
from .dumps import SITE, a_comment, a_history, a_link, a_question, a_user, a_vote, an_answer

Bring = Callable[..., str]
pytestmark = pytest.mark.django_db


def thread(key: int) -> Thread:
    return Thread._base_manager.get(source=SITE, external_id=str(key))


def answer(key: int) -> Answer:
    return Answer._base_manager.get(source=SITE, external_id=str(key))


def person(key: object) -> User:
    return User.objects.get(source=SITE, external_id=str(key))


def without(rows: list[dict[str, Any]], key: int) -> list[dict[str, Any]]:
    return [row for row in rows if row["Id"] != key]


def changed(rows: list[dict[str, Any]], key: int, **values: Any) -> list[dict[str, Any]]:
    return [{**row, **values} if row["Id"] == key else row for row in rows]


class TestWhatComes:
    @pytest.mark.parametrize("gzipped", [False, True])
    @pytest.mark.parametrize("new_format", [False, True])
    def test_questions_and_answers_with_date_author_source_and_licence(
        self, bring: Bring, gzipped: bool, new_format: bool
    ) -> None:
        bring(dumps.small(), gzipped=gzipped, new_format=new_format)
        first = thread(10)
        assert first.title == "Why does number 10 drip?"
        assert first.created_at == datetime(2020, 5, 2, 10, tzinfo=UTC)
        assert first.author.name == "Ann"
        assert first.product.slug == "duo"
        assert first.source_url == f"https://{SITE}/q/10"
        assert first.licence == "CC BY-SA 4.0"
        assert first.view_count == 10
        assert "drip" in first.body_html
        assert sorted(first.tags.values_list("slug", flat=True)) == ["cold-brew", "espresso"]
        assert answer(12).source_url == f"https://{SITE}/a/12"
        assert answer(12).author.source_url == f"https://{SITE}/users/2"
        assert {row.external_id for row in first.answers.all()} == {"12", "13"}
        assert first.answer_count == 2

    def test_both_tag_formats(self, bring: Bring) -> None:
        bring(dumps.small())
        assert list(thread(11).tags.values_list("slug", flat=True)) == ["espresso"]

    @pytest.mark.parametrize(
        ("written", "licence"),
        [
            ("2011-04-07", "CC BY-SA 2.5"),
            ("2011-04-08", "CC BY-SA 3.0"),
            ("2018-05-01", "CC BY-SA 3.0"),
            ("2018-05-02", "CC BY-SA 4.0"),
        ],
    )  # fmt: skip
    def test_the_licence_follows_the_day_where_no_row_says_it(self, bring: Bring, written: str, licence: str) -> None:
        day = f"{written}T10:00:00.000"
        bring({"Users": [a_user(1)], "Posts": [a_question(10, CreationDate=day)]})
        assert thread(10).licence == licence

    def test_an_accepted_answer_solves_on_the_day_of_its_vote(self, bring: Bring) -> None:
        bring(dumps.small())
        assert answer(12).accepted_at == datetime(2020, 5, 4, tzinfo=UTC)
        assert answer(12).accepted_by == thread(10).author
        assert thread(10).state == "solved"
        assert thread(10).leading_solution == answer(12)

    def test_votes_are_dated_rows_without_voter_and_come_to_the_score(self, bring: Bring) -> None:
        bring(dumps.small())
        assert [thread(10).score, answer(12).score, answer(13).score, thread(11).score] == [2, 1, -1, 0]
        assert thread(10).votes.aggregate(sum=Sum("value"))["sum"] == 2
        row = thread(10).votes.get(external_id="1")
        assert (row.voter, row.source, row.created_at) == (None, SITE, datetime(2020, 5, 4, tzinfo=UTC))

    def test_votes_count_for_reputation(self, bring: Bring) -> None:
        bring(dumps.small())
        # Ann: 1 + two votes on her question, one against her answer, and she accepted.
        assert person(1).reputation == 1 + 2 * 10 - 2 + 2
        assert person(2).reputation == 1 + 10 + 15

    def test_a_score_that_no_row_explains_is_kept_all_the_same(self, bring: Bring) -> None:
        told = bring({"Users": [a_user(1)], "Posts": [a_question(10, Score=3)], "Votes": [a_vote(1, 10, 3)]})
        assert thread(10).score == 3
        assert "4 votes that a score counts and no row tells" in told
        bring({"Users": [a_user(1)], "Posts": [a_question(10, Score=1)], "Votes": [a_vote(1, 10, 3), a_vote(2, 10)]})
        assert thread(10).score == 1
        assert thread(10).votes.aggregate(sum=Sum("value"))["sum"] == 1

    def test_comments_keep_their_authors_and_dates(self, bring: Bring) -> None:
        bring(dumps.small())
        first = Comment.objects.get(source=SITE, external_id="1")
        assert (first.target, first.author.name, first.body_text) == (thread(10), "Bo", "Thank you, 1")
        assert first.created_at == datetime(2020, 5, 5, 1, tzinfo=UTC)
        assert first.source_url == f"https://{SITE}/posts/comments/1"
        assert Comment.objects.filter(source=SITE).count() == 2

    def test_a_longer_comment_than_people_may_write(self, bring: Bring) -> None:
        bring({"Users": [a_user(1)], "Posts": [a_question(10)], "Comments": [a_comment(1, 10, Text="long " * 200)]})
        assert len(Comment.objects.get().body_text) > 900

    def test_history_becomes_numbered_versions(self, bring: Bring) -> None:
        bring(dumps.small())
        rows = list(Revision.objects.filter(target_type__model="thread", target_id=thread(10).pk))
        assert [(row.number, row.title, row.body_source, row.tags) for row in rows] == [
            (1, "Why drip?", "Why, **why**", "espresso"),
            (2, "Why drip?", "Why, why, why", "espresso"),
            (3, "Why does number 10 drip?", "Why, why, why", "espresso"),
        ]
        assert [row.editor.name for row in rows] == ["Ann", "Bo", f"Community ({SITE})"]
        assert rows[1].summary == "one more why"
        assert rows[1].created_at == datetime(2020, 5, 2, 14, tzinfo=UTC)

    def test_without_history_there_is_one_version(self, bring: Bring) -> None:
        files = dumps.small()
        del files["PostHistory"]
        bring(files)
        assert Revision.objects.filter(target_type__model="thread", target_id=thread(10).pk).count() == 1

    def test_a_duplicate_is_linked_and_a_closed_question_says_why(self, bring: Bring) -> None:
        bring(dumps.small())
        assert thread(11).duplicate_of == thread(10)
        assert thread(11).closed_reason == f"Closed on {SITE}: asked before."
        assert thread(11).state == "duplicate"
        assert thread(10).duplicate_of is None

    def test_favourites_follow_when_their_people_are_here(self, bring: Bring) -> None:
        bring(dumps.small())
        followers = set(Follow.objects.filter(target_id=thread(10).pk).values_list("user__name", flat=True))
        assert followers == {"Ann", "Bo"}

    def test_what_a_tag_is_for_comes_with_its_source(self, bring: Bring) -> None:
        bring(dumps.small())
        assert Tag.objects.get(slug="espresso").about == f"All about espresso. ({SITE}, CC BY-SA 4.0)"

    def test_what_was_left_out_is_told(self, bring: Bring) -> None:
        told = bring(dumps.small())
        for line in (
            "1 votes name a post that is not in the dump",
            "1 comments name a post that is not in the dump",
            "1 links name a post that is not in the dump",
            "1 comments are on posts that were left out",
            "1 posts are neither question nor answer",
            "1 votes are of kinds that mean nothing here",
            "1 badges of that site were left out",
        ):
            assert line in told, line

    def test_an_answer_whose_question_is_gone_is_left_out_and_told(self, bring: Bring) -> None:
        told = bring({"Users": [a_user(1)], "Posts": [a_question(10), an_answer(12, 999, owner=1)]})
        assert "1 answers without their question" in told
        assert not Answer.objects.exists()

    def test_links_of_the_site_lead_there_and_foreign_pictures_are_links(self, bring: Bring) -> None:
        body = '<p><a href="/help">help</a> <img src="https://i.imgur.com/a.png" alt="cup"> <script>x</script></p>'
        bring({"Users": [a_user(1)], "Posts": [a_question(10, Body=body)]})
        assert f'href="https://{SITE}/help"' in thread(10).body_html
        assert "<img" not in thread(10).body_html
        assert "https://i.imgur.com/a.png" in thread(10).body_html
        assert "script" not in thread(10).body_html

    def test_formulas_and_code_survive(self, bring: Bring) -> None:
        bring(
            {
                "Users": [a_user(1)],
                "Posts": [a_question(10, Body="<p>$\\sqrt{2}$</p><pre><code>$x &lt; 1</code></pre>")],
            }
        )
        assert "<msqrt>" in thread(10).body_html
        assert "\\sqrt{2}" in thread(10).body_text
        assert "$x &lt; 1" in thread(10).body_html

    def test_nobody_is_told_and_no_case_is_opened(self, bring: Bring) -> None:
        bring(dumps.small())
        assert not Delivery.objects.exists()
        assert mail.outbox == []
        assert not Escalation.objects.exists()
        assert set(
            Event.objects.filter(subject_type__app_label__in=["questions", "posts"]).values_list("origin", flat=True)
        ) == {"import"}

    def test_badges_earned_by_an_import_are_no_news_either(self, bring: Bring) -> None:
        bring(dumps.small())
        assert not Event.objects.filter(kind__startswith="badge.", origin="live").exists()

    def test_the_thread_is_as_active_as_its_last_word(self, bring: Bring) -> None:
        bring(dumps.small())
        assert thread(10).active_at == datetime(2020, 5, 5, 2, tzinfo=UTC)

    def test_the_product_counts_them(self, bring: Bring, duo: Product) -> None:
        bring(dumps.small())
        duo.refresh_from_db()
        assert (duo.thread_count, duo.solved_count) == (2, 1)


class TestPeople:
    def test_only_who_wrote_something_comes_and_little_of_them(self, bring: Bring) -> None:
        files = dumps.small()
        files["Users"][1] |= {
            "AboutMe": "Write to ann@example.net", "Location": "Ghent", "WebsiteUrl": "https://ann.example",
        }  # fmt: skip
        told = bring(files)
        assert {row.name for row in User.objects.filter(source=SITE)} == {"Ann", "Bo", f"Community ({SITE})"}
        ann = person(1)
        assert (ann.email, ann.city, ann.profile.about, ann.avatar.name) == (None, "", "", "")
        assert ann.date_joined == datetime(2020, 5, 1, 8, tzinfo=UTC)
        assert "1 people wrote nothing" in told

    def test_nobody_can_sign_in_as_them(self, bring: Bring) -> None:
        bring(dumps.small())
        ann = person(1)
        assert not ann.has_usable_password()
        assert ann.claimed_at is None
        for password in ("", "!", ann.password):
            assert authenticate(username=ann.username, password=password) is None

    def test_namesakes_get_names_of_their_own(self, bring: Bring) -> None:
        join("ann", "Ann from here")
        users = [a_user(key, "Spammer McSpamface") for key in range(1, 10)]
        users += [a_user(20, "Ann"), a_user(21, "Änn"), a_user(22, "井上"), a_user(23, "admin"), a_user(24, "x")]
        users += [a_user(25, "A name that is longer than any user name may be, by far")]
        posts = [a_question(100 + row["Id"], owner=row["Id"]) for row in users]
        bring({"Users": users, "Posts": posts})
        names = list(User.objects.filter(source=SITE).values_list("username", flat=True))
        assert len(names) == len(set(names)) == 15
        assert all(re.fullmatch(r"[a-z0-9][a-z0-9-]{1,18}[a-z0-9]", name) for name in names), names
        assert person(22).name == "井上"
        assert "admin" not in names
        assert "ann" not in names

    def test_posts_of_deleted_accounts_keep_the_name_that_was_left(self, bring: Bring) -> None:
        bring({
            "Users": [a_user(1)],
            "Posts": [
                a_question(10, owner=None, OwnerDisplayName="Gone Gwen"),
                an_answer(12, 10, owner=None, OwnerDisplayName="Gone Gwen"),
                an_answer(13, 10, owner=None),
                an_answer(14, 10, owner=77),
            ],
            "Comments": [a_comment(1, 10, None, UserDisplayName="user99")],
        })  # fmt: skip
        assert thread(10).author == answer(12).author
        assert (thread(10).author.name, thread(10).author.source_url) == ("Gone Gwen", "")
        assert answer(13).author == answer(14).author
        assert answer(13).author.name == f"Former member of {SITE}"
        assert Comment.objects.get().author.name == "user99"

    def test_an_at_sign_calls_their_people_not_ours(self, bring: Bring) -> None:
        join("carl", "Our Carl")
        bring({
            "Users": [a_user(1, "Ann"), a_user(2, "Bo Bis")],
            "Posts": [a_question(10), an_answer(12, 10, Body="<p>@carl and @ann</p>")],
            "Comments": [a_comment(1, 10, 2, Text="@carl or @ann?")],
        })  # fmt: skip
        html = Comment.objects.get().body_html
        assert "/people/ann/" in html
        assert "carl/" not in html

    def test_a_new_name_over_there_is_followed_until_the_account_is_claimed(self, bring: Bring) -> None:
        files = dumps.small()
        bring(files)
        files["Users"] = changed(files["Users"], 1, DisplayName="Anna")
        assert "0 added, 1 changed, 0 withdrawn" in bring(files)
        assert (person(1).name, person(1).username) == ("Anna", "ann")
        User.objects.filter(pk=person(1).pk).update(claimed_at=datetime(2021, 1, 1, tzinfo=UTC), name="Anna here")
        files["Users"] = changed(files["Users"], 1, DisplayName="Other")
        assert "0 added, 0 changed, 0 withdrawn" in bring(files)
        assert person(1).name == "Anna here"


class TestAgain:
    def test_the_same_dump_writes_nothing(self, bring: Bring) -> None:
        bring(dumps.small())
        before = newest_rows()
        with CaptureQueriesContext(connection) as queries:
            told = bring(dumps.small())
        assert "0 added, 0 changed, 0 withdrawn." in told
        assert newest_rows() == before
        writes = [query["sql"] for query in queries if re.match(r"\s*(INSERT|UPDATE|DELETE)", query["sql"], re.I)]
        assert writes == []

    def test_new_posts_comments_votes_and_versions_are_added(self, bring: Bring) -> None:
        files = dumps.small()
        bring(files)
        files["Posts"] += [an_answer(14, 11, owner=1), a_question(15)]
        files["Posts"] = changed(files["Posts"], 10, Score=3)
        files["Votes"] += [a_vote(20, 10)]
        files["Comments"] += [a_comment(9, 12, 2)]
        told = bring(files)
        # Two posts, a vote, a comment.
        assert "4 added, 0 changed, 0 withdrawn" in told
        assert thread(10).score == 3
        assert answer(14).thread == thread(11)
        assert thread(11).answer_count == 1
        assert Comment.objects.get(external_id="9").target == answer(12)
        assert thread(15).title == "Why does number 15 drip?"

    def test_an_edit_over_there_is_an_edit_here(self, bring: Bring) -> None:
        files = dumps.small()
        bring(files)
        files["Posts"] = changed(
            files["Posts"], 10, Title="Why does it drip at night?", Body="<p>New words</p>", Tags="<grinder>",
            LastEditDate=DAY9,
        )  # fmt: skip
        files["Posts"] = changed(files["Posts"], 12, Body="<p>Other valve</p>")
        files["PostHistory"] += [a_history(17, 10, 5, "New words", "v9", owner=2, CreationDate=DAY9)]
        assert "2 changed" in bring(files)
        row = thread(10)
        assert (row.title, row.body_text) == ("Why does it drip at night?", "New words")
        assert list(row.tags.values_list("slug", flat=True)) == ["grinder"]
        assert row.edited_at == datetime(2020, 5, 9, tzinfo=UTC)
        numbers = Revision.objects.filter(target_type__model="thread", target_id=row.pk).values_list(
            "number", flat=True
        )
        assert list(numbers) == [1, 2, 3, 4]
        assert answer(12).body_text == "Other valve"
        assert "0 added, 0 changed, 0 withdrawn." in bring(files)

    def test_another_accepted_answer(self, bring: Bring) -> None:
        files = dumps.small()
        bring(files)
        files["Posts"] = changed(files["Posts"], 10, AcceptedAnswerId=13)
        bring(files)
        assert answer(12).accepted_at is None
        assert answer(13).accepted_at is not None
        assert thread(10).leading_solution == answer(13)
        assert person(2).reputation == 1 + 10
        files["Posts"] = changed(files["Posts"], 10, AcceptedAnswerId=None)
        bring(files)
        assert thread(10).state == "replied"

    def test_votes_that_were_taken_back(self, bring: Bring) -> None:
        files = dumps.small()
        bring(files)
        files["Votes"] = without(files["Votes"], 2)
        files["Posts"] = changed(files["Posts"], 10, Score=1)
        assert "1 withdrawn" in bring(files)
        assert thread(10).score == 1
        assert person(1).reputation == 1 + 10 - 2 + 2

    def test_a_vote_from_here_stays_beside_theirs(self, bring: Bring, charlie: User) -> None:
        files = dumps.small()
        bring(files)
        questions.vote_thread(thread(10), charlie, 1)
        files["Votes"] += [a_vote(20, 10)]
        files["Posts"] = changed(files["Posts"], 10, Score=3)
        bring(files)
        assert thread(10).score == 4

    def test_what_is_gone_there_is_withdrawn_here_and_comes_back_with_it(self, bring: Bring) -> None:
        files = dumps.small()
        bring(files)
        fewer = {**files, "Posts": without(without(files["Posts"], 11), 13), "Comments": without(files["Comments"], 1)}
        assert "3 withdrawn" in bring(fewer)
        assert thread(11).is_gone
        assert answer(13).is_gone
        assert thread(10).answer_count == 1
        assert not Comment.objects.get(external_id="1").is_visible
        assert person(1).reputation == 1 + 2 * 10 + 2
        before = newest_rows()
        assert "0 added, 0 changed, 0 withdrawn." in bring(fewer)
        assert newest_rows() == before
        bring(files)
        assert thread(11).is_visible
        assert answer(13).is_visible
        assert Comment.objects.get(external_id="1").is_visible
        assert person(1).reputation == 1 + 2 * 10 - 2 + 2

    def test_what_a_moderator_hid_stays_hidden(self, bring: Bring, ravi: User) -> None:
        files = dumps.small()
        bring(files)
        moderation.hide(answer(13), ravi, reason="Rude")
        moderation.delete(thread(11), ravi, reason="Spam")
        files["Posts"] = changed(changed(files["Posts"], 13, Body="<p>x</p>"), 11, Body="<p>y</p>")
        bring(files)
        assert answer(13).visibility == "hidden"
        assert thread(11).visibility == "deleted"

    def test_what_was_changed_here_stays_and_is_told(self, bring: Bring, ravi: User) -> None:
        files = dumps.small()
        bring(files)
        row = thread(10)
        questions.move_thread(row, ravi, title="A title by our moderator", tags=["ours"], product=row.product)
        files["Posts"] = changed(files["Posts"], 10, Body="<p>New words</p>")
        bring(files)
        assert thread(10).title == "A title by our moderator"
        assert thread(10).body_text == "New words"
        files["Posts"] = changed(files["Posts"], 10, Title="A title from over there")
        assert "1 posts changed there and here; ours stayed" in bring(files)
        assert thread(10).title == "A title by our moderator"
        assert list(thread(10).tags.values_list("slug", flat=True)) == ["ours"]

    def test_reopened_over_there_is_open_here(self, bring: Bring) -> None:
        files = dumps.small()
        files["Posts"] = changed(files["Posts"], 10, ClosedDate=DAY9)
        bring(files)
        assert thread(10).state == "closed"
        files["Posts"] = changed(files["Posts"], 10, ClosedDate=None)
        bring(files)
        assert (thread(10).state, thread(10).closed_at) == ("solved", None)

    def test_a_duplicate_no_longer_is_open_again(self, bring: Bring) -> None:
        files = dumps.small()
        bring(files)
        files["PostLinks"] = []
        files["Posts"] = changed(files["Posts"], 11, ClosedDate=None)
        bring(files)
        assert thread(11).duplicate_of is None
        assert thread(11).closed_at is None
        assert "0 added, 0 changed, 0 withdrawn." in bring(files)

    def test_views_add_up_with_ours(self, bring: Bring) -> None:
        files = dumps.small()
        bring(files)
        Thread.objects.filter(pk=thread(10).pk).update(view_count=15)  # five of them here
        files["Posts"] = changed(files["Posts"], 10, ViewCount=30)
        bring(files)
        assert thread(10).view_count == 35

    def test_old_news_does_not_make_a_thread_look_new_nor_old(self, bring: Bring, charlie: User) -> None:
        files = dumps.small()
        bring(files)
        questions.post_answer(thread(10), charlie, body="I found that cleaning helps a great deal.")
        now = thread(10).active_at
        files["Comments"] += [a_comment(9, 12, 2)]
        bring(files)
        assert thread(10).active_at == now

    def test_an_import_that_broke_off_goes_on_where_it_stopped(
        self, bring: Bring, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        files = dumps.small()
        take_over = threads.take_over

        def fails(job: Any, question: int) -> None:
            take_over(job, question)
            if question == 11:
                raise KeyboardInterrupt

        monkeypatch.setattr(importing.threads, "take_over", fails)
        with pytest.raises(KeyboardInterrupt):
            bring(files, "--batch", "1")
        assert Thread.objects.count() == 1
        assert person(1).reputation == 1 + 2 * 10 - 2 + 2  # counted with the batch
        monkeypatch.undo()
        bring(files, "--batch", "1")
        assert Thread.objects.count() == 2
        assert thread(10).score == 2
        assert "0 added, 0 changed, 0 withdrawn." in bring(files)

    def test_a_question_that_fails_leaves_nothing_of_itself(
        self, bring: Bring, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        files = dumps.small()
        remember = threads._Question._remember

        def fails(self: Any) -> None:
            remember(self)
            if self.question.key == "11":
                raise Conflict("somebody else was quicker")

        monkeypatch.setattr(threads._Question, "_remember", fails)
        with pytest.raises(CommandError, match=r"Posts\.xml, row 11 .*somebody else was quicker"):
            bring(files)
        assert Thread.objects.count() == 1
        assert thread(10).score == 2
        assert SourceState.objects.filter(external_id="11").count() == 0


DAY9 = "2020-05-09T00:00:00.000"


class TestOfficial:
    def test_answers_of_named_people_are_official(self, bring: Bring, support: Department) -> None:
        bring(dumps.small(), "--official-users", "2", "--department", "support")
        assert answer(12).official_for == support
        assert answer(12).official_at == answer(12).created_at
        assert not answer(12).official_is_stale
        assert answer(13).official_for is None
        told = bring(dumps.small(), "--official-users", "2", "--department", "support")
        assert "0 added, 0 changed, 0 withdrawn." in told

    def test_named_later_and_no_longer_named(self, bring: Bring, support: Department) -> None:
        bring(dumps.small())
        bring(dumps.small(), "--official-users", "2", "--department", "support")
        assert answer(12).official_for == support
        bring(dumps.small())
        assert answer(12).official_for is None


class TestDryRun:
    def test_it_says_the_same_and_writes_nothing(self, bring: Bring) -> None:
        before = newest_rows()
        dry = bring(dumps.small(), "--dry-run")
        assert newest_rows() == before
        wet = bring(dumps.small())
        assert dry.splitlines()[-1] == f"Nothing was written. It would be: {wet.splitlines()[-1]}"
        assert dry.splitlines()[:-1] == wet.splitlines()[:-1]

    def test_of_a_newer_state(self, bring: Bring) -> None:
        files = dumps.small()
        bring(files)
        before = newest_rows()
        fewer = {**files, "Posts": without(files["Posts"], 11)}
        assert "1 withdrawn" in bring(fewer, "--dry-run")
        assert newest_rows() == before


class TestBadInput:
    def refuse(self, bring: Bring, files: dict[str, Any], *more: str, **how: Any) -> str:
        before = newest_rows()
        with pytest.raises(CommandError) as refused:
            bring(files, *more, **how)
        assert newest_rows() == before
        assert "\n" not in str(refused.value)
        return str(refused.value)

    def test_a_missing_file(self, bring: Bring) -> None:
        files = dumps.small()
        del files["Users"]
        assert "Users.xml" in self.refuse(bring, files)

    def test_only_posts_and_users_are_needed(self, bring: Bring) -> None:
        files = dumps.small()
        bring({"Users": files["Users"], "Posts": files["Posts"]})
        assert thread(10).score == 2

    def test_a_missing_folder(self, duo: Product, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="no such folder"):
            run(tmp_path / "nowhere")

    def test_an_unknown_product(self, bring: Bring, tmp_path: Path) -> None:
        assert "no product “nothing”" in self.refuse(bring, dumps.small(), "--product", "nothing")

    def test_official_users_without_a_department(self, bring: Bring) -> None:
        assert "go together" in self.refuse(bring, dumps.small(), "--official-users", "2")

    def test_an_official_user_who_is_not_there(self, bring: Bring, support: Department) -> None:
        said = self.refuse(bring, dumps.small(), "--official-users", "2,77", "--department", "support")
        assert "no row 77" in said

    @pytest.mark.parametrize(
        ("name", "key", "column", "value"),
        [
            ("Posts", 12, "Score", "many"),
            ("Posts", 12, "CreationDate", "yesterday"),
            ("Posts", 12, "ParentId", None),
            ("Posts", 10, "Title", " "),
            ("Users", 1, "DisplayName", None),
            ("Votes", 3, "PostId", "1e3"),
            ("Comments", 2, "CreationDate", None),
            ("PostLinks", 1, "RelatedPostId", "ten"),
            ("PostHistory", 3, "PostId", ""),
        ],
    )
    def test_a_wrong_value_is_told_with_file_row_and_reason(
        self, bring: Bring, name: str, key: int, column: str, value: str | None
    ) -> None:
        files = dumps.small()
        files[name] = changed(files[name], key, **{column: value})
        said = self.refuse(bring, files)
        assert f"{name}.xml" in said
        assert f"row {key}" in said
        assert column in said

    def test_an_id_twice(self, bring: Bring) -> None:
        files = dumps.small()
        files["Votes"] += [a_vote(1, 10)]
        assert self.refuse(bring, files) == "Votes.xml, row 1: this Id stands there twice"

    @pytest.mark.parametrize("gzipped", [False, True])
    def test_a_file_that_breaks_off(self, bring: Bring, tmp_path: Path, gzipped: bool) -> None:
        folder = dumps.write(tmp_path / "broken", gzipped=gzipped, **dumps.small())
        path = folder / ("Votes.xml.gz" if gzipped else "Votes.xml")
        path.write_bytes(path.read_bytes()[:-40])
        before = newest_rows()
        with pytest.raises(CommandError, match=r"Votes\.xml.* after \d+ rows"):
            run(folder)
        assert newest_rows() == before

    @pytest.mark.parametrize(
        "head",
        [
            '<!DOCTYPE posts SYSTEM "http://example.com/evil.dtd">',
            '<!DOCTYPE posts [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
            '<!DOCTYPE posts [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>',
        ],
    )
    def test_a_dtd_is_refused(self, duo: Product, tmp_path: Path, head: str) -> None:
        folder = dumps.write(tmp_path / "dtd", **dumps.small())
        posts = folder / "Posts.xml"
        posts.write_text(posts.read_text().replace("<posts>", f"{head}<posts>"))
        with pytest.raises(CommandError, match=r"Posts\.xml: it has a DTD"):
            run(folder)
        assert not Thread.objects.exists()

    def test_another_file_under_this_name(self, duo: Product, tmp_path: Path) -> None:
        folder = dumps.write(tmp_path / "mixed", **dumps.small())
        (folder / "Votes.xml").write_bytes((folder / "Users.xml").read_bytes())
        with pytest.raises(CommandError, match=r"Votes\.xml: it holds <users>"):
            run(folder)

    def test_most_of_what_is_here_missing_is_not_taken_for_granted(self, bring: Bring) -> None:
        files = {"Users": [a_user(1)], "Posts": [a_question(key) for key in range(100, 140)]}
        bring(files)
        less = {**files, "Posts": files["Posts"][:5]}
        assert "35 of the 40 questions" in self.refuse(bring, less)
        assert "35 withdrawn" in bring(less, "--allow-many-withdrawals")


class TestWhichSite:
    def test_the_folder_says_it(self, duo: Product, tmp_path: Path) -> None:
        run(dumps.write(tmp_path / "tea.example.org", **dumps.small()), site="")
        assert set(Thread.objects.values_list("source", flat=True)) == {"tea.example.org"}

    def test_the_links_between_its_posts_say_it(self, duo: Product, tmp_path: Path) -> None:
        body = '<a href="https://beer.example.org/questions/10/why">this</a>'
        posts = [a_question(10), *(a_question(key, Body=body) for key in (21, 22, 23))]
        links = [a_link(key, key, 10, 1) for key in (21, 22, 23)]
        run(dumps.write(tmp_path / "dump", Users=[a_user(1)], Posts=posts, PostLinks=links), site="")
        assert set(Thread.objects.values_list("source", flat=True)) == {"beer.example.org"}

    def test_otherwise_it_is_asked_for(self, duo: Product, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="--site"):
            run(dumps.write(tmp_path / "dump", **dumps.small()), site="")

    def test_nonsense_is_refused(self, duo: Product, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="not a host name"):
            run(dumps.write(tmp_path / "dump", **dumps.small()), site="https://exa mple/")

    def test_two_sites_do_not_mix(self, bring: Bring, tmp_path: Path) -> None:
        bring(dumps.small())
        run(dumps.write(tmp_path / "tea.example.org", **dumps.small()), site="")
        assert Thread.objects.visible().count() == 4
        assert User.objects.filter(name="Ann").count() == 2

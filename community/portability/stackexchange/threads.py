"""One question of a dump with its answers, comments, votes and history: taken over, brought up to date, withdrawn.

Everything goes through the services, each fact at its own time. What the site says now is compared with what it said
last time (SourceState): only its own changes are followed, and what was changed here stays (docs/decisions/0086).
"""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.utils.translation import gettext as _

from community.accounts.models import Department
from community.core import text
from community.core.models import Body
from community.core.rows import locked
from community.events.log import replay
from community.moderation import services as moderation
from community.moderation.models import Moderated
from community.portability.models import SourceState
from community.portability.tally import Tally
from community.posts import services as posts
from community.posts.models import Comment, Follow, Revision
from community.questions import facts
from community.questions import services as questions
from community.questions.models import Answer, Kind, Thread
from products.models import Product

from . import reading
from .people import People, follows
from .staging import (
    ACCEPTED,
    CLOSED,
    DOWN,
    FAVOURITE,
    REOPENED,
    UP,
    Staging,
)

HTML, PLAIN = Body.Format.HTML, Body.Format.PLAIN
Action = tuple[datetime, int, Callable[[], None]]


def withdrawn_reason(site: str) -> str:
    """Says that a post was taken away by an import; also how a later import knows its own doing."""
    return _("No longer on %(site)s.") % {"site": site}


@dataclass
class Takeover:
    """What all questions of one import share."""

    staging: Staging
    site: str
    product: Product
    people: People
    tally: Tally
    official_users: frozenset[int] = frozenset()
    department: Department | None = None

    def digest_of(self, question: int) -> str:
        return reading.digest(self._everything(question))

    def _everything(self, question: int) -> Iterator[object]:
        yield sorted(self.official_users), self.department and self.department.slug
        for post in self.staging.posts_of(question):
            yield post
            for table in ("comments", "votes", "history"):
                yield from self.staging.of_post(table, post["id"])

    def was_withdrawn(self, post: Moderated) -> bool:
        """Whether an import took it away, not a moderator or its author."""
        return (
            post.visibility == Moderated.Visibility.DELETED
            and post.hidden_by_id is None
            and post.hidden_reason == withdrawn_reason(self.site)
        )

    def withdraw(self, post: Moderated) -> bool:
        """Take away what the site has no longer; what is gone already stays as it is."""
        if post.visibility == Moderated.Visibility.DELETED:
            return False
        with replay("import"):
            moderation.delete(post, None, reason=withdrawn_reason(self.site))
        return True

    def bring_back(self, post: Moderated) -> bool:
        """Show again what the site has again."""
        if not self.was_withdrawn(post):
            return False
        with replay("import"):
            moderation.restore(post, None)
        return True


@dataclass
class Taken:
    """A post of the dump, what hangs on it there, and what we have of it."""

    row: sqlite3.Row
    comments: list[sqlite3.Row]
    votes: list[sqlite3.Row]
    history: list[sqlite3.Row]
    post: Any = None  # Thread or Answer, None until it is made
    state: SourceState = field(default_factory=SourceState)
    made_now: bool = False
    edited_now: bool = False

    @property
    def key(self) -> str:
        return str(self.row["id"])

    @property
    def created(self) -> datetime:
        return reading.moment(self.row["created"])


def take_over(job: Takeover, question: int) -> None:
    """Bring one question to what the dump says. Runs in a transaction."""
    _Question(job, question).take_over()


class _Question:
    def __init__(self, job: Takeover, question: int) -> None:
        self.job, self.site, self.tally = job, job.site, job.tally
        of_post = job.staging.of_post
        self.posts = [
            Taken(row, of_post("comments", row["id"]), of_post("votes", row["id"]), of_post("history", row["id"]))
            for row in job.staging.posts_of(question)
        ]
        self.question, self.answers = self.posts[0], self.posts[1:]
        self.digest = job.digest_of(question)

    def take_over(self) -> None:
        self._find()
        before = self.question.post.active_at if self.question.post else None
        for taken in self.posts:
            self._text(taken)
        if self.question.row["active"]:
            before = facts.latest(before, reading.moment(self.question.row["active"]))
        actions = [action for taken in self.posts for action in self._around(taken)]
        actions += [*self._closing(), *self._acceptance()]
        for at, _order, act in sorted(actions, key=lambda action: action[:2]):
            with replay("import", at):
                act()
        for taken in self.posts:
            self._official(taken)
        self._withdraw_answers()
        self._figures(before)
        self._remember()

    # What is here

    def _find(self) -> None:
        keys = [taken.key for taken in self.posts]
        states = {state.external_id: state for state in self._states().filter(external_id__in=keys)}
        thread = Thread._base_manager.filter(source=self.site, external_id=self.question.key).first()
        self.question.post = thread
        here = {
            answer.external_id: answer
            for answer in Answer._base_manager.filter(source=self.site, external_id__in=keys).select_related("thread")
        }
        for taken in self.answers:
            taken.post = here.get(taken.key)
        for taken in self.posts:
            taken.state = states.get(taken.key) or SourceState(source=self.site, external_id=taken.key)

    def _states(self) -> Any:
        return SourceState.objects.filter(source=self.site)

    def _sourced(self, row: sqlite3.Row, path: str) -> dict[str, Any]:
        return {
            "source": self.site,
            "external_id": str(row["id"]),
            "source_url": f"https://{self.site}/{path}{row['id']}",
            "licence": reading.licence(row),
        }

    # Texts and their versions

    def _text(self, taken: Taken) -> None:
        if taken.post is None:
            with replay("import", taken.created):
                self._post(taken)
            taken.made_now = True
        else:
            if self.job.bring_back(taken.post):
                self.tally.add("questions" if taken is self.question else "answers")
            self._edit(taken)
        self._versions(taken)

    def _post(self, taken: Taken) -> None:
        row = taken.row
        author = self.job.people.of(row["owner"], row["owner_name"])
        if taken is self.question:
            taken.post = questions.post_thread(
                author, kind=Kind.QUESTION, title=reading.title_of(row["title"]), body=row["body"],
                product=self.job.product, tags=reading.tag_names(row["tags"]), source_format=HTML,
                **self._sourced(row, "q/"),
            )  # fmt: skip
            self.tally.add("questions")
        else:
            taken.post = questions.post_answer(
                self.question.post, author, body=row["body"], source_format=HTML, **self._sourced(row, "a/")
            )
            self.tally.add("answers")
        if row["wiki"]:
            self.tally.remark("posts are community wiki there; here they stand under their first author")

    def _edit(self, taken: Taken) -> None:
        """Follow what changed over there. Compares three: what it said, what it says, what stands here."""
        row, post, state = taken.row, taken.post, taken.state
        body, title, tags = self._wanted(taken)
        if (state.body, state.title, state.tags) == (reading.mark(body), reading.mark(title), reading.mark(tags)):
            return
        is_question = taken is self.question
        old_tags = sorted(post.tags.values_list("slug", flat=True)) if is_question else []
        old_title = post.title if is_question else ""
        kept = False

        def newer(old: str | list[str], new: Any, was: str) -> Any:
            nonlocal kept
            if reading.mark(new) == was:
                return old
            if reading.mark(old) != was and old != new:
                kept = True
                return old
            return new

        new_body = newer(post.body_source, body, state.body)
        new_title, new_tags = newer(old_title, title, state.title), newer(old_tags, tags, state.tags)
        if kept:
            self.tally.remark("posts changed there and here; ours stayed")
        if (new_body, new_title, new_tags) == (post.body_source, old_title, old_tags):
            return
        editor = self._last_editor(taken) or post.author
        at = reading.moment(row["edited"]) if row["edited"] else None
        form = HTML if new_body == body else post.source_format
        with replay("import", at):
            if is_question:
                questions.edit_thread(
                    post, editor, title=new_title, body=new_body, tags=new_tags, product=post.product,
                    model_version=post.model_version, source_format=form,
                )  # fmt: skip
            else:
                taken.post = questions.edit_answer(post, editor, body=new_body, source_format=form)
        taken.edited_now = True
        if is_question:
            post.refresh_from_db()
        self.tally.add("questions" if is_question else "answers", "changed")

    def _wanted(self, taken: Taken) -> tuple[str, str, list[str]]:
        is_question = taken is self.question
        return (
            text.clean_source(taken.row["body"]),
            reading.title_of(taken.row["title"]) if is_question else "",
            reading.tag_slugs(taken.row["tags"]) if is_question else [],
        )

    def _last_editor(self, taken: Taken) -> Any:
        for version in reversed(reading.versions(taken.history)):
            return self.job.people.maybe(version.owner, version.owner_name)
        return None

    def _versions(self, taken: Taken) -> None:
        """Keep the history of a text. Where the dump tells it, it replaces the version that the service kept."""
        told = reading.versions(taken.history)
        if not told or taken.post.author.is_erased:  # what they wrote may have gone with them: it doesn't come back
            return
        content_type = ContentType.objects.get_for_model(taken.post)
        mine = Revision.objects.filter(target_type=content_type, target_id=taken.post.pk)
        known = (
            set(mine.filter(source=self.site).values_list("external_id", flat=True)) if not taken.made_now else set()
        )
        new = [version for version in told if version.key not in known]
        if not new:
            return
        if taken.made_now or taken.edited_now or not known:
            own = mine.filter(source="").order_by("-number")
            # What `post_` and `edit_` kept a moment ago; or, without a history until now, the first version.
            newest = own.first()
            if newest is not None and (taken.made_now or taken.edited_now or newest.number == 1):
                newest.delete()
        first = posts.latest_revision(taken.post) + 1
        rows = [
            Revision(
                target_type=content_type,
                target_id=taken.post.pk,
                number=number,
                title=version.title,
                editor=self.job.people.maybe(version.owner, version.owner_name),
                body_source=version.body,
                tags=version.tags[:300],
                summary=version.summary,
                created_at=version.created,
                source=self.site,
                external_id=version.key,
            )
            for number, version in enumerate(new, start=first)
        ]
        Revision.objects.bulk_create(rows)
        self.tally.add("versions", count=len(rows))
        if isinstance(taken.post, Answer):
            taken.post.edit_count = first + len(rows) - 2
            Answer._base_manager.filter(pk=taken.post.pk).update(edit_count=taken.post.edit_count)

    # What hangs on a post

    def _around(self, taken: Taken) -> Iterator[Action]:
        yield from self._comments(taken)
        yield from self._votes(taken)
        if taken is self.question:
            yield from self._followers(taken)

    def _comments(self, taken: Taken) -> Iterator[Action]:
        here: dict[str, Comment] = {}
        if not taken.made_now:
            content_type = ContentType.objects.get_for_model(taken.post)
            mine = Comment._base_manager.filter(source=self.site, target_type=content_type, target_id=taken.post.pk)
            here = {comment.external_id: comment for comment in mine.select_related("author")}
        for row in taken.comments:
            comment = here.pop(str(row["id"]), None)
            if not row["body"].strip():
                self.tally.remark("comments without a word")
            elif comment is None:
                yield self._new_comment(taken, row)
            else:
                if self.job.bring_back(comment):
                    self.tally.add("comments")
                self._edit_comment(comment, row)
        for comment in here.values():
            if self.job.withdraw(comment):
                self.tally.add("comments", "withdrawn")

    def _new_comment(self, taken: Taken, row: sqlite3.Row) -> Action:
        def act() -> None:
            author = self.job.people.of(row["owner"], row["owner_name"])
            sourced = self._sourced(row, "posts/comments/")
            posts.comment(taken.post, author, body=row["body"], source_format=PLAIN, **sourced)
            self.tally.add("comments")

        return max(reading.moment(row["created"]), taken.created), 1, act

    def _edit_comment(self, comment: Comment, row: sqlite3.Row) -> None:
        body = text.clean_source(row["body"].strip())
        if comment.body_source == body or not follows(comment.author, self.site):
            return
        with replay("import"):
            posts.edit_comment(comment, comment.author, body=body)
        self.tally.add("comments", "changed")

    def _votes(self, taken: Taken) -> Iterator[Action]:
        """Rows without voters, so many that they come to the dump's score."""
        wanted: dict[int, dict[str, datetime]] = {1: {}, -1: {}}
        for row in taken.votes:
            if row["type"] in (UP, DOWN):
                at = max(reading.moment(row["created"]), taken.created)  # they are dated to the day
                wanted[1 if row["type"] == UP else -1][str(row["id"])] = at
        missing = taken.row["score"] - len(wanted[1]) + len(wanted[-1])
        for number in range(1, abs(missing) + 1):
            wanted[1 if missing > 0 else -1][f"{taken.key}:{'+' if missing > 0 else '-'}{number}"] = taken.created
        self.tally.remark("votes that a score counts and no row tells", abs(missing))
        here: dict[str, int] = {}
        if not taken.made_now:
            here = dict(taken.post.votes.filter(source=self.site).values_list("external_id", "value"))
        gone = [key for key, value in here.items() if key not in wanted.get(value, {})]
        if gone:
            with replay("import"):
                self.tally.add(
                    "votes", "withdrawn", questions.withdraw_vote_rows(taken.post, source=self.site, gone=gone)
                )
        for value, moments in wanted.items():
            rows = {key: at for key, at in moments.items() if here.get(key) != value}
            if rows:
                yield max(rows.values()), 2, self._add_votes(taken, value, rows)

    def _add_votes(self, taken: Taken, value: int, rows: dict[str, datetime]) -> Callable[[], None]:
        def act() -> None:
            in_order = sorted(rows.items(), key=lambda pair: pair[1])
            added = questions.add_vote_rows(taken.post, value=value, rows=in_order, source=self.site)
            self.tally.add("votes", count=added)

        return act

    def _followers(self, taken: Taken) -> Iterator[Action]:
        """Who made a question a favourite follows it, when they are here."""
        wanted = {row["owner"]: row for row in taken.votes if row["type"] == FAVOURITE and row["owner"] is not None}
        for user_id in set(taken.state.followers) - set(wanted):
            person = self.job.people.if_here(user_id)
            if person is not None and follows(person, self.site):
                with replay("import"):
                    posts.unfollow(taken.post, person)
                self.tally.add("follows", "withdrawn")
        known = []
        for user_id, row in wanted.items():
            person = self.job.people.if_here(user_id)
            if person is None:
                continue
            known.append(user_id)
            if user_id not in taken.state.followers:
                yield max(reading.moment(row["created"]), taken.created), 5, self._follow(taken, person)
        taken.state.followers = sorted(known)

    def _follow(self, taken: Taken, person: Any) -> Callable[[], None]:
        def act() -> None:
            if not posts.is_following(taken.post, person):
                posts.follow(taken.post, person, Follow.Level.WATCHING)
                self.tally.add("follows")

        return act

    # What became of the question

    def _acceptance(self) -> Iterator[Action]:
        state, row = self.question.state, self.question.row
        chosen = next((taken for taken in self.answers if taken.row["id"] == row["accepted"]), None)
        if row["accepted"] is not None and chosen is None:
            self.tally.remark("questions accept an answer that is not in the dump")
        wanted = chosen.key if chosen else ""
        if wanted == state.accepted:
            return
        if state.accepted:
            before = Answer._base_manager.filter(source=self.site, external_id=state.accepted).first()
            if before is not None and before.accepted_at is not None:
                with replay("import"):
                    questions.withdraw_acceptance(before, self.question.post.author)
                self.tally.add("accepted answers", "withdrawn")
        state.accepted = wanted
        if chosen is not None:
            yield self._accepted_at(chosen), 3, self._accept(chosen)

    def _accepted_at(self, chosen: Taken) -> datetime:
        days = [reading.moment(row["created"]) for row in chosen.votes if row["type"] == ACCEPTED]
        reopened = self.question.post.reopened_at
        moments = [chosen.created, *days]
        if reopened is not None:  # an acceptance from before a reopening would not stand
            moments.append(reopened + datetime.resolution)
        return max(moments)

    def _accept(self, chosen: Taken) -> Callable[[], None]:
        def act() -> None:
            questions.accept_answer(chosen.post, self.question.post.author)
            self.tally.add("accepted answers")

        return act

    def _closing(self) -> Iterator[Action]:
        state, thread, closed = self.question.state, self.question.post, self.question.row["closed"]
        if bool(closed) == state.closed:
            return
        state.closed = bool(closed)
        if closed:
            code = next((row["remark"] for row in reversed(self.question.history) if row["type"] == CLOSED), "")

            def close() -> None:
                if thread.closed_at is None:
                    questions.close_thread(thread, None, reading.why_closed(code, self.site))
                    self.tally.add("closed")

            yield max(reading.moment(closed), self.question.created), 4, close
        elif thread.closed_at is not None:
            days = [reading.moment(row["created"]) for row in self.question.history if row["type"] == REOPENED]
            with replay("import", max(days, default=None)):
                questions.reopen_thread(thread, thread.author)
            # Reopening takes the solution and the original away with it; both are looked at anew.
            state.accepted = state.duplicate_of = ""
            self.tally.add("closed", "withdrawn")

    def _official(self, taken: Taken) -> None:
        department = self.job.department
        if taken is self.question:
            return
        answer, state = taken.post, taken.state
        wanted = department.slug if department and taken.row["owner"] in self.job.official_users else ""
        if wanted == state.official and not (wanted and taken.edited_now):
            return
        if wanted and department is not None:
            edited = _maybe(taken.row["edited"]) if taken.edited_now else None
            with replay("import", edited or taken.created):
                questions.make_official(answer, answer.author, department)
            if not state.official:
                self.tally.add("official answers")
        elif answer.is_official:
            with replay("import"):
                questions.withdraw_official(answer, answer.author, _("Not named as official any longer."))
            self.tally.add("official answers", "withdrawn")
        state.official = wanted

    def _withdraw_answers(self) -> None:
        if self.question.made_now:
            return
        keys = [taken.key for taken in self.answers]
        gone = self.question.post.answers.filter(source=self.site).exclude(external_id__in=keys)
        for answer in gone.select_related("thread"):
            if self.job.staging.has(int(answer.external_id)):
                self.tally.remark("answers moved to another question there; here they stay where they are")
            elif self.job.withdraw(answer):
                self.tally.add("answers", "withdrawn")

    # The rest

    def _figures(self, active: datetime | None) -> None:
        """What no verb of ours makes: views there, the day of the last edit, and never an older last activity."""
        thread = locked(self.question.post)
        state, row = self.question.state, self.question.row
        thread.view_count = max(0, thread.view_count + row["views"] - state.views)
        thread.active_at = facts.latest(thread.active_at, active) or thread.active_at
        thread.edited_at = facts.latest(thread.edited_at, _maybe(row["edited"]))
        thread.save(update_fields=["view_count", "active_at", "edited_at"])
        state.views = row["views"]
        for taken in self.answers:
            if taken.made_now and taken.row["edited"]:
                Answer._base_manager.filter(pk=taken.post.pk).update(edited_at=reading.moment(taken.row["edited"]))

    def _remember(self) -> None:
        self.question.state.digest = self.digest
        for taken in self.posts:
            body, title, tags = self._wanted(taken)
            state = taken.state
            state.body, state.title, state.tags = reading.mark(body), reading.mark(title), reading.mark(tags)
        new = [taken.state for taken in self.posts if taken.state.pk is None]
        SourceState.objects.bulk_create(new)
        known = [taken.state for taken in self.posts if taken.state not in new]
        SourceState.objects.bulk_update(known, _STATE_FIELDS)


_STATE_FIELDS = [
    field.name for field in SourceState._meta.concrete_fields if field.name not in ("id", "source", "external_id")
]


def _maybe(value: str | None) -> datetime | None:
    return reading.moment(value) if value else None

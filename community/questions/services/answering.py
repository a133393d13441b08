"""Posting and changing answers."""

from collections.abc import Iterable
from datetime import date

from django.utils.translation import gettext as _

from community.accounts.models import Department, User
from community.core import clock, text
from community.core.body import BODY_FIELDS, is_same_text, write_body
from community.core.errors import Conflict, require
from community.core.models import Body, Numbers
from community.core.rows import locked, retried
from community.events.log import is_replaying, record
from community.moderation import screening
from community.moderation.services import mended
from community.posts import gates
from community.posts.services import add_revision, attach_uploads, follow

from .. import facts, permissions
from ..models import (
    Answer,
    Thread,
)
from .checks import Visibility, check_first_day, check_seen, check_texts, format_for, held_answer
from .settling import mark_official, put_in_doubt


@retried
def post_answer(
    thread: Thread,
    by: User,
    *,
    body: str,
    disclosure: str = "",
    model_version: str = "",
    official_for: Department | None = None,
    sources: Iterable[str] = (),
    recheck_on: date | None = None,
    source_format: str = Body.Format.MARKDOWN,
    **sourced: str,
) -> Answer:
    """Answer a thread; for a department when `official_for` is given. Raises ValidationError, NotAllowed, Conflict."""
    told = is_replaying()
    row = locked(thread)
    if told and row.merged_into is not None:
        row = locked(row.merged_into)  # its source does not know where it went
    if not told:
        if closed := row.why_closed_to_words():
            raise Conflict(closed)
        require(permissions.why_not_answer(by, row))
        if official_for is not None:
            require(permissions.why_not_official(by, row, official_for))
        _check_one_answer(row, by)
        check_first_day(by, by.answers.filter(source=""), "newcomer_replies_first_day")
    check_texts(body=body)
    people = gates.mentioned(body, by, source_format)
    answer = Answer(
        thread=row, author=by, created_at=clock.now(), visibility=Visibility.DRAFT,
        disclosure=text.clean_line(disclosure)[:300], model_version=text.clean_line(model_version)[:120], **sourced,
    )  # fmt: skip
    write_body(
        answer, body, source_format, known_users=people, limit=None if told else text.MAX_POST_BYTES,
        base_url=answer.source_url,
    )  # fmt: skip
    gates.check_newcomer(answer, by)
    looked = gates.look(answer, by, "answers", answer.disclosure, answer.model_version, published=[by.answers])
    waits = looked.waits
    if waits:
        answer.visibility = Visibility.PENDING
    answer.save(force_insert=True)
    add_revision(answer, by, number=1, body_source=body, source_format=source_format)
    attach_uploads(answer, by)
    follow(row, by, because_of_a_post=True)
    screening.keep(looked, answer)
    if not waits:
        answer.visibility, answer.published_at = Visibility.VISIBLE, answer.created_at
        answer.save(update_fields=["visibility", "published_at"])
        kind, data = answer.published_event()
        record(kind, actor=by, subject=answer, mentions=list(people.values()), **data)
        if official_for is not None:
            mark_official(answer, answer.thread, by, official_for, sources, recheck_on)
    thread.refresh_from_db(fields=facts.FACTS)
    return answer


def _check_one_answer(thread: Thread, by: User) -> None:
    if not Numbers.load().one_answer_per_person:
        return
    mine = thread.answers.filter(author=by).exclude(visibility__in=(Visibility.DELETED, Visibility.HIDDEN))
    if mine.exists():
        raise Conflict(_("You have answered this already. You can edit your answer, or add a comment."))


@retried
def edit_answer(
    answer: Answer,
    by: User,
    *,
    body: str,
    summary: str = "",
    disclosure: str | None = None,
    seen_revision: int | None = None,
    source_format: str | None = None,
    reviewed_by: User | None = None,
) -> Answer:
    """Change an answer; `reviewed_by` takes over what somebody suggested.

    An edit of an official one by a member opens a re-check (RULINGS 16).
    """
    thread, row = held_answer(answer)
    if not is_replaying() and reviewed_by is None:
        require(permissions.why_not_edit(by, row))
    if same := is_same_text(row, body):
        body = row.body_source
    check_texts(body=None if same else body)
    check_seen(row, seen_revision)
    disclosed = row.disclosure if disclosure is None else text.clean_line(disclosure)[:300]
    if row.body_source == body and disclosed == row.disclosure:
        return row
    written = source_format or (row.source_format if same else format_for(row))
    write_body(
        row, body, written, known_users=gates.mentioned(body, by, written),
        limit=None if same or is_replaying() else text.MAX_POST_BYTES, base_url=row.source_url,
    )  # fmt: skip
    gates.check_newcomer(row, reviewed_by or by)
    looked = gates.look_again(row, reviewed_by or by, "answers", disclosed)
    row.disclosure, row.edited_at, row.edit_count = disclosed, clock.now(), row.edit_count + 1
    row.save(update_fields=[*BODY_FIELDS, "disclosure", "edited_at", "edit_count"])
    add_revision(row, by, body_source=body, source_format=row.source_format, summary=summary)
    attach_uploads(row, by)
    screening.keep_change(looked, row)
    mended(row, by, waits=looked.waits)
    thread.active_at = facts.latest(thread.active_at, row.edited_at)
    thread.save(update_fields=["active_at"])
    record("answer.edited", actor=by, subject=row, thread=thread.pk)
    if row.is_official:
        if by.speaks_for_brand:
            row.official_revision = row.edit_count + 1
            row.save(update_fields=["official_revision"])
        else:
            put_in_doubt(thread, by, row)
    return row

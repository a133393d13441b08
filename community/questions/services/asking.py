"""Posting and changing threads."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from community.accounts.models import Department, User
from community.core import clock, text
from community.core.body import BODY_FIELDS, is_same_text, write_body
from community.core.errors import require
from community.core.models import Body
from community.core.rows import in_line, locked, retried
from community.events.log import is_replaying, record
from community.moderation import screening
from community.moderation.permissions import why_not_write
from community.moderation.services import mended, publish
from community.posts import gates
from community.posts.services import add_revision, attach_uploads, follow, tags_named
from products.models import Product

from .. import facts, permissions
from ..models import (
    IdeaStatus,
    Kind,
    PrivateDetails,
    Thread,
)
from .checks import Visibility, check_first_day, check_seen, check_texts, format_for
from .states import said_without_a_post


@retried
def post_thread(
    by: User,
    *,
    kind: str,
    title: str,
    body: str,
    product: Product | None = None,
    model_version: str = "",
    tags: Iterable[str] = (),
    private: dict[str, str] | None = None,
    language: str = "en",
    source_format: str = Body.Format.MARKDOWN,
    department: Department | None = None,
    **sourced: str,
) -> Thread:
    """Ask, report, propose or praise.

    `private` holds order_number, serial, phone and note for staff only. `sourced` (source, external_id,
    source_url, licence) says where an imported thread comes from. `department` is who should deal with it, when
    staff said so before. Raises ValidationError by field, NotAllowed.
    """
    told = is_replaying()
    if not told:
        require(why_not_write(by))
    title = text.clean_line(title)
    check_texts(title=title, body=body, kind=kind)
    check_first_day(by, by.threads.filter(source=""), "newcomer_threads_first_day")
    now = clock.now()
    people = gates.mentioned(body, by, source_format)
    thread = Thread(
        kind=kind, title=title, author=by, product=product, model_version=text.clean_line(model_version)[:120],
        for_department=department, language=language, created_at=now, active_at=now, visibility=Visibility.DRAFT,
        idea_status=IdeaStatus.NEW if kind == Kind.IDEA else "", **sourced,
    )  # fmt: skip
    write_body(
        thread, body, source_format, known_users=people, limit=None if told else text.MAX_POST_BYTES,
        base_url=thread.source_url,
    )  # fmt: skip
    gates.check_newcomer(thread, by)
    named = tags_named(list(tags), by)
    looked = gates.look(thread, by, "threads", title, thread.model_version, published=[by.threads])
    waits = looked.waits
    thread.topic_id = next((tag.topic_id for tag in named if tag.topic_id), None)
    if waits:
        thread.visibility = Visibility.PENDING
    thread.save(force_insert=True)
    thread.tags.set(named)
    if private and any(value.strip() for value in private.values()):
        PrivateDetails.objects.create(
            thread=thread, created_at=now, **{field: value.strip() for field, value in private.items()}
        )
    add_revision(
        thread, by, number=1, title=title, body_source=body, source_format=source_format,
        tags=" ".join(tag.slug for tag in named),
    )  # fmt: skip
    attach_uploads(thread, by)
    follow(thread, by, because_of_a_post=True)
    screening.keep(looked, thread)
    if not waits:
        publish(thread, by, mentions=list(people.values()))
    return thread


SENT_TWICE = timedelta(hours=1)  # a form sent again, from a second tab or by a reload, within this is one question


@retried
def post_thread_once(by: User, *, title: str, body: str, **given: Any) -> Thread:
    """`post_thread`, or the thread that the same words of the same person have just made. Safe however many ask."""
    in_line("asking", by.pk)
    same = by.threads.filter(
        title=text.clean_line(title), body_source=text.clean_source(body), source="",
        created_at__gt=clock.now() - SENT_TWICE,
    ).exclude(visibility=Visibility.DELETED)  # fmt: skip
    return same.first() or post_thread(by, title=title, body=body, **given)


@retried
def edit_thread(
    thread: Thread,
    by: User,
    *,
    title: str,
    body: str,
    tags: Iterable[str] | None = None,
    product: Product | None = None,
    model_version: str = "",
    summary: str = "",
    seen_revision: int | None = None,
    source_format: str | None = None,
    reviewed_by: User | None = None,
) -> Thread:
    """Change a thread; every version is kept. `reviewed_by` takes over what somebody suggested.

    `seen_revision` is the number of the version the editor started from: raises Conflict when there is a newer
    one. Nothing changed is nothing recorded.
    """
    row = locked(thread)
    if not is_replaying() and reviewed_by is None:
        require(permissions.why_not_edit(by, row))
    title = text.clean_line(title)
    if same := is_same_text(row, body):
        body = row.body_source
    check_texts(title=None if title == row.title else title, body=None if same else body)
    check_seen(row, seen_revision)
    named = tags_named(list(tags), reviewed_by or by) if tags is not None else list(row.tags.all())
    same_tags = {tag.pk for tag in named} == set(row.tags.values_list("pk", flat=True))
    version = text.clean_line(model_version)[:120]
    if (row.title, row.body_source, row.product_id, row.model_version) == (
        title, body, product.pk if product else None, version,
    ) and same_tags:  # fmt: skip
        return row
    written = source_format or (row.source_format if same else format_for(row))
    write_body(
        row, body, written, known_users=gates.mentioned(body, by, written),
        limit=None if same or is_replaying() else text.MAX_POST_BYTES, base_url=row.source_url,
    )  # fmt: skip
    gates.check_newcomer(row, reviewed_by or by)
    looked = gates.look_again(row, reviewed_by or by, "threads", title, version)
    before = row.product_id
    row.title, row.product, row.model_version = title, product, version
    row.topic_id = next((tag.topic_id for tag in named if tag.topic_id), row.topic_id)
    row.edited_at = clock.now()
    row.active_at = facts.latest(row.active_at, row.edited_at)
    row.tags.set(named)
    row.save(update_fields=[*BODY_FIELDS, "title", "product", "model_version", "topic", "edited_at", "active_at"])
    add_revision(
        row, by, title=title, body_source=body, source_format=row.source_format,
        tags=" ".join(tag.slug for tag in named), summary=summary,
    )  # fmt: skip
    attach_uploads(row, by)
    screening.keep_change(looked, row)
    mended(row, by, waits=looked.waits)
    record("thread.edited", actor=by, subject=row, product=row.product_id, topic=row.topic_id, previous_product=before)
    said_without_a_post(row, by)
    return row

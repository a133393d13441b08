"""What a thread is waiting for: needs info, duplicate, closed, open again, locked, moved."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core import clock, text
from community.core.errors import Conflict, require
from community.core.rows import locked, retried
from community.events.log import is_replaying, record
from community.moderation.permissions import is_moderator, why_not_write
from community.posts.services import add_revision, tags_named
from products.models import Product

from .. import facts, permissions
from ..models import (
    Thread,
)
from .checks import check_texts, copy_facts
from .merging import end_of


def end_needs_info(thread: Thread, by: User | None, *, alone: bool = False) -> None:
    """What was asked for has been said. `alone` where no answer or comment of this moment tells of it."""
    if thread.needs_info_since is not None:
        since = thread.needs_info_since
        thread.needs_info_since, thread.needs_info_note = None, ""
        thread.save(update_fields=["needs_info_since", "needs_info_note"])
        told: dict[str, Any] = {"alone": True} if alone else {}
        record("thread.info_given", actor=by, subject=thread, since=since.isoformat(), **told)


def said_without_a_post(thread: Thread, by: User, *, privately: bool = False) -> None:
    """The asker said something where no post shows it: what was asked for in the question itself, or anything in the
    private details. The thread's row is held. Another change of the question is no word; stories that are told again
    name their replies themselves."""
    asked = thread.needs_info_since is not None
    if not (asked or privately) or by.pk != thread.author_id or is_replaying():
        return
    thread.asker_spoke_at = thread.active_at = clock.now()
    end_needs_info(thread, by, alone=True)
    thread.state = facts.derive_state(thread)
    thread.save(update_fields=["asker_spoke_at", "active_at", "state"])
    if not asked:
        record("thread.private_given", actor=by, subject=thread)


@retried
def ask_for_info(thread: Thread, by: User, note: str) -> None:
    """Ask the asker for something; the clocks stand until the reply."""
    row = locked(thread)
    if not is_replaying():
        require(permissions.why_not_ask_for_info(by, row))
        facts.check_transition(row, "ask_for_info")
    note = text.clean_line(note)[:300]
    if not note:
        raise ValidationError({"note": _("Say what you need to know.")})
    already = row.needs_info_since is not None
    row.needs_info_since = row.needs_info_since or clock.now()
    row.needs_info_note, row.replied_at = note, clock.now()
    row.state = facts.derive_state(row)
    row.save(update_fields=["needs_info_since", "needs_info_note", "replied_at", "state"])
    copy_facts(thread, row)
    if not already:
        record("thread.needs_info", actor=by, subject=row, by_staff=by.speaks_for_brand)


@retried
def mark_duplicate(thread: Thread, by: User | None, of: Thread) -> None:
    """Point a thread at the one that asked first; page and votes stay (RULINGS 13).

    Raises NotAllowed, Conflict, ValidationError at `of`.
    """
    of = end_of(Thread._base_manager.select_related("merged_into", "duplicate_of").get(pk=of.pk))
    # In the order of their ids, as a merge does, so that two who point them at each other stand in line.
    held = {pk: locked(Thread(pk=pk)) for pk in sorted({thread.pk, of.pk})}
    row, original = held[thread.pk], held[of.pk]
    if not is_replaying():
        require(permissions.why_not_moderate_thread(by))
        facts.check_transition(row, "duplicate")
    if row.pk in (original.pk, original.duplicate_of_id):
        raise ValidationError({"of": _("A thread can't be a duplicate of itself.")})
    if original.merged_into_id or original.duplicate_of_id:
        raise Conflict(_("Somebody merged these a moment ago. Please look again."))
    if row.duplicate_of_id == original.pk:
        return
    row.duplicates.update(duplicate_of=original)  # what pointed here points there: no chains
    row.duplicate_of, row.active_at = original, facts.latest(row.active_at, clock.now())
    row.needs_info_since, row.needs_info_note = None, ""
    row.state = facts.derive_state(row)
    row.save(update_fields=["duplicate_of", "needs_info_since", "needs_info_note", "state", "active_at"])
    copy_facts(thread, row)
    record("thread.marked_duplicate", actor=by, subject=row, of=original.pk)


@retried
def close_thread(thread: Thread, by: User | None, reason: str) -> None:
    """No more answers, with the reason."""
    row = locked(thread)
    if not is_replaying():
        require(permissions.why_not_moderate_thread(by))
        facts.check_transition(row, "close")
    reason = text.clean_line(reason)[:300]
    if not reason:
        raise ValidationError({"reason": _("Say why it is closed.")})
    if row.closed_at:
        return
    row.closed_at, row.closed_reason = clock.now(), reason
    row.needs_info_since, row.needs_info_note = None, ""
    row.state = facts.derive_state(row)
    row.save(update_fields=["closed_at", "closed_reason", "needs_info_since", "needs_info_note", "state"])
    copy_facts(thread, row)
    record("thread.closed", actor=by, subject=row, note=reason)


@retried
def reopen_thread(thread: Thread, by: User, reason: str = "") -> None:
    """Open a settled or closed thread again: its asker while it isn't locked, or staff."""
    row = locked(thread)
    if not is_replaying():
        require(why_not_write(by))
        asker = by.pk == row.author_id and not row.locked_at and not row.closed_at
        require("" if asker else permissions.why_not_moderate_thread(by))
        facts.check_transition(row, "reopen")
    reopen(row, by, reason)
    copy_facts(thread, row)


def reopen(row: Thread, by: User | None, reason: str, *, one_level_up: bool = False) -> None:
    row.reopened_at = row.active_at = clock.now()
    row.closed_at = row.solved_at = row.duplicate_of = row.leading_solution = row.recheck_at = None
    row.disagree_since = row.reconciler = row.reconciled_at = row.remind_at = None
    row.closed_reason = row.solved_note = row.disagree_note = row.reconciled_outcome = row.reconciled_note = ""
    row.state = facts.derive_state(row)
    row.save(
        update_fields=[
            "reopened_at", "closed_at", "closed_reason", "solved_at", "solved_note", "duplicate_of",
            "leading_solution", "recheck_at", "state", "active_at", "disagree_since", "disagree_note", "reconciler",
            "reconciled_at", "reconciled_outcome", "reconciled_note", "remind_at",
        ]
    )  # fmt: skip
    record("thread.reopened", actor=by, subject=row, note=reason, one_level_up=one_level_up)


@retried
def lock_thread(thread: Thread, by: User, on: bool = True, reason: str = "") -> None:
    """No more words of any kind, or again."""
    row = locked(thread)
    if not is_replaying():
        require("" if is_moderator(by) else _("Only moderators can lock a thread."))
        facts.check_transition(row, "lock")
    if bool(row.locked_at) == on:
        return
    reason = text.clean_line(reason)[:300]
    if on and not reason:
        raise ValidationError({"reason": _("Say why it is locked.")})
    row.locked_at, row.locked_reason = (clock.now(), reason) if on else (None, "")
    if on:
        end_needs_info(row, by)  # the asker can't reply any more: nothing waits for it
    row.state = facts.derive_state(row)
    row.save(update_fields=["locked_at", "locked_reason", "state"])
    copy_facts(thread, row)
    record("thread.locked", actor=by, subject=row, note=reason, on=on)


@retried
def move_thread(
    thread: Thread, by: User, *, title: str | None = None, tags: Iterable[str] | None = None,
    product: Product | None = None, reason: str = "",
) -> None:  # fmt: skip
    """A moderator retitles, retags or moves; never rewords (RULINGS 17)."""
    row = locked(thread)
    require("" if is_moderator(by) else _("Only moderators can do this."))
    before, retitled = row.product_id, False
    if title is not None:
        title = text.clean_line(title)
        retitled = title != row.title and by.pk != row.author_id
        if title != row.title:  # what came from another site may be shorter or longer
            check_texts(title=title)
        row.title = title
    named = tags_named(list(tags), by) if tags is not None else list(row.tags.all())
    row.tags.set(named)
    row.topic_id = next((tag.topic_id for tag in named if tag.topic_id), row.topic_id)
    row.product = product
    row.save(update_fields=["title", "product", "topic"])
    add_revision(
        row, by, title=row.title, body_source=row.body_source, source_format=row.source_format,
        tags=" ".join(tag.slug for tag in named), summary=reason, retitled=retitled,
    )  # fmt: skip
    copy_facts(thread, row)
    record(
        "thread.moved", actor=by, subject=row, note=reason, product=row.product_id, topic=row.topic_id,
        previous_product=before,
    )  # fmt: skip

"""Edits that somebody proposes and another takes over (FEATURES E, F: edit with review)."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from community.accounts.models import Profile, User
from community.core import clock, text
from community.core.body import is_same_text, write_body
from community.core.errors import Conflict, NotAllowed, require
from community.core.models import Numbers
from community.core.rows import locked, retried
from community.events.log import record
from community.posts import gates
from community.posts.models import Revision
from community.posts.services import latest_revision, shows_uploads, tags_named
from community.posts.tagging import main_words, named

from .. import permissions
from ..models import Answer, EditSuggestion, Thread
from .answering import edit_answer
from .asking import edit_thread
from .checks import check_seen, check_texts

State = EditSuggestion.State


class Texts(NamedTuple):
    """What an edit can change. An answer has a body only."""

    title: str
    body: str
    tags: tuple[str, ...]  # slugs, sorted


def held_post(thread: Thread, answer: Answer | None) -> Thread | Answer:
    """The post as it is now, its thread held first."""
    row = locked(thread)
    if answer is None:
        return row
    held = locked(answer)
    held.thread = row
    return held


def texts_of(post: Thread | Answer) -> Texts:
    if isinstance(post, Answer):
        return Texts("", post.body_source, ())
    return Texts(post.title, post.body_source, tuple(sorted(post.tags.values_list("slug", flat=True))))


def texts_at(post: Thread | Answer, number: int) -> Texts:
    """How a post was at a version; as it is now where that version was never kept."""
    kept = Revision.objects.filter(
        target_type=ContentType.objects.get_for_model(post), target_id=post.pk, number=number
    ).first()
    if kept is None:
        return texts_of(post)
    if isinstance(post, Answer):
        return Texts("", kept.body_source, ())
    return Texts(kept.title, kept.body_source, _slugs(kept.tags.split()))


def _slugs(words: Iterable[str]) -> tuple[str, ...]:
    """Tags as they are called now: one may have been renamed or merged since."""
    return tuple(sorted(main_words(named(words))))


def suggested_texts(suggestion: EditSuggestion) -> Texts:
    return Texts(suggestion.title, suggestion.body_source, _slugs(suggestion.tags.split(",")))


def rebased(suggestion: EditSuggestion, post: Thread | Answer) -> Texts:
    """What the post would say: title, text and tags each as suggested, or as they became meanwhile where the
    suggestion left them alone. Raises Conflict when both changed the same."""
    base, now, mine = texts_at(post, suggestion.base), texts_of(post), suggested_texts(suggestion)
    merged = []
    for before, here, wanted in zip(base, now, mine, strict=True):
        if wanted == before:
            merged.append(here)
        elif here in (before, wanted):
            merged.append(wanted)
        else:
            raise Conflict(
                _("The post was changed in the same place since. Whoever suggested this can bring the two together.")
            )
    return Texts(*merged)  # type: ignore[arg-type]


@shows_uploads
def _suggested_words(owners: Any) -> Iterable[tuple[int, str]]:
    waiting = EditSuggestion.objects.filter(author__in=owners, state=State.OPEN)
    return waiting.values_list("author_id", "body_source")


@retried
def suggest_edit(
    post: Thread | Answer,
    by: User,
    *,
    body: str,
    summary: str,
    title: str = "",
    tags: Iterable[str] = (),
    seen_revision: int | None = None,
) -> EditSuggestion:
    """Propose another wording; suggesting again changes one's open suggestion. Tags are names.

    Raises ValidationError at its field, NotAllowed, and Conflict when the post changed since `seen_revision`.
    """
    answer = post if isinstance(post, Answer) else None
    row = held_post(answer.thread if answer else post, answer)  # type: ignore[arg-type]
    thread = row.thread if isinstance(row, Answer) else row
    require(permissions.why_not_suggest(by, row))
    title, summary = text.clean_line(title) if answer is None else "", text.clean_line(summary)[:300]
    same = is_same_text(row, body)
    body = row.body_source if same else text.clean_source(body)
    unnamed = isinstance(row, Answer) or title == row.title
    check_texts(body=None if same else body, title=None if unnamed else title)
    if not summary:
        raise ValidationError({"summary": _("Say in a line what you change, and why. The reviewer reads it.")})
    if not same:
        gates.mentioned(body, by)
        write_body(Answer(), body)  # nothing is suggested that could not be taken over: too long, for one
    named = tags_named(list(tags), by) if answer is None else []
    check_seen(row, seen_revision)
    wanted = Texts(title, body, tuple(sorted(tag.slug for tag in named)))
    if wanted == texts_of(row):
        raise ValidationError({"body": _("Nothing is changed yet.")})
    Profile.objects.select_for_update().filter(user=by).first()  # two at once of one person stand in line
    waiting = EditSuggestion.objects.filter(author=by, state=State.OPEN)
    made = waiting.filter(thread=thread, answer=answer).first()
    most = Numbers.load().open_edit_suggestions
    if made is None and waiting.count() >= most:
        raise NotAllowed(
            _("%(most)d of your suggestions wait for review. You can suggest more once one of them is decided.")
            % {"most": most}
        )
    new = made is None
    made = made or EditSuggestion(thread=thread, answer=answer, author=by)
    made.title, made.body_source, made.summary = title, body, summary
    made.tags = ", ".join(tag.name for tag in named)[:300]
    made.base, made.created_at = latest_revision(row), clock.now()
    made.save()
    if new:
        record("edit.suggested", actor=by, subject=made, thread=thread.pk, post_author=row.author_id)
    return made


def _open(suggestion: EditSuggestion) -> tuple[EditSuggestion, Thread | Answer]:
    post = held_post(suggestion.thread, suggestion.answer)
    row = locked(suggestion)
    row.thread, row.answer = (post.thread, post) if isinstance(post, Answer) else (post, None)
    return row, post


def _decide(suggestion: EditSuggestion, row: EditSuggestion, state: str, by: User, reason: str = "") -> None:
    row.state, row.decided_at, row.decided_by, row.reason = state, clock.now(), by, reason
    row.save(update_fields=["state", "decided_at", "decided_by", "reason"])
    for field in ("state", "decided_at", "decided_by_id", "reason"):
        setattr(suggestion, field, getattr(row, field))


@retried
def approve_suggestion(
    suggestion: EditSuggestion,
    by: User,
    *,
    title: str | None = None,
    body: str | None = None,
    tags: Iterable[str] | None = None,
    seen_revision: int | None = None,
) -> EditSuggestion:
    """Take an edit over, in its suggester's name; with `title`, `body` or `tags` where the reviewer improved it.

    Twice is harmless. Raises NotAllowed, ValidationError, and Conflict when the post changed in the same place (of what
    was improved: at all since `seen_revision`, the version the reviewer saw) or the suggestion was decided otherwise.
    """
    row, post = _open(suggestion)
    require(permissions.why_not_take_over(by, row))
    if row.state == State.APPROVED:
        return row
    if not row.is_open:
        raise Conflict(_("This suggestion was decided already."))
    thread = row.thread
    if not (post.is_visible and thread.is_visible):
        raise Conflict(_("This post has been taken down."))
    require(permissions.why_not_change_at_all(post))
    if title is None and body is None and tags is None:
        taken = rebased(row, post)
        names: list[str] = list(taken.tags)
    else:
        require(permissions.why_not_edit(by, post))
        check_seen(post, seen_revision)
        mine = suggested_texts(row)
        names = list(tags) if tags is not None else list(mine.tags)
        taken = Texts(mine.title if title is None else title, mine.body if body is None else body, ())
    before = latest_revision(post)
    if isinstance(post, Answer):
        edit_answer(post, row.author, body=taken.body, summary=row.summary, reviewed_by=by)
    else:
        edit_thread(
            post, row.author, title=taken.title, body=taken.body, tags=names, product=post.product,
            model_version=post.model_version, summary=row.summary, reviewed_by=by,
        )  # fmt: skip
    made = Revision.objects.filter(
        target_type=ContentType.objects.get_for_model(post), target_id=post.pk, number__gt=before
    ).first()
    if made is None:
        raise Conflict(_("The post says this already."))
    _decide(suggestion, row, State.APPROVED, by)
    record("edit.accepted", actor=by, subject=made, post_author=post.author_id, thread=thread.pk, suggestion=row.pk)
    return row


@retried
def reject_suggestion(suggestion: EditSuggestion, by: User, reason: str) -> None:
    """Leave the post as it is; the reason is told to whoever suggested it. Twice is harmless."""
    row, _post = _open(suggestion)
    require(permissions.why_not_review(by, row))
    reason = text.clean_line(reason)[:300]
    if not reason:
        raise ValidationError({"reason": _("Say why; whoever suggested it reads it.")})
    if row.state == State.REJECTED:
        return
    if not row.is_open:
        raise Conflict(_("This suggestion was decided already."))
    _decide(suggestion, row, State.REJECTED, by, reason)
    record("edit.rejected", actor=by, subject=row, note=reason, thread=row.thread_id)


@retried
def withdraw_suggestion(suggestion: EditSuggestion, by: User) -> None:
    """Take one's own suggestion back. Twice is harmless."""
    row, _post = _open(suggestion)
    if row.author_id != by.pk:
        raise NotAllowed(_("Only whoever suggested it can take it back."))
    if row.state == State.WITHDRAWN:
        return
    if not row.is_open:
        raise Conflict(_("This suggestion was decided already."))
    _decide(suggestion, row, State.WITHDRAWN, by)
    record("edit.withdrawn", actor=by, subject=row, thread=row.thread_id)

"""Checks and small changes that several verbs share."""

from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core import clock
from community.core.errors import Conflict
from community.core.models import Body, Numbers
from community.core.rows import in_line, locked
from community.events.log import is_replaying
from community.moderation.models import Moderated
from community.posts import gates
from community.posts.services import latest_revision

from ..models import (
    Answer,
    Kind,
    Thread,
)

SHORTEST_TITLE, LONGEST_TITLE, SHORTEST_BODY = 15, 150, 20  # FEATURES E
Visibility = Moderated.Visibility


def check_texts(*, body: str | None = None, title: str | None = None, kind: str | None = None) -> None:
    """Lengths and choices of what people write, of what is given; imports bring what they bring."""
    errors: dict[str, str] = {}
    if kind is not None and kind not in Kind.values:
        errors["kind"] = _("Choose what it is.")
    if not is_replaying():
        if title is not None and not SHORTEST_TITLE <= len(title) <= LONGEST_TITLE:
            errors["title"] = _("A title has %(least)d to %(most)d characters; this one has %(have)d.") % {
                "least": SHORTEST_TITLE, "most": LONGEST_TITLE, "have": len(title),
            }  # fmt: skip
        if body is not None and len(body.strip()) < SHORTEST_BODY:
            errors["body"] = _("Please write at least %(least)d characters, so that others can help.") % {
                "least": SHORTEST_BODY
            }
    if errors:
        raise ValidationError(errors)


def check_first_day(by: User, posted: Any, number: str) -> None:
    """Newcomers' pace on their first day (FEATURES F). Two presses at once stand in line: the second counts the first.

    Only newcomers wait, and hold the line until their post is written.
    """
    if is_replaying() or not gates.is_newcomer(by) or clock.now() - by.date_joined > timedelta(days=1):
        return
    in_line(number, by.pk)
    most = getattr(Numbers.load(), number)
    if posted.exclude(visibility=Visibility.DELETED).count() >= most:
        raise ValidationError(
            {"body": _("On the first day you can post this %(most)d times. It opens up tomorrow.") % {"most": most}}
        )


def format_for(row: Body) -> str:
    """People write Markdown; an imported text stays HTML until a person edits it."""
    return row.source_format if is_replaying() else Body.Format.MARKDOWN


def check_seen(row: Thread | Answer, seen: int | None) -> None:
    if seen is not None and seen != latest_revision(row):
        raise Conflict(_("Somebody else changed this while you were writing. Your text is kept below."))


def copy_facts(thread: Thread, row: Thread) -> None:
    for field in row._meta.concrete_fields:
        setattr(thread, field.attname, getattr(row, field.attname))


def held_answer(answer: Answer) -> tuple[Thread, Answer]:
    """An answer's thread and the answer, both held, the thread first (RULINGS 23).

    Raises Conflict when a split or a merge moved the answer since it was read: what was asked of it was asked of
    the old thread.
    """
    thread = locked(answer.thread)
    row = locked(answer)
    if row.thread_id != thread.pk:
        raise Conflict(_("Somebody moved this a moment ago. Please look again."))
    row.thread = thread
    return thread, row

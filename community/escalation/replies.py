"""Saved replies: beginnings of answers with {variables} that the case fills in and [gaps] that only a person can.

A variable that nobody knows is refused when the reply is saved; one that this case has nothing for becomes a gap, and
an answer with a gap left in it is not sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import formats, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from community.accounts.models import Department, User
from community.core import clock, text
from community.core.errors import require
from community.events.log import is_replaying
from community.questions.models import Answer, Kind, Thread

from . import remembered
from .models import Escalation, SavedReply
from .permissions import why_not_write_replies

VARIABLES: dict[str, Any] = {
    "first_name": gettext_lazy("what the customer is called"),
    "name": gettext_lazy("the customer's whole name"),
    "product": gettext_lazy("the product"),
    "title": gettext_lazy("what the customer asked"),
    "department": gettext_lazy("the department that answers"),
    "agent": gettext_lazy("who answers"),
    "answer_author": gettext_lazy("who wrote the best answer so far"),
    "promise_date": gettext_lazy("the day that is promised"),
    "handoff_reference": gettext_lazy("the reference of the hand-off"),
    "amount": gettext_lazy("a sum of money, put in by hand"),
}
SAMPLE = {
    "first_name": "Alice", "name": "Alice Baker", "product": "Duo", "title": "It drips", "agent": "Dana Okafor",
    "answer_author": "Bob Miller",
}  # fmt: skip
_VARIABLE = re.compile(r"\{([^{}\n]*)\}")
_MARKS = re.compile(r"[\[\]{}<>`*]")
_GAP = re.compile(r"\[([^\[\]\n]+)\](?![(\[:])")


def unknown_variables(body: str) -> list[str]:
    """Names in braces that nothing fills in."""
    return sorted({name for name in _VARIABLE.findall(body) if name not in VARIABLES})


def fill(body: str, values: dict[str, str]) -> str:
    """The text with what is known in place of its variables; what isn't becomes a gap. What is filled in is a name or
    a line somebody chose: it must not begin a gap or a link of its own."""

    def put(match: re.Match[str]) -> str:
        value = values.get(match[1], "")
        return _MARKS.sub("", text.clean_line(value)) if value else f"[{VARIABLES.get(match[1], match[1])}]"

    return _VARIABLE.sub(put, body)


def gaps(body: str, reply: SavedReply | None = None) -> list[str]:
    """What a person still has to put in. A gap counts when the reply has it, or a variable left one."""
    named = {str(label) for label in VARIABLES.values()}
    if reply is not None:
        named |= set(_GAP.findall(reply.body))
    return [gap for gap in _GAP.findall(body) if gap in named]


def values_for(case: Escalation, by: User, *, promise: datetime | None = None, reference: str = "",
               best: Answer | None = None) -> dict[str, str]:  # fmt: skip
    """What is known of a case, in words."""
    thread: Thread = case.thread
    department = case.department or by.department
    return {
        "first_name": thread.author.get_short_name(),
        "name": thread.author.name,
        "product": thread.product.label if thread.product else "",
        "title": thread.title,
        "department": str(department) if department else "",
        "agent": by.name,
        "answer_author": best.author.get_short_name() if best else "",
        "promise_date": formats.date_format(promise, "DATE_FORMAT") if promise else "",
        "handoff_reference": reference,
    }


def filled_for(reply: SavedReply, values: dict[str, str]) -> str:
    """The reply for a case, its gaps in its own language."""
    with translation.override(reply.language):
        return fill(reply.body, values)


def offered(department: int | None, language: str) -> list[SavedReply]:
    """The replies of a department: in the thread's language, and in English."""
    spoken = {language.split("-")[0], language, "en"}
    return [reply for reply in remembered.replies(department) if reply.language in spoken]


def best_first(replies: Iterable[SavedReply], *, kind: str, language: str) -> list[SavedReply]:
    """Those for this kind of thread in its language first; an English one whose like is there in it is left out."""
    own = language.split("-")[0]
    found = list(replies)
    translated = {reply.slug for reply in found if reply.language.split("-")[0] == own}
    kept = [reply for reply in found if reply.language.split("-")[0] == own or reply.slug not in translated]
    return sorted(
        kept, key=lambda reply: (reply.language.split("-")[0] != own, bool(reply.kinds) and kind not in reply.kinds)
    )


@transaction.atomic
def save(reply: SavedReply, by: User | None, departments: Iterable[Department] = ()) -> SavedReply:
    """Write a saved reply. Raises NotAllowed, and ValidationError by field for a variable that nothing fills in."""
    if not is_replaying():
        require(why_not_write_replies(by))
    reply.body = text.clean_source(reply.body).strip()
    reply.title = text.clean_line(reply.title)
    check(reply)
    reply.changed_at, reply.changed_by = clock.now(), by
    reply.save()
    reply.departments.set(departments)
    remembered.forget()
    return reply


def check(reply: SavedReply) -> None:
    """Raises ValidationError by field."""
    errors = {}
    if not reply.title:
        errors["title"] = _("Give it a title; agents find it by that.")
    if not reply.body:
        errors["body"] = _("Write something first.")
    elif unknown := unknown_variables(reply.body):
        errors["body"] = _("Nothing is known as %(names)s. The variables are: %(known)s.") % {
            "names": ", ".join(f"{{{name}}}" for name in unknown),
            "known": ", ".join(f"{{{name}}}" for name in VARIABLES),
        }
    if wrong := [kind for kind in reply.kinds if kind not in Kind.values]:
        errors["kinds"] = _("There is no kind of thread called %(kind)s.") % {"kind": wrong[0]}
    if errors:
        raise ValidationError(errors)

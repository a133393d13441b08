"""The promise register: what staff said they would do by a day, and what is owed when the day has passed."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core import clock, text
from community.core.errors import Conflict, require
from community.core.rows import locked, retried
from community.events.log import is_replaying, record
from community.posts import services as posts
from community.posts.models import Comment
from community.questions.models import Answer, Thread

from . import cases, claims
from .clock import zone
from .models import Escalation, Promise
from .permissions import why_not_work

LONGEST = 300
FURTHEST = timedelta(days=366)
BATCH = 200


def check(what: str, until: datetime) -> None:
    """Raises ValidationError by field."""
    errors = {}
    if not what or len(what) > LONGEST:
        errors["text"] = _("Say what you promise, in at most %(most)d characters.") % {"most": LONGEST}
    if until <= clock.now():
        errors["due_at"] = _("Choose a moment that is still to come.")
    elif until > clock.now() + FURTHEST:
        errors["due_at"] = _("Choose a moment within a year.")
    if errors:
        raise ValidationError(errors)


@retried
def make(thread: Thread, by: User, *, text: str, due_at: datetime, answer: Answer | None = None) -> Promise:
    """Write a promise down; whoever names a day has read the case. The same promise twice is one.

    Raises NotAllowed, ValidationError by field, Conflict.
    """
    require(why_not_work(by))
    case = _held(thread)
    claims.require_free(case, by)
    what = _clean(text)
    check(what, due_at)
    return _make(case, by, what, due_at, answer)


def _make(case: Escalation, by: User, what: str, due_at: datetime, answer: Answer | None = None) -> Promise:
    made, new = Promise.objects.get_or_create(
        escalation=case,
        due_at=due_at,
        text=what,
        state=Promise.State.OPEN,
        defaults={"made_by": by, "department": case.department or by.department, "answer": answer},
    )
    if new:
        if case.is_open and case.acknowledged_at is None and by.speaks_for_brand:
            cases.acknowledge(case, by)
        cases.promise(case, due_at)
        _tell(made, "made", by, due_at=due_at)
    return made


@retried
def keep(promise: Promise, by: User, *, note: str = "") -> Promise:
    """It was done. Twice is harmless."""
    require(why_not_work(by))
    row = _locked(promise)
    if not row.is_open:
        return row
    _end(row, Promise.State.KEPT, by, _clean(note))
    _tell(row, "kept", by, note=row.why)
    return row


@retried
def move(promise: Promise, by: User, *, due_at: datetime, why: str) -> Promise:
    """Another day, with the reason, which the customer reads under the question. Returns the new promise.

    Raises NotAllowed, ValidationError by field, and Conflict when it has ended meanwhile.
    """
    require(why_not_work(by))
    thread = locked(promise.escalation.thread)  # before the case, as everybody who posts: the reason is posted there
    if thread.merged_into is not None:
        thread = locked(thread.merged_into)
    row = _locked(promise)
    if not row.is_open:
        raise Conflict(_("This promise has been answered for already."))
    why = _clean(why)
    errors: dict[str, Any] = {}
    if not why or len(why) > 500:
        errors["why"] = _("Say why, in at most 500 characters; the customer reads it.")
    try:
        check(row.text, due_at)
    except ValidationError as problem:
        errors.update(problem.error_dict)
    if errors:
        raise ValidationError(errors)
    case = row.escalation
    tz = zone(case.department.time_zone if case.department else by.time_zone)
    with translation.override(thread.language):
        said = _("New day for “%(what)s”: %(day)s. %(why)s") % {
            "what": _about(row.text, why), "day": f"{due_at.astimezone(tz):%Y-%m-%d %H:%M %Z}", "why": why,
        }  # fmt: skip
    posts.comment(thread, by, body=said)
    _end(row, Promise.State.MOVED, by, why)
    new = _make(case, by, row.text, due_at, row.answer)
    if not Promise.objects.filter(moved_to=new).exists():  # another of the same words may have moved there before
        row.moved_to = new
        row.save(update_fields=["moved_to"])
    return new


def _about(what: str, why: str) -> str:
    """As much of a promise as fits into a comment beside the reason."""
    return text.excerpt(what, max(40, Comment.LONGEST - len(why) - 80))


def tell(case: Escalation, step: str, by: User | None, what: str, until: datetime | None) -> None:
    """Inside a replay: what the history says of promises, as rows of the register. Told twice is told once.

    A settled case owes nothing any more: what its story doesn't end is kept then.
    """
    now, found = clock.now(), Promise.objects.open().filter(escalation=case)
    if step == "promise made" and until is not None and by is not None:
        Promise.objects.get_or_create(
            escalation=case, due_at=until, text=_clean(what)[:LONGEST],
            defaults={"made_by": by, "department": case.department or by.department, "made_at": now},
        )  # fmt: skip
    elif step == "promise late":
        found.filter(late_at=None).update(late_at=now)
    elif step == "promise kept":
        found.update(state=Promise.State.KEPT, ended_at=now, ended_by=by)


def tell_settled() -> int:
    """Inside a replay, at its end: promises of cases that were settled after their day count as kept by then."""
    ended = 0
    for row in (
        Promise.objects.open().filter(due_at__lte=clock.now(), escalation__state="settled").select_related("escalation")
    ):
        row.state, row.ended_at = Promise.State.KEPT, row.escalation.resolved_at or clock.now()
        row.save(update_fields=["state", "ended_at"])
        ended += 1
    return ended


def find_late(now: datetime | None = None) -> int:
    """A sweep: tell whoever made a promise, and the lead, that its day has passed; once. Returns how many."""
    if is_replaying():
        return 0
    with clock.travel(now or clock.now()) as moment:
        found = Promise.objects.open().shown().filter(due_at__lte=moment, late_at=None).order_by("due_at", "pk")
        return sum(_late(pk, moment) for pk in list(found.values_list("pk", flat=True)[:BATCH]))


@transaction.atomic
def _late(pk: int, moment: datetime) -> int:
    row = Promise.objects.select_related("escalation__department").get(pk=pk)
    cases.held(row.escalation.thread_id)
    if not Promise.objects.open().filter(pk=pk, late_at=None).update(late_at=moment):
        return 0
    row.refresh_from_db()
    lead = row.escalation.department.lead_id if row.escalation.department else None
    _tell(row, "late", None, people=[person for person in (row.made_by_id, lead) if person])
    return 1


def _tell(row: Promise, what: str, by: User | None, *, note: str = "", due_at: datetime | None = None,
          people: list[int] | None = None) -> None:  # fmt: skip
    case = row.escalation
    line = row.text if not note else f"{row.text}: {note}"
    cases.note_down(case, f"promise_{what}", by=by, department=case.department, note=line, due_at=due_at)
    record(
        f"escalation.promise_{what}", actor=by, subject=case.thread, thread=case.thread_id, case=case.pk,
        promise=row.pk, people=people or [],
    )  # fmt: skip


def _end(row: Promise, state: str, by: User, why: str) -> None:
    row.state, row.ended_at, row.ended_by, row.why = state, clock.now(), by, why[:500]
    row.save(update_fields=["state", "ended_at", "ended_by", "why"])


def _held(thread: Thread) -> Escalation:
    case = cases.held(thread)
    if case is None:
        raise Conflict(_("Nobody looks after this thread: it has no case."))
    return case


def _locked(promise: Promise) -> Promise:
    """The promise as it is now, held after its case, as everybody who holds both."""
    case = cases.held(promise.escalation.thread_id)
    row = locked(promise)
    if case is not None:
        row.escalation = case
    return row


def _clean(words: str) -> str:
    return text.clean_line(words)


# Days in a text ---------------------------------------------------------------------------------------------

MONTHS = {
    month: number
    for number, names in enumerate(
        (
            "january januar jan", "february februar feb", "march märz mar", "april apr", "may mai", "june juni jun",
            "july juli jul", "august aug", "september sep", "october oktober oct okt", "november nov",
            "december dezember dec dez",
        ),
        start=1,
    )
    for month in names.split()
}  # fmt: skip
WEEKDAYS = {
    day: number
    for number, names in enumerate(
        (
            "monday montag", "tuesday dienstag", "wednesday mittwoch", "thursday donnerstag", "friday freitag",
            "saturday samstag sonnabend", "sunday sonntag",
        )
    )
    for day in names.split()
}  # fmt: skip
# A weekday alone may tell of the past; with one of these before it, it is a promise.
UNTIL = r"(?:by|until|before|on|next|bis|am|vor|nächsten|kommenden)"
_ISO = re.compile(r"\b(20\d\d)-(\d\d)-(\d\d)\b")
_DOTTED = re.compile(r"\b(\d{1,2})\.(\d{1,2})\.(20\d\d)?(?!\d)")
_DAY_MONTH = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th|\.)?\s+({'|'.join(MONTHS)})\b", re.IGNORECASE)
_MONTH_DAY = re.compile(rf"\b({'|'.join(MONTHS)})\s+(\d{{1,2}})(?:st|nd|rd|th)?\b", re.IGNORECASE)
_WEEKDAY = re.compile(rf"\b{UNTIL}\s+({'|'.join(WEEKDAYS)})\b", re.IGNORECASE)
_TOMORROW = re.compile(rf"\b{UNTIL}\s+(?:tomorrow|morgen)\b", re.IGNORECASE)


def day_named(words: str, today: date) -> date | None:
    """The first day still to come that a text names, in English or German; None when it names none.

    For the desk, which asks whether it is a promise. A day without a year is the next one of its name.
    """
    found: list[tuple[int, date]] = []
    for match in _ISO.finditer(words):
        _add(found, match.start(), int(match[1]), int(match[2]), int(match[3]))
    for match in _DOTTED.finditer(words):
        _next(found, match.start(), today, int(match[2]), int(match[1]), match[3])
    for match in _DAY_MONTH.finditer(words):
        _next(found, match.start(), today, MONTHS[match[2].lower()], int(match[1]))
    for match in _MONTH_DAY.finditer(words):
        _next(found, match.start(), today, MONTHS[match[1].lower()], int(match[2]))
    for match in _WEEKDAY.finditer(words):
        ahead = (WEEKDAYS[match[1].lower()] - today.weekday()) % 7 or 7
        found.append((match.start(), today + timedelta(days=ahead)))
    for match in _TOMORROW.finditer(words):
        found.append((match.start(), today + timedelta(days=1)))
    ahead_of_us = sorted((at, day) for at, day in found if today < day <= today + FURTHEST)
    return ahead_of_us[0][1] if ahead_of_us else None


def _add(found: list[tuple[int, date]], at: int, year: int, month: int, day: int) -> None:
    try:
        found.append((at, date(year, month, day)))
    except ValueError:
        return


def _next(found: list[tuple[int, date]], at: int, today: date, month: int, day: int, year: str | None = None) -> None:
    if year:
        _add(found, at, int(year), month, day)
        return
    before = len(found)
    _add(found, at, today.year, month, day)
    if len(found) > before and found[-1][1] <= today:
        found.pop()
        _add(found, at, today.year + 1, month, day)

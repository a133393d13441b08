"""What comes back: posted by staff, received in a signed letter, asked for each week until it is said."""

from __future__ import annotations

import json

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core import clock, text
from community.core.errors import Conflict, NotAllowed, require
from community.core.rows import retried
from community.events.log import is_replaying, record
from community.moderation.permissions import why_not_write
from community.posts import services as posts
from community.posts.models import Comment

from .. import cases
from ..models import Channel, HandOff, ReceivedOutcome
from ..permissions import why_not_work, works_cases
from .channels import is_signed
from .ground import ASK_AGAIN, BATCH, LONGEST_NOTE, LONGEST_OUTCOME, State, drop_mail, hold


def tell_outcome(reference: str, by: User | None, outcome: str) -> None:
    """Inside a replay: this came of it; the thread itself says so in the story's own words."""
    HandOff.objects.filter(reference=reference, state__in=HandOff.RUNNING).update(
        state=State.DONE, outcome=outcome, outcome_by=by, outcome_at=clock.now()
    )


def without_clock() -> QuerySet[HandOff]:
    """Hand-offs without an outcome whose case nothing will wake: it is settled, or an idea with a plan."""
    found = HandOff.objects.filter(state__in=HandOff.RUNNING)
    return found.filter(escalation__next_due_at=None, escalation__paused_since=None)


def ask_what_came(limit: int = BATCH) -> int:
    """A sweep: ask whoever handed a case over what came of it, each week until it is said; returns how many were asked.

    While the clocks of a case run, they tell staff; a settled case has none. Two sweeps at once ask once.
    """
    if is_replaying():
        return 0
    now, asked = clock.now(), 0
    due = HandOff.objects.filter(state__in=HandOff.RUNNING, remind_at__lte=now).order_by("remind_at", "pk")
    for pk, was_due in list(due.values_list("pk", "remind_at")[:limit]):
        with transaction.atomic():
            mine = HandOff.objects.filter(pk=pk, remind_at=was_due, state__in=HandOff.RUNNING)
            if not mine.update(remind_at=now + ASK_AGAIN):
                continue
            row = without_clock().select_related("escalation__thread__merged_into", "escalation__department__lead",
                                                 "escalation__assignee", "by").filter(pk=pk).first()  # fmt: skip
            if row is None or not (row.escalation.thread.merged_into or row.escalation.thread).is_visible:
                continue
            case = row.escalation
            lead = case.department.lead if case.department else None
            people = [one.pk for one in (row.by, case.assignee, lead) if works_cases(one)]
            cases.note_down(case, "outcome_awaited", department=row.department, reference=row.reference)
            record(
                "escalation.outcome_awaited", actor=None, subject=case.thread, thread=case.thread_id, case=case.pk,
                reference=row.reference, people=people[:1],
            )  # fmt: skip
            asked += 1
    return asked


@retried
def post_outcome(hand_off: HandOff, by: User | None, *, outcome: str, note: str = "") -> HandOff:
    """What came of it: posted under the question by whoever handed it over, and the history. Twice is harmless.

    `by` is the agent who writes it down; None when the channel tells us itself: what the thread
    does not take then is kept for staff. Raises NotAllowed, ValidationError, and Conflict when the thread is closed.
    """
    if by is not None:
        require(why_not_work(by))
    outcome, note = text.clean_source(outcome).strip(), text.clean_source(note).strip()
    errors = {}
    if not outcome or len(outcome) > LONGEST_OUTCOME:
        errors["outcome"] = _("Say what came of it, in at most %(most)d characters. Everybody reads it.") % {
            "most": LONGEST_OUTCOME
        }
    if len(note) > LONGEST_NOTE:
        errors["note"] = _("At most %(most)d characters.") % {"most": LONGEST_NOTE}
    if errors:
        raise ValidationError(errors)
    row = hold(hand_off)
    if not row.is_running:
        return row
    row.state, row.next_try_at = State.DONE, None
    row.outcome, row.outcome_note, row.outcome_at, row.outcome_by = outcome, note, clock.now(), by
    row.save()
    drop_mail(row)
    case = row.escalation
    target = case.thread.merged_into or case.thread
    with translation.override(target.language):
        said = _("What came of %(reference)s (%(channel)s): %(outcome)s") % {
            "reference": row.reference, "channel": row.channel.name, "outcome": outcome,
        }  # fmt: skip
    try:
        with transaction.atomic():
            posts.comment(target, by or _speaker(row), body=said[: Comment.LONGEST])
    except (Conflict, NotAllowed, ValidationError) as problem:
        if by is not None:
            raise
        _not_posted(row, " ".join(getattr(problem, "messages", [str(problem)])))
        return row
    cases.note_down(case, "outcome_posted", by=by, department=row.department, reference=row.reference, note=outcome)
    record(
        "escalation.outcome_posted", actor=by, subject=case.thread, thread=case.thread_id, case=case.pk,
        reference=row.reference,
    )  # fmt: skip
    return row


def _speaker(row: HandOff) -> User:
    """Who posts what a channel tells: whoever handed it over, else whose case it is, else the department's lead."""
    case = row.escalation
    lead = case.department.lead if case.department else None
    able = (one for one in (row.by, case.assignee, lead) if one is not None and not why_not_write(one))
    return next(able, row.by)


def _not_posted(row: HandOff, why: str) -> None:
    """A channel told what came of it, and the thread did not take it: staff see it at the case and are told."""
    case = row.escalation
    cases.note_down(case, "outcome_not_posted", department=row.department, reference=row.reference, note=why)
    record(
        "escalation.outcome_not_posted", actor=None, subject=case.thread, thread=case.thread_id, case=case.pk,
        reference=row.reference, by=row.by_id,
    )  # fmt: skip


def receive(channel: Channel, *, timestamp: str, signed: str, body: bytes) -> HandOff:
    """A letter of a channel with what came of a hand-off: {"id", "reference", "outcome"}.

    Raises NotAllowed when it isn't signed as it should be or is older than five minutes, Conflict when its id was
    used before, ValidationError when it can't be read. The id stands in the body, so that it is signed too.
    """
    if not channel.active or not is_signed(channel, timestamp, signed, body):
        raise NotAllowed(_("The signature is not right, or too old."))
    try:
        letter = json.loads(body)
        delivery, reference, outcome = (str(letter[name]) for name in ("id", "reference", "outcome"))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ValidationError(_("Not readable: a JSON object with id, reference and outcome is expected.")) from None
    if not 8 <= len(delivery) <= 100:
        raise ValidationError({"id": _("An id has 8 to 100 characters.")})
    if any(sign == "\0" or "\ud800" <= sign <= "\udfff" for sign in delivery + reference):  # no database takes them
        raise ValidationError(_("Not readable: a JSON object with id, reference and outcome is expected."))
    found = HandOff.objects.select_related("channel", "escalation__thread").filter(
        channel=channel, reference=reference
    ).first()  # fmt: skip
    if found is None:
        raise ValidationError({"reference": _("No hand-off of this channel has this reference.")})
    with transaction.atomic():
        try:
            with transaction.atomic():
                ReceivedOutcome.objects.create(channel=channel, delivery=delivery, at=clock.now())
        except IntegrityError:
            raise Conflict(_("This id was used before.")) from None
        if len(outcome) > LONGEST_OUTCOME:
            outcome = outcome[: LONGEST_OUTCOME - 1] + "…"
        return post_outcome(found, None, outcome=outcome)

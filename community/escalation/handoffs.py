"""Handing a case to a traditional channel: a helpdesk by mail, a webhook, a call back by telephone.

The thread stays open to everybody, with the reference; what comes back is posted there. The customer says it once.
Mails go by the outbox. Webhooks wait in their own rows for the worker: the same body, id and reference at every try.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import secrets
import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import CharField, Exists, F, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.utils import translation
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core import clock, outbox, outgoing, text
from community.core.errors import Conflict, NotAllowed, require
from community.core.models import Delivery
from community.core.rows import locked
from community.events.log import is_replaying, record
from community.moderation.permissions import why_not_write
from community.posts import services as posts
from community.posts.models import Comment
from community.questions import services as questions
from community.questions.models import Answer, PrivateDetails, Thread

from . import cases, claims, remembered
from .models import Alarm, Channel, Escalation, HandOff, ReceivedOutcome
from .permissions import why_not_manage_channels, why_not_work, works_cases

logger = logging.getLogger(__name__)

State = HandOff.State
# Seven tries over a day and an hour (CHECKS 39: five at least, over 24 hours at least).
BACK_OFF = [timedelta(minutes=minutes) for minutes in (1, 10, 60, 240, 480, 720)]
LEASE = timedelta(minutes=5)  # a worker that died while it sent
BATCH = 50
A_RUN = 20.0  # seconds
KEPT = timedelta(days=90)  # alarms that have ended
ASK_AGAIN = timedelta(days=7)  # without a word of what came of it
FRESH = timedelta(minutes=5)  # how old a letter from outside may be
OLD_SECRET = timedelta(days=1)
LONGEST_NOTE, LONGEST_OUTCOME, LONGEST_BODY = 2000, 500, 64 * 1024
LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # none that is mistaken for another on the telephone


# Channels


@transaction.atomic
def save_channel(channel: Channel, by: User | None, departments: Any = ()) -> Channel:
    """Write where cases can go. Saving one that had been switched off by failures switches it on again.

    Raises NotAllowed, ValidationError by field.
    """
    if not is_replaying():
        require(why_not_manage_channels(by))
    errors: dict[str, Any] = {}
    if channel.kind == Channel.Kind.MAIL and not channel.address:
        errors["address"] = _("Give the address of the helpdesk.")
    if channel.kind == Channel.Kind.WEBHOOK:
        try:
            outgoing.check(channel.url)
        except ValidationError as problem:
            errors["url"] = problem.messages
    if errors:
        raise ValidationError(errors)
    channel.disabled_at, channel.disabled_because = None, ""
    channel.save()
    channel.departments.set(departments)
    remembered.forget()
    return channel


@transaction.atomic
def change_secret(channel: Channel, by: User) -> str:
    """A new secret; the old one is still listened to for a day. Returns the new one, to be shown once."""
    require(why_not_manage_channels(by))
    row = locked(channel)
    row.previous_secret, row.secret, row.changed_secret_at = row.secret, secrets.token_urlsafe(32), clock.now()
    row.save(update_fields=["previous_secret", "secret", "changed_secret_at"])
    return row.secret


# Handing over


@transaction.atomic
def hand_off(thread: Thread, by: User, channel: Channel, *, note: str = "", with_private: bool = False) -> HandOff:
    """Send a case on. While it is with a channel, the same again is the same hand-off.

    `with_private` sends what only staff may see along, by mail alone, and is written down as a look.
    Raises NotAllowed, ValidationError by field, Conflict.
    """
    require(why_not_work(by))
    case = cases.held(thread)
    if case is None or not case.is_open:
        raise Conflict(_("This case is settled. Reopen it first."))
    claims.require_free(case, by)
    note = text.clean_source(note).strip()
    running = HandOff.objects.filter(escalation=case, channel=channel, state__in=HandOff.RUNNING).first()
    if running is not None:
        return running
    _check(channel, case, note)
    if case.acknowledged_at is None:
        cases.acknowledge(case, by)
    made = HandOff.objects.create(
        escalation=case, channel=channel, reference=_new_reference(), by=by, department=case.department, note=note,
        with_private=with_private and channel.kind == Channel.Kind.MAIL, created_at=clock.now(),
        remind_at=clock.now() + ASK_AGAIN,
    )  # fmt: skip
    _send(made, case)
    cases.note_down(case, "handed_off", by=by, department=case.department, reference=made.reference, note=channel.name)
    record(
        "escalation.handed_off", actor=by, subject=case.thread, thread=case.thread_id, case=case.pk,
        reference=made.reference, channel=channel.slug,
    )  # fmt: skip
    return made


def _check(channel: Channel, case: Escalation, note: str) -> None:
    errors = {}
    if not channel.is_usable:
        errors["channel"] = _("%(name)s does not take cases just now.") % {"name": channel.name}
    elif channel.kind == Channel.Kind.CALL:
        if not PrivateDetails.objects.filter(thread=case.thread_id).exclude(phone="").exists():
            errors["channel"] = _("The customer has left no telephone number. Ask for it first.")
    elif not note:
        errors["note"] = _("Say what is to be done there.")
    if len(note) > LONGEST_NOTE:
        errors["note"] = _("At most %(most)d characters.") % {"most": LONGEST_NOTE}
    if errors:
        raise ValidationError(errors)


def _new_reference() -> str:
    """One that can be said on the telephone: H-7K3M9QX."""
    while True:
        made = "H-" + "".join(secrets.choice(LETTERS) for _letter in range(7))
        if not HandOff.objects.filter(reference=made).exists():
            return made


def _send(made: HandOff, case: Escalation) -> None:
    channel = made.channel
    if channel.kind == Channel.Kind.MAIL:
        outbox.queue(
            kind=outbox.TRANSACTIONAL,
            address=channel.address,
            subject=f"[{made.reference}] {case.thread.title}",
            text=_mail(made, case),
            headers={"Reply-To": made.department.mailbox} if made.department and made.department.mailbox else {},
            key=mail_key(made.pk),
        )
    elif channel.kind == Channel.Kind.WEBHOOK:
        made.payload = json.dumps(_payload(made, case), ensure_ascii=False)
        made.next_try_at = clock.now()
        made.save(update_fields=["payload", "next_try_at"])
        _nudge()
    else:
        made.state = State.SENT
        made.save(update_fields=["state"])


def mail_key(pk: int | str) -> str:
    """Under which key the outbox has the mail of a hand-off."""
    return f"hand-off:{pk}"


def _drop_mail(row: HandOff) -> None:
    """What has not gone out goes nowhere any more, nor is one in flight tried again."""
    State = Delivery.State
    Delivery.objects.filter(key=mail_key(row.pk), state__in=[State.QUEUED, State.SENDING, State.PARKED]).update(
        state=State.DROPPED, claim=None, claimed_at=None
    )


def _nudge() -> None:
    from .tasks import send_hand_offs

    send_hand_offs.enqueue()


def _posts(case: Escalation) -> list[Answer]:
    return list(
        Answer.objects.visible()
        .filter(thread=case.thread_id)
        .select_related("author")
        .order_by("created_at", "pk")[:20]
    )


def _address(case: Escalation) -> str:
    return f"{settings.BASE_URL}{case.thread.get_absolute_url()}"


def _mail(made: HandOff, case: Escalation) -> str:
    """Everything that was said, so that the customer need not say it again."""
    thread = case.thread
    lines = [
        _("%(who)s of %(department)s hands this to you. Reference: %(reference)s") % {
            "who": made.by.name, "department": str(made.department) if made.department else "",
            "reference": made.reference,
        },
        "", made.note, "", _address(case), "",
        f"{thread.author.get_short_name()}: {thread.title}", "", thread.body_text,
    ]  # fmt: skip
    for answer in _posts(case):
        lines += ["", f"{answer.author.get_short_name()}:", answer.body_text]
    if made.with_private:
        details = questions.view_private_details(thread, made.by)
        if details is not None:
            lines += ["", _("Private details, for you alone:")]
            lines += [
                f"{label}: {value}"
                for label, value in (
                    (_("Serial number"), details.serial),
                    (_("Order number"), details.order_number),
                    (_("Telephone"), details.phone),
                    (_("When to ring"), details.call_when),
                    (_("Note"), details.note),
                )
                if value
            ]
    return "\n".join(lines)


def _payload(made: HandOff, case: Escalation) -> dict[str, Any]:
    """What a webhook is told. Nothing that only staff may see."""
    thread = case.thread
    return {
        "id": str(made.delivery),
        "type": "case.handed_off",
        "reference": made.reference,
        "created_at": made.created_at.isoformat(),
        "department": made.department.slug if made.department else "",
        "note": made.note,
        "outcome_to": f"{settings.BASE_URL}/hooks/outcomes/{made.channel.slug}/",
        "thread": {
            "id": thread.pk,
            "url": _address(case),
            "kind": thread.kind,
            "title": thread.title,
            "text": thread.body_text,
            "language": thread.language,
            "product": thread.product.slug if thread.product else "",
            "asked_by": thread.author.get_short_name(),
            "asked_at": thread.created_at.isoformat(),
        },
        "answers": [
            {"by": answer.author.get_short_name(), "at": answer.created_at.isoformat(), "text": answer.body_text}
            for answer in _posts(case)
        ],
    }


@transaction.atomic
def withdraw(hand_off: HandOff, by: User) -> HandOff:
    """It is looked after here after all. Twice is harmless; what has gone out can't be recalled."""
    require(why_not_work(by))
    row = _held(hand_off)
    if row.is_running:
        row.state, row.next_try_at = State.WITHDRAWN, None
        row.save(update_fields=["state", "next_try_at"])
        _drop_mail(row)
        cases.note_down(row.escalation, "hand_off_withdrawn", by=by, reference=row.reference)
    return row


@transaction.atomic
def try_again(hand_off: HandOff, by: User) -> HandOff:
    """Send once more what could not be handed over. Only what has failed; twice is harmless."""
    require(why_not_work(by))
    row = _held(hand_off)
    if row.state != State.FAILED:
        return row
    if not row.channel.is_usable:
        raise Conflict(
            _("%(name)s is switched off. A community manager can switch it on.") % {"name": row.channel.name}
        )
    row.state = State.WAITING
    if row.channel.kind == Channel.Kind.WEBHOOK:
        row.attempts, row.next_try_at = 0, clock.now()
        _nudge()
    else:
        Delivery.objects.filter(key=mail_key(row.pk)).update(
            address=row.channel.address, state=Delivery.State.QUEUED, attempts=0, due_at=clock.now()
        )
    row.save(update_fields=["state", "attempts", "next_try_at"])
    return row


def _held(hand_off: HandOff) -> HandOff:
    """The hand-off as it is now, held after its thread, the one that went into, and its case: an outcome is posted
    to the thread."""
    thread = locked(hand_off.escalation.thread)
    if thread.merged_into is not None:
        locked(thread.merged_into)
    case = cases.held(hand_off.escalation.thread_id)
    row = locked(hand_off)
    if case is not None:
        row.escalation = case
    return row


def tell(case: Escalation, by: User, channel: Channel, reference: str, note: str) -> None:
    """Inside a replay: it was handed over. Told twice is told once."""
    HandOff.objects.get_or_create(
        reference=reference,
        defaults={
            "escalation": case, "channel": channel, "by": by, "department": case.department, "note": note,
            "state": State.SENT, "created_at": clock.now(), "remind_at": clock.now() + ASK_AGAIN,
        },
    )  # fmt: skip


def tell_outcome(reference: str, by: User | None, outcome: str) -> None:
    """Inside a replay: this came of it; the thread itself says so in the story's own words."""
    HandOff.objects.filter(reference=reference, state__in=HandOff.RUNNING).update(
        state=State.DONE, outcome=outcome, outcome_by=by, outcome_at=clock.now()
    )


def threads_held() -> QuerySet[Any]:
    """Threads that are with a channel: their private details are needed still (RULINGS 18). Not those of a deleted
    thread, of which nobody waits for anything."""
    return (
        HandOff.objects.filter(state__in=HandOff.RUNNING)
        .exclude(escalation__thread__visibility="deleted", escalation__thread__merged_into=None)
        .values("escalation__thread")
    )


# The worker's part


def send_due(limit: int = BATCH) -> int:
    """Send the webhooks that are due; safe with any number of workers. Returns how many were taken.

    After 20 seconds on the wall the others wait for the next run: servers that hang keep no other sweep waiting.
    """
    if is_replaying():
        return 0
    began = time.monotonic()
    due = HandOff.objects.filter(next_try_at__lte=clock.now()).order_by("next_try_at", "pk")
    sent = 0
    for pk, was_due in list(due.values_list("pk", "next_try_at")[:limit]):
        if time.monotonic() - began > A_RUN:
            break
        mine = HandOff.objects.filter(pk=pk, next_try_at=was_due, state=State.WAITING)
        if mine.update(next_try_at=clock.now() + LEASE, attempts=F("attempts") + 1):
            sent += 1
            _try(HandOff.objects.select_related("channel", "escalation__thread").get(pk=pk))
    return sent


def send_alarms(limit: int = BATCH) -> int:
    """Tell the webhooks what rungs have for them; safe with any number of workers. Returns how many were taken."""
    if is_replaying():
        return 0
    began, sent = time.monotonic(), 0
    due = Alarm.objects.filter(next_try_at__lte=clock.now()).order_by("next_try_at", "pk")
    for pk, was_due in list(due.values_list("pk", "next_try_at")[:limit]):
        if time.monotonic() - began > A_RUN:
            break
        mine = Alarm.objects.filter(pk=pk, next_try_at=was_due, state=Alarm.State.WAITING)
        if mine.update(next_try_at=clock.now() + LEASE, attempts=F("attempts") + 1):
            sent += 1
            _try_alarm(Alarm.objects.select_related("channel", "escalation__thread").get(pk=pk))
    Alarm.objects.filter(created_at__lt=clock.now() - KEPT, next_try_at=None).delete()
    return sent


def _try_alarm(row: Alarm) -> None:
    """Once; later again when it fails. After the last try the channel is switched off, as with hand-offs."""
    mine = Alarm.objects.filter(pk=row.pk, state=Alarm.State.WAITING)
    if not row.escalation.thread.is_visible:
        mine.update(state=Alarm.State.DROPPED, next_try_at=None)
        return
    problem = _post(row)
    if not problem:
        mine.update(state=Alarm.State.SENT, next_try_at=None, last_error="")
    elif row.attempts <= len(BACK_OFF) and row.channel.is_usable:
        mine.update(last_error=problem, next_try_at=clock.now() + BACK_OFF[row.attempts - 1])
    else:
        mine.update(state=Alarm.State.FAILED, last_error=problem, next_try_at=None)
        _switch_off(row.channel, problem)


def _switch_off(channel: Channel, why: str) -> None:
    Channel.objects.filter(pk=channel.pk, disabled_at=None).update(disabled_at=clock.now(), disabled_because=why[:300])
    remembered.forget()


def signature(secret: str, timestamp: str, body: bytes) -> str:
    return "sha256=" + hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _try(row: HandOff) -> None:
    if row.state != State.WAITING:  # taken back, or its asker erased, since it was chosen
        return
    if problem := _post(row):
        _failed(row, problem)
        return
    HandOff.objects.filter(pk=row.pk, state=State.WAITING).update(state=State.SENT, next_try_at=None, last_error="")


def _post(row: HandOff | Alarm) -> str:
    """Send a signed letter. Returns what was wrong, or nothing."""
    body, stamp = row.payload.encode(), str(int(clock.now().timestamp()))
    headers = {
        "Content-Type": "application/json",
        "X-Community-Delivery": str(row.delivery),
        "X-Community-Timestamp": stamp,
        "X-Community-Signature": signature(row.channel.secret, stamp, body),
    }
    try:
        if not row.channel.is_usable:
            raise outgoing.Refused("the channel is switched off")
        reply = outgoing.post(row.channel.url, body, headers)
        if not reply.is_fine:
            raise outgoing.Refused(f"answered {reply.status}")
    except outgoing.Refused as problem:
        return str(problem)[:300] or "refused"
    return ""


@transaction.atomic
def _failed(row: HandOff, problem: str) -> None:
    """Later again; after the last try the channel is switched off and staff are told."""
    row = _held(row)
    if row.state != State.WAITING:
        return
    row.last_error = problem[:300]
    if row.attempts <= len(BACK_OFF) and row.channel.is_usable:
        row.next_try_at = clock.now() + BACK_OFF[row.attempts - 1]
        row.save(update_fields=["last_error", "next_try_at"])
        return
    _switch_off(row.channel, row.last_error)
    _gave_up(row)


def _gave_up(row: HandOff) -> None:
    row.state, row.next_try_at = State.FAILED, None
    row.save(update_fields=["state", "next_try_at", "last_error"])
    case = row.escalation
    cases.note_down(case, "hand_off_failed", reference=row.reference, note=row.last_error)
    record(
        "escalation.hand_off_failed", actor=None, subject=case.thread, thread=case.thread_id, case=case.pk,
        reference=row.reference, by=row.by_id, channel=row.channel.slug,
    )  # fmt: skip


def follow_mails() -> int:
    """A sweep: which mails to helpdesks have gone, and which never will. Returns how many it settled."""
    settled_mail = Delivery.objects.filter(key=Concat(Value(mail_key("")), Cast(OuterRef("pk"), CharField()))).exclude(
        state__in=[Delivery.State.QUEUED, Delivery.State.SENDING]
    )
    found = HandOff.objects.filter(Exists(settled_mail), state=State.WAITING, channel__kind=Channel.Kind.MAIL)
    waiting = {
        mail_key(row.pk): row for row in found.select_related("channel", "escalation__thread").order_by("pk")[:BATCH]
    }
    settled = 0
    for delivery in Delivery.objects.filter(key__in=waiting):
        row = waiting[delivery.key]
        if delivery.state == Delivery.State.SENT:
            settled += HandOff.objects.filter(pk=row.pk, state=State.WAITING).update(state=State.SENT)
        elif delivery.state in (Delivery.State.PARKED, Delivery.State.DROPPED):
            with transaction.atomic():
                held = _held(row)
                if held.state == State.WAITING:
                    held.last_error = delivery.last_error
                    _gave_up(held)
                    settled += 1
    return settled


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


def sweep() -> None:
    """Ticked by the worker."""
    send_due()
    send_alarms()
    follow_mails()
    ask_what_came()
    ReceivedOutcome.objects.filter(at__lt=clock.now() - timedelta(days=1)).delete()  # older letters are refused anyhow


# What comes back


@transaction.atomic
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
    row = _held(hand_off)
    if not row.is_running:
        return row
    row.state, row.next_try_at = State.DONE, None
    row.outcome, row.outcome_note, row.outcome_at, row.outcome_by = outcome, note, clock.now(), by
    row.save()
    _drop_mail(row)
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
    if not channel.active or not _is_signed(channel, timestamp, signed, body):
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


def _is_signed(channel: Channel, timestamp: str, signed: str, body: bytes) -> bool:
    if not timestamp.isdecimal() or len(timestamp) > 12 or not signed.isascii():
        return False
    now = clock.now()
    if abs(now.timestamp() - int(timestamp)) > FRESH.total_seconds():
        return False
    known = [channel.secret]
    if channel.previous_secret and channel.changed_secret_at and now - channel.changed_secret_at < OLD_SECRET:
        known.append(channel.previous_secret)
    # All of them are compared, each in constant time.
    fits = [hmac.compare_digest(signature(secret, timestamp, body), signed) for secret in known]
    return any(fits)

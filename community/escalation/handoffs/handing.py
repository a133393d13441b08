"""Handing a case over, taking it back, trying again: what staff do, and what is sent."""

from __future__ import annotations

import json
import secrets
from typing import Any

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core import clock, outbox, text
from community.core.errors import Conflict, require
from community.core.models import Delivery
from community.core.rows import retried
from community.events.log import record
from community.posts.models import Comment
from community.questions import services as questions
from community.questions.models import Answer, PrivateDetails, Thread

from .. import cases, claims
from ..models import Channel, Escalation, HandOff
from ..permissions import why_not_work
from .ground import ASK_AGAIN, LONGEST_NOTE, State, drop_mail, hold, mail_key

MOST_SAID = 50  # answers, and comments, that go along with a case
LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # none that is mistaken for another on the telephone


@retried
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


def _nudge() -> None:
    from ..tasks import send_hand_offs

    send_hand_offs.enqueue()


def _said(case: Escalation) -> list[Answer | Comment]:
    """What was said under the thread, the oldest first: answers, and comments under it and under them, in which
    askers say what they were asked for. The last fifty of each."""
    answers = Answer.objects.visible().filter(thread=case.thread_id).select_related("author")
    types = ContentType.objects.get_for_models(Thread, Answer)
    here = Q(target_type=types[Thread], target_id=case.thread_id)
    here |= Q(target_type=types[Answer], target_id__in=answers.order_by().values("pk"))
    comments = Comment.objects.visible().filter(here).select_related("author")
    both: list[Answer | Comment] = [
        *answers.order_by("-created_at", "-pk")[:MOST_SAID], *comments.order_by("-created_at", "-pk")[:MOST_SAID]
    ]  # fmt: skip
    return sorted(both, key=lambda post: post.created_at)


def _about(thread: Thread) -> str:
    """The product and what its owner has of it."""
    return " · ".join(filter(None, [thread.product.name if thread.product else "", thread.model_version]))


def _as_told(post: Answer | Comment) -> dict[str, str]:
    return {"by": post.author.get_short_name(), "at": post.created_at.isoformat(), "text": post.body_text}


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
        f"{thread.author.get_short_name()}: {thread.title}", *filter(None, [_about(thread)]), "", thread.body_text,
    ]  # fmt: skip
    for post in _said(case):
        lines += ["", f"{post.author.get_short_name()}:", post.body_text]
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
    thread, said = case.thread, _said(case)
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
            "model": thread.model_version,
            "asked_by": thread.author.get_short_name(),
            "asked_at": thread.created_at.isoformat(),
        },
        "answers": [_as_told(post) for post in said if isinstance(post, Answer)],
        "comments": [_as_told(post) for post in said if isinstance(post, Comment)],
    }


@retried
def withdraw(hand_off: HandOff, by: User) -> HandOff:
    """It is looked after here after all. Twice is harmless; what has gone out can't be recalled."""
    require(why_not_work(by))
    row = hold(hand_off)
    if row.is_running:
        row.state, row.next_try_at = State.WITHDRAWN, None
        row.save(update_fields=["state", "next_try_at"])
        drop_mail(row)
        cases.note_down(row.escalation, "hand_off_withdrawn", by=by, reference=row.reference)
    return row


@retried
def try_again(hand_off: HandOff, by: User) -> HandOff:
    """Send once more what could not be handed over. Only what has failed; twice is harmless."""
    require(why_not_work(by))
    row = hold(hand_off)
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


def tell(case: Escalation, by: User, channel: Channel, reference: str, note: str) -> None:
    """Inside a replay: it was handed over. Told twice is told once."""
    HandOff.objects.get_or_create(
        reference=reference,
        defaults={
            "escalation": case, "channel": channel, "by": by, "department": case.department, "note": note,
            "state": State.SENT, "created_at": clock.now(), "remind_at": clock.now() + ASK_AGAIN,
        },
    )  # fmt: skip


def threads_held() -> QuerySet[Any]:
    """Threads that are with a channel: their private details are needed still (RULINGS 18). Not those of a deleted
    thread, of which nobody waits for anything."""
    return (
        HandOff.objects.filter(state__in=HandOff.RUNNING)
        .exclude(escalation__thread__visibility="deleted", escalation__thread__merged_into=None)
        .values("escalation__thread")
    )

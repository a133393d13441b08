"""A rung that also goes to the mailbox or the webhooks of its department: a shared inbox, a pager, a chat."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from community.core import clock, outbox
from community.events.log import is_replaying

from . import remembered
from .clock import zone
from .models import Alarm, Channel, Escalation, StepKind


def to_mailbox(case: Escalation, row: dict[str, Any]) -> None:
    """Queue one mail per case, round and rung; nothing in a replay, and nothing where there is no mailbox."""
    department = case.department
    if department is None or not department.mailbox or is_replaying():
        return
    due = case.resolve_due_at if case.acknowledged_at else case.acknowledge_due_at
    lines = [
        _("%(what)s: %(title)s") % {"what": StepKind(row["kind"]).label, "title": case.thread.title},
        _("Written by %(name)s.") % {"name": case.thread.author},
    ]
    if due is not None:
        local = due.astimezone(zone(department.time_zone))
        lines.append(_("An answer is promised until %(when)s (%(zone)s).") % {
            "when": f"{local:%Y-%m-%d %H:%M}", "zone": department.time_zone,
        })  # fmt: skip
    if row.get("note"):
        lines.append(row["note"])
    path = reverse("escalation:case", args=[case.thread_id])
    lines += ["", settings.BASE_URL.rstrip("/") + path]
    outbox.queue(
        kind=outbox.TRANSACTIONAL,
        address=department.mailbox,
        subject=_("Case: %(title)s") % {"title": case.thread.title},
        text="\n".join(lines),
        key=f"case:{case.pk}:{case.round}:{row['position']}",
    )


def webhooks(department: int | None) -> list[Channel]:
    """The webhooks in use that a department has: its own, and those for all."""
    return [one for one in remembered.channels(department) if one.kind == Channel.Kind.WEBHOOK]


def to_webhooks(case: Escalation, row: dict[str, Any]) -> None:
    """Write one alarm per case, round, rung and webhook, for the worker to send; nothing in a replay."""
    if is_replaying():
        return
    now = clock.now()
    due = case.resolve_due_at if case.acknowledged_at else case.acknowledge_due_at
    for channel in webhooks(case.department_id):
        delivery = uuid.uuid4()
        told = {
            "id": str(delivery),
            "type": "case.escalated",
            "rung": row["kind"],
            "note": row.get("note", ""),
            "at": now.isoformat(),
            "round": case.round,
            "department": case.department.slug if case.department else "",
            "promised_until": due.isoformat() if due else None,
            "late": case.late_at is not None,
            "case": settings.BASE_URL.rstrip("/") + reverse("escalation:case", args=[case.thread_id]),
            "thread": {
                "id": case.thread_id,
                "url": settings.BASE_URL.rstrip("/") + case.thread.get_absolute_url(),
                "kind": case.thread.kind,
                "title": case.thread.title,
                "language": case.thread.language,
            },
        }
        Alarm.objects.get_or_create(
            escalation=case, channel=channel, round=case.round, position=row["position"],
            defaults={
                "delivery": delivery, "payload": json.dumps(told, ensure_ascii=False), "next_try_at": now,
                "created_at": now,
            },
        )  # fmt: skip

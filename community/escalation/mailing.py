"""A rung that also goes to the mailbox of its department: a shared inbox is read by whoever is there."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from community.core import outbox
from community.events.log import is_replaying

from .clock import zone
from .models import Escalation, StepKind


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

"""The way of an idea."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core import clock
from community.core.errors import require
from community.core.rows import locked
from community.events.log import is_replaying, record

from .. import facts, permissions
from ..models import (
    IdeaStatus,
    Thread,
)
from .checks import copy_facts


@transaction.atomic
def set_idea_status(thread: Thread, by: User, status: str, reason: str) -> None:
    """Staff say what becomes of an idea, and why."""
    row = locked(thread)
    if not is_replaying():
        require(permissions.why_not_moderate_thread(by))
        facts.check_transition(row, "idea_status")
    if status not in IdeaStatus.values:
        raise ValidationError({"status": _("Choose a status.")})
    if not reason.strip() and status != IdeaStatus.NEW:
        raise ValidationError({"reason": _("Say why; everybody who voted will read it.")})
    previous = row.idea_status
    if previous == status:
        return
    row.idea_status, row.idea_reason, row.active_at = status, reason.strip()[:500], clock.now()
    row.save(update_fields=["idea_status", "idea_reason", "active_at"])
    copy_facts(thread, row)
    record("idea.status_changed", actor=by, subject=row, note=reason, status=status, previous=previous)

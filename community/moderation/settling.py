"""One decision about a post and all that is open about it."""

from typing import Any

from django.utils.translation import gettext as _

from community.core.errors import Conflict, require
from community.core.rows import retried

from . import permissions, screening, services
from .models import Moderated


@retried
def settle(target: Any, by: Any, act: str, reason: str, *, seen: str = "") -> str:
    """Do it to the post and decide its open flags accordingly. Returns what to tell the moderator.

    `seen` is its state on the page that was decided from: raises Conflict when it is another by now, so that nobody
    undoes what a colleague decided a moment ago.
    """
    row = services.held(target)
    services.require_free(row, by)
    by_flags = row.visibility == Moderated.Visibility.HIDDEN and row.hidden_by_id is None
    if seen and seen != row.visibility and not by_flags:
        raise Conflict(_("Somebody else has decided about this meanwhile. Please look again."))
    if act not in ("hide", "delete"):
        require(permissions.why_not_judge_own(by, row))
    services.release(row, by)
    services.decide_flags(row, by, uphold=act in ("hide", "delete"), note=reason)
    if row.visibility == Moderated.Visibility.DELETED:  # by its author, or a colleague: the flags alone were left
        screening.decide_look(row, by, kept=False)
        return _("It had been taken away already.")
    if act == "hide":
        services.hide(row, by, reason=reason)
        return _("Hidden. Its author reads why.")
    if act == "delete":
        services.delete(row, by, reason=reason)
        return _("Taken away.")
    if act == "approve":
        services.approve(row, by)
        return _("Online now.")
    if row.visibility == Moderated.Visibility.HIDDEN:
        services.restore(row, by, reason=reason)
        return _("Shown again.")
    screening.decide_look(row, by, kept=True)
    return _("It stays.")

"""Who may judge what others write. Each question answers with the reason against it, or with nothing."""

from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from community.accounts.permissions import why_not_write
from community.core import clock

from . import doors
from .models import ModerationRules

__all__ = [
    "is_moderator",
    "why_not_appeal",
    "why_not_decide_appeal",
    "why_not_delete",
    "why_not_flag",
    "why_not_judge_own",
    "why_not_mend",
    "why_not_moderate",
    "why_not_write",
]


def is_moderator(user: Any) -> bool:
    return bool(user and user.is_authenticated and user.has_perm("moderation.moderate"))


def why_not_moderate(user: Any) -> str:
    return "" if is_moderator(user) else _("Only moderators can do this.")


def why_not_judge_own(user: Any, target: Any) -> str:
    """Nobody is the moderator of what they wrote; what they hid of their own they may show again."""
    if target is None or getattr(target, "author_id", None) != user.pk or target.hidden_by_id == user.pk:
        return ""
    return _("You wrote this. Another moderator decides about it.")


def why_not_flag(user: Any, target: Any) -> str:
    if reason := why_not_write(user):
        return reason
    if target.author_id == user.pk:
        return _("You can't flag what you wrote yourself; you can edit or delete it.")
    return ""


def why_not_delete(user: Any, target: Any) -> str:
    if is_moderator(user) or (user and user.is_authenticated and target.author_id == user.pk):
        return ""
    return _("Only its author or a moderator can delete this.")


def mendable_from(target: Any) -> datetime | None:
    """From when on the author of a hidden post can change it."""
    if target.visibility != "hidden" or target.hidden_at is None:
        return None
    return target.hidden_at + timedelta(minutes=ModerationRules.load().mend_after_minutes)


def why_not_mend(user: Any, target: Any) -> str:
    """Why its author can't change a hidden post yet: some minutes to cool down (FEATURES H)."""
    if target.visibility != "hidden" or target.author_id != user.pk:
        return ""
    since = mendable_from(target)
    if since is not None and clock.now() < since:
        minutes = -(-int((since - clock.now()).total_seconds()) // 60)
        return _("This post was hidden. You can change it in %(minutes)d min.") % {"minutes": max(1, minutes)}
    return ""


def why_not_appeal(user: Any, target: Any) -> str:
    """Only the author; silenced or not: an appeal is read by moderators alone."""
    if user is None or not user.is_authenticated or target.author_id != user.pk:
        return _("Only its author can appeal.")
    if doors.of(target).hide_at(target):
        return _("This has a way of its own to appeal; it stands on its page.")
    return ""


def why_not_decide_appeal(user: Any, appeal: Any) -> str:
    if reason := why_not_moderate(user):
        return reason
    if user.pk == appeal.hidden_by_id:
        return _("You hid this. Somebody else decides about the appeal.")
    if user.pk == appeal.author_id:
        return _("Somebody else decides about your appeal.")
    return ""

"""Who may judge what others write. Each question answers with the reason against it, or with nothing."""

from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from community.core import clock


def is_moderator(user: Any) -> bool:
    return bool(user and user.is_authenticated and user.has_perm("moderation.moderate"))


def why_not_write(user: Any) -> str:
    """Why somebody can't publish anything at all now."""
    if user is None or not user.is_authenticated:
        return _("Please sign in first.")
    if not user.is_active:
        return _("This account is suspended.")
    if user.silenced_until and user.silenced_until > clock.now():
        return _("You can read, but not write, until %(until)s.") % {
            "until": date_format(user.silenced_until, "DATETIME_FORMAT") + " UTC"
        }
    return ""


def why_not_moderate(user: Any) -> str:
    return "" if is_moderator(user) else _("Only moderators can do this.")


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

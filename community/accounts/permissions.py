"""Who may still speak. Answers with the reason against it, or with nothing."""

from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from community.core import clock


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

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


# What makes a member of a newcomer (FEATURES F, decision 0063); the other levels are known to the room that gives them.
MEMBER_AFTER_DAYS, MEMBER_AFTER_POSTS = 1, 3


def how_one_becomes_a_member() -> str:
    """Said at every door that is closed to newcomers alone."""
    return _("That falls away by itself: after a day here, and %(posts)d posts or one that somebody found useful.") % {
        "posts": MEMBER_AFTER_POSTS
    }

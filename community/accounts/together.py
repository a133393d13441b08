"""Who has signed in on this browser today, so that nobody votes for themselves with a second account.

A signed cookie of the browser holds their ids for a day and nothing else does: neither addresses nor marks of devices
are kept of people (docs/decisions/0158, 0263).
"""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _

from .models import User

COOKIE, SALT = "here", "accounts.together"
KEPT = timedelta(days=1)
MOST = 10


def here(request: HttpRequest) -> list[int]:
    """Ids of the accounts that signed in on this browser within a day, the last one first."""
    said = request.get_signed_cookie(COOKIE, default="", salt=SALT, max_age=KEPT)
    return [int(part) for part in str(said).split(".") if part.isdecimal()]


def remember(request: HttpRequest, response: HttpResponseBase, user: User) -> None:
    """Add whoever has just signed in."""
    ids = list(dict.fromkeys([user.pk, *here(request)]))[:MOST]
    response.set_signed_cookie(
        COOKIE, ".".join(map(str, ids)), salt=SALT, max_age=KEPT, httponly=True, samesite="Lax",
        secure=request.is_secure(),
    )  # fmt: skip


def why_not_vote_for(request: HttpRequest, post: Any) -> str:
    """The reason against a vote for what another account of this browser wrote."""
    if post.author_id == request.user.pk or post.author_id not in here(request):
        return ""
    return _("Whoever wrote this signed in on this browser today. Votes between accounts of one browser don't count.")

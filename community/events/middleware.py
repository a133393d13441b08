"""Nothing staff do in the admin passes without a trace."""

from collections.abc import Callable

from django.db import transaction
from django.http import HttpRequest, HttpResponseBase

from community.core.middleware import is_admin

from . import acting
from .log import record

# Their own account, the way in and out, and what only shows something.
NO_ACTS = ("wagtailadmin_login", "wagtailadmin_logout", "wagtailadmin_account", "wagtailadmin_dismissibles")


class AuditMiddleware:
    """Says who acts to what is watched; writes down every file taken out of the admin, and every change made there that
    recorded nothing itself: an export or a form of Wagtail's, a screen somebody adds and forgets to record."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with acting.by(lambda: request.user) as now:
            response = self.get_response(request)
            if is_admin(request) and response.status_code < 400:
                _leave_trace(request, response, now)
        return response


def _leave_trace(request: HttpRequest, response: HttpResponseBase, now: acting.Acting) -> None:
    match = request.resolver_match
    view = match.view_name if match else ""
    exported = str(response.get("Content-Disposition", "")).startswith("attachment")
    done = response.status_code in (204, 302, 303) or response.has_header("HX-Redirect")
    changed = request.method == "POST" and done and not now.acts and view not in NO_ACTS
    if not (exported or changed) or (by := now.staff) is None:
        return
    with transaction.atomic():
        if exported:
            record("data.exported", actor=by, subject=by, view=view, note=request.get_full_path()[:500])
        else:
            record("admin.acted", actor=by, subject=None, action=view, note=request.get_full_path()[:500])

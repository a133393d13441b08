"""Nothing staff do in the admin passes without a trace."""

import re
from collections.abc import Callable

from django.db import transaction
from django.forms import BaseForm, BaseFormSet
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
    done = done or (response.status_code == 200 and not now.only_looked and not _shows_again(request, response))
    changed = request.method == "POST" and done and not now.acts and view not in NO_ACTS
    if not (exported or changed) or (by := now.staff) is None:
        return
    with transaction.atomic():
        if exported:
            record("data.exported", actor=by, subject=by, view=view, note=_place(request))
        else:
            record("admin.acted", actor=by, subject=None, action=view, note=_place(request))


def _place(request: HttpRequest) -> str:
    """The address, without mail addresses that were searched for: the entry outlives whose they are."""
    return re.sub(r"([?&][^=&]*=)[^&]*(?:@|%40)[^&]*", r"\1…", request.get_full_path())[:500]


def _shows_again(request: HttpRequest, response: HttpResponseBase) -> bool:
    """A form that came back with its mistakes. Wagtail's own screens answer so, and go elsewhere once it is done."""
    view = request.resolver_match.func if request.resolver_match else None
    if getattr(getattr(view, "view_class", view), "__module__", "").startswith("wagtail."):
        return True
    context = getattr(response, "context_data", None) or {}
    return any(
        isinstance(one, BaseForm | BaseFormSet) and one.is_bound and not one.is_valid() for one in context.values()
    )

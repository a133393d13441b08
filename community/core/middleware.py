"""What every request passes: a name for the logs, headers, the staff's second factor, and words for a refusal."""

import logging
import uuid
from collections.abc import Callable
from typing import Any

from csp.constants import HEADER as CSP_HEADER
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve, reverse
from django.utils import translation
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from . import limits
from .errors import Conflict
from .logs import request_id

logger = logging.getLogger(__name__)
Response = Callable[[HttpRequest], HttpResponse]


class RequestIdMiddleware:
    """Gives each request an id, for its log lines, its error page and its answer. A visitor's own is not taken."""

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.request_id = uuid.uuid4().hex  # type: ignore[attr-defined]
        token = request_id.set(request.request_id)  # type: ignore[attr-defined]
        try:
            response = self.get_response(request)
        finally:
            request_id.reset(token)
        response["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]
        return response


class PageLanguageMiddleware:
    """`/de/products/duo/` is the editors' page in German, whatever the browser would like to read (RULINGS 37).

    Only pages have such addresses (PAGE_VIEWS): what members write has one, whoever reads it. Stands inside of
    LocaleMiddleware, whose choice it overrules. Sets `request.page_language`.
    """

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response
        self.codes = {code for code, _name in settings.LANGUAGES} - {settings.LANGUAGE_CODE}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        code, _slash, rest = request.path_info.removeprefix("/").partition("/")
        if code in self.codes and self._is_page(f"/{rest}"):
            request.path_info = f"/{rest}"
            request.page_language = request.LANGUAGE_CODE = code  # type: ignore[attr-defined]
            translation.activate(code)
        return self.get_response(request)

    def _is_page(self, path: str) -> bool:
        for address in (path, f"{path}/"):  # a slash that is missing is added later
            try:
                return resolve(address).view_name in settings.PAGE_VIEWS
            except Resolver404:
                if address.endswith("/"):
                    return False
        return False


class HeadersMiddleware:
    """Pages of somebody signed in are theirs alone; the admin has its own, wider content policy.

    Stands inside of CSPMiddleware, which writes the policy, and outside of whatever knows the session.
    """

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault("Permissions-Policy", settings.PERMISSIONS_POLICY)
        if is_admin(request):
            # What has its policy already is a preview: Wagtail sends a page through all of this, then frames it.
            previewed = response.headers.pop(CSP_HEADER, None)
            policy = settings.CONTENT_SECURITY_POLICY_PREVIEW if previewed else settings.CONTENT_SECURITY_POLICY_ADMIN
            response._csp_replace = policy["DIRECTIVES"]  # type: ignore[attr-defined]
        if not response.has_header("Cache-Control") and self._is_personal(request):
            patch_cache_control(response, private=True, no_store=True)
            patch_vary_headers(response, ["Cookie"])
        return response

    def _is_personal(self, request: HttpRequest) -> bool:
        if request.path.startswith((settings.MEDIA_URL, settings.STATIC_URL)):
            return False
        # An unread session means that the answer is the same for everybody.
        session, user = getattr(request, "session", None), getattr(request, "user", None)
        return session is not None and session.accessed and user is not None and user.is_authenticated


class SecondFactorMiddleware:
    """Staff are staff only with a second factor enrolled; allauth then asks for it at each login.

    Without one the admin is closed, and every other page takes them for members (`accounts.User.has_perm`). What was
    refused for that alone becomes a page that says so and gives back what was typed.
    """

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if is_admin(request) and getattr(request.user, "lacks_factor", False):
            messages.warning(request, _("Staff need a second factor. Set one up, then the staff desk is open."))
            return redirect("mfa_index")
        known = request.user
        request.user = SimpleLazyObject(lambda: _at_the_door(known))  # type: ignore[assignment]
        response = self.get_response(request)
        # Asked of whom the page has asked for: an unread session stays unread.
        seen = getattr(request, "_cached_user", None)
        if response.status_code in (403, 404) and getattr(seen, "missed_factor", False):
            return self._first_a_factor(request)
        return response

    def _first_a_factor(self, request: HttpRequest) -> HttpResponse:
        reason = _("What only staff can do asks for a second factor. Set one up first, then do this again.")
        if getattr(request, "htmx", False):
            return HttpResponse(reason, status=403, content_type="text/plain; charset=utf-8")
        context = {"reason": reason, "kept": limits.typed(request.POST)}
        return render(request, "second_factor_first.html", context, status=403)


def _at_the_door(known: Any) -> Any:
    """Whoever a request comes from: their powers hang on their second factor."""
    if known.is_authenticated:
        known.at_the_door = True
    return known


class RefusalMiddleware:
    """What a service says no with becomes a page that says why, and gives back what was typed.

    PostgreSQL takes no NUL: nothing stands at an address with one, and a query says the same without it.
    """

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path:
            raise Http404
        if "%00" in request.META.get("QUERY_STRING", ""):
            request.GET = QueryDict(request.META["QUERY_STRING"].replace("%00", ""))  # type: ignore[assignment]
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, limits.Limited):
            return limits.slow_down(request, exception)
        if isinstance(exception, Conflict):
            context = {"reason": exception.reason, "kept": limits.typed(request.POST)}
            return render(request, "409.html", context, status=409)
        if isinstance(exception, PermissionDenied):
            logger.info("Refused: %s %s to %s", request.method, request.path, limits.client_ip(request))
        return None


def is_admin(request: HttpRequest) -> bool:
    return request.path.startswith(reverse("wagtailadmin_home"))

"""What every page that takes a post does at the door: sign-in, pace, robots, and saying no without losing a word."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib.auth.views import redirect_to_login
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from community.core import clock, limits
from community.core.errors import Conflict, NotAllowed
from community.moderation import screening
from community.moderation.models import Look, ModerationRules

from . import tagging
from .models import Tag

STARTED_SALT = "community.posts.started"

View = Callable[..., HttpResponse]


def where_from(request: HttpRequest) -> str:
    """The page of ours that somebody pressed a button on, or the front page."""
    htmx = getattr(request, "htmx", None)
    address = (htmx.current_url if htmx else None) or request.META.get("HTTP_REFERER", "")
    if not url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure()):
        return "/"
    parts = urlsplit(address)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def to_login(request: HttpRequest, back: str) -> HttpResponse:
    """Sign in first, and come back to a page that can be read."""
    if getattr(request, "htmx", False):
        response = HttpResponse(status=204)
        response["HX-Redirect"] = f"{resolve_url('account_login')}?{urlencode({'next': back})}"
        return response
    return redirect_to_login(back)


def refuse(request: HttpRequest, reason: str, status: int, *, kept: str = "", back: str = "") -> HttpResponse:
    """Say why not: a line for htmx, which shows it beside what was pressed; a page that keeps the text otherwise."""
    if getattr(request, "htmx", False):
        response = HttpResponse(reason, status=status, content_type="text/plain; charset=utf-8")
        if status == 422:  # htmx would put the reason in place of the text that was refused; app.js says the others
            response["HX-Reswap"] = "none"
            response["HX-Trigger"] = json.dumps({"toast": {"message": str(reason), "level": "error"}})
        return response
    context = {"reason": reason, "kept": kept, "back": back or where_from(request), "status": status}
    return render(request, "refusal.html", context, status=status)


def merged_meanwhile(request: HttpRequest, thing: Any, pk: int) -> HttpResponse | None:
    """The refusal when `thing` only stands for the merged `pk` somebody asked for, with their words kept; else None.

    A vote or a comment may go on to what stands. What judges or changes a post may not: they had another before them.
    """
    if thing.pk == pk:
        return None
    kept = "\n\n".join(request.POST[name] for name in ("body", "reason", "note") if request.POST.get(name))
    return refuse(request, _("This thread was merged already."), 409, kept=kept, back=thing.get_absolute_url())


def tag_asked_for(request: HttpRequest) -> Tag | HttpResponse | None:
    """The tag of `?tag=`, or None without one; the way to the main tag for another word of it. Raises Http404."""
    slug = request.GET.get("tag")
    if not slug:
        return None
    tag = tagging.find(slug)
    if tag is None:
        raise Http404
    if tag.slug == slug:
        return tag
    query = request.GET.copy()
    query["tag"] = tag.slug
    return redirect(f"{request.path}?{query.urlencode()}", permanent=True)


def posted(request: HttpRequest) -> Any:
    """What a form is filled with: an empty post is a post too."""
    return request.POST if request.method == "POST" else None


def first_words(error: ValidationError) -> str:
    return " ".join(str(message) for message in error.messages)


def act(what: str = "vote") -> Callable[[View], View]:
    """A view that changes something by POST for somebody signed in, at a pace; `what` names the limit.

    What a service says against it becomes 403, 409, 422 or 429, with the text kept. GET is 405.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method != "POST":
                return HttpResponseNotAllowed(["POST"])
            if not request.user.is_authenticated:
                return to_login(request, where_from(request))
            kept = request.POST.get("body", "") or limits.typed(request.POST)
            try:
                limits.spend(what, request.user)
                return view(request, *args, **kwargs)
            except NotAllowed as error:
                return refuse(request, error.reason, 403, kept=kept)
            except Conflict as error:
                return refuse(request, error.reason, 409, kept=kept)
            except ValidationError as error:
                return refuse(request, first_words(error), 422, kept=kept)
            except limits.Limited as error:
                response = refuse(request, error.reason, 429, kept=kept)
                response["Retry-After"] = str(error.wait)
                return response

        return wrapped

    return decorate


def send(form: forms.Form, what: str, who: Any, service: Callable[[], Any]) -> tuple[Any, int]:
    """Call a service for a valid form. Returns what it made and 0, or None and the status to show the form again with.

    The reason stands at its field, or above the form; the text stays in the form.
    """
    try:
        limits.spend(what, who)
        with screening.noticing(getattr(form, "noticed", ())):
            return service(), 0
    except ValidationError as error:
        put_errors(form, error)
        return None, 422
    except NotAllowed as error:
        form.add_error(None, error.reason)
        return None, 403
    except Conflict as error:
        form.add_error(None, error.reason)
        return None, 409
    except limits.Limited as error:
        form.add_error(None, error.reason)
        form.retry_after = error.wait  # type: ignore[attr-defined]
        return None, 429


def put_errors(form: forms.Form, error: ValidationError) -> None:
    """A service's objections, each at its field where the form has it."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for name, errors in error.error_dict.items():
        form.add_error(name if name in form.fields else None, errors)


class Trap(forms.Form):
    """A field that only robots fill in, and when the form was opened. Both cost people nothing: whoever's browser fills
    the field in, or who pastes what was ready, is not refused; a moderator looks at it first."""

    asks_again = True  # for a page that was not opened here

    website = forms.CharField(
        required=False,
        label=gettext_lazy("Leave this empty"),
        widget=forms.TextInput(attrs={"tabindex": "-1", "autocomplete": "off"}),
    )
    started = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["started"].initial = _signed(clock.now().timestamp())
        self.noticed: set[str] = set()

    def check_trap(self) -> None:
        """For `clean()`: notes what the service that takes the post will hear of (`send`). Only a page that was not
        opened here is asked for once more; the text is kept."""
        if self.cleaned_data.get("website"):
            self.noticed.add(Look.Reason.TRAP)
        try:
            started = signing.loads(self.cleaned_data.get("started") or "", salt=STARTED_SALT)
        except signing.BadSignature:
            if not self.asks_again:
                return
            self._ask_again(_("This page was open for very long. Please send it once more; your text is kept."))
            return
        if clock.now().timestamp() - started < ModerationRules.load().quickest_seconds:
            self.noticed.add(Look.Reason.QUICK)

    def _ask_again(self, reason: str) -> None:
        self.data = self.data.copy()  # type: ignore[union-attr]
        self.data[self.add_prefix("started")] = long_open()
        self.add_error(None, reason)


def _signed(moment: float) -> str:
    return signing.dumps(moment, salt=STARTED_SALT)


def opened_now() -> str:
    """For a box that stands on a page without a form of its own."""
    return _signed(clock.now().timestamp())


def long_open() -> str:
    """For a form whose text was written before: nobody has to wait with it."""
    return _signed(0.0)

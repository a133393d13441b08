"""Somebody's own data: a copy of it, and leaving. Both ask for the password or the second factor again."""

from datetime import timedelta

from allauth.account.decorators import reauthentication_required
from allauth.account.internal.flows.reauthentication import get_reauthentication_flows
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from community.core import clock
from community.core.errors import Conflict, NotAllowed

from . import copies, leaving
from .forms import LeaveForm
from .models import DataCopy

FRESH = timedelta(minutes=15)


@require_safe
@login_required
def data(request: HttpRequest) -> HttpResponse:
    return _page(request, LeaveForm())


def _page(request: HttpRequest, form: LeaveForm, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "copy": copies.latest(request.user),
        "departure": leaving.planned(request.user),
        "why_not_leave": leaving.why_not_leave(request.user),
        "days": leaving.GRACE.days,
        "kept_days": copies.KEPT.days,
    }
    return render(request, "portability/data.html", context, status=status)


def _stale(request: HttpRequest) -> str:
    """Who has neither password nor second factor has nothing to be asked for again but a fresh code by mail."""
    if get_reauthentication_flows(request.user):
        return ""
    if request.user.last_login and request.user.last_login > clock.now() - FRESH:
        return ""
    return _("To be sure that it is you: sign out, and in again with a code from your mail. Then come back here.")


@require_POST
@login_required
@reauthentication_required
def ask_for_copy(request: HttpRequest) -> HttpResponse:
    if reason := _stale(request):
        messages.error(request, reason)
        return redirect("portability:data")
    try:
        copies.ask_for_copy(request.user)
    except Conflict as problem:
        messages.error(request, problem.reason)
    else:
        messages.success(request, _("Your copy is being made. We write to you when it is ready."))
    return redirect("portability:data")


@require_safe
@login_required
@reauthentication_required
def fetch_copy(request: HttpRequest, pk: int) -> HttpResponse:
    """Its owner's alone; for anybody else, and after a week, there is none."""
    copy = DataCopy.objects.filter(pk=pk, person=request.user, expires_at__gt=clock.now()).first()
    if copy is None:
        raise Http404
    response = FileResponse(copy.file.open("rb"), as_attachment=True, filename=f"{request.user.username}.zip")
    response["Content-Type"] = "application/zip"
    response["Cache-Control"] = "private, no-store"
    return response


@require_POST
@login_required
@reauthentication_required
def leave(request: HttpRequest) -> HttpResponse:
    form = LeaveForm(request.POST)
    if reason := _stale(request):
        form.add_error(None, reason)
        return _page(request, form, 403)
    if not form.is_valid():
        return _page(request, form, 422)
    try:
        leaving.ask_to_leave(request.user, words_go=form.cleaned_data["words"] == "go")
    except NotAllowed as problem:
        form.add_error(None, problem.reason)
        return _page(request, form, 403)
    messages.success(request, _("We will erase your account in two weeks. Until then you can think again."))
    return redirect("portability:data")


@require_POST
@login_required
def stay(request: HttpRequest) -> HttpResponse:
    leaving.stay(request.user)
    messages.success(request, _("Your account stays."))
    return redirect("portability:data")

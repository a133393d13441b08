"""Joining two accounts inside the Wagtail admin, from the page of the one that stays; and erasing one for somebody who
asked by letter."""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import include, path, reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from wagtail import hooks
from wagtail.admin import messages

from community.accounts.models import User
from community.core.errors import Conflict, NotAllowed
from community.events.log import looked_at

from . import joining, leaving
from .forms import CallOffForm, EraseForm, JoinForm


@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, pk: int) -> HttpResponse:
    """First what would move is shown; the second press does it."""
    if reason := joining.why_not_join(request.user):
        return TemplateResponse(request, "accounts/admin/refused.html", {"reason": reason}, status=403)
    kept = get_object_or_404(User, pk=pk)
    form = JoinForm(request.POST or None)
    context: dict[str, Any] = {"person": kept, "form": form}
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            gone = form.cleaned_data["gone"]
            try:
                if objection := joining.why_not_these(gone, kept):
                    raise Conflict(objection)
                if "sure" in request.POST:
                    name = str(gone)
                    joining.join(gone, kept, request.user, reason=form.cleaned_data["reason"])
                    messages.success(request, _("%(name)s is one with %(other)s now.") % {"name": name, "other": kept})
                    return HttpResponseRedirect(reverse("keepers:person", args=[kept.pk]), status=303)
                context |= {"gone": gone, "plan": joining.plan(gone)}
                status = 200
            except ValidationError as problem:
                for field, errors in problem.error_dict.items():
                    form.add_error(field, errors)
            except Conflict as problem:
                form.add_error("gone", problem.reason)
                status = 409
            except NotAllowed as problem:
                form.add_error(None, problem.reason)
                status = 403
    return TemplateResponse(request, "portability/admin/join.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def erase(request: HttpRequest, pk: int) -> HttpResponse:
    """First what there is of them is shown; the second press, with their user name typed, begins the two weeks. Once
    begun, it can be called off here."""
    if reason := leaving.why_not_ask_for(request.user):
        return TemplateResponse(request, "accounts/admin/refused.html", {"reason": reason}, status=403)
    person = get_object_or_404(User, pk=pk)
    if reason := leaving.why_not_theirs(person):
        return TemplateResponse(request, "accounts/admin/refused.html", {"reason": reason}, status=409)
    looked_at(person, request.user, "account")
    departure = leaving.planned(person)
    form_class = EraseForm if departure is None else CallOffForm
    form = form_class(request.POST or None)
    context: dict[str, Any] = {"person": person, "form": form, "departure": departure, "days": leaving.GRACE.days}
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                said, status = _erase(request, person, form.cleaned_data, context)
                if said:
                    messages.success(request, said)
                    return HttpResponseRedirect(reverse("keepers:person", args=[pk]), status=303)
            except ValidationError as problem:
                for field, errors in problem.error_dict.items():
                    form.add_error(field, errors)
            except (Conflict, NotAllowed) as problem:
                form.add_error(None, problem.reason)
                status = 409 if isinstance(problem, Conflict) else 403
    return TemplateResponse(request, "portability/admin/erase.html", context, status=status)


def _erase(request: HttpRequest, person: User, said: dict[str, Any], context: dict[str, Any]) -> tuple[str, int]:
    """Do what was asked for. Returns what to say when it is done, or nothing and the status of the second look."""
    by: Any = request.user
    if context["departure"] is not None:
        leaving.call_off(person, by, reason=said["reason"])
        return _("The account stays."), 200
    leaving.check_reason(said["reason"])
    named = request.POST.get("name", "").strip().lower().lstrip("@")
    if named != person.username.lower():
        context |= {"plan": joining.plan(person), "typed": named, "wrong": "name" in request.POST}
        return "", 422 if "name" in request.POST else 200
    departure = leaving.ask_for(person, by, words_go=said["words"] == "go", reason=said["reason"])
    return _("The account will be erased on %(day)s.") % {"day": date_format(departure.due_at, "DATE_FORMAT")}, 200


@hooks.register("register_admin_urls")
def account_urls() -> list[Any]:
    return [
        path("joining/", include(([path("<int:pk>/", join, name="join")], "joining"), namespace="joining")),
        path("leaving/", include(([path("<int:pk>/", erase, name="erase")], "leaving"), namespace="leaving")),
    ]

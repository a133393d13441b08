"""Joining two accounts inside the Wagtail admin, from the page of the one that stays."""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import include, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from wagtail import hooks
from wagtail.admin import messages

from community.accounts.models import User
from community.core.errors import Conflict, NotAllowed

from . import joining
from .forms import JoinForm


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


@hooks.register("register_admin_urls")
def join_url() -> list[Any]:
    patterns = [path("<int:pk>/", join, name="join")]
    return [path("joining/", include((patterns, "joining"), namespace="joining"))]

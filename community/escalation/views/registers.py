"""What stands over single cases: promises by day, known issues with their threads, the secret of a channel."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from wagtail.admin import messages

from community.accounts.models import User
from community.bridges.models import ReleaseNote
from community.core import clock
from community.core.errors import Conflict, NotAllowed
from community.questions.models import Thread

from .. import handoffs
from .. import incidents as services
from ..case_forms import SolveForm, UpdateForm
from ..clock import zone
from ..models import Channel, ClusterThread, Incident, Promise
from ..relay import moment
from .common import for_agents, put

PER_PAGE = 50


@require_GET
@for_agents
def promises(request: HttpRequest) -> HttpResponse:
    """The register: what staff said they would do, late first. Five queries, however many there are."""
    user: User = request.user  # type: ignore[assignment]
    show = request.GET.get("show", "open")
    found = Promise.objects.shown().select_related("escalation__thread", "department", "made_by", "moved_to")
    if show == "mine":
        found = found.open().filter(made_by=user)
    elif show == "ended":
        found = found.exclude(state="open").order_by("-ended_at", "-id")
    else:
        show, found = "open", found.open()
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    tz, now = zone(user.time_zone), clock.now()
    rows = [
        {"row": row, "due": moment(row.due_at, tz), "late": row.is_open and row.due_at <= now} for row in page
    ]  # fmt: skip
    tabs = [("open", _("Open")), ("mine", _("Mine")), ("ended", _("Kept or moved"))]
    context = {"rows": rows, "page": page, "show": show, "tabs": tabs}
    return TemplateResponse(request, "escalation/promises.html", context)


@require_GET
@for_agents
def incidents(request: HttpRequest) -> HttpResponse:
    """Known issues, open ones first."""
    found = (
        Incident.objects.select_related("product", "opened_by")
        .annotate(gathered=Count("threads"))
        .order_by("state", "-opened_at")
    )
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    return TemplateResponse(request, "escalation/incidents.html", {"page": page})


@for_agents
def incident(request: HttpRequest, pk: int) -> HttpResponse:
    """One known issue: its threads, its history, and what solves it."""
    found = get_object_or_404(
        Incident.objects.select_related("product", "alert", "first_thread", "opened_by", "solved_by", "department"),
        pk=pk,
    )
    if request.method != "POST":
        return _incident_page(request, found)
    user: User = request.user  # type: ignore[assignment]
    solving = "solution" in request.POST
    form: Any = SolveForm(request.POST) if solving else UpdateForm(request.POST)
    status = 422
    if form.is_valid():
        try:
            if solving:
                services.solve(found, user, solution=form.cleaned_data["solution"])
                messages.success(request, _("Solved. Whoever asked hears of it."))
            else:
                services.say(found, user, form.cleaned_data["text"])
                messages.success(request, _("Said."))
            return HttpResponseRedirect(reverse("escalation:incident", args=[pk]), status=303)
        except ValidationError as problem:
            put(form, problem)
        except Conflict as problem:
            form.add_error(None, problem.reason)
            status = 409
        except NotAllowed as problem:
            form.add_error(None, problem.reason)
            status = 403
    return _incident_page(request, found, status=status, **{"solve" if solving else "update": form})


def _incident_page(request: HttpRequest, found: Incident, status: int = 200, **forms: Any) -> HttpResponse:
    threads = Thread.objects.visible().filter(in_incident__incident=found).select_related("author", "escalation")
    rows = list(threads.order_by("created_at", "pk")[:200])
    spread = dict(
        ClusterThread.objects.filter(thread__in=[row.pk for row in rows]).values_list("thread", "state")
    )  # fmt: skip
    left = services.left_open(found, rows)
    context = {
        "incident": found,
        "threads": [{"thread": row, "spread": ClusterThread.State(spread[row.pk]).label if row.pk in spread else "",
                     "left": row.pk in left} for row in rows],
        "affected": sum(1 + row.me_too_count for row in rows),
        "changes": ReleaseNote.objects.filter(product=found.product, ties__thread__in=rows).distinct(),
        "updates": found.updates.select_related("by"),
        "solve": SolveForm(),
        "update": UpdateForm(),
        **forms,
    }  # fmt: skip
    return TemplateResponse(request, "escalation/incident.html", context, status=status)


@require_POST
@for_agents
def secret(request: HttpRequest, pk: int) -> HttpResponse:
    """A new secret for a channel, shown this once."""
    channel = get_object_or_404(Channel, pk=pk, kind=Channel.Kind.WEBHOOK)
    try:
        made = handoffs.change_secret(channel, request.user)  # type: ignore[arg-type]
    except NotAllowed as problem:
        return TemplateResponse(request, "escalation/refused.html", {"reason": problem.reason}, status=403)
    response = TemplateResponse(request, "escalation/secret.html", {"channel": channel, "secret": made})
    response["Cache-Control"] = "no-store"
    return response

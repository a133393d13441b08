"""The moderators' desk for votes that look as if they were for a person: evidence, one decision, and its undoing."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import include, path, reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST
from wagtail.admin import messages
from wagtail.admin.menu import MenuItem

from community.accounts.models import User
from community.core.errors import Conflict, NotAllowed
from community.moderation.permissions import is_moderator
from community.moderation.views.gate import for_moderators

from . import rings
from .models import VoteFinding

State = VoteFinding.State
A_PAGE = 30
SHOWN_VOTES = 200


@require_GET
@for_moderators
def findings(request: HttpRequest) -> HttpResponse:
    """What is to be decided, or was decided."""
    state = request.GET.get("state", State.OPEN)
    if state not in State.values:
        raise Http404
    rows = VoteFinding.objects.filter(state=state).prefetch_related("people").select_related("decided_by")
    page = Paginator(rows, A_PAGE).get_page(request.GET.get("page"))
    tabs = [(value, label, value == state) for value, label in State.choices]
    return TemplateResponse(request, "advocates/desk/findings.html", {"page": page, "tabs": tabs, "state": state})


@require_GET
@for_moderators
def finding(request: HttpRequest, pk: int) -> HttpResponse:
    """The evidence: who voted for whom, how often, in what time; and each vote."""
    return _page(request, get_object_or_404(VoteFinding.objects.select_related("decided_by"), pk=pk))


def _page(request: HttpRequest, row: VoteFinding, *, problem: str = "", typed: str = "") -> HttpResponse:
    ids = {pk for line in row.evidence for pk in (line["giver"], line["author"])}
    people = User.objects.in_bulk(ids)
    pairs = [
        {
            **line,
            "giver": people.get(line["giver"]),
            "author": people.get(line["author"]),
            "first": parse_datetime(line["first"]),
            "last": parse_datetime(line["last"]),
        }
        for line in row.evidence
    ]
    context = {
        "finding": row,
        "pairs": pairs,
        "votes": rings.titled(rings.entries_of(row)[:SHOWN_VOTES]),
        "taken_out": row.votes.count(),
        "problem": problem,
        "typed": typed,
    }
    return TemplateResponse(request, "advocates/desk/finding.html", context, status=422 if problem else 200)


ACTS: dict[str, Callable[..., Any]] = {"take_out": rings.take_out, "leave": rings.leave, "give_back": rings.give_back}


@require_POST
@for_moderators
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(VoteFinding, pk=pk)
    act, reason = request.POST.get("act", ""), request.POST.get("reason", "")
    if act not in ACTS:
        raise Http404
    try:
        count = ACTS[act](row, request.user, reason=reason)
    except ValidationError as problem:
        return _page(request, row, problem=" ".join(problem.messages), typed=reason)
    except (Conflict, NotAllowed) as problem:
        messages.error(request, problem.reason)
    else:
        messages.success(request, _said(act, count))
    return HttpResponseRedirect(row.get_absolute_url(), status=303)


def _said(act: str, count: int | None) -> str:
    if act == "take_out":
        return ngettext(
            "%(n)d vote no longer counts. Both sides are told.", "%(n)d votes no longer count. Both sides are told.",
            count or 0,
        ) % {"n": count}  # fmt: skip
    if act == "give_back":
        return ngettext(
            "%(n)d vote counts again. Both sides are told.", "%(n)d votes count again. Both sides are told.", count or 0
        ) % {"n": count}
    return _("The votes stay as they are.")


def urls() -> Any:
    patterns = [
        path("", findings, name="findings"),
        path("<int:pk>/", finding, name="finding"),
        path("<int:pk>/decide/", decide, name="decide"),
    ]
    return path("vote-findings/", include((patterns, "vote_findings"), namespace="vote_findings"))


class FindingsItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return is_moderator(request.user)


def menu_item() -> MenuItem:
    return FindingsItem(
        gettext_lazy("Serial votes"), reverse("vote_findings:findings"), name="vote-findings", icon_name="warning",
        order=61,
    )  # fmt: skip

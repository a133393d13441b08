"""The moderators' desk for votes that look as if they were for a person: evidence, one decision, and its undoing."""

import math
from collections.abc import Callable
from datetime import datetime
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
from community.core import limits
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
    for row in page:
        names = {person.pk: person for person in row.people.all()}
        row.pairs = [  # type: ignore[attr-defined]
            {**one, "giver": names.get(one["giver"]), "author": names.get(one["author"])} for one in row.evidence
        ]
    tabs = [(value, label, value == state) for value, label in State.choices]
    return TemplateResponse(request, "advocates/desk/findings.html", {"page": page, "tabs": tabs, "state": state})


@require_GET
@for_moderators
def finding(request: HttpRequest, pk: int) -> HttpResponse:
    """The evidence: who voted for whom, how often, in what time; and each vote."""
    return _page(request, get_object_or_404(VoteFinding.objects.select_related("decided_by"), pk=pk))


def _page(
    request: HttpRequest, row: VoteFinding, *, problem: str = "", typed: str = "", status: int = 422
) -> HttpResponse:
    ids = {pk for line in row.evidence for pk in (line["giver"], line["author"])}
    people = User.objects.in_bulk(ids)
    pairs = [
        {
            **line,
            "giver": people.get(line["giver"]),
            "author": people.get(line["author"]),
            "first": parse_datetime(line["first"]),
            "last": parse_datetime(line["last"]),
            "within": _within(line),
        }
        for line in row.evidence
    ]
    is_open = row.state == State.OPEN
    context = {
        "finding": row,
        "pairs": pairs,
        "rule": _rule(row.kind),
        "rare": _rare(row),
        "near": rings.near(row),
        "effects": rings.effects(row) if is_open else [],
        "votes": rings.titled(rings.entries_of(row)[:SHOWN_VOTES]),
        "gone": [
            (vote, title, url, parse_datetime(vote.kept.get("at") or ""))
            for vote, title, url in rings.titled(rings.taken(row)[:SHOWN_VOTES] if row.state == State.TAKEN_OUT else [])
        ],
        "taken_out": row.votes.count(),
        "problem": problem,
        "typed": typed,
    }
    return TemplateResponse(request, "advocates/desk/finding.html", context, status=status if problem else 200)


def _within(line: dict[str, Any]) -> str:
    """In how long the votes of a line were cast."""
    first, last = datetime.fromisoformat(line["first"]), datetime.fromisoformat(line["last"])
    seconds = max(1, math.ceil((last - first).total_seconds()))
    if seconds < 2 * 24 * 3600:
        return limits.in_words(seconds)
    days = math.ceil(seconds / (24 * 3600))
    return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}


def _rare(row: VoteFinding) -> str:
    """How usual so many votes for one person are; nothing for what was found before this was counted."""
    line: dict[str, Any] = min(row.evidence, key=lambda one: one["votes"], default={})
    if not line.get("voters"):
        return ""
    return ngettext(
        "When this was found, %(alike)d of the %(voters)d people who had voted in %(days)d days had given one person "
        "%(n)d vote or more.",
        "When this was found, %(alike)d of the %(voters)d people who had voted in %(days)d days had given one person "
        "%(n)d votes or more.",
        line["votes"],
    ) % {"alike": line["alike"], "voters": line["voters"], "days": rings.WINDOW.days, "n": line["votes"]}


def _rule(kind: str) -> str:
    """What the nightly look asks for, in a sentence made of its own numbers."""
    days = rings.WINDOW.days
    if kind == VoteFinding.Kind.SERIAL:
        return _(
            "The nightly look names somebody who gives one person %(votes)d votes or more within 24 hours, when that "
            "is at least %(share)d %% of all the votes they give in that time."
        ) % {"votes": rings.SERIAL, "share": 100 * rings.SERIAL_SHARE}
    if kind == VoteFinding.Kind.SHARE:
        return _(
            "The nightly look names somebody who gives one person %(votes)d votes or more within %(days)d days, when "
            "that is at least %(share)d %% of all their votes."
        ) % {"votes": rings.SHARE, "share": 100 * rings.SHARE_SHARE, "days": days}
    if kind == VoteFinding.Kind.MUTUAL:
        return _(
            "The nightly look names two people who give each other %(votes)d votes or more within %(days)d days, when "
            "that is at least %(share)d %% of all the votes of each."
        ) % {"votes": rings.MUTUAL, "share": 100 * rings.MUTUAL_SHARE, "days": days}
    return _(
        "The nightly look names %(least)d to %(most)d people who are linked in a circle by %(votes)d votes or more "
        "each within %(days)d days, when at least %(share)d %% of all their votes stay among them."
    ) % {
        "least": rings.SMALLEST,
        "most": rings.LARGEST,
        "votes": rings.GROUP,
        "share": 100 * rings.GROUP_SHARE,
        "days": days,
    }


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
        row.refresh_from_db()  # as a colleague has decided it
        return _page(request, row, problem=problem.reason, typed=reason, status=409)
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

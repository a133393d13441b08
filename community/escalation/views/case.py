"""One case on one screen: what was said, what happened, who it is about, and what can be done."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib.contenttypes.models import ContentType
from django.db.models import Exists, OuterRef, Q, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from community.accounts.models import Department
from community.core import clock, panels
from community.core.errors import NotAllowed
from community.posts.models import Comment, Tag
from community.questions import services as questions
from community.questions.models import Answer, PrivateDetails, Thread
from community.questions.permissions import departments_of
from products.models import Ownership

from .. import services
from ..clock import business_between, zone
from ..forms import AssignForm, InfoForm, NoteForm, OfficialForm, PauseForm, ReopenForm, ResolveForm, RouteForm
from ..models import Escalation, EscalationStep, StepKind
from ..querysets import Joined
from ..relay import moment
from .common import Row, for_agents, people_of, short
from .queues import beside

BESIDE = 14  # rows of the queue beside an open case


def load(request: HttpRequest, pk: int) -> Escalation:
    case = get_object_or_404(
        Escalation.objects.for_desk()
        .select_related(
            "thread__author", "thread__product", "thread__topic", "thread__merged_into", "department",
            "assignee", "policy", "acknowledged_by", "resolved_by",
        )
        .annotate(
            has_private=Exists(PrivateDetails.objects.filter(thread=OuterRef("thread"))),
            has_merged=Exists(Thread._base_manager.filter(merged_into=OuterRef("thread"))),
            tag_names=Subquery(
                Tag.objects.filter(threads=OuterRef("thread"))
                .order_by()
                .values("threads")
                .annotate(names=Joined("name"))
                .values("names")
            ),
        ),
        thread=pk,
    )  # fmt: skip
    seen = case.thread.merged_into or case.thread  # what was merged is read as long as what it went to
    if not seen.is_visible and not request.user.has_perm("moderation.moderate"):  # type: ignore[union-attr]
        raise Http404
    return case


def case_page(
    request: HttpRequest,
    case: Escalation,
    *,
    bound: tuple[str, forms.Form] | None = None,
    private: PrivateDetails | None = None,
    status: int = 200,
) -> HttpResponse:
    thread, user = case.thread, request.user
    tz = zone(case.department.time_zone if case.department else user.time_zone)  # type: ignore[union-attr]
    answers = list(
        Answer.objects.visible_to(user).filter(thread=thread).for_page().order_by("created_at", "id")  # type: ignore[arg-type]
    )
    types = ContentType.objects.get_for_models(Thread, Answer)
    comments = (
        Comment.objects.visible()
        .filter(
            Q(target_type=types[Thread], target_id=thread.pk)
            | Q(target_type=types[Answer], target_id__in=[answer.pk for answer in answers])
        )
        .select_related("author", "author__department")
        .order_by("created_at", "id")
    )
    stream: list[dict[str, Any]] = [
        *({"kind": "answer", "post": answer, "at": answer.created_at} for answer in answers),
        *({"kind": "comment", "post": comment, "at": comment.created_at} for comment in comments),
        *({"kind": "note", "post": note, "at": note.created_at} for note in case.notes.select_related("author")),
    ]
    stream.sort(key=lambda item: item["at"])
    departments = list(Department.objects.current())
    lines = services.history(case)
    people, names = people_of(request, {pk for line in lines for pk in line.people})
    speaks_for = list(departments_of(user))
    own = user.department_id or case.department_id  # type: ignore[union-attr]
    actions: dict[str, forms.Form] = {
        "official": OfficialForm(auto_id="official_%s", departments=speaks_for, initial={"department": own}),
        "note": NoteForm(auto_id="note_%s"),
        "info": InfoForm(auto_id="info_%s"),
        "assign": AssignForm(auto_id="assign_%s", people=people, initial={"seen": case.assignee_id or 0}),
        "route": RouteForm(auto_id="route_%s", departments=departments),
        "pause": PauseForm(auto_id="pause_%s"),
        "resolve": ResolveForm(auto_id="resolve_%s"),
        "reopen": ReopenForm(auto_id="reopen_%s"),
    }
    if bound is not None:
        actions[bound[0]] = bound[1]
    past = list(
        Thread.objects.visible_to(user).filter(author=thread.author).exclude(pk=thread.pk).order_by("-created_at")[:6]
    )
    merged = (
        list(thread.merged_threads.select_related("author", "escalation").order_by("created_at", "pk"))
        if case.has_merged  # type: ignore[attr-defined]
        else []
    )
    shelf = Ownership.objects.filter(owner=thread.author).select_related("product", "version").order_by("-added_at")[:8]
    queue = beside(request, departments)[:BESIDE]
    context = {
        "case": case,
        "thread": thread,
        "row": Row(case, user),  # type: ignore[arg-type]
        "tags": case.tag_names or "",  # type: ignore[attr-defined]
        "stream": stream,
        "history": _history(lines, names, tz),
        "asked_at": moment(thread.created_at, tz),
        "clocks": _clocks(case, tz),
        "past": past,
        "merged": merged,
        "shelf": shelf,
        "private": private,
        "actions": actions,
        "open_action": bound[0] if bound else "",
        "beside": [Row(other, user) for other in queue],  # type: ignore[arg-type]
        "reached": thread.me_too_count + 1,
        "mark_departments": speaks_for,
        "own_department": own,
        "zone": tz.key,
        "side": panels.render("case.side", request, [thread]).get(thread.pk, ""),
    }
    return TemplateResponse(request, "escalation/case.html", context, status=status)


def _clocks(case: Escalation, tz: Any) -> list[dict[str, Any]]:
    now = clock.now()

    def due(when: Any, done: Any) -> dict[str, Any]:
        if done:
            return {"text": moment(done, tz), "done": True}
        if when is None:
            return {"text": "–"}
        late = when <= now
        return {"text": _("%(time)s late") % {"time": short(now - when)} if late else moment(when, tz), "late": late}

    end = case.resolved_at or case.paused_since or now
    spent = business_between(case.started_at, end, case.department) if case.department else end - case.started_at
    return [
        {"name": _("Acknowledge"), **due(case.acknowledge_due_at, case.acknowledged_at)},
        {"name": _("Resolve"), **due(case.resolve_due_at, case.resolved_at)},
        {"name": _("Open, business hours"), "text": short(spent)},
        {"name": _("Reporters"), "text": str(case.thread.me_too_count + 1)},
    ]


def _history(lines: Iterable[EscalationStep], known: dict[int, str], tz: Any) -> list[dict[str, Any]]:
    """The history in words. A department that hears of the case anew in a round is told *again*."""
    told: set[tuple[int, int | None]] = set()
    rows = []
    for line in lines:
        again = line.kind == StepKind.DEPARTMENT and (line.round, line.department_id) in told
        if line.kind == StepKind.DEPARTMENT:
            told.add((line.round, line.department_id))
        rows.append(_told(line, known, tz, again=again))
    return rows


def _told(step: EscalationStep, known: dict[int, str], tz: Any, *, again: bool = False) -> dict[str, Any]:
    """A line of the history in words."""
    names = ", ".join(known[pk] for pk in step.people if pk in known)
    department = step.department.name if step.department else ""
    by = step.by.name if step.by else ""
    nobody = _("nobody was there")
    words = {
        "advocates_notified": _("asked: %(names)s") % {"names": names or nobody},
        "department_notified": (_("%(department)s told again") if again else _("%(department)s told"))
        % {"department": department or nobody},
        "assigned": _("with %(names)s") % {"names": names or nobody},
        "handed_over": _("handed to %(names)s") % {"names": names or nobody},
        "given_back": _("given back to %(department)s") % {"department": department or nobody},
        "lead_notified": _("lead told: %(names)s") % {"names": names or nobody},
        "manager_notified": _("community manager told: %(names)s") % {"names": names or nobody},
        "late": {
            "acknowledge": _("acknowledge was due"),
            "resolve": _("resolve was due"),
        }.get(step.cause, _("late")),
        "asker_reminded": _("asker reminded"),
        "acknowledged": _("read by %(by)s") % {"by": by},
        "routed": _("to %(department)s, by %(by)s") % {"department": department, "by": by},
        "paused": _("paused"),
        "resumed": _("goes on"),
        "resolved": _("settled"),
        "reopened": _("open again"),
        "handed_off": _("handed off"),
        "outcome_posted": _("outcome posted"),
        "promise_made": _("promised by %(by)s") % {"by": by},
        "promise_kept": _("promise kept"),
        "promise_late": _("promise late"),
    }.get(step.kind, step.kind.replace("_", " "))
    cause = ""
    if step.kind == "resolved" and step.cause in Escalation.Cause.values:
        cause = Escalation.Cause(step.cause).label
    return {
        "at": moment(step.fired_at, tz),
        "iso": step.fired_at.isoformat(),
        "words": words,
        "cause": cause,
        "note": step.note,
        "late": step.kind in (StepKind.LATE, "promise_late"),
        "round": step.round,
    }


@require_GET
@for_agents
def case(request: HttpRequest, pk: int) -> HttpResponse:
    return case_page(request, load(request, pk))


@require_POST
@for_agents
def private(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the private details this once; that somebody looked is written down."""
    case = load(request, pk)
    try:
        details = questions.view_private_details(case.thread, request.user)  # type: ignore[arg-type]
    except NotAllowed as problem:
        return TemplateResponse(request, "escalation/refused.html", {"reason": problem.reason}, status=403)
    if details is None:
        raise Http404
    return case_page(request, case, private=details)

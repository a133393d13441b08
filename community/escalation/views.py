"""The desk, inside the Wagtail admin: queues, one case on one screen, an address for each action."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import wraps
from typing import Any

from django import forms
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Case, Count, Exists, F, OuterRef, Q, Subquery, When
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST
from wagtail.admin import messages

from community.accounts.models import Department, User
from community.core import clock, panels
from community.core.errors import Conflict, NotAllowed
from community.posts.models import Comment, Tag
from community.questions import services as questions
from community.questions.models import Answer, PrivateDetails, Thread
from community.questions.permissions import departments_of
from products.models import Ownership

from . import services
from .clock import business_between, closes_at, zone
from .forms import (
    AssignForm,
    InfoForm,
    MarkForm,
    NoteForm,
    OfficialForm,
    PauseForm,
    PlainForm,
    ReopenForm,
    ResolveForm,
    RouteForm,
)
from .models import Escalation, EscalationStep, StepKind
from .permissions import why_not_work
from .querysets import EscalationQuerySet, Joined
from .relay import moment

View = Callable[..., HttpResponse]
PER_PAGE = 50
BESIDE = 14  # rows of the queue beside an open case


def for_agents(view: View) -> View:
    """Say why to who may not work cases, instead of leading them away."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if reason := why_not_work(request.user):
            return TemplateResponse(request, "escalation/refused.html", {"reason": reason}, status=403)
        return view(request, *args, **kwargs)

    return checked


# Queues

REACHED = Q(told_at__isnull=False) | Q(acknowledged_at__isnull=False) | Q(late_at__isnull=False)
QUEUES: dict[str, tuple[Any, Q]] = {
    "due": (gettext_lazy("Due next"), Q(state="open") & REACHED & ~Q(phase="remind")),
    "mine": (gettext_lazy("Mine"), Q(state="open")),
    "late": (gettext_lazy("Late"), Q(state="open", late_at__isnull=False)),
    "attention": (
        gettext_lazy("Responded"),
        Q(state="open", thread__asker_spoke_at__isnull=False)
        & (Q(thread__replied_at=None) | Q(thread__asker_spoke_at__gt=F("thread__replied_at"))),
    ),
    "paused": (gettext_lazy("Paused"), Q(state="open", paused_since__isnull=False)),
    "owners": (
        gettext_lazy("With owners"),
        Q(state="open") & (Q(phase="remind") | Q(told_at=None, acknowledged_at=None, late_at=None)),
    ),
    "done": (gettext_lazy("Done"), Q(state="settled") & ~Q(resolved_cause="gone")),
}


def _queue_q(queue: str, user: User) -> Q:
    condition = QUEUES[queue][1]
    return condition & Q(assignee=user) if queue == "mine" else condition


def _own(request: HttpRequest, departments: list[Department]) -> Department | None:
    """The agent's department, out of those that are in hand."""
    own = request.user.department_id  # type: ignore[union-attr]
    return next((department for department in departments if department.pk == own), None)


def _scope(request: HttpRequest, departments: list[Department]) -> tuple[EscalationQuerySet, str]:
    """The cases of the chosen department; an agent begins with the own one."""
    own = _own(request, departments)
    chosen = request.GET.get("department", own.slug if own else "")
    cases_ = Escalation.objects.all()
    if chosen and chosen != "all":
        cases_ = cases_.filter(Q(department__slug=chosen) | Q(department=None))
    return cases_, chosen


def _visible(found: EscalationQuerySet) -> EscalationQuerySet:
    return found.filter(thread__visibility="visible")


class Row:
    """A case as the desk lists it."""

    def __init__(self, case: Escalation, user: User) -> None:
        self.case, self.thread = case, case.thread
        tz = zone(case.department.time_zone if case.department else user.time_zone)
        now, due = clock.now(), case.due_at
        self.late = case.is_late
        self.paused = case.is_paused
        self.mine = case.assignee_id == user.pk
        if case.is_paused:
            self.due = _("Paused %(time)s") % {"time": short(now - case.paused_since)}  # type: ignore[operator]
            self.sub = case.get_pause_cause_display()
        elif not case.is_open:
            self.due = moment(case.resolved_at, tz) if case.resolved_at else ""
            self.sub = case.get_resolved_cause_display()
        elif due is None:
            self.due, self.sub = _("no date"), case.get_phase_display()
        elif due <= now:
            self.due = _("%(time)s late") % {"time": short(now - due)} if case.is_late else _("now")
            self.sub = moment(due, tz)
        elif due - now < timedelta(hours=12):
            self.due, self.sub = _("in %(time)s") % {"time": short(due - now)}, moment(due, tz)
        else:
            self.due, self.sub = moment(due, tz), ""
        if not self.sub and case.is_open:
            self.sub = _("owners have it") if not case.with_staff else case.get_phase_display()


def short(span: timedelta) -> str:
    """A length of time as narrow as a column: 40 min, 1 h 10, 3 d."""
    minutes = max(1, int(span.total_seconds() // 60))
    if minutes < 60:
        return _("%(n)d min") % {"n": minutes}
    if minutes < 48 * 60:
        hours, rest = divmod(minutes, 60)
        return _("%(h)d h %(m)02d") % {"h": hours, "m": rest} if rest else _("%(h)d h") % {"h": hours}
    return _("%(n)d d") % {"n": minutes // (24 * 60)}


@require_GET
@for_agents
def desk(request: HttpRequest) -> HttpResponse:
    """A queue, late first, then by what is due next."""
    queue = request.GET.get("queue", "due")
    if queue not in QUEUES:
        raise Http404
    departments = list(Department.objects.current())
    scope, department = _scope(request, departments)
    scope = _visible(scope)
    user: User = request.user  # type: ignore[assignment]
    now = clock.now()
    counts = scope.aggregate(
        **{name: Count("pk", filter=_queue_q(name, user)) for name in QUEUES if name != "done"},
        today=Count("pk", filter=Q(state="open", next_due_at__lte=now + timedelta(hours=24))),
    )
    found = scope.filter(_queue_q(queue, user)).for_desk()
    kind = request.GET.get("kind", "")
    if kind in ("question", "problem", "idea", "praise"):
        found = found.filter(thread__kind=kind)
    words = request.GET.get("q", "").replace("\0", "").strip()[:100]
    if words:
        found = found.filter(thread__title__icontains=words)
    found = found.order_by("-resolved_at", "-id") if queue == "done" else found.in_due_order()
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "queue": queue,
        "tabs": [(name, label, counts.get(name), name == queue) for name, (label, _q) in QUEUES.items()],
        "counts": counts,
        "page": page,
        "rows": [Row(case, user) for case in page],
        "departments": departments,
        "department": department,
        "kind": kind,
        "q": words,
        "hours": _hours_line(_own(request, departments)),
    }
    return TemplateResponse(request, "escalation/desk.html", context)


def _hours_line(department: Department | None) -> str:
    """Whether the agent's department is open, and its time."""
    if department is None:
        return ""
    tz, now = zone(department.time_zone), clock.now()
    here = {"department": department.name, "place": tz.key.rpartition("/")[2].replace("_", " ")}
    time = f"{now.astimezone(tz):%H:%M}"
    if closes := closes_at(now, department):
        return _("%(department)s is open until %(until)s; in %(place)s it is %(time)s.") % {
            **here, "until": f"{closes.astimezone(tz):%H:%M}", "time": time,
        }  # fmt: skip
    return _("%(department)s is closed; in %(place)s it is %(time)s.") % {**here, "time": time}


# One case


def _load(request: HttpRequest, pk: int) -> Escalation:
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


WORKERS = Q(groups__permissions__codename="work_cases", groups__permissions__content_type__app_label="escalation") | Q(
    user_permissions__codename="work_cases", user_permissions__content_type__app_label="escalation"
)


def _people(request: HttpRequest, also: set[int] | None = None) -> tuple[list[User], dict[int, str]]:
    """Everybody who works cases, colleagues of the agent first; and the names of these and some others. One query."""
    own = request.user.department_id  # type: ignore[union-attr]
    workers = User.objects.active().filter(WORKERS).order_by().values("pk")
    found = list(
        User.objects.filter(Q(pk__in=workers) | Q(pk__in=also or ()))
        .annotate(works=Case(When(pk__in=workers, then=True), default=False))
        .select_related("department")
        .order_by("name", "pk")
    )
    people = [person for person in found if person.works]  # type: ignore[attr-defined]
    people.sort(key=lambda person: (person.department_id != own, person.name))
    return people, {person.pk: person.name for person in found}


def _case_page(
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
    people, names = _people(request, {pk for line in lines for pk in line.people})
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
    queue = _visible(_scope(request, departments)[0]).filter(QUEUES["due"][1]).for_desk().in_due_order()[:BESIDE]
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
    return _case_page(request, _load(request, pk))


# Actions


def _official(thread: Thread, user: User, data: dict[str, Any]) -> str:
    services.answer_officially(thread, user, **data)
    return _("Posted as the official answer.")


def _acknowledge(thread: Thread, user: User, data: dict[str, Any]) -> str:
    services.acknowledge(thread, user)
    return _("You look after it now.")


def _take(thread: Thread, user: User, data: dict[str, Any]) -> str:
    services.assign(thread, user, user)
    return _("It is yours now.")


def _assign(thread: Thread, user: User, data: dict[str, Any]) -> str:
    services.assign(thread, user, data["to"], seen=data["seen"])
    return _("With %(name)s now.") % {"name": data["to"]}


def _route(thread: Thread, user: User, data: dict[str, Any]) -> str:
    services.route(thread, user, data["department"], reason=data["reason"])
    return _("With %(department)s now.") % {"department": data["department"]}


def _info(thread: Thread, user: User, data: dict[str, Any]) -> str:
    services.ask_for_info(thread, user, data["note"])
    return _("Asked. The clocks stand until the reply.")


def _pause(thread: Thread, user: User, data: dict[str, Any]) -> str:
    services.pause(thread, user, data["cause"], note=data["note"])
    return _("The clocks stand.")


def _resume(thread: Thread, user: User, data: dict[str, Any]) -> str:
    services.resume(thread, user)
    return _("The clocks run again.")


def _resolve(thread: Thread, user: User, data: dict[str, Any]) -> str:
    services.resolve(thread, user, data["cause"], note=data["note"])
    return _("Settled.")


def _reopen(thread: Thread, user: User, data: dict[str, Any]) -> str:
    services.reopen(thread, user, reason=data["reason"])
    return _("Open again, one level up.")


def _note(thread: Thread, user: User, data: dict[str, Any]) -> str:
    services.add_note(thread, user, data["body"])
    return _("Noted, for staff only.")


def _mark(thread: Thread, user: User, data: dict[str, Any]) -> str:
    answer = get_object_or_404(Answer.objects.visible().filter(thread=thread), pk=data["answer"])
    services.mark_official(answer, user, data["department"])
    return _("Official for %(department)s now.") % {"department": data["department"]}


VERBS: dict[str, tuple[type[forms.Form], Callable[[Thread, User, dict[str, Any]], str]]] = {
    "acknowledge": (PlainForm, _acknowledge),
    "take": (PlainForm, _take),
    "assign": (AssignForm, _assign),
    "route": (RouteForm, _route),
    "info": (InfoForm, _info),
    "official": (OfficialForm, _official),
    "mark": (MarkForm, _mark),
    "pause": (PauseForm, _pause),
    "resume": (PlainForm, _resume),
    "resolve": (ResolveForm, _resolve),
    "reopen": (ReopenForm, _reopen),
    "note": (NoteForm, _note),
}


@require_POST
@for_agents
def act(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """Do one thing with a case; what was typed comes back when it can't be done."""
    if verb not in VERBS:
        raise Http404
    case = _load(request, pk)
    form_class, do = VERBS[verb]
    extra: dict[str, Any] = {}
    if verb == "route":
        extra["departments"] = list(Department.objects.current())
    elif verb in ("official", "mark"):
        extra["departments"] = list(departments_of(request.user))
    elif verb == "assign":
        extra["people"] = _people(request)[0]
    form = form_class(request.POST, auto_id=f"{verb}_%s", **extra)
    status = 422
    if form.is_valid():
        try:
            said = do(case.thread, request.user, form.cleaned_data)  # type: ignore[arg-type]
        except ValidationError as problem:
            _put(form, problem)
        except Conflict as problem:
            form.add_error(None, problem.reason)
            status = 409
        except NotAllowed as problem:
            form.add_error(None, problem.reason)
            status = 403
        else:
            messages.success(request, said)
            return HttpResponseRedirect(reverse("escalation:case", args=[pk]), status=303)
    # Where there is no form to show it in, the problem is said on top.
    plain = verb in ("acknowledge", "take", "resume", "mark")
    for errors in form.errors.values() if plain else [form.non_field_errors()]:
        for error in errors:
            messages.error(request, error)
    return _case_page(request, _load(request, pk), bound=None if plain else (verb, form), status=status)


def _put(form: forms.Form, problem: ValidationError) -> None:
    """A service's complaint beside the field it is about."""
    if not hasattr(problem, "error_dict"):
        form.add_error(None, problem)
        return
    for field, errors in problem.error_dict.items():
        form.add_error(field if field in form.fields else None, errors)


@require_POST
@for_agents
def private(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the private details this once; that somebody looked is written down."""
    case = _load(request, pk)
    try:
        details = questions.view_private_details(case.thread, request.user)  # type: ignore[arg-type]
    except NotAllowed as problem:
        return TemplateResponse(request, "escalation/refused.html", {"reason": problem.reason}, status=403)
    if details is None:
        raise Http404
    return _case_page(request, case, private=details)

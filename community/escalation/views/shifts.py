"""Who is next, who is away, who works when; and handing open cases over at the end of a shift."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from wagtail.admin import messages

from community.accounts.models import Department, User
from community.core import clock, text
from community.core.errors import NotAllowed

from .. import rotation, shifts
from ..clock import zone
from ..forms import WEEK, AwayForm, HandOverForm, HoursForm
from ..models import Absence, EscalationStep, HandOver
from ..permissions import keeps_hours_of, why_not_keep_hours_of
from ..relay import moment
from .common import Row, for_agents, people_of, put


def _department(request: HttpRequest, departments: list[Department]) -> Department | None:
    """The one in the address, else the agent's, else the first."""
    wanted = request.GET.get("department", "")
    own = request.user.department_id  # type: ignore[union-attr]
    named = next((row for row in departments if row.slug == wanted), None)
    return named or next((row for row in departments if row.pk == own), departments[0] if departments else None)


def _person(request: HttpRequest) -> User:
    """Whose absence or hours a form is about; the agent's own without a word."""
    pk = request.POST.get("person") or request.GET.get("person") or ""
    if not pk.isdecimal() or len(pk) > 18 or int(pk) == request.user.pk:
        return request.user  # type: ignore[return-value]
    return get_object_or_404(User.objects.active().select_related("department"), pk=int(pk))


def _refused(request: HttpRequest, reason: str) -> HttpResponse:
    return TemplateResponse(request, "escalation/refused.html", {"reason": reason}, status=403)


# Who is next


@require_GET
@for_agents
def who(request: HttpRequest) -> HttpResponse:
    """The rotation of a department, with the reasons; and the days on which somebody is away."""
    return _who(request)


def _who(
    request: HttpRequest, *, away: AwayForm | None = None, hours: HoursForm | None = None, status: int = 200
) -> HttpResponse:
    departments = list(Department.objects.current().select_related("lead"))
    department = _department(request, departments)
    person = _person(request)
    turns = rotation.turns(department) if department else []
    open_to_me = keeps_hours_of(request.user, [turn.person for turn in turns])
    for turn in turns:
        turn.open_to_me = turn.person.pk in open_to_me  # type: ignore[attr-defined]
    now = clock.now()
    today = rotation.today_of(department, now)
    shown = Q(user__in=[turn.person.pk for turn in turns]) | Q(user=person)
    tz = zone(department.time_zone if department else "")
    context = {
        "departments": departments,
        "department": department,
        "turns": [(turn, moment(turn.works, tz) if turn.works else "") for turn in turns],
        "person": person,
        "reason": why_not_keep_hours_of(request.user, person),
        "absences": Absence.objects.filter(shown, until__gte=today).select_related("user", "stand_in"),
        "today": today,
        "away": away or AwayForm(people=people_of(request)[0]),
        "hours": hours or HoursForm(initial=HoursForm.initial_of(person)),
        "week": WEEK,
        "weights": {"late": rotation.LATE, "paused": rotation.PAUSED},
        "zone": tz.key,
    }
    return TemplateResponse(request, "escalation/who.html", context, status=status)


def _back_to_who(request: HttpRequest, person: User) -> HttpResponse:
    query = f"?person={person.pk}" if person.pk != request.user.pk else ""
    return HttpResponseRedirect(f"{reverse('escalation:who')}{query}", status=303)


@require_POST
@for_agents
def away(request: HttpRequest) -> HttpResponse:
    """Be away for some days."""
    person, status = _person(request), 422
    form = AwayForm(request.POST, people=people_of(request)[0])
    if form.is_valid():
        try:
            shifts.be_away(person, request.user, **form.cleaned_data)  # type: ignore[arg-type]
        except ValidationError as problem:
            put(form, problem)
        except NotAllowed as problem:
            return _refused(request, problem.reason)
        else:
            messages.success(request, _("Written down. Nothing new comes on these days."))
            return _back_to_who(request, person)
    return _who(request, away=form, status=status)


@require_POST
@for_agents
def back(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an absence back."""
    absence = Absence.objects.select_related("user").filter(pk=pk).first()
    if absence is not None:
        try:
            shifts.be_back(absence, request.user)  # type: ignore[arg-type]
        except NotAllowed as problem:
            return _refused(request, problem.reason)
    messages.success(request, _("The absence is taken back."))
    return _back_to_who(request, absence.user if absence else request.user)  # type: ignore[arg-type]


@require_POST
@for_agents
def hours(request: HttpRequest) -> HttpResponse:
    """Say when an agent works."""
    person = _person(request)
    form = HoursForm(request.POST)
    if form.is_valid():
        try:
            shifts.keep_hours(person, request.user, form.hours())  # type: ignore[arg-type]
        except ValidationError as problem:
            put(form, problem)
        except NotAllowed as problem:
            return _refused(request, problem.reason)
        else:
            messages.success(request, _("Kept."))
            return _back_to_who(request, person)
    return _who(request, hours=form, status=422)


# Hand-over


@require_http_methods(["GET", "HEAD", "POST"])
@for_agents
def hand_over(request: HttpRequest) -> HttpResponse:
    """All open cases of an agent with a tick and a note each, and to whom they go."""
    person = _person(request)
    if person.pk != request.user.pk and (reason := why_not_keep_hours_of(request.user, person)):
        return _refused(request, reason)
    found = list(shifts.open_cases(person))
    people = [one for one in people_of(request)[0] if one.pk != person.pk]
    status = 200
    form = HandOverForm(people=people)
    notes: dict[int, str] = {}
    chosen = {case.thread_id for case in found}
    if request.method == "POST":
        form = HandOverForm(request.POST, people=people)
        chosen = {int(pk) for pk in request.POST.getlist("case") if pk.isdecimal() and len(pk) < 18}
        notes = {pk: text.clean_source(request.POST.get(f"note-{pk}", ""))[:2000] for pk in chosen}
        status = 422
        if form.is_valid():
            try:
                act, missing = shifts.hand_over(
                    person, request.user, form.cleaned_data["to"], chosen, note=form.cleaned_data["note"], notes=notes  # type: ignore[arg-type]
                )  # fmt: skip
            except ValidationError as problem:
                put(form, problem)
            except NotAllowed as problem:
                return _refused(request, problem.reason)
            else:
                if missing:
                    n = len(missing)
                    messages.warning(request, ngettext(
                        "%(n)d case had changed hands meanwhile and stays where it is.",
                        "%(n)d cases had changed hands meanwhile and stay where they are.", n,
                    ) % {"n": n})  # fmt: skip
                if act is None:
                    return HttpResponseRedirect(reverse("escalation:hand_over"), status=303)
                return HttpResponseRedirect(act.get_absolute_url(), status=303)
    absence = rotation.away(rotation.today_of(person.department, clock.now())).filter(user__in=people)
    context = {
        "person": person,
        "form": form,
        "rows": [(Row(case, request.user), case.thread_id in chosen, notes.get(case.thread_id, "")) for case in found],  # type: ignore[arg-type]
        "away": list(absence.select_related("user", "stand_in")),
    }
    return TemplateResponse(request, "escalation/hand_over.html", context, status=status)


@require_GET
@for_agents
def handover(request: HttpRequest, pk: int) -> HttpResponse:
    """What was handed over in one act."""
    act = get_object_or_404(HandOver.objects.select_related("by", "giver", "to"), pk=pk)
    notes = {
        step.escalation_id: step.note
        for step in EscalationStep.objects.filter(
            escalation__in=act.cases.all(), fired_at=act.at, kind__in=["handed_over", "given_back"]
        )
    }
    found = act.cases.filter(thread__visibility="visible").for_desk().in_due_order()
    tz = zone(request.user.department.time_zone if request.user.department else "")  # type: ignore[union-attr]
    context = {
        "act": act,
        "rows": [(Row(case, request.user), notes.get(case.pk, "")) for case in found],  # type: ignore[arg-type]
        "at": moment(act.at, tz),
    }
    return TemplateResponse(request, "escalation/handover.html", context)

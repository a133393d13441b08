"""The lists of the desk: a queue with its numbers, filters and acts on many cases at once."""

from __future__ import annotations

from collections.abc import Sequence

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from wagtail.admin import messages

from community.accounts.models import Department, User
from community.core import clock
from community.core.errors import Conflict, NotAllowed
from community.questions.counting import MOST
from community.questions.models import Kind, Thread

from .. import bulk as many
from .. import check, queues, shifts
from ..clock import closes_at, zone
from ..forms import AssignForm, NoteForm, PauseForm, PlainForm, ResolveForm, RouteForm
from ..models import DeskFilter, Escalation
from ..querysets import EscalationQuerySet
from .common import Row, for_agents, people_of


def own(request: HttpRequest, departments: list[Department]) -> Department | None:
    """The agent's department, out of those that are in hand."""
    pk = request.user.department_id  # type: ignore[union-attr]
    return next((department for department in departments if department.pk == pk), None)


def wish_of(request: HttpRequest, departments: list[Department]) -> queues.Wish:
    """What the address asks for; 404 where no such queue is."""
    wish = queues.read(request.GET, request.user, own(request, departments))  # type: ignore[arg-type]
    if wish is None:
        raise Http404
    return wish


def beside(request: HttpRequest, departments: list[Department], most: int) -> EscalationQuerySet:
    """What is due next, for the list beside an open case: of the chosen department. One query, which puts the whole
    queue in order by its own columns and fetches what is shown of `most` rows alone."""
    wish = queues.Wish(request.user, own=own(request, departments))  # type: ignore[arg-type]
    wish.department = request.GET.get("department", wish.own.slug if wish.own else "").replace("\0", "")[:80]
    places = queues.cases_of("due", wish).in_due_order().values("pk")[:most]
    rows = Escalation.objects.filter(pk__in=places).select_related("thread__product", "department", "assignee")
    return rows.defer(*(f"thread__{name}" for name in WORDS)).in_due_order()


WORDS = ("body_source", "body_html", "body_text")  # of a thread: what no list shows


def shown(number: int) -> str:
    """A number beside a queue: exact up to 999."""
    return f"{MOST}+" if number > MOST else str(number)


# Acts on many cases


def bulk_forms(people: list[User], departments: list[Department]) -> dict[str, forms.Form]:
    return {
        "assign": AssignForm(prefix="assign", people=people),
        "route": RouteForm(prefix="route", departments=departments),
        "pause": PauseForm(prefix="pause"),
        "resolve": ResolveForm(prefix="resolve"),
        "note": NoteForm(prefix="note"),
    }


def bound_form(verb: str, request: HttpRequest, departments: list[Department]) -> forms.Form:
    if verb == "assign":
        return AssignForm(request.POST, prefix=verb, people=people(request))
    if verb == "route":
        return RouteForm(request.POST, prefix=verb, departments=departments)
    plain: dict[str, type[forms.Form]] = {"pause": PauseForm, "resolve": ResolveForm, "note": NoteForm}
    return plain.get(verb, PlainForm)(request.POST, prefix=verb)


def people(request: HttpRequest) -> list[User]:
    return people_of(request)[0]


def said(verb: str, n: int) -> str:
    """What was done, in a sentence."""
    words = {
        "acknowledge": ngettext("You look after %(n)d case now.", "You look after %(n)d cases now.", n),
        "take": ngettext("%(n)d case is yours now.", "%(n)d cases are yours now.", n),
        "assign": ngettext("%(n)d case is assigned.", "%(n)d cases are assigned.", n),
        "route": ngettext("%(n)d case is with the other department.", "%(n)d cases are with the other department.", n),
        "pause": ngettext("The clocks of %(n)d case stand.", "The clocks of %(n)d cases stand.", n),
        "resume": ngettext("The clocks of %(n)d case run again.", "The clocks of %(n)d cases run again.", n),
        "resolve": ngettext("%(n)d case is settled.", "%(n)d cases are settled.", n),
        "note": ngettext("Noted on %(n)d case, for staff only.", "Noted on %(n)d cases, for staff only.", n),
    }
    return words[verb] % {"n": n}


def ticked(values: Sequence[str]) -> dict[int, int]:
    """The chosen threads, each with the assignee that stood there: "12:5". What is no such pair is left out."""
    found: dict[int, int] = {}
    for value in values:
        thread, _colon, seen = value.partition(":")
        if thread.isdecimal() and seen.isdecimal() and max(len(thread), len(seen)) < 18:
            found[int(thread)] = int(seen)
    return found


@require_POST
@for_agents
def bulk(request: HttpRequest) -> HttpResponse:
    """Do one thing with all the cases that are ticked; what did not work is listed, ticked still, with the reason."""
    verb = request.POST.get("verb", "")
    if verb not in many.ACTS:
        raise Http404
    departments = list(Department.objects.current())
    wish = wish_of(request, departments)
    chosen = ticked(request.POST.getlist("case"))
    form = bound_form(verb, request, departments)
    status, result = 422, None
    if form.is_valid():
        try:
            result = many.act_on(verb, list(chosen), request.user, form.cleaned_data, seen=chosen)  # type: ignore[arg-type]
        except ValidationError as problem:
            form.add_error(None, problem)
        except NotAllowed as problem:
            form.add_error(None, problem.reason)
            status = 403
        else:
            status = 409
            if result.done:
                messages.success(request, said(verb, len(result.done)))
            if not result.failed and not result.gone:
                return HttpResponseRedirect(f"{reverse('escalation:desk')}?{wish.query()}", status=303)
            chosen = {thread.pk: chosen[thread.pk] for thread, _reason in result.failed}
    problems = [] if result else list(form.non_field_errors())
    bound = (verb, form) if form.errors else None
    return _list(request, departments, wish, status=status, bound=bound, result=result, chosen=chosen, bad=problems)


# A queue


@require_GET
@for_agents
def desk(request: HttpRequest) -> HttpResponse:
    """A queue, late first, then by what is due next."""
    departments = list(Department.objects.current())
    return _list(request, departments, wish_of(request, departments))


def _list(
    request: HttpRequest,
    departments: list[Department],
    wish: queues.Wish,
    *,
    status: int = 200,
    bound: tuple[str, forms.Form] | None = None,
    result: many.Done | None = None,
    chosen: dict[int, int] | None = None,
    bad: list[str] | None = None,
) -> HttpResponse:
    user, now = wish.user, clock.now()
    counted = queues.counts(wish)
    try:
        page = queues.page_of(
            queues.chosen(wish).for_desk(), wish.order, after=request.GET.get("after", ""),
            before=request.GET.get("before", ""),
        )  # fmt: skip
    except queues.BadCursor:
        raise Http404 from None
    actions = bulk_forms(people(request), departments)
    if bound is not None and bound[0] in actions:
        actions[bound[0]] = bound[1]
    kept_filters = shifts.filters_of(user)
    query = wish.query()
    place = reverse("escalation:desk")
    failed = result.failed if result else []
    context = {
        "wish": wish,
        "tabs": [
            (
                name, wish.own.name if name == "department" and wish.own else queue.label,
                shown(counted[name]) if queue.counted else None, name == wish.queue,
                f"{place}?{wish.query(queue='' if name == 'due' else name)}",
            )
            for name, queue in queues.QUEUES.items() if name in counted or not queue.counted
        ],
        "hint": queues.QUEUES[wish.queue].hint,
        "late": counted["late"],
        "today": shown(counted["today"]),
        "paused": shown(counted["paused"]),
        "rows": [Row(case, user) for case in page.rows],
        "next_url": f"{place}?{query}&after={page.after}" if page.after else "",
        "previous_url": f"{place}?{query}&before={page.before}" if page.before else "",
        "first_url": f"{place}?{query}" if request.GET.get("after") or request.GET.get("before") else "",
        "departments": departments,
        "kinds": Kind.choices,
        "orders": [(name, queues.ORDERS[name].label) for name in queues.CHOOSABLE],
        "hours": hours_line(wish.own),
        "query": query,
        "filters": [(kept, f"{place}?{kept.query}", kept.query == query) for kept in kept_filters],
        "can_keep": bool(query) and not any(kept.query == query for kept in kept_filters),
        "actions": actions,
        "open_action": bound[0] if bound else "",
        "result": result,
        "failed": failed,
        "bad": bad or [],
        "chosen": chosen or {},
        "warning": check.warning(check.latest(), check.oldest_due(), now),
        "poll": f"{reverse('escalation:counts')}?{query}",
    }  # fmt: skip
    return TemplateResponse(request, "escalation/desk.html", context, status=status)


@require_GET
@never_cache
@for_agents
def counts(request: HttpRequest) -> HttpResponse:
    """The numbers beside the queues as they are now: the desk asks while somebody looks at it."""
    wish = wish_of(request, list(Department.objects.current()))
    return JsonResponse({name: shown(number) for name, number in queues.counts(wish).items()})


@require_GET
@for_agents
def keys(request: HttpRequest) -> HttpResponse:
    """The keys of the desk, for who has no script to show them beside it."""
    return TemplateResponse(request, "escalation/keys.html", {})


def hours_line(department: Department | None) -> str:
    """Whether the agent's department is open, and its time."""
    if department is None:
        return ""
    tz, now = zone(department.time_zone), clock.now()
    here = {"department": str(department), "place": tz.key.rpartition("/")[2].replace("_", " ")}
    time = f"{now.astimezone(tz):%H:%M}"
    if closes := closes_at(now, department):
        return _("%(department)s is open until %(until)s; in %(place)s it is %(time)s.") % {
            **here, "until": f"{closes.astimezone(tz):%H:%M}", "time": time,
        }  # fmt: skip
    return _("%(department)s is closed; in %(place)s it is %(time)s.") % {**here, "time": time}


# Filters


@require_POST
@for_agents
def keep_filter(request: HttpRequest) -> HttpResponse:
    """Keep the queue somebody looks at under a name, for oneself or for the department."""
    query = queues.query_of(request.POST.get("query", ""))
    try:
        kept = shifts.keep_filter(
            request.user, request.POST.get("name", ""), query, shared=bool(request.POST.get("shared"))  # type: ignore[arg-type]
        )  # fmt: skip
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
    else:
        query = kept.query
        messages.success(request, _("Kept. You find it above the list."))
    return HttpResponseRedirect(f"{reverse('escalation:desk')}?{query}", status=303)


@require_POST
@for_agents
def drop_filter(request: HttpRequest, pk: int) -> HttpResponse:
    kept = DeskFilter.objects.select_related("department").filter(pk=pk).first()
    if kept is not None:
        try:
            shifts.drop_filter(kept, request.user)  # type: ignore[arg-type]
        except NotAllowed as problem:
            return TemplateResponse(request, "escalation/refused.html", {"reason": problem.reason}, status=403)
    messages.success(request, _("The filter is taken away."))
    query = queues.query_of(request.POST.get("query", ""))
    return HttpResponseRedirect(f"{reverse('escalation:desk')}?{query}", status=303)


# What is forgotten


@require_GET
@for_agents
def forgotten(request: HttpRequest) -> HttpResponse:
    """What a look for late and unseen threads finds now, and what it found each night."""
    total, found = check.look()
    context = {
        "total": total,
        "found": [(finding, finding.kind == check.Kind.NO_CASE, finding.kind in check.MENDED) for finding in found],
        "oldest": check.oldest_due(),
        "looks": check.DeskCheck.objects.order_by("-at")[:14],
    }
    return TemplateResponse(request, "escalation/forgotten.html", context)


@require_POST
@for_agents
def look_after(request: HttpRequest, pk: int) -> HttpResponse:
    """Begin to look after a thread that has no case."""
    thread = get_object_or_404(Thread.objects.filter(visibility="visible"), pk=pk)
    try:
        case: Escalation = check.look_after(thread, request.user)  # type: ignore[arg-type]
    except NotAllowed as problem:
        return TemplateResponse(request, "escalation/refused.html", {"reason": problem.reason}, status=403)
    except Conflict as problem:
        messages.error(request, problem.reason)
        return HttpResponseRedirect(reverse("escalation:check"), status=303)
    messages.success(request, _("It is looked after from now on."))
    return HttpResponseRedirect(reverse("escalation:case", args=[case.thread_id]), status=303)

"""The lists of the desk: a queue, its counts, its filters."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, F, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from community.accounts.models import Department, User
from community.core import clock

from ..clock import closes_at, zone
from ..models import Escalation
from ..querysets import EscalationQuerySet
from .common import Row, for_agents

PER_PAGE = 50

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


def own(request: HttpRequest, departments: list[Department]) -> Department | None:
    """The agent's department, out of those that are in hand."""
    pk = request.user.department_id  # type: ignore[union-attr]
    return next((department for department in departments if department.pk == pk), None)


def scope(request: HttpRequest, departments: list[Department]) -> tuple[EscalationQuerySet, str]:
    """The cases of the chosen department; an agent begins with the own one."""
    mine = own(request, departments)
    chosen = request.GET.get("department", mine.slug if mine else "")
    cases_ = Escalation.objects.all()
    if chosen and chosen != "all":
        cases_ = cases_.filter(Q(department__slug=chosen) | Q(department=None))
    return cases_, chosen


def visible(found: EscalationQuerySet) -> EscalationQuerySet:
    return found.filter(thread__visibility="visible")


@require_GET
@for_agents
def desk(request: HttpRequest) -> HttpResponse:
    """A queue, late first, then by what is due next."""
    queue = request.GET.get("queue", "due")
    if queue not in QUEUES:
        raise Http404
    departments = list(Department.objects.current())
    cases_, department = scope(request, departments)
    cases_ = visible(cases_)
    user: User = request.user  # type: ignore[assignment]
    now = clock.now()
    counts = cases_.aggregate(
        **{name: Count("pk", filter=_queue_q(name, user)) for name in QUEUES if name != "done"},
        today=Count("pk", filter=Q(state="open", next_due_at__lte=now + timedelta(hours=24))),
    )
    found = cases_.filter(_queue_q(queue, user)).for_desk()
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
        "hours": _hours_line(own(request, departments)),
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

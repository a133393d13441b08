"""The versions of a policy, and what a draft would have sent in the last 90 days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from wagtail.admin import messages
from wagtail.log_actions import log

from community.accounts.models import Department
from community.core.errors import Conflict
from community.questions.models import Thread

from .. import policies, simulation
from ..clock import zone
from ..forms import PolicyForm
from ..models import EscalationPolicy, PolicyVersion, Reach, Simulation, StepKind
from ..permissions import why_not_manage_policies

View = Callable[..., HttpResponse]


def for_managers(view: View) -> View:
    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if reason := why_not_manage_policies(request.user):
            return TemplateResponse(request, "escalation/refused.html", {"reason": reason}, status=403)
        return view(request, *args, **kwargs)

    return checked


# What changed, in words


def _named() -> dict[str, Any]:
    """What the parts of a policy are called, as the form calls them."""
    fields = {
        "route_by_tag": "route_by_tag", "me_too_skips_a_rung_at": "me_too_skips_at",
        **{name: name for name in (
            "slug", "name", "active", "position", "match", "department", "until", "clock", "acknowledge_hours",
            "resolve_hours", "start_one_level_up", "asker_sees",
        )},
    }  # fmt: skip
    return {key: EscalationPolicy._meta.get_field(name).verbose_name for key, name in fields.items()}  # type: ignore[union-attr]


def conditions_in_words(match: dict[str, Any]) -> str:
    """Each condition as the form calls it, with its choices as the form offers them."""
    said = []
    for name, value in match.items():
        field = PolicyForm.base_fields.get(PolicyForm.CONDITIONS.get(name, ""))
        offered = dict(field.choices) if isinstance(field, forms.MultipleChoiceField) else {}
        words = [str(offered.get(one.replace(" ", "_"), one)) if isinstance(one, str) else str(one)
                 for one in (value if isinstance(value, list) else [value])]  # fmt: skip
        said.append(f"{field.label if field is not None else name}: {', '.join(words)}")
    return "; ".join(said)


def step_in_words(step: dict[str, Any]) -> str:
    kind = policies.STEP_WORDS[step["step"]]
    line = _("After %(hours)g h: %(what)s") % {"hours": step["hours"], "what": kind.label}
    if step.get("channel") == Reach.WEBHOOK:
        line = _("%(line)s, and the webhook is told") % {"line": line}
    if step.get("channel") == Reach.MAIL:
        line = _("%(line)s, with a mail to the mailbox") % {"line": line}
    return f"{line} ({step['note']})" if step.get("note") else line


def in_words(key: str, value: Any) -> str:
    if key == "match":
        return conditions_in_words(value or {})
    if key == "route_by_tag":
        return ", ".join(f"{tag}: {slug}" for tag, slug in (value or {}).items())
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if key == "until":
        return str(EscalationPolicy.Until(value).label)
    if key == "clock":
        return str(EscalationPolicy.Clock(value).label)
    return str(value)


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What each changed part was and is, in words; its name comes first."""
    found = [
        (str(label), in_words(key, old.get(key)), in_words(key, new.get(key)))
        for key, label in _named().items()
        if old.get(key) != new.get(key)
    ]
    if old.get("steps") != new.get("steps"):
        was, now = ("\n".join(map(step_in_words, data.get("steps", []))) for data in (old, new))
        found.append((_("rungs"), was, now))
    return found


# Versions


@require_GET
@for_managers
def history(request: HttpRequest, pk: int) -> HttpResponse:
    """Every version of a policy: who made it, when, and what it changed."""
    policy = get_object_or_404(EscalationPolicy.objects.select_related("department").prefetch_related("steps"), pk=pk)
    rows: list[PolicyVersion] = list(policy.versions.select_related("by"))
    current = policies.snapshot(policy, policies.steps_of(policy))
    versions = []
    for row, before in zip(rows, [*rows[1:], None], strict=False):  # one None too many, when there is no row
        changes = differences(before.data, row.data) if before else []
        whole = [(str(label), in_words(key, row.data.get(key))) for key, label in _named().items()]
        versions.append((row, changes, [one for one in whole if one[1]], list(map(step_in_words, row.data["steps"]))))
    context = {
        "policy": policy,
        "versions": versions,
        "rungs": list(map(step_in_words, current["steps"])),
        "conditions": conditions_in_words(policy.match),
        "simulations": policy.simulations.select_related("by")[:10],
    }
    return TemplateResponse(request, "escalation/policy_history.html", context)


@require_POST
@for_managers
def switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a policy in use or out of it; what stands against it is said on its page."""
    policy = get_object_or_404(EscalationPolicy, pk=pk)
    on = request.POST.get("on") == "1"
    try:
        policies.switch_policy(policy, request.user, on=on)  # type: ignore[arg-type]
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
    else:
        log(instance=policy, action="wagtail.edit", content_changed=True)
        messages.success(request, _("The policy is in use.") if on else _("The policy is not in use."))
    return HttpResponseRedirect(reverse("escalation:policy", args=[pk]), status=303)


# Simulations


def _whom(kind: str, department: Department | None) -> str:
    name = str(department) if department else "–"
    if kind == StepKind.ADVOCATES:
        return _("Advocates")
    if kind == StepKind.MANAGER:
        return _("Community managers")
    if kind == StepKind.LEAD:
        if department and department.lead:
            return _("%(person)s, lead of %(department)s") % {"person": department.lead, "department": name}
        return _("The lead of %(department)s") % {"department": name}
    if kind == StepKind.ASSIGNED and department is None:
        return _("Somebody, by rotation")
    if kind == StepKind.ASSIGNED:
        return _("Somebody of %(department)s, by rotation") % {"department": name}
    return name


class Compared:
    """A result as a page shows it: each row with today's number, the draft's and the difference."""

    def __init__(self, one: Simulation) -> None:
        self.result = one.result
        self.one = one
        self.departments = {row.pk: row for row in Department.objects.select_related("lead")}
        self.zone = zone(next(iter(self.departments.values())).time_zone) if self.departments else zone("UTC")

    def _rows(self, today: dict[Any, int], draft: dict[Any, int], label: Callable[[Any], str]) -> list[Any]:
        return [
            (label(key), today.get(key, 0), draft.get(key, 0), draft.get(key, 0) - today.get(key, 0))
            for key in dict.fromkeys([*today, *draft])
        ]

    def kinds(self) -> list[Any]:
        order = [str(kind) for kind in simulation.ALARMS]
        today, draft = (
            {kind: self.result[side]["kinds"][kind] for kind in order if kind in self.result[side]["kinds"]}
            for side in ("today", "draft")
        )
        rows = self._rows(today, draft, lambda kind: str(StepKind(kind).label))
        total = (_("All"), self.result["today"]["total"], self.result["draft"]["total"])
        return [*rows, (*total, total[2] - total[1])]

    def whom(self) -> list[Any]:
        sides = []
        for side in ("today", "draft"):
            found: dict[str, int] = {}
            for kind, pk, count in self.result[side]["departments"]:
                label = _whom(kind, self.departments.get(pk))
                found[label] = found.get(label, 0) + count
            sides.append(found)
        return self._rows(sides[0], sides[1], str)

    def weeks(self) -> list[Any]:
        since = self.one.since
        labels = [date_format(since + timedelta(days=7 * number), "j M") for number in range(99)]
        today, draft = self.result["today"]["weeks"], self.result["draft"]["weeks"]
        return list(zip(labels, today, draft, strict=False))

    def hours(self) -> list[Any]:
        today, draft = self.result["today"]["hours"], self.result["draft"]["hours"]
        return [(f"{hour:02d}:00", a, b) for hour, (a, b) in enumerate(zip(today, draft, strict=True))]

    def chart(self) -> dict[str, Any]:
        words = _("Line chart: alarms by week, %(today)d with today's policies and %(draft)d with the draft. "
                  "The same numbers are in the table below.")  # fmt: skip
        return self._chart(self.weeks(), words)

    def hour_chart(self) -> dict[str, Any]:
        words = _("Line chart: alarms by hour of the day, %(today)d with today's policies and %(draft)d with "
                  "the draft. The same numbers are in the table below.")  # fmt: skip
        return self._chart(self.hours(), words)

    def _chart(self, rows: list[tuple[str, int, int]], words: str) -> dict[str, Any]:
        return {
            "stacked": False, "unit": "n", "months": [row[0] for row in rows],
            "label": words % {"today": self.result["today"]["total"], "draft": self.result["draft"]["total"]},
            "lines": [
                {"label": _("Today's policies"), "values": [row[1] for row in rows], "baseline": None},
                {"label": _("With the draft"), "values": [row[2] for row in rows], "baseline": None},
            ],
        }  # fmt: skip

    def cases(self) -> list[Any]:
        """Cases that would go another way: the thread, and both ways in words."""
        threads = Thread.objects.in_bulk([row["thread"] for row in self.result["cases"]])
        return [
            (threads[row["thread"]], [self._step(step) for step in row["was"]], [self._step(s) for s in row["would"]])
            for row in self.result["cases"]
            if row["thread"] in threads
        ]

    def _step(self, step: list[Any]) -> tuple[str, str]:
        kind, at, pk, nobody = step
        when = date_format(datetime.fromisoformat(at).astimezone(self.zone), "j M H:i")
        what = str(StepKind(kind).label)
        if nobody:
            what = _("%(what)s, but nobody was there") % {"what": what}
        elif pk in self.departments and kind != StepKind.ADVOCATES:
            what = f"{what} ({self.departments[pk].name})"
        return when, what


@require_GET
@for_managers
def simulated(request: HttpRequest, pk: int) -> HttpResponse:
    """A simulation: how far it is, or what came of it. `?part=1` is the part that the page asks for again."""
    one = get_object_or_404(Simulation.objects.select_related("policy", "by"), pk=pk)
    done = one.state == Simulation.State.DONE
    if "part" in request.GET and not done:
        return TemplateResponse(request, "escalation/_simulation_progress.html", {"one": one})
    context: dict[str, Any] = {"one": one, "done": done}
    if done:
        compared = Compared(one)
        context |= {
            "result": one.result, "kinds": compared.kinds(), "whom": compared.whom(), "weeks": compared.weeks(),
            "hours": compared.hours(), "chart": compared.chart(),
            "hour_chart": compared.hour_chart(), "cases": compared.cases(), "zone": compared.zone,
            "stale": (one.policy.version if one.policy else 0) != one.base_version,
        }  # fmt: skip
    before: dict[str, Any] = {}
    if one.policy is not None:
        kept = one.policy.versions.filter(version=one.base_version).first()
        before = kept.data if kept else policies.snapshot(one.policy, policies.steps_of(one.policy))
    context["changes"] = differences(before, {**one.draft, "active": True})
    where = reverse("escalation_policies:edit", args=[one.policy_id]) if one.policy_id else reverse(
        "escalation_policies:add"
    )  # fmt: skip
    context["edit"] = f"{where}?draft={one.pk}"
    return TemplateResponse(request, "escalation/simulation.html", context)


@require_POST
@for_managers
def use(request: HttpRequest, pk: int) -> HttpResponse:
    """Put what was simulated in force."""
    one = get_object_or_404(Simulation, pk=pk)
    try:
        policy = simulation.put_in_force(one, request.user)  # type: ignore[arg-type]
    except Conflict as problem:
        messages.error(request, problem.reason)
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
    else:
        log(instance=policy, action="wagtail.edit", content_changed=True)
        messages.success(request, _("The policy is in use. Cases that run keep what they were promised."))
        return HttpResponseRedirect(reverse("escalation:policy", args=[policy.pk]), status=303)
    return HttpResponseRedirect(reverse("escalation:simulation", args=[pk]), status=303)

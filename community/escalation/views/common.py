"""What every page of the desk shares: who may see it, and a case as one row."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core import clock

from .. import remembered
from ..clock import zone
from ..models import Escalation
from ..permissions import why_not_work
from ..relay import moment

View = Callable[..., HttpResponse]


def for_agents(view: View) -> View:
    """Say why to who may not work cases, instead of leading them away."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if reason := why_not_work(request.user):
            return TemplateResponse(request, "escalation/refused.html", {"reason": reason}, status=403)
        return view(request, *args, **kwargs)

    return checked


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
            if case.pause_until is not None:
                told = {"cause": self.sub, "day": moment(case.pause_until, tz)}
                self.sub = _("%(cause)s; look again: %(day)s") % told
        elif not case.is_open:
            self.due = moment(case.resolved_at, tz) if case.resolved_at else ""
            self.sub = case.get_resolved_cause_display()
        elif due is None:
            self.due, self.sub = _("no date"), case.thread.get_idea_status_display() or case.get_phase_display()
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


def people_of(request: HttpRequest, also: set[int] | None = None) -> tuple[list[User], dict[int, str]]:
    """Everybody who works cases, colleagues of the agent first; and the names of these and some others. One query at
    most."""
    own = request.user.department_id  # type: ignore[union-attr]
    people = remembered.workers()
    people.sort(key=lambda person: (person.department_id != own, person.name))
    names = {person.pk: person.name for person in people}
    if others := (also or set()) - names.keys():
        names.update(User.objects.filter(pk__in=others).values_list("pk", "name"))
    return people, names


def put(form: forms.Form, problem: ValidationError) -> None:
    """A service's complaint beside the field it is about."""
    if not hasattr(problem, "error_dict"):
        form.add_error(None, problem)
        return
    for field, errors in problem.error_dict.items():
        form.add_error(field if field in form.fields else None, errors)

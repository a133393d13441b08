"""What an agent does with a case: an address for each act."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from wagtail.admin import messages

from community.accounts.models import Department, User
from community.core.errors import Conflict, NotAllowed
from community.questions.models import Answer, Thread
from community.questions.permissions import departments_of

from .. import services
from ..forms import (
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
from .case import case_page, load
from .common import for_agents, people_of


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
    case = load(request, pk)
    form_class, do = VERBS[verb]
    extra: dict[str, Any] = {}
    if verb == "route":
        extra["departments"] = list(Department.objects.current())
    elif verb in ("official", "mark"):
        extra["departments"] = list(departments_of(request.user))
    elif verb == "assign":
        extra["people"] = people_of(request)[0]
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
    return case_page(request, load(request, pk), bound=None if plain else (verb, form), status=status)


def _put(form: forms.Form, problem: ValidationError) -> None:
    """A service's complaint beside the field it is about."""
    if not hasattr(problem, "error_dict"):
        form.add_error(None, problem)
        return
    for field, errors in problem.error_dict.items():
        form.add_error(field if field in form.fields else None, errors)

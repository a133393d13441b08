"""What an agent does with a case: an address for each act."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST
from wagtail.admin import messages

from community.accounts.models import Department, User
from community.core import clock, text
from community.core.errors import Conflict, NotAllowed
from community.events import acting
from community.posts import services as posts
from community.questions.models import Answer, Thread
from community.questions.permissions import departments_of

from .. import claims, clusters, handoffs, incidents, promises, services
from ..case_forms import (
    HandOffForm,
    HandOffIdForm,
    IncidentForm,
    KeepForm,
    MoveForm,
    OfficialForm,
    OutcomeForm,
    PromiseForm,
)
from ..forms import (
    AssignForm,
    InfoForm,
    LookForm,
    MarkForm,
    NoteForm,
    PauseForm,
    PlainForm,
    ReopenForm,
    ResolveForm,
    RouteForm,
)
from ..models import HandOff, Incident, Promise
from .case import case_page, channels_for, draft_key, known_issues, load, zone_of
from .common import for_agents, people_of, put


def _official(thread: Thread, user: User, data: dict[str, Any]) -> str:
    due = data["promise_on"]
    words = text.render_markdown(data["body"], limit=None).text
    promise = (text.excerpt(words, promises.LONGEST - 1), due) if due else None
    given = {name: data[name] for name in ("body", "department", "sources", "recheck_on")}
    if data.get("threads"):
        made = clusters.answer_all(thread, user, threads=data["threads"], promise=promise, **given)
        said = ngettext(
            "Posted. %(n)d other thread gets it in a moment.", "Posted. %(n)d other threads get it in a moment.",
            made.threads.count(),
        ) % {"n": made.threads.count()}  # fmt: skip
    else:
        services.answer_officially(thread, user, promise=promise, **given)
        said = _("Posted as the official answer.")
    posts.drop_draft(user, draft_key(thread))
    return said


def _claim(thread: Thread, user: User, data: dict[str, Any]) -> str:
    claim = claims.claim(thread, user)
    minutes = round((claim.until - clock.now()).total_seconds() / 60)
    return _("You answer it alone for %(minutes)d minutes.") % {"minutes": minutes}


def _release(thread: Thread, user: User, data: dict[str, Any]) -> str:
    claims.release(thread, user)
    return _("Colleagues can answer it again.")


def _promise(thread: Thread, user: User, data: dict[str, Any]) -> str:
    promises.make(thread, user, text=data["text"], due_at=data["due_at"])
    return _("In the register. The customer sees it under the question.")


def _keep(thread: Thread, user: User, data: dict[str, Any]) -> str:
    promises.keep(get_object_or_404(Promise, pk=data["promise"], escalation__thread=thread), user)
    return _("Kept.")


def _move(thread: Thread, user: User, data: dict[str, Any]) -> str:
    found = get_object_or_404(Promise, pk=data["promise"], escalation__thread=thread)
    promises.move(found, user, due_at=data["due_at"], why=data["why"])
    return _("The new day and the reason stand under the question.")


def _hand_off(thread: Thread, user: User, data: dict[str, Any]) -> str:
    made = handoffs.hand_off(
        thread, user, data["channel"], note=data["note"], with_private=data["with_private"]
    )  # fmt: skip
    return _("Handed to %(channel)s. The reference is %(reference)s.") % {
        "channel": made.channel, "reference": made.reference,
    }  # fmt: skip


def _which(thread: Thread, data: dict[str, Any]) -> HandOff:
    found = HandOff.objects.select_related("channel", "escalation__thread")
    return get_object_or_404(found, pk=data["hand_off"], escalation__thread=thread)


def _outcome(thread: Thread, user: User, data: dict[str, Any]) -> str:
    handoffs.post_outcome(_which(thread, data), user, outcome=data["outcome"], note=data["note"])
    return _("Posted under the question.")


def _withdraw(thread: Thread, user: User, data: dict[str, Any]) -> str:
    handoffs.withdraw(_which(thread, data), user)
    return _("Taken back.")


def _try_again(thread: Thread, user: User, data: dict[str, Any]) -> str:
    handoffs.try_again(_which(thread, data), user)
    return _("It is sent once more.")


def _incident(thread: Thread, user: User, data: dict[str, Any]) -> str:
    if thread.product is None:
        raise ValidationError({"title": _("A known issue needs a product; this thread has none.")})
    known = next((row for row in thread.product.known_issues if row["title"] == data["known"]), None)
    found = incidents.open_incident(
        thread.product, user, title=known["title"] if known else data["title"],
        body=known["text"] if known else data["text"], first=None if known else thread,
    )  # fmt: skip
    incidents.gather(found, thread, user)
    return _("Gathered in “%(title)s”.") % {"title": found.title}


def _let_go(thread: Thread, user: User, data: dict[str, Any]) -> str:
    found = get_object_or_404(Incident, threads__thread=thread)
    incidents.let_go(found, thread, user)
    return _("It is no longer part of “%(title)s”.") % {"title": found.title}


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
    services.pause(thread, user, data["cause"], note=data["note"], until=data["until"])
    return _("The clocks stand.")


def _look(thread: Thread, user: User, data: dict[str, Any]) -> str:
    services.look_on(thread, user, data["until"])
    return _("It is looked at again on that day.")


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
    "look": (LookForm, _look),
    "resume": (PlainForm, _resume),
    "resolve": (ResolveForm, _resolve),
    "reopen": (ReopenForm, _reopen),
    "note": (NoteForm, _note),
    "claim": (PlainForm, _claim),
    "release": (PlainForm, _release),
    "promise": (PromiseForm, _promise),
    "keep": (KeepForm, _keep),
    "move": (MoveForm, _move),
    "hand-off": (HandOffForm, _hand_off),
    "outcome": (OutcomeForm, _outcome),
    "withdraw": (HandOffIdForm, _withdraw),
    "try-again": (HandOffIdForm, _try_again),
    "incident": (IncidentForm, _incident),
    "let-go": (PlainForm, _let_go),
}
# Where there is no form to show it in, a problem is said on top.
PLAIN = ("acknowledge", "take", "resume", "mark", "claim", "release", "keep", "withdraw", "try-again", "let-go")


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
    elif verb == "hand-off":
        extra["channels"] = channels_for(case)
    elif verb == "incident":
        extra["known"] = known_issues(case)
    if verb in ("official", "promise", "move"):
        extra["tz"] = zone_of(case, request.user)
    if verb == "official" and "preview" in request.POST:
        acting.only_looked()
        return case_page(
            request, case, bound=(verb, form_class(request.POST, auto_id=f"{verb}_%s", **extra)), preview=True
        )
    form = form_class(request.POST, auto_id=f"{verb}_%s", **extra)
    status = 422
    if form.is_valid():
        try:
            said = do(case.thread, request.user, form.cleaned_data)  # type: ignore[arg-type]
        except ValidationError as problem:
            put(form, problem)
        except Conflict as problem:
            form.add_error(None, problem.reason)
            status = 409
        except NotAllowed as problem:
            form.add_error(None, problem.reason)
            status = 403
        else:
            if request.headers.get("Accept") == "application/json":  # the page itself, while somebody writes
                if verb in ("claim", "release"):
                    acting.only_looked()  # a sign of life each minute
                return JsonResponse({"said": said})
            messages.success(request, said)
            return HttpResponseRedirect(reverse("escalation:case", args=[pk]), status=303)
    if request.headers.get("Accept") == "application/json":
        said = " ".join(str(error) for errors in form.errors.values() for error in errors)
        return JsonResponse({"error": said}, status=status)
    plain = verb in PLAIN
    for errors in form.errors.values() if plain else [form.non_field_errors()]:
        for error in errors:
            messages.error(request, error)
    return case_page(request, load(request, pk), bound=None if plain else (verb, form), status=status)

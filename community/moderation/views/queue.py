"""The moderators' queue: looking, deciding about a post or many, hearing appeals."""

from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST
from wagtail.admin import messages

from community.core.errors import Conflict, NotAllowed
from community.core.text import clean_source

from .. import penalties, services
from ..forms import DecideForm
from ..models import Appeal, Flag, Look, Moderated, PenaltyAppeal
from ..queue import AT_ONCE, QUEUES, appealed, counts, fits, flagged, in_state, penalty_appeals, with_more
from ..settling import settle
from .gate import for_moderators


def _page(request: HttpRequest, queue: str, status: int = 422, **extra: Any) -> HttpResponse:
    """A queue; with `extra` what could not be done there: `problem`, `typed`, and at which form.

    What is not in this queue any more (a colleague was quicker) has no form: then both stand above it.
    """
    waiting = counts()
    queue = queue or next((name for name in ("flagged", "pending", "appeals") if waiting[name]), "flagged")
    found = flagged() if queue == "flagged" else appealed() if queue == "appeals" else in_state(queue)
    kind, reason = request.GET.get("kind", ""), request.GET.get("reason", "")
    nouns = {item.target.noun: item.noun for item in found}
    items = [item for item in with_more(found) if fits(item, kind, reason)]
    for item in items:
        item.left = (item.type.pk, item.target.pk) in extra.get("left", ())
    context = {
        "kinds": sorted(nouns.items()),
        "kind": kind,
        "reasons": [*Flag.Reason.choices, *Look.Reason.choices] if queue in ("flagged", "pending") else [],
        "reason": reason,
        "me": request.user,
        "may_bulk": queue in ("flagged", "pending") and any(not item.hide_at for item in items),
        "queue": queue,
        "tabs": [(name, label, name == queue, waiting[name]) for name, label in QUEUES.items()],
        "items": items,
        "penalty_appeals": penalty_appeals(request.user) if queue == "appeals" and not (kind or reason) else [],
        **extra,
    }
    context["no_form"] = "problem" in extra and not _has_form(context)
    return TemplateResponse(request, "moderation/queue.html", context, status=status if extra else 200)


def _has_form(page: dict[str, Any]) -> bool:
    """Whether what could not be done has a form on this page, for the reason to stand beside."""
    if "open_item" in page:
        return any((item.type.pk, item.target.pk) == page["open_item"] for item in page["items"])
    if "open_appeal" in page:
        found = [item.appeal for item in page["items"] if item.appeal and item.appeal.pk == page["open_appeal"]]
        return bool(found) and found[0].hidden_by_id != page["me"].pk
    return any(one.pk == page["open_penalty"] and not one.closed for one in page["penalty_appeals"])


@require_GET
@for_moderators
def queue(request: HttpRequest) -> HttpResponse:
    """The queue that was asked for, or the first with something in it."""
    name = request.GET.get("queue", "")
    if name and name not in QUEUES:
        raise Http404
    return _page(request, name)


@require_POST
@for_moderators
def decide(request: HttpRequest, type_id: int, pk: int) -> HttpResponse:
    """Settle a post and all open flags on it in one step. What can't be done is said at its form, the reason kept."""
    target = _post_of(type_id, pk)
    back = request.POST.get("queue", "flagged")
    back = back if back in QUEUES else "flagged"
    form = DecideForm(request.POST)
    kept = {"open_item": (type_id, pk), "typed": request.POST.get("reason", ""), "about": target}
    if not form.is_valid():
        return _page(request, back, problem=" ".join(sum(form.errors.values(), [])), **kept)
    act, reason = form.cleaned_data["act"], form.cleaned_data["reason"]
    try:
        said = settle(target, request.user, act, reason, seen=form.cleaned_data["seen"])
    except (Conflict, NotAllowed) as problem:
        return _page(request, back, _code(problem), problem=problem.reason, **kept)
    except ValidationError as problem:
        return _page(request, back, problem=" ".join(problem.messages), **kept)
    messages.success(request, said)
    return HttpResponseRedirect(f"{reverse('moderation:queue')}?queue={back}", status=303)


def _code(problem: Conflict | NotAllowed) -> int:
    return 409 if isinstance(problem, Conflict) else 403


def _post_of(type_id: Any, pk: Any) -> Any:
    content_type = get_object_or_404(ContentType, pk=type_id)
    model = content_type.model_class()
    if model is None or not issubclass(model, Moderated):
        raise Http404
    return get_object_or_404(model._base_manager, pk=pk)


def _back(request: HttpRequest, at: str = "") -> HttpResponse:
    queue = request.POST.get("queue", "")
    queue = queue if queue in QUEUES else "flagged"
    return HttpResponseRedirect(f"{reverse('moderation:queue')}?queue={queue}{at}", status=303)


@require_POST
@for_moderators
def take(request: HttpRequest, type_id: int, pk: int) -> HttpResponse:
    """Keep others from deciding about it for some minutes, or leave it to them again."""
    target = _post_of(type_id, pk)
    try:
        if "release" in request.POST:
            services.release(target, request.user)  # type: ignore[arg-type]
        else:
            services.claim(target, request.user)  # type: ignore[arg-type]
    except Conflict as problem:
        messages.error(request, problem.reason)
    return _back(request, f"#item-{type_id}-{pk}")


@require_POST
@for_moderators
def many(request: HttpRequest) -> HttpResponse:
    """The same for several posts: each is decided by itself. What could not be is said, and stays chosen."""
    form = DecideForm(request.POST)
    keys = [key.split("-") for key in request.POST.getlist("item")[:AT_ONCE]]
    keys = [key for key in keys if len(key) in (2, 3) and all(part.isdecimal() and len(part) < 19 for part in key[:2])]
    if not form.is_valid() or not keys:
        problem = " ".join(sum(form.errors.values(), [])) or _("Choose at least one post.")
        return _page(request, request.POST.get("queue", "") if request.POST.get("queue") in QUEUES else "flagged",
                     bulk_problem=problem, bulk_typed=request.POST.get("reason", ""))  # fmt: skip
    done, left, problems = 0, set(), []
    for type_id, pk, *state in keys:
        try:
            target = _post_of(type_id, pk)
        except Http404:
            messages.error(request, _("This post is gone."))  # the others are decided all the same
            continue
        try:
            settle(target, request.user, form.cleaned_data["act"], form.cleaned_data["reason"], seen="".join(state))
            done += 1
        except (Conflict, NotAllowed) as problem:
            problems.append(f"{target}: {problem.reason}")
            left.add((int(type_id), int(pk)))
        except ValidationError as problem:
            problems.append(f"{target}: {' '.join(problem.messages)}")
            left.add((int(type_id), int(pk)))
    if done or not left:
        messages.success(request, ngettext("%(n)d post decided.", "%(n)d posts decided.", done) % {"n": done})
    if not left:
        return _back(request)
    queue = request.POST.get("queue", "")
    return _page(request, queue if queue in QUEUES else "flagged", 409, bulk_problem=" ".join(problems), left=left,
                 bulk_typed=form.cleaned_data["reason"])  # fmt: skip


@require_POST
@for_moderators
def hear(request: HttpRequest, pk: int) -> HttpResponse:
    """Decide about an appeal: somebody else than who hid the post."""
    row = get_object_or_404(Appeal, pk=pk)
    answer = clean_source(request.POST.get("answer", ""))
    try:
        services.decide_appeal(row, request.user, granted="grant" in request.POST, answer=answer)  # type: ignore[arg-type]
    except (Conflict, NotAllowed) as problem:
        return _page(
            request, "appeals", _code(problem), open_appeal=pk, problem=problem.reason, typed=answer, about=row.target
        )
    except ValidationError as problem:
        return _page(request, "appeals", open_appeal=pk, problem=" ".join(problem.messages), typed=answer)
    else:
        row.refresh_from_db()
        messages.success(request, _("Shown again.") if row.granted else _("It stays hidden. Its author reads why."))
    return _back(request)


@require_POST
@for_moderators
def hear_penalty(request: HttpRequest, pk: int) -> HttpResponse:
    """Decide about an appeal against a penalty: somebody else than who gave it."""
    row = get_object_or_404(PenaltyAppeal.objects.select_related("author", "penalty"), pk=pk)
    answer = clean_source(request.POST.get("answer", ""))
    granted = "grant" in request.POST
    try:
        penalties.decide_penalty_appeal(row, request.user, granted=granted, answer=answer)  # type: ignore[arg-type]
    except (Conflict, NotAllowed) as problem:
        return _page(request, "appeals", _code(problem), open_penalty=pk, problem=problem.reason, typed=answer)
    except ValidationError as problem:
        return _page(request, "appeals", open_penalty=pk, problem=" ".join(problem.messages), typed=answer)
    else:
        row.refresh_from_db()
        messages.success(request, _("It is undone.") if row.granted else _("It stands. They read why."))
    return _back(request)

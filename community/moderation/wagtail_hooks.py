"""The moderators' queue inside the Wagtail admin: what is flagged, what waits for a look, what is hidden."""

from collections import Counter, defaultdict
from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db.models import Count, F, Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import include, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST
from wagtail import hooks
from wagtail.admin import messages
from wagtail.admin.menu import MenuItem
from wagtail.admin.ui.components import Component

from community.core import clock
from community.core.errors import Conflict, NotAllowed
from community.core.rows import retried

from . import doors, services
from .models import Flag, Moderated
from .permissions import is_moderator, why_not_moderate

AT_ONCE = 50  # things of a kind on one page; the oldest first, so that nothing starves
OLD_FLAG_HOURS, OLD_PENDING_HOURS = 48, 24  # FEATURES H: when the queue itself is late
View = Callable[..., HttpResponse]


def for_moderators(view: View) -> View:
    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if reason := why_not_moderate(request.user):
            return TemplateResponse(request, "moderation/refused.html", {"reason": reason}, status=403)
        return view(request, *args, **kwargs)

    return checked


def kinds() -> list[type[Model]]:
    """Every model that can be moderated, whichever room it lives in."""
    return [model for model in apps.get_models() if issubclass(model, Moderated)]


class Item:
    """One thing that somebody has to decide about."""

    def __init__(self, target: Any, flags: list[Flag], since: Any, old_after: int | None) -> None:
        self.target, self.flags, self.since = target, flags, since
        self.type = ContentType.objects.get_for_model(target)
        self.noun = target._meta.verbose_name
        self.title = getattr(target, "title", "") or getattr(getattr(target, "thread", None), "title", "")
        self.text = getattr(target, "body_text", "") or ""
        self.reasons = sorted({flag.get_reason_display() for flag in flags})
        self.notes = [flag.note for flag in flags if flag.note]
        # Until when somebody should have looked, where the room promised that.
        self.due = getattr(target, "due_at", None) if target.visibility == Moderated.Visibility.PENDING else None
        self.late = self.due is not None and self.due < clock.now()
        waits_long = bool(since and old_after) and (clock.now() - since).total_seconds() > old_after * 3600
        self.old = self.late or (self.due is None and waits_long)

    @property
    def hide_at(self) -> str:
        """Where its room takes it out of sight; empty when the queue's own button does."""
        return doors.of(self.target).hide_at(self.target)

    @property
    def link(self) -> str:
        return self.target.get_absolute_url() if hasattr(self.target, "get_absolute_url") else ""


def _batch(model: type[Model], condition: dict[str, Any]) -> list[Any]:
    """Rows of one kind with what an item shows; one query."""
    joined = [name for name in ("author", "thread") if any(field.name == name for field in model._meta.fields)]
    due = [F("due_at").asc(nulls_last=True)] if any(field.name == "due_at" for field in model._meta.fields) else []
    return list(model._base_manager.filter(**condition).select_related(*joined).order_by(*due, "pk")[:AT_ONCE])


def flagged() -> list[Item]:
    """Posts with open flags, the longest waiting first: a query for the flags and one for each kind of post."""
    groups: dict[tuple[int, int], list[Flag]] = defaultdict(list)
    for flag in Flag.objects.filter(state=Flag.State.OPEN).order_by("created_at", "pk")[: AT_ONCE * 4]:
        groups[flag.target_type_id, flag.target_id].append(flag)
    by_type: dict[int, list[int]] = defaultdict(list)
    for type_id, target_id in groups:
        by_type[type_id].append(target_id)
    targets = {}
    for type_id, ids in by_type.items():
        model = ContentType.objects.get_for_id(type_id).model_class()
        if model is not None:
            targets |= {(type_id, row.pk): row for row in _batch(model, {"pk__in": ids})}
    return [
        Item(targets[key], flags, flags[0].created_at, OLD_FLAG_HOURS)
        for key, flags in groups.items()
        if key in targets
    ][:AT_ONCE]


def in_state(visibility: str) -> list[Item]:
    """What is pending or hidden, of every kind; a query each. Late ones first, then the longest waiting."""
    old_after = OLD_PENDING_HOURS if visibility == Moderated.Visibility.PENDING else None  # what is hidden, rests
    items = [
        Item(row, [], getattr(row, "hidden_at", None) or getattr(row, "created_at", None), old_after)
        for model in kinds()
        for row in _batch(model, {"visibility": visibility})
    ]
    items.sort(key=lambda item: (not item.late, (item.due if item.late else item.since) or clock.now()))
    return items[:AT_ONCE]


def count_waiting() -> int:
    """How many posts wait for a decision."""
    waiting = counts()
    return waiting["flagged"] + waiting["pending"]


QUEUES = {
    "flagged": gettext_lazy("Flagged"),
    "pending": gettext_lazy("Waits for a look"),
    "hidden": gettext_lazy("Hidden"),
}


class DecideForm(forms.Form):
    """What is done about a post. Hiding needs a reason; its author reads it."""

    act = forms.ChoiceField(
        choices=[
            ("hide", "hide"),
            ("keep", "keep"),
            ("approve", "approve"),
            ("restore", "restore"),
            ("delete", "delete"),
        ]
    )
    reason = forms.CharField(max_length=300, required=False, strip=True)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("act") in ("hide", "delete") and not data.get("reason"):
            self.add_error("reason", _("Say why; its author will read it."))
        return data


def counts() -> dict[str, int]:
    """How much is in each queue, for its tab: two queries."""
    flagged = Flag.objects.filter(state=Flag.State.OPEN).values("target_type", "target_id").distinct().count()
    each = [
        model._base_manager.filter(visibility__in=["pending", "hidden"])
        .order_by()
        .values_list("visibility")
        .annotate(n=Count("pk"))
        for model in kinds()
    ]
    states: Counter[str] = Counter()
    for visibility, n in each[0].union(*each[1:], all=True):
        states[visibility] += n
    return {"flagged": flagged, "pending": states["pending"], "hidden": states["hidden"]}


def _page(request: HttpRequest, queue: str, **extra: Any) -> HttpResponse:
    waiting = counts()
    queue = queue or next((name for name in ("flagged", "pending") if waiting[name]), "flagged")
    items = flagged() if queue == "flagged" else in_state(queue)
    context = {
        "queue": queue,
        "tabs": [(name, label, name == queue, waiting[name]) for name, label in QUEUES.items()],
        "items": items,
        **extra,
    }
    return TemplateResponse(request, "moderation/queue.html", context, status=422 if extra else 200)


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
    """Settle a post and all open flags on it in one step."""
    content_type = get_object_or_404(ContentType, pk=type_id)
    model = content_type.model_class()
    if model is None or not issubclass(model, Moderated):
        raise Http404
    target = get_object_or_404(model._base_manager, pk=pk)
    back = request.POST.get("queue", "flagged")
    back = back if back in QUEUES else "flagged"
    form = DecideForm(request.POST)
    if not form.is_valid():
        return _page(request, back, open_item=(type_id, pk), problem=" ".join(sum(form.errors.values(), [])),
                     typed=request.POST.get("reason", ""))  # fmt: skip
    act, reason = form.cleaned_data["act"], form.cleaned_data["reason"]
    try:
        said = settle(target, request.user, act, reason)
    except (Conflict, NotAllowed) as problem:
        messages.error(request, problem.reason)
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
    else:
        messages.success(request, said)
    return HttpResponseRedirect(f"{reverse('moderation:queue')}?queue={back}", status=303)


@retried
def settle(target: Any, by: Any, act: str, reason: str) -> str:
    """Do it to the post and decide its open flags accordingly. Returns what to tell the moderator."""
    row = services.held(target)
    services.decide_flags(row, by, uphold=act in ("hide", "delete"), note=reason)
    if act == "hide":
        services.hide(row, by, reason=reason)
        return _("Hidden. Its author reads why.")
    if act == "delete":
        services.delete(row, by, reason=reason)
        return _("Taken away.")
    if act == "approve":
        services.approve(row, by)
        return _("Online now.")
    if row.visibility == Moderated.Visibility.HIDDEN:
        services.restore(row, by, reason=reason)
        return _("Shown again.")
    return _("It stays.")


@hooks.register("register_admin_urls")
def moderation_urls() -> list[Any]:
    patterns = [
        path("", queue, name="queue"),
        path("<int:type_id>/<int:pk>/", decide, name="decide"),
    ]
    return [path("moderation/", include((patterns, "moderation"), namespace="moderation"))]


class ModerationItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return is_moderator(request.user)


@hooks.register("register_admin_menu_item")
def moderation_item() -> MenuItem:
    return ModerationItem(
        gettext_lazy("Moderation"), reverse("moderation:queue"), name="moderation", icon_name="view", order=60
    )


class ModerationPanel(Component):
    name, order = "moderation", 20

    class Media:
        css = {"all": ["css/desk.css"]}

    def render_html(self, parent_context: dict[str, Any]) -> SafeString:
        return SafeString(render_to_string("moderation/_home_panel.html", {"waiting": count_waiting()}))


@hooks.register("construct_homepage_panels")
def moderation_panel(request: HttpRequest, panels: list[Component]) -> None:
    if is_moderator(request.user):
        panels.append(ModerationPanel())

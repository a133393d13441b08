"""The re-check queue inside the Wagtail admin: solutions in doubt, the longest first, each with what settles it."""

from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
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

from community.core.errors import Conflict, NotAllowed
from community.core.text import clean_source
from community.events.models import Event

from . import (
    desk,  # noqa: F401 - the ideas, which register themselves
    permissions,
    services,
)
from .models import Answer, Reconciled, Thread
from .querysets import ThreadQuerySet

PER_PAGE = 25
View = Callable[..., HttpResponse]


def for_staff(view: View) -> View:
    """Say why to who may not settle re-checks, instead of leading them away."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if reason := permissions.why_not_moderate_thread(request.user):
            return TemplateResponse(request, "questions/recheck_refused.html", {"reason": reason}, status=403)
        return view(request, *args, **kwargs)

    return checked


def waiting() -> ThreadQuerySet:
    return Thread.objects.visible().filter(recheck_at__isnull=False)


def _page(request: HttpRequest, status: int = 200, **problem: Any) -> HttpResponse:
    """The queue, with the named person's own first. Four queries, however many wait."""
    mine = waiting().filter(disagree_since__isnull=False, reconciler=request.user)
    found = mine if request.GET.get("queue") == "mine" else waiting()
    rows = found.select_related("author", "product", "reconciler").order_by("recheck_at", "pk")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    threads = {thread.pk: thread for thread in page}
    answers: dict[int, list[Answer]] = defaultdict(list)
    settled = Answer.objects.visible().filter(thread__in=threads)
    for answer in (
        settled.filter(
            Q(accepted_at__isnull=False) | Q(official_for__isnull=False) | Q(no_longer_works_at__isnull=False)
        )
        .select_related("author", "official_for", "follow_up")
        .order_by("accepted_at", "pk")
    ):
        answers[answer.thread_id].append(answer)
    opened = Event.objects.filter(
        kind="thread.recheck_opened", subject_type__app_label="questions", subject_type__model="thread",
        subject_id__in=threads,
    ).select_related("actor", "note").order_by("pk")  # fmt: skip
    reasons = {event.subject_id: event for event in opened}  # the last word on each
    context = {
        "page": page,
        "queue": request.GET.get("queue", ""),
        "items": [
            {"thread": thread, "answers": answers[pk], "opened": reasons.get(pk)} for pk, thread in threads.items()
        ],
        "outcomes": Reconciled.choices,
        "agent": permissions.is_agent(request.user),
        **problem,
    }
    return TemplateResponse(request, "questions/rechecks.html", context, status=status)


@require_GET
@for_staff
def queue(request: HttpRequest) -> HttpResponse:
    return _page(request)


@require_POST
@for_staff
def settle(request: HttpRequest, pk: int) -> HttpResponse:
    """It holds, it doesn't, or which of two does; what was typed comes back when it can't be done."""
    thread = get_object_or_404(Thread.objects.visible(), pk=pk)
    outcome, line = request.POST.get("outcome", ""), clean_source(request.POST.get("line", ""))
    by: Any = request.user
    try:
        if outcome in Reconciled.values:
            services.reconcile(thread, by, outcome, line)
        elif outcome in ("holds", "open"):
            services.settle_recheck(thread, by, holds=outcome == "holds", note=line.strip()[:300])
        else:
            raise ValidationError(_("Press one of the buttons."))
    except ValidationError as error:
        return _page(request, 422, problem=" ".join(error.messages), problem_pk=pk, typed=line)
    except NotAllowed as error:
        return _page(request, 403, problem=error.reason, problem_pk=pk, typed=line)
    except Conflict as error:
        return _page(request, 409, problem=error.reason, problem_pk=pk, typed=line)
    messages.success(request, _("“%(title)s” is settled.") % {"title": thread.title})
    return HttpResponseRedirect(reverse("rechecks:queue"), status=303)


@hooks.register("register_admin_urls")
def recheck_urls() -> list[Any]:
    patterns = [path("", queue, name="queue"), path("<int:pk>/", settle, name="settle")]
    return [path("rechecks/", include((patterns, "rechecks"), namespace="rechecks"))]


class RecheckItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return not permissions.why_not_moderate_thread(request.user)


@hooks.register("register_admin_menu_item")
def recheck_item() -> MenuItem:
    return RecheckItem(
        gettext_lazy("Re-checks"), reverse("rechecks:queue"), name="rechecks", icon_name="rotate", order=55
    )


class RecheckPanel(Component):
    """How many solutions are in doubt, on the first page of the admin. Two queries."""

    name, order = "rechecks", 15

    class Media:
        css = {"all": ["css/desk.css"]}

    def render_html(self, parent_context: dict[str, Any]) -> SafeString:
        user = parent_context["request"].user
        mine = waiting().filter(disagree_since__isnull=False, reconciler=user).count()
        return SafeString(
            render_to_string("questions/_rechecks_home.html", {"waiting": waiting().count(), "mine": mine})
        )


@hooks.register("construct_homepage_panels")
def recheck_panel(request: HttpRequest, panels: list[Component]) -> None:
    if not permissions.why_not_moderate_thread(request.user):
        panels.append(RecheckPanel())


class EditsItem(MenuItem):
    """The queue of suggested edits; it stands on the site, since experienced members work there, too."""

    def is_shown(self, request: HttpRequest) -> bool:
        return permissions.reviews_edits(request.user)


@hooks.register("register_admin_menu_item")
def edits_item() -> MenuItem:
    address = reverse("questions:suggestions")
    return EditsItem(gettext_lazy("Suggested edits"), address, name="edits", icon_name="edit", order=70)

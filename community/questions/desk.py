"""Ideas inside the Wagtail admin: by votes, with the status that staff give them and who will be told."""

from typing import Any, cast

from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import include, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe
from wagtail import hooks
from wagtail.admin import messages
from wagtail.admin.menu import MenuItem

from community.accounts.models import User
from community.posts.doors import send
from products.models import Product

from . import ideas, permissions, services
from .forms import IdeaForm
from .models import IdeaStatus, IdeaStep, Kind, Thread

A_PAGE = 50


def _for_staff(request: HttpRequest) -> HttpResponse | None:
    if reason := permissions.why_not_moderate_thread(request.user):
        return TemplateResponse(request, "moderation/refused.html", {"reason": reason}, status=403)
    return None


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Every idea, most wanted first."""
    if refused := _for_staff(request):
        return refused
    status, slug = request.GET.get("status", ""), request.GET.get("product", "")
    products = list(Product.objects.order_by("position", "name").only("slug", "name", "short_name"))
    if status not in ("", *IdeaStatus.values) or (slug and slug not in [product.slug for product in products]):
        raise Http404
    rows = Thread.objects.visible().filter(kind=Kind.IDEA)
    if slug:
        rows = rows.filter(product__slug=slug)
    counted = rows.aggregate(
        all=Count("pk"), **{one: Count("pk", filter=Q(idea_status=one)) for one in IdeaStatus.values}
    )
    if status:
        rows = rows.filter(idea_status=status)
    shown = Paginator(rows.select_related("author", "product").order_by("-score", "-pk"), A_PAGE)
    page = shown.get_page(request.GET.get("p"))
    tabs = [("", _("All"), counted["all"])]
    tabs += [(one.value, str(one.label), counted[one.value]) for one in IdeaStatus]
    context = {"page": page, "tabs": tabs, "status": status, "slug": slug, "products": products}
    return TemplateResponse(request, "questions/desk_ideas.html", context)


@require_http_methods(["GET", "POST"])
def idea(request: HttpRequest, pk: int) -> HttpResponse:
    """One idea: its words, its way so far, and the form for the next status."""
    if refused := _for_staff(request):
        return refused
    rows = Thread.objects.visible().filter(kind=Kind.IDEA).select_related("author", "product", "duplicate_of")
    thread = get_object_or_404(rows, pk=pk)
    form = IdeaForm(request.POST if request.method == "POST" else None, thread=thread)
    code = 200
    if request.method == "POST":
        code = 422
        if form.is_valid():
            given, by = form.cleaned_data, cast(User, request.user)  # staff, as asked above

            def work() -> bool:
                services.set_idea_status(thread, by, given["status"], given["reason"], given["link"])
                return True

            done, code = send(form, "vote", request.user, work)
            if done:
                messages.success(request, _("The status is set, and everybody who voted is told."))
                return redirect("ideas_desk:idea", pk)
    context: dict[str, Any] = {
        "thread": thread,
        "form": form,
        "steps": IdeaStep.objects.filter(thread=thread).select_related("by__department").order_by("-at", "-pk"),
        "voters": thread.votes.filter(voter__isnull=False, value=1).count(),
        "is_done": ideas.is_done(thread),
        "why_not": "" if not (thread.closed_at or thread.duplicate_of_id) else thread.get_state_display(),
    }
    return TemplateResponse(request, "questions/desk_idea.html", context, status=code)


@hooks.register("register_admin_urls")
def ideas_urls() -> list[Any]:
    patterns = [path("", index, name="index"), path("<int:pk>/", idea, name="idea")]
    return [path("ideas/", include((patterns, "ideas_desk"), namespace="ideas_desk"))]


class IdeasItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return not permissions.why_not_moderate_thread(request.user)


@hooks.register("register_admin_menu_item")
def ideas_item() -> MenuItem:
    return IdeasItem(gettext_lazy("Ideas"), reverse("ideas_desk:index"), name="ideas", icon_name="pick", order=70)

"""Requests for reviews inside the Wagtail admin: how many were asked, opened a star, reviewed."""

from datetime import timedelta
from typing import Any

from django.db.models import Count, F, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import include, path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from wagtail import hooks
from wagtail.admin.menu import MenuItem

from community.core import clock
from community.core.models import Numbers
from products.services import why_not_keep_shelves

from .models import RequestMail, ReviewRequest

SPANS = {"30": _("30 days"), "90": _("90 days"), "365": _("A year")}
ASKED = Q(asked_in__isnull=False)
OPENED = ASKED & Q(opened_at__isnull=False)
# What was reviewed before anybody asked is no merit of the asking.
REVIEWED = ASKED & Q(reviewed_at__gte=F("asked_in__at"))


@require_safe
def requests(request: HttpRequest) -> HttpResponse:
    """Figures by product of those asked within a span: `?days=90`. Four queries."""
    if reason := why_not_keep_shelves(request.user):
        return TemplateResponse(request, "accounts/admin/refused.html", {"reason": reason}, status=403)
    days = request.GET.get("days", "90")
    if days not in SPANS:
        raise Http404
    since = clock.now() - timedelta(days=int(days))
    counts = {
        "asked": Count("pk"),
        "reminded": Count("pk", filter=Q(reminded_in__isnull=False)),
        "opened": Count("pk", filter=OPENED),
        "reviewed": Count("pk", filter=REVIEWED),
    }
    rows = ReviewRequest.objects.filter(asked_in__at__gte=since)
    context = {
        "spans": [(value, label, value == days) for value, label in SPANS.items()],
        "rows": rows.values("product__name").annotate(**counts).order_by("-asked", "product__name"),
        "all": rows.aggregate(**counts),
        "mails": RequestMail.objects.filter(at__gte=since).count(),
        "waiting": ReviewRequest.objects.filter(due_at__isnull=False, asked_in=None).count(),
        "numbers": Numbers.load(),
    }
    return TemplateResponse(request, "reviews/desk_requests.html", context)


@hooks.register("register_admin_urls")
def request_urls() -> list[Any]:
    return [path("review-requests/", include(([path("", requests, name="index")], "review_requests")))]


class RequestsItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return not why_not_keep_shelves(request.user)


@hooks.register("register_admin_menu_item")
def requests_item() -> MenuItem:
    address = reverse("review_requests:index")
    return RequestsItem(_("Review requests"), address, name="review-requests", icon_name="mail", order=82)

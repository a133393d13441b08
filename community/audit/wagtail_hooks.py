"""The audit in the menu of the admin."""

from typing import Any

from django.http import HttpRequest
from django.urls import include, path, reverse
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.menu import MenuItem

from . import views


@hooks.register("register_admin_urls")
def audit_urls() -> list[Any]:
    patterns = [path("", views.audit, name="audit"), path("acts.csv", views.audit_csv, name="csv")]
    return [path("audit/", include((patterns, "audit"), namespace="audit"))]


class AuditItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return not views.why_not_audit(request.user)


@hooks.register("register_reports_menu_item")
def audit_item() -> MenuItem:
    return AuditItem(_("Audit"), reverse("audit:audit"), name="audit", icon_name="history", order=10)

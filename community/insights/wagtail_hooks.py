"""Figures in the menu and on the first page of the admin."""

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import include, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.admin.ui.components import Component

from community.core import clock
from community.escalation.permissions import works_cases

from . import permissions, report, views
from .daily import month_of
from .metrics import DEFINITIONS


@hooks.register("register_admin_urls")
def figures_urls() -> list[Any]:
    patterns = [
        path("", views.figures, name="figures"),
        path("value/", views.value, name="value"),
        path("<slug:figure>/rows/", views.rows, name="rows"),
        path("<slug:figure>/rows.csv", views.rows_csv, name="rows_csv"),
        path("<slug:figure>/figure.csv", views.figure_csv, name="figure_csv"),
    ]
    return [path("insights/", include((patterns, "insights"), namespace="insights"))]


def may_look(user: Any) -> bool:
    """Asks the database nothing for an agent: every page of the admin has the menu."""
    return (works_cases(user) and user.department_id is not None) or permissions.sees_all(user)


class FiguresItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return may_look(request.user)


@hooks.register("register_admin_menu_item")
def figures_item() -> MenuItem:
    return FiguresItem(_("Figures"), reverse("insights:figures"), name="figures", icon_name="table", order=55)


class TodayPanel(Component):
    """Today's figures so far beside those of the month, on the first page of the admin. Few queries."""

    name, order = "figures", 20

    class Media:
        css = {"all": ["css/desk.css", "css/figures.css"]}

    def render_html(self, parent_context: dict[str, Any]) -> SafeString:
        user = parent_context["request"].user
        today = clock.now().date()
        department = None if permissions.sees_all(user) else user.department
        scope = report.Scope(department=department.pk if department else None)
        now, month = report.today_and_month(scope, today)
        shown = [name for name, said in DEFINITIONS.items() if said.by_department or department is None]
        counted = report.month_row(month_of(today))
        context = {
            "lines": report.in_words(now, month, shown, with_baseline=False),
            "department": department,
            "counted_at": counted.counted_at if counted else None,
        }
        return SafeString(render_to_string("insights/_home_panel.html", context))


@hooks.register("construct_homepage_panels")
def today_panel(request: HttpRequest, panels: list[Component]) -> None:
    if may_look(request.user):
        panels.append(TodayPanel())

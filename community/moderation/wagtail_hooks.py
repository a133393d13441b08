"""The moderators' pages inside the Wagtail admin: addresses, menu, and what waits on its first page."""

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import include, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.admin.ui.components import Component

from .permissions import is_moderator
from .queue import count_waiting
from .views.queue import decide, hear, hear_penalty, many, queue, take
from .views.spammers import spammer
from .views.words import watched_words


@hooks.register("register_admin_urls")
def moderation_urls() -> list[Any]:
    patterns = [
        path("", queue, name="queue"),
        path("spammers/<int:pk>/", spammer, name="spammer"),
        path("words/", watched_words, name="words"),
        path("many/", many, name="many"),
        path("appeals/<int:pk>/", hear, name="appeal"),
        path("penalty-appeals/<int:pk>/", hear_penalty, name="penalty_appeal"),
        path("<int:type_id>/<int:pk>/", decide, name="decide"),
        path("<int:type_id>/<int:pk>/claim/", take, name="claim"),
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
        context = {"waiting": count_waiting(), "request": parent_context["request"]}
        return SafeString(render_to_string("moderation/_home_panel.html", context))


@hooks.register("construct_homepage_panels")
def moderation_panel(request: HttpRequest, panels: list[Component]) -> None:
    if is_moderator(request.user):
        panels.append(ModerationPanel())

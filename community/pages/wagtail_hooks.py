"""Choosers for the rows that help articles are tied to; a page is served at the address of its language."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.viewsets.chooser import ChooserViewSet
from wagtail.models import Page

from community.accounts.models import User
from community.questions.models import Thread


class ThreadChooserViewSet(ChooserViewSet):
    model = Thread
    icon = "comment"
    choose_one_text = _("Choose a thread")
    choose_another_text = _("Choose another thread")
    per_page = 20
    url_filter_parameters = ["q"]

    def get_object_list(self) -> "QuerySet[Thread]":
        return Thread.objects.visible().order_by("-active_at")


class PersonChooserViewSet(ChooserViewSet):
    model = User
    icon = "user"
    choose_one_text = _("Choose a person")
    choose_another_text = _("Choose another person")
    per_page = 20

    def get_object_list(self) -> "QuerySet[User]":
        return User.objects.filter(is_active=True).order_by("name")


@hooks.register("register_admin_viewset")
def thread_chooser() -> Any:
    return ThreadChooserViewSet("thread_chooser", url_prefix="threads/chooser")


@hooks.register("register_admin_viewset")
def person_chooser() -> Any:
    return PersonChooserViewSet("person_chooser", url_prefix="people/chooser")


@hooks.register("before_serve_page")
def at_its_own_address(page: Page, request: HttpRequest, *args: Any) -> HttpResponse | None:
    """Asked for in a language in which it isn't written, a page is shown at the address that it has."""
    asked = getattr(request, "page_language", None)
    if asked is None or page.locale.language_code == asked:
        return None
    return redirect(page.get_url(request) or "/")

"""Choosers for the rows that help articles are tied to."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.viewsets.chooser import ChooserViewSet

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

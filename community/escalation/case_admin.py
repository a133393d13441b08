"""Saved replies and hand-off channels in the Wagtail admin."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.admin.ui.tables import Column
from wagtail.admin.views.generic import CreateView, EditView, InspectView
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.permission_policies import ModelPermissionPolicy

from community.core.screens import ThroughService
from community.core.text import render_markdown

from . import handoffs, replies
from .case_forms import ChannelForm, ReplyForm
from .models import Channel, SavedReply
from .permissions import why_not_manage_channels, why_not_write_replies, works_cases


class ByReason(ModelPermissionPolicy):
    """One question for all that is done with a model; nothing is deleted, it is switched off."""

    def __init__(self, model: Any, why_not: Any) -> None:
        super().__init__(model)
        self.why_not = why_not

    def user_has_permission(self, user: Any, action: str) -> bool:
        return action != "delete" and not self.why_not(user)

    def user_has_any_permission(self, user: Any, actions: Any) -> bool:
        """The menu asks on every page of the admin: without a query."""
        return works_cases(user) if "view" in actions else super().user_has_any_permission(user, actions)


class StoresReply(ThroughService):
    def store(self, instance: Any, data: dict[str, Any]) -> SavedReply:
        instance.kinds = data["kinds"]
        return replies.save(instance, self.request.user, data["departments"])


class AddReply(StoresReply, CreateView):
    pass


class EditReply(StoresReply, EditView):
    pass


class ShowReply(InspectView):
    """The preview: the reply as an answer to somebody made up."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        text = replies.filled_for(self.object, replies.SAMPLE)
        return {**super().get_context_data(**kwargs), "preview": render_markdown(text).html}


def _yes(name: str, label: Any) -> Column:
    return Column(name, label=label, accessor=lambda row: gettext("yes") if getattr(row, name) else gettext("no"))


class ReplyViewSet(ModelViewSet):
    model = SavedReply
    add_view_class = AddReply
    edit_view_class = EditReply
    inspect_view_enabled = True
    inspect_view_class = ShowReply
    inspect_template_name = "escalation/reply.html"
    icon = "comment"
    menu_label = _("Saved replies")
    menu_order = 810
    add_to_settings_menu = True
    list_display = ("title", "language", _yes("makes_promise", _("Names a day")), _yes("active", _("In use")))
    list_filter = ("language", "departments", "active")
    search_fields = ("title", "body", "slug")
    ordering = ("position", "title")
    copy_view_enabled = False
    permission_policy = ByReason(SavedReply, why_not_write_replies)

    def get_form_class(self, for_update: bool = False) -> type[ReplyForm]:
        return ReplyForm


class StoresChannel(ThroughService):
    def store(self, instance: Any, data: dict[str, Any]) -> Channel:
        return handoffs.save_channel(instance, self.request.user, data["departments"])


class AddChannel(StoresChannel, CreateView):
    pass


class EditChannel(StoresChannel, EditView):
    template_name = "escalation/channel_form.html"


class ChannelViewSet(ModelViewSet):
    model = Channel
    add_view_class = AddChannel
    edit_view_class = EditChannel
    edit_template_name = "escalation/channel_form.html"
    icon = "mail"
    menu_label = _("Hand-off channels")
    menu_order = 820
    add_to_settings_menu = True
    list_display = ("name", "kind", _yes("is_usable", _("Takes cases")), "disabled_because")
    ordering = ("name",)
    copy_view_enabled = False
    inspect_view_enabled = False
    permission_policy = ByReason(Channel, why_not_manage_channels)

    def get_form_class(self, for_update: bool = False) -> type[ChannelForm]:
        return ChannelForm


@hooks.register("register_admin_viewset")
def saved_replies() -> ReplyViewSet:
    return ReplyViewSet("saved_replies", url_prefix="saved-replies")


@hooks.register("register_admin_viewset")
def channels() -> ChannelViewSet:
    return ChannelViewSet("channels", url_prefix="hand-off-channels")


class ForAgents(MenuItem):
    def is_shown(self, request: Any) -> bool:
        return works_cases(request.user)


@hooks.register("register_admin_menu_item")
def promises_item() -> MenuItem:
    return ForAgents(_("Promises"), reverse("escalation:promises"), name="promises", icon_name="calendar", order=52)


@hooks.register("register_admin_menu_item")
def incidents_item() -> MenuItem:
    return ForAgents(
        _("Known issues"), reverse("escalation:incidents"), name="incidents", icon_name="warning", order=53
    )

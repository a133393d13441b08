"""Tags inside the Wagtail admin: their names, their other words, and two that are one."""

from typing import Any, cast

from django import forms
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods
from wagtail import hooks
from wagtail.admin import messages
from wagtail.admin.ui.tables import Column
from wagtail.admin.views.generic import CreateView, EditView, IndexView
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.admin.widgets.button import HeaderButton
from wagtail.permission_policies.base import ModelPermissionPolicy

from community.accounts.models import User
from community.core.screens import ThroughService
from community.moderation.permissions import why_not_moderate

from . import curating
from .doors import send
from .models import Tag


class TagForm(forms.ModelForm):
    synonyms = forms.CharField(
        label=gettext_lazy("Other words for it"),
        required=False,
        max_length=1000,
        widget=forms.Textarea({"rows": 3}),
        help_text=gettext_lazy("With commas between them. Whoever types one of them gets this tag."),
    )

    class Meta:
        model = Tag
        fields = ["name", "topic", "about"]
        help_texts = {
            "name": gettext_lazy("In lower case. When you change it, the old name stays another word for it.")
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["synonyms"] = ", ".join(self.instance.synonyms.values_list("name", flat=True))


class StoresTag(ThroughService):
    def store(self, instance: Tag, data: dict[str, Any]) -> Tag:
        return curating.save_tag(instance, cast(User, self.request.user), synonyms=data["synonyms"].split(","))


class AddTag(StoresTag, CreateView):
    pass


class EditTag(StoresTag, EditView):
    @property
    def header_buttons(self) -> list[Any]:
        return [
            HeaderButton(
                label=_("Merge with another tag"),
                url=reverse("tags_merge", args=[self.object.pk]),
                icon_name="resubmit",
            )
        ]


class Moderators(ModelPermissionPolicy):
    """Tags are kept by moderators, and never deleted: two that are one are merged, so that no address dies."""

    def user_has_permission(self, user: Any, action: str) -> bool:
        return action != "delete" and not why_not_moderate(user)


class TagList(IndexView):
    def get_base_queryset(self) -> QuerySet[Tag]:
        return super().get_base_queryset().annotate(used=Count("threads", distinct=True)).prefetch_related("synonyms")


def other_words(tag: Tag) -> str:
    return ", ".join(other.name for other in tag.synonyms.all())


class TagViewSet(ModelViewSet):
    model = Tag
    index_view_class = TagList
    add_view_class = AddTag
    edit_view_class = EditTag
    icon = "tag"
    menu_label = gettext_lazy("Tags")
    menu_name = "tags"
    menu_order = 690
    add_to_settings_menu = True
    list_display = (
        "name",
        "topic",
        Column("words", label=gettext_lazy("Other words for it"), accessor=other_words),
        Column("threads", label=gettext_lazy("Threads"), accessor="used", sort_key="used"),
    )
    list_filter = ("topic",)
    search_fields = ("name", "slug", "synonyms__name")
    ordering = ("name",)
    copy_view_enabled = False
    inspect_view_enabled = False
    permission_policy = Moderators(Tag)

    def get_form_class(self, for_update: bool = False) -> type[TagForm]:
        return TagForm


class MergeForm(forms.Form):
    into = forms.ModelChoiceField(
        queryset=Tag.objects.none(), label=gettext_lazy("The tag that stays"), empty_label=gettext_lazy("Choose a tag")
    )

    def __init__(self, *args: Any, tag: Tag, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["into"].queryset = Tag.objects.exclude(pk=tag.pk).order_by("name")  # type: ignore[attr-defined]


@require_http_methods(["GET", "POST"])
def merge(request: HttpRequest, pk: int) -> HttpResponse:
    """Which tag stays, and what moves to it."""
    if reason := why_not_moderate(request.user):
        return TemplateResponse(request, "moderation/refused.html", {"reason": reason}, status=403)
    tag = get_object_or_404(Tag, pk=pk)
    form, status = MergeForm(request.POST if request.method == "POST" else None, tag=tag), 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            into, by = form.cleaned_data["into"], cast(User, request.user)
            done, status = send(form, "vote", by, lambda: curating.merge_tag(tag, into, by))
            if done:
                said = {"tag": tag.name, "into": into.name}
                messages.success(request, _("“%(tag)s” is another word for “%(into)s” now.") % said)
                return redirect(TAGS.get_url_name("edit"), into.pk)
    context = {"tag": tag, "form": form, "uses": curating.uses(tag), "list_url": reverse(TAGS.get_url_name("index"))}
    return TemplateResponse(request, "posts/admin/merge_tag.html", context, status=status)


TAGS = TagViewSet("tags", url_prefix="tags")


@hooks.register("register_admin_viewset")
def tags() -> TagViewSet:
    return TAGS


@hooks.register("register_admin_urls")
def merge_url() -> list[Any]:
    return [path("tags/<int:pk>/merge/", merge, name="tags_merge")]

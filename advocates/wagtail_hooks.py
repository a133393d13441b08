"""Staff screens of the programme. They go through the services, like every other door (RULINGS 6)."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.views import generic
from wagtail.admin.viewsets.base import ViewSetGroup
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.images.widgets import AdminImageChooser
from wagtail.permission_policies.base import BasePermissionPolicy

from community.accounts.models import User
from community.core.errors import Conflict
from products.models import Product

from . import findings, permissions, services
from .models import AdvocateMembership, Award, Badge, Rank

State = AdvocateMembership.State


class ManagersOnly(BasePermissionPolicy):
    """Whoever runs the programme may do all of it, others nothing."""

    def user_has_permission(self, user: Any, action: str) -> bool:
        return permissions.can_manage(user)

    def user_has_any_permission(self, user: Any, actions: Any) -> bool:
        return permissions.can_manage(user)

    def user_has_permission_for_instance(self, user: Any, action: str, instance: Any) -> bool:
        return permissions.can_manage(user)

    def user_has_any_permission_for_instance(self, user: Any, actions: Any, instance: Any) -> bool:
        return permissions.can_manage(user)

    def instances_user_has_any_permission_for(self, user: Any, actions: Any) -> Any:
        manager = self.model._default_manager
        return manager.all() if permissions.can_manage(user) else manager.none()

    def users_with_any_permission(self, actions: Any) -> Any:
        backend = "django.contrib.auth.backends.ModelBackend"
        return User.objects.with_perm("advocates.manage_advocates", backend=backend)

    def users_with_any_permission_for_instance(self, actions: Any, instance: Any) -> Any:
        return self.users_with_any_permission(actions)


class ServiceForm(forms.ModelForm):
    """A form whose `save()` calls a service; what the service objects to stands at the field."""

    by: Any = None

    def call(self) -> Any:
        raise NotImplementedError

    def _post_clean(self) -> None:
        super()._post_clean()
        if self.errors:
            return
        # The service judges now, so that what it says reaches the page; saving repeats it, which is harmless.
        try:
            with transaction.atomic():
                self.call()
                transaction.set_rollback(True)
        except ValidationError as error:
            if hasattr(error, "error_dict"):
                for field, problems in error.error_dict.items():
                    self.add_error(field if field in self.fields else None, problems)
            else:
                self.add_error(None, error)
        except Conflict as error:
            self.add_error(None, error.reason)

    def save(self, commit: bool = True) -> Any:
        return self.call()


class WithManager:
    """Hands the form who is asking."""

    def get_form(self, *args: Any, **kwargs: Any) -> Any:
        form = super().get_form(*args, **kwargs)  # type: ignore[misc]
        form.by = self.request.user  # type: ignore[attr-defined]
        return form


class CreateView(WithManager, generic.CreateView):
    pass


class EditView(WithManager, generic.EditView):
    pass


class RankForm(ServiceForm):
    class Meta:
        model = Rank
        fields = ["slug", "name", "threshold", "line", "drawing", "picture", "alt"]
        widgets = {"picture": AdminImageChooser}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["drawing"].required = False
        if self.instance.pk:
            self.fields["slug"].disabled = True

    def call(self) -> Rank:
        return services.save_rank(self.by, **self.cleaned_data)


class RankDeleteView(generic.DeleteView):
    def delete_action(self) -> None:
        services.delete_rank(self.object, self.request.user)


class Screens(ModelViewSet):
    add_to_admin_menu = False
    add_view_class = CreateView
    edit_view_class = EditView
    copy_view_enabled = False
    inspect_view_enabled = False

    @property
    def permission_policy(self) -> Any:
        return ManagersOnly(self.model)


class RankViewSet(Screens):
    model = Rank
    icon = "order"
    form_fields = ["slug", "name", "threshold", "line", "drawing", "picture", "alt"]
    list_display = ["name", "threshold", "drawing", "line"]
    ordering = ["threshold"]
    delete_view_class = RankDeleteView

    def get_form_class(self, for_update: bool = False) -> Any:
        return RankForm


class BadgeForm(ServiceForm):
    class Meta:
        model = Badge
        fields = ["slug", "name", "level", "area", "rule", "award", "awarded", "per", "position"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["slug"].disabled = True

    def call(self) -> Badge:
        data = {**self.cleaned_data, "by_hand": self.instance.by_hand}
        return services.save_badge(self.by, data, position=data.pop("position"))


class BadgeDeleteView(generic.DeleteView):
    """Badges are retired, not deleted: who has one keeps it."""

    def delete_action(self) -> None:
        services.retire_badge(self.object, self.request.user)


class BadgeViewSet(Screens):
    model = Badge
    icon = "pick"
    form_fields = ["slug", "name", "level", "area", "rule", "award", "awarded", "per", "position"]
    list_display = ["name", "level", "area", "rule", "awarded", "retired_at"]
    list_filter = ["level", "area", "by_hand"]
    search_fields = ["name", "slug", "rule"]
    search_backend_name = None
    list_export = ["slug", "name", "level", "area", "rule", "awarded", "per"]
    delete_view_class = BadgeDeleteView

    def get_form_class(self, for_update: bool = False) -> Any:
        return BadgeForm


class AwardForm(ServiceForm):
    """Thank people by hand."""

    people = forms.ModelMultipleChoiceField(label=_("people"), queryset=User.objects.none())

    class Meta:
        model = Award
        fields = ["badge", "reason"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["badge"].queryset = Badge.objects.filter(by_hand=True, retired_at=None)
        self.fields["people"].queryset = User.objects.members().filter(claimable()).order_by("name")
        self.fields["reason"].required = True

    def call(self) -> Award:
        data = self.cleaned_data
        return services.give_badge(data["badge"], data["people"], self.by, reason=data["reason"])[0]


def claimable() -> Any:
    return Q(source="") | Q(claimed_at__isnull=False)


class AwardDeleteView(generic.DeleteView):
    def delete_action(self) -> None:
        services.take_back_badge(self.object, self.request.user, reason=str(_("Taken back at the desk.")))


class AwardViewSet(Screens):
    model = Award
    icon = "pick"
    form_fields = ["badge", "reason"]
    list_display = ["badge", "person", "reason", "given_by", "at"]
    menu_label = _("Thanks by hand")
    delete_view_class = AwardDeleteView

    def get_form_class(self, for_update: bool = False) -> Any:
        return AwardForm

    def get_queryset(self, request: Any) -> Any:
        return Award.objects.filter(badge__by_hand=True).select_related("badge", "person", "given_by")


class AdvocateForm(ServiceForm):
    """Admit, send away, call back, let go: which service is called follows from the state chosen."""

    products = forms.ModelMultipleChoiceField(
        label=_("knows"), queryset=Product.objects.all(), required=False, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = AdvocateMembership
        fields = ["user", "state", "until", "note", "stand_in"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        members = User.objects.members().filter(claimable()).order_by("name")
        self.fields["user"].queryset = members
        self.fields["stand_in"].queryset = members.filter(advocate__state=State.ACTIVE)
        if self.instance.pk:
            self.fields["user"].disabled = True
            self.fields["products"].initial = [row.product_id for row in self.instance.expertise.all()]

    def call(self) -> AdvocateMembership:
        data = self.cleaned_data
        user, products = data["user"], data["products"]
        if data["state"] == State.LEFT:
            services.leave(user, self.by)
        elif data["state"] == State.CANDIDATE:
            services.note_candidate(user, self.by, products, note=data["note"])
        else:
            services.admit(user, self.by, products, note=data["note"])
            services.set_away(
                user,
                self.by,
                data["state"] == State.AWAY,
                until=data["until"],
                note=data["note"],
                stand_in=data["stand_in"],
            )
        return AdvocateMembership.objects.get(user=user)


class AdvocateViewSet(Screens):
    model = AdvocateMembership
    icon = "group"
    form_fields = ["user", "state", "until", "note", "stand_in"]
    list_display = ["user", "state", "since", "until", "note"]
    list_filter = ["state"]
    list_export = ["user", "state", "since", "until", "note"]
    menu_label = _("Advocates")

    def get_form_class(self, for_update: bool = False) -> Any:
        return AdvocateForm


class AdvocatesGroup(ViewSetGroup):
    menu_label = _("Advocates")
    menu_icon = "group"
    menu_order = 350
    # Names of their own: "advocates" and "badges" are the public pages.
    items = (
        AdvocateViewSet("programme_advocates", url_prefix="advocates"),
        BadgeViewSet("programme_badges", url_prefix="badges"),
        AwardViewSet("programme_thanks", url_prefix="thanks"),
        RankViewSet("programme_ranks", url_prefix="ranks"),
    )


hooks.register("register_admin_urls", lambda: [findings.urls()])
hooks.register("register_admin_menu_item", findings.menu_item)


@hooks.register("register_admin_viewset")
def register_screens() -> AdvocatesGroup:
    return AdvocatesGroup()

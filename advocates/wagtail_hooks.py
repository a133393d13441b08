"""Staff screens of the programme. They go through the services, like every other door (RULINGS 6)."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.viewsets.base import ViewSetGroup
from wagtail.images.widgets import AdminImageChooser

from community.accounts.models import User
from products.models import Product

from . import console, findings, services  # noqa: F401 - the console registers its own screens
from .badge_screens import AwardViewSet, BadgeViewSet
from .models import AdvocateMembership, Rank
from .screens import ConfirmView, Screens, ServiceForm, claimable

State = AdvocateMembership.State


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


class RankDeleteView(ConfirmView):
    question = _("Take this rank out? Its people move to the one below.")
    yes = _("Yes, take it out")

    def act(self, form: Any) -> None:
        services.delete_rank(self.object, self.request.user)


class RankViewSet(Screens):
    model = Rank
    icon = "order"
    form_fields = ["slug", "name", "threshold", "line", "drawing", "picture", "alt"]
    list_display = ["name", "threshold", "drawing", "line"]
    ordering = ["threshold"]
    delete_view_class = RankDeleteView

    def get_form_class(self, for_update: bool = False) -> Any:
        return RankForm


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
        if data["state"] == State.CANDIDATE and AdvocateMembership.objects.current().filter(user=user).exists():
            raise ValidationError({"state": _("They are an advocate already. To let them go, choose “Left”.")})
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


class AdvocateDeleteView(ConfirmView):
    """Nobody is deleted from the programme: they leave it, and the row says until when they were in it."""

    page_title = _("Let go")

    question = _("They leave with our thanks, and stay with us as a former advocate.")
    yes = _("Yes, let them go")

    def get_success_message(self) -> str:
        return _now("%(name)s is a former advocate now.") % {"name": self.object}

    def act(self, form: Any) -> None:
        services.leave(self.object.user, self.request.user)


class AdvocateViewSet(Screens):
    model = AdvocateMembership
    icon = "group"
    form_fields = ["user", "state", "until", "note", "stand_in"]
    list_display = ["user", "state", "since", "until", "note"]
    list_filter = ["state"]
    list_export = ["user", "state", "since", "until", "note"]
    menu_label = _("Advocates")
    delete_view_class = AdvocateDeleteView

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

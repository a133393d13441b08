"""The desk and the policies inside the Wagtail admin."""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import include, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.admin.ui.components import Component
from wagtail.admin.ui.tables import Column
from wagtail.admin.views.generic import CreateView, EditView
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.permission_policies import ModelPermissionPolicy

from community.core import clock
from community.core.screens import ThroughService

from . import (
    case_admin,  # noqa: F401 - saved replies and channels, which register themselves
    check,
)
from . import queues as vocabulary
from .forms import PolicyForm
from .models import EscalationPolicy, Simulation
from .permissions import why_not_manage_policies, works_cases
from .policies import read_policy, write_policy
from .rotation import stands_in_for
from .simulation import simulate
from .views import acts, case, queues, registers, shifts
from .views import policies as policy_views
from .views.common import Row


@hooks.register("register_admin_urls")
def desk_urls() -> list[Any]:
    patterns = [
        path("", queues.desk, name="desk"),
        path("counts/", queues.counts, name="counts"),
        path("bulk/", queues.bulk, name="bulk"),
        path("keys/", queues.keys, name="keys"),
        path("filters/keep/", queues.keep_filter, name="keep_filter"),
        path("filters/<int:pk>/drop/", queues.drop_filter, name="drop_filter"),
        path("check/", queues.forgotten, name="check"),
        path("check/<int:pk>/", queues.look_after, name="look_after"),
        path("who/", shifts.who, name="who"),
        path("who/away/", shifts.away, name="away"),
        path("who/away/<int:pk>/back/", shifts.back, name="back"),
        path("who/hours/", shifts.hours, name="hours"),
        path("hand-over/", shifts.hand_over, name="hand_over"),
        path("hand-over/<int:pk>/", shifts.handover, name="handover"),
        path("policies/<int:pk>/", policy_views.history, name="policy"),
        path("policies/<int:pk>/switch/", policy_views.switch, name="switch_policy"),
        path("simulations/<int:pk>/", policy_views.simulated, name="simulation"),
        path("simulations/<int:pk>/use/", policy_views.use, name="use_simulation"),
        path("<int:pk>/", case.case, name="case"),
        path("<int:pk>/private/", case.private, name="private"),
        path("<int:pk>/alike/", case.alike, name="alike"),
        path("promises/", registers.promises, name="promises"),
        path("incidents/", registers.incidents, name="incidents"),
        path("incidents/<int:pk>/", registers.incident, name="incident"),
        path("channels/<int:pk>/secret/", registers.secret, name="channel_secret"),
        path("<int:pk>/<slug:verb>/", acts.act, name="act"),
    ]
    return [path("desk/", include((patterns, "escalation"), namespace="escalation"))]


class DeskItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return works_cases(request.user)


@hooks.register("register_admin_menu_item")
def desk_item() -> MenuItem:
    return DeskItem(_("Desk"), reverse("escalation:desk"), name="desk", icon_name="clipboard-list", order=50)


class DeskPanel(Component):
    """What is mine, due next and late, on the first page of the admin. Seven queries, however much there is."""

    name, order = "desk", 10
    LISTED = 4
    EMPTY = {
        "mine": _("Nothing is with you."),
        "due": _("Nothing waits for your department."),
        "late": _("Nothing is late."),
    }

    class Media:
        css = {"all": ["css/desk.css"]}

    def render_html(self, parent_context: dict[str, Any]) -> SafeString:
        user = parent_context["request"].user
        wish = vocabulary.Wish(user, own=user.department, stands_for=stands_in_for(user))
        wish.department = user.department.slug if user.department else ""
        counted = vocabulary.counts(wish, ("mine", "due", "late"))
        lists = [
            {
                "queue": name,
                "label": vocabulary.QUEUES[name].label,
                "count": queues.shown(counted[name]),
                "empty": self.EMPTY[name],
                "rows": [
                    Row(case, user)
                    for case in vocabulary.cases_of(name, wish).for_desk().in_due_order()[: self.LISTED]
                ] if counted[name] else [],
            }
            for name in ("mine", "due", "late")
        ]  # fmt: skip
        warning = check.warning(check.latest(), check.oldest_due(), clock.now())
        return SafeString(render_to_string("escalation/_home_panel.html", {"lists": lists, "warning": warning}))


@hooks.register("construct_homepage_panels")
def desk_panel(request: HttpRequest, panels: list[Component]) -> None:
    if works_cases(request.user):
        panels.append(DeskPanel())


class ManagersOnly(ModelPermissionPolicy):
    """One permission for all that is done with policies: they are shown to nobody else."""

    def user_has_permission(self, user: Any, action: str) -> bool:
        return action != "delete" and not why_not_manage_policies(user)


class StoresPolicy(ThroughService):
    """Saves or simulates a policy by its service; what the service finds wrong stands beside its field.

    `?draft=` opens the draft of a simulation instead of what is stored.
    """

    request: HttpRequest
    form: PolicyForm

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_form_kwargs()  # type: ignore[misc]
        draft = self.request.GET.get("draft", "")
        is_id = draft.isdecimal() and len(draft) < 18
        if self.request.method == "GET" and is_id and (one := Simulation.objects.filter(pk=draft).first()):
            instance = kwargs.get("instance") or EscalationPolicy()
            if one.policy_id == instance.pk:
                policy, steps = read_policy({**one.draft, "active": instance.active if instance.pk else True}, instance)
                policy.slug = one.draft["slug"]
                rungs = [dict(zip(("hours", "kind", "note", "channel"), step, strict=True)) for step in steps]
                kwargs |= {"instance": policy, "initial": {**(kwargs.get("initial") or {}), "rungs": rungs}}
        return kwargs

    def store(self, instance: EscalationPolicy, data: dict[str, Any]) -> EscalationPolicy:
        return write_policy(instance, self.form.steps(), by=self.request.user)

    def form_valid(self, form: PolicyForm) -> HttpResponse:
        self.form = form
        if "simulate" not in self.request.POST:
            return super().form_valid(form)
        try:
            asked = simulate(form.instance, form.steps(), self.request.user)
        except ValidationError as problem:
            return self.refused(form, problem)
        return HttpResponseRedirect(reverse("escalation:simulation", args=[asked.pk]), status=303)

    def complain(self, form: PolicyForm, problem: ValidationError) -> None:
        form.complain(problem)


class AddPolicy(StoresPolicy, CreateView):
    template_name = "escalation/policy_form.html"


class EditPolicy(StoresPolicy, EditView):
    template_name = "escalation/policy_form.html"


IN_USE = Column(
    "active", label=_("In use"), accessor=lambda policy: gettext("yes") if policy.active else gettext("no"),
    sort_key="active",
)  # fmt: skip


class VersionColumn(Column):
    """The version, which leads to what each of them was."""

    cell_template_name = "escalation/_version_cell.html"


VERSION = VersionColumn("version", label=_("Version"), sort_key="version")


class PolicyViewSet(ModelViewSet):
    """Ladders as data. A policy is switched off, not deleted: cases that ran on it keep their history."""

    model = EscalationPolicy
    add_view_class = AddPolicy
    edit_view_class = EditPolicy
    create_template_name = edit_template_name = "escalation/policy_form.html"
    icon = "order"
    menu_label = _("Escalation policies")
    menu_order = 800
    add_to_settings_menu = True
    list_display = ("name", "slug", IN_USE, "department", "until", "position", VERSION)
    list_filter = ("active", "department", "until")
    search_fields = ("name", "slug")
    ordering = ("position", "id")
    list_export = ("slug", "name", "active", "position", "match", "until", "clock", "version")
    copy_view_enabled = False
    inspect_view_enabled = False
    permission_policy = ManagersOnly(EscalationPolicy)

    def get_form_class(self, for_update: bool = False) -> type[PolicyForm]:
        return PolicyForm


@hooks.register("register_admin_viewset")
def policies() -> PolicyViewSet:
    return PolicyViewSet("escalation_policies", url_prefix="escalation-policies")

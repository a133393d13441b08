"""Departments, people and their roles inside the Wagtail admin. Every change goes through a service (RULINGS 6)."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import include, path, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST
from wagtail import hooks
from wagtail.admin import messages
from wagtail.admin.menu import MenuItem
from wagtail.admin.ui.tables import Column
from wagtail.admin.views.generic import CreateView, EditView
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.log_actions import log
from wagtail.permission_policies import ModelPermissionPolicy

from community.core.errors import Conflict, NotAllowed
from community.core.screens import ThroughService
from community.core.spoken_forms import field_name, form_for, other_languages
from community.events.log import looked_at

from . import services
from .departments import (
    archive_department,
    check_country,
    check_holidays,
    check_hours,
    check_open,
    country_names,
    save_department,
    set_members,
    why_not_keep,
)
from .models import Department, Penalty, Standing, User
from .roles import ROLES

View = Callable[..., HttpResponse]
WEEKDAYS = (
    gettext_lazy("Monday"),
    gettext_lazy("Tuesday"),
    gettext_lazy("Wednesday"),
    gettext_lazy("Thursday"),
    gettext_lazy("Friday"),
    gettext_lazy("Saturday"),
    gettext_lazy("Sunday"),
)
PER_PAGE = 50


# Departments


class DepartmentForm(forms.ModelForm):
    """Hours in a line a weekday (08:00-12:00, 13:00-17:00), holidays in lines."""

    holiday_lines = forms.CharField(
        label=gettext_lazy("holidays"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("One a line, beside the public ones: 12-25 for every year, 2026-04-03 for one."),
    )
    holiday_country = forms.ChoiceField(label=gettext_lazy("public holidays of"), required=False)
    members = forms.ModelMultipleChoiceField(
        User.objects.none(),
        label=gettext_lazy("members"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Everybody works in one department: who comes here leaves another."),
    )
    closed = forms.BooleanField(
        label=gettext_lazy("closed"),
        required=False,
        help_text=gettext_lazy("Nothing new goes to it; what it said stays under its name."),
    )

    class Meta:
        model = Department
        fields = [
            "name", "slug", "lead", "mailbox", "time_zone", "holiday_country", "holiday_region", "hours_text",
            "acknowledge_hours", "resolve_hours",
        ]  # fmt: skip

    field_order = [
        name
        for column in Meta.fields
        for name in (column, *(field_name(language, column) for language, _called in other_languages()))
    ]  # what it is called in other languages stands beneath

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Whoever is suspended stays where they are when a department is saved.
        there = {self.instance.lead_id}
        if self.instance.pk:
            there |= set(self.instance.memberships.values_list("user", flat=True))
        here = Q(is_active=True) | Q(pk__in=there - {None})
        staff = User.objects.filter(here, standing=Standing.STAFF).order_by("name")
        self.fields["lead"].queryset = staff  # type: ignore[attr-defined]
        known = sorted((name, code) for code, name in country_names().items())
        self.fields["holiday_country"].choices = [("", gettext_lazy("none")), *((code, name) for name, code in known)]  # type: ignore[attr-defined]
        self.fields["members"].queryset = staff  # type: ignore[attr-defined]
        if self.instance.pk:
            self.initial.setdefault("members", list(self.instance.memberships.values_list("user", flat=True)))
        hours = self.instance.hours or {}
        for number, name in enumerate(WEEKDAYS):
            spans = hours.get(str(number), [])
            self.fields[f"day_{number}"] = forms.CharField(
                label=name,
                required=False,
                initial=", ".join("-".join(span) for span in spans),
                help_text=_("08:00-12:00, 13:00-18:00; empty: closed.") if number == 0 else "",
            )
        self.initial.setdefault("closed", self.instance.archived_at is not None)
        self.initial.setdefault("holiday_lines", "\n".join(self.instance.holidays or []))
        for one in self.fields.values():
            one.label = capfirst(one.label)  # beside Wagtail's own, which begin so

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        hours: dict[str, list[list[str]]] = {}
        for number in range(7):
            typed = data.get(f"day_{number}", "").replace("–", "-")
            spans = [[time.strip() for time in span.split("-")] for span in typed.split(",") if span.strip()]
            try:
                check_hours({str(number): spans})
            except ValidationError as problem:
                self.add_error(f"day_{number}", problem.messages[0])
            if spans:
                hours[str(number)] = spans
        holidays = [line.strip() for line in data.get("holiday_lines", "").splitlines() if line.strip()]
        try:
            check_holidays(holidays)
        except ValidationError as problem:
            self.add_error("holiday_lines", problem.messages[0])
        try:
            check_country(data.get("holiday_country") or "", data.get("holiday_region") or "")
        except ValidationError as problem:
            self.add_error(None, problem)
        if not data.get("closed"):
            if not hours and not any(name.startswith("day_") for name in self.errors):
                try:
                    check_open(hours)
                except ValidationError as problem:
                    self.add_error("day_0", problem.messages[0])
            if not data.get("members"):
                self.add_error("members", _("Somebody has to work here, or cases would wait for nobody."))
            elif data.get("lead") and data["lead"] not in data["members"]:
                self.add_error("lead", _("Who leads a department works in it: tick them below."))
        self.instance.hours, self.instance.holidays = hours, holidays
        return data


class StoresDepartment(ThroughService):
    def store(self, instance: Department, data: dict[str, Any]) -> Department:
        by: User = self.request.user
        with transaction.atomic():
            department = save_department(instance, by=by)
            if data["members"] or not data["closed"]:
                set_members(department, data["members"], by)
            try:
                archive_department(department, by, on=data["closed"])
            except Conflict as problem:
                raise ValidationError({"closed": problem.reason}) from None
        return department


class AddDepartment(StoresDepartment, CreateView):
    pass


class EditDepartment(StoresDepartment, EditView):
    pass


class NeverDeleted(ModelPermissionPolicy):
    def user_has_permission(self, user: Any, action: str) -> bool:
        return action != "delete" and not why_not_keep(user)


OPEN_HOURS = Column("open_hours", label=gettext_lazy("business hours"))


class DepartmentViewSet(ModelViewSet):
    model = Department
    add_view_class = AddDepartment
    edit_view_class = EditDepartment
    icon = "group"
    menu_label = gettext_lazy("Departments")
    menu_order = 700
    add_to_settings_menu = True
    list_display = ("name", "lead", "time_zone", OPEN_HOURS, "archived_at")
    search_fields = ("name", "slug")
    copy_view_enabled = False
    inspect_view_enabled = False
    permission_policy = NeverDeleted(Department)

    def get_form_class(self, for_update: bool = False) -> type[DepartmentForm]:
        return form_for(Department, DepartmentForm)


@hooks.register("register_admin_viewset")
def departments() -> DepartmentViewSet:
    return DepartmentViewSet("departments", url_prefix="departments")


# People


def why_not_see_people(user: Any) -> str:
    if user.has_perm("accounts.change_user") or user.has_perm("moderation.moderate"):
        return ""
    return _("Only moderators and community managers look after people.")


def for_keepers(view: View) -> View:
    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if reason := why_not_see_people(request.user):
            return TemplateResponse(request, "accounts/admin/refused.html", {"reason": reason}, status=403)
        return view(request, *args, **kwargs)

    return checked


class RoleForm(forms.Form):
    role = forms.ChoiceField(label=gettext_lazy("Role"), required=False)
    department = forms.ModelChoiceField(
        Department.objects.current(), label=gettext_lazy("Department"), required=False, empty_label="–"
    )
    lead = forms.BooleanField(label=gettext_lazy("leads the department"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [  # type: ignore[attr-defined]
            ("", _("Member")), *((slug, role.group) for slug, role in ROLES.items())
        ]  # fmt: skip

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("role") == "agent" and not data.get("department"):
            self.add_error("department", _("An agent speaks for a department."))
        return data


class SilenceForm(forms.Form):
    hours = forms.TypedChoiceField(
        label=gettext_lazy("For"),
        coerce=int,
        choices=[
            (24, gettext_lazy("a day")),
            (72, gettext_lazy("three days")),
            (168, gettext_lazy("a week")),
            (720, gettext_lazy("thirty days")),
        ],
    )
    reason = forms.CharField(
        label=gettext_lazy("Why; they read it"), max_length=500, widget=forms.Textarea({"rows": 2})
    )


class WarnForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Why; they read it"), max_length=500, widget=forms.Textarea({"rows": 2})
    )


class SuspendForm(forms.Form):
    hours = forms.TypedChoiceField(
        label=gettext_lazy("For"),
        coerce=int,
        empty_value=None,
        required=False,
        choices=[
            ("", gettext_lazy("good")),
            (24, gettext_lazy("a day")),
            (72, gettext_lazy("three days")),
            (168, gettext_lazy("a week")),
            (720, gettext_lazy("thirty days")),
        ],
    )
    reason = forms.CharField(
        label=gettext_lazy("Why; they read it"), max_length=500, widget=forms.Textarea({"rows": 2})
    )


class PictureForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Why; they are warned, and read it"), max_length=500, widget=forms.Textarea({"rows": 2})
    )


class UndoForm(forms.Form):
    penalty = forms.IntegerField()
    reason = forms.CharField(max_length=500, required=False)


class LiftForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=500, required=False)


def _give_role(person: User, by: User, data: dict[str, Any]) -> str:
    services.set_role(person, by, data["role"], data["department"] if data["role"] else None, lead=data["lead"])
    return _("%(name)s has a new role.") % {"name": person}


def _silence(person: User, by: User, data: dict[str, Any]) -> str:
    services.silence(person, by, hours=data["hours"], reason=data["reason"])
    return _("%(name)s can read, but not write for a while.") % {"name": person}


def _warn(person: User, by: User, data: dict[str, Any]) -> str:
    services.warn(person, by, reason=data["reason"])
    return _("%(name)s is warned, and reads why.") % {"name": person}


def _picture(person: User, by: User, data: dict[str, Any]) -> str:
    services.take_picture(person, by, reason=data["reason"])
    return _("The picture is gone, and %(name)s reads why.") % {"name": person}


def _undo(person: User, by: User, data: dict[str, Any]) -> str:
    services.lift(get_object_or_404(Penalty, pk=data["penalty"], person=person), by, reason=data["reason"])
    return _("It is undone.")


def _suspend(person: User, by: User, data: dict[str, Any]) -> str:
    services.suspend(person, by, reason=data["reason"], hours=data["hours"])
    return _("%(name)s is suspended.") % {"name": person}


def _lift(person: User, by: User, data: dict[str, Any]) -> str:
    services.lift_suspension(person, by, reason=data["reason"])
    return _("%(name)s may come in again.") % {"name": person}


VERBS: dict[str, tuple[type[forms.Form], Callable[[User, User, dict[str, Any]], str]]] = {
    "role": (RoleForm, _give_role),
    "warn": (WarnForm, _warn),
    "picture": (PictureForm, _picture),
    "undo": (UndoForm, _undo),
    "silence": (SilenceForm, _silence),
    "suspend": (SuspendForm, _suspend),
    "lift": (LiftForm, _lift),
}
STAFF_FILTERS = {
    "": Q(),
    "staff": Q(standing=Standing.STAFF),
    "advocates": Q(standing=Standing.ADVOCATE),
    "suspended": Q(suspended_at__isnull=False),
}


@require_GET
@for_keepers
def people(request: HttpRequest) -> HttpResponse:
    words = request.GET.get("q", "").replace("\0", "").strip()[:100]
    who = request.GET.get("who", "")
    if who not in STAFF_FILTERS:
        raise Http404
    found = User.objects.filter(STAFF_FILTERS[who]).exclude(standing=Standing.ERASED)
    if words:
        found = found.filter(Q(name__icontains=words) | Q(username__icontains=words) | Q(email__iexact=words))
        if "@" in words:  # who has this address is then known
            for one in found.filter(email__iexact=words):
                looked_at(one, request.user, "email")
    page = Paginator(
        found.select_related("department").prefetch_related("groups").order_by("name", "pk"), PER_PAGE
    ).get_page(request.GET.get("page"))
    filters = {
        "": _("Everybody"), "staff": _("Staff"), "advocates": _("Advocates"), "suspended": _("Suspended")
    }  # fmt: skip
    return TemplateResponse(
        request, "accounts/admin/people.html", {"page": page, "q": words, "who": who, "filters": filters}
    )


def _person_page(
    request: HttpRequest, person: User, *, bound: tuple[str, forms.Form] | None = None, status: int = 200
) -> HttpResponse:
    role = services.role_of(person)
    role_form = RoleForm(
        auto_id="role_%s",
        initial={"role": role, "department": person.department_id, "lead": person.leads.exists()}
    )  # fmt: skip
    shown: dict[str, forms.Form] = {}
    if request.user.has_perm("accounts.change_user"):  # type: ignore[union-attr]
        shown["role"] = role_form
    if request.user.has_perm("moderation.moderate"):  # type: ignore[union-attr]
        if person.avatar:
            shown["picture"] = PictureForm(auto_id="picture_%s")
        if person.is_active:
            step = services.next_hours(person)
            shown |= {
                "warn": WarnForm(auto_id="warn_%s"),
                "silence": SilenceForm(auto_id="silence_%s", initial={"hours": step or services.LADDER[-1]}),
                "suspend": SuspendForm(auto_id="suspend_%s"),
            }
        else:
            shown["lift"] = LiftForm(auto_id="lift_%s")
    if bound is not None and bound[0] in shown:
        shown[bound[0]] = bound[1]
    titles = {
        "role": (_("Role"), _("Give this role")),
        "warn": (_("Warn"), _("Warn")),
        "picture": (_("Picture"), _("Take the picture away")),
        "silence": (_("Silence"), _("Silence")),
        "suspend": (_("Suspend"), _("Suspend")),
        "lift": (_("Suspended"), _("Lift the suspension")),
    }
    context = {
        "person": person,
        "role": ROLES[role].group if role else "",
        "penalties": person.penalties.select_related("by", "lifted_by", "appeal"),
        "may_moderate": request.user.has_perm("moderation.moderate"),  # type: ignore[union-attr]
        "used_up": person.is_active and services.next_hours(person) is None,
        "is_spammer": not person.is_active and person.spam_acts.filter(undone_at=None).exists(),
        "actions": [(verb, *titles[verb], form) for verb, form in shown.items()],
    }
    return TemplateResponse(request, "accounts/admin/person.html", context, status=status)


@require_GET
@for_keepers
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """What staff know of somebody, and may do about them. Each look is in the audit."""
    found = get_object_or_404(User.objects.select_related("department"), pk=pk)
    looked_at(found, request.user, "account")
    return _person_page(request, found)


@require_POST
@for_keepers
def act(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """Do one thing about a person; what was typed comes back when it can't be done."""
    if verb not in VERBS:
        raise Http404
    subject = get_object_or_404(User.objects.select_related("department"), pk=pk)
    form_class, do = VERBS[verb]
    form, status = form_class(request.POST, auto_id=f"{verb}_%s"), 422
    if form.is_valid():
        try:
            said = do(subject, request.user, form.cleaned_data)  # type: ignore[arg-type]
        except ValidationError as problem:
            for field, errors in getattr(problem, "error_dict", {"": problem.messages}).items():
                form.add_error(field if field in form.fields else None, errors)
        except NotAllowed as problem:
            form.add_error(None, problem.reason)
            messages.error(request, problem.reason)
            status = 403
        except Conflict as problem:
            form.add_error(None, problem.reason)
            status = 409
        else:
            log(instance=subject, action="wagtail.edit", data={"verb": verb})
            messages.success(request, said)
            return HttpResponseRedirect(reverse("keepers:person", args=[pk]), status=303)
    return _person_page(request, subject, bound=(verb, form), status=status)


@hooks.register("register_admin_urls")
def people_urls() -> list[Any]:
    patterns = [
        path("", people, name="people"),
        path("<int:pk>/", person, name="person"),
        path("<int:pk>/<slug:verb>/", act, name="act"),
    ]
    return [path("people/", include((patterns, "keepers"), namespace="keepers"))]


class PeopleItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return not why_not_see_people(request.user)


@hooks.register("register_admin_menu_item")
def people_item() -> MenuItem:
    return PeopleItem(gettext_lazy("People"), reverse("keepers:people"), name="people", icon_name="user", order=70)

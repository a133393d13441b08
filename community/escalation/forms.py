"""The shape of what staff type: actions on a case, and policies."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import formset_factory
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from community.accounts.models import Department, User
from community.questions.models import Kind, State
from products.models import Product

from .models import AgentHours, Escalation, EscalationPolicy, PauseCause
from .policies import STEP_WORDS, check_match, check_steps


def area(rows: int = 3, **attrs: str) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows, "class": "dsk-input", **attrs})


class PlainForm(forms.Form):
    """An action that needs nothing but the press."""


class AssignForm(forms.Form):
    to = forms.ModelChoiceField(User.objects.none(), label=_("To"), widget=forms.Select(attrs={"class": "dsk-input"}))
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, people: list[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["to"]
        field.queryset = User.objects.filter(pk__in=[person.pk for person in people])  # type: ignore[attr-defined]
        field.choices = [("", "…"), *((person.pk, str(person)) for person in people)]  # type: ignore[attr-defined]


class DepartmentForm(forms.Form):
    department = forms.ModelChoiceField(
        Department.objects.none(), label=_("Department"), widget=forms.Select(attrs={"class": "dsk-input"})
    )

    def __init__(self, *args: Any, departments: list[Department], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["department"]
        field.queryset = Department.objects.current()  # type: ignore[attr-defined]
        field.choices = [("", "…"), *((row.pk, str(row)) for row in departments)]  # type: ignore[attr-defined]


class RouteForm(DepartmentForm):
    reason = forms.CharField(label=_("Why"), max_length=500, widget=area(2))


class InfoForm(forms.Form):
    note = forms.CharField(
        label=_("What do you need to know"), max_length=300, widget=area(2), help_text=_("The customer reads this.")
    )


class PauseForm(forms.Form):
    cause = forms.ChoiceField(
        label=_("Because"), choices=PauseCause.choices, widget=forms.Select(attrs={"class": "dsk-input"})
    )
    note = forms.CharField(label=_("Note"), max_length=300, required=False, widget=area(2))


class ResolveForm(forms.Form):
    cause = forms.ChoiceField(
        label=_("How it ended"),
        choices=[(cause.value, cause.label) for cause in Escalation.BY_HAND],
        widget=forms.Select(attrs={"class": "dsk-input"}),
    )
    note = forms.CharField(label=_("Note, staff only"), max_length=500, required=False, widget=area(2))


class ReopenForm(forms.Form):
    reason = forms.CharField(label=_("Why it is open again"), max_length=300, widget=area(2))


class NoteForm(forms.Form):
    body = forms.CharField(label=_("Note, staff only"), max_length=4000, widget=area(3))


class OfficialForm(DepartmentForm):
    body = forms.CharField(label=_("Official answer"), max_length=20_000, widget=area(7))
    sources = forms.CharField(
        label=_("Sources"), required=False, max_length=2000, widget=area(2), help_text=_("One a line; shown to staff.")
    )
    recheck_on = forms.DateField(
        label=_("Look at it again on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date", "class": "dsk-input"}),
    )
    field_order = ("body", "department", "recheck_on", "sources")

    def clean_sources(self) -> list[str]:
        return [line.strip() for line in self.cleaned_data["sources"].splitlines() if line.strip()]


class MarkForm(DepartmentForm):
    answer = forms.IntegerField(widget=forms.HiddenInput)


# Policies


class RungForm(forms.Form):
    hours = forms.FloatField(label=_("After hours"), min_value=0, required=False)
    kind = forms.ChoiceField(
        label=_("What happens"),
        required=False,
        choices=[("", "…"), *((kind.value, kind.label) for kind in STEP_WORDS.values())],
    )
    note = forms.CharField(label=_("Note"), max_length=300, required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if bool(data.get("kind")) != (data.get("hours") is not None):
            raise ValidationError(_("A rung needs both: after how many hours, and what happens."))
        return data


RungFormSet = formset_factory(RungForm, extra=3, max_num=20, validate_max=True)


def _lines(value: str) -> list[str]:
    return [part.strip() for line in value.splitlines() for part in line.split(",") if part.strip()]


class PolicyForm(forms.ModelForm):
    """A policy with its conditions in words and its rungs in rows."""

    kinds = forms.MultipleChoiceField(
        label=_("kinds"), required=False, choices=Kind.choices, widget=forms.CheckboxSelectMultiple
    )
    products = forms.ModelMultipleChoiceField(
        Product.objects.all(), label=_("products"), required=False, to_field_name="slug"
    )
    any_tag = forms.CharField(label=_("any of these tags"), required=False, help_text=_("Separated by commas."))
    any_phrase = forms.CharField(
        label=_("any of these phrases, in problems"), required=False, help_text=_("Separated by commas.")
    )
    me_too_at_least = forms.IntegerField(label=_("reporters, at least"), required=False, min_value=1)
    language_not = forms.CharField(label=_("not in these languages"), required=False, help_text="en, de")
    states = forms.MultipleChoiceField(
        label=_("states"), required=False, choices=State.choices, widget=forms.CheckboxSelectMultiple
    )
    CONDITIONS = {
        "kind": "kinds",
        "product": "products",
        "any_tag": "any_tag",
        "any_phrase": "any_phrase",
        "me_too_at_least": "me_too_at_least",
        "language_not": "language_not",
        "state": "states",
    }

    class Meta:
        model = EscalationPolicy
        fields = [
            "name", "slug", "active", "position", "department", "until", "clock", "acknowledge_hours",
            "resolve_hours", "me_too_skips_at", "start_one_level_up", "asker_sees",
        ]  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["department"].queryset = Department.objects.current()  # type: ignore[attr-defined]
        match = self.instance.match or {}
        for name, field in self.CONDITIONS.items():
            value = match.get(name)
            if value is not None:
                many = field in ("kinds", "products", "states")
                words = value if isinstance(value, list) else [value]
                self.initial.setdefault(
                    field, words if many else value if name == "me_too_at_least" else ", ".join(map(str, words))
                )
        steps = self.instance.steps.all() if self.instance.pk else []
        rungs = [{"hours": step.hours, "kind": step.kind, "note": step.note} for step in steps]
        if self.is_bound:
            # Without what was: a row that stays the same must count as filled, not as untouched.
            self.rungs = RungFormSet(self.data, prefix="rungs")
        else:
            self.rungs = RungFormSet(initial=rungs, prefix="rungs")

    def is_valid(self) -> bool:
        return all([super().is_valid(), self.rungs.is_valid()])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        # Conditions that this form has no field for stay as they are.
        match = {name: value for name, value in (self.instance.match or {}).items() if name not in self.CONDITIONS}
        for name, field in self.CONDITIONS.items():
            value = data.get(field)
            if field == "products":
                value = [product.slug for product in value or []]
            elif isinstance(value, str):
                value = _lines(value)
            if value:
                match[name] = value
        self.instance.match = match
        try:
            check_match(match)
        except ValidationError as problem:
            self.add_error(None, problem.messages[0])
        if self.rungs.is_valid():
            try:
                check_steps(self.steps())
            except ValidationError as problem:
                self.add_error(None, problem.messages[0])
        return data

    def steps(self) -> list[tuple[float, str, str]]:
        """The filled rows, by time; rows of the same hour keep their order."""
        rows = [form.cleaned_data for form in self.rungs if form.cleaned_data.get("kind")]
        return [(row["hours"], row["kind"], row["note"]) for row in rows]


# Shifts

WEEK = [
    ("0", _("Monday")), ("1", _("Tuesday")), ("2", _("Wednesday")), ("3", _("Thursday")), ("4", _("Friday")),
    ("5", _("Saturday")), ("6", _("Sunday")),
]  # fmt: skip


def day_field(label: Any) -> forms.DateField:
    return forms.DateField(label=label, widget=forms.DateInput(attrs={"type": "date", "class": "dsk-input"}))


def person_field(label: Any, people: list[User], empty: Any) -> forms.ModelChoiceField:
    field = forms.ModelChoiceField(
        User.objects.filter(pk__in=[person.pk for person in people]),
        label=label,
        required=False,
        widget=forms.Select(attrs={"class": "dsk-input"}),
    )
    field.choices = [("", empty), *((person.pk, str(person)) for person in people)]
    return field


class AwayForm(forms.Form):
    since = day_field(_("First day"))
    until = day_field(_("Last day"))

    def __init__(self, *args: Any, people: list[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["stand_in"] = person_field(_("Stand-in"), people, _("nobody"))


class HoursForm(forms.Form):
    """A line of times for each day, such as 09:00-13:00, 14:00-18:00."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for day, name in WEEK:
            self.fields[f"day{day}"] = forms.CharField(
                label=name,
                required=False,
                max_length=60,
                widget=forms.TextInput(attrs={"class": "dsk-input", "placeholder": "09:00-13:00"}),
            )

    @staticmethod
    def initial_of(person: User) -> dict[str, str]:
        row = AgentHours.objects.filter(user=person).first()
        days = row.hours if row else {}
        return {f"day{day}": ", ".join(f"{a}-{b}" for a, b in days.get(day, [])) for day, _name in WEEK}

    def hours(self) -> dict[str, list[list[str]]]:
        return {day: self.cleaned_data[f"day{day}"] for day, _name in WEEK}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for day, _name in WEEK:
            spans: list[list[str]] = []
            for part in filter(None, (part.strip() for part in str(data.get(f"day{day}", "")).split(","))):
                opens, dash, closes = (word.strip() for word in part.replace("–", "-").partition("-"))
                if not dash or not opens or not closes:
                    self.add_error(f"day{day}", gettext("Write times as 09:00-13:00, parted by commas."))
                    break
                spans.append([opens.zfill(5), closes.zfill(5)])
            data[f"day{day}"] = spans
        return data


class HandOverForm(forms.Form):
    note = forms.CharField(
        label=_("Note for all of them"), max_length=500, required=False, widget=area(2),
        help_text=_("Staff only. It stands in the history of each case."),
    )  # fmt: skip

    def __init__(self, *args: Any, people: list[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"] = person_field(_("To"), people, _("back to the department"))
        self.order_fields(["to", "note"])

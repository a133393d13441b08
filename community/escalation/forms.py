"""The shape of what staff type: actions on a case, and policies."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import formset_factory
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from community.accounts.models import Department, Standing, User
from community.questions.models import Kind, State
from products.models import Product

from .models import AgentHours, Escalation, EscalationPolicy, PauseCause, Reach
from .policies import STEP_WORDS, Step, check_match, check_routes, check_steps, place_of, steps_of
from .routing import NEWCOMER, WEEKDAYS

AUTHORS = (Standing.MEMBER, Standing.ADVOCATE, Standing.FORMER_ADVOCATE, Standing.STAFF, Standing.FORMER_STAFF)
WEEKDAY_NAMES = (
    _("Monday"),
    _("Tuesday"),
    _("Wednesday"),
    _("Thursday"),
    _("Friday"),
    _("Saturday"),
    _("Sunday"),
)


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
    until = forms.DateField(
        label=_("Look at it again on"),
        required=False,
        widget=forms.DateInput({"type": "date", "class": "dsk-input"}, format="%Y-%m-%d"),
        help_text=_(
            "Left empty, after 3 days for a department, 7 for a part or supplier, 14 in the workshop, 21 for customers."
        ),
    )
    note = forms.CharField(label=_("Note"), max_length=300, required=False, widget=area(2))


class LookForm(forms.Form):
    until = forms.DateField(
        label=_("Look at it again on"),
        widget=forms.DateInput({"type": "date", "class": "dsk-input"}, format="%Y-%m-%d"),
        help_text=_("On that day whoever has the case is told, and it stands among what needs attention."),
    )


class ResolveForm(forms.Form):
    cause = forms.ChoiceField(
        label=_("How it ended"),
        choices=[("", "…"), *((cause.value, cause.label) for cause in Escalation.BY_HAND)],
        error_messages={"required": _("Say how it ended.")},
        widget=forms.Select(attrs={"class": "dsk-input"}),
    )
    note = forms.CharField(label=_("Note, staff only"), max_length=500, required=False, widget=area(2))


class ReopenForm(forms.Form):
    reason = forms.CharField(
        label=_("Why it is open again"),
        max_length=300,
        widget=area(2),
        help_text=_("If the thread was solved or closed, whoever asked and whoever follows it reads this."),
    )


class NoteForm(forms.Form):
    body = forms.CharField(label=_("Note, staff only"), max_length=4000, widget=area(3))


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
    channel = forms.ChoiceField(label=_("How"), required=False, choices=Reach.choices)
    note = forms.CharField(label=_("Note"), max_length=300, required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "kind" not in self.errors and "hours" not in self.errors:
            if data.get("kind") and data.get("hours") is None:
                self.add_error("hours", _("After how many hours does this happen?"))
            elif data.get("hours") is not None and not data.get("kind"):
                self.add_error("kind", _("What happens after these hours?"))
        return data


RungFormSet = formset_factory(RungForm, extra=3, max_num=20, validate_max=True)


def _lines(value: str) -> list[str]:
    return [part.strip() for line in value.splitlines() for part in line.split(",") if part.strip()]


def _few(**attrs: Any) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": 2, **attrs})


class PolicyForm(forms.ModelForm):
    """A policy with its conditions in words and its rungs in rows. What is wrong stands beside where it was typed."""

    kinds = forms.MultipleChoiceField(
        label=_("kinds"), required=False, choices=Kind.choices, widget=forms.CheckboxSelectMultiple
    )
    products = forms.ModelMultipleChoiceField(
        Product.objects.all(), label=_("products"), required=False, to_field_name="slug"
    )
    any_tag = forms.CharField(
        label=_("any of these tags"), required=False, widget=_few(), help_text=_("Separated by commas.")
    )
    any_phrase = forms.CharField(
        label=_("any of these phrases, in problems"), required=False, widget=_few(), help_text=_("Separated by commas.")
    )
    sentiment_at_most = forms.FloatField(
        label=_("sounds at most"),
        required=False,
        min_value=-1,
        max_value=1,
        help_text=_(
            "From -1, bitter, to 1, glad; -0.6 finds angry posts in English and German. Posts in other languages have "
            "no figure and are not taken."
        ),
    )
    me_too_at_least = forms.IntegerField(label=_("reporters, at least"), required=False, min_value=1)
    standing = forms.MultipleChoiceField(
        label=_("the author is"),
        required=False,
        choices=[(NEWCOMER, _("Newcomer")), *((one.value, one.label) for one in AUTHORS)],
        widget=forms.CheckboxSelectMultiple,
    )
    language_not = forms.CharField(label=_("not in these languages"), required=False, help_text="en, de")
    states = forms.MultipleChoiceField(
        label=_("states"), required=False, choices=State.choices, widget=forms.CheckboxSelectMultiple
    )
    weekdays = forms.MultipleChoiceField(
        label=_("written on"),
        required=False,
        choices=list(zip(WEEKDAYS, WEEKDAY_NAMES, strict=True)),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("In UTC."),
    )
    routes = forms.CharField(
        label=_("departments by tag"),
        required=False,
        widget=_few(),
        help_text=_("One a line, tag and short name of the department: refund: pricing"),
    )
    CONDITIONS = {
        "kind": "kinds",
        "product": "products",
        "any_tag": "any_tag",
        "any_phrase": "any_phrase",
        "sentiment_at_most": "sentiment_at_most",
        "me_too_at_least": "me_too_at_least",
        "standing": "standing",
        "language_not": "language_not",
        "state": "states",
        "weekday": "weekdays",
    }
    CHOSEN = ("kinds", "products", "standing", "states", "weekdays")
    NUMBERS = ("me_too_at_least", "sentiment_at_most")
    # Where the service complains of what this form shows under another name.
    SHOWN_AS = {"match": "kinds", "route_by_tag": "routes"}

    class Meta:
        model = EscalationPolicy
        fields = [
            "name", "slug", "active", "position", "department", "until", "clock", "acknowledge_hours",
            "resolve_hours", "me_too_skips_at", "start_one_level_up", "asker_sees",
        ]  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["department"].queryset = Department.objects.current()  # type: ignore[attr-defined]
        for one in self.fields.values():
            one.label = capfirst(one.label)  # beside Wagtail's own, which begin so
        match = self.instance.match or {}
        for name, field in self.CONDITIONS.items():
            value = match.get(name)
            if value is not None:
                words = value if isinstance(value, list) else [value]
                shown = words if field in self.CHOSEN else value if name in self.NUMBERS else ", ".join(map(str, words))
                self.initial.setdefault(field, shown)
        routes = self.instance.route_by_tag or {}
        self.initial.setdefault("routes", "\n".join(f"{tag}: {slug}" for tag, slug in routes.items()))
        steps = steps_of(self.instance) if self.instance.pk else []
        rungs = [dict(zip(("hours", "kind", "note", "channel"), step, strict=True)) for step in steps]
        if self.is_bound:
            # Without what was: a row that stays the same must count as filled, not as untouched.
            self.rungs = RungFormSet(self.data, prefix="rungs")
        else:
            self.rungs = RungFormSet(initial=self.initial.pop("rungs", rungs), prefix="rungs")

    def is_valid(self) -> bool:
        return all([super().is_valid(), self.rungs.is_valid()]) and not self.has_complaints

    @property
    def has_complaints(self) -> bool:
        return bool(self.errors) or any(rung.errors for rung in self.rungs)

    def clean_routes(self) -> dict[str, str]:
        routes: dict[str, str] = {}
        for line in self.cleaned_data["routes"].splitlines():
            tag, colon, slug = line.rpartition(":")
            if not line.strip():
                continue
            if not colon or not tag.strip() or not slug.strip():
                raise ValidationError(_("Write a tag and a department, such as refund: pricing"))
            routes[tag.strip()] = slug.strip()
        return routes

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
            if value or (name in self.NUMBERS and value is not None):
                match[name] = value
        self.instance.match, self.instance.route_by_tag = match, data.get("routes") or {}
        rungs_are_well = self.rungs.is_valid()
        checks = [lambda: check_match(match), lambda: check_routes(self.instance.route_by_tag)]
        if rungs_are_well:
            checks.append(lambda: check_steps(self.steps()))
        for check in checks:
            try:
                check()
            except ValidationError as problem:
                self.complain(problem)
        return data

    def complain(self, problem: ValidationError) -> None:
        """Put what a service found wrong beside the field, the condition or the rung it is about."""
        by_field = getattr(problem, "error_dict", None) or {"": problem.error_list}
        for field, found in by_field.items():
            for one in found:
                place = place_of(one)
                if field == "steps" and place.isdigit() and int(place) < len(self.filled):
                    self.filled[int(place)].add_error("kind", one.message)
                elif field == "match" and place in self.CONDITIONS:
                    self.add_error(self.CONDITIONS[place], one.message)
                else:
                    field = self.SHOWN_AS.get(field, field)
                    self.add_error(field if field in self.fields else None, one.message)

    @property
    def filled(self) -> list[Any]:
        return [form for form in self.rungs if getattr(form, "cleaned_data", {}).get("kind")]

    def steps(self) -> list[Step]:
        """The filled rows as they stand."""
        rows = [form.cleaned_data for form in self.filled]
        return [(row["hours"], row["kind"], row["note"], row["channel"] or Reach.OWN.value) for row in rows]


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


BACK = "department"


class HandOverForm(forms.Form):
    note = forms.CharField(
        label=_("Note for all of them"), max_length=500, required=False, widget=area(2),
        help_text=_("Staff only. It stands in the history of each case."),
    )  # fmt: skip

    def __init__(self, *args: Any, people: list[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people = {str(person.pk): person for person in people}
        self.fields["to"] = forms.ChoiceField(
            label=_("To"),
            choices=[
                ("", "…"),
                (BACK, _("back to the department")),
                *((pk, str(one)) for pk, one in self.people.items()),
            ],
            widget=forms.Select(attrs={"class": "dsk-input"}),
            error_messages={"required": _("Choose to whom.")},
        )
        self.order_fields(["to", "note"])

    def clean_to(self) -> User | None:
        """The colleague; None for the department."""
        return self.people.get(self.cleaned_data["to"])

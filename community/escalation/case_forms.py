"""The shape of what an agent types at a case beyond the plain acts: answers, promises, hand-offs, known issues."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils import formats
from django.utils.translation import gettext_lazy as _

from community.accounts.models import Department
from community.core import clock
from community.questions.models import Kind

from . import promises, replies
from .clock import zone
from .forms import DepartmentForm, area
from .models import Channel, SavedReply


def moment_input() -> forms.DateTimeInput:
    return forms.DateTimeInput(attrs={"type": "datetime-local", "class": "dsk-input"}, format="%Y-%m-%dT%H:%M")


def select() -> forms.Select:
    return forms.Select(attrs={"class": "dsk-input"})


class Zoned(forms.Form):
    """Moments are typed in the zone of the page, the department's, not in the server's."""

    def __init__(self, *args: Any, tz: ZoneInfo | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tz = tz or zone("UTC")

    def in_zone(self, name: str) -> datetime | None:
        typed: datetime | None = self.cleaned_data[name]
        return typed.replace(tzinfo=self.tz) if typed else None


class OfficialForm(Zoned, DepartmentForm):
    body = forms.CharField(
        label=_("Official answer"), max_length=20_000, widget=area(7, **{"data-claims": "", "data-draft": ""})
    )
    reply = forms.IntegerField(required=False, widget=forms.HiddenInput(attrs={"data-reply": ""}))
    promise_on = forms.DateTimeField(
        label=_("Promised for"),
        required=False,
        widget=moment_input(),
        help_text=_("If the answer says what will be done by a day: the register keeps it."),
    )
    no_promise = forms.BooleanField(label=_("The day in the text is no promise"), required=False)
    sources = forms.CharField(
        label=_("Sources"), required=False, max_length=2000, widget=area(2), help_text=_("One a line; shown to staff.")
    )
    recheck_on = forms.DateField(
        label=_("Look at it again on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date", "class": "dsk-input"}),
    )
    threads = forms.TypedMultipleChoiceField(required=False, coerce=int, widget=forms.MultipleHiddenInput)
    field_order = (
        "body", "reply", "promise_on", "no_promise", "department", "recheck_on", "sources", "threads",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_bound:
            del self.fields["no_promise"]  # asked where a text names a day, and only there
            del self.fields["threads"]
            return
        chosen = self.data.getlist("threads") if hasattr(self.data, "getlist") else []  # type: ignore[union-attr]
        # Which of them may be answered is the service's to say; here they need only be ids.
        ids = [pk for pk in chosen if pk.isdecimal() and len(pk) < 10]
        self.fields["threads"].choices = [(int(pk), pk) for pk in ids]  # type: ignore[attr-defined]

    def clean_promise_on(self) -> datetime | None:
        return self.in_zone("promise_on")

    def clean_sources(self) -> list[str]:
        return [line.strip() for line in self.cleaned_data["sources"].splitlines() if line.strip()]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        body = data.get("body", "")
        reply = SavedReply.objects.filter(pk=data["reply"]).first() if data.get("reply") else None
        if left := replies.gaps(body, reply):
            self.add_error("body", _("Still to be put in: %(gaps)s.") % {"gaps": ", ".join(f"[{gap}]" for gap in left)})
        day = promises.day_named(body, clock.now().astimezone(self.tz).date())
        if day and not data.get("promise_on") and "promise_on" not in self.errors and not data.get("no_promise"):
            said = _("The text names a day, %(day)s. Is it a promise? Say by when, or that it is none.")
            self.add_error("promise_on", said % {"day": formats.date_format(day, "DATE_FORMAT")})
        return data


class PromiseForm(Zoned):
    text = forms.CharField(label=_("What is promised"), max_length=300, widget=area(2, **{"data-claims": ""}))
    due_at = forms.DateTimeField(
        label=_("By when"), widget=moment_input(), help_text=_("The customer sees both under the question.")
    )

    def clean_due_at(self) -> datetime | None:
        return self.in_zone("due_at")


class MoveForm(Zoned):
    promise = forms.IntegerField(widget=forms.HiddenInput)
    due_at = forms.DateTimeField(label=_("New day"), widget=moment_input())
    why = forms.CharField(label=_("Why"), max_length=500, widget=area(2), help_text=_("The customer reads this."))

    def clean_due_at(self) -> datetime | None:
        return self.in_zone("due_at")


class KeepForm(forms.Form):
    promise = forms.IntegerField(widget=forms.HiddenInput)


class HandOffForm(forms.Form):
    channel = forms.ModelChoiceField(Channel.objects.none(), label=_("To"), widget=select())
    note = forms.CharField(
        label=_("What is to be done"),
        max_length=2000,
        required=False,
        widget=area(3, **{"data-claims": ""}),
        help_text=_("The whole thread goes with it, so that the customer need not say it again."),
    )
    with_private = forms.BooleanField(
        label=_("Send the private details, too (by mail only; it is written down)"), required=False
    )

    def __init__(self, *args: Any, channels: list[Channel], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["channel"]
        field.queryset = Channel.objects.filter(pk__in=[row.pk for row in channels])  # type: ignore[attr-defined]
        field.choices = [("", "…"), *((row.pk, f"{row.name} ({row.get_kind_display()})") for row in channels)]  # type: ignore[attr-defined]


class OutcomeForm(forms.Form):
    hand_off = forms.IntegerField(widget=forms.HiddenInput)
    outcome = forms.CharField(
        label=_("What came of it"), max_length=500, widget=area(3), help_text=_("Posted under the question.")
    )
    note = forms.CharField(label=_("Note, staff only"), required=False, max_length=2000, widget=area(2))


class HandOffIdForm(forms.Form):
    hand_off = forms.IntegerField(widget=forms.HiddenInput)


class IncidentForm(forms.Form):
    """A known issue there is, or a new one."""

    known = forms.ChoiceField(label=_("Known issue"), required=False, widget=select())
    title = forms.CharField(
        label=_("Headline of a new one"),
        required=False,
        max_length=160,
        widget=forms.TextInput(attrs={"class": "dsk-input"}),
    )
    text = forms.CharField(
        label=_("What owners can do now"),
        required=False,
        max_length=2000,
        widget=area(3),
        help_text=_("Shown on the product's page and where people ask; owners are told."),
    )

    def __init__(self, *args: Any, known: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["known"].choices = [("", _("A new one")), *((title, title) for title in known)]  # type: ignore[attr-defined]


class SolveForm(forms.Form):
    solution = forms.CharField(
        label=_("What solves it"),
        max_length=8000,
        widget=area(5),
        help_text=_("Every open thread gets this as an official answer, and everybody who asked hears of it."),
    )


class UpdateForm(forms.Form):
    text = forms.CharField(label=_("What is new"), max_length=500, widget=area(2))


class ReplyForm(forms.ModelForm):
    kinds = forms.MultipleChoiceField(
        label=_("kinds of thread"),
        required=False,
        choices=Kind.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None chosen: for all of them."),
    )

    class Meta:
        model = SavedReply
        fields = ["title", "slug", "language", "body", "departments", "kinds", "makes_promise", "active", "position"]
        widgets = {"departments": forms.CheckboxSelectMultiple, "body": forms.Textarea(attrs={"rows": 12})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["departments"].queryset = Department.objects.current()  # type: ignore[attr-defined]
        self.fields["body"].help_text = _(
            "{Names in braces} are filled in: %(names)s. [Words in brackets] have to be replaced by hand."
        ) % {"names": ", ".join(f"{{{name}}}" for name in replies.VARIABLES)}

    def clean_body(self) -> str:
        body: str = self.cleaned_data["body"]
        if unknown := replies.unknown_variables(body):
            raise ValidationError(
                _("Nothing is known as %(names)s.") % {"names": ", ".join(f"{{{name}}}" for name in unknown)}
            )
        return body


class ChannelForm(forms.ModelForm):
    class Meta:
        model = Channel
        fields = ["name", "slug", "kind", "address", "url", "departments", "active"]
        widgets = {"departments": forms.CheckboxSelectMultiple}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["departments"].queryset = Department.objects.current()  # type: ignore[attr-defined]

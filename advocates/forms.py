"""Shapes of what advocates, applicants and judges send."""

from datetime import UTC, datetime, time
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from community.accounts.models import User
from products.models import Product

from .gratitude import LONGEST
from .models import AdvocateMembership, Interest
from .programme import LONGEST_MOTIVATION, SHORTEST_MOTIVATION


class ApplyForm(forms.Form):
    products = forms.ModelMultipleChoiceField(
        label=_("Which products would you answer for?"), queryset=Product.objects.none(),
        widget=forms.CheckboxSelectMultiple, help_text=_("At most three. Each has its own questions in the trial."),
    )  # fmt: skip
    motivation = forms.CharField(
        label=_("Why you, and why these?"), max_length=LONGEST_MOTIVATION, min_length=SHORTEST_MOTIVATION,
        error_messages={"min_length": _("Tell us in a sentence or two (40 characters at least).")},
        widget=forms.Textarea(attrs={"rows": 5, "class": "textarea"}),
        help_text=_("A few sentences. Only those who run the programme read them."),
    )  # fmt: skip
    code = forms.IntegerField(widget=forms.HiddenInput)
    accepts = forms.BooleanField(label=_("I have read the code of conduct and will keep it"))

    def __init__(self, *args: Any, choices: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["products"].queryset = choices  # type: ignore[attr-defined]


class AwayForm(forms.Form):
    until = forms.DateField(
        label=_("Until"), required=False, widget=forms.DateInput(attrs={"type": "date", "class": "input"}),
        help_text=_("The first day you are back. Empty: until you say so."),
    )  # fmt: skip
    note = forms.CharField(
        label=_("A line for others"), required=False, max_length=200, widget=forms.TextInput(attrs={"class": "input"})
    )
    stand_in = forms.ModelChoiceField(
        label=_("Who stands in for you"), queryset=User.objects.none(), required=False,
        widget=forms.Select(attrs={"class": "select"}),
        help_text=_("They get the open questions you were asked about. Ask them first."),
    )  # fmt: skip

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        here = AdvocateMembership.objects.here().exclude(user=user).values("user")
        self.fields["stand_in"].queryset = User.objects.filter(pk__in=here).order_by("name")  # type: ignore[attr-defined]

    def clean_until(self) -> datetime | None:
        day = self.cleaned_data["until"]
        return datetime.combine(day, time.min, UTC) if day else None


class TieForm(forms.Form):
    kind = forms.ChoiceField(
        label=_("What ties you to us?"), choices=Interest.Kind.choices, widget=forms.Select(attrs={"class": "select"})
    )
    line = forms.CharField(
        label=_("In a line, as it will be printed"), max_length=200, widget=forms.TextInput(attrs={"class": "input"}),
        help_text=_("For example: “Given a grinder for testing in May 2023.”"),
    )  # fmt: skip
    since = forms.DateField(label=_("Since"), widget=forms.DateInput(attrs={"type": "date", "class": "input"}))
    until = forms.DateField(
        label=_("Until"), required=False, widget=forms.DateInput(attrs={"type": "date", "class": "input"}),
        help_text=_("Empty: it lasts. What you wrote in that time keeps the line."),
    )  # fmt: skip


class ThanksForm(forms.Form):
    words = forms.CharField(
        label=_("Your thanks"), max_length=LONGEST, widget=forms.Textarea(attrs={"rows": 3, "class": "textarea"})
    )
    show = forms.BooleanField(
        label=_("Others may read it"), required=False,
        help_text=_("It is shown only if whoever answered likes that, too."),
    )  # fmt: skip

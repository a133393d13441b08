from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from community.accounts.models import User


class LeaveForm(forms.Form):
    words = forms.ChoiceField(
        label=gettext_lazy("What you wrote"),
        widget=forms.RadioSelect,
        initial="stay",
        choices=[
            ("stay", gettext_lazy("stays, signed “Former member”")),
            ("go", gettext_lazy("goes, too")),
        ],
        help_text=gettext_lazy(
            "Others lean on answers. A question that others answered keeps its title either way, without your text."
        ),
    )
    sure = forms.BooleanField(
        label=gettext_lazy("I know that this can't be undone after two weeks."),
        error_messages={"required": gettext_lazy("Please say that you know.")},
    )


class EraseForm(forms.Form):
    """For somebody who asked by letter or on the telephone; the second look asks for the user name."""

    reason = forms.CharField(
        label=gettext_lazy("how they asked, and how you know who it was"),
        max_length=500,
        widget=forms.Textarea({"rows": 3}),
        help_text=gettext_lazy("It is kept with your name in the log. Leave out what names them."),
    )
    words = forms.ChoiceField(
        label=gettext_lazy("what they wrote"), initial="stay", choices=LeaveForm.base_fields["words"].choices
    )


class CallOffForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("how they said so, and how you know who it was"),
        max_length=500,
        widget=forms.Textarea({"rows": 3}),
        help_text=gettext_lazy("It is kept with your name in the log. Leave out what names them."),
    )


class JoinForm(forms.Form):
    """Which other account goes into this one."""

    gone = forms.CharField(
        label=gettext_lazy("user name of the account that goes"),
        max_length=40,
        help_text=gettext_lazy("Its name will lead to the account that stays, and so will its mail addresses."),
    )
    reason = forms.CharField(
        label=gettext_lazy("how you know that it is one person"),
        max_length=500,
        widget=forms.Textarea({"rows": 2}),
        help_text=gettext_lazy("It is kept with your name in the log."),
    )

    def clean_gone(self) -> Any:
        person = User.objects.filter(username=self.cleaned_data["gone"].strip().lower().lstrip("@")).first()
        if person is None:
            raise ValidationError(_("Nobody has this user name."))
        return person

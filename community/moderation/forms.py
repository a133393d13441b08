"""What moderators write."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from . import words
from .models import WatchedWord


class DecideForm(forms.Form):
    """What is done about a post. Hiding needs a reason; its author reads it."""

    act = forms.ChoiceField(
        choices=[
            ("hide", "hide"),
            ("keep", "keep"),
            ("approve", "approve"),
            ("restore", "restore"),
            ("delete", "delete"),
        ]
    )
    reason = forms.CharField(max_length=300, required=False, strip=True)
    seen = forms.CharField(max_length=20, required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("act") in ("hide", "delete") and not data.get("reason"):
            self.add_error("reason", _("Say why; its author will read it."))
        if data.get("act") == "restore" and not data.get("reason"):
            self.add_error("reason", _("Say why it is shown again; it stands in the log."))
        return data


class SpammerForm(forms.Form):
    reason = forms.CharField(max_length=300, strip=True, widget=forms.Textarea({"rows": 2}))


class WordForm(forms.ModelForm):
    class Meta:
        model = WatchedWord
        fields = ("pattern", "act", "address", "note")

    def clean_pattern(self) -> str:
        try:
            words.parts(self.cleaned_data["pattern"])
        except ValidationError as problem:
            raise ValidationError(problem.messages) from None
        return " ".join(self.cleaned_data["pattern"].split())

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("act") == WatchedWord.Act.LINK:
            if not data.get("address", "").startswith(("/", "https://")):
                self.add_error("address", _("Say where the link leads: /… here, or https://…"))
            if "*" in data.get("pattern", ""):
                self.add_error("pattern", _("A word that becomes a link has no stars."))
        return data

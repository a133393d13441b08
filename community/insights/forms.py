"""What can be asked of the figures, and what goes into cost and return."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from . import roi


class InputsForm(forms.Form):
    """Each input with its source beside it. What is wrong is the service's to say, at the field."""

    def __init__(self, *args: Any, inputs: dict[str, roi.Given], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, row in inputs.items():
            self.fields[f"{name}-value"] = forms.CharField(
                label=row.named.label, initial=row.words, required=False, max_length=20, show_hidden_initial=True,
                widget=forms.TextInput(attrs={"inputmode": "decimal", "class": "dsk-input"}),
            )  # fmt: skip
            self.fields[f"{name}-source"] = forms.CharField(
                label=_("Where it comes from"), initial=row.source, required=False, max_length=200,
                show_hidden_initial=True, widget=forms.TextInput(attrs={"class": "dsk-input"}),
            )  # fmt: skip

    def pairs(self) -> list[tuple[roi.Named, forms.BoundField, forms.BoundField]]:
        return [(named, self[f"{name}-value"], self[f"{name}-source"]) for name, named in roi.INPUTS.items()]

    def values(self) -> dict[str, tuple[str, str]]:
        """What was changed on the page that was open, with its source: the rest may have been changed elsewhere."""
        touched = set(self.changed_data)
        return {
            name: (self.cleaned_data[f"{name}-value"], self.cleaned_data[f"{name}-source"])
            for name in roi.INPUTS
            if touched & {f"{name}-value", f"{name}-source"}
        }

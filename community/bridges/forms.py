"""The shape of an offer."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from community.accounts.models import Department
from community.questions.models import Thread

from .services import LONGEST_NOTE


class NoteForm(forms.Form):
    note = forms.CharField(
        label=_("To the author"),
        required=False,
        max_length=LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Why you offer it, and what happens next, in friendly words."),
    )


class ProposeForm(NoteForm):
    """A moderator's: which words are not about the product, and who would deal with them."""

    passage = forms.CharField(
        label=_("The passage"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Copy word for word what is not about the product. Its author sees it marked."),
    )
    department = forms.ModelChoiceField(
        label=_("Who would deal with it"),
        queryset=Department.objects.none(),
        required=False,
        empty_label=_("Whoever answers for it by our rules"),
    )
    field_order = ["passage", "department", "note"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["department"].queryset = Department.objects.current()


class FixForm(NoteForm):
    """An agent's: for which department, and whether there is an open thread about the same."""

    department = forms.ModelChoiceField(
        label=_("You offer it for"), queryset=Department.objects.none(), empty_label=None
    )
    thread = forms.CharField(
        label=_("An open thread about the same"),
        required=False,
        max_length=300,
        help_text=_("Its address, if there is one: the author joins it then. Otherwise a new one is made."),
    )
    field_order = ["department", "note", "thread"]

    def __init__(self, *args: Any, departments: list[Department], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["department"].queryset = Department.objects.filter(pk__in=[one.pk for one in departments])

    def clean_thread(self) -> Thread | None:
        address = self.cleaned_data["thread"].strip()
        if not address:
            return None
        found = re.search(r"/questions/(\d{1,15})(?:/|$)", address)
        thread = Thread.objects.visible().filter(pk=found[1]).first() if found else None
        if thread is None:
            raise forms.ValidationError(_("There is no thread at this address."))
        return thread

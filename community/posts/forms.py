from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from community.moderation import services as moderation
from community.moderation.models import Flag, ProfileReport

from .doors import Trap
from .models import Comment


class CommentForm(Trap):
    asks_again = False  # the box stands on many pages, some of them open for days

    body = forms.CharField(
        label=_("Your comment"),
        max_length=Comment.LONGEST,
        widget=forms.Textarea(attrs={"rows": 3, "class": "textarea textarea--s"}),
    )

    def clean(self) -> None:
        super().clean()
        self.check_trap()


class FlagForm(forms.Form):
    reason = forms.ChoiceField(label=_("What is wrong with it?"), choices=Flag.Reason.choices, widget=forms.RadioSelect)
    note = forms.CharField(
        label=_("What should the moderator know?"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class ReportForm(FlagForm):
    reason = forms.ChoiceField(
        label=_("What is wrong with it?"), choices=ProfileReport.Reason.choices, widget=forms.RadioSelect
    )


class HideForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        help_text=_("Its author reads this, word for word."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class AppealForm(forms.Form):
    words = forms.CharField(
        label=_("Why it should stay"),
        max_length=moderation.LONGEST_APPEAL,
        help_text=_("Another moderator than the one who hid it reads this and decides. Once for each time."),
        widget=forms.Textarea(attrs={"rows": 5}),
    )


class PenaltyAppealForm(forms.Form):
    words = forms.CharField(
        label=_("Why it is wrong"),
        max_length=moderation.LONGEST_APPEAL,
        help_text=_("Another moderator than the one who decided reads this. You can appeal once."),
        widget=forms.Textarea(attrs={"rows": 6}),
    )


class RestoreForm(forms.Form):
    """What is shown again needs a reason for the log; what is let through, or taken back by its author, needs none."""

    reason = forms.CharField(label=_("Reason"), required=False, max_length=300)

    def __init__(self, *args: Any, needed: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if needed:
            self.fields["reason"].required = True
            self.fields["reason"].help_text = _("It stands in the log, and its author reads it.")

"""The shape of what people send in: a review, a second look, a refusal."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from community.posts.doors import Trap
from products.models import Product

from .models import Disclosure, RefusalCode, Review
from .services import LONGEST_SIDE, LONGEST_TITLE, OLDEST_MONTHS

STARS = [
    (5, _("Excellent")),
    (4, _("Good")),
    (3, _("All right")),
    (2, _("Poor")),
    (1, _("Bad")),
]
YES_NO = [("", _("I'd rather not say")), ("yes", _("Yes")), ("no", _("No"))]
SAID = {"yes": True, "no": False}


class StarsField(forms.TypedChoiceField):
    """One to five as radio buttons with names: works by keyboard and by touch, and without a script."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("label", _("Stars"))
        options.setdefault("error_messages", {"required": _("Choose one to five stars.")})
        super().__init__(choices=STARS, coerce=int, empty_value=None, widget=forms.RadioSelect, **options)


class YesNoField(forms.TypedChoiceField):
    def __init__(self, **options: Any) -> None:
        super().__init__(
            choices=YES_NO, coerce=SAID.get, empty_value=None, required=False, widget=forms.RadioSelect, **options
        )


class ReviewForm(Trap):
    stars = StarsField()
    title = forms.CharField(label=_("Title"), max_length=LONGEST_TITLE, help_text=_("The one thing, in a few words."))
    body = forms.CharField(
        label=_("Your review"),
        widget=forms.Textarea,
        help_text=_("How do you use it, and what would you tell a friend who wants one?"),
    )
    did_well = forms.CharField(
        label=_("What did we do well"),
        max_length=LONGEST_SIDE,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    could_be_better = forms.CharField(
        label=_("What could be better"),
        max_length=LONGEST_SIDE,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    would_recommend = YesNoField(label=_("Would you recommend it"))
    owned_months = forms.IntegerField(
        label=_("How many months have you owned it"),
        min_value=0,
        max_value=OLDEST_MONTHS,
        required=False,
        help_text=_("0 for the first weeks."),
    )
    disclosure = forms.ChoiceField(
        label=_("How did you come by it"),
        choices=Disclosure,
        initial=Disclosure.BOUGHT,
        widget=forms.RadioSelect,
        help_text=_("It is printed beside your review. Reviews by employees and families are shown, not averaged."),
    )

    def __init__(self, *args: Any, product: Product, review: Review | None = None, **options: Any) -> None:
        if review is not None:
            options.setdefault("initial", self.told(review))
        super().__init__(*args, **options)
        self.ratings = []
        for rating in product.family.ratings:
            name = f"rating_{rating['slug']}"
            self.fields[name] = forms.TypedChoiceField(
                label=rating["name"],
                choices=[("", "–"), *((n, str(n)) for n in range(1, 6))],
                coerce=int,
                empty_value=None,
                required=False,
            )
            self.ratings.append((rating["slug"], name))

    @staticmethod
    def told(review: Review) -> dict[str, Any]:
        said = {True: "yes", False: "no", None: ""}
        return {
            "stars": review.stars,
            "title": review.title,
            "body": review.body_source,
            "did_well": review.did_well,
            "could_be_better": review.could_be_better,
            "would_recommend": said[review.would_recommend],
            "owned_months": review.owned_months,
            "disclosure": review.disclosure,
            **{f"rating_{slug}": value for slug, value in review.secondary.items()},
        }

    def clean(self) -> dict[str, Any]:
        self.check_trap()
        return self.cleaned_data

    @property
    def rating_fields(self) -> list[forms.BoundField]:
        return [self[name] for _slug, name in self.ratings]

    def told_fields(self) -> dict[str, Any]:
        """What the service takes."""
        data = {name: value for name, value in self.cleaned_data.items() if name not in ("website", "started")}
        given = {slug: data.pop(name) for slug, name in self.ratings}
        return {**data, "secondary": {slug: value for slug, value in given.items() if value}}


class ChapterForm(forms.Form):
    stars = StarsField(label=_("Stars today"))
    months_owned = forms.IntegerField(
        label=_("After how many months"), min_value=0, max_value=OLDEST_MONTHS, help_text=_("0 for the first week.")
    )
    body = forms.CharField(
        label=_("How has it been since"),
        widget=forms.Textarea,
        help_text=_("What held, what broke, what you would do differently."),
    )
    still_in_use = YesNoField(label=_("Do you still use it"))


class RefusalForm(forms.Form):
    code = forms.ChoiceField(
        label=_("Why it can't stay as it is"),
        choices=[("", _("Choose")), *RefusalCode.choices],
        help_text=_("Few stars are no reason; there is no code for them."),
    )
    passage = forms.CharField(
        label=_("The passage"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Copy it word for word. Its author sees it marked."),
    )
    note = forms.CharField(
        label=_("To the author"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What to change, in friendly words."),
    )


class AppealForm(forms.Form):
    words = forms.CharField(label=_("Why it should stay as it is"), widget=forms.Textarea(attrs={"rows": 4}))


class ResponseForm(forms.Form):
    department = forms.CharField()
    body = forms.CharField(label=_("Answer"), widget=forms.Textarea(attrs={"rows": 4}), max_length=4000)

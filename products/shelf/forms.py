"""What people say about their shelf, and staff about the shelves of others."""

from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from community.core.spoken import other_languages
from community.core.spoken_forms import field_name
from products.models import OwnerAlert, Product, Version
from products.services import LONGEST_SERIAL

from .alerts import LONGEST_TEXT, LONGEST_TITLE
from .codes import MOST


class DayField(forms.DateField):
    def __init__(self, **options: Any) -> None:
        widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        super().__init__(widget=widget, required=False, **options)


class AddForm(forms.Form):
    product = forms.ModelChoiceField(
        label=_("Which one"), queryset=Product.objects.none(), to_field_name="slug", empty_label=_("Choose")
    )
    bought_on = DayField(label=_("Bought on"), help_text=_("About is good enough. Leave it empty if you don't know."))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["product"].queryset = Product.objects.exclude(  # type: ignore[attr-defined]
            lifecycle=Product.Lifecycle.ANNOUNCED
        )


class CodeForm(forms.Form):
    code = forms.CharField(
        label=_("Code from the box or the receipt"),
        max_length=60,
        help_text=_("It makes you a verified owner. Spaces, dashes and small letters don't matter."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )


class UnitForm(forms.Form):
    version = forms.ModelChoiceField(
        label=_("Series or firmware"),
        queryset=Version.objects.none(),
        required=False,
        empty_label=_("I don't know"),
        help_text=_("Then only what concerns yours reaches you, and questions fill themselves in."),
    )
    bought_on = DayField(label=_("Bought on"))
    serial = forms.CharField(
        label=_("Serial number"),
        max_length=LONGEST_SERIAL,
        required=False,
        help_text=_("On the label of the machine. Nobody but you and our support sees it."),
    )

    def __init__(self, *args: Any, product: Product, **options: Any) -> None:
        super().__init__(*args, **options)
        versions = product.versions.all()
        self.fields["version"].queryset = versions  # type: ignore[attr-defined]
        if not versions:
            self.fields["version"].widget = forms.HiddenInput()


class BatchForm(forms.Form):
    product = forms.ModelChoiceField(
        label=_("For"), queryset=Product.objects.all(), to_field_name="slug", empty_label=_("Choose")
    )
    count = forms.IntegerField(label=_("How many"), min_value=1, max_value=MOST, initial=100)
    note = forms.CharField(label=_("What for"), max_length=120, required=False)


class VerifyForm(forms.Form):
    product = forms.ModelChoiceField(
        label=_("Product"), queryset=Product.objects.all(), to_field_name="slug", empty_label=_("Choose")
    )
    verified = forms.BooleanField(required=False)
    reason = forms.CharField(label=_("What you saw"), max_length=300)


class WordsForm(forms.Form):
    """A known issue in words, in each language of the site."""

    title = forms.CharField(label=_("Headline"), max_length=LONGEST_TITLE)
    text = forms.CharField(
        label=_("What owners can do now"), max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 4})
    )
    url = forms.CharField(
        label=_("Where more stands"),
        max_length=300,
        required=False,
        help_text=_("An address of this site, such as /help/…; without one it leads to the product."),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for code, called in other_languages():
            self.fields[field_name(code, "title")] = forms.CharField(
                label=format_lazy("{column} ({language})", column=_("Headline"), language=called),
                max_length=LONGEST_TITLE,
                required=False,
                help_text=_("What is empty is shown in the site's own language."),
            )
            self.fields[field_name(code, "text")] = forms.CharField(
                label=format_lazy("{column} ({language})", column=_("What owners can do now"), language=called),
                max_length=LONGEST_TEXT,
                required=False,
                widget=forms.Textarea(attrs={"rows": 4}),
            )

    @property
    def words(self) -> dict[str, Any]:
        """What the services take; only of a valid form."""
        given = self.cleaned_data
        said = {
            code: {column: given[field_name(code, column)] for column in ("title", "text")}
            for code, _name in other_languages()
        }
        return {"title": given["title"], "body": given["text"], "url": given["url"], "said": said}


class AlertForm(WordsForm):
    product = forms.ModelChoiceField(
        label=_("Product"), queryset=Product.objects.all(), to_field_name="slug", empty_label=_("Choose")
    )
    versions = forms.ModelMultipleChoiceField(
        label=_("Series or firmware"),
        queryset=Version.objects.select_related("product").order_by("product__position", "product_id", "position"),
        required=False,
        help_text=_("Only owners who said that theirs is one of these are told. None chosen: all owners."),
        widget=forms.SelectMultiple(attrs={"size": 6}),
    )
    field_order = ["product", "versions"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["versions"].label_from_instance = lambda one: f"{one.product}: {one.name}"  # type: ignore[attr-defined]


class EndForm(forms.Form):
    alert = forms.ModelChoiceField(
        queryset=OwnerAlert.objects.filter(kind=OwnerAlert.Kind.KNOWN_ISSUE).select_related("product")
    )

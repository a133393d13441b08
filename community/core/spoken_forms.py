"""Fields for an editor's words in further languages (core/spoken.py), for forms of the admin."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import format_lazy, slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.forms.models import formfield_for_dbfield
from wagtail.admin.panels import FieldPanel, MultiFieldPanel

from .spoken import Spoken, kept, other_languages

MOST_RATINGS = 8
LONGEST_RATING = 60


class RatingsField(forms.CharField):
    """What reviews of a family are rated on, a line each: `noise: Quietness`. The word before the colon is what reviews
    keep, so that what stands behind it can be reworded; without one it is made of the name."""

    widget = forms.Textarea(attrs={"rows": 5})

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return "\n".join(f"{rating['slug']}: {rating['name']}" for rating in value)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list):
            return value
        ratings = []
        for line in (line.strip() for line in (value or "").splitlines()):
            before, colon, name = line.partition(":")
            slug, name = slugify(before), (name if colon else before).strip()
            if line and (not slug or not name or len(name) > LONGEST_RATING):
                raise ValidationError(
                    _("“%(line)s” is no line such as “noise: Quietness”."), params={"line": line[:60]}
                )
            if line:
                ratings.append({"slug": slug, "name": name})
        slugs = [rating["slug"] for rating in ratings]
        if len(slugs) != len(set(slugs)):
            raise ValidationError(_("The same word stands before the colon of two lines."))
        if len(ratings) > MOST_RATINGS:
            raise ValidationError(_("At most %(most)d, or nobody fills them in."), params={"most": MOST_RATINGS})
        return ratings

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return (initial or []) != self.to_python(data)
        except ValidationError:
            return True


def field_name(language: str, column: str) -> str:
    return f"said_{language}_{column}"


class _SpokenForm(forms.ModelForm):
    """Has a field for each word in each further language, and writes them into the row's `translations`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for language, column, name in self._each():
            self.initial.setdefault(name, self.instance.translations.get(language, {}).get(column))

    def _each(self) -> list[tuple[str, str, str]]:
        each = [(lang, col, field_name(lang, col)) for lang, _n in other_languages() for col in self.instance.SPOKEN]
        return [one for one in each if one[2] in self.fields]

    def _post_clean(self) -> None:
        told: dict[str, dict[str, Any]] = {code: {} for code, _name in other_languages()}
        for language, column, name in self._each():
            told[language][column] = self.cleaned_data.get(name)
        self.instance.translations = kept(type(self.instance), told)
        super()._post_clean()


def form_for(model: type[Spoken], base: type[forms.ModelForm] = WagtailAdminModelForm, **instead: forms.Field) -> type:
    """A form class for the admin with a field for each of the model's words in each further language.

    `instead`: the form field of a column that has one of its own."""
    fields: dict[str, Any] = {}
    for language, called in other_languages():
        for column in model.SPOKEN:
            db_field: Any = model._meta.get_field(column)
            field = _copy(instead[column]) if column in instead else formfield_for_dbfield(db_field)
            field.required = False
            field.label = format_lazy("{column} ({language})", column=db_field.verbose_name, language=called)
            fields[field_name(language, column)] = field
    return type(f"{model.__name__}SpokenForm", (_SpokenForm, base), {**fields, **instead})


def _copy(field: forms.Field) -> Any:
    return field.__deepcopy__({})


def panels_for(model: type[Spoken], *columns: str) -> list[MultiFieldPanel]:
    """A closed group of fields for each further language; of these columns, or of all."""
    return [
        MultiFieldPanel(
            [FieldPanel(field_name(language, column)) for column in columns or model.SPOKEN],
            heading=format_lazy(gettext_lazy("In another language: {language}"), language=called),
            help_text=gettext_lazy("What is empty is shown in the site's own language."),
            classname="collapsed",
        )
        for language, called in other_languages()
    ]

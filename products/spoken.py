"""An editor's words on a plain row in more languages than the site's own (docs/decisions/0225).

A page has a tree for each language; a family, a shop or a recall is one row whatever is being read. Its columns hold
the words in the site's own language, `translations` the others: `{"de": {"name": "Mühlen"}}`. What is missing there is
said in the site's own.

    row.said.name            in the language that is being read
    row.said_in("de").name   in this one
"""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.text import format_lazy, slugify
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.forms.models import formfield_for_dbfield
from wagtail.admin.panels import FieldPanel, MultiFieldPanel

MOST_RATINGS = 8
LONGEST_RATING = 60


class Said:
    """The words of a row in one language, the site's own where they are missing; every other attribute is the row's."""

    def __init__(self, row: "Spoken", language: str) -> None:
        self._row, self._words = row, row.translations.get(language) or {}

    def __getattr__(self, name: str) -> Any:
        return self._words.get(name) or getattr(self._row, name)


class Spoken(models.Model):
    """Mix into a plain row whose `SPOKEN` columns editors write for readers."""

    SPOKEN: tuple[str, ...] = ()

    translations = models.JSONField(default=dict, blank=True, editable=False)

    class Meta:
        abstract = True

    def said_in(self, language: str) -> Said:
        return Said(self, language)

    @property
    def said(self) -> Said:
        return self.said_in(get_language() or settings.LANGUAGE_CODE)


def other_languages() -> list[tuple[str, str]]:
    """Code and name of each language besides the site's own."""
    return [(code, name) for code, name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]


def kept(model: type[Spoken], told: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """What of `told` (words by column, by language) is to be stored: known languages and columns, no empty words."""
    found = {}
    for language, _name in other_languages():
        words = {name: told[language][name] for name in model.SPOKEN if told.get(language, {}).get(name)}
        if words:
            found[language] = words
    return found


# In the admin -----------------------------------------------------------------------------------------------


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


class _SpokenForm(WagtailAdminModelForm):
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
    bases = (_SpokenForm,) if base is WagtailAdminModelForm else (_SpokenForm, base)
    return type(f"{model.__name__}SpokenForm", bases, {**fields, **instead})


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

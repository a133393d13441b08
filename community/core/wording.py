"""What a field says when it can't take something, in our words: one place for every form of the house.

Django's own sentences stand in class attributes, and a form copies them when it is made; so they are replaced while
the apps are still being loaded (`apps.py`). A field with `error_messages` of its own keeps those.
"""

from typing import Any

from django import forms
from django.core import validators
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

FILL_IN = _("Please fill this in.")
CHOOSE = _("Please choose one of these.")
NOT_OFFERED = _("This can't be chosen here.")

FIELDS: dict[type[forms.Field], dict[str, Any]] = {
    forms.Field: {"required": FILL_IN},
    forms.BooleanField: {"required": _("Please tick this.")},
    forms.IntegerField: {"invalid": _("Please give a whole number.")},
    forms.FloatField: {"invalid": _("Please give a number.")},
    forms.DecimalField: {"invalid": _("Please give a number.")},
    forms.DateField: {"invalid": _("We can't read this as a date.")},
    forms.TimeField: {"invalid": _("We can't read this as a time.")},
    forms.DateTimeField: {"invalid": _("We can't read this as a date with a time.")},
    forms.DurationField: {"invalid": _("We can't read this as a span of time.")},
    forms.FileField: {
        "required": _("Please choose a file."),
        "invalid": _("No file came with it. Please choose it again."),
        "missing": _("No file came with it. Please choose it again."),
        "empty": _("This file is empty."),
        "max_length": _("The name of this file is too long: %(length)d characters, %(max)d at most."),
        "contradiction": _("Either choose a file or tick that it goes, please; not both."),
    },
    forms.ImageField: {"invalid_image": _("We can't read this as a picture.")},
    forms.ChoiceField: {"required": CHOOSE, "invalid_choice": NOT_OFFERED},
    forms.MultipleChoiceField: {"invalid_choice": NOT_OFFERED, "invalid_list": NOT_OFFERED},
    forms.ModelChoiceField: {"required": CHOOSE, "invalid_choice": NOT_OFFERED},
    forms.ModelMultipleChoiceField: {
        "invalid_choice": NOT_OFFERED,
        "invalid_list": NOT_OFFERED,
        "invalid_pk_value": NOT_OFFERED,
    },
    forms.URLField: {"invalid": _("This is not a web address. It begins with https://.")},
    forms.JSONField: {"invalid": _("We can't read this. Please try again.")},
}
VALIDATORS: dict[type, Any] = {
    validators.EmailValidator: _("This is not a mail address. It looks like name@example.org."),
    validators.URLValidator: _("This is not a web address. It begins with https://."),
    validators.MinValueValidator: _("At least %(limit_value)s, please."),
    validators.MaxValueValidator: _("At most %(limit_value)s, please."),
    validators.MinLengthValidator: ngettext_lazy(
        "At least %(limit_value)d character, please; it has %(show_value)d.",
        "At least %(limit_value)d characters, please; it has %(show_value)d.",
        "limit_value",
    ),
    validators.MaxLengthValidator: ngettext_lazy(
        "At most %(limit_value)d character, please; it has %(show_value)d.",
        "At most %(limit_value)d characters, please; it has %(show_value)d.",
        "limit_value",
    ),
    validators.FileExtensionValidator: _("A file of this kind can't be used; these can: %(allowed_extensions)s."),
    validators.ProhibitNullCharactersValidator: _("There is a sign in it that can't be stored."),
}


def register() -> None:
    """Called once, before any form is made."""
    for kind, words in FIELDS.items():
        kind.default_error_messages = {**vars(kind).get("default_error_messages", {}), **words}
    for validator, sentence in VALIDATORS.items():
        validator.message = sentence  # type: ignore[attr-defined]
    models.Field.default_error_messages.update({"null": FILL_IN, "blank": FILL_IN, "invalid_choice": NOT_OFFERED})

"""An editor's words on a plain row in more languages than the site's own (docs/decisions/0225).

A page has a tree for each language; a family, a shop or a recall is one row whatever is being read. Its columns hold
the words in the site's own language, `translations` the others: `{"de": {"name": "Mühlen"}}`. What is missing there is
said in the site's own.

    row.said.name            in the language that is being read
    row.said_in("de").name   in this one

Templates print them with the filter `said`, which marks words that are in another language than the page
(docs/decisions/0244).
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import get_language


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
        return self.said_in(reading())


def reading() -> str:
    """The language that is being read."""
    return get_language() or settings.LANGUAGE_CODE


def words_of(row: Any, name: str) -> tuple[Any, str]:
    """What a row says under this name, and in which language. A row may be a dict with its `translations`, too."""
    language = reading()
    translations = row.get("translations", {}) if isinstance(row, dict) else row.translations
    if words := (translations.get(language) or {}).get(name):
        return words, language
    return (row.get(name, "") if isinstance(row, dict) else getattr(row, name)), settings.LANGUAGE_CODE


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

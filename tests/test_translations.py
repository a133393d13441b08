"""The interface in German: every entry can be used, and the pages one meets first are in one language."""

import ast
import gettext
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation

from community.questions.models import Thread
from tests import factories
from tests.products.pages import a_product_page

pytestmark = pytest.mark.once

CATALOGUE = Path(settings.ROOT, "locale/de/LC_MESSAGES/django.po")
PLACEHOLDER = re.compile(r"%\(\w+\)[.\d]*[sdfg]|%%|%[sd]|\{\w*\}|</?[a-z]+")
GERMAN = {"accept-language": "de"}


@dataclass
class Entry:
    parts: dict[str, str] = field(default_factory=dict)
    flags: str = ""

    @property
    def original(self) -> str:
        return self.parts["msgid"]

    def pairs(self) -> Iterator[tuple[str, str]]:
        """What is said in English, with what is said for it."""
        if "msgid_plural" not in self.parts:
            yield self.original, self.parts["msgstr"]
            return
        yield self.original, self.parts["msgstr[0]"]
        yield self.parts["msgid_plural"], self.parts["msgstr[1]"]


def entries() -> list[Entry]:
    found = []
    for block in CATALOGUE.read_text(encoding="utf-8").split("\n\n"):
        entry, key = Entry(), ""
        for line in block.splitlines():
            if line.startswith("#,"):
                entry.flags += line
            elif match := re.match(r'(msgctxt|msgid_plural|msgid|msgstr(?:\[\d\])?) (".*")$', line):
                key = match[1]
                entry.parts[key] = ast.literal_eval(match[2])
            elif line.startswith('"'):
                entry.parts[key] += ast.literal_eval(line)
        if entry.parts.get("msgid"):
            found.append(entry)
    return found


def test_the_compiled_catalogue_is_the_written_one() -> None:
    compiled = gettext.GNUTranslations(CATALOGUE.with_suffix(".mo").open("rb"))
    assert len(entries()) > 2000
    for entry in entries():
        if "msgid_plural" in entry.parts:
            continue
        context = entry.parts.get("msgctxt")
        said = compiled.pgettext(context, entry.original) if context else compiled.gettext(entry.original)
        assert said == (entry.parts["msgstr"] or entry.original)


def test_placeholders_agree() -> None:
    for entry in entries():
        known = {name for original, _ in entry.pairs() for name in PLACEHOLDER.findall(original)}
        for original, said in entry.pairs():
            if not said:
                continue
            names = PLACEHOLDER.findall(said)
            assert set(names) <= known, original
            # “One day” may do without its number; the other form may not.
            if original == entry.parts.get("msgid_plural", original):
                assert sorted(names) == sorted(PLACEHOLDER.findall(original)), original


def test_the_voice_is_calm_and_says_du() -> None:
    for entry in entries():
        assert "fuzzy" not in entry.flags, entry.original
        for original, said in entry.pairs():
            assert "!" not in said, original
            assert not re.search(r"[a-zäöüß,] (Ihnen|Ihre[mnrs]?|Du|Dein\w*|Dir|Dich)\b", said), said
            assert said == said.strip() or original != original.strip(), original


def test_nothing_waits_for_a_translation() -> None:
    """A few sentences may be new since the last round; a whole page may not."""
    waiting = [entry.original for entry in entries() if not all(said for _, said in entry.pairs())]
    assert len(waiting) <= len(entries()) // 50, waiting


def test_numbers_choose_their_form() -> None:
    with translation.override("de"):
        say = translation.ngettext
        assert say("%(n)s answer", "%(n)s answers", 1) % {"n": 1} == "1 Antwort"
        assert say("%(n)s answer", "%(n)s answers", 2) % {"n": 2} == "2 Antworten"
        assert translation.gettext("Sign in") == "Anmelden"


@pytest.fixture
def thread(db: None) -> Thread:
    return factories.a_thread()


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/", ("Fragen", "Anmelden", "Zum Inhalt springen")),
        ("/questions/", ("Fragen filtern", "Ohne Antwort", "Frage stellen")),
        ("/questions/ask/", ("Worum geht es, in einer Zeile?", "Vertrauliche Angaben", "Wie es weitergeht")),
        ("/accounts/login/", ("Anmelden", "Passkey benutzen")),
        ("/recipes/", ("Rezepte", "Innerhalb von einer Stunde", "Am häufigsten nachgemacht")),
        ("/badges/", ("Abzeichen", "Ränge")),
    ],
)
def test_pages_are_german(client: Client, thread: Thread, address: str, words: tuple[str, ...]) -> None:
    answer = client.get(address, headers=GERMAN)
    html = answer.content.decode()
    assert answer.status_code == 200
    assert '<html lang="de"' in html
    for word in words:
        assert word in html
    assert "Skip to content" not in html and ">Sign in<" not in html


def test_a_thread_is_german_around_its_own_words(client: Client, thread: Thread) -> None:
    html = client.get(thread.get_absolute_url(), headers=GERMAN).content.decode()
    assert '<html lang="de"' in html
    assert thread.title in html
    for word in ("Geht mir auch so", "Antwort veröffentlichen", "Noch keine Antwort"):
        assert word in html


def test_english_stays_english(client: Client, thread: Thread) -> None:
    html = client.get("/questions/", headers={"accept-language": "en"}).content.decode()
    assert '<html lang="en"' in html and "Ask a question" in html and "Frage stellen" not in html


def test_a_product_without_a_german_page_is_shown_as_it_is(client: Client, db: None, tmp_path: Path) -> None:
    page = a_product_page(tmp_path)
    for address in (page.get_absolute_url(), f"/products/compare/?p={page.slug}"):
        answer = client.get(address, headers=GERMAN)
        assert answer.status_code == 200
        assert page.title in answer.content.decode()

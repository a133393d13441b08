"""The visual system: what every page leans on, and the budgets it promises."""

import gzip
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django import forms
from django.conf import settings
from django.template import engines, loader
from django.test import RequestFactory, override_settings
from django.urls import reverse
from django.utils import timezone, translation

from community.accounts.models import User
from community.core import clock
from community.core.templatetags import community as tags

pytestmark = pytest.mark.once

ROOT = Path(settings.ROOT)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SPRITE = (ROOT / "static/icons/sprite.svg").read_text()
ART = (ROOT / "static/icons/art.svg").read_text()
WEDNESDAY = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
KB = 1024


def render(text: str, **context: object) -> str:
    return engines["django"].from_string("{% load community %}" + text).render(context)


def compressed(*paths: Path) -> int:
    return sum(len(gzip.compress(path.read_bytes())) for path in paths)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_templates_keep_the_policy(template: Path) -> None:
    text = template.read_text()
    if "emails" in template.parts:
        return  # mail clients know no style sheets
    assert not re.search(r"<style|\sstyle=|\son(click|load|submit|change|error)=|javascript:", text), (
        "inline style or script"
    )
    for script in re.findall(r"<script(?![^>]*\b(?:src|type=\"application/(?:json|ld\+json)\"))[^>]*>", text):
        raise AssertionError(f"inline script: {script}")


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_icons_exist(template: Path) -> None:
    text = template.read_text()
    for name in re.findall(r"{% icon [\"']([^\"']+)[\"']", text) + re.findall(r"icon=\"([a-z0-9-]+)\"", text):
        assert f'id="i-{name}"' in SPRITE, f"no icon {name}"
    for name in re.findall(r"{% art [\"']([^\"']+)[\"']", text):
        assert name in tags.DRAWINGS, f"no drawing {name}"


def test_signs_and_drawings_exist() -> None:
    for shape, _word in tags.STATES.values():
        assert f'id="s-{shape}"' in SPRITE
    for name, (across, down) in tags.DRAWINGS.items():
        assert f'<symbol id="art-{name}" viewBox="0 0 {across} {down}"' in ART
    assert "class=" not in ART, "a class is not styled inside a referenced file"


def test_budgets() -> None:
    # The bar is per page; the three sheets of the staff are loaded inside Wagtail's admin alone.
    for_staff = ("admin.css", "desk.css", "figures.css")
    sheets = [file for file in (ROOT / "static/css").glob("*.css") if file.name not in for_staff]
    assert compressed(*sheets) < 30 * KB
    script = ROOT / "static/js"
    assert compressed(script / "htmx.min.js", script / "theme.js", script / "app.js", script / "recipe.js") < 35 * KB


def test_licences_stand_beside_what_they_cover() -> None:
    for licence in (
        "fonts/LICENSE-Besley.txt",
        "fonts/LICENSE-Source-Sans-3.txt",
        "icons/LICENSE-lucide.txt",
        "js/LICENSE-htmx.txt",
    ):
        assert (ROOT / "static" / licence).stat().st_size > 200


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(minutes=59, seconds=20), "59 minutes ago"),
        (timedelta(minutes=59, seconds=40), "1 hour ago"),
        (timedelta(hours=5), "5 hours ago"),
        (timedelta(hours=23), "yesterday"),
        (timedelta(days=4), "4 days ago"),
        (timedelta(days=21), "3 weeks ago"),
        (timedelta(days=100), "17 Aug 2026"),
        (timedelta(minutes=-5), "in 5 minutes"),
        (timedelta(hours=-26), "tomorrow"),
    ],
)
def test_ago(span: timedelta, words: str) -> None:
    with clock.travel(WEDNESDAY):
        assert tags.ago(WEDNESDAY - span) == words


def test_time_carries_the_exact_moment() -> None:
    with clock.travel(WEDNESDAY):
        html = render("{% time_ago when %}", when=WEDNESDAY - timedelta(hours=2))
    assert html == '<time datetime="2026-11-25T10:00+00:00" title="25 Nov 2026, 10:00">2 hours ago</time>'
    assert render("{% time_ago when %}", when=None) == ""


def test_lasted() -> None:
    assert tags.lasted(timedelta(hours=5, minutes=12)) == "5 hours 12 minutes"
    assert tags.lasted(timedelta(days=2, hours=1, minutes=3)) == "2 days 1 hour"
    assert tags.lasted(timedelta(seconds=3)) == "1 minute"


def test_state_has_shape_colour_and_word() -> None:
    html = render("{% state 'solved' chip=True %}")
    assert "state--solved state--chip" in html
    assert "#s-solved" in html
    assert html.endswith("Solved</span>")


def test_a_moment_is_told_in_each_zone_and_language() -> None:
    """What is kept of a moment is kept for the zone and the language it was told in."""
    moment = datetime(2026, 10, 1, 23, 30, tzinfo=UTC)
    with timezone.override("UTC"):
        assert 'title="1 Oct 2026, 23:30"' in render("{% time_ago when %}", when=moment)
    with timezone.override("Asia/Tokyo"):
        html = render("{% time_ago when %}", when=moment)
        assert 'datetime="2026-10-02T08:30+09:00" title="2 Oct 2026, 08:30"' in html
        with translation.override("de"):
            assert "2 Oct" not in render("{% time_ago when %}", when=moment)


def test_titles_set_their_formulas_and_nothing_else() -> None:
    assert "<math" in render("{{ title|formulas }}", title="What is $|\\psi\\rangle$?")
    assert render("{{ title|formulas }}", title="<b>$5</b> & up") == "&lt;b&gt;$5&lt;/b&gt; &amp; up"
    assert render("{{ title|formulas }}", title="<b>plain</b>") == "&lt;b&gt;plain&lt;/b&gt;"


def test_names_cannot_write_markup() -> None:
    hostile = SimpleNamespace(username="x", name="<b>Mallory", standing="member", avatar=None)
    html = loader.render_to_string("components/_byline.html", {"user": hostile, "disclosures": ["<script>"]})
    assert "<b>M" not in html
    assert "<script>" not in html
    assert "<i>" not in render("{% icon name label=name %}{% state key %}", name="<i>", key="<i>")


@pytest.mark.parametrize(
    ("standing", "sign"),
    [("member", "av av--"), ("advocate", "av--advocate"), ("staff", "av--staff"), ("erased", "av--empty")],
)
def test_avatar_shows_the_standing(standing: str, sign: str) -> None:
    person = SimpleNamespace(username="bob", name="Bob Ferreira", standing=standing, avatar=None)
    html = loader.render_to_string("components/_avatar.html", {"user": person})
    assert sign in html
    assert ("BF" in html) == (standing != "erased")
    assert render("{% avatar user 's' %}", user=person).startswith('<span class="av av--')
    person.name = "<b> <i>"
    assert "<b" not in render("{% avatar user %}", user=person) and "av--empty" in render("{% avatar nobody %}")


@pytest.mark.parametrize(
    ("value", "width"), [(4.6, "92"), (0, "0"), (9, "100"), (None, "0"), (float("nan"), "0"), ("x", "0")]
)
def test_star_width(value: object, width: str) -> None:
    assert tags.star_width(value) == width


def test_query_keeps_the_filters() -> None:
    request = RequestFactory().get("/questions/", {"state": "solved", "page": "3", "tag": ["a", "b"]})
    assert render("{% query page=4 %}", request=request) == "state=solved&amp;page=4&amp;tag=a&amp;tag=b"
    assert render("{% query page=None state='' %}", request=request) == "tag=a&amp;tag=b"


class Sheet(forms.Form):
    title = forms.CharField(help_text="As you would say it.")
    kind = forms.ChoiceField(choices=[("a", "A"), ("b", "B")], widget=forms.RadioSelect)
    told = forms.BooleanField(required=False)
    token = forms.CharField(widget=forms.HiddenInput, required=False)


def test_field_ties_label_hint_and_error_to_the_input() -> None:
    html = Sheet({"kind": "a"})["title"].as_field_group()
    assert '<label for="id_title">' in html
    assert 'aria-invalid="true"' in html
    described = re.search(r'aria-describedby="([^"]+)"', html).group(1).split()
    assert described == ["id_title_helptext", "id_title_error"]
    for name in described:
        assert f'id="{name}"' in html


def test_choices_are_a_fieldset_and_hidden_fields_bare() -> None:
    form = Sheet()
    assert form["kind"].as_field_group().count("<legend") == 1
    assert "optional" not in form["told"].as_field_group()
    assert "<label" not in form["token"].as_field_group()


def test_error_summary_names_each_field() -> None:
    html = loader.render_to_string("components/_form_errors.html", {"form": Sheet({})})
    assert "data-error-summary" in html
    assert "2 things to mend first." in html
    assert 'href="#id_title"' in html
    assert loader.render_to_string("components/_form_errors.html", {"form": Sheet()}).strip() == ""


@pytest.mark.parametrize("code", ["400", "403_csrf", "500", "503"])
def test_bare_errors_need_neither_context_nor_database(code: str) -> None:
    # No `db` fixture: a query would fail the test.
    html = loader.get_template(f"{code}.html").render()
    assert "<h1>" in html
    assert "css/tokens" in html


@pytest.mark.parametrize("code", ["403", "404", "410", "429"])
def test_errors_explain_and_offer_a_way_on(code: str, db: None) -> None:
    request = RequestFactory().get("/gone/")
    request.user = SimpleNamespace(is_authenticated=False)
    html = loader.get_template(f"{code}.html").render({"user": request.user, "wait": "40 seconds", "kept": "<my text>"})
    assert html.count("<h1>") == 1
    assert 'content="noindex"' in html
    if code == "429":
        assert "&lt;my text&gt;" in html
        assert "40 seconds" in html


@override_settings(DEBUG=False)
def test_the_kit_is_not_served_to_the_public(client, db: None) -> None:
    assert client.get(reverse("styleguide")).status_code == 404


@override_settings(DEBUG=True)
def test_the_kit_shows_every_state(client, db: None) -> None:
    html = client.get(reverse("styleguide")).content.decode()
    for shape in ("none", "replied", "solved", "official", "info", "recheck", "late", "closed"):
        assert f"state--{shape}" in html


def test_language_is_kept_and_stays_on_the_site(client, db: None) -> None:
    page = client.get(reverse("language"), {"next": "https://elsewhere.example/"})
    assert 'name="next" value="/"' in page.content.decode()
    answer = client.post(reverse("language"), {"language": "de", "next": "/questions/"})
    assert (answer.status_code, answer.url) == (302, "/questions/")
    assert client.cookies[settings.LANGUAGE_COOKIE_NAME].value == "de"


def test_pages_without_a_form_carry_no_token(client, db: None) -> None:
    html = client.get("/there-is-nothing-here/").content.decode()
    assert "csrfmiddlewaretoken" not in html


@pytest.mark.parametrize(
    ("disclosure", "interests", "lines"),
    [
        ("", "", []),
        ("Bought mine.", "", ["Bought mine."]),
        ("", "I was lent a Mill.", ["I was lent a Mill."]),
        (
            "Advocate. I bought my Duo; Brindle sends me spare parts free.",
            "Brindle sends me spare parts free. Brindle lent me a Mill.",
            ["Advocate. I bought my Duo; Brindle sends me spare parts free.", "Brindle lent me a Mill."],
        ),
        ("I was paid for a talk", "I was paid for a  talk.", ["I was paid for a talk"]),
    ],
)
def test_a_tie_is_said_once(disclosure: str, interests: str, lines: list[str]) -> None:
    author = User(ties=[["2023-05-04", "", interests]] if interests else [])
    assert tags.ties(author, datetime(2024, 1, 1, tzinfo=UTC), disclosure) == lines
    assert tags.ties(author, datetime(2023, 1, 1, tzinfo=UTC), disclosure) == lines[:1] * bool(disclosure)

"""Bad content is found before a word is told, and named by file and line."""

import shutil
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from community.demo.files import read
from community.demo.models import Told
from community.demo.rows import BadContent, parse
from community.demo.story import timeline
from community.demo.world import hours_of, months_of
from community.questions.models import Thread

from .conftest import FOLDER, WEDNESDAY

pytestmark = pytest.mark.once


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(FOLDER, tmp_path / "demo", ignore=shutil.ignore_patterns("*.svg"))
    return tmp_path / "demo"


def change(file: Path, old: str, new: str) -> int:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    return text[: text.index(old)].count("\n") + 1


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("threads/duo-steam-wand-drip.yaml", "author: ines.carvalho", "author: nobody.here", "no person 'nobody.here'"),
        ("threads/duo-steam-wand-drip.yaml", "state: solved", "state: sorted", "no state 'sorted'"),
        ("threads/duo-steam-wand-drip.yaml", "product: duo", "product: trio", "no product 'trio'"),
        ("threads/duo-steam-wand-drip.yaml", "step: acknowledged", "step: shrugged", "no step 'shrugged'"),
        ("threads/duo-steam-wand-drip.yaml", "minutes_after: 7280", "minutes_after: 9999999", "in the future"),
        ("reviews.yaml", "stars: 4", "stars: 6", "6 is none of 1 to 5"),
        ("recipes/two-a-day-cortado.md", "illustration: cortado", "illustration: unicorn", "not been rendered"),
        ("tips/press-without-sludge.md", "author: ", "writer: ", "'author' missing"),
        ("people.yaml", 'role: "staff:support:lead"', 'role: "staff:kitchen"', "role: 'staff:kitchen'"),
    ],
)
def test_mistakes_are_named(copy: Path, name: str, old: str, new: str, says: str) -> None:
    change(copy / name, old, new)
    with pytest.raises(BadContent) as bad:
        read(copy)
    assert any(problem.file == name and problem.line > 0 and says in problem.reason for problem in bad.value.problems)


def test_broken_yaml_says_where(copy: Path) -> None:
    line = change(copy / "brand.yaml", "tagline: ", "tagline: [")
    with pytest.raises(BadContent) as bad:
        read(copy)
    assert bad.value.problems[0].file == "brand.yaml"
    assert bad.value.problems[0].line >= line


def test_rows_know_their_line() -> None:
    row = parse("a: 1\nb:\n  - {c: 2}\n", "x.yaml")["b"][0]
    assert row.where == "x.yaml:3"


def here() -> tuple[int, int]:
    """Facts and threads: none, or those of the story that the folder's other tests share."""
    return Told.objects.count(), Thread.objects.count()


@pytest.mark.django_db
def test_the_command_writes_nothing_then(copy: Path) -> None:
    before = here()
    change(copy / "threads/duo-steam-wand-drip.yaml", "author: ines.carvalho", "author: nobody.here")
    with pytest.raises(CommandError, match=r"duo-steam-wand-drip\.yaml:\d+: author: there is no person"):
        call_command("load_demo", folder=copy)
    assert here() == before


@pytest.mark.django_db
def test_dry_run_counts_and_writes_nothing() -> None:
    before, said = here(), StringIO()
    call_command("load_demo", dry_run=True, stdout=said)
    assert f"facts would be told, {before[0]} are told already" in said.getvalue()
    assert here() == before


@pytest.mark.django_db
def test_not_where_it_is_not_allowed(settings: object) -> None:
    settings.DEMO_ALLOWED = False  # type: ignore[attr-defined]
    with pytest.raises(CommandError, match="production"):
        call_command("load_demo", dry_run=True)


def test_the_same_files_tell_the_same_story() -> None:
    content = read(FOLDER)
    once, twice = (timeline(content, WEDNESDAY) for _ in range(2))
    assert [(fact.at, fact.key) for fact in once] == [(fact.at, fact.key) for fact in twice]
    keys = [fact.key for fact in once]
    assert len(keys) == len(set(keys))
    assert all(fact.at <= WEDNESDAY for fact in once)
    assert max(len(key) for key in keys) <= 200


def test_hours_and_months() -> None:
    assert hours_of("Mon-Tue 08:00-18:00, Sat 09:00-13:00") == {
        "0": [["08:00", "18:00"]], "1": [["08:00", "18:00"]], "5": [["09:00", "13:00"]],
    }  # fmt: skip
    with pytest.raises(ValueError, match="business hours"):
        hours_of("always")
    assert [months_of(words) for words in ("2 years", "14 months", "5 weeks", "1 day", "not yet")] == [
        24,
        14,
        1,
        0,
        None,
    ]

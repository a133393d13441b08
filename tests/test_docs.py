"""The documents stay whole: every setting, command and kind of event is in them."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

from community.core.limits import LIMITS
from community.events.kinds import KINDS
from scripts import events_table

pytestmark = pytest.mark.once

ROOT = Path(settings.ROOT)
RUNNING = (ROOT / "docs" / "running.md").read_text()
OURS = ("community", "products", "reviews", "advocates")


def variables() -> list[str]:
    found: set[str] = set()
    for file in (ROOT / "community" / "settings").glob("*.py"):
        found |= set(re.findall(r"\benv\.\w+\(\s*\"([A-Z_]+)\"", file.read_text()))
    return sorted(found)


def commands() -> list[str]:
    return sorted(name for name, app in get_commands().items() if app.split(".")[0] in OURS)


def test_the_search_for_variables_finds_them() -> None:
    assert {"DATABASE_URL", "SECRET_KEY", "TRUSTED_PROXIES"} <= set(variables())


@pytest.mark.parametrize("name", variables())
def test_every_variable_is_documented(name: str) -> None:
    assert f"`{name}`" in RUNNING, f"docs/running.md says nothing of {name}"


def test_no_variable_is_documented_that_nobody_reads() -> None:
    table = RUNNING[RUNNING.index("| variable |") : RUNNING.index("## Is it well?")]
    first_cells = [row.split("|")[1] for row in table.splitlines()[2:] if row.startswith("|")]
    named = {name for cell in first_cells for name in re.findall(r"`([A-Z_]+)`", cell)}
    assert named == set(variables())


@pytest.mark.parametrize("name", commands())
def test_every_command_is_documented(name: str) -> None:
    assert f"`{name}`" in RUNNING, f"docs/running.md says nothing of {name}"


def test_every_kind_of_event_is_documented() -> None:
    """Both ways: no kind without a line, no line about a kind that is gone."""
    table = (ROOT / "docs" / "architecture.md").read_text()
    rooms = {kind.split(".")[0] for kind in KINDS}
    named = {kind for kind in re.findall(r"`([a-z_]+\.[a-z_]+)`", table) if kind.split(".")[0] in rooms}
    assert sorted(set(KINDS) - named) == [], "docs/architecture.md lacks these"
    named = {name for name in named if not name.endswith(".py")}
    assert sorted(named - set(KINDS)) == [], "docs/architecture.md names these, which nobody records"


def test_the_environment_is_read_in_the_settings_alone() -> None:
    readers = [
        str(file.relative_to(ROOT))
        for top in OURS
        for file in (ROOT / top).rglob("*.py")
        if re.search(r"\bos\.(environ\b(?!\.setdefault| \|)|getenv)", file.read_text()) and "settings" not in file.parts
    ]
    assert readers == []


def test_no_file_names_a_registry() -> None:
    hosts = re.compile("|".join(("pypi" + r"\.org", "pythonhosted" + r"\.org", "npmjs" + r"\.org")))
    for name in ("Makefile", "requirements.lock", "requirements-dev.lock", ".ci/run", "scripts/lock.py"):
        assert not hosts.search((ROOT / name).read_text()), name


def test_the_table_of_events_is_what_is_registered() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    assert events_table.written(page) == page, "run python scripts/events_table.py"


def test_every_limit_is_documented_as_it_is() -> None:
    named = dict(re.findall(r"^\| `([a-z_]+)` \| [^|]+ \| ([^|]+) \|$", RUNNING, re.MULTILINE))
    for action, windows in LIMITS.items():
        said = ", ".join(f"{n} in {in_words(seconds)}" for n, seconds in windows)
        assert named.get(action) == said, f"docs/running.md says otherwise of {action}"


def in_words(seconds: int) -> str:
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds % length == 0:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"

"""A migrated database made once, and copied for every run, process and test that needs a clean one.

A fresh migrate takes half a minute, and a test that commits for real would otherwise leave an empty database: Django
empties all tables after it, the rows that migrations made included. A pytest plugin (`-p tests.primed`):

- the first run after a migration changed migrates a template, named by a hash of all migrations;
- each run and each process of `-n 2` starts from a copy of it;
- after a test that commits, the copy is made again in some ten milliseconds.
"""

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"


def fingerprint() -> str:
    """Changes when a migrated database would look different."""
    files = [ROOT / "requirements.lock", ROOT / "community" / "settings" / "base.py"]
    files.append(ROOT / "community" / "accounts" / "roles.py")  # a migration makes groups of it
    for room in (*ROOT.glob("community/*"), *(ROOT / name for name in ("products", "reviews", "advocates"))):
        files += sorted(room.glob("migrations/*.py"))
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(str(file.relative_to(ROOT)).encode() + file.read_bytes())
    digest.update(str(APART).encode())
    return digest.hexdigest()[:16]


def migrate(database_url: str) -> None:
    environment = os.environ | {"DATABASE_URL": database_url, "DJANGO_SETTINGS_MODULE": "community.settings.test"}
    command = [sys.executable, "manage.py", "migrate", "--skip-checks", "--verbosity", "0", "--no-input"]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        raise pytest.UsageError("The migrations do not run:\n" + done.stderr)


# In a fresh database the first thread and the first answer both have the number 1, and a test that hands the one where
# the other is meant passes by luck. So each table counts from a place of its own.
APART = 1_000

KEEP_IDS_APART_ON_POSTGRESQL = f"""
DO $$ DECLARE one record; place integer := 0; BEGIN
    FOR one IN SELECT format('%I.%I', schemaname, sequencename) AS name, coalesce(last_value, 0) AS used
    FROM pg_sequences WHERE schemaname = 'public' ORDER BY sequencename LOOP
        place := place + {APART};
        PERFORM setval(one.name::regclass, place + one.used);
    END LOOP;
END $$
"""  # noqa: S608  # the number above


def keep_ids_apart_on_sqlite(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        used = dict(database.execute("SELECT name, seq FROM sqlite_sequence"))
        counting = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%' ORDER BY name"
        names = [name for (name,) in database.execute(counting)]
        rows = [(name, place * APART + used.get(name, 0)) for place, name in enumerate(names, start=1)]
        database.execute("DELETE FROM sqlite_sequence")
        database.executemany("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", rows)


class SQLite:
    def __init__(self, settings: dict[str, Any], worker: str) -> None:
        self.template = CACHE / f"migrated-{fingerprint()}.sqlite3"
        name = settings["TEST"]["NAME"]
        self.target = Path(f"{name}_{worker}" if worker else name)

    def make_template(self) -> None:
        if self.template.exists():
            return
        CACHE.mkdir(exist_ok=True)
        fresh = CACHE / f"migrating-{os.getpid()}.sqlite3"
        migrate(f"sqlite:///{fresh}")
        keep_ids_apart_on_sqlite(fresh)
        for old in CACHE.glob("migrated-*.sqlite3"):
            if time.time() - old.stat().st_mtime > 24 * 60 * 60:  # a run beside this one may use a younger one
                old.unlink(missing_ok=True)
        fresh.rename(self.template)

    def start(self, config: pytest.Config) -> None:
        self.target.parent.mkdir(parents=True, exist_ok=True)
        for leftover in ("-wal", "-shm", "-journal"):
            Path(f"{self.target}{leftover}").unlink(missing_ok=True)
        shutil.copyfile(self.template, self.target)
        config.option.reuse_db = True

    def restore(self) -> None:
        # Through the database, not by replacing the file: other threads may have it open.
        if not self.template.exists():  # connecting would make an empty one, and every test after it would lie
            raise RuntimeError(f"{self.template} is gone; start the tests again")
        with closing(sqlite3.connect(self.template)) as source, closing(sqlite3.connect(self.target)) as target:
            source.backup(target)


class PostgreSQL:
    def __init__(self, settings: dict[str, Any], worker: str) -> None:
        self.settings = settings
        self.template = f"migrated_{fingerprint()}"
        name = settings["TEST"].get("NAME") or f"test_{settings['NAME']}"
        self.target = f"{name}_{worker}" if worker else name

    def _run(self, *statements: str, database: str = "postgres") -> list[Any]:
        """Beside Django, whose connections no test may open outside of its own."""
        import psycopg

        parts, rows = self.settings, []
        who = {"user": parts["USER"] or None, "password": parts["PASSWORD"] or None}
        where = {"host": parts["HOST"] or None, "port": parts["PORT"] or None, "dbname": database}
        with psycopg.connect(**who, **where, autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
                rows = cursor.fetchall() if cursor.description else []
        return rows

    def make_template(self) -> None:
        from urllib.parse import quote

        if self._run(f"SELECT 1 FROM pg_database WHERE datname = '{self.template}'"):  # noqa: S608
            return
        self._run(f'CREATE DATABASE "{self.template}_new"')
        parts = self.settings
        who = f"{quote(parts['USER'], safe='')}:{quote(parts['PASSWORD'], safe='')}@" if parts["USER"] else ""
        port = f":{parts['PORT']}" if parts["PORT"] else ""
        host = quote(parts["HOST"], safe="")
        query = f"?host={host}" if parts["HOST"].startswith("/") else ""
        migrate(f"postgres://{who}{'' if query else host}{port}/{self.template}_new{query}")
        self._run(KEEP_IDS_APART_ON_POSTGRESQL, database=f"{self.template}_new")
        self._run(f'ALTER DATABASE "{self.template}_new" RENAME TO "{self.template}"')

    def start(self, config: pytest.Config) -> None:
        self.settings["TEST"]["TEMPLATE"] = self.template
        config.option.create_db = True

    def restore(self) -> None:
        self._run(
            f'DROP DATABASE IF EXISTS "{self.target}" WITH (FORCE)',
            f'CREATE DATABASE "{self.target}" TEMPLATE "{self.template}"',
        )


_database: SQLite | PostgreSQL | None = None
_kept = False


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    global _database
    from django.conf import settings

    config = session.config
    if config.option.collectonly:
        return
    worker = getattr(config, "workerinput", {}).get("workerid", "")
    described = settings.DATABASES["default"]
    described.setdefault("TEST", {})
    kind = SQLite if described["ENGINE"].endswith("sqlite3") else PostgreSQL
    _database = kind(described, worker)
    if not worker:
        _database.make_template()
    _database.start(config)
    restore_instead_of_flush()


def restore() -> None:
    """Bring the database back to what migrations made of it."""
    from django.db import connections

    connections.close_all()
    if _database is not None:
        _database.restore()


def restore_instead_of_flush() -> None:
    from django.test import TransactionTestCase

    def teardown(self: TransactionTestCase) -> None:
        if not _kept:
            restore()

    TransactionTestCase._fixture_teardown = teardown  # type: ignore[method-assign]


@contextmanager
def kept() -> Iterator[None]:
    """Inside, tests leave the database as it is: what a fixture of their module made stays for all of them."""
    global _kept
    _kept = True
    try:
        yield
    finally:
        _kept = False
        restore()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Files with slow tests first, or the last of them keeps one process busy while the others have nothing left.

    A browser test needs a browser: without one it is skipped and says so, unless CI insists (BROWSER=required).
    """
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])
    if find_chromium() or os.environ.get("BROWSER") == "required":
        return
    skip = pytest.mark.skip(reason="no Chromium on this machine (apt-get install chromium)")
    for item in items:
        if "browser" in item.keywords:
            item.add_marker(skip)


def find_chromium() -> str:
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), "")


@pytest.fixture(scope="session")
def chromium() -> Iterator[str]:
    """The path of the machine's Chromium."""
    path = find_chromium()
    if not path:
        pytest.fail("BROWSER=required, but there is no Chromium on this machine")
    yield path

"""A community of 12,371 questions in a database of its own, on one engine after the other.

Each engine is measured in a process of its own, because Django settles on a database when it starts. DATA is a
temporary folder; on PostgreSQL a database is created beside the one that DATABASE_URL names, and dropped at the end.
"""

import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from .titles import ROOT

ANSWERS = 20  # under the first thread, whose page is measured


def each_engine(module: str) -> dict[str, Any]:
    """Run `python -m module` on each engine there is. Returns what each printed as JSON, by the engine's name."""
    address = os.environ.get("DATABASE_URL", "")
    postgresql = address.startswith("postgres")
    figures = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as data:
        figures["SQLite"] = _run(module, data, f"sqlite:///{data}/bench.sqlite3")
    if postgresql:
        with tempfile.TemporaryDirectory(prefix="bench-") as data, _database_beside(address) as throwaway:
            figures["PostgreSQL"] = _run(module, data, throwaway)
    else:
        say("PostgreSQL is not measured: DATABASE_URL=postgres://… names none.")
    return figures


def postgresql_alone(module: str) -> Any:
    """Run `python -m module` on PostgreSQL, in a database beside the one DATABASE_URL names."""
    address = os.environ.get("DATABASE_URL", "")
    if not address.startswith("postgres"):
        raise SystemExit("Nothing measured. DATABASE_URL=postgres://… has to name a PostgreSQL.")
    with tempfile.TemporaryDirectory(prefix="bench-") as data, _database_beside(address) as throwaway:
        return _run(module, data, throwaway)


def say(line: str) -> None:
    """To whoever waits; figures go to standard output."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _run(module: str, data: str, database: str) -> Any:
    environment = os.environ | {
        "DATABASE_URL": database,
        "DATA": data,
        "DJANGO_SETTINGS_MODULE": "community.settings.dev",
        "DEBUG": "0",
        "LOG_LEVEL": "ERROR",
        "EMAIL_URL": "",
        "REDIS_URL": "",
        "ELASTICSEARCH_URL": "",
    }
    command = [sys.executable, "-m", module]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(done.returncode)
    return json.loads(done.stdout)


@contextmanager
def _database_beside(address: str) -> Iterator[str]:
    import psycopg
    from psycopg import sql

    name = f"bench_{os.getpid()}"
    parts = urlsplit(address)
    with psycopg.connect(address.replace("postgres://", "postgresql://", 1), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield urlunsplit(parts._replace(path=f"/{name}"))
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


# In the process that measures -------------------------------------------------------------------------------


def load(titles: list[str]) -> None:
    """Make the database and a thread of each title; every third is solved, the first has ANSWERS. All are indexed."""
    import django

    django.setup()
    from django.core.management import call_command

    from community.search import documents

    say("Making the database …")
    call_command("migrate", verbosity=0, interactive=False)
    call_command("createcachetable", verbosity=0)
    say(f"Loading {len(titles):,} threads …")
    _threads(titles)
    say("Indexing them …")
    documents.rebuild()
    _as_after_some_days()


def _threads(titles: list[str]) -> None:
    from datetime import timedelta

    from community.accounts.services import join
    from community.core import clock
    from community.questions.models import Answer, State, Thread

    now = clock.now()
    settled = "Do it slowly, and let it rest for ten minutes."
    people = [join(f"person{number}", f"Person {number}", email=f"person{number}@example.org") for number in range(20)]
    rows = []
    for number, title in enumerate(titles):
        words = f"{titles[number - 1]} {titles[number - 2]}"
        rows.append(
            Thread(
                title=title[:200],
                author=people[number % 20],
                created_at=now - timedelta(minutes=number),
                active_at=now - timedelta(minutes=number),
                body_source=words,
                body_html=f"<p>{words.replace('<', '').replace('&', '')}</p>",
                body_text=words,
            )
        )
    Thread.objects.bulk_create(rows, batch_size=500)
    solved = rows[::3]
    answers = [
        Answer(
            thread=thread,
            author=people[(number + 7) % 20],
            created_at=now,
            accepted_at=now,
            body_source=settled,
            body_html=f"<p>{settled}</p>",
            body_text=settled,
        )
        for number, thread in enumerate(solved)
    ]
    others = [
        Answer(
            thread=rows[0], author=author, created_at=now, body_source=text, body_html=f"<p>{text}</p>", body_text=text
        )
        for author, text in zip(people[1:], itertools.repeat(settled * 5), strict=False)
    ]
    Answer.objects.bulk_create(answers + others[: ANSWERS - 1], batch_size=500)
    for thread, answer in zip(solved, answers, strict=True):
        thread.solved_at, thread.leading_solution, thread.state, thread.answer_count = now, answer, State.SOLVED, 1
    rows[0].answer_count = ANSWERS
    Thread.objects.bulk_update(solved, ["solved_at", "leading_solution", "state", "answer_count"], batch_size=500)


def _as_after_some_days() -> None:
    """PostgreSQL plans by what it knows of its tables; a site that has run for a while knows."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")

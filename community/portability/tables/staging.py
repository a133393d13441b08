"""Rows read aside before the first is written (decision 0087): checked, told apart, and in the order of their days.

A temporary SQLite file holds them, so that memory does not depend on how many there are.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE rows (
    number INTEGER PRIMARY KEY, key TEXT NOT NULL, digest TEXT NOT NULL, pair TEXT NOT NULL, words TEXT NOT NULL,
    moment TEXT NOT NULL, data TEXT NOT NULL
);
CREATE TABLE people (key TEXT PRIMARY KEY);
"""
INDEXES = """
CREATE INDEX rows_key ON rows (key);
CREATE INDEX rows_pair ON rows (pair, words);
CREATE INDEX rows_moment ON rows (moment, number);
"""


def digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


class Staging:
    """The rows of a table, to be asked in order."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path)
        self._db.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -4000;")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        self._db.close()

    def add(self, number: int, key: str, pair: str, words: str, moment: str, data: Mapping[str, Any]) -> None:
        written = json.dumps(data, sort_keys=True)
        self._db.execute(
            "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?)",
            (number, key, hashlib.sha256(written.encode()).hexdigest(), pair, words, moment, written),
        )

    def finish(self) -> None:
        self._db.executescript(INDEXES)
        self._db.commit()

    def count(self) -> int:
        return int(self._db.execute("SELECT COUNT(*) FROM rows").fetchone()[0])

    def same_id(self) -> Iterator[tuple[int, int, bool]]:
        """(row, the first row with its id, whether it says the same)."""
        found = self._db.execute(
            "SELECT r.number, f.number, r.digest = f.digest FROM rows r JOIN rows f ON f.key = r.key AND f.number ="
            " (SELECT MIN(number) FROM rows WHERE key = r.key) WHERE r.number > f.number ORDER BY r.number"
        )
        for number, first, same in found.fetchall():
            yield number, first, bool(same)

    def same_words(self) -> Iterator[tuple[int, int]]:
        """(row, the row before it in which the same person says the very same of the same product)."""
        found = self._db.execute(
            "SELECT number, (SELECT f.number FROM rows f WHERE f.pair = r.pair AND f.words = r.words"
            " ORDER BY f.moment, f.number LIMIT 1) AS first FROM rows r WHERE first <> number ORDER BY number"
        )
        yield from found.fetchall()

    def drop(self, number: int) -> None:
        self._db.execute("DELETE FROM rows WHERE number = ?", (number,))

    def in_order(self) -> Iterator[tuple[int, str, str, dict[str, Any]]]:
        """(number, key, digest, data), oldest first."""
        for number, key, mark, data in self._db.execute(
            "SELECT number, key, digest, data FROM rows ORDER BY moment, number"
        ):
            yield number, key, mark, json.loads(data)

    def meets(self, person: str) -> bool:
        """Whether somebody is met for the first time in this import; a dry run can't ask the database."""
        done = self._db.execute("INSERT OR IGNORE INTO people VALUES (?)", (person,))
        return done.rowcount > 0

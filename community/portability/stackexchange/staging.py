"""A dump's rows in a temporary database beside ours, so that a question can be read with all that hangs on it.

The files are sorted by their own ids, not by question. Gathering them in memory would take as much of it as the dump
is long; a file on disk takes none. Reading everything before anything is written also means that a dump which breaks
off in the middle changes nothing.
"""

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from community.portability.errors import ImportProblem

from . import files
from .files import Row

QUESTION, ANSWER, TAG_EXCERPT = 1, 2, 4
ACCEPTED, UP, DOWN, FAVOURITE = 1, 2, 3, 5
VOTES_TAKEN = (ACCEPTED, UP, DOWN, FAVOURITE)
DUPLICATE = 3
CLOSED, REOPENED, SUGGESTED = 10, 11, 24
VERSIONS = tuple(range(1, 10))  # first texts, edits, rollbacks
HISTORY_TAKEN = (*VERSIONS, CLOSED, REOPENED, SUGGESTED)

SCHEMA = """
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL, created TEXT NOT NULL);
CREATE TABLE posts (
    id INTEGER PRIMARY KEY, type INTEGER NOT NULL, parent INTEGER, owner INTEGER, owner_name TEXT NOT NULL,
    created TEXT NOT NULL, score INTEGER NOT NULL, title TEXT NOT NULL, tags TEXT NOT NULL, body TEXT NOT NULL,
    accepted INTEGER, closed TEXT, views INTEGER NOT NULL, edited TEXT, active TEXT, wiki INTEGER NOT NULL,
    licence TEXT NOT NULL
);
CREATE TABLE comments (
    id INTEGER PRIMARY KEY, post INTEGER NOT NULL, owner INTEGER, owner_name TEXT NOT NULL, body TEXT NOT NULL,
    created TEXT NOT NULL, licence TEXT NOT NULL
);
CREATE TABLE votes (
    id INTEGER PRIMARY KEY, post INTEGER NOT NULL, type INTEGER NOT NULL, created TEXT NOT NULL, owner INTEGER
);
CREATE TABLE history (
    id INTEGER PRIMARY KEY, post INTEGER NOT NULL, type INTEGER NOT NULL, version TEXT NOT NULL, owner INTEGER,
    owner_name TEXT NOT NULL, created TEXT NOT NULL, remark TEXT NOT NULL, body TEXT NOT NULL
);
CREATE TABLE links (
    id INTEGER PRIMARY KEY, post INTEGER NOT NULL, related INTEGER NOT NULL, type INTEGER NOT NULL,
    created TEXT NOT NULL
);
CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT NOT NULL, excerpt INTEGER);
CREATE TABLE badges (id INTEGER PRIMARY KEY);
"""
# What belongs to a question that is there: itself, and its answers.
INDEXES = """
CREATE TABLE kept (id INTEGER PRIMARY KEY, thread INTEGER NOT NULL);
INSERT INTO kept SELECT id, id FROM posts WHERE type = 1;
INSERT INTO kept SELECT a.id, a.parent FROM posts a JOIN posts q ON q.id = a.parent AND q.type = 1 WHERE a.type = 2;
CREATE INDEX kept_thread ON kept (thread);
CREATE INDEX comments_post ON comments (post);
CREATE INDEX votes_post ON votes (post);
CREATE INDEX history_post ON history (post);
CREATE INDEX links_post ON links (post);
CREATE TABLE authors AS
    SELECT owner, owner_name, MIN(created) AS first FROM (
        SELECT p.owner, p.owner_name, p.created FROM posts p JOIN kept k ON k.id = p.id
        UNION ALL SELECT c.owner, c.owner_name, c.created FROM comments c JOIN kept k ON k.id = c.post
        UNION ALL SELECT h.owner, h.owner_name, h.created FROM history h JOIN kept k ON k.id = h.post
            WHERE h.type < 10 AND (h.owner IS NOT NULL OR h.owner_name <> '')
    ) GROUP BY owner, CASE WHEN owner IS NULL THEN owner_name ELSE '' END;
CREATE INDEX authors_owner ON authors (owner);
"""


def _user(row: Row) -> tuple[Any, ...]:
    name = row.words("DisplayName")
    if not name.strip():
        raise row.problem("DisplayName is missing")
    return row.number("Id"), name, row.moment("CreationDate")


def _post(row: Row) -> tuple[Any, ...]:
    kind = row.number("PostTypeId")
    if kind == QUESTION and not row.words("Title").strip():
        raise row.problem("a question without Title")
    views = row.maybe_number("ViewCount") or 0
    return (
        row.number("Id"), kind, row.number("ParentId") if kind == ANSWER else None, row.maybe_number("OwnerUserId"),
        row.words("OwnerDisplayName").strip(), row.moment("CreationDate"), row.maybe_number("Score") or 0,
        row.words("Title"), row.words("Tags"), row.words("Body"), row.maybe_number("AcceptedAnswerId"),
        row.maybe_moment("ClosedDate"), max(0, views), row.maybe_moment("LastEditDate"),
        row.maybe_moment("LastActivityDate"), int("CommunityOwnedDate" in row.values), row.words("ContentLicense"),
    )  # fmt: skip


def _comment(row: Row) -> tuple[Any, ...]:
    return (
        row.number("Id"), row.number("PostId"), row.maybe_number("UserId"), row.words("UserDisplayName").strip(),
        row.words("Text"), row.moment("CreationDate"), row.words("ContentLicense"),
    )  # fmt: skip


def _vote(row: Row) -> tuple[Any, ...]:
    return (
        row.number("Id"), row.number("PostId"), row.number("VoteTypeId"), row.moment("CreationDate"),
        row.maybe_number("UserId"),
    )  # fmt: skip


def _history(row: Row) -> tuple[Any, ...] | None:
    kind = row.number("PostHistoryTypeId")
    if kind not in HISTORY_TAKEN:
        return None
    key = row.number("Id")
    return (
        key, row.number("PostId"), kind, row.words("RevisionGUID") or str(key), row.maybe_number("UserId"),
        row.words("UserDisplayName").strip(), row.moment("CreationDate"), row.words("Comment"), row.words("Text"),
    )  # fmt: skip


def _link(row: Row) -> tuple[Any, ...]:
    return (
        row.number("Id"), row.number("PostId"), row.number("RelatedPostId"), row.number("LinkTypeId"),
        row.moment("CreationDate"),
    )  # fmt: skip


def _tag(row: Row) -> tuple[Any, ...]:
    if not row.words("TagName"):
        raise row.problem("TagName is missing")
    return row.number("Id"), row.words("TagName"), row.maybe_number("ExcerptPostId")


def _badge(row: Row) -> tuple[Any, ...]:
    return (row.number("Id"),)


TABLES: dict[str, tuple[str, Callable[[Row], tuple[Any, ...] | None]]] = {
    "Users": ("users", _user),
    "Posts": ("posts", _post),
    "Comments": ("comments", _comment),
    "Votes": ("votes", _vote),
    "PostHistory": ("history", _history),
    "PostLinks": ("links", _link),
    "Tags": ("tags", _tag),
    "Badges": ("badges", _badge),
}


class Staging:
    """The dump, to be asked by question."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path)
        self._db.row_factory = sqlite3.Row
        # It lives for one import: no care for a power cut, and little memory.
        self._db.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -4000;")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        self._db.close()

    def ask(self, sql: str, *values: Any) -> Iterator[sqlite3.Row]:
        return iter(self._db.execute(sql, values))

    def count(self, sql: str, *values: Any) -> int:
        return int(self._db.execute(sql, values).fetchone()[0])

    def fill(self, found: dict[str, Path], watch: Callable[[Iterable[Row], str], Iterable[Row]]) -> None:
        """Read all files in. `watch` wraps the rows of each, to show how far it is."""
        for name, path in found.items():
            table, read = TABLES[name]
            row: Row | None = None
            insert = ""
            try:
                for row in watch(files.rows(path), path.name):
                    values = read(row)
                    if values is None:
                        continue
                    insert = insert or f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})"  # noqa: S608
                    self._db.execute(insert, values)
            except sqlite3.IntegrityError:
                raise ImportProblem(row.where if row else path.name, "this Id stands there twice") from None
            except (sqlite3.Error, UnicodeError) as broken:
                raise ImportProblem(row.where if row else path.name, broken) from None
            self._db.commit()
        self._db.executescript(INDEXES)
        self._db.commit()

    # Reads

    def questions(self) -> Iterator[int]:
        """Ids of all questions, oldest first."""
        for row in self.ask("SELECT id FROM posts WHERE type = 1 ORDER BY id"):
            yield row["id"]

    def has(self, post_id: int) -> bool:
        return self.count("SELECT COUNT(*) FROM kept WHERE id = ?", post_id) > 0

    def has_user(self, user_id: int) -> bool:
        return self.count("SELECT COUNT(*) FROM users WHERE id = ?", user_id) > 0

    def posts_of(self, question: int) -> list[sqlite3.Row]:
        """The question, then its answers, oldest first."""
        return list(
            self.ask(
                "SELECT p.* FROM posts p JOIN kept k ON k.id = p.id"
                " WHERE k.thread = ? ORDER BY p.type, p.created, p.id",
                question,
            )
        )

    def of_post(self, table: str, post: int) -> list[sqlite3.Row]:
        return list(self.ask(f"SELECT * FROM {table} WHERE post = ? ORDER BY created, id", post))  # noqa: S608

    def duplicates(self) -> Iterator[sqlite3.Row]:
        """The first original of each question that was asked before, where both are there."""
        return self.ask(
            "SELECT l.post, l.related, l.created FROM links l JOIN posts p ON p.id = l.post AND p.type = 1"
            " JOIN posts o ON o.id = l.related AND o.type = 1"
            " WHERE l.type = ? AND l.post <> l.related AND l.id = "
            "(SELECT MIN(f.id) FROM links f JOIN posts g ON g.id = f.related AND g.type = 1"
            " WHERE f.post = l.post AND f.type = l.type AND f.related <> f.post) ORDER BY l.created, l.id",
            DUPLICATE,
        )

    def is_duplicate(self, question: int) -> bool:
        return (
            self.count(
                "SELECT COUNT(*) FROM links l JOIN posts o ON o.id = l.related AND o.type = 1"
                " WHERE l.post = ? AND l.related <> l.post AND l.type = ?",
                question,
                DUPLICATE,
            )
            > 0
        )

    def authors(self) -> Iterator[sqlite3.Row]:
        """Whoever wrote something that is taken over, with the moment of the first thing: id or name, or neither."""
        return self.ask("SELECT * FROM authors ORDER BY first, owner, owner_name")

    def is_author(self, user_id: int) -> bool:
        return self.count("SELECT COUNT(*) FROM authors WHERE owner = ?", user_id) > 0

    def uses_tag(self, name: str) -> bool:
        found = self.count(
            "SELECT COUNT(*) FROM posts WHERE type = 1 AND"
            " (INSTR(tags, '<' || ?1 || '>') OR INSTR('|' || tags || '|', '|' || ?1 || '|'))",
            name,
        )
        return found > 0

    def user(self, user_id: int) -> sqlite3.Row | None:
        return next(self.ask("SELECT * FROM users WHERE id = ?", user_id), None)

    def described_tags(self) -> Iterator[sqlite3.Row]:
        return self.ask(
            "SELECT t.name, p.body, p.created, p.licence FROM tags t JOIN posts p ON p.id = t.excerpt AND p.type = ?"
            " WHERE TRIM(p.body) <> '' ORDER BY t.id",
            TAG_EXCERPT,
        )

    def site_by_links(self) -> str:
        """The site that this is, told by the links between its posts; empty when they don't say."""
        hosts: dict[str, int] = {}
        pairs = self.ask(
            "SELECT p.body, l.related FROM links l"
            " JOIN posts p ON p.id = l.post JOIN posts o ON o.id = l.related LIMIT 400"
        )
        for row in pairs:
            pattern = rf"https?://([a-z0-9.-]+\.[a-z]{{2,}})/(?:questions|q|a)/{row['related']}\b"
            for host in set(re.findall(pattern, row["body"])):
                hosts[host] = hosts.get(host, 0) + 1
        best = max(hosts, key=lambda host: hosts[host], default="")
        return best if best and hosts[best] >= 3 and hosts[best] * 3 >= 2 * sum(hosts.values()) else ""

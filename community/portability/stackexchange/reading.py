"""How a dump writes things, and how we do: tags, licences, reasons, versions."""

import hashlib
import re
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from community.core import text
from community.posts.tagging import tag_and_slug

from .staging import SUGGESTED, VERSIONS

# Under which licence a text stands that doesn't say so itself: by the day it was written.
LICENCES = (("2018-05-02", "CC BY-SA 4.0"), ("2011-04-08", "CC BY-SA 3.0"), ("", "CC BY-SA 2.5"))
# Codes of PostHistory type 10; the small ones are from before 2013.
REASONS = {
    "1": gettext_noop("asked before"),
    "2": gettext_noop("off topic"),
    "3": gettext_noop("subjective"),
    "4": gettext_noop("not a real question"),
    "7": gettext_noop("too localised"),
    "10": gettext_noop("general reference"),
    "20": gettext_noop("noise or pointless"),
    "101": gettext_noop("asked before"),
    "102": gettext_noop("off topic"),
    "103": gettext_noop("unclear what is asked"),
    "104": gettext_noop("too broad"),
    "105": gettext_noop("mostly a matter of opinion"),
}
TITLE, TAGS, BODY = {1, 4, 7}, {3, 6, 9}, {2, 5, 8}


def moment(value: str) -> datetime:
    return datetime.fromisoformat(value)


def licence(row: sqlite3.Row) -> str:
    if row["licence"]:
        return str(row["licence"])[:40]
    return next(name for since, name in LICENCES if row["created"] >= since)


def tag_names(written: str) -> list[str]:
    """The tags of `<a><b>`, of `|a|b|`, or of `a b`."""
    return [name for name in re.split(r"[<>|\s]+", written) if name]


def tag_slugs(written: str) -> list[str]:
    return sorted({slug for name in tag_names(written) if (slug := tag_and_slug(name)[1])})


def title_of(written: str) -> str:
    return text.clean_line(written)[:200]


def why_closed(code: str, site: str) -> str:
    """The reason as our page shows it."""
    known = REASONS.get(code.strip())
    if known is None:
        return _("Closed on %(site)s.") % {"site": site}
    return _("Closed on %(site)s: %(reason)s.") % {"site": site, "reason": _(known)}


def mark(value: str | Iterable[str]) -> str:
    """A short hash to tell whether something changed."""
    whole = value if isinstance(value, str) else "\n".join(value)
    return hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()[:16]


def digest(parts: Iterable[object]) -> str:
    """A hash of everything that hangs on a question."""
    total = hashlib.sha256()
    for part in parts:
        written = repr(tuple(part)) if isinstance(part, sqlite3.Row) else repr(part)
        total.update(written.encode("utf-8", "replace") + b"\0")
    return total.hexdigest()


@dataclass
class Version:
    """One state of a text, as its history tells it."""

    key: str
    created: datetime
    owner: int | None
    owner_name: str
    title: str
    tags: str
    body: str
    summary: str = ""
    kinds: set[int] = field(default_factory=set)


def versions(history: list[sqlite3.Row]) -> list[Version]:
    """The states a text went through: rows of one edit share a version, and what an edit leaves out stayed."""
    found: dict[str, Version] = {}
    title = tags = body = ""
    for row in history:
        if row["type"] not in VERSIONS:
            continue
        if row["type"] in TITLE:
            title = title_of(row["body"])
        elif row["type"] in TAGS:
            tags = " ".join(tag_slugs(row["body"]))
        elif row["type"] in BODY:
            body = text.clean_source(row["body"])
        version = found.get(row["version"])
        if version is None:
            version = found[row["version"]] = Version(
                str(row["id"]), moment(row["created"]), row["owner"], row["owner_name"], "", "", ""
            )
        version.title, version.tags, version.body = title, tags, body
        version.summary = version.summary or text.clean_line(row["remark"])[:300]
    for row in history:
        if row["type"] == SUGGESTED and row["version"] in found:
            version = found[row["version"]]
            version.summary = version.summary or text.clean_line(row["remark"])[:300]
    return sorted(found.values(), key=lambda version: (version.created, int(version.key)))

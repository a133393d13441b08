"""Small dumps made by the tests, in the old format and the new one."""

import gzip
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

SITE = "coffee.example.com"
DAY = "2020-05-{:02d}T{:02d}:00:00.000"
Rows = Iterable[dict[str, Any]]


def write(folder: Path, *, gzipped: bool = False, bom: bool = True, new_format: bool = True, **files: Rows) -> Path:
    """Write Posts=[…], Users=[…] and so on as a dump writes them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in files.items():
        lines = ['<?xml version="1.0" encoding="utf-8"?>', f"<{name.lower()}>"]
        for row in rows:
            shown = {key: value for key, value in row.items() if value is not None}
            if not new_format:
                shown.pop("ContentLicense", None)
            attributes = " ".join(
                f"{key}={quoteattr(str(value), {chr(10): '&#xA;', chr(13): '&#xD;'})}" for key, value in shown.items()
            )
            lines.append(f"  <row {attributes} />")
        whole = ("\ufeff" if bom else "") + "\r\n".join([*lines, f"</{name.lower()}>"])
        if gzipped:
            (folder / f"{name}.xml.gz").write_bytes(gzip.compress(whole.encode()))
        else:
            (folder / f"{name}.xml").write_bytes(whole.encode())
    return folder


def a_user(key: int, name: str = "", **more: Any) -> dict[str, Any]:
    return {"Id": key, "DisplayName": name or f"Member {key}", "CreationDate": DAY.format(1, 8), **more}


def a_question(key: int, owner: int | None = 1, **more: Any) -> dict[str, Any]:
    return {
        "Id": key, "PostTypeId": 1, "CreationDate": DAY.format(2, key % 20), "Score": 0, "ViewCount": 10,
        "Body": f"<p>Why does number {key} drip?</p>", "OwnerUserId": owner, "Title": f"Why does number {key} drip?",
        "Tags": "<espresso><cold-brew>", **more,
    }  # fmt: skip


def an_answer(key: int, to: int, owner: int | None = 2, **more: Any) -> dict[str, Any]:
    return {
        "Id": key, "PostTypeId": 2, "ParentId": to, "CreationDate": DAY.format(3, key % 20), "Score": 0,
        "Body": f"<p>Close the valve, says {key}.</p>", "OwnerUserId": owner, **more,
    }  # fmt: skip


def a_vote(key: int, on: int, kind: int = 2, **more: Any) -> dict[str, Any]:
    return {"Id": key, "PostId": on, "VoteTypeId": kind, "CreationDate": "2020-05-04T00:00:00.000", **more}


def a_comment(key: int, on: int, owner: int | None = 1, **more: Any) -> dict[str, Any]:
    return {
        "Id": key, "PostId": on, "Score": 0, "Text": f"Thank you, {key}", "CreationDate": DAY.format(5, key % 20),
        "UserId": owner, **more,
    }  # fmt: skip


def a_history(
    key: int, on: int, kind: int, text: str, version: str, owner: int | None = 1, **more: Any
) -> dict[str, Any]:
    return {
        "Id": key, "PostHistoryTypeId": kind, "PostId": on, "RevisionGUID": version,
        "CreationDate": DAY.format(2, key % 20), "UserId": owner, "Text": text, **more,
    }  # fmt: skip


def a_link(key: int, post: int, related: int, kind: int = 3) -> dict[str, Any]:
    return {
        "Id": key, "CreationDate": DAY.format(6, 1), "PostId": post, "RelatedPostId": related, "LinkTypeId": kind,
    }  # fmt: skip


def small() -> dict[str, list[dict[str, Any]]]:
    """Two questions: one accepted, voted on and commented; one closed as asked before."""
    return {
        "Users": [a_user(-1, "Community"), a_user(1, "Ann"), a_user(2, "Bo"), a_user(3, "Silent Reader")],
        "Posts": [
            a_question(10, AcceptedAnswerId=12, Score=2, ContentLicense="CC BY-SA 4.0"),
            an_answer(12, 10, Score=1),
            an_answer(13, 10, owner=1, Score=-1),
            a_question(11, owner=2, Tags="|espresso|", ClosedDate=DAY.format(6, 1)),
            {
                "Id": 90, "PostTypeId": 4, "CreationDate": DAY.format(1, 1), "Score": 0, "Body": "All about espresso.",
                "OwnerUserId": -1,
            },
        ],
        "Votes": [
            a_vote(1, 10), a_vote(2, 10), a_vote(3, 12), a_vote(4, 13, 3), a_vote(5, 12, 1),
            a_vote(6, 10, 5, UserId=2), a_vote(7, 10, 5, UserId=3), a_vote(8, 999), a_vote(9, 10, 16),
        ],
        "Comments": [a_comment(1, 10, 2), a_comment(2, 12, 1), a_comment(3, 999), a_comment(4, 90)],
        "Tags": [{"Id": 1, "TagName": "espresso", "Count": 2, "ExcerptPostId": 90}],
        "Badges": [{"Id": 1, "UserId": 1, "Name": "Student", "Date": DAY.format(2, 1)}],
        "PostHistory": [
            a_history(1, 10, 1, "Why drip?", "v1"), a_history(2, 10, 2, "Why, **why**", "v1"),
            a_history(3, 10, 3, "<espresso>", "v1"),
            a_history(14, 10, 5, "Why, why, why", "v2", owner=2, Comment="one more why"),
            a_history(15, 10, 4, "Why does number 10 drip?", "v3", owner=-1),
            a_history(16, 11, 10, '{"Voters":[]}', "v4", Comment="101"),
        ],
        "PostLinks": [a_link(1, 11, 10), a_link(2, 10, 11, 1), a_link(3, 10, 999)],
    }  # fmt: skip

"""What the story's files are made of: rows.

They remember the line they begin on, so that a mistake can be named by file and line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True, order=True)
class Problem:
    """Something a file gets wrong."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


class BadContent(Exception):
    """The files can't be told as they are; `problems` says where."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Row(dict):
    """A mapping of a file that knows where it stands."""

    file: str = ""
    line: int = 0

    @property
    def where(self) -> str:
        return f"{self.file}:{self.line}"


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    file = ""
    first_line = 1


def _row(loader: Any, node: yaml.MappingNode) -> Iterator[Row]:
    row = Row()
    row.file, row.line = loader.file, node.start_mark.line + loader.first_line
    yield row
    row.update(loader.construct_mapping(node))


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _row)


def parse(text: str, file: str, first_line: int = 1) -> Any:
    """YAML with rows that know their line. Raises BadContent where it can't be read."""
    loader = _Loader(text)
    loader.file, loader.first_line = file, first_line
    try:
        return loader.get_single_data()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + first_line if mark else first_line
        raise BadContent([Problem(file, line, str(getattr(error, "problem", None) or "cannot be read"))]) from None
    finally:
        loader.dispose()


def parse_markdown(text: str, file: str) -> Row:
    """Front matter and what follows it, under `body`."""
    start, _, rest = text.partition("---\n")
    front, fence, body = rest.partition("\n---\n")
    if start.strip() or not fence:
        raise BadContent([Problem(file, 1, "begins without front matter between two lines of ---")])
    row = parse(front, file, first_line=2)
    if not isinstance(row, Row):
        raise BadContent([Problem(file, 2, "the front matter is no list of keys")])
    row["body"] = body.strip()
    return row


@dataclass
class Content:
    """Everything the files say."""

    folder: Path
    brand: Row
    people: list[Row]
    topics: list[Row]
    products: Row
    reviews: list[Row]
    threads: list[Row]
    recipes: list[Row]
    tips: list[Row]
    articles: list[Row]
    pages: Row
    badges: list[Row]
    ranks: list[Row]
    policies: Row
    release_notes: list[Row]
    insights: Row
    shelf: Row
    programme: Row = field(default_factory=Row)
    replies: list[Row] = field(default_factory=list)
    channels: list[Row] = field(default_factory=list)
    incidents: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

"""The files of a dump, row by row: nothing is held, and nothing outside the file is followed."""

import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException, DTDForbidden
from defusedxml.ElementTree import iterparse

from community.portability.errors import ImportProblem

NAMES = ("Users", "Posts", "Comments", "Votes", "PostHistory", "PostLinks", "Tags", "Badges")
NEEDED = ("Users", "Posts")
_INTEGER = re.compile(r"-?\d{1,18}")


@dataclass(frozen=True)
class Row:
    """One row of a file, read strictly: a wrong value raises ImportProblem with file, row and reason."""

    file: str
    position: int
    values: dict[str, str]

    @property
    def where(self) -> str:
        known = self.values.get("Id")
        return f"{self.file}, row {known}" if known else f"{self.file}, row number {self.position}"

    def problem(self, reason: str) -> ImportProblem:
        return ImportProblem(self.where, reason)

    def number(self, name: str) -> int:
        value = self.values.get(name)
        if value is None:
            raise self.problem(f"{name} is missing")
        if not _INTEGER.fullmatch(value):
            raise self.problem(f"{name} is not a whole number: {value[:60]!r}")
        return int(value)

    def maybe_number(self, name: str) -> int | None:
        return self.number(name) if self.values.get(name) else None

    def moment(self, name: str) -> str:
        """An ISO date in UTC, in a form that sorts."""
        value = self.values.get(name)
        if not value:
            raise self.problem(f"{name} is missing")
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise self.problem(f"{name} is not a date: {value[:60]!r}") from None
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment.isoformat(timespec="microseconds")

    def maybe_moment(self, name: str) -> str | None:
        return self.moment(name) if self.values.get(name) else None

    def words(self, name: str) -> str:
        return self.values.get(name, "")


def find(folder: Path) -> dict[str, Path]:
    """The files of a dump in a folder, plain or gzipped. Raises ImportProblem when it is no dump."""
    if not folder.is_dir():
        raise ImportProblem(str(folder), "there is no such folder")
    found = {}
    for name in NAMES:
        for path in (folder / f"{name}.xml", folder / f"{name}.xml.gz"):
            if path.is_file():
                found[name] = path
                break
    for name in NEEDED:
        if name not in found:
            raise ImportProblem(str(folder), f"{name}.xml or {name}.xml.gz is missing")
    return found


def _open(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def rows(path: Path) -> Iterator[Row]:
    """The rows of one file, one at a time. Raises ImportProblem where it can't be read on."""
    expected = path.name.partition(".")[0].lower()
    position = 0
    try:
        with closing(_open(path)) as stream:
            root = None
            for step, element in iterparse(stream, events=("start", "end"), forbid_dtd=True):
                if step == "start":
                    if root is None:
                        root = element
                        if root.tag != expected:
                            raise ImportProblem(path.name, f"it holds <{root.tag}>, not <{expected}>")
                    continue
                if element is root:
                    continue
                if element.tag != "row":
                    raise ImportProblem(path.name, f"<{element.tag}> after {position} rows: only <row> is expected")
                position += 1
                yield Row(path.name, position, dict(element.attrib))
                root.clear()  # or every row would stay in memory
    except DTDForbidden:
        raise ImportProblem(
            path.name, "it has a DTD (<!DOCTYPE …>), which no dump has; it is refused, as it could pull in other files"
        ) from None
    except DefusedXmlException as refused:
        raise ImportProblem(path.name, f"it declares entities, which no dump does; refused ({refused})") from None
    except ParseError as broken:
        raise ImportProblem(path.name, f"no well-formed XML after {position} rows: {broken}") from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as broken:
        raise ImportProblem(path.name, f"the gzip file is damaged after {position} rows: {broken}") from None
    except OSError as broken:
        raise ImportProblem(path.name, f"can't be read: {broken.strerror or broken}") from None

"""Tables of rows: CSV and JSON lines, plain or gzipped, one row at a time and never the whole file."""

import codecs
import csv
import gzip
import json
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any

from community.portability.errors import ImportProblem

LONGEST_FIELD = 1_000_000  # characters; what is longer is a file with a quote that never ends
LONGEST_LINE = 10_000_000
DELIMITERS = ",;\t|"
MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True)
class Row:
    """One row: its number (the first after the header is 1), its values, and why it can't be used, if so."""

    number: int
    values: dict[str, Any]
    problem: str = ""


def rows(path: Path, *, encoding: str = "", delimiter: str = "") -> Iterator[Row]:
    """The rows of a file. Raises ImportProblem where it can't be read on.

    `encoding` is UTF-8 unless the file begins with another mark or the caller says otherwise.
    """
    if not path.is_file():
        raise ImportProblem(str(path), "there is no such file")
    encoding = encoding or _marked(path) or "utf-8"
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise ImportProblem("--encoding", f"there is no encoding {encoding!r}") from None
    row = 0
    try:
        with closing(_open(path)) as raw, TextIOWrapper(raw, encoding=encoding, newline="") as stream:
            read = _json_lines(stream, path) if _is_json(path) else _csv(stream, path, delimiter)
            for found in read:
                row = found.number
                yield found
    except UnicodeError as wrong:
        # Where in the file is not known: it is decoded in blocks.
        words = "it is not all UTF-8; say --encoding cp1252, or what it is" if encoding == "utf-8" else str(wrong)
        raise ImportProblem(f"{path.name}, after row {row}", words) from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as broken:
        raise ImportProblem(f"{path.name}, after row {row}", f"the gzip file is damaged: {broken}") from None
    except OSError as broken:
        raise ImportProblem(path.name, f"can't be read: {broken.strerror or broken}") from None


def _open(path: Path) -> IO[bytes]:
    with path.open("rb") as head:
        zipped = head.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if zipped else path.open("rb")  # type: ignore[return-value]


def _marked(path: Path) -> str:
    with closing(_open(path)) as raw:
        head = raw.read(4)
    return next((name for mark, name in MARKS if head.startswith(mark)), "")


def _is_json(path: Path) -> bool:
    name = path.name.removesuffix(".gz")
    if name.endswith((".csv", ".tsv", ".txt")):
        return False
    return name.endswith((".jsonl", ".ndjson", ".json"))


def _csv(stream: IO[str], path: Path, delimiter: str) -> Iterator[Row]:
    csv.field_size_limit(LONGEST_FIELD)
    first = stream.readline(LONGEST_FIELD)
    if not first.strip():
        raise ImportProblem(path.name, "it is empty: the first line has to name the columns")
    delimiter = delimiter or max(DELIMITERS, key=first.count)
    header = next(csv.reader([first], delimiter=delimiter))
    header = [name.strip() for name in header]
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise ImportProblem(f"{path.name}, header", f"two columns are called {twice[0]!r}")
    number = 0
    try:
        for cells in csv.reader(stream, delimiter=delimiter, strict=True):
            if not cells:
                continue
            number += 1
            problem = ""
            if len(cells) != len(header):
                problem = f"it has {len(cells)} columns, the header has {len(header)}"
            yield Row(number, dict.fromkeys(header, "") | dict(zip(header, cells, strict=False)), problem)
    except csv.Error as broken:
        raise ImportProblem(f"{path.name}, after row {number}", f"no valid CSV: {broken}") from None


def _json_lines(stream: IO[str], path: Path) -> Iterator[Row]:
    number = 0
    while line := stream.readline(LONGEST_LINE):
        if not line.strip():
            continue
        number += 1
        if len(line) >= LONGEST_LINE:
            raise ImportProblem(f"{path.name}, row {number}", f"the line is longer than {LONGEST_LINE} characters")
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as broken:
            yield Row(number, {}, f"no valid JSON: {broken}")
            continue
        if isinstance(values, dict):
            yield Row(number, values)
        else:
            yield Row(number, {}, "it is not an object in braces; a file of JSON lines has one on each line")

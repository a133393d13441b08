"""Which column is which of our fields, and how its values are written: a mapping file, or columns named as we do.

source: amazon.com            # who published it: a host name, or a short name
licence: CC0 1.0
zone: Europe/Berlin           # for times that name none; UTC otherwise
text: auto                    # html, plain, markdown; auto looks at each text
fields:
  id: Id                      # field: column; in JSON lines also a path such as user.name
  created_at: {column: Day, format: "%d.%m.%Y"}
  helpful_no: {column: Votes, minus: HelpfulVotes}
  url: {template: "https://www.amazon.com/dp/{ProductId}"}
  disclosure: {value: bought}
  would_recommend: {column: Rec, values: {Y: "yes", N: "no"}}
products:                     # what the file calls a product, and our address of it
  B0089SPDUW: duo
"""

import html
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from community.core import clock, text
from community.core.models import Body
from community.portability.errors import ImportProblem

SHIPPED = Path(__file__).parent / "mappings"
KNOWN = {"source", "licence", "encoding", "delimiter", "zone", "text", "fields", "products", "family"}
WAYS = {"column", "format", "minus", "template", "value", "values"}
TEXTS = {"auto", "html", "plain", "markdown"}
OLDEST = datetime(1990, 1, 1, tzinfo=UTC)  # nobody reviewed anything on the web before
_TAG = re.compile(
    r"<(?:br|p|a|b|i|u|em|strong|ul|ol|li|div|span|blockquote|h[1-6])\b[^<>]{0,2000}/?>|</[a-z]{1,10}>", re.I
)
_ENTITY = re.compile(r"&(?:[a-z]{2,8}|#\d{2,6}|#x[0-9a-f]{2,5});", re.I)
YES, NO = {"yes", "y", "true", "t", "1"}, {"no", "n", "false", "f", "0"}


class BadValue(ValueError):
    """A value of a row that can't be what it should be; says which field and why."""


@dataclass
class Columns:
    """How to read a row."""

    fields: dict[str, dict[str, Any]]
    source: str = ""
    licence: str = ""
    encoding: str = ""
    delimiter: str = ""
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    text: str = "auto"
    family: str = ""
    products: dict[str, str] = field(default_factory=dict)
    where: str = "mapping"

    def raw(self, row: Mapping[str, Any], name: str) -> str:
        """What the row says of a field, as text without spaces around; empty when it says nothing."""
        way = self.fields.get(name)
        if way is None:
            return ""
        if "value" in way:
            return str(way["value"])
        if "template" in way:
            return re.sub(r"\{([^{}]+)\}", lambda m: quote(_cell(row, m[1]), safe=""), way["template"])
        found = _cell(row, way["column"])
        if "minus" in way:
            try:
                return str(int(found or 0) - int(_cell(row, way["minus"]) or 0))
            except ValueError:
                raise BadValue(f"{way['column']} and {way['minus']} have to be whole numbers") from None
        if "values" in way:
            known = {str(key): str(value) for key, value in way["values"].items()}
            if found not in known:
                raise BadValue(f"{way['column']} is {found[:40]!r}; the mapping names {', '.join(sorted(known))}")
            return known[found]
        return found

    def named(self, name: str) -> str:
        """The column a field comes from, for messages."""
        way = self.fields.get(name, {})
        return str(way.get("column", name))

    def number(self, row: Mapping[str, Any], name: str, least: int, most: int, none: int | None = None) -> int | None:
        """A whole number between two; 5.0 is one, 4.5 is not."""
        found = self.raw(row, name)
        if not found:
            return none
        try:
            value = float(found)
        except ValueError:
            value = math.nan
        if not (value == value and abs(value) < 1e12 and value == int(value) and least <= value <= most):
            raise BadValue(f"{self.named(name)} is {found[:40]!r}, not a whole number from {least} to {most}")
        return int(value)

    def moment(self, row: Mapping[str, Any], name: str) -> datetime | None:
        """A moment: seconds or milliseconds since 1970, ISO 8601, or as the mapping's `format` says."""
        found = self.raw(row, name)
        if not found:
            return None
        moment = self._read_moment(found, self.fields[name].get("format", ""))
        if moment is None:
            raise BadValue(f"{self.named(name)} is {found[:40]!r}, not a date; the mapping can name its format")
        if not OLDEST <= moment <= clock.now():
            raise BadValue(f"{self.named(name)} is {moment:%Y-%m-%d}: before there were reviews, or not yet")
        return moment

    def _read_moment(self, found: str, pattern: str) -> datetime | None:
        try:
            if pattern:
                moment = datetime.strptime(found, pattern)
            elif re.fullmatch(r"-?\d{1,15}(?:\.\d+)?", found):
                seconds = float(found)
                return datetime.fromtimestamp(seconds / 1000 if abs(seconds) > 1e11 else seconds, UTC)
            else:
                moment = datetime.fromisoformat(found)
            return (moment if moment.tzinfo else moment.replace(tzinfo=self.zone)).astimezone(UTC)
        except (ValueError, OverflowError, OSError):
            return None

    def day(self, row: Mapping[str, Any], name: str) -> date | None:
        moment = self.moment(row, name)
        return moment.astimezone(self.zone).date() if moment else None

    def yes_no(self, row: Mapping[str, Any], name: str) -> bool | None:
        found = self.raw(row, name).casefold()
        if not found:
            return None
        if found not in YES | NO:
            raise BadValue(f"{self.named(name)} is {found[:40]!r}, neither yes nor no")
        return found in YES

    def choice(self, row: Mapping[str, Any], name: str, choices: Collection[str]) -> str:
        found = self.raw(row, name).casefold()
        if found and found not in choices:
            raise BadValue(
                f"{self.named(name)} is {found[:40]!r}, not one of {', '.join(sorted(c for c in choices if c))}"
            )
        return found

    def line(self, row: Mapping[str, Any], name: str) -> str:
        """A name or a title: one line, without tags and entities."""
        found = self.raw(row, name)
        return text.clean_line(html.unescape(_TAG.sub(" ", found)) if "<" in found or "&" in found else found)

    def words(self, row: Mapping[str, Any], name: str) -> str:
        """A short text of several lines, without tags."""
        found = self.raw(row, name)
        return text.plain_text(found) if is_html(found) else text.clean_source(found).strip()

    def body(self, row: Mapping[str, Any], name: str) -> tuple[str, str]:
        """A long text, and its format."""
        found = text.clean_source(self.raw(row, name)).strip()
        if self.text == "auto":
            return found, Body.Format.HTML if is_html(found) else Body.Format.PLAIN
        return found, self.text

    def address(self, row: Mapping[str, Any], name: str) -> str:
        found = self.raw(row, name)
        if found and (not re.fullmatch(r"https?://[^\s<>\"]{4,480}", found)):
            raise BadValue(f"{self.named(name)} is {found[:60]!r}, not the address of a page")
        return found


def is_html(words: str) -> bool:
    return bool(_TAG.search(words) or _ENTITY.search(words))


def _cell(row: Mapping[str, Any], column: str) -> str:
    found: Any = row.get(column)
    if found is None and "." in column:
        found = row
        for step in column.split("."):
            found = found.get(step) if isinstance(found, dict) else None
    if found is None:
        return ""
    if isinstance(found, bool):
        return "yes" if found else "no"
    if isinstance(found, (dict, list)):
        raise BadValue(f"{column} holds a list or an object, not a value")
    return text.clean_source(str(found)).strip()


def read(told: str, fields: Collection[str], open_fields: Collection[str] = ()) -> Columns:
    """The mapping of a file, or one of those that come with us by name. Raises ImportProblem.

    `open_fields` are prefixes such as `secondary.` that may be followed by anything.
    """
    path = Path(told)
    if not path.is_file():
        path = SHIPPED / f"{told}.yaml"
        if not re.fullmatch(r"[a-z0-9-]+", told) or not path.is_file():
            shipped = ", ".join(sorted(one.stem for one in SHIPPED.glob("*.yaml")))
            raise ImportProblem("--mapping", f"there is no file {told!r}; with us come: {shipped}")
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (yaml.YAMLError, UnicodeError, OSError) as broken:
        raise ImportProblem(path.name, f"can't be read as YAML or JSON: {broken}") from None
    if not isinstance(data, dict) or not isinstance(data.get("fields"), dict):
        raise ImportProblem(path.name, "a mapping has `fields:` with a column for each field")
    if strange := sorted(set(map(str, data)) - KNOWN):
        raise ImportProblem(path.name, f"{strange[0]!r} is not known; there is: {', '.join(sorted(KNOWN))}")
    columns: dict[str, dict[str, Any]] = {}
    for name, way in data["fields"].items():
        if name not in fields and not str(name).startswith(tuple(open_fields)):
            raise ImportProblem(path.name, f"there is no field {name!r}; there is: {', '.join(sorted(fields))}")
        way = {"column": str(way)} if not isinstance(way, dict) else way
        if not set(way) <= WAYS or len({"column", "template", "value"} & set(way)) != 1:
            raise ImportProblem(path.name, f"fields, {name}: give a column, a template or a value")
        columns[str(name)] = way
    if data.get("text", "auto") not in TEXTS:
        raise ImportProblem(path.name, f"text: one of {', '.join(sorted(TEXTS))}")
    return Columns(
        columns,
        source=str(data.get("source", "")),
        licence=str(data.get("licence", "")),
        encoding=str(data.get("encoding", "")),
        delimiter=str(data.get("delimiter", "")),
        zone=_zone(path.name, str(data.get("zone", "UTC"))),
        text=str(data.get("text", "auto")),
        family=str(data.get("family", "")),
        products={str(key): str(value) for key, value in (data.get("products") or {}).items()},
        where=path.name,
    )


def by_name(columns: Collection[str], fields: Collection[str], open_fields: Collection[str] = ()) -> Columns:
    """Where no mapping is given: columns are named as our fields are, in any case."""
    found = Columns({}, where="header")
    learn(found, columns, fields, open_fields)
    return found


def learn(known: Columns, columns: Collection[str], fields: Collection[str], open_fields: Collection[str] = ()) -> None:
    """Without a mapping, a later line of JSON may name what the first did not."""
    if known.where != "header":
        return
    for column in columns:
        name = re.sub(r"[\s-]+", "_", column.strip().casefold())
        if name not in known.fields and (name in fields or name.startswith(tuple(open_fields))):
            known.fields[name] = {"column": column}


def _zone(where: str, name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ImportProblem(where, f"zone: there is no time zone {name!r}") from None

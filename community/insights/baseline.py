"""What figures were before there was a community: read from a CSV, shown as a line with its source."""

from __future__ import annotations

import calendar
import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from community.core import clock

from .models import Baseline

COLUMNS = ("figure", "period", "value", "source")
# What a baseline can be of, and its unit. Shares are per cent, times are business hours.
SERIES = {
    "acknowledged": (gettext_lazy("Acknowledged in time"), "%"),
    "resolution_median": (gettext_lazy("Time to resolution, median"), "h"),
    "resolution_p90": (gettext_lazy("Time to resolution, nine of ten"), "h"),
    "first_contact": (gettext_lazy("Settled at first contact"), "%"),
    "holds": (gettext_lazy("Fix holds after 30 days"), "%"),
    "settled_by_peers": (gettext_lazy("Settled by owners"), "%"),
    "settled_by_advocates": (gettext_lazy("Settled by advocates"), "%"),
    "settled_by_staff": (gettext_lazy("Settled by staff"), "%"),
    "deflection_low": (gettext_lazy("Contacts spared, low"), "n"),
    "deflection_middle": (gettext_lazy("Contacts spared, middle"), "n"),
    "deflection_high": (gettext_lazy("Contacts spared, high"), "n"),
}
MONTH, SPAN = re.compile(r"^(\d{4})-(\d\d)$"), re.compile(r"^(\d{4}-\d\d-\d\d)/(\d{4}-\d\d-\d\d)$")
LARGEST = 5_000_000  # bytes: a baseline is some hundred rows


class BadRow(Exception):
    """A row that can't be taken over: which, and why."""

    def __init__(self, row: int, reason: str) -> None:
        super().__init__(_("Row %(row)d: %(reason)s") % {"row": row, "reason": reason})


@dataclass(frozen=True)
class Line:
    series: str
    first: date
    last: date
    value: Decimal
    source: str


def read(path: Path) -> list[Line]:
    """The rows of a file. Raises BadRow for the first that can't be read, OSError for a file that can't."""
    if path.stat().st_size > LARGEST:
        raise BadRow(0, _("The file is larger than 5 MB; a baseline is some hundred rows."))
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise BadRow(0, _("The file is not UTF-8.")) from None
    return parse(text.splitlines())


def parse(lines: Iterable[str]) -> list[Line]:
    rows = csv.DictReader(lines)
    missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
    if missing:
        raise BadRow(1, _("These columns are missing: %(names)s.") % {"names": ", ".join(missing)})
    found: dict[tuple, int] = {}
    result = []
    for number, row in enumerate(rows, start=2):
        line = _line(number, {name: (row.get(name) or "").strip() for name in COLUMNS})
        same = (line.series, line.first, line.last, line.source)
        if same in found:
            raise BadRow(number, _("This says the same figure again as row %(row)d.") % {"row": found[same]})
        found[same] = number
        result.append(line)
    return result


def _line(number: int, row: dict[str, str]) -> Line:
    if row["figure"] not in SERIES:
        raise BadRow(number, _("There is no figure “%(name)s”.") % {"name": row["figure"][:40]})
    if not row["source"] or len(row["source"]) > 200:
        raise BadRow(number, _("Say where the value comes from, in at most 200 characters."))
    first, last = _period(number, row["period"])
    try:
        value = Decimal(row["value"].removesuffix("%").strip())
    except InvalidOperation:
        raise BadRow(number, _("“%(value)s” is no number; write 61.5.") % {"value": row["value"][:40]}) from None
    most = 100 if SERIES[row["figure"]][1] == "%" else 1_000_000
    if not value.is_finite() or not 0 <= value <= most:
        raise BadRow(number, _("The value must lie between 0 and %(most)d.") % {"most": most})
    return Line(row["figure"], first, last, value.quantize(Decimal("0.01")), row["source"])


def _period(number: int, words: str) -> tuple[date, date]:
    wrong = BadRow(
        number, _("“%(period)s” is no period; write 2025-03, or 2025-01-01/2025-03-31.") % {"period": words[:40]}
    )
    try:
        if match := MONTH.match(words):
            year, month = int(match[1]), int(match[2])
            return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])
        if match := SPAN.match(words):
            first, last = date.fromisoformat(match[1]), date.fromisoformat(match[2])
            if first <= last:
                return first, last
    except ValueError:
        raise wrong from None
    raise wrong


@transaction.atomic
def take_over(lines: Iterable[Line]) -> tuple[int, int]:
    """Store the rows: how many are new, how many say something else than before. Twice is harmless."""
    new = changed = 0
    for line in lines:
        named = {"series": line.series, "first": line.first, "last": line.last, "source": line.source}
        row, made = Baseline.objects.get_or_create(**named, defaults={"value": line.value, "imported_at": clock.now()})
        if made:
            new += 1
        elif row.value != line.value:
            row.value, row.imported_at = line.value, clock.now()
            row.save(update_fields=["value", "imported_at"])
            changed += 1
    return new, changed

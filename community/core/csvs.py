"""CSV that a spreadsheet opens as what it is: text stays text (CHECKS 85)."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.http import StreamingHttpResponse

# What begins a formula in one program or another, full-width forms too.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def cell(value: Any) -> Any:
    """A value as it may stand in a cell: numbers as they are, words never as a formula."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        words = str(value)
        return f"'{words}" if words.lstrip(" \u00a0\ufeff").startswith(FORMULA) or words.startswith(FORMULA) else words
    return value


class _Echo:
    def write(self, line: str) -> str:
        return line


def lines(rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The file line by line, so that a long one needs no memory."""
    writer = csv.writer(_Echo())
    yield "\ufeff"  # tells Excel that it is UTF-8
    for row in rows:
        yield writer.writerow([cell(value) for value in row])


def response(name: str, rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """A download called `name`."""
    answer = StreamingHttpResponse(lines(rows), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "private, no-store"
    return answer


def mind_wagtails() -> None:
    """The exports of Wagtail's own lists and reports go through `cell`, too (docs/decisions/0268). Once a process."""
    from wagtail.admin.views.mixins import SpreadsheetExportMixin

    plain = SpreadsheetExportMixin.preprocess_field_value

    def preprocess(self: Any, field: str, value: Any, export_format: str) -> Any:
        value = plain(self, field, value, export_format)
        return cell(value) if export_format == self.FORMAT_CSV else value

    SpreadsheetExportMixin.preprocess_field_value = preprocess

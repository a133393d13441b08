"""What became of rows that did not become what they should: named one by one, in a file if somebody wants it."""

import csv
from pathlib import Path
from typing import IO, Any

from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError

from community.core.errors import Conflict, NotAllowed
from community.portability.errors import ImportProblem

SHOWN = 20
REFUSED = (ValidationError, Conflict, NotAllowed, IntegrityError, DataError)  # the last: a number out of its range


def in_words(refused: object) -> str:
    if isinstance(refused, ValidationError):
        if hasattr(refused, "error_dict"):
            return "; ".join(f"{name}: {' '.join(words)}" for name, words in refused.message_dict.items())
        return " ".join(refused.messages)
    if isinstance(refused, IntegrityError | DataError):
        return f"the database refuses it: {str(refused).splitlines()[0]}"
    return str(getattr(refused, "reason", refused))


class Report:
    """Rows with an error, and rows left out for a reason. Keeps the first ones of each; a file gets them all."""

    def __init__(self, path: Path | None = None) -> None:
        self.errors = self.left_out = 0
        self.lines: dict[str, list[str]] = {"error": [], "left out": []}
        self._file: IO[str] | None = None
        if path is not None:
            try:
                self._file = path.open("w", newline="", encoding="utf-8")
            except OSError as refused:
                raise ImportProblem("--report", f"{path}: {refused.strerror or refused}") from None
            self._csv = csv.writer(self._file)
            self._csv.writerow(["row", "what", "reason"])

    def error(self, row: int, reason: object) -> None:
        self.errors += 1
        self._note(row, "error", in_words(reason))

    def leave_out(self, row: int, reason: str) -> None:
        self.left_out += 1
        self._note(row, "left out", reason)

    def _note(self, row: int, what: str, reason: str) -> None:
        reason = " ".join(reason.split())[:500]
        if len(self.lines[what]) < SHOWN:
            self.lines[what].append(f"row {row}: {reason}")
        if self._file is not None:
            # A spreadsheet must not take a reason for a formula.
            self._csv.writerow([row, what, f"'{reason}" if reason[:1] in "=+-@" else reason])

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def told(self) -> list[str]:
        """Lines for the end of an import."""
        out: list[Any] = []
        for what, count, words in (
            ("left out", self.left_out, "rows were left out"),
            ("error", self.errors, "rows are wrong"),
        ):
            if count:
                out.append(f"{count} {words}:")
                out += [f"  {line}" for line in self.lines[what]]
                if count > len(self.lines[what]):
                    out.append(f"  and {count - len(self.lines[what])} more (--report FILE names them all)")
        return out

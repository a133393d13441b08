"""What the commands that read tables have in common."""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from community.events.log import record_run
from community.portability.errors import ImportProblem
from community.portability.tables import mapping
from community.portability.tables.mapping import Columns
from community.portability.tables.report import Report
from community.portability.tally import Tally


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument("file", type=Path, help="CSV or JSON lines (.jsonl, .ndjson), plain or gzipped")
    parser.add_argument(
        "--mapping", default="", metavar="FILE", help="which column is which field; see docs/importing.md"
    )
    parser.add_argument("--source", default="", metavar="NAME", help="who published it, e.g. shop.example.com")
    parser.add_argument("--licence", default="", metavar="NAME", help="under which licence it stands, e.g. CC BY 4.0")
    parser.add_argument("--encoding", default="", metavar="NAME", help="when it is not UTF-8, e.g. cp1252")
    parser.add_argument("--delimiter", default="", metavar="C", help="between columns, when it isn't seen by itself")
    parser.add_argument("--dry-run", action="store_true", help="do it, say what it did, and undo it")
    parser.add_argument("--skip-bad-rows", action="store_true", help="import the others even when rows are wrong")
    parser.add_argument(
        "--report", type=Path, default=None, metavar="FILE", help="name every row that did not come along"
    )


def source_of(options: dict[str, Any], columns: Columns | None) -> str:
    source = " ".join((options["source"] or (columns.source if columns else "")).split())
    if not source or len(source) > 80:
        raise CommandError("--source: say in at most 80 characters who published it; it is shown beside each row.")
    return source


def import_table(command: Any, options: dict[str, Any], table: Any, **more: Any) -> None:
    """Read the mapping, import with the module `table` (of tables/), and say what was done; `more`: its own options."""
    try:
        open_fields = getattr(table, "OPEN_FIELDS", ())
        columns = mapping.read(options["mapping"], table.FIELDS, open_fields) if options["mapping"] else None
        report = Report(options["report"])
    except ImportProblem as problem:
        raise CommandError(str(problem)) from None
    wanted = table.Options(
        path=options["file"], columns=columns, source=source_of(options, columns), encoding=options["encoding"],
        delimiter=options["delimiter"], dry_run=options["dry_run"], skip_bad_rows=options["skip_bad_rows"],
        report=report, **more,
    )  # fmt: skip
    carry_out(command, options, lambda watch: table.run(wanted, watch), report)


def carry_out(command: Any, options: dict[str, Any], work: Callable[[Any], Tally], report: Report) -> None:
    """Run, with progress; print the summary; fail when rows are wrong."""
    quiet = options["verbosity"] == 0 or not sys.stderr.isatty()

    def watch(items: Iterable[Any], label: str, total: int | None) -> Iterable[Any]:
        return tqdm(items, desc=f"{label:<18}", total=total, disable=quiet, unit="", mininterval=0.3)

    try:
        tally = work(watch)
    except ImportProblem as problem:
        raise CommandError(str(problem)) from None
    if not options["dry_run"] and (changed := tally.counts()):
        record_run(command.__module__.rpartition(".")[2], **changed)
    if options["verbosity"]:
        for line in [*tally.table(), *report.told()]:
            command.stdout.write(line)
    stopped = report.errors and not options["skip_bad_rows"]
    if options["dry_run"]:
        command.stdout.write(f"Nothing was written. It would be: {tally.verdict()}.")
    elif not stopped:
        command.stdout.write(f"{tally.verdict()}.")
    if stopped:
        raise CommandError(
            f"{report.errors} rows are wrong, so nothing was written. Mend them, or say --skip-bad-rows."
            if not tally.done
            else f"{report.errors} rows are wrong."
        )

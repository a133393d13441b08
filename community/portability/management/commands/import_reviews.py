"""Takes reviews over from a table: with their authors, dates, helpful votes, source and licence."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from community.portability.errors import ImportProblem
from community.portability.tables import mapping, reviews

from . import _tables


class Command(BaseCommand):
    help = (
        "Imports reviews from CSV or JSON lines. Importing the same again changes nothing, a newer table adds and "
        "changes; what was changed here stays, and nothing is ever taken away."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        _tables.add_arguments(parser)
        parser.add_argument("--language", default="en", metavar="CODE", help="of texts that don't say theirs (en)")
        parser.add_argument("--batch", type=int, default=50, metavar="N", help="rows in one transaction (50)")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["batch"] <= 1000:
            raise CommandError("--batch: a number from 1 to 1000.")
        try:
            columns = (
                mapping.read(options["mapping"], reviews.FIELDS, reviews.OPEN_FIELDS) if options["mapping"] else None
            )
            report = _tables.report_of(options)
        except ImportProblem as problem:
            raise CommandError(str(problem)) from None
        wanted = reviews.Options(
            path=options["file"], columns=columns, source=_tables.source_of(options, columns),
            licence=options["licence"], language=options["language"], encoding=options["encoding"],
            delimiter=options["delimiter"], dry_run=options["dry_run"], skip_bad_rows=options["skip_bad_rows"],
            batch=options["batch"], report=report,
        )  # fmt: skip
        _tables.carry_out(self, options, lambda watch: reviews.run(wanted, watch), report)

"""Takes receipt codes over that were printed elsewhere."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from community.portability.errors import ImportProblem
from community.portability.tables import codes, mapping

from . import _tables


class Command(BaseCommand):
    help = (
        "Imports receipt codes from CSV or JSON lines. Importing the same again changes nothing; a code that was used "
        "stays used. Only keyed hashes are kept."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        _tables.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            columns = mapping.read(options["mapping"], codes.FIELDS) if options["mapping"] else None
            report = _tables.report_of(options)
        except ImportProblem as problem:
            raise CommandError(str(problem)) from None
        wanted = codes.Options(
            path=options["file"], columns=columns, source=_tables.source_of(options, columns),
            encoding=options["encoding"], delimiter=options["delimiter"], dry_run=options["dry_run"],
            skip_bad_rows=options["skip_bad_rows"], report=report,
        )  # fmt: skip
        _tables.carry_out(self, options, lambda watch: codes.run(wanted, watch), report)

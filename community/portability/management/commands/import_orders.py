"""Takes purchases over from a shop's table, so that buyers are verified owners without doing anything."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from community.portability.errors import ImportProblem
from community.portability.tables import mapping, orders

from . import _tables


class Command(BaseCommand):
    help = (
        "Imports orders from CSV or JSON lines and puts them on the shelves of people who confirmed the address. "
        "Importing the same again changes nothing. Addresses are kept as keyed hashes, and erased after some time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        _tables.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            columns = mapping.read(options["mapping"], orders.FIELDS) if options["mapping"] else None
            report = _tables.report_of(options)
        except ImportProblem as problem:
            raise CommandError(str(problem)) from None
        wanted = orders.Options(
            path=options["file"], columns=columns, source=_tables.source_of(options, columns),
            encoding=options["encoding"], delimiter=options["delimiter"], dry_run=options["dry_run"],
            skip_bad_rows=options["skip_bad_rows"], report=report,
        )  # fmt: skip
        _tables.carry_out(self, options, lambda watch: orders.run(wanted, watch), report)

"""Takes a catalogue over from a table: products, their families, and a page for each that has none."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from community.portability.errors import ImportProblem
from community.portability.tables import mapping, products

from . import _tables


class Command(BaseCommand):
    help = (
        "Imports products from CSV or JSON lines. Importing the same again changes nothing; what an editor changed "
        "here stays, and no product is ever taken away."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        _tables.add_arguments(parser)
        parser.add_argument("--family", default="", metavar="NAME", help="of products whose row names none")
        parser.add_argument("--no-pages", action="store_true", help="rows alone; editors make the pages")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            columns = mapping.read(options["mapping"], products.FIELDS) if options["mapping"] else None
            report = _tables.report_of(options)
        except ImportProblem as problem:
            raise CommandError(str(problem)) from None
        wanted = products.Options(
            path=options["file"], columns=columns, source=_tables.source_of(options, columns),
            licence=options["licence"], family=options["family"], encoding=options["encoding"],
            delimiter=options["delimiter"], pages=not options["no_pages"], dry_run=options["dry_run"],
            skip_bad_rows=options["skip_bad_rows"], report=report,
        )  # fmt: skip
        _tables.carry_out(self, options, lambda watch: products.run(wanted, watch), report)

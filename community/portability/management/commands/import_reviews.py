"""Takes reviews over from a table: with their authors, dates, helpful votes, source and licence."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from community.portability.tables import reviews

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
        _tables.import_table(
            self, options, reviews, licence=options["licence"], language=options["language"], batch=options["batch"]
        )

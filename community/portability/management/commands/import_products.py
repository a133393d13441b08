"""Takes a catalogue over from a table: products, their families, and a page for each that has none."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from community.portability.tables import products

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
        _tables.import_table(
            self, options, products, licence=options["licence"], family=options["family"], pages=not options["no_pages"]
        )

"""Takes receipt codes over that were printed elsewhere."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from community.portability.tables import codes

from . import _tables


class Command(BaseCommand):
    help = (
        "Imports receipt codes from CSV or JSON lines. Importing the same again changes nothing; a code that was used "
        "stays used. Only keyed hashes are kept."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        _tables.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        _tables.import_table(self, options, codes)

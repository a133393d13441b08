"""Takes purchases over from a shop's table, so that buyers are verified owners without doing anything."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from community.portability.tables import orders

from . import _tables


class Command(BaseCommand):
    help = (
        "Imports orders from CSV or JSON lines and puts them on the shelves of people who confirmed the address. "
        "Importing the same again changes nothing. Addresses are kept as keyed hashes, and erased after some time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        _tables.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        _tables.import_table(self, options, orders)

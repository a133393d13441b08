"""Receipt codes that were printed elsewhere, from a table: only their keyed hashes are kept."""

from collections import defaultdict

from django.db import transaction

from community.portability.tally import Tally
from products.models import Product, Version
from products.shelf import codes

from .files import Row
from .mapping import BadValue, Columns
from .reading import Options, Products, Watch, read, version_of

FIELDS = {"code", "product", "version"}
NEEDED = ("code", "product")
AT_ONCE = 5_000


def run(options: Options, watch: Watch) -> Tally:
    """Import, and say what was done: all or nothing, unless bad rows are to be skipped. Raises ImportProblem."""
    tally, products = Tally(), Products(options.source)
    wanted: dict[tuple[Product, Version | None], list[str]] = defaultdict(list)
    seen: dict[str, int] = {}

    def take(columns: Columns, row: Row) -> None:
        plain = codes.plain(columns.raw(row.values, "code"))
        if not codes.SHORTEST <= len(plain) <= codes.LONGEST:
            raise BadValue(f"a code has {codes.SHORTEST} to {codes.LONGEST} letters and digits")
        if plain in seen:
            raise BadValue(f"row {seen[plain]} has the same code")
        product = products.named(columns, columns.raw(row.values, "product"))
        wanted[product, version_of(product, columns.line(row.values, "version"))].append(plain)
        seen[plain] = row.number

    try:
        read(options, watch, tally, take, fields=FIELDS, needed=NEEDED)
        if options.may_write:
            with transaction.atomic():
                for (product, version), given in wanted.items():
                    for start in range(0, len(given), AT_ONCE):
                        part = given[start : start + AT_ONCE]
                        tally.add("codes", count=codes.take_over(product, part, version=version, note=options.source))
                if options.dry_run:
                    transaction.set_rollback(True)
    finally:
        options.report.close()
    return tally

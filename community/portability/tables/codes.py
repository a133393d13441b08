"""Receipt codes that were printed elsewhere, from a table: only their keyed hashes are kept."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from community.portability.errors import ImportProblem
from community.portability.tally import Tally
from products.models import Product, Version
from products.shelf import codes

from . import files
from .mapping import BadValue, Columns, by_name, learn
from .report import Report

FIELDS = {"code", "product", "version"}
NEEDED = ("code", "product")
AT_ONCE = 5_000
Watch = Callable[[Iterable[Any], str, int | None], Iterable[Any]]


@dataclass
class Options:
    """What somebody asked for."""

    path: Path
    columns: Columns | None = None
    source: str = ""
    encoding: str = ""
    delimiter: str = ""
    dry_run: bool = False
    skip_bad_rows: bool = False
    report: Report = field(default_factory=Report)


def run(options: Options, watch: Watch) -> Tally:
    """Import, and say what was done: all or nothing, unless bad rows are to be skipped. Raises ImportProblem."""
    tally, report, columns = Tally(), options.report, options.columns
    wanted: dict[tuple[Product, Version | None], list[str]] = defaultdict(list)
    seen: dict[str, int] = {}
    try:
        rows = files.rows(
            options.path,
            encoding=options.encoding or (columns.encoding if columns else ""),
            delimiter=options.delimiter or (columns.delimiter if columns else ""),
        )
        for row in watch(rows, _("Reading"), None):
            if columns is None:
                columns = by_name(row.values, FIELDS)
            learn(columns, row.values, FIELDS)
            if missing := [name for name in NEEDED if name not in columns.fields]:
                raise ImportProblem(
                    columns.where, f"no column is named for {', '.join(missing)}; a --mapping can name one"
                )
            tally.there["rows"] = row.number
            try:
                if row.problem:
                    raise BadValue(row.problem)
                plain = codes.plain(columns.raw(row.values, "code"))
                if not codes.SHORTEST <= len(plain) <= codes.LONGEST:
                    raise BadValue(f"a code has {codes.SHORTEST} to {codes.LONGEST} letters and digits")
                if plain in seen:
                    raise BadValue(f"row {seen[plain]} has the same code")
                wanted[_which(columns, row.values)].append(plain)
                seen[plain] = row.number
            except BadValue as wrong:
                report.error(row.number, wrong)
        if not report.errors or options.skip_bad_rows:
            with transaction.atomic():
                for (product, version), given in wanted.items():
                    for start in range(0, len(given), AT_ONCE):
                        part = given[start : start + AT_ONCE]
                        new = codes.take_over(product, part, version=version, note=options.source)
                        tally.add("codes", count=new)
                if options.dry_run:
                    transaction.set_rollback(True)
    finally:
        report.close()
    return tally


def _which(columns: Columns, row: dict[str, Any]) -> tuple[Product, Version | None]:
    told, name = columns.raw(row, "product"), columns.line(row, "version")
    product = Product.objects.filter(slug=columns.products.get(told, slugify(told))).first()
    if product is None:
        raise BadValue(f"there is no product {told[:60]!r}")
    version = product.versions.filter(name__iexact=name).first() if name else None
    if name and version is None:
        raise BadValue(f"{product} has no version {name[:40]!r}")
    return product, version

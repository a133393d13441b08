"""What every import of a table shares: what somebody asked for, the walk through its rows, which product is meant."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.utils.text import slugify
from django.utils.translation import gettext as _

from community.portability.errors import ImportProblem
from community.portability.models import SourceProduct
from community.portability.tally import Tally
from products.models import Product

from . import files
from .mapping import BadValue, Columns, by_name, learn
from .report import REFUSED, Report

Watch = Callable[[Iterable[Any], str, int | None], Iterable[Any]]
PRODUCTS_REMEMBERED = 5_000


@dataclass(kw_only=True)
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

    @property
    def may_write(self) -> bool:
        """Every row was right, or the wrong ones are to be skipped."""
        return not self.report.errors or self.skip_bad_rows


def read(
    options: Options,
    watch: Watch,
    tally: Tally,
    take: Callable[[Columns, files.Row], None],
    *,
    fields: set[str],
    needed: tuple[str, ...] = (),
    one_of: tuple[str, ...] = (),
    open_fields: tuple[str, ...] = (),
) -> None:
    """Give each row of the table to `take` with the columns it is read by; what `take` refuses goes to the report.

    Raises ImportProblem where the file can't be read on, and when no column is named for one of `needed`, or for any
    of `one_of`.
    """
    columns = options.columns
    rows = files.rows(
        options.path,
        encoding=options.encoding or (columns.encoding if columns else ""),
        delimiter=options.delimiter or (columns.delimiter if columns else ""),
    )
    for row in watch(rows, _("Reading"), None):
        if columns is None:
            columns = by_name(row.values, fields, open_fields)
        learn(columns, row.values, fields, open_fields)
        if missing := [name for name in needed if name not in columns.fields]:
            raise ImportProblem(columns.where, f"no column is named for {', '.join(missing)}; a --mapping can name one")
        if one_of and not set(one_of) & columns.fields.keys():
            raise ImportProblem(columns.where, f"no column is called {', '.join(one_of)}; give a --mapping")
        tally.there["rows"] = row.number
        try:
            if row.problem:
                raise BadValue(row.problem)
            take(columns, row)
        except (BadValue, *REFUSED) as wrong:
            options.report.error(row.number, wrong)


class Products:
    """Finds the product that a row means; keeps the last ones in mind."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._known: dict[str, Product | None] = {}

    def named(self, columns: Columns, told: str) -> Product:
        """By the mapping, by its id in an imported catalogue, or by its address here. Raises BadValue."""
        if not told:
            raise BadValue("it names no product")
        if told not in self._known:
            if len(self._known) >= PRODUCTS_REMEMBERED:
                self._known.clear()
            self._known[told] = self._find(columns, told)
        product = self._known[told]
        if product is None:
            raise BadValue(
                f"there is no product {told[:60]!r}: import_products first, or name it under `products:` in the mapping"
            )
        return product

    def _find(self, columns: Columns, told: str) -> Product | None:
        rows = Product.objects.select_related("family")
        if told in columns.products:
            return rows.filter(slug=columns.products[told]).first()
        tied = SourceProduct.objects.filter(source=self.source, external_id=told).first()
        found = rows.filter(pk=tied.product_id).first() if tied else None
        return found or rows.filter(slug=slugify(told)).first()


def version_of(product: Product, told: str) -> Any:
    """Its series or firmware of that name, None for no name. Raises BadValue."""
    if not told:
        return None
    version = product.versions.filter(name__iexact=told).first()
    if version is None:
        known = ", ".join(product.versions.values_list("name", flat=True)) or "none"
        raise BadValue(f"{product} has no version {told[:40]!r}; it has: {known}")
    return version

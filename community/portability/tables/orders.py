"""Orders from a table: each line a purchase, matched by a confirmed address or kept for a while (decision 0145).

The whole table is read aside and checked, then written in one transaction: all of it or nothing.
"""

import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from community.events.log import replay
from community.portability.errors import ImportProblem
from community.portability.models import SourceProduct
from community.portability.tally import Tally
from products.models import Product, Version
from products.shelf import orders

from . import files
from .mapping import BadValue, Columns, by_name, learn
from .report import Report
from .staging import Staging

FIELDS = {"order", "line", "email", "product", "version", "bought_on"}
NEEDED = ("order", "email", "product", "bought_on")
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
    """Import, and say what was done. Raises ImportProblem.

    With a wrong row among them nothing is written, unless bad rows are to be skipped. Addresses stand in the temporary
    file, as in the table itself, until the import ends; afterwards nowhere.
    """
    with tempfile.TemporaryDirectory(prefix="orders-") as scratch:
        staging = Staging(Path(scratch) / "rows.sqlite3")
        try:
            return _Import(options, staging, watch).run()
        finally:
            staging.close()
            options.report.close()


class _Import:
    def __init__(self, options: Options, staging: Staging, watch: Watch) -> None:
        self.options, self.staging, self.watch = options, staging, watch
        self.report, self.tally = options.report, Tally()
        self.products: dict[str, Product | None] = {}
        self.versions: dict[tuple[int, str], Version | None] = {}

    def run(self) -> Tally:
        self._read()
        for number, first, same in list(self.staging.same_id()):
            if same:
                self.report.leave_out(number, f"row {first} is the same")
            else:
                self.report.error(number, f"row {first} is of the same order and product, and says something else")
            self.staging.drop(number)
        if not self.report.errors or self.options.skip_bad_rows:
            self._write()
        return self.tally

    def _read(self) -> None:
        told, columns = self.options, self.options.columns
        found = files.rows(
            told.path,
            encoding=told.encoding or (columns.encoding if columns else ""),
            delimiter=told.delimiter or (columns.delimiter if columns else ""),
        )
        for row in self.watch(found, _("Reading"), None):
            if columns is None:
                columns = by_name(row.values, FIELDS)
            learn(columns, row.values, FIELDS)
            if missing := [name for name in NEEDED if name not in columns.fields]:
                raise ImportProblem(
                    columns.where, f"no column is named for {', '.join(missing)}; a --mapping can name one"
                )
            self.tally.there["rows"] = row.number
            if row.problem:
                self.report.error(row.number, row.problem)
                continue
            try:
                data = self._data(columns, row.values)
            except BadValue as wrong:
                self.report.error(row.number, wrong)
                continue
            key = " ".join(orders.key_of(data.pop("order"), data.pop("line") or data["slug"]))
            self.staging.add(row.number, key, "", "", data["bought_on"], data)
        self.staging.finish()

    def _data(self, columns: Columns, row: Mapping[str, Any]) -> dict[str, Any]:
        """What a row says, checked. Raises BadValue, whose words never hold the address."""
        order = columns.raw(row, "order")
        if not order:
            raise BadValue("it has no order number")
        address = orders.plain(columns.raw(row, "email"))
        try:
            validate_email(address)
        except ValidationError:
            raise BadValue(f"{columns.named('email')} is no mail address") from None
        product = self._product(columns, columns.raw(row, "product"))
        bought_on = columns.day(row, "bought_on")
        if bought_on is None:
            raise BadValue("it has no day of purchase")
        version = self._version(product, columns.line(row, "version"))
        return {
            "order": order,
            "line": columns.raw(row, "line"),
            "email": address,
            "slug": product.slug,
            "version": version.pk if version else None,
            "bought_on": bought_on.isoformat(),
        }

    def _product(self, columns: Columns, told: str) -> Product:
        """By the mapping, by its id in an imported catalogue, or by its address here."""
        if not told:
            raise BadValue("it names no product")
        if told not in self.products:
            if told in columns.products:
                found = Product.objects.filter(slug=columns.products[told]).first()
            else:
                tied = SourceProduct.objects.filter(source=self.options.source, external_id=told).first()
                found = tied.product if tied else Product.objects.filter(slug=slugify(told)).first()
            self.products[told] = found
        product = self.products[told]
        if product is None:
            raise BadValue(
                f"there is no product {told[:60]!r}: import_products first, or name it under `products:` in the mapping"
            )
        return product

    def _version(self, product: Product, told: str) -> Version | None:
        if not told:
            return None
        if (product.pk, told) not in self.versions:
            self.versions[product.pk, told] = product.versions.filter(name__iexact=told).first()
        version = self.versions[product.pk, told]
        if version is None:
            known = ", ".join(product.versions.values_list("name", flat=True)) or "none"
            raise BadValue(f"{product} has no version {told[:40]!r}; it has: {known}")
        return version

    def _write(self) -> None:
        products = {product.slug: product for product in self.products.values() if product is not None}
        versions = {version.pk: version for version in self.versions.values() if version is not None}
        with transaction.atomic(), replay("import"):
            rows = self.watch(self.staging.in_order(), _("Orders"), self.staging.count())
            for _number, key, _digest, data in rows:
                done, matched = orders.take_line(
                    source=self.options.source, key=key.split(), address=data["email"], product=products[data["slug"]],
                    version=versions.get(data["version"]), bought_on=date.fromisoformat(data["bought_on"]),
                )  # fmt: skip
                if done:
                    self.tally.add("orders", done)
                if matched:
                    self.tally.add("owners")
            if self.options.dry_run:
                transaction.set_rollback(True)

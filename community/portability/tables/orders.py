"""Orders from a table: each line a purchase, matched by a confirmed address or kept for a while (decision 0145).

The whole table is read aside and checked, then written in one transaction: all of it or nothing.
"""

import tempfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from community.events.log import replay
from community.portability.tally import Tally
from products.models import Product, Version
from products.shelf import orders

from .files import Row
from .mapping import BadValue, Columns
from .reading import Options, Products, Watch, read, version_of
from .staging import Staging

FIELDS = {"order", "line", "email", "product", "version", "bought_on"}
NEEDED = ("order", "email", "product", "bought_on")


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
        self.catalogue = Products(options.source)
        self.since = orders.kept_since()
        self.products: dict[str, Product] = {}
        self.versions: dict[int, Version] = {}
        self._named: dict[tuple[int, str], Version | None] = {}

    def run(self) -> Tally:
        read(self.options, self.watch, self.tally, self._stage, fields=FIELDS, needed=NEEDED)
        self.staging.finish()
        for number, first, same in list(self.staging.same_id()):
            if same:
                self.report.leave_out(number, f"row {first} is the same")
            else:
                self.report.error(number, f"row {first} is of the same order and product, and says something else")
            self.staging.drop(number)
        if self.options.may_write:
            self._write()
        return self.tally

    def _stage(self, columns: Columns, row: Row) -> None:
        data = self._data(columns, row.values)
        if data["bought_on"] < self.since.isoformat():
            self.report.leave_out(row.number, f"bought before {self.since}: orders are kept no longer")
            return
        key = " ".join(orders.key_of(data.pop("order"), data.pop("line") or data["slug"]))
        self.staging.add(row.number, key, "", "", data["bought_on"], data)

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
        product = self.catalogue.named(columns, columns.raw(row, "product"))
        self.products[product.slug] = product
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

    def _version(self, product: Product, told: str) -> Version | None:
        if (product.pk, told) not in self._named:
            self._named[product.pk, told] = version_of(product, told)
        version = self._named[product.pk, told]
        if version is not None:
            self.versions[version.pk] = version
        return version

    def _write(self) -> None:
        with transaction.atomic(), replay("import"):
            rows = self.watch(self.staging.in_order(), _("Orders"), self.staging.count())
            for _number, key, _digest, data in rows:
                done, matched = orders.take_line(
                    source=self.options.source, key=key.split(), address=data["email"],
                    product=self.products[data["slug"]],
                    version=self.versions.get(data["version"]), bought_on=date.fromisoformat(data["bought_on"]),
                )  # fmt: skip
                if done:
                    self.tally.add("orders", done)
                if matched:
                    self.tally.add("owners")
            if self.options.dry_run:
                transaction.set_rollback(True)

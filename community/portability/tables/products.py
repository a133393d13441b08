"""Products from a table: rows of the catalogue, and a page for each that has none yet."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.text import slugify
from wagtail.models import Locale

from community.events.log import replay
from community.pages.services import save_product_page
from community.portability.models import SourceProduct
from community.portability.tally import Tally
from products.gtin import digits_of, why_no_gtin
from products.models import Family, Product
from products.pages import ProductPage
from products.services import save_family, save_product

from . import reading
from .files import Row
from .mapping import BadValue, Columns

FIELDS = {
    "id", "slug", "name", "short_name", "family", "what", "tagline", "description", "lifecycle", "launched_on", "gtin",
    "price_band", "highlights", "url", "licence",
}  # fmt: skip
FOLLOWED = ("name", "short_name", "what", "lifecycle", "gtin")
LONGEST = {"name": 120, "short_name": 60, "what": 200, "tagline": 160, "price_band": 8}


@dataclass(kw_only=True)
class Options(reading.Options):
    licence: str = ""
    family: str = ""
    pages: bool = True


def run(options: Options, watch: reading.Watch) -> Tally:
    """Import, and say what was done. Raises ImportProblem; nothing is written when a row is wrong, unless bad rows
    are to be skipped. All in one transaction: a catalogue is no long table, and half of one is no catalogue."""
    job = _Import(options, watch)
    try:
        with transaction.atomic(), replay("import"):
            job.run()
            if options.dry_run or not options.may_write:
                transaction.set_rollback(True)
    finally:
        options.report.close()
    return job.tally


class _Import:
    def __init__(self, options: Options, watch: reading.Watch) -> None:
        self.options, self.watch, self.tally = options, watch, Tally()
        self.columns: Columns | None = None
        self.families: dict[str, Family] = {}
        self.seen: dict[str, int] = {}

    def run(self) -> None:
        reading.read(self.options, self.watch, self.tally, self._row, fields=FIELDS, one_of=("id", "slug", "name"))

    def _row(self, columns: Columns, row: Row) -> None:
        self.columns = columns
        wanted = self._read(columns, row.values)
        if not self._repeats(row.number, wanted):
            with transaction.atomic():
                self._take(wanted)

    def _read(self, columns: Columns, row: Mapping[str, Any]) -> dict[str, Any]:
        """What a row says, checked. Raises BadValue."""
        key = columns.line(row, "id") or columns.line(row, "slug") or slugify(columns.line(row, "name"))
        if not key or len(key) > 80:
            raise BadValue("it has neither id, nor slug, nor name" if not key else "its id has more than 80 characters")
        name = columns.line(row, "name") or key
        slug = columns.line(row, "slug").casefold() or slugify(name)[:80].strip("-") or slugify(key)
        if not re.fullmatch(r"[-a-z0-9_]{1,80}", slug):
            raise BadValue(f"the address {slug[:60]!r} may hold letters from a to z, digits, - and _ alone")
        wanted: dict[str, Any] = {
            "key": key,
            "slug": columns.products.get(key, slug),
            "name": name,
            "short_name": columns.line(row, "short_name"),
            "family": columns.line(row, "family") or self.options.family or columns.family,
            "what": columns.line(row, "what"),
            "tagline": columns.line(row, "tagline"),
            "price_band": columns.line(row, "price_band"),
            "gtin": self._gtin(columns.line(row, "gtin")),
            "description": columns.words(row, "description"),
            "highlights": columns.words(row, "highlights").splitlines(),
            "lifecycle": columns.choice(row, "lifecycle", Product.Lifecycle.values) or Product.Lifecycle.CURRENT,
            "launched_on": columns.day(row, "launched_on"),
            "url": columns.address(row, "url"),
            "licence": columns.line(row, "licence") or self.options.licence or columns.licence,
        }
        for name, most in LONGEST.items():
            if len(wanted[name]) > most:
                raise BadValue(f"{columns.named(name)} has {len(wanted[name])} characters; {most} is the most")
        if not wanted["family"]:
            raise BadValue("it has no family; name a column, or --family for all of them")
        return wanted

    def _gtin(self, told: str) -> str:
        """The digits, or none. A spreadsheet drops the zeros in front; a GTIN-13 is what they stand for."""
        digits = digits_of(told)
        if digits.isdecimal() and 8 < len(digits) < 12:
            digits = digits.zfill(12)
        if digits and (wrong := why_no_gtin(digits)):
            raise BadValue(f"gtin {told[:30]!r}: {wrong}")
        return digits

    def _repeats(self, number: int, wanted: Mapping[str, Any]) -> bool:
        """A table that names a product in many rows, such as one of reviews, means one product."""
        before = self.seen.setdefault(wanted["key"], number)
        if before == number:
            return False
        self.tally.remark("rows name a product that a row above named already")
        return True

    def _take(self, wanted: Mapping[str, Any]) -> None:
        source = self.options.source
        said = {name: wanted[name] for name in FOLLOWED}
        known = SourceProduct.objects.filter(source=source, external_id=wanted["key"]).select_related("product").first()
        if known is not None:
            self._follow(known, said)
            return
        if Product.objects.filter(slug=wanted["slug"]).exists():
            if (self.columns.products if self.columns else {}).get(wanted["key"]) != wanted["slug"]:
                raise BadValue(
                    f"there is a product at /products/{wanted['slug']}/ that did not come from {source}; if it is the "
                    "same, name it under `products:` in the mapping"
                )
            product = Product.objects.get(slug=wanted["slug"])
            said = {name: getattr(product, name) for name in FOLLOWED}  # the editors' words stay
        else:
            product = self._make(wanted)
            self.tally.add("products")
        SourceProduct.objects.create(
            source=source, external_id=wanted["key"], product=product, said=said, source_url=wanted["url"],
            licence=wanted["licence"][:40],
        )  # fmt: skip

    def _make(self, wanted: Mapping[str, Any]) -> Product:
        data = {
            **{name: wanted[name] for name in ("slug", "name", "short_name", "what", "gtin")},
            "family": self._family(wanted["family"]).slug,
            "lifecycle": {"state": wanted["lifecycle"]},
        }
        place = Product.objects.filter(family__slug=data["family"]).count() + 1
        product = save_product(data, position=min(place, 30_000))
        if wanted["launched_on"]:
            product.launched_on = wanted["launched_on"]
            product.save(update_fields=["launched_on"])
        if self.options.pages and not ProductPage.objects.filter(product=product).exists():
            page = {
                "slug": product.slug,
                "name": product.name,
                "tagline": wanted["tagline"] or wanted["what"][:160] or product.family.name,
                "price_band": wanted["price_band"],
                "highlights": [line for line in wanted["highlights"] if line.strip()],
                "description": wanted["description"],
            }
            save_product_page(page, self.options.path.parent)
            self.tally.add("pages")
        return product

    def _family(self, told: str) -> Family:
        """By address or by name; a new one is made."""
        if told not in self.families:
            slug = slugify(told)[:50]
            if not slug:
                raise BadValue(f"the family {told[:40]!r} has no letter or digit")
            family = Family.objects.filter(slug=slug).first() or Family.objects.filter(name=told).first()
            if family is None:
                name = told if told != slug else told.replace("-", " ").capitalize()
                family = save_family({"slug": slug, "name": name[:80]}, position=Family.objects.count() + 1)
                self.tally.add("families")
            self.families[told] = family
        return self.families[told]

    def _follow(self, known: SourceProduct, said: dict[str, Any]) -> None:
        """Bring over what changed there since, and leave what an editor changed here."""
        product = known.product
        before = {"gtin": "", **known.said}  # taken over before it was followed
        news = {name: value for name, value in said.items() if before.get(name) != value}
        if not news:
            return
        ours = [name for name in news if getattr(product, name) != before.get(name)]
        self.tally.remark("fields were changed both there and here; ours stay", len(ours))
        theirs = {name: value for name, value in news.items() if name not in ours}
        for name, value in theirs.items():
            setattr(product, name, value)
        if theirs:
            product.save(update_fields=list(theirs))
            self._follow_page(product, known.said, theirs)
            self.tally.add("products", "changed")
        known.said = {**known.said, **news}
        known.save(update_fields=["said"])

    def _follow_page(self, product: Product, before: Mapping[str, Any], theirs: Mapping[str, Any]) -> None:
        page = ProductPage.objects.filter(product=product, locale=Locale.get_default()).first()
        if page is not None and "name" in theirs and page.title == before.get("name"):
            page.title = theirs["name"]
            page.save_revision().publish()

"""People join, and what they own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

from allauth.account.models import EmailAddress

from community.accounts import services as accounts
from community.accounts.models import Profile
from community.core import clock
from products import services as products
from products.models import Ownership, Product, Version
from products.shelf import alerts, codes, orders
from reviews import asking

from ..rows import Row
from .ground import Rows

VERIFIED = {"order": Ownership.Verified.ORDER, "receipt": Ownership.Verified.RECEIPT}


class People(Rows):
    def join(self, row: Row) -> None:
        role = row.get("role", "member")
        staff, erased = role.startswith("staff"), role == "erased"
        address = f"{row['username']}@{'brindle.example' if staff else 'example.org'}"
        user = accounts.join(
            row["username"], row["name"], address, about=row.get("about", ""), city=row.get("city", "")
        )
        EmailAddress.objects.create(user=user, email=address, verified=True, primary=True)
        if row.get("picture"):
            with (self.folder / "art" / f"{row['picture']}.webp").open("rb") as file:
                accounts.change_picture(user, file)
        if not staff and not erased:
            Profile.objects.filter(user=user).update(show_shelf=True)
        if staff:
            _staff, place, *rest = role.split(":")
            if place in ("community-manager", "editor", "moderator"):
                accounts.set_role(user, None, place)
            else:
                accounts.set_role(user, None, "agent", self.department(place), lead="lead" in rest)
                self._departments.pop(place, None)

    def own(self, name: str, slug: str, review: Row | None) -> None:
        product = self.the_product(slug)
        months = months_of(review["owned_for"]) if review else None
        bought = clock.now().date() - timedelta(days=round(30.4 * months)) if months is not None else None
        verified = VERIFIED.get(review["verified"], "") if review else ""
        products.add_to_shelf(product, self.person(name), bought_on=bought, verified=verified)

    def _versions(self, product: Product, names: Sequence[str]) -> list[Version]:
        # A demo that was told before is told of new series as of today, after what the past says of them.
        return [Version.objects.get_or_create(product=product, name=name)[0] for name in names]

    def order(self, row: Row) -> None:
        product = self.the_product(row["product"])
        (version,) = self._versions(product, [row["version"]])
        orders.take_line(
            source="shop.brindle.example", key=orders.key_of(row["order"], product.slug), address=row["email"],
            product=product, version=version, bought_on=clock.now().date(),
        )  # fmt: skip

    def print_codes(self, row: Row) -> None:
        codes.take_over(self.the_product(row["product"]), row["codes"], note=row["note"], by=self.person(row["by"]))

    def recall(self, row: Row) -> None:
        product = self.the_product(row["product"])
        alerts.keep_recall(product, self.person(row["by"]), self._versions(product, row["versions"]))

    def know_issue(self, row: Row) -> None:
        product = self.the_product(row["product"])
        alerts.issue(
            product, self.person(row["by"]), title=row["title"], body=row["text"], said=row.get("said"),
            versions=self._versions(product, row["versions"]),
        )  # fmt: skip

    def describe(self, row: Row) -> None:
        person, product = self.person(row["person"]), self.the_product(row["product"])
        (version,) = self._versions(product, [row["version"]])
        bought_on = Ownership.objects.get(owner=person, product=product).bought_on
        products.change_on_shelf(product, person, version=version, bought_on=bought_on, serial=row["serial"])

    def plan_to_ask(self, name: str) -> None:
        """The replay plans no requests: they would all be due at once. The worker asks this one person."""
        for own in self.person(name).shelf.select_related("product"):
            asking.plan(own.owner, own.product)


def months_of(words: str) -> int | None:
    """ "14 months", "2 years", "5 weeks" in whole months; nothing for "tried in a shop"."""
    match = re.fullmatch(r"(\d+) (day|week|month|year)s?", words or "")
    if not match:
        return None
    return round(int(match[1]) * {"day": 1 / 30.4, "week": 7 / 30.4, "month": 1, "year": 12}[match[2]])

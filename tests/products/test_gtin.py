"""Trade item numbers are checked, and say everywhere the same; lists by rating don't put one lucky review first."""

import csv
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client
from wagtail.blocks import StructBlockValidationError

from community.accounts.models import User
from products.blocks import Variant
from products.gtin import check_gtin, why_no_gtin
from products.models import Product, Version
from tests import factories

from .pages import a_product_page

GOOD = "9521234543213"  # of the range that GS1 keeps for examples


@pytest.mark.parametrize("good", [GOOD, "952-1234 543213", "95012346", "012345678905", "10614141000415"])
def test_a_gtin_with_its_check_digit_is_taken(good: str) -> None:
    check_gtin(good)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("9521234543214", "last digit"), ("123", "8, 12, 13 or 14"), ("952123454321x", "8, 12, 13 or 14"),
        ("٩521234543213", "8, 12, 13 or 14"), ("2012345678903", "within a shop"), ("", "8, 12, 13 or 14"),
    ],
)  # fmt: skip
def test_what_is_none_is_refused_with_the_reason(bad: str, why: str) -> None:
    assert why in why_no_gtin(bad)


@pytest.mark.django_db
def test_it_is_kept_as_digits_and_once(duo: Product) -> None:
    duo.gtin = "952 1234 543213"
    duo.full_clean()
    duo.save()
    assert duo.gtin == GOOD
    other = factories.a_product()
    other.gtin = GOOD
    with pytest.raises(ValidationError, match="Another product has this GTIN"):
        other.full_clean()
    version = Version(product=duo, name="Series 2", gtin="1")
    with pytest.raises(ValidationError) as wrong:
        version.full_clean()
    assert list(wrong.value.message_dict) == ["gtin"]


@pytest.mark.django_db
def test_import_products_checks_and_follows(tmp_path: Path) -> None:
    def told(gtin: str) -> Path:
        path = tmp_path / "products.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerows([["id", "name", "family", "gtin"], ["a1", "Lamp", "Lamps", gtin]])
        return path

    def run(gtin: str) -> None:
        call_command("import_products", str(told(gtin)), "--source", "shop.example.org", verbosity=0)

    with pytest.raises(CommandError):
        run("9521234543214")
    assert not Product.objects.exists()
    run("12345678905")  # a spreadsheet dropped the zero
    assert Product.objects.get().gtin == "012345678905"
    run(GOOD)
    assert Product.objects.get().gtin == GOOD


@pytest.mark.django_db
def test_one_lucky_review_does_not_come_first(client: Client, alice: User, tmp_path: Path) -> None:
    family = factories.a_family("lamps")
    stars: dict[str, tuple[int, int]] = {"lucky": (1, 5), "loved": (90, 430), "meh": (40, 100), "unrated": (0, 0)}
    for slug, (count, total) in stars.items():
        row: Any = factories.a_product(slug, name=slug, family=family, rating_count=count, rating_sum=total)
        a_product_page(tmp_path, row)

    def order(address: str) -> list[str]:
        return [page.slug for _family, pages in client.get(address).context["shelves"] for page in pages]

    assert order("/products/?sort=rated") == ["loved", "lucky", "meh", "unrated"]
    assert order("/products/") == ["loved", "lucky", "meh", "unrated"]  # by name
    Product.objects.filter(slug="lucky").update(rating_count=30, rating_sum=150)
    assert order("/products/?sort=rated&family=lamps")[0] == "lucky"
    assert client.get("/products/?sort=worst").status_code == 404


def test_a_variant_has_a_number_that_is_one() -> None:
    block = Variant()
    told = {"name": "Moss", "sku": "M", "note": "", "ended": False}
    assert block.clean(block.to_python({**told, "gtin": "9520 0420 1001-6"}))["gtin"] == "9520042010016"
    assert block.clean(block.to_python(told))["gtin"] == ""  # written before variants had one
    with pytest.raises(StructBlockValidationError) as refused:
        block.clean(block.to_python({**told, "gtin": "9520042010017"}))
    assert "a slip in this number" in str(refused.value.block_errors["gtin"])

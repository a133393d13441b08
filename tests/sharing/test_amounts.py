from fractions import Fraction
from pathlib import Path

import pytest
import yaml

from community.sharing.amounts import parse, scale

RECIPES = Path(__file__).resolve().parents[2] / "demo" / "recipes"


@pytest.mark.parametrize(
    ("written", "factor", "shown"),
    [
        ("18", 2, "36"),
        ("18", 1.5, "27"),
        ("0.4", 2, "0.8"),
        ("0,4", 2, "0.8"),
        ("130", 3, "390"),
        ("1000", 0.5, "500"),
        ("½", 2, "1"),
        ("1½", 2, "3"),
        ("1½", 1, "1½"),
        ("1/4", 2, "½"),
        ("1", 0.5, "½"),
        ("1", 1.5, "1½"),
        ("3", Fraction(1, 3), "1"),
        ("2", Fraction(1, 3), "⅔"),
        ("1–2", 2, "2–4"),
        ("½–1", 2, "1–2"),
        ("1½–2", 2, "3–4"),
        ("200–250", 2, "400–500"),
        ("2 x 18", 2, "4 x 18"),
        ("2 x 18", 0.5, "1 x 18"),
        ("2 x 18", 1.5, "3 x 18"),
        ("1.5 x", 2, "1.5 x"),
        ("a pinch", 4, "a pinch"),
        ("uma pitada", 4, "uma pitada"),
        ("", 2, ""),
        ("0–1", 2, "0–2"),
        ("1/0", 2, "1/0"),
    ],
)
def test_amounts_grow_as_a_cook_would_have_it(written: str, factor: float, shown: str) -> None:
    assert scale(written, factor) == shown


def test_every_amount_of_the_demo_is_understood() -> None:
    words = {"a pinch", "uma pitada", "eine Prise", "1.5 x", ""}
    seen = set()
    for file in RECIPES.glob("*.md"):
        for group in yaml.safe_load(file.read_text().split("---")[1])["ingredients"]:
            seen |= {str(item["amount"]) for item in group["items"]}
    assert len(seen) > 40
    assert {amount for amount in seen if not parse(amount).scales} <= words
    for amount in seen:
        assert scale(amount, 1) == amount
        assert scale(scale(amount, 4), 0.25) in {amount, scale(amount, 4)} or parse(amount).scales

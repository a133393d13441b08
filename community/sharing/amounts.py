"""Amounts as cooks write them, and what becomes of them for more or fewer people.

    scale("1½–2", 2)      "3–4"
    scale("2 x 18", 1.5)  "3 x 18"      two portafilters more, not fuller ones
    scale("1.5 x", 2)     "1.5 x"       a factor of something else grows with it
    scale("a pinch", 4)   "a pinch"

demo/FORMAT.md lists the forms. What isn't understood stays as it was written.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from math import floor, log10

VULGAR = {
    "¼": Fraction(1, 4), "½": Fraction(1, 2), "¾": Fraction(3, 4),
    "⅓": Fraction(1, 3), "⅔": Fraction(2, 3),
    "⅕": Fraction(1, 5), "⅖": Fraction(2, 5), "⅗": Fraction(3, 5), "⅘": Fraction(4, 5),
    "⅙": Fraction(1, 6), "⅚": Fraction(5, 6),
    "⅛": Fraction(1, 8), "⅜": Fraction(3, 8), "⅝": Fraction(5, 8), "⅞": Fraction(7, 8),
}  # fmt: skip
_SIGNS = {value: sign for sign, value in VULGAR.items()}
_NUMBER = r"(?:\d+(?:[.,]\d+)?\s*/\s*\d+|\d+(?:[.,]\d+)?\s?[¼½¾⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞]|\d+(?:[.,]\d+)?|[¼½¾⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞])"
_FORM = re.compile(
    rf"^(?:(?P<times>{_NUMBER})\s*[x×]\s*(?P<each>{_NUMBER})"
    rf"|(?P<low>{_NUMBER})(?:\s*[–-]\s*(?P<high>{_NUMBER}))?)$"
)


@dataclass(frozen=True)
class Amount:
    """What of an amount grows: `low` and perhaps `high`; `rest` is written behind it as it is."""

    written: str
    low: Fraction | None = None
    high: Fraction | None = None
    rest: str = ""
    broken: bool = False  # halves and thirds instead of decimals

    @property
    def scales(self) -> bool:
        return self.low is not None

    def times(self, factor: Fraction) -> str:
        if self.low is None or factor == 1:
            return self.written
        low = show(self.low * factor, self.broken)
        if self.high is not None:
            high = show(self.high * factor, self.broken)
            return low if low == high else f"{low}–{high}"
        return f"{low}{self.rest}"


def parse(written: str) -> Amount:
    written = " ".join(written.split())
    match = _FORM.match(written)
    if not match:
        return Amount(written)
    first = _value(match["times"] or match["low"])
    if first is None:
        return Amount(written)
    whole = first.denominator == 1
    if match["times"]:
        # Portions: one can make half of one, but not 1.3 of them in a decimal.
        return Amount(written, first, rest=f" x {match['each']}", broken=True)
    second = _value(match["high"]) if match["high"] else None
    signs = any(sign in written for sign in VULGAR) or "/" in written
    return Amount(written, first, second, broken=signs or (whole and first < 10 and not second))


def scale(written: str, factor: float | Fraction) -> str:
    """The amount for `factor` times as much."""
    return parse(written).times(Fraction(factor).limit_denominator(1000))


def show(value: Fraction, broken: bool) -> str:
    """A number as one reads it off a scale or a spoon."""
    if value == 0:
        return "0"
    if broken and value < 20:
        whole, part = divmod(value, 1)
        nearest = min([Fraction(0), *_READ, Fraction(1)], key=lambda known: abs(known - part))
        if abs(nearest - part) <= Fraction(1, 50) * max(1, whole):
            whole, nearest = (whole + 1, Fraction(0)) if nearest == 1 else (whole, nearest)
            if whole or nearest:
                return f"{whole or ''}{_SIGNS.get(nearest, '')}"
    # Three digits that mean something are more than a kitchen can weigh.
    digits = max(0, 2 - floor(log10(value)))
    text = f"{float(value):.{min(digits, 2)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


_READ = [VULGAR[sign] for sign in "¼⅓½⅔¾⅛"]


def _value(text: str) -> Fraction | None:
    text = text.replace(",", ".")
    try:
        if text[-1] in VULGAR:
            return (Fraction(text[:-1].strip()) if text[:-1].strip() else Fraction(0)) + VULGAR[text[-1]]
        if "/" in text:
            top, bottom = text.split("/")
            return Fraction(top.strip()) / int(bottom)
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        return None

"""Global trade item numbers: the digits under a bar code, by which shops and search engines know a product."""

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

LENGTHS = (8, 12, 13, 14)
# Numbers that shops and coupons give themselves say nothing outside; Google refuses them.
_OWN = re.compile(r"(02|04|05|2|98|99)")


def digits_of(value: str) -> str:
    """Without the spaces and hyphens that people read it with."""
    return re.sub(r"[\s-]", "", value)


def why_no_gtin(value: str) -> str:
    """What is wrong with digits as a GTIN; nothing when they are one."""
    if not value.isascii() or not value.isdecimal() or len(value) not in LENGTHS:
        return str(_("A GTIN has 8, 12, 13 or 14 digits."))
    weighed = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(value)))
    if weighed % 10:
        return str(_("The last digit does not fit the others: there is a slip in this number."))
    if _OWN.match(value.zfill(14)[1:]):
        return str(_("This is a number for use within a shop. The maker's own GTIN is needed."))
    return ""


def check_gtin(value: str) -> None:
    """A validator."""
    if reason := why_no_gtin(digits_of(value)):
        raise ValidationError(reason, code="gtin")


class GtinField(models.CharField):
    """A GTIN or nothing; kept as digits alone."""

    def __init__(self, *args: Any, **options: Any) -> None:
        options = {"max_length": 24, "blank": True, "default": "", **options}
        super().__init__(*args, **options)

    default_validators = [check_gtin]

    def to_python(self, value: Any) -> Any:
        return digits_of(value) if isinstance(value, str) else super().to_python(value)

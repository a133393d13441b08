"""Contrast of the brand's accents with the paper they stand on (WCAG 2.2, 1.4.3)."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

PAPER_LIGHT = "#f6efe6"
PAPER_DARK = "#21160f"
TEXT_CONTRAST = 4.5


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb`, from 0 to 1, as WCAG defines it."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, from 1 to 21."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def check_accents(light: str, dark: str) -> None:
    """Raise ValidationError at the field whose accent could not be read on its paper."""
    errors = {}
    for field, accent, paper in (("accent", light, PAPER_LIGHT), ("accent_dark", dark, PAPER_DARK)):
        ratio = contrast(accent, paper)
        if ratio < TEXT_CONTRAST:
            errors[field] = _("Contrast with the paper is %(ratio).1f to 1; text needs 4.5 to 1.") % {"ratio": ratio}
    if errors:
        raise ValidationError(errors)

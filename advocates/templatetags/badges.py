"""How badges are drawn."""

from functools import cache

from django import template
from django.templatetags.static import static

from ..badges import OF_AREA
from ..models import Badge

register = template.Library()


@register.simple_tag
@cache
def badge_sheet() -> str:
    """The address of the drawings."""
    return static("icons/badges.svg")


@register.filter
def glyph(badge: Badge) -> str:
    """What is drawn on a badge: its own sign, or that of its area."""
    return badge.glyph or OF_AREA.get(badge.area, "answer")

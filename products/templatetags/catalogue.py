"""Small words of the catalogue's templates."""

from django import template
from django.utils.safestring import SafeString

from community.core.templatetags.community import DRAWINGS, art

register = template.Library()

# Pixels a unit of a drawing: the tallest (400) stays below the shelf's 204 pixels.
SHELF_SCALE = 0.5


@register.simple_tag
def shelf_art(name: str) -> SafeString:
    """A product's line drawing on the shelf; all of them to one scale."""
    return art(name, width=round(DRAWINGS[name][0] * SHELF_SCALE))

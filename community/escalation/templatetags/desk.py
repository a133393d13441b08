"""Small things that the desk shows many times on a page. A tag costs a third of an included template."""

from functools import lru_cache
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from community.core.templatetags.community import initials

register = template.Library()


@register.simple_tag
def who(person: Any) -> SafeString:
    """The plate of a person beside their name: staff's and advocates' are marked; dashed where there is nobody."""
    if not person:
        return _plate("dsk-av--empty", "")
    sign = "dsk-av--staff" if person.speaks_for_brand else "dsk-av--advocate" if person.is_advocate else ""
    return _plate(sign, initials(person))


@lru_cache(maxsize=2048)
def _plate(sign: str, letters: str) -> SafeString:
    return format_html('<span class="dsk-av{}" aria-hidden="true">{}</span>', f" {sign}" if sign else "", letters)

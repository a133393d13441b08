"""Found words, marked."""

import re

from django import template
from django.utils.html import conditional_escape, format_html_join
from django.utils.safestring import SafeString

register = template.Library()
AROUND = 240


@register.filter
def marked(text: str, words: list[str]) -> SafeString:
    """The text with every word that begins with one of these in <mark>; everything else is escaped."""
    wanted = [re.escape(word) for word in words if len(word) > 1]
    if not wanted:
        return conditional_escape(text)
    pieces = re.split(rf"(?<!\w)((?:{'|'.join(wanted)})\w*)", str(text), flags=re.IGNORECASE)
    return format_html_join(
        "", "{}{}{}", (("", piece, "") if i % 2 == 0 else _mark(piece) for i, piece in enumerate(pieces))
    )


def _mark(piece: str) -> tuple[SafeString, str, SafeString]:
    return SafeString("<mark>"), piece, SafeString("</mark>")


@register.filter
def snippet(text: str, words: list[str]) -> str:
    """The part of a long text where one of the words stands first."""
    wanted = [re.escape(word) for word in words if len(word) > 1]
    place = re.search(rf"(?<!\w)(?:{'|'.join(wanted)})", text, flags=re.IGNORECASE) if wanted else None
    start = max(0, place.start() - AROUND // 3) if place else 0
    if start:
        start = text.find(" ", start) + 1
    part = text[start : start + AROUND]
    end = "…" if start + AROUND < len(text) else ""
    return ("… " if start else "") + (part.rsplit(" ", 1)[0] if end and " " in part else part) + end

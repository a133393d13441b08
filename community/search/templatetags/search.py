"""Found words, marked."""

import re
from collections.abc import Callable

from django import template
from django.utils.html import conditional_escape, format_html_join
from django.utils.safestring import SafeString

from ..words import EMPTY, WORD, stem

register = template.Library()
AROUND = 240
SPLIT = re.compile(f"({WORD.pattern})")


def _wanted(words: list[str]) -> Callable[[str], bool]:
    """Whether a word of a text is one of those looked for, in this form or another, or begins with one."""
    told = [word.lower() for word in words if len(word) > 1]
    stems = {stem(word) for word in told if word not in EMPTY}
    begins = tuple(word for word in told if word not in EMPTY) or tuple(told)
    return lambda word: word.lower().startswith(begins) or (word.lower() not in EMPTY and stem(word) in stems)


@register.filter
def marked(text: str, words: list[str]) -> SafeString:
    """The text with every such word in <mark>; everything else is escaped."""
    if not words:
        return conditional_escape(text)
    wanted = _wanted(words)
    pieces = SPLIT.split(str(text))  # what stands between, a word, what stands between, …
    return format_html_join(
        "", "{}{}{}", (_mark(piece) if i % 2 and wanted(piece) else ("", piece, "") for i, piece in enumerate(pieces))
    )


def _mark(piece: str) -> tuple[SafeString, str, SafeString]:
    return SafeString("<mark>"), piece, SafeString("</mark>")


@register.filter
def snippet(text: str, words: list[str]) -> str:
    """The part of a long text where one of the words stands first."""
    wanted = _wanted(words)
    place = next((match.start() for match in WORD.finditer(text) if wanted(match.group())), 0) if words else 0
    start = max(0, place - AROUND // 3)
    if start:
        start = text.find(" ", start) + 1
    part = text[start : start + AROUND]
    end = "…" if start + AROUND < len(text) else ""
    return ("… " if start else "") + (part.rsplit(" ", 1)[0] if end and " " in part else part) + end

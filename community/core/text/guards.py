"""Whatever only a machine would write is shown without markup, before it costs time."""

import html
import re
from collections.abc import Callable

from .allowed import LAST
from .cleaning import clean_source
from .reading import Rendered, words_of

MAX_GROWTH = 20  # HTML may be this many times as long as its source
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
WITHOUT_TAGS = re.compile(r"<[^<>]*>?")
# They can't stand inside one of their own kind, so they are often left open and never nest alone.
_FLAT = {"p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "option"} | {
    "br", "hr", "img", "wbr", "col", "input", "meta", "link", "area", "base", "embed", "source", "track",
}  # fmt: skip


def depth_of(source: str) -> int:
    """How deep the open elements get; in one pass, as the parser is quadratic in it."""
    unclosed: dict[str, int] = {}
    depth = deepest = 0
    for match in _TAG.finditer(source):
        name = match[2].lower()
        if name in _FLAT:
            continue
        if not match[1]:
            unclosed[name] = unclosed.get(name, 0) + 1
            depth += 1
            deepest = max(deepest, depth)
        elif unclosed.get(name):
            unclosed[name] -= 1
            depth -= 1
    return deepest


def too_costly(source: str) -> bool:
    """Whether parsing this Markdown would take time beyond its length: only machines write so many of one sign."""
    return (
        len(source) > 400_000
        or source.count("[") > 1_000
        or source.count("](") > 1_000
        or max((source.count(sign) for sign in "*_~`<!$&"), default=0) > 4_000
        or "@" * 50 in source
    )


def within_reason(source: str, render: Callable[[], str]) -> str:
    """The rendered HTML, or the text as plain paragraphs when it grew beyond measure."""
    made = render()
    return made if len(made) <= MAX_GROWTH * len(source) + 200 else _paragraphs(source)


def as_plain(source: str, *, entities: bool = False) -> Rendered:
    source = html.unescape(source) if entities else source
    made = LAST.clean(_paragraphs(clean_source(source)))
    return Rendered(made, words_of(made))


def _paragraphs(source: str) -> str:
    parts = (part.strip() for part in re.split(r"\n[ \t]*\n", source))
    return "".join(f"<p>{html.escape(part, quote=False).replace(chr(10), '<br>')}</p>" for part in parts if part)

"""What people write, made safe once, on write.

    rendered = text.render_markdown(source, known_users={"bob"})
    thing.body_html, thing.body_text, thing.pipeline = rendered.html, rendered.text, text.PIPELINE_VERSION

Three doors: `render_markdown` for posts, `render_html` for imported sites, `render_plain` for comments and
bios. All end in the same allow-list (nh3), all survive hostile input in bounded time: a text that only a machine
would write loses its markup, never its words. `clean_source` says what is stored,
`clean_line` does the same for titles and names.
"""

import re
from collections.abc import Collection
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext as _

from .. import tex
from .allowed import ELEMENTS, FIRST, LAST, LINK_REL, MATH_ATTRIBUTES, MATHML
from .cleaning import MAX_POST_BYTES, TooLong, check_length, clean_line, clean_source
from .finishing import MAX_QUOTES, demote, finish, is_own_image
from .formulas import formula, text_with_formulas
from .guards import MAX_GROWTH, WITHOUT_TAGS, as_plain, depth_of, too_costly, within_reason
from .markdown import MAX_NESTING, USERNAME, linked, mention_of, tools
from .reading import Rendered, excerpt, words_of

__all__ = [
    "ELEMENTS",
    "LINK_REL",
    "MATHML",
    "MATH_ATTRIBUTES",
    "MAX_COMMENT_CHARS",
    "MAX_GROWTH",
    "MAX_POST_BYTES",
    "MAX_QUOTES",
    "MAX_DEPTH",
    "MAX_NESTING",
    "PIPELINE_VERSION",
    "Rendered",
    "TooLong",
    "USERNAME",
    "check_length",
    "clean_line",
    "clean_source",
    "excerpt",
    "find_mentions",
    "formula",
    "is_own_image",
    "line_html",
    "linkify",
    "mention_of",
    "plain_text",
    "render_html",
    "render_markdown",
    "render_plain",
]

# Raise it when the same source gives other HTML: rows with an older number can then be found and made anew.
# 2: headings without a gap, the names that formulas define, chemistry, formulas around other formulas.
# 3: bars close around what they hold; a picture elsewhere whose words say nothing is called by where it is.
PIPELINE_VERSION = 3
MAX_COMMENT_CHARS = 600
MAX_DEPTH = 60  # of imported HTML: nobody nests deeper, and parsing gets quadratic


def render_markdown(source: str, *, known_users: Collection[str] = (), limit: int | None = MAX_POST_BYTES) -> Rendered:
    """A post. Raises TooLong over `limit`; imports and staff pass `limit=None`."""
    source = clean_source(source)
    if limit is not None:
        check_length(source, limit)
    if too_costly(source):
        return as_plain(source)
    known = {name.casefold(): name for name in known_users}
    env: dict[str, Any] = {"known_users": known, "mentions": {}, "sheet": tex.Sheet()}
    tokens = tools.posts.parse(source, env)
    if any(token.level >= MAX_NESTING - 1 for token in tokens):
        return as_plain(source)  # the parser drops what stands deeper
    made = within_reason(source, lambda: tools.posts.renderer.render(tokens, tools.posts.options, env))
    return finish(made, source, env["mentions"])


def render_plain(source: str, *, known_users: Collection[str] = (), limit: int | None = None) -> Rendered:
    """A comment or a bio: paragraphs, line breaks, `code`, formulas, emphasis and links, nothing larger."""
    source = clean_source(source).strip()
    if limit is not None and len(source) > limit:
        raise TooLong(
            _("This has %(size)d characters; %(limit)d is the most.") % {"size": len(source), "limit": limit},
            code="too_long",
        )
    if len(source) > 10_000 or too_costly(source):
        return as_plain(source)
    known = {name.casefold(): name for name in known_users}
    env: dict[str, Any] = {"known_users": known, "mentions": {}, "sheet": tex.Sheet()}
    parts = [part for part in re.split(r"\n\s*\n", source) if part.strip()]
    made = within_reason(source, lambda: "".join(f"<p>{tools.comments.renderInline(part, env)}</p>" for part in parts))
    return finish(made, source, env["mentions"])


def render_html(source: str, *, base_url: str = "") -> Rendered:
    """HTML of an imported site. `base_url` is where its relative links point."""
    source = clean_source(source)
    if depth_of(source) > MAX_DEPTH or source.count("<") > 50_000:
        return as_plain(WITHOUT_TAGS.sub("", source), entities=True)
    return finish(FIRST.clean(source), source, base_url=base_url, math=True)


@lru_cache(maxsize=2048)
def line_html(line: str) -> str:
    """A title as HTML, with its dollar formulas; no other markup."""
    return LAST.clean(text_with_formulas(line, tex.Sheet()))


def linkify(words: str) -> str:
    """Plain text as HTML on which its addresses are links; for mails and short lines."""
    return LAST.clean(linked(clean_source(words)))


def plain_text(source: str) -> str:
    """The words of some HTML, a line a block, formulas in TeX and pictures by their alt text."""
    return words_of(LAST.clean(demote(source)) if depth_of(source) <= MAX_DEPTH else WITHOUT_TAGS.sub("", source))


def find_mentions(source: str) -> list[str]:
    """The names after an @ outside code and links, in order, once each; whether they exist is not asked."""
    source = clean_source(source)
    if too_costly(source):
        return []
    env: dict[str, Any] = {"known_users": None, "mentions": {}}
    tools.posts.parse(source, env)
    return list(env["mentions"])

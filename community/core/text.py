"""What people write, made safe once, on write.

    rendered = text.render_markdown(source, known_users={"bob"})
    thing.body_html, thing.body_text, thing.pipeline = rendered.html, rendered.text, text.PIPELINE_VERSION

Three doors: `render_markdown` for posts, `render_html` for imported sites, `render_plain` for comments and
bios. All end in the same allow-list (nh3), all survive hostile input in bounded time: a text that only a machine
would write loses its markup, never its words. `clean_source` says what is stored,
`clean_line` does the same for titles and names.
"""

import html
import re
import threading
import unicodedata
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, urljoin, urlsplit
from xml.etree import ElementTree

import bleach
import nh3
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from latex2mathml.converter import convert_to_element
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.dollarmath.index import math_inline_dollar

from . import tex

# Raise it when the same source gives other HTML: rows with an older number can then be found and made anew.
# 2: headings without a gap, the names that formulas define, chemistry, formulas around other formulas.
# 3: bars close around what they hold; a picture elsewhere whose words say nothing is called by where it is.
PIPELINE_VERSION = 3

MAX_POST_BYTES = 20_000  # of UTF-8; for people, not for imports (RULINGS 19)
MAX_COMMENT_CHARS = 600
MAX_SEARCHES = 300  # so often a formula may be looked for in vain; money has few dollars, machines have many
MAX_GROWTH = 20  # HTML may be this many times as long as its source
MAX_NESTING = 20  # of Markdown
MAX_QUOTES = 4  # quotes in quotes that are shown as such
MAX_DEPTH = 60  # of imported HTML: nobody nests deeper, and parsing gets quadratic
MAX_MARKS = 6  # combining marks on one letter: more than any script needs, fewer than it takes to paint a page
MAX_GROUPS = 150  # braces in a formula: converting goes deeper with each
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
LINK_REL = "nofollow ugc noopener"
USERNAME = r"\w[\w.\-]{1,38}\w"  # imported people may have longer names than those who sign up


class TooLong(ValidationError):
    """The text is longer than people may post."""


@dataclass(frozen=True)
class Rendered:
    """Safe HTML, its plain text, and what the trust gates count."""

    html: str
    text: str
    links: tuple[str, ...] = ()  # addresses outside this site
    images: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()  # names of known users, once each


# What is left -----------------------------------------------------------------------------------------------


def _names(words: str) -> set[str]:
    return set(words.split())


MATHML = _names(
    "math mrow mi mo mn ms mtext mspace mfrac msqrt mroot msub msup msubsup munder mover munderover "
    "mmultiscripts mprescripts none mtable mtr mtd mstyle mpadded mphantom menclose mfenced"
)
ELEMENTS = _names(
    "p br hr h3 h4 h5 h6 ul ol li dl dt dd blockquote pre code kbd samp var em strong b i u s strike del ins mark "
    "sub sup small abbr q cite a img table caption thead tbody tfoot tr th td details summary"
)
ATTRIBUTES: dict[str, set[str]] = {
    "*": set(),  # else nh3 lets `title` and `lang` pass on every element
    "a": {"href", "title"},
    "abbr": {"title"},
    "img": {"src", "alt", "title", "width", "height"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}
MATH_ATTRIBUTES: dict[str, set[str]] = {
    "math": {"display", "alttext"},
    "mo": {"stretchy", "fence", "form", "lspace", "rspace", "minsize", "maxsize", "movablelimits", "largeop"},
    "mi": {"mathvariant"},
    "mn": {"mathvariant"},
    "mtext": {"mathvariant"},
    "mspace": {"width", "linebreak"},
    "mfrac": {"linethickness"},
    "mstyle": {"displaystyle", "scriptlevel"},
    "mtable": {"columnalign", "rowspacing", "columnspacing", "columnlines", "displaystyle"},
    "mtd": {"columnalign"},
    "menclose": {"notation"},
    "mover": {"accent"},
    "munder": {"accentunder"},
    "mpadded": {"width", "height", "depth", "lspace"},
}
# Their content is not text for readers.
SWALLOWED = {"script", "style", "title", "noscript", "iframe", "template", "textarea", "object", "svg"}
CLASSES = {"a": {"mention"}, "td": {"center", "right"}, "th": {"center", "right"}}
_COMMON: dict[str, Any] = {
    "clean_content_tags": SWALLOWED,
    "url_schemes": {"http", "https", "mailto"},
    "allowed_classes": CLASSES,
    "link_rel": LINK_REL,
}
# Imported HTML passes the first: no formula of a stranger, and headings still under their own names.
_first = nh3.Cleaner(
    tags=ELEMENTS | {"h1", "h2"}, attributes=ATTRIBUTES, **{**_COMMON, "clean_content_tags": SWALLOWED | {"math"}}
)
# Everything leaves through the last. Formulas in it are of our own making.
_last = nh3.Cleaner(
    tags=ELEMENTS | MATHML,
    attributes=ATTRIBUTES | MATH_ATTRIBUTES,
    set_tag_attribute_values={"img": {"loading": "lazy"}},
    **_COMMON,
)


# What is stored ---------------------------------------------------------------------------------------------

_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # controls, but tab and line feed
    "\u202a-\u202e\u2066-\u2069"  # overrides and isolates of direction: they reorder their surroundings
    "\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_ZERO_WIDTH = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b\u200e\u200f\u2060-\u2064\u206a-\u206f\u3164\uffa0]"
)
_JOINER = re.compile("(?<![^\x00-\x7f])[\u200c\u200d]+|[\u200c\u200d]+(?![^\x00-\x7f])")


def clean_source(source: str) -> str:
    """The text as it is stored: NFC, unix line ends, no controls, no direction overrides, few marks a letter."""
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    source = _INVISIBLE.sub("", _SURROGATE.sub("\ufffd", source.replace("\u2028", "\n").replace("\u2029", "\n\n")))
    return source if source.isascii() else unicodedata.normalize("NFC", _few_marks(source))


def clean_line(line: str) -> str:
    """A title or a name: `clean_source`, without anything invisible, on one line with single spaces."""
    line = _ZERO_WIDTH.sub("", clean_source(line))
    return " ".join(_JOINER.sub("", line).split())  # a joiner stays inside emoji and scripts that need it


def _few_marks(source: str) -> str:
    # Before normalising, which is quadratic in the marks on one letter.
    kept, marks = [], 0
    for character in source:
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if marks <= MAX_MARKS:
            kept.append(character)
    return "".join(kept)


def check_length(source: str, limit: int = MAX_POST_BYTES) -> None:
    """Raise TooLong with words for the form when a post has more than `limit` bytes."""
    size = len(source.encode("utf-8", "replace"))
    if size > limit:
        raise TooLong(
            _("This is %(size)d kB long; %(limit)d kB is the most. Could part of it be a post of its own?")
            % {"size": -(-size // 1000), "limit": limit // 1000},
            code="too_long",
        )


# The three doors --------------------------------------------------------------------------------------------


def render_markdown(source: str, *, known_users: Collection[str] = (), limit: int | None = MAX_POST_BYTES) -> Rendered:
    """A post. Raises TooLong over `limit`; imports and staff pass `limit=None`."""
    source = clean_source(source)
    if limit is not None:
        check_length(source, limit)
    if _too_costly(source):
        return _plain(source)
    known = {name.casefold(): name for name in known_users}
    env: dict[str, Any] = {"known_users": known, "mentions": {}, "sheet": tex.Sheet()}
    tokens = _tools.posts.parse(source, env)
    if any(token.level >= MAX_NESTING - 1 for token in tokens):
        return _plain(source)  # the parser drops what stands deeper
    made = _within_reason(source, lambda: _tools.posts.renderer.render(tokens, _tools.posts.options, env))
    return _finish(made, source, env["mentions"])


def render_plain(source: str, *, known_users: Collection[str] = (), limit: int | None = None) -> Rendered:
    """A comment or a bio: paragraphs, line breaks, `code`, formulas, emphasis and links, nothing larger."""
    source = clean_source(source).strip()
    if limit is not None and len(source) > limit:
        raise TooLong(
            _("This has %(size)d characters; %(limit)d is the most.") % {"size": len(source), "limit": limit},
            code="too_long",
        )
    if len(source) > 10_000 or _too_costly(source):
        return _plain(source)
    known = {name.casefold(): name for name in known_users}
    env: dict[str, Any] = {"known_users": known, "mentions": {}, "sheet": tex.Sheet()}
    parts = [part for part in re.split(r"\n\s*\n", source) if part.strip()]
    made = _within_reason(
        source, lambda: "".join(f"<p>{_tools.comments.renderInline(part, env)}</p>" for part in parts)
    )
    return _finish(made, source, env["mentions"])


def render_html(source: str, *, base_url: str = "") -> Rendered:
    """HTML of an imported site. `base_url` is where its relative links point."""
    source = clean_source(source)
    if _depth(source) > MAX_DEPTH or source.count("<") > 50_000:
        return _plain(_WITHOUT_TAGS.sub("", source), entities=True)
    return _finish(_first.clean(source), source, base_url=base_url, math=True)


@lru_cache(maxsize=2048)
def line_html(line: str) -> str:
    """A title as HTML, with its dollar formulas; no other markup."""
    return _last.clean(_text_with_formulas(line, tex.Sheet()))


def linkify(words: str) -> str:
    """Plain text as HTML on which its addresses are links; for mails and short lines."""
    return _last.clean(_linked(clean_source(words)))


def plain_text(source: str) -> str:
    """The words of some HTML, a line a block, formulas in TeX and pictures by their alt text."""
    return _words(_last.clean(_demote(source)) if _depth(source) <= MAX_DEPTH else _WITHOUT_TAGS.sub("", source))


def excerpt(source: str, length: int = 200) -> str:
    """The beginning of a plain text on one line, cut between words."""
    words = " ".join(source[: length * 4 + 100].split())
    if len(words) <= length:
        return words
    cut = words[: length - 1]
    head, _space, _rest = cut.rpartition(" ")
    return (head if len(head) > length // 2 else cut).rstrip(" ,;:.–-") + "…"


def find_mentions(source: str) -> list[str]:
    """The names after an @ outside code and links, in order, once each; whether they exist is not asked."""
    source = clean_source(source)
    if _too_costly(source):
        return []
    env: dict[str, Any] = {"known_users": None, "mentions": {}}
    _tools.posts.parse(source, env)
    return list(env["mentions"])


# Formulas ---------------------------------------------------------------------------------------------------


def formula(written: str, *, block: bool = False, sheet: tex.Sheet | None = None) -> str:
    """MathML for a formula; what the converter doesn't understand is shown as it was written.

    `sheet` holds the names that the text has defined so far; a formula that only defines is shown as nothing.
    """
    written = written.strip()
    as_code = f"<code>{html.escape(written)}</code>"
    if not written or len(written) > tex.MAX_FORMULA:
        return as_code
    try:
        source = (sheet or tex.Sheet()).expanded(written)
        if not source:
            return ""
        if source.count("{") + source.count("\\left") > MAX_GROUPS:
            return as_code
        known = tex.plain(source)
        if not known:
            return ""
        if sheet is not None:  # chemistry gets longer when it is written out
            sheet.left -= max(0, len(known) - len(source))
            if sheet.left < 0:
                return as_code
        if len(known) > 2 * tex.MAX_FORMULA or known.count("{") + known.count("\\left") > 2 * MAX_GROUPS:
            return as_code
        root = convert_to_element(known, display="block" if block else "inline")
        _own_words(root)
    except Exception:  # noqa: BLE001 - the converter raises whatever it trips over, RecursionError included
        return as_code
    root.set("alttext", source)
    if not block:
        root.attrib.pop("display", None)
    root.attrib.pop("xmlns", None)
    made = ElementTree.tostring(root, encoding="unicode")
    return made if len(made) <= MAX_GROWTH * (len(source) + 20) else as_code


def _own_words(root: ElementTree.Element) -> None:
    # The converter writes entities into its texts and means them to be read as such. Bars are signs like any other to
    # TeX, as in |0⟩; MathML would set them apart like a plus.
    for element in root.iter():
        element.text = element.text and html.unescape(element.text)
        if element.tag == "mo" and element.text in ("|", "‖") and "form" not in element.attrib:
            element.set("lspace", "0")
            element.set("rspace", "0")
        element.tail = element.tail and html.unescape(element.tail)
        for name, value in element.attrib.items():
            element.set(name, html.unescape(value))


_OPENS = re.compile(
    r"\\begin\{(?P<name>equation|align|gather|eqnarray|multline)\*?\}|(?<![\\$])(?P<dollars>\$\$?)(?!\$)"
)
_WITHIN = re.compile(r"\\.|[{}]|\$\$?|\n[ \t]*\n", re.DOTALL)


def _text_with_formulas(words: str, sheet: tex.Sheet) -> str:
    """Escaped text with its dollar formulas made; money stays money."""
    if "$" not in words and "\\begin{" not in words:
        return html.escape(words, quote=False)
    parts, end, start = [], 0, 0
    while (opening := _OPENS.search(words, start)) and sheet.tries < MAX_SEARCHES:
        dollars = opening["dollars"]
        found = _up_to(words, opening, dollars) if dollars else _environment(words, opening)
        source, stop = found or ("", 0)
        if not found or not source.strip() or (dollars == "$" and not _is_tex(source, imported=True)):
            sheet.tries += 1
            start = opening.end()  # its second dollar may open a true one
            continue
        parts += [html.escape(words[end : opening.start()], quote=False)]
        parts += [formula(source, block=dollars != "$", sheet=sheet)]
        end = start = stop
    return "".join([*parts, html.escape(words[end:], quote=False)])


def _up_to(words: str, opening: re.Match[str], dollars: str) -> tuple[str, int] | None:
    """What stands up to the next dollars outside braces, and where they end; None when it is no formula."""
    depth, start = 0, opening.end()
    for sign in _WITHIN.finditer(words, start, start + tex.MAX_FORMULA):
        if sign[0].isspace():
            if dollars == "$":
                return None  # a formula in a line doesn't go over an empty one
        elif sign[0] in "{}":
            depth = max(0, depth + (1 if sign[0] == "{" else -1))
        elif sign[0][0] == "$" and depth == 0:
            if sign[0] != dollars or (dollars == "$" and words[sign.end() : sign.end() + 1].isdigit()):
                return None  # $5-$10
            found = words[start : sign.start()]
            return (found, sign.end()) if len(found) <= 500 or "\\" in found else None
    return None


def _environment(words: str, opening: re.Match[str]) -> tuple[str, int] | None:
    closing = re.compile(rf"\\end\{{{opening['name']}\*?\}}").search(
        words, opening.end(), opening.end() + tex.MAX_FORMULA
    )
    return (words[opening.start() : closing.end()], closing.end()) if closing else None


_PROSE = re.compile(r"\s[^\W\d_]{2,}|[^\W\d_]{2,}\s|[,;:/]$")


_NAMES_ALONE = re.compile(r"[A-Za-z]'?|[A-Z]{1,3}(?:, ?[A-Z]{1,3})*|[A-Za-z]\([a-z0-9 ,]{1,20}\)|[ijknm]")


def _is_tex(source: str, *, imported: bool = False) -> bool:
    """Whether what stands between two dollars is a formula, not money. Other sites write `$n $` and `$O(log n)$`."""
    if any(sign in source for sign in "\\^_={}"):
        return True
    if imported and _NAMES_ALONE.fullmatch(source.strip()):
        return True
    return source == source.strip() and not _PROSE.search(source)


# Markdown ---------------------------------------------------------------------------------------------------


def _mentions(state: StateCore) -> None:
    """@name becomes a link when the name is known; outside code and links."""
    known = state.env.get("known_users")
    found = state.env.get("mentions")
    if found is None or (known is not None and not known) or "@" not in state.src:
        return
    for block in state.tokens:
        if block.type == "inline" and block.children and "@" in block.content:
            block.children = list(_with_mentions(block.children, known, found))


_MENTION = re.compile(rf"(?<![\w@/.&;:+\-])@({USERNAME})(?![\w@])")


def mention_of(username: str) -> re.Pattern[str]:
    """Where a text names this person after an @, as a mention is found."""
    return re.compile(rf"(?<![\w@/.&;:+\-])@{re.escape(username)}(?![\w@])", re.IGNORECASE)


def _with_mentions(tokens: list[Token], known: dict[str, str] | None, found: dict[str, None]) -> Iterable[Token]:
    depth = 0
    for token in tokens:
        depth += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        if token.type != "text" or depth or "@" not in token.content:
            yield token
            continue
        end = 0
        for match in _MENTION.finditer(token.content):
            name = match[1] if known is None else known.get(match[1].casefold())
            if name is None:
                continue
            found[name] = None
            yield _text(token.content[end : match.start()], token.level)
            attrs: dict[str, str | int | float] = {"href": f"/people/{quote(name)}/", "class": "mention"}
            yield Token("link_open", "a", 1, attrs=attrs, level=token.level)
            yield _text(f"@{name}", token.level + 1)
            yield Token("link_close", "a", -1, level=token.level)
            end = match.end()
        yield _text(token.content[end:], token.level)


def _text(content: str, level: int) -> Token:
    return Token("text", "", 0, content=content, level=level)


def _posts_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": True, "maxNesting": MAX_NESTING})
    parser.enable(["table", "strikethrough", "linkify"])
    _with_formulas(parser)
    parser.core.ruler.after("linkify", "mentions", _mentions)
    return parser


def _with_formulas(parser: MarkdownIt) -> None:
    parser.use(
        dollarmath_plugin,
        allow_labels=False, allow_space=False, allow_digits=False, allow_blank_lines=False, double_inline=True,
    )  # fmt: skip
    parser.inline.ruler.at("math_inline", _but_money(math_inline_dollar(False, False, True)))
    for name, block in (("math_inline", False), ("math_inline_double", True), ("math_block", True)):
        parser.add_render_rule(name, _formula_rule(block))


def _but_money(rule: Callable[[StateInline, bool], bool]) -> Callable[[StateInline, bool], bool]:
    """The plugin's rule, which leaves dollars that are money to the rules after it."""

    def checked(state: StateInline, silent: bool) -> bool:
        start = state.pos
        found = rule(state, True)
        end, state.pos = state.pos, start
        return found and _is_tex(state.src[start:end].strip("$")) and rule(state, silent)

    return checked


def _formula_rule(block: bool) -> Callable[..., str]:
    def rule(_renderer: Any, tokens: list[Token], index: int, _options: Any, env: Any) -> str:
        content = tokens[index].content
        made = formula(content, block=block, sheet=env["sheet"])
        return f"<p>{made}</p>" if made and tokens[index].type == "math_block" else made

    return rule


def _linked(words: str) -> str:
    """Escaped text with links. Only text: bleach escapes twice what stands inside its `skip_tags`."""
    escaped = html.escape(words, quote=False)
    return _tools.linker.linkify(escaped) if "." in words and ("://" in words or "www" in words) else escaped


def _mark_linked(state: StateCore) -> None:
    for block in state.tokens:
        depth = 0
        for token in block.children or ():
            depth += {"link_open": 1, "link_close": -1}.get(token.type, 0)
            token.meta["linked"] = depth > 0


def _comment_text(_renderer: Any, tokens: list[Token], index: int, _options: Any, _env: Any) -> str:
    token = tokens[index]
    return html.escape(token.content, quote=False) if token.meta["linked"] else _linked(token.content)


def _comments_parser() -> MarkdownIt:
    parser = MarkdownIt("zero", {"html": False, "maxNesting": 10, "breaks": True})
    parser.enable(["backticks", "emphasis", "strikethrough", "link", "autolink", "escape", "entity", "newline"])
    parser.enable(["fragments_join", "text_join"])
    _with_formulas(parser)
    parser.core.ruler.after("text_join", "mentions", _mentions)
    parser.core.ruler.after("mentions", "mark_linked", _mark_linked)
    parser.add_render_rule("text", _comment_text)
    return parser


def _unbroken(attrs: dict, new: bool = False) -> dict | None:
    """Bleach finds names such as `readme.md`; only what was written as an address becomes a new link."""
    written = attrs.get("_text", "")
    return None if new and not written.startswith(("http://", "https://", "www.")) else attrs


class _Tools(threading.local):
    """A set for each thread: bleach and the finder of links keep what they read in themselves."""

    def __init__(self) -> None:
        self.posts = _posts_parser()
        self.comments = _comments_parser()
        self.linker = bleach.Linker(callbacks=[_unbroken])


_tools = _Tools()


# Guards -----------------------------------------------------------------------------------------------------

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_WITHOUT_TAGS = re.compile(r"<[^<>]*>?")
# They can't stand inside one of their own kind, so they are often left open and never nest alone.
_FLAT = {"p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "option"} | {
    "br", "hr", "img", "wbr", "col", "input", "meta", "link", "area", "base", "embed", "source", "track",
}  # fmt: skip


def _depth(source: str) -> int:
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


def _too_costly(source: str) -> bool:
    """Whether parsing this Markdown would take time beyond its length: only machines write so many of one sign."""
    return (
        len(source) > 400_000
        or source.count("[") > 1_000
        or source.count("](") > 1_000
        or max((source.count(sign) for sign in "*_~`<!$&"), default=0) > 4_000
        or "@" * 50 in source
    )


def _within_reason(source: str, render: Callable[[], str]) -> str:
    """The rendered HTML, or the text as plain paragraphs when it grew beyond measure."""
    made = render()
    return made if len(made) <= MAX_GROWTH * len(source) + 200 else _paragraphs(source)


def _plain(source: str, *, entities: bool = False) -> Rendered:
    source = html.unescape(source) if entities else source
    made = _last.clean(_paragraphs(clean_source(source)))
    return Rendered(made, _words(made))


def _paragraphs(source: str) -> str:
    parts = (part.strip() for part in re.split(r"\n[ \t]*\n", source))
    return "".join(f"<p>{html.escape(part, quote=False).replace(chr(10), '<br>')}</p>" for part in parts if part)


# The last stretch, the same for all -------------------------------------------------------------------------


def _finish(
    made: str, source: str, mentions: Iterable[str] = (), *, base_url: str = "", math: bool = False
) -> Rendered:
    writer = _Rewriter(base_url=base_url, math=math)
    writer.feed(made)
    writer.close()
    safe = _last.clean("".join(writer.out)).strip()
    if len(safe) > MAX_GROWTH * len(source) + 200:
        return _plain(_words(safe)[: 2 * len(source)])
    return Rendered(safe, _words(safe), tuple(writer.links), tuple(writer.images), tuple(mentions))


# What other sites' editors write where nobody described a picture.
_SAYS_NOTHING = ("enter image description here", "image", "img", "alt text")


class _Rewriter(HTMLParser):
    """Walks well-formed HTML once: headings go down, foreign pictures become links, formulas are made.

    What it writes still passes the allow-list; it decides, it does not guard.
    """

    def __init__(self, *, base_url: str, math: bool) -> None:
        super().__init__(convert_charrefs=True)
        self.base_url, self.math = base_url, math
        self.out: list[str] = []
        self.links: list[str] = []
        self.images: list[str] = []
        self.verbatim = self.in_link = self.quotes = 0
        self.sheet = tex.Sheet()
        self.headings: list[str] = []  # the headings we are below, as they were written

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "img":
            self._image(values)
            return
        if tag in ("code", "pre", "math"):
            self.verbatim += 1
        if tag == "a":
            self.in_link += 1
            values["href"] = self._resolve(values.get("href", ""))
            if _is_foreign(values["href"]):
                self.links.append(values["href"])
        if tag == "blockquote":
            self.quotes += 1
            if self.quotes > MAX_QUOTES:
                return
        if tag in ("td", "th") and "style" in values:
            values["class"] = values.pop("style").rpartition(":")[2].strip()
        if tag in HEADINGS:
            while self.headings and self.headings[-1] >= tag:
                self.headings.pop()
            self.headings.append(tag)
        self._open(self._lower(tag), values)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("code", "pre", "math"):
            self.verbatim = max(0, self.verbatim - 1)
        if tag == "a":
            self.in_link = max(0, self.in_link - 1)
        if tag == "blockquote":
            self.quotes -= 1
            if self.quotes >= MAX_QUOTES:
                return
        self.out.append(f"</{self._lower(tag)}>")

    def handle_data(self, data: str) -> None:
        plain = self.verbatim or not self.math
        self.out.append(html.escape(data, quote=False) if plain else _text_with_formulas(data, self.sheet))

    def _open(self, tag: str, values: dict[str, str]) -> None:
        written = "".join(f' {name}="{html.escape(value)}"' for name, value in values.items())
        self.out.append(f"<{tag}{written}>")

    def _image(self, values: dict[str, str]) -> None:
        address = self._resolve(values.get("src", "").strip())
        alt = " ".join(values.get("alt", "").split())
        if is_own_image(address):
            self.images.append(address)
            self._open("img", {**values, "src": address, "alt": alt})
        elif self.in_link or _web_host(address) is None:
            self.out.append(html.escape(alt, quote=False))
        else:
            self.links.append(address)
            says = alt.casefold() not in ("", *_SAYS_NOTHING)
            label = alt if says else _("Picture at %(host)s") % {"host": urlsplit(address).hostname}
            self.out.append(f'<a href="{html.escape(address)}">{html.escape(label, quote=False)}</a>')

    def _lower(self, tag: str) -> str:
        """Headings in a post stand below the page's own h1 and h2, each one step below what it belongs to."""
        return f"h{min(6, len(self.headings) + 2)}" if tag in HEADINGS else tag

    def _resolve(self, address: str) -> str:
        if not self.base_url:
            return address
        try:
            return urljoin(self.base_url, address)
        except ValueError:
            return ""


def _demote(source: str) -> str:
    return re.sub(r"(?i)(</?)h[12](?=[\s>])", r"\1h3", source)


def _web_host(address: str) -> str | None:
    """The host of a web address, or None when it isn't one."""
    try:
        parts = urlsplit(address)
        return parts.hostname if parts.scheme in ("http", "https") else None
    except ValueError:
        return None


def _is_foreign(address: str) -> bool:
    if not address or (address[0] in "/#?" and not address.startswith(("//", "/\\"))):
        return False
    return _web_host(address) != _web_host(settings.BASE_URL)


def is_own_image(address: str) -> bool:
    """Whether a picture lies with us: only those are shown, others would tell their host who reads here."""
    path = address.removeprefix(settings.BASE_URL.rstrip("/"))
    if not path.startswith((settings.MEDIA_URL, "/media/", "/uploads/")):
        return False
    return not any(part in path for part in ("..", "\\", "%2e", "%2E", "?", "#"))


_BLOCKS = _names("p div h3 h4 h5 h6 ul ol li dl dt dd blockquote pre table tr caption hr br details summary")


def _words(safe_html: str) -> str:
    reader = _Reader()
    reader.feed(safe_html)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.out).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


# What stands above, below or in columns: its signs in a row would say something else.
_STACKED = MATHML - _names("math mrow mi mo mn mtext mspace mstyle mpadded")
_STACKED_SIGN = "\0"


class _Reader(HTMLParser):
    """Collects the words of safe HTML. A formula that is only a row of signs is those, others are TeX."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self.in_math = self.in_pre = 0
        self.tex, self.signs = (
            "",
            [""],
        )  # the formula we are in: as it was written, and its signs while they stand in a line

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "math":
            self.in_math += 1
            self.tex, self.signs = dict(attrs).get("alttext") or "", []
        elif self.in_math:
            if tag in _STACKED:
                self.signs.append(_STACKED_SIGN)
        elif tag == "img":
            self.out.append(dict(attrs).get("alt") or "")
        elif tag in _BLOCKS:
            self.in_pre += tag == "pre"
            self.out.append("\n")
        elif tag in ("td", "th"):
            self.out.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag == "math":
            self.in_math -= 1
            signs = "".join(self.signs)
            self.out.append(self.tex if _STACKED_SIGN in signs or "\\" not in self.tex else signs)
        elif self.in_math:
            return
        elif tag in _BLOCKS:
            self.in_pre -= tag == "pre"
            self.out.append("\n")

    def handle_data(self, data: str) -> None:
        if self.in_math:
            self.signs.append(data)
        else:
            self.out.append(data if self.in_pre else re.sub(r"\s+", " ", data))

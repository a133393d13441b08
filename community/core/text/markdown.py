"""The parsers: Markdown of posts, the little of it that comments have, mentions, links."""

import html
import re
import threading
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

import bleach
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.dollarmath.index import math_inline_dollar

from .formulas import formula, is_tex

MAX_NESTING = 20  # of Markdown
USERNAME = r"\w[\w.\-]{1,38}\w"  # imported people may have longer names than those who sign up


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
        return found and is_tex(state.src[start:end].strip("$")) and rule(state, silent)

    return checked


def _formula_rule(block: bool) -> Callable[..., str]:
    def rule(_renderer: Any, tokens: list[Token], index: int, _options: Any, env: Any) -> str:
        content = tokens[index].content
        made = formula(content, block=block, sheet=env["sheet"])
        return f"<p>{made}</p>" if made and tokens[index].type == "math_block" else made

    return rule


def linked(words: str) -> str:
    """Escaped text with links. Only text: bleach escapes twice what stands inside its `skip_tags`."""
    escaped = html.escape(words, quote=False)
    return tools.linker.linkify(escaped) if "." in words and ("://" in words or "www" in words) else escaped


def _mark_linked(state: StateCore) -> None:
    for block in state.tokens:
        depth = 0
        for token in block.children or ():
            depth += {"link_open": 1, "link_close": -1}.get(token.type, 0)
            token.meta["linked"] = depth > 0


def _comment_text(_renderer: Any, tokens: list[Token], index: int, _options: Any, _env: Any) -> str:
    token = tokens[index]
    return html.escape(token.content, quote=False) if token.meta["linked"] else linked(token.content)


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


tools = _Tools()

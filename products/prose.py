"""Markdown as editors and the demo write it, made into the blocks that the Wagtail admin edits."""

import re
import uuid
from collections.abc import Iterator
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from wagtail.blocks import StreamValue

_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
_TABLE_WORDS = ("th_open", "td_open")


def blocks_from_markdown(source: str, prefix: str = "") -> list[dict[str, Any]]:
    """The raw value of a `ProseBlock` stream. The same source always gives the same ids, so that it compares.

    A heading of level two is a heading, a table a table, a block quote that begins with a bold word a warning;
    all else is text.
    """
    raw: list[dict[str, Any]] = []
    text: list[Token] = []

    def add(kind: str, value: Any) -> None:
        raw.append({"type": kind, "value": value, "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{prefix}/{len(raw)}"))})

    def end_text() -> None:
        if text:
            add("text", _html(text))
            text.clear()

    for part in _top_level(_markdown.parse(source)):
        first = part[0]
        if first.type == "heading_open" and first.tag in ("h1", "h2"):
            end_text()
            add("heading", _plain(part[1]))
        elif first.type == "table_open":
            end_text()
            add("table", _table(part))
        elif first.type == "blockquote_open" and (warning := _warning(part)):
            end_text()
            add("warning", warning)
        elif first.type == "blockquote_open":
            text += part[1:-1]
        else:
            text += part
    end_text()
    return raw


def line_from_markdown(source: str) -> str:
    """One line's HTML: bold, italic, code, links."""
    return _dialect(_markdown.renderInline(source))


def plain_text(stream: StreamValue) -> str:
    """Every word of a stream, for search and for descriptions."""
    words = (str(piece) for block in stream for piece in block.block.get_searchable_content(block.value))
    return "\n".join(re.sub(r"<[^>]+>", " ", piece) for piece in words)


def without_ids(raw: Any) -> Any:
    """A raw stream to compare: ids are Wagtail's business."""
    if isinstance(raw, dict):
        return {key: without_ids(value) for key, value in raw.items() if key != "id"}
    if isinstance(raw, list | tuple):
        return [without_ids(value) for value in raw]
    return raw


def _top_level(tokens: list[Token]) -> Iterator[list[Token]]:
    part: list[Token] = []
    for token in tokens:
        part.append(token)
        if token.level == 0 and token.nesting <= 0:
            yield part
            part = []


def _html(tokens: list[Token]) -> str:
    depth = 0
    for token in tokens:
        depth += token.nesting if token.type.startswith("list_item") else 0
        if token.type.startswith("paragraph") and depth:
            token.hidden = True  # the rich text editor knows items, not paragraphs in items
    return _dialect(_markdown.renderer.render(tokens, _markdown.options, {})).strip()


def _dialect(html: str) -> str:
    """The tags Wagtail's rich text keeps."""
    for theirs, ours in (("strong", "b"), ("em", "i")):
        html = html.replace(f"<{theirs}>", f"<{ours}>").replace(f"</{theirs}>", f"</{ours}>")
    return html


def _plain(inline: Token) -> str:
    return "".join(child.content for child in inline.children or [] if child.type in ("text", "code_inline"))


def _inline(inline: Token) -> str:
    return _dialect(_markdown.renderer.render([inline], _markdown.options, {}))


def _table(part: list[Token]) -> dict[str, Any]:
    rows: list[list[Token]] = []
    for before, token in zip(part, part[1:], strict=False):
        if before.type == "tr_open":
            rows.append([])
        if before.type in _TABLE_WORDS:
            rows[-1].append(token)
    return table([_plain(cell) for cell in rows[0]], [[_inline(cell) for cell in row] for row in rows[1:]])


def table(headings: list[str], rows: list[list[str]]) -> dict[str, Any]:
    """The raw value of a table of texts."""
    return {
        "columns": [{"type": "text", "heading": heading} for heading in headings],
        "rows": [{"values": row} for row in rows],
        "caption": "",
    }


def _warning(part: list[Token]) -> dict[str, Any] | None:
    inline = next((token for token in part if token.type == "inline"), None)
    children = [child for child in (inline.children or []) if child.content or child.type != "text"] if inline else []
    if not inline or len(children) < 3 or children[0].type != "strong_open":
        return None
    end = next(number for number, child in enumerate(children) if child.type == "strong_close")
    title = "".join(child.content for child in children[:end])
    rest = children[end + 1 :]
    if rest and rest[0].type == "text":
        rest[0].content = rest[0].content.lstrip(" .:")
    inline.children = rest
    return {"title": title.rstrip(".:"), "text": _html(part[1:-1])}

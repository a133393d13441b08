"""Formulas in texts: where they begin and end, what is money, and their MathML (tex.py reads TeX)."""

import html
import re
from xml.etree import ElementTree

from latex2mathml.converter import convert_to_element

from .. import tex
from .guards import MAX_GROWTH

MAX_SEARCHES = 300  # so often a formula may be looked for in vain; money has few dollars, machines have many
MAX_GROUPS = 150  # braces in a formula: converting goes deeper with each


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


def text_with_formulas(words: str, sheet: tex.Sheet) -> str:
    """Escaped text with its dollar formulas made; money stays money."""
    if "$" not in words and "\\begin{" not in words:
        return html.escape(words, quote=False)
    parts, end, start = [], 0, 0
    while (opening := _OPENS.search(words, start)) and sheet.tries < MAX_SEARCHES:
        dollars = opening["dollars"]
        found = _up_to(words, opening, dollars) if dollars else _environment(words, opening)
        source, stop = found or ("", 0)
        if not found or not source.strip() or (dollars == "$" and not is_tex(source, imported=True)):
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


def is_tex(source: str, *, imported: bool = False) -> bool:
    """Whether what stands between two dollars is a formula, not money. Other sites write `$n $` and `$O(log n)$`."""
    if any(sign in source for sign in "\\^_={}"):
        return True
    if imported and _NAMES_ALONE.fullmatch(source.strip()):
        return True
    return source == source.strip() and not _PROSE.search(source)

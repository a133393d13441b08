"""The last stretch, the same for all: headings, pictures and links of safe HTML are put in their place."""

import html
import re
from collections.abc import Iterable
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from .. import tex
from .allowed import HEADINGS, LAST
from .formulas import text_with_formulas
from .guards import MAX_GROWTH, as_plain
from .reading import Rendered, words_of

MAX_QUOTES = 4  # quotes in quotes that are shown as such


def finish(made: str, source: str, mentions: Iterable[str] = (), *, base_url: str = "", math: bool = False) -> Rendered:
    writer = _Rewriter(base_url=base_url, math=math)
    writer.feed(made)
    writer.close()
    safe = LAST.clean("".join(writer.out)).strip()
    if len(safe) > MAX_GROWTH * len(source) + 200:
        return as_plain(words_of(safe)[: 2 * len(source)])
    return Rendered(safe, words_of(safe), tuple(writer.links), tuple(writer.images), tuple(mentions))


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
        self.out.append(html.escape(data, quote=False) if plain else text_with_formulas(data, self.sheet))

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


def demote(source: str) -> str:
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

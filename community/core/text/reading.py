"""What comes out: safe HTML, and its words."""

import re
from dataclasses import dataclass
from html.parser import HTMLParser

from .allowed import MATHML, names


@dataclass(frozen=True)
class Rendered:
    """Safe HTML, its plain text, and what the trust gates count."""

    html: str
    text: str
    links: tuple[str, ...] = ()  # addresses outside this site
    images: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()  # names of known users, once each


def excerpt(source: str, length: int = 200) -> str:
    """The beginning of a plain text on one line, cut between words."""
    words = " ".join(source[: length * 4 + 100].split())
    if len(words) <= length:
        return words
    cut = words[: length - 1]
    head, _space, _rest = cut.rpartition(" ")
    return (head if len(head) > length // 2 else cut).rstrip(" ,;:.–-") + "…"


_BLOCKS = names("p div h3 h4 h5 h6 ul ol li dl dt dd blockquote pre table tr caption hr br details summary")


def words_of(safe_html: str) -> str:
    reader = _Reader()
    reader.feed(safe_html)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.out).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


# What stands above, below or in columns: its signs in a row would say something else.
_STACKED = MATHML - names("math mrow mi mo mn mtext mspace mstyle mpadded")
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

"""Pictures to share, drawn on the server in the brand's type: plain words on paper, no picture service."""

from functools import lru_cache
from io import BytesIO
from pathlib import Path

from django.conf import settings
from PIL import Image, ImageDraw, ImageFont

WIDE, HIGH = 1200, 630  # what sites that show a link ask for
PAPER, INK, SOFT, ACCENT, HAIR = "#fdf9f3", "#2b1d16", "#57453a", "#79491f", "#dccdbb"
SERIF, SANS = "besley-latin{ext}-wght-normal.woff2", "source-sans-3-latin{ext}-wght-normal.woff2"


BASIC = "\u0131\u0152\u0153\u02c6\u02da\u02dc"  # beyond Latin-1, and in the main cut all the same


@lru_cache(maxsize=64)
def font(name: str, size: int, weight: int, ext: str = "") -> ImageFont.FreeTypeFont:
    found = ImageFont.truetype(Path(settings.ROOT) / "static" / "fonts" / name.format(ext=ext), size)
    found.set_variation_by_axes([weight])
    return found


def _runs(words: str) -> list[tuple[str, str]]:
    """The words in pieces, each with the cut of the typeface that has its letters."""
    runs: list[tuple[str, str]] = []
    for letter in words:
        ext = "-ext" if 0x100 <= ord(letter) < 0x2C80 and letter not in BASIC else ""
        if runs and runs[-1][1] == ext:
            runs[-1] = (runs[-1][0] + letter, ext)
        else:
            runs.append((letter, ext))
    return runs


class Card:
    """A picture being drawn: what is written goes below what was written before."""

    EDGE = 72

    def __init__(self, accent: str = ACCENT) -> None:
        self.image = Image.new("RGB", (WIDE, HIGH), PAPER)
        self.draw = ImageDraw.Draw(self.image)
        self.y = self.EDGE
        self.accent = accent
        self.draw.rectangle((0, 0, 18, HIGH), fill=accent)

    def width(self, words: str, name: str, size: int, weight: int) -> float:
        return sum(font(name, size, weight, ext).getlength(piece) for piece, ext in _runs(words))

    def at(
        self, x: float, y: float, words: str, *,
        name: str = SANS, size: int = 32, weight: int = 400, fill: str = INK,
    ) -> None:  # fmt: skip
        """One line, its top left corner there."""
        base = y + size
        for piece, ext in _runs(words):
            face = font(name, size, weight, ext)
            self.draw.text((x, base), piece, font=face, fill=fill, anchor="ls")
            x += face.getlength(piece)

    def line(
        self, words: str, *, name: str = SANS, size: int = 32, weight: int = 400, fill: str = INK, lines: int = 1
    ) -> None:
        """Words on at most so many lines; what doesn't fit ends in dots."""
        room = WIDE - 2 * self.EDGE
        rows, row = [], ""
        for word in words.split():
            longer = f"{row} {word}".strip()
            if row and self.width(longer, name, size, weight) > room:
                rows.append(row)
                row = word
            else:
                row = longer
        rows.append(row)
        if len(rows) > lines:
            rows = [*rows[: lines - 1], f"{rows[lines - 1]} …"]
        for row in rows:
            while row and self.width(row, name, size, weight) > room:
                row = row.rstrip("… ")[:-1] + "…"
            self.at(self.EDGE, self.y, row, name=name, size=size, weight=weight, fill=fill)
            self.y += round(size * 1.3)

    def figures(self, figures: list[tuple[str, str]]) -> None:
        """Numbers side by side, each over its words."""
        step = (WIDE - 2 * self.EDGE) / max(1, len(figures))
        for place, (number, words) in enumerate(figures):
            x = self.EDGE + place * step
            self.at(x, self.y, number, name=SERIF, size=76, weight=560)
            size = 26
            while size > 14 and self.width(words, SANS, size, 400) > step - 16:
                size -= 1
            self.at(x, self.y + 104, words, size=size, fill=SOFT)
        self.y += 170

    def rule(self) -> None:
        self.draw.line((self.EDGE, self.y, WIDE - self.EDGE, self.y), fill=HAIR, width=2)
        self.y += 28

    def png(self) -> bytes:
        out = BytesIO()
        self.image.quantize(64).save(out, "PNG", optimize=True)
        return out.getvalue()

"""The house's letters and signs for what is drawn on the server: shared pictures, letters, leaflets.

The fonts are the ones of the pages (static/fonts, OFL). They come in parts, by letters: a line is drawn in runs, each
in the first part that has its letters.
"""

import string
from collections.abc import Iterator
from functools import lru_cache
from io import BytesIO
from math import cos, pi, sin
from pathlib import Path

from django.conf import settings
from PIL import Image, ImageDraw, ImageFont

WIDE, HIGH = 1200, 630  # what sites that show a link ask for

FONTS = Path(settings.ROOT) / "static" / "fonts"
SERIF = ("besley-latin-wght-normal.woff2", "besley-latin-ext-wght-normal.woff2")
SANS = (
    "source-sans-3-latin-wght-normal.woff2",
    "source-sans-3-latin-ext-wght-normal.woff2",
    "source-sans-3-vietnamese-wght-normal.woff2",
)
PAPER, LEAF, WELL = "#f6efe6", "#fdf9f3", "#ede3d5"
INK, INK_2, HAIR = "#2b1d16", "#57453a", "#dccdbb"
GOLD, GOLD_OFF = "#a8741a", "#dccdbb"
# What most texts are written with: a font cut to these and a text's own letters serves the next text, too.
USUAL = f"{string.ascii_letters}{string.digits} .,:;!?-/()%&+'äöüÄÖÜß–…’“”„€"

Files = tuple[str, ...]


@lru_cache
def _letters(file: str) -> frozenset[int]:
    """The letters that a font has."""
    from fontTools.ttLib import TTFont

    with TTFont(FONTS / file, lazy=True) as font:
        return frozenset(font.getBestCmap())


@lru_cache(maxsize=64)
def _font(file: str, size: int, weight: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(FONTS / file, size)
    font.set_variation_by_axes([weight])
    return font


def _runs(text: str, files: Files) -> Iterator[tuple[str, str]]:
    """(part of the text, font file): the first font that has the letter, the first of all where none has."""
    run, used = "", files[0]
    for letter in text:
        file = next((one for one in files if ord(letter) in _letters(one)), files[0])
        if file != used and run:
            yield run, used
            run = ""
        run, used = run + letter, file
    if run:
        yield run, used


def cut_out(file: str, weight: int, letters: str, folder: Path) -> Path:
    """A font of these letters and the usual ones, in one weight, as a file in `folder`."""
    wanted = {ord(letter) for letter in USUAL + letters} & _letters(file)
    made = folder / f"{Path(file).stem}-{weight}.ttf"
    made.write_bytes(_cut(file, weight, frozenset(wanted)))
    return made


@lru_cache(maxsize=32)
def _cut(file: str, weight: int, letters: frozenset[int]) -> bytes:
    """Half a second of work for some 20 kB: kept for as long as the process lives."""
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont
    from fontTools.varLib.instancer import instantiateVariableFont

    font = TTFont(FONTS / file)
    picked = Subsetter(Options(layout_features=["kern", "mark"], notdef_outline=True))
    picked.populate(unicodes=letters)
    picked.subset(font)
    font = instantiateVariableFont(font, {"wght": weight})
    font.flavor = None
    made = BytesIO()
    font.save(made)
    return made.getvalue()


def parts(files: Files, letters: str) -> list[tuple[str, str]]:
    """(font file, the letters it is the first to have) for those that are needed; the first of all always is."""
    found: dict[str, str] = {files[0]: " "}
    for letter in sorted(set(letters)):
        for file in files:
            if ord(letter) in _letters(file):
                found[file] = found.get(file, "") + letter
                break
    return list(found.items())


def length(text: str, files: Files, size: int, weight: int) -> float:
    return sum(_font(file, size, weight).getlength(run) for run, file in _runs(text, files))


def write(draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str, files: Files, size: int, weight: int,
          colour: str = INK) -> float:  # fmt: skip
    """Write a line whose baseline begins at `at`; returns where it ends."""
    x, y = at
    for run, file in _runs(text, files):
        font = _font(file, size, weight)
        draw.text((x, y), run, fill=colour, font=font, anchor="ls")
        x += font.getlength(run)
    return x


def wrapped(text: str, files: Files, size: int, weight: int, width: float, most: int) -> list[str]:
    """The text in at most so many lines of this width; the last one ends in an ellipsis when it doesn't fit."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if length(longer, files, size, weight) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    cut = lines[:most]
    if len(lines) > most or any(length(line, files, size, weight) > width for line in cut):
        if len(lines) > most:
            cut[-1] += "…"
        for number, line in enumerate(cut):
            while length(line, files, size, weight) > width and len(line) > 2:
                line = line.rstrip("…")[:-1].rstrip() + "…"
            cut[number] = line
    return cut


def stars(value: float, side: int) -> Image.Image:
    """Five stars of which `value` are filled, to a fraction; drawn four times as large, so that edges are smooth."""
    large, gap = side * 4, side
    width = 5 * large + 4 * gap
    mask = Image.new("L", (width, large), 0)
    draw = ImageDraw.Draw(mask)
    for number in range(5):
        middle = number * (large + gap) + large / 2
        draw.polygon(
            [
                (middle + radius * sin(step * pi / 5), large * 0.53 - radius * cos(step * pi / 5))
                for step in range(10)
                for radius in [large * (0.5 if step % 2 == 0 else 0.205)]
            ],
            fill=255,
        )
    full, part = divmod(min(max(value, 0.0), 5.0), 1)
    filled = int(full) * (large + gap) + round(part * large)
    painted = Image.new("RGB", mask.size, GOLD_OFF)
    painted.paste(GOLD, (0, 0, filled, large))
    painted.putalpha(mask)
    return painted.resize((width // 4, side), Image.Resampling.LANCZOS)


class Card:
    """A picture to share, of words alone: what is written goes below what was written before."""

    EDGE = 72
    CODE = 180  # side of a code, at most

    def __init__(self, accent: str) -> None:
        self.image = Image.new("RGB", (WIDE, HIGH), LEAF)
        self.draw = ImageDraw.Draw(self.image)
        self.y = self.EDGE
        self.code_ends = 0  # what is written above keeps clear of the code
        self.draw.rectangle((0, 0, 18, HIGH), fill=accent)

    def line(self, words: str, *, files: Files = SANS, size: int = 32, weight: int = 400, fill: str = INK) -> None:
        """Words on one line; what doesn't fit ends in dots."""
        room = WIDE - 2 * self.EDGE - (self.CODE + 32 if self.y < self.code_ends else 0)
        line = wrapped(words, files, size, weight, room, 1)[0]
        write(self.draw, (self.EDGE, self.y + size), line, files, size, weight, fill)
        self.y += round(size * 1.3)

    def code(self, says: str, words: str) -> None:
        """A QR code in the upper corner, with a word below it. To be drawn first."""
        import qrcode

        made = qrcode.QRCode(border=0, error_correction=qrcode.constants.ERROR_CORRECT_M)
        made.add_data(says)
        made.make()
        rows = made.get_matrix()
        dot = self.CODE // len(rows)
        left, top, side = WIDE - self.EDGE - dot * len(rows), self.EDGE, dot * len(rows)
        for down, row in enumerate(rows):
            for right, dark in enumerate(row):
                if dark:
                    x, y = left + right * dot, top + down * dot
                    self.draw.rectangle((x, y, x + dot - 1, y + dot - 1), fill="#000000")
        size = 22
        while size > 12 and length(words, SANS, size, 400) > side:
            size -= 1
        write(self.draw, (left, top + side + 12 + size), words, SANS, size, 400, INK_2)
        self.code_ends = top + side + 24 + size

    def figures(self, figures: list[tuple[str, str]]) -> None:
        """Numbers side by side, each over its words."""
        step = (WIDE - 2 * self.EDGE) / max(1, len(figures))
        for place, (number, words) in enumerate(figures):
            x = self.EDGE + place * step
            write(self.draw, (x, self.y + 76), number, SERIF, 76, 560)
            size = 26
            while size > 14 and length(words, SANS, size, 400) > step - 16:
                size -= 1
            write(self.draw, (x, self.y + 104 + size), words, SANS, size, 400, INK_2)
        self.y += 170

    def rule(self) -> None:
        self.draw.line((self.EDGE, self.y, WIDE - self.EDGE, self.y), fill=HAIR, width=2)
        self.y += 28

    def png(self) -> bytes:
        out = BytesIO()
        self.image.quantize(64).save(out, "PNG", optimize=True)
        return out.getvalue()

"""A leaflet to lay into the box or on the counter: A6, with a code that leads to the product's page."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import qrcode
from django.conf import settings
from django.utils.translation import gettext as _
from fpdf import FPDF

from community.core import clock
from community.core.drawing import INK, INK_2, SANS, SERIF, cut_out, parts
from community.core.models import BrandSettings

if TYPE_CHECKING:
    from .pages import ProductPage

WIDTH, HEIGHT, MARGIN = 105, 148, 10  # millimetres: A6
CODE = 44
LAYOUT = 1


def address(page: "ProductPage") -> str:
    """What the code says: short, and in the language of whoever reads it."""
    return f"{settings.BASE_URL}{page.product.get_absolute_url()}"


def told(page: "ProductPage", brand: BrandSettings) -> dict[str, Any]:
    """Everything that the leaflet is made of."""
    return {
        "layout": LAYOUT,
        "language": page.language,
        "brand": brand.community_name,
        "title": page.title,
        "tagline": page.tagline,
        "address": address(page),
        "recalled": page.product.is_recalled,
    }


def draw(page: "ProductPage", brand: BrandSettings) -> bytes:
    """The leaflet as PDF; its texts are in the language that is active."""
    words = _words(page)
    with TemporaryDirectory() as folder:
        pdf = FPDF(unit="mm", format=(WIDTH, HEIGHT))
        letters = "".join([page.title, page.tagline, brand.community_name, address(page), "…", *words["all"]])
        _fonts(pdf, letters, Path(folder))
        _lay_out(pdf, page, brand, words)
        return bytes(pdf.output())


def _words(page: "ProductPage") -> dict[str, Any]:
    if page.product.is_recalled:
        scan = _("There is a recall. Scan this to see whether it concerns yours, and what to do.")
    else:
        scan = _("Scan this. You are not alone with it.")
    phases = [
        (_("Before buying"), _("what owners think of it, after weeks and after years")),
        (_("While using"), _("recipes and tips by people who own one")),
        (_("When it goes wrong"), _("an answer by an owner, or by those who made it")),
    ]
    free = _("No account is needed for reading.")
    return {"scan": scan, "free": free, "phases": phases, "all": [scan, free, *(w for pair in phases for w in pair)]}


def _lay_out(pdf: FPDF, page: "ProductPage", brand: BrandSettings, words: dict[str, Any]) -> None:
    pdf.set_auto_page_break(False)
    pdf.set_creation_date(clock.now())
    pdf.set_title(page.title)
    pdf.set_author(brand.community_name)
    pdf.set_lang(page.language)
    pdf.set_margin(MARGIN)
    pdf.c_margin = 0
    pdf.add_page()
    inner = WIDTH - 2 * MARGIN
    pdf.set_text_color(INK)
    pdf.set_draw_color(INK)
    pdf.set_xy(MARGIN, 9.5)
    _line(pdf, brand.community_name, "serif", 11)
    pdf.set_line_width(0.5)
    pdf.line(MARGIN, 17, WIDTH - MARGIN, 17)
    pdf.set_line_width(0.15)
    pdf.line(MARGIN, 18, WIDTH - MARGIN, 18)
    pdf.set_xy(MARGIN, 23)
    size = 26
    while size > 13 and _width(pdf, page.title, "serif", size) > inner:
        size -= 1
    _text(pdf, page.title, "serif", size, lines=2)
    pdf.ln(1)
    pdf.set_text_color(INK_2)
    _text(pdf, page.tagline, "sans", 11, lines=2)
    top = 52
    _code(pdf, address(page), MARGIN, top)
    pdf.set_text_color(INK)
    pdf.set_left_margin(MARGIN + CODE + 6)
    pdf.set_xy(MARGIN + CODE + 6, top)
    _text(pdf, words["scan"], "strong", 11)
    pdf.ln(2)
    pdf.set_text_color(INK_2)
    _text(pdf, words["free"], "sans", 9)
    pdf.set_left_margin(MARGIN)
    pdf.set_xy(MARGIN, top + CODE + 4)
    for name, line in words["phases"]:
        pdf.set_text_color(INK)
        _text(pdf, name, "strong", 9)
        pdf.set_text_color(INK_2)
        _text(pdf, line, "sans", 9)
        pdf.ln(0.9)
    pdf.set_xy(MARGIN, HEIGHT - 12)
    pdf.set_text_color(INK)
    _line(pdf, address(page).partition("://")[2].rstrip("/"), "strong", 9, link=address(page))


def _fonts(pdf: FPDF, letters: str, folder: Path) -> None:
    fallback = []
    for name, files, weight in (("serif", SERIF, 440), ("sans", SANS, 400), ("strong", SANS, 650)):
        for number, (file, own) in enumerate(parts(files, letters)):
            pdf.add_font(f"{name}{number or ''}", "", cut_out(file, weight, own, folder))
            fallback += [f"{name}{number}"] if number else []
    if fallback:
        pdf.set_fallback_fonts(fallback, exact_match=False)


def _width(pdf: FPDF, text: str, font: str, size: float) -> float:
    pdf.set_font(font, size=size)
    return pdf.get_string_width(text)


def _line(pdf: FPDF, text: str, font: str, size: float, link: str = "") -> None:
    pdf.set_font(font, size=size)
    pdf.cell(text=text, link=link, new_x="LMARGIN", new_y="NEXT")


def _text(pdf: FPDF, text: str, font: str, size: float, lines: int = 0) -> None:
    """A paragraph; at most so many lines of it."""
    pdf.set_font(font, size=size)
    height = size * 0.46
    if lines:
        whole: Any = pdf.multi_cell(0, height, text, dry_run=True, output="LINES", align="L")
        text = " ".join(whole[:lines]) + ("…" if len(whole) > lines else "")
    pdf.multi_cell(0, height, text, align="L", new_x="LMARGIN", new_y="NEXT")


def _code(pdf: FPDF, says: str, x: float, y: float) -> None:
    """A QR code of squares, sharp at any size; a quarter of it may be dirty or torn."""
    code = qrcode.QRCode(border=0, error_correction=qrcode.constants.ERROR_CORRECT_Q)
    code.add_data(says)
    code.make()
    rows = code.get_matrix()
    side = CODE / len(rows)
    pdf.set_fill_color(0)
    for down, row in enumerate(rows):
        start = None
        for right, dark in enumerate([*row, False]):
            if dark and start is None:
                start = right
            elif not dark and start is not None:
                # A hair wider than it is, so that no line shows between two rows.
                pdf.rect(x + start * side, y + down * side, (right - start) * side, side + 0.01, style="F")
                start = None
    pdf.link(x, y, CODE, CODE, says)

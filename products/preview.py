"""The picture that a shared link shows: 1200 × 630, drawn for the page, with what the page says at the moment."""

import io
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from PIL import Image, ImageDraw, ImageOps

from community.core.drawing import HIGH, INK, INK_2, PAPER, SANS, SERIF, WIDE, stars, wrapped, write
from community.core.models import BrandSettings

from .structured import shown_mean

if TYPE_CHECKING:
    from .pages import ProductPage

PICTURE = 560  # pixels of the right side
MARGIN = 64
LAYOUT = 1  # changes when what is drawn does


def told(page: "ProductPage", brand: BrandSettings) -> dict[str, Any]:
    """Everything that the picture is made of."""
    product = page.product
    image = page.picture.image if page.picture else None
    return {
        "layout": LAYOUT,
        "language": page.language,
        "brand": brand.community_name,
        "accent": brand.accent,
        "logo": brand.logo_id,
        "title": page.title,
        "tagline": page.tagline,
        "family": product.family.said_in(page.language).name,
        "mean": shown_mean(product),
        "count": product.rating_count,
        "recalled": product.is_recalled,
        "lifecycle": product.lifecycle,
        "picture": [image.pk, image.file.name, image.focal_point_x, image.focal_point_y] if image else None,
    }


def draw(page: "ProductPage", brand: BrandSettings) -> bytes:
    """The picture as JPEG. Its texts are in the language that is active."""
    canvas = Image.new("RGB", (WIDE, HIGH), PAPER)
    pen = ImageDraw.Draw(canvas)
    photo = _photo(page)
    width = WIDE - 2 * MARGIN
    if photo is not None:
        canvas.paste(photo, (WIDE - PICTURE, 0))
        width -= PICTURE
    _head(canvas, pen, brand, width)
    y = _words(pen, page, width)
    _stars(canvas, pen, page, max(y, 500))
    made = io.BytesIO()
    canvas.save(made, "JPEG", quality=88)
    return made.getvalue()


def _photo(page: "ProductPage") -> Image.Image | None:
    """The right side: the first picture of the page, around its focal point."""
    if page.picture is None:
        return None
    try:
        rendition = page.picture.image.get_rendition("fill-1200x900|format-webp")
        with rendition.file.open() as file, Image.open(file) as picture:
            return ImageOps.fit(picture.convert("RGB"), (PICTURE, HIGH), Image.Resampling.BICUBIC)
    except OSError:  # its file has gone or can't be read: the words have the whole width
        return None


def _head(canvas: Image.Image, pen: ImageDraw.ImageDraw, brand: BrandSettings, width: int) -> None:
    """Brand, and the double rule under it that the pages have."""
    x = MARGIN
    mark = _logo(brand)
    if mark is not None:
        canvas.paste(mark, (x, 46), mark)
        x += mark.width + 14
    line = wrapped(brand.community_name, SERIF, 30, 600, width - (x - MARGIN), 1)[0]
    write(pen, (x, 80), line, SERIF, 30, 600)
    pen.rectangle((MARGIN, 112, MARGIN + width, 115), fill=INK)
    pen.rectangle((MARGIN, 120, MARGIN + width, 120), fill=INK)


def _logo(brand: BrandSettings) -> Image.Image | None:
    if brand.logo is None:
        return _mark(brand.accent)
    try:
        rendition = brand.logo.get_rendition("max-112x112|format-webp")
        with rendition.file.open() as file, Image.open(file) as picture:
            mark = picture.convert("RGBA")
            mark.thumbnail((120, 44), Image.Resampling.LANCZOS)
            return mark
    except OSError:
        return _mark(brand.accent)


def _mark(accent: str) -> Image.Image:
    """The cup seen from above, as in the browser's tab; four times as large, and then smooth."""
    mark = Image.new("RGBA", (192, 192), (0, 0, 0, 0))
    pen = ImageDraw.Draw(mark)
    pen.ellipse((4, 34, 140, 170), fill=accent)
    pen.ellipse((34, 64, 110, 140), outline=PAPER, width=10)
    pen.arc((122, 74, 186, 130), -95, 95, fill=accent, width=16)
    return mark.resize((48, 48), Image.Resampling.LANCZOS)


def _words(pen: ImageDraw.ImageDraw, page: "ProductPage", width: int) -> int:
    """Family, name, tagline; returns where they end."""
    family = wrapped(page.product.family.said_in(page.language).name, SANS, 28, 400, width, 1)[0]
    write(pen, (MARGIN, 190), family, SANS, 28, 400, INK_2)
    for size, most in ((84, 1), (68, 2), (56, 3), (46, 4)):
        lines = wrapped(page.title, SERIF, size, 430, width, most)
        if not any("…" in line for line in lines) or size == 46:
            break
    y = 200
    for line in lines:
        y += round(size * 1.14)
        write(pen, (MARGIN, y), line, SERIF, size, 430)
    y += 18
    for line in wrapped(page.tagline, SANS, 32, 400, width, 2 if len(lines) < 3 else 1):
        y += 42
        write(pen, (MARGIN, y), line, SANS, 32, 400, INK_2)
    return y


def _stars(canvas: Image.Image, pen: ImageDraw.ImageDraw, page: "ProductPage", y: int) -> None:
    product = page.product
    if product.is_recalled:
        write(pen, (MARGIN, 566), _("Recall: see what to do"), SANS, 32, 650, "#a23f1a")
        return
    if not product.rating_count:
        if product.lifecycle == product.Lifecycle.ANNOUNCED:
            write(pen, (MARGIN, 566), _("Announced, not yet on sale"), SANS, 30, 650, INK_2)
        return
    drawn = stars(product.rating_mean or 0, 38)
    canvas.paste(drawn, (MARGIN, 534), drawn)
    x = write(pen, (MARGIN + drawn.width + 20, 566), shown_mean(product), SANS, 36, 700)
    count = ngettext("from %(n)d review", "from %(n)d reviews", product.rating_count) % {"n": product.rating_count}
    write(pen, (x + 12, 566), count, SANS, 30, 400, INK_2)

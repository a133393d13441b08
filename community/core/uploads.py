"""A member's picture, made anew: only its pixels are kept, nothing of the file that was sent."""

import io
import math
import secrets
import warnings
from contextlib import nullcontext
from threading import Lock
from typing import IO

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.utils.translation import gettext as _
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 40_000_000
MAX_WEBP = 12_250_000  # its reader keeps four copies of all pixels: 200 MB; JPEG is read at a fraction, PNG once
MAX_SIDE = 2560  # larger serves nobody on a page, and would cost every reader
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")  # by content; the name and the declared type are never asked
QUALITY = 82
LARGE = 8_000_000  # pixels: 32 MB and more; of such one is made anew at a time, so that ten at once need no more memory
STRIP = 64  # lines
ORIENTATION = 0x0112  # in EXIF
_one_at_a_time = Lock()


def reencode(
    file: IO[bytes], side: int = MAX_SIDE, quality: int = QUALITY, square: bool = False
) -> tuple[ContentFile, int, int]:
    """The picture as WebP under a name of ours, its width and height: neither more than `side`. Raises ValidationError
    in plain words. `square`: the middle of it, as wide as high.

    Metadata (EXIF, GPS, XMP, comments, colour tables, what follows the picture) is dropped, the orientation applied
    first. Of an animation the first frame is kept.
    """
    data = file.read(MAX_BYTES + 1)
    if not data:
        raise ValidationError(_("This file is empty."), code="empty")
    if len(data) > MAX_BYTES:
        raise ValidationError(_("This picture is larger than 10 MB. Could you send a smaller one?"), code="too_big")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # we count ourselves, before decoding
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
            if picture.width * picture.height > MAX_PIXELS:
                raise ValidationError(
                    _("This picture has more than 40 megapixels. Could you send a smaller one?"), code="too_large"
                )
            if picture.format == "WEBP" and picture.width * picture.height > MAX_WEBP:
                raise ValidationError(
                    _("This WebP picture has more than 12 megapixels. As a JPEG it may have 40."), code="too_large"
                )
            with _one_at_a_time if picture.width * picture.height > LARGE else nullcontext():
                picture.draft("RGB", (side, side))  # JPEG decodes at a fraction when that is enough
                picture.load()
                pixels = _bare(picture, side, square)
    except (UnidentifiedImageError, Image.DecompressionBombError):
        raise ValidationError(
            _("This is not a picture we can read. JPEG, PNG, WebP and GIF work."), code="not_a_picture"
        ) from None
    except (OSError, ValueError, SyntaxError, IndexError, KeyError, TypeError, MemoryError, EOFError):
        # What Pillow's readers raise on files that are cut off or forged.
        raise ValidationError(
            _("This picture is damaged. Could you save it again and send that?"), code="damaged"
        ) from None
    made = io.BytesIO()
    pixels.save(made, "WEBP", quality=quality, method=4, exif=b"", icc_profile=b"", xmp=b"")
    return ContentFile(made.getvalue(), name=f"{secrets.token_urlsafe(16)}.webp"), pixels.width, pixels.height


def _bare(picture: Image.Image, side: int, square: bool) -> Image.Image:
    """The pixels alone, at the size we serve and the right way up. Made small first: what comes after copies."""
    turned = picture.getexif().get(ORIENTATION)
    mode = "RGBA" if picture.has_transparency_data else "RGB"
    long, short = max(picture.size), min(picture.size)
    picture = _smaller(picture, min(long, math.ceil(side * long / short)) if square else side)
    if picture.mode.startswith("I"):  # sixteen bits of grey: convert() would cut them off, not scale them
        picture = picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    picture = _in_srgb(picture, mode)
    if square:
        side = min(side, *picture.size)
        picture = ImageOps.fit(picture, (side, side), Image.Resampling.LANCZOS)
    else:
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    bare = Image.new(mode, picture.size)
    bare.paste(picture)
    if turned:
        bare.getexif()[ORIENTATION] = turned
        bare = ImageOps.exif_transpose(bare)
    return bare


def _smaller(picture: Image.Image, side: int) -> Image.Image:
    """No side above `side`, or twice that for a palette, without a second copy of all pixels."""
    width, height = picture.size
    if picture.mode in ("P", "PA", "1"):  # colours of a palette can't be mixed before they are told
        picture.thumbnail((2 * side, 2 * side), Image.Resampling.NEAREST)
    elif width * height > LARGE and max(width, height) > side:
        return _in_strips(picture, side)
    else:
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    return picture


def _in_strips(picture: Image.Image, side: int) -> Image.Image:
    """Resizing keeps half of the work in between, and with transparency another copy of all pixels: here of some lines
    at a time. The picture that was given is closed."""
    width, height = picture.size
    scale = side / max(width, height)
    made = Image.new(picture.mode, (max(1, round(width * scale)), max(1, round(height * scale))))
    step = height / made.height
    around = math.ceil(3 * step) + 1  # lines that the filter looks at beyond its own
    for top in range(0, made.height, STRIP):
        end = min(top + STRIP, made.height)
        first, last = max(0, math.floor(top * step) - around), min(height, math.ceil(end * step) + around)
        part = picture.crop((0, first, width, last))
        box = (0, top * step - first, width, min(end * step - first, part.height))
        made.paste(part.resize((made.width, end - top), Image.Resampling.LANCZOS, box=box), (0, top))
    made.info.update(picture.info)
    picture.close()
    return made


def _in_srgb(picture: Image.Image, mode: str) -> Image.Image:
    """The colours of a wide-gamut camera as every screen shows them, since its profile is dropped."""
    profile = picture.info.get("icc_profile")
    if profile and picture.mode in ("RGB", "RGBA"):
        try:
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            made = ImageCms.profileToProfile(picture, own, ImageCms.createProfile("sRGB"), outputMode=mode)
        except (ImageCms.PyCMSError, OSError, ValueError):
            made = None  # a profile that is none
        if made is not None:
            return made
    return picture.convert(mode)

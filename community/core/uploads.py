"""A member's picture, made anew: only its pixels are kept, nothing of the file that was sent."""

import io
import secrets
import warnings
from typing import IO

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.utils.translation import gettext as _
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 40_000_000
MAX_SIDE = 2560  # larger serves nobody on a page, and would cost every reader
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")  # by content; the name and the declared type are never asked
QUALITY = 82


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
            picture.draft("RGB", (side, side))  # JPEG decodes at a fraction when that is enough
            picture.load()
            pixels = _bare(ImageOps.exif_transpose(picture), side, square)
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
    """The pixels alone, at the size we serve."""
    mode = "RGBA" if picture.has_transparency_data else "RGB"
    picture = _in_srgb(picture, mode)
    if square:
        side = min(side, *picture.size)
        picture = ImageOps.fit(picture, (side, side), Image.Resampling.LANCZOS)
    else:
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    bare = Image.new(mode, picture.size)
    bare.paste(picture)
    return bare


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

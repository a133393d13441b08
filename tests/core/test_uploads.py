import io
import os
import struct
import subprocess
import sys
import zlib

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from PIL import Image, ImageChops, PngImagePlugin

from community.core import uploads

SECRETS = (b"GPS", b"Exif", b"secret", b"http://ns.adobe.com/xap", b"<script", b"PK\x03\x04")


def made(form="JPEG", size=(64, 48), colour="red", **options) -> bytes:
    out = io.BytesIO()
    Image.new("RGB" if form != "GIF" else "P", size, colour if form != "GIF" else 3).save(out, form, **options)
    return out.getvalue()


def reencode(data: bytes):
    content, width, height = uploads.reencode(io.BytesIO(data))
    result = content.read()
    picture = Image.open(io.BytesIO(result))
    picture.load()
    assert (picture.width, picture.height) == (width, height)
    assert picture.format == "WEBP" and content.name.endswith(".webp")
    assert not picture.getexif() and "xmp" not in picture.info and "icc_profile" not in picture.info
    for secret in SECRETS:
        assert secret not in result
    return picture


def refused(data: bytes, code: str) -> None:
    with pytest.raises(ValidationError) as error:
        uploads.reencode(io.BytesIO(data))
    assert error.value.code == code


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF"])
def test_what_is_welcome(form):
    assert reencode(made(form)).size == (64, 48)


def test_where_it_was_taken_stays_private_and_it_stands_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010F] = "secret camera"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    data = made(exif=exif.tobytes(), comment=b"secret comment", xmp=b"<x:xmpmeta>secret</x:xmpmeta>")
    assert b"secret comment" in data and b"secret camera" in data
    assert reencode(data).size == (48, 64)


def test_text_chunks_and_profiles_go():
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", "secret")
    info.add_itxt("XML:com.adobe.xmp", "secret")
    reencode(made("PNG", pnginfo=info, icc_profile=b"secret profile"))


def test_what_follows_the_picture_goes():
    reencode(made("PNG") + b"PK\x03\x04 secret archive <script>alert(1)</script>")
    reencode(made("JPEG") + b"<script>alert(1)</script>")
    reencode(b"GIF89a" + made("GIF")[6:] + b"<?php secret ?>")


def test_transparency_stays():
    out = io.BytesIO()
    Image.new("RGBA", (10, 10), (255, 0, 0, 0)).save(out, "PNG")
    assert reencode(out.getvalue()).mode == "RGBA"


def test_an_animation_becomes_its_first_frame():
    frames = [Image.new("P", (20, 20), number) for number in range(200)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=20)
    assert getattr(reencode(out.getvalue()), "n_frames", 1) == 1


def test_a_large_picture_is_served_smaller():
    assert reencode(made(size=(5000, 2000))).size == (2560, 1024)


def test_names_are_ours():
    first, _w, _h = uploads.reencode(io.BytesIO(made()))
    second, _w, _h = uploads.reencode(io.BytesIO(made()))
    assert first.name != second.name and len(first.name) > 20 and "/" not in first.name


@pytest.mark.parametrize(
    "data",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html><script>alert(1)</script></html>",
        b"%PDF-1.7 ...",
        b"GIF89a=1;alert(1)//",
        b"\x89PNG\r\n\x1a\n",
        b"BM" + b"\0" * 60,
        b"%!PS-Adobe-3.0 EPSF-3.0\n(secret) print",
        b"MZ" + b"\0" * 200,
        b"\0" * 1000,
    ],
)
def test_what_is_no_picture_is_refused_in_plain_words(data):
    with pytest.raises(ValidationError) as error:
        uploads.reencode(io.BytesIO(data))
    assert error.value.code in {"not_a_picture", "damaged"}


@pytest.mark.parametrize("form", ["TIFF", "BMP", "ICO", "PPM"])
def test_other_kinds_of_pictures_are_refused(form):
    refused(made(form), "not_a_picture")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_cut_off_picture_is_refused(form):
    data = made(form, size=(400, 400))
    refused(data[: len(data) // 2], "damaged")


def test_empty_and_too_big():
    refused(b"", "empty")
    refused(made() + b"\0" * uploads.MAX_BYTES, "too_big")


def test_pixels_are_counted_before_they_are_decoded():
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )
    with pytest.raises(ValidationError) as error:
        uploads.reencode(io.BytesIO(bomb))
    assert error.value.code in {"too_large", "not_a_picture"}
    header = struct.pack(">IIBBBBB", 8_000, 6_000, 8, 2, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )
    refused(bomb, "too_large")


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    told = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(told)


def test_bombs_of_each_kind_go_off_nowhere():
    """A few hundred bytes that claim or unpack to gigabytes: refused by what their heads say."""
    gif = (
        b"GIF89a"
        + struct.pack("<HHBBB", 65_000, 65_000, 0, 0, 0)
        + b","
        + struct.pack("<HHHHB", 0, 0, 65_000, 65_000, 0)
    )
    webp = b"VP8X" + struct.pack("<I", 10) + b"\0" * 4 + b"\xff\x3f\x00" * 2
    jpeg = (
        b"\xff\xd8\xff\xc0\x00\x11\x08"
        + struct.pack(">HH", 65_500, 65_500)
        + b"\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01"
    )
    for bomb in (gif + b"\x02\x02\x4c\x01\x00;", b"RIFF" + struct.pack("<I", len(webp) + 4) + b"WEBP" + webp, jpeg):
        with pytest.raises(ValidationError) as error:
            uploads.reencode(io.BytesIO(bomb + b"\0" * 99))
        assert error.value.code in {"too_large", "not_a_picture", "damaged"}
    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    words = zlib.compress(b"secret " * 12_000_000, 9)  # 84 MB of text in a picture of one point
    data = png((b"IHDR", head), (b"zTXt", b"a\0\0" + words), (b"IDAT", zlib.compress(b"\0" * 4)), (b"IEND", b""))
    try:
        reencode(data)
    except ValidationError as error:
        assert error.code in {"damaged", "too_large", "not_a_picture"}


def test_what_is_two_things_at_once_is_served_as_a_picture_alone():
    """Polyglots: a JPEG whose comment is HTML, a PNG whose text is SVG, a GIF that is a script."""
    html = b"*/=1;<script>secret</script><svg onload=alert(1)>"
    reencode(made(comment=html))
    info = PngImagePlugin.PngInfo()
    info.add_text("x", html.decode())
    reencode(made("PNG", pnginfo=info))
    reencode(made("GIF", comment=html))


def test_transparency_is_made_smaller_without_a_seam():
    """In strips, since a resize copies much of it first: as if it had been done at once."""
    picture = Image.linear_gradient("L").resize((900, 1400)).convert("RGBA")
    picture.putalpha(Image.radial_gradient("L").resize((900, 1400)))
    at_once = picture.resize((450, 700), Image.Resampling.LANCZOS)
    strips = uploads._in_strips(picture, 700)
    assert strips.size == (450, 700)
    assert max(most for _least, most in ImageChops.difference(strips, at_once).getextrema()) <= 2


@pytest.mark.parametrize("mode", ["P", "LA", "I;16", "RGBA", "1", "L"])
def test_large_pictures_of_every_mode(mode):
    out = io.BytesIO()
    Image.new(mode, (2800, 700)).save(out, "PNG")
    assert reencode(out.getvalue()).size == (2560, 640)


def test_grey_of_sixteen_bits_keeps_its_shades():
    out = io.BytesIO()
    Image.new("I;16", (40, 40), 128 * 256).save(out, "PNG")
    assert abs(reencode(out.getvalue()).convert("L").getpixel((20, 20)) - 128) < 6


def test_a_large_turned_picture_stands_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    assert reencode(made("PNG", size=(3000, 1000), exif=exif.tobytes())).size == (853, 2560)


def test_a_webp_is_refused_before_it_takes_the_machines_memory(monkeypatch):
    """Its reader keeps four copies of all pixels."""
    assert 16 * uploads.MAX_WEBP <= 200_000_000
    monkeypatch.setattr(uploads, "MAX_WEBP", 64 * 48)
    assert reencode(made("WEBP")).size == (64, 48)
    refused(made("WEBP", size=(64, 49)), "too_large")


def test_of_large_pictures_one_is_made_at_a_time(monkeypatch):
    held = []
    monkeypatch.setattr(
        uploads, "_smaller", lambda picture, side: held.append(uploads._one_at_a_time.locked()) or picture
    )
    monkeypatch.setattr(uploads, "LARGE", 1000)
    reencode(made(size=(64, 48)))
    reencode(made(size=(20, 20)))
    assert held == [True, False]
    assert not uploads._one_at_a_time.locked()


PEAK = """
import io, resource, sys, time
from PIL import Image
import django
django.setup()
from community.core.uploads import reencode
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)
small = io.BytesIO()
Image.new("RGBA", (300, 200)).save(small, "PNG")
reencode(io.BytesIO(small.getvalue()))
before = peak()
for path in sys.argv[1:]:
    with open(path, "rb") as file:
        reencode(file)
print(peak() - before)
"""


@pytest.mark.slow
@pytest.mark.once
def test_the_largest_pictures_take_no_more_than_200_mb(tmp_path):
    """A few kB that unpack to 40 megapixels, of the kind whose reader takes the most."""
    Image.new("RGBA", (7700, 5190)).save(tmp_path / "bomb.png")
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "community.settings.test"}
    command = [sys.executable, "-c", PEAK, str(tmp_path / "bomb.png")]
    done = subprocess.run(  # noqa: S603
        command, cwd=settings.ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 200

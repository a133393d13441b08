"""Editors' pictures."""

import io

import pytest
from django.core.files.uploadedfile import TemporaryUploadedFile
from PIL import Image

from community.core.images import PictureField
from community.core.models import CommunityImage

pytestmark = pytest.mark.django_db


def test_a_large_picture_is_kept_too() -> None:
    """Above 2.5 MB an upload is a file on the disk, and is stored by its name there."""
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(out, "JPEG", comment=b"secret")
    large = TemporaryUploadedFile("duo.jpg", "image/jpeg", out.tell() + 50_000, None)
    large.write(out.getvalue() + b"secret" * 9_000)
    large.seek(0)
    image = CommunityImage(title="Duo", alt="A machine", file=PictureField().to_python(large), width=64, height=48)
    image.save()
    image.refresh_from_db()
    with image.file.open() as kept:
        data = kept.read()
    assert image.file.name.endswith(".webp") and b"secret" not in data and len(data) < 2_000
    assert Image.open(io.BytesIO(data)).format == "WEBP"

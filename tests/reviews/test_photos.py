"""Photos of a review: described, captioned, made anew; hostile files end in words at the form, never in a 500."""

import io
import struct
import zlib

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from PIL import Image
from pytest_django.asserts import assertContains

from community.accounts.models import TrustLevel, User
from community.moderation import services as moderation
from community.moderation.models import WatchedWord
from community.posts.doors import long_open
from community.posts.models import Upload
from products.models import Product
from reviews import services
from reviews.models import Review
from tests import factories

pytestmark = pytest.mark.django_db


def picture(**options: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(out, "JPEG", **options)
    return out.getvalue()


def bomb() -> bytes:
    """A few bytes that would unpack to 48 megapixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 8_000, 6_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )


HOSTILE = {
    "a bomb": (bomb(), "40 megapixels"),
    "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "not a picture"),
    "HTML with a picture's name": (b"<html><script>alert(1)</script>", "not a picture"),
    "PDF": (b"%PDF-1.7\n1 0 obj\n", "not a picture"),
    "cut off": (picture()[:200], "damaged"),
    "nothing": (b"", "empty"),
}


def sent(data: bytes, name: str, **more: str) -> dict[str, object]:
    file = io.BytesIO(data)
    file.name = name
    return {
        "stars": "4", "title": "Holds its heat", "body": "A year of mornings, and not one bad one.",
        "disclosure": "bought", "started": long_open(), "photo-file-0": file, "photo-alt-new-0": "Two cups", **more,
    }  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_files_are_refused_with_a_reason_and_the_text_is_kept(
    client: Client, alice: User, duo: Product, what: str
) -> None:
    data, reason = HOSTILE[what]
    client.force_login(alice)
    response = client.post("/reviews/write/duo/", sent(data, "../../<img src=x>.jpg"))
    assertContains(response, reason, status_code=422)
    assertContains(response, "A year of mornings", status_code=422)
    assert not Upload.objects.exists()
    assert not Review.objects.exists()


def test_what_the_camera_and_a_stranger_wrote_into_it_is_gone(client: Client, alice: User, duo: Product) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0)})
    data = picture(exif=exif.tobytes(), comment=b"secret comment") + b"PK\x03\x04<script>alert(1)</script>"
    assert b"secret comment" in data
    client.force_login(alice)
    client.post("/reviews/write/duo/", sent(data, "cup.jpg", **{"photo-caption-new-0": "In the <morning>"}))
    review, upload = Review.objects.get(), Upload.objects.get()
    assert (review.photo_count, upload.alt, upload.caption) == (1, "Two cups", "In the <morning>")
    client.logout()
    page = client.get("/reviews/?product=duo&photos=1").content.decode()
    assert "Two cups" in page
    assert "In the &lt;morning&gt;" in page
    served = client.get(upload.file.url)
    body = b"".join(served.streaming_content) if served.streaming else served.content
    assert (served.status_code, served["X-Content-Type-Options"]) == (200, "nosniff")
    assert served["Content-Type"] == "image/webp"
    for secret in (b"secret", b"Exif", b"GPS", b"PK\x03\x04", b"<script"):
        assert secret not in body


def test_the_words_of_a_photo_change_with_a_good_form_and_pass_the_rules(
    client: Client, alice: User, ravi: User, duo: Product
) -> None:
    client.force_login(alice)
    client.post("/reviews/write/duo/", sent(picture(), "cup.jpg"))
    review, upload = Review.objects.get(), Upload.objects.get()
    moderation.watch(ravi, pattern="cheapbeans", act="block")
    edit = f"/reviews/{review.pk}/edit/"
    words = {"photo-kept": str(upload.pk), f"photo-alt-{upload.pk}": "Two cups"}
    bad = {**sent(b"", "x"), "title": "", **words, f"photo-caption-{upload.pk}": "On Sundays"}
    del bad["photo-file-0"]
    assertContains(client.post(edit, bad), "On Sundays", status_code=422)  # kept in the form,
    upload.refresh_from_db()
    assert upload.caption == ""  # and nowhere else
    good = {**bad, "title": "Holds its heat", "started": long_open()}
    assert client.post(edit, {**good, f"photo-caption-{upload.pk}": "CheapBeans dot com"}).status_code == 422
    assert client.post(edit, good).status_code == 302
    upload.refresh_from_db()
    assert upload.caption == "On Sundays"
    photo = Upload.objects.create(owner=alice, alt="From cheapbeans")
    for make in (factories.a_tip, factories.a_recipe):
        with pytest.raises(ValidationError):
            make(alice, photos=[photo])


def test_a_refused_file_keeps_its_words_and_the_reason_stands_beside_it(
    client: Client, alice: User, duo: Product
) -> None:
    client.force_login(alice)
    page = client.post(
        "/reviews/write/duo/", sent(b"<svg/>", "a.png", **{"photo-caption-new-0": "Monday"})
    ).content.decode()
    row = page[page.index("photos__new") :].partition("</details>")[0]
    for part in ('value="Two cups"', 'value="Monday"', "not a picture", 'aria-invalid="true"'):
        assert part in row, part
    assert 'id="photos_error"' not in page
    assert page.index('<a href="#photos">') < page.index("photos__new"), "the summary at the top names it, too"


def test_words_beside_a_photo_are_looked_at_like_all_others(
    client: Client, alice: User, ravi: User, duo: Product
) -> None:
    moderation.watch(ravi, pattern="rubbishword", act=WatchedWord.Act.QUEUE)
    client.force_login(alice)
    client.post("/reviews/write/duo/", sent(picture(), "cup.jpg", **{"photo-caption-new-0": "What a rubbishword"}))
    review = Review.objects.get()
    assert review.visibility == "pending"
    refusal = services.refuse_review(review, ravi, code="profanity", passage="What a rubbishword")
    assert refusal.passage == "What a rubbishword"


def test_a_newcomer_is_offered_as_many_rows_as_photos_are_allowed(client: Client, alice: User, duo: Product) -> None:
    User.objects.filter(pk=alice.pk).update(trust=TrustLevel.NEWCOMER)
    client.force_login(alice)
    assert client.get("/reviews/write/duo/").content.decode().count('type="file"') == 1


def test_photos_of_a_try_that_failed_are_there_on_coming_back(
    client: Client, alice: User, bob: User, duo: Product
) -> None:
    """As the words are, from the draft: after a closed tab or an answer that was lost on its way."""
    client.force_login(alice)
    assert client.post("/reviews/write/duo/", sent(picture(), "a.jpg", stars="", title="")).status_code == 422
    upload = Upload.objects.get()
    page = client.get("/reviews/write/duo/").content.decode()
    assert f'name="photo-kept" value="{upload.pk}"' in page and 'value="Two cups"' in page
    assert client.post("/reviews/write/duo/", {"photo-drop": str(upload.pk)}).status_code == 422
    assert "photo-kept" not in client.get("/reviews/write/duo/").content.decode()
    kept = {"photo-kept": str(upload.pk), f"photo-alt-{upload.pk}": "Two cups and a spoon"}
    again = sent(picture(), "b.jpg", **kept)
    del again["photo-file-0"]
    assert client.post("/reviews/write/duo/", again).status_code == 302
    upload.refresh_from_db()
    assert upload.target == Review.objects.get() and upload.alt == "Two cups and a spoon"
    assert not [name for name in client.session.keys() if name.startswith("photos.")]  # noqa: SIM118
    client.force_login(bob)
    assert "photo-kept" not in client.get("/reviews/write/duo/").content.decode()

"""Editors at work in the Wagtail admin."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image
from wagtail.test.utils.form_data import inline_formset, nested_form_data, streamfield

from community.accounts.models import User
from community.accounts.services import set_role
from community.core.models import CommunityImage
from community.events.models import Event
from community.pages import services
from products.models import Product
from tests import factories
from tests.products.pages import a_picture, a_product_page
from tests.reviews.test_photos import HOSTILE, picture


@pytest.fixture
def editor(client: Client, enrol: Callable[[User], None]) -> User:
    person = factories.a_person("edda")
    set_role(person, None, "editor")
    enrol(person)
    person = User.objects.get(pk=person.pk)
    client.force_login(person)
    return person


def test_an_editor_opens_every_form(client: Client, editor: User, duo: Product, tmp_path: Path) -> None:
    tree = services.ensure_tree()
    product = a_product_page(tmp_path, duo)
    article = services.save_help_article({"title": "A", "slug": "a", "summary": "B"}, "Words.\n\n## And\n\nmore")
    services.save_home({"hero": {"title": "T", "ask_label": "Q"}})
    plain = services.save_content_page({"slug": "p", "title": "P"})
    for page in (tree.home, tree.catalogue, product, tree.help, article, tree.about, plain):
        assert client.get(reverse("wagtailadmin_pages:edit", args=[page.pk])).status_code == 200, page
    for app, model, parent in (
        ("products", "productpage", tree.catalogue),
        ("pages", "helparticlepage", tree.help),
        ("pages", "contentpage", tree.about),
    ):
        assert client.get(reverse("wagtailadmin_pages:add", args=[app, model, parent.pk])).status_code == 200, model


@pytest.mark.parametrize("model", ["product", "family", "shop", "version", "responsibility"])
def test_an_editor_keeps_the_rows_of_the_catalogue(client: Client, editor: User, duo: Product, model: str) -> None:
    assert client.get(reverse(f"wagtailsnippets_products_{model}:list")).status_code == 200
    assert client.get(reverse(f"wagtailsnippets_products_{model}:add")).status_code == 200


def test_an_editor_previews_a_page(client: Client, editor: User, duo: Product, tmp_path: Path) -> None:
    product = a_product_page(tmp_path, duo)
    response = client.get(reverse("wagtailadmin_pages:view_draft", args=[product.pk]))
    assert response.status_code == 200 and "Two boilers" in response.content.decode()


def test_the_preview_may_be_framed_by_the_admin_and_by_nobody_else(
    client: Client, editor: User, duo: Product, tmp_path: Path
) -> None:
    """It was blank: the page's own policy let nobody frame it. Everything else of that policy holds."""
    page = a_product_page(tmp_path, duo)
    address = reverse("wagtailadmin_pages:preview_on_edit", args=[page.pk])
    form = client.get(reverse("wagtailadmin_pages:edit", args=[page.pk])).context["form"]
    data = nested_form_data(
        {
            **{name: "" if form[name].value() is None else form[name].value() for name in form.fields},
            "description": streamfield([]), "specification": streamfield([]), "variants": streamfield([]),
            "documents": streamfield([]), "spare_parts": streamfield([]), "gallery": inline_formset([]),
            "shops": inline_formset([]), "comments": inline_formset([]), "tagline": "Not yet online.",
            "video_file": "", "video_captions": "",
        }
    )  # fmt: skip
    assert client.post(address, data).json()["is_valid"]
    response = client.get(address, {"mode": "", "in_preview_panel": "true"})
    assert "Not yet online." in response.content.decode()
    policy = dict(part.strip().partition(" ")[::2] for part in response["Content-Security-Policy"].split(";"))
    assert policy["frame-ancestors"] == "'self'" and response["X-Frame-Options"] == "SAMEORIGIN"
    online = client.get("/products/duo/")["Content-Security-Policy"]
    for directive, allowed in policy.items():
        assert directive == "frame-ancestors" or f"{directive} {allowed}" in online
    assert "frame-ancestors 'none'" in online


@pytest.mark.parametrize(
    ("mode", "content_type", "words"),
    [("", "text/html", "Two boilers"), ("card", "text/html", "good__plate"), ("share", "image/jpeg", ""),
     ("leaflet", "application/pdf", "")],
)  # fmt: skip
def test_each_way_a_product_is_seen_has_its_preview(
    client: Client, editor: User, duo: Product, tmp_path: Path, mode: str, content_type: str, words: str
) -> None:
    page = a_product_page(tmp_path, duo)
    assert mode in dict(page.preview_modes)
    response = page.make_preview_request(preview_mode=mode)
    assert response.status_code == 200 and response["Content-Type"].startswith(content_type)
    assert words.encode() in response.content
    assert not page.drawn.exists()  # a preview keeps nothing


def test_a_recall_is_previewed_before_anybody_reads_it(duo: Product, tmp_path: Path) -> None:
    duo.recall_title, duo.recall_note = "Recall of the lid", "Stop using it."
    assert "Recall of the lid" in duo.make_preview_request().content.decode()
    a_product_page(tmp_path, duo, gallery=[])
    html = duo.make_preview_request().content.decode()
    assert "Recall of the lid" in html and "Two boilers" in html
    assert not Product.objects.get(pk=duo.pk).is_recalled


def test_no_picture_comes_in_without_saying_what_it_shows(client: Client, editor: User, tmp_path: Path) -> None:
    def file() -> SimpleUploadedFile:
        return SimpleUploadedFile("front.webp", a_picture(tmp_path).read_bytes(), "image/webp")

    # One at a time, from a chooser, and many at once.
    assert "alt" in client.post(reverse("wagtailimages:add"), {"title": "Front", "file": file()}).context["form"].errors
    client.post(
        reverse("wagtailimages_chooser:create"),
        {"image-chooser-upload-title": "Front", "image-chooser-upload-file": file()},
    )
    many = client.post(
        reverse("wagtailimages:add_multiple"), {"files[]": file()}, headers={"X-Requested-With": "XMLHttpRequest"}
    ).json()
    assert many["success"] and "image_id" not in many
    assert not CommunityImage.objects.exists()
    told = {"title": "Front", "alt": "The machine from the front.", "file": file(), "focal_point_x": "9"}
    told |= {"focal_point_y": "9", "focal_point_width": "4", "focal_point_height": "4"}
    assert client.post(reverse("wagtailimages:add"), told).status_code == 302
    assert CommunityImage.objects.get().alt == "The machine from the front."


@pytest.mark.parametrize("what", HOSTILE)
def test_what_is_no_picture_does_not_come_in_by_an_editor_either(client: Client, editor: User, what: str) -> None:
    file = SimpleUploadedFile("front.png", HOSTILE[what][0], "image/png")
    told = {"title": "Front", "alt": "The machine.", "file": file, "focal_point_x": ""}
    assert "file" in client.post(reverse("wagtailimages:add"), told).context["form"].errors
    for name in ("front.svg", "front.html"):
        file = SimpleUploadedFile(name, b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "image/png")
        assert "file" in client.post(reverse("wagtailimages:add"), {**told, "file": file}).context["form"].errors
    assert not CommunityImage.objects.exists()


@pytest.mark.parametrize("ways", ["one", "many"])
def test_what_a_camera_wrote_into_an_editors_picture_is_not_served(client: Client, editor: User, ways: str) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0)})
    exif[0x010E] = "secret street"
    data = picture(exif=exif.tobytes(), comment=b"secret comment", xmp=b"<x:xmpmeta>secret xmp</x:xmpmeta>")
    file = SimpleUploadedFile("front.jpg", data + b"PK\x03\x04<script>alert(1)</script>", "image/jpeg")
    if ways == "one":
        client.post(reverse("wagtailimages:add"), {"title": "Front", "alt": "The machine.", "file": file})
    else:  # many at once: kept aside until somebody says what it shows
        asked = {"headers": {"X-Requested-With": "XMLHttpRequest"}}
        kept = client.post(reverse("wagtailimages:add_multiple"), {"files[]": file}, **asked).json()["uploaded_file_id"]
        told = {f"uploaded-image-{kept}-title": "Front", f"uploaded-image-{kept}-alt": "The machine."}
        address = reverse("wagtailimages:create_multiple_from_uploaded_image", args=[kept])
        assert client.post(address, told, **asked).json()["success"]
    image = CommunityImage.objects.get()
    assert b"secret" not in image.file.read()
    assert client.get(f"/media/{image.file.name}").status_code == 404  # the file as it was sent is nobody's
    for size in ("width-480|format-webp", "fill-48x48", "original"):
        served = client.get(image.get_rendition(size).url)
        body = b"".join(served.streaming_content) if served.streaming else served.content
        assert served.status_code == 200 and served["X-Content-Type-Options"] == "nosniff"
        for secret in (b"secret", b"Exif", b"GPS", b"xmp", b"PK\x03\x04", b"<script"):
            assert secret not in body, (size, secret)


def test_a_recall_entered_by_an_editor_is_recorded(client: Client, editor: User, duo: Product) -> None:
    address = reverse("wagtailsnippets_products_product:edit", args=[duo.pk])
    form = client.get(address).context["form"]
    data = {name: "" if form[name].value() is None else form[name].value() for name in form.fields}
    data |= {"recall_title": "Lid", "recall_note": "Stop using it.", "lifecycle": "recalled"}
    response = client.post(address, data)
    assert response.status_code == 302, response.context["form"].errors
    duo.refresh_from_db()
    assert duo.is_recalled
    event = Event.objects.get(kind="product.changed")
    assert (event.actor, event.data["lifecycle"]) == (editor, "recalled")


def test_wagtails_own_people_screens_are_not_offered(
    client: Client, enrol: Callable[[User], None], hanna: User
) -> None:
    enrol(hanna)
    client.force_login(hanna)
    html = client.get(reverse("wagtailadmin_home")).content.decode()
    assert "/admin/users/" not in html and "/admin/groups/" not in html


def test_a_member_does_not_get_in(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get(reverse("wagtailadmin_home")).status_code in (302, 403)

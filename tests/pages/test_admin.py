"""Editors at work in the Wagtail admin."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from community.accounts.models import User
from community.accounts.services import set_role
from community.core.models import CommunityImage
from community.events.models import Event
from community.pages import services
from products.models import Product
from tests import factories
from tests.products.pages import a_picture, a_product_page


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

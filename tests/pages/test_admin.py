"""Editors at work in the Wagtail admin."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from community.accounts.models import User
from community.accounts.services import set_role
from community.events.models import Event
from community.pages import services
from products.models import Product
from tests import factories
from tests.products.pages import a_product_page


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

"""Editors' words on plain rows in every language of the site."""

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from community.accounts.models import User
from products import services, spoken
from products.models import Family, OwnerAlert, Product, Responsibility, Shop
from tests import factories
from tests.pages.test_admin import editor  # noqa: F401 - a fixture
from tests.products.pages import a_product_page

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(duo: Product, tmp_path: Path) -> Product:
    family = duo.family
    family.secondary_ratings = [{"slug": "noise", "name": "Quietness"}, {"slug": "build", "name": "Build"}]
    german = {
        "name": "Mühlen",
        "intro": "Eine mit Motor.",
        "secondary_ratings": [{"slug": "noise", "name": "Laufruhe"}],
    }
    family.translations = {"de": german}
    family.save()
    Product.objects.filter(pk=duo.pk).update(
        lifecycle_note="Third series.", recall_title="Recall of the lid", recall_affects="All of them.",
        recall_note="Stop.\nUnplug it.",
        translations={
            "de": {"lifecycle_note": "Dritte Serie.", "recall_title": "Rückruf", "recall_note": "Halt.\nStecker raus."}
        },
    )  # fmt: skip
    services.save_shop(
        {"slug": "korn", "name": "Korn", "delivers": "Germany", "said": {"de": {"delivers": "Deutschland"}}}
    )
    department = factories.a_department("support")
    Responsibility.objects.create(
        product=duo, subject="repair", department=department, translations={"de": {"subject": "Reparatur"}}
    )
    a_product_page(tmp_path, duo, where_to_buy=["korn"])
    return Product.objects.get(pk=duo.pk)


def test_a_page_says_it_in_the_readers_language_and_else_in_the_sites(client: Client, told: Product) -> None:
    page = client.get("/products/duo/", headers={"accept-language": "de"}).content.decode()
    for word in ("Mühlen", "Dritte Serie.", "Rückruf", "Stecker raus.", "Deutschland", "Reparatur"):
        assert word in page, word
    assert "All of them." in page  # nobody has said that in German
    assert "Third series." not in page and "Unplug it." not in page
    listed = client.get("/products/", headers={"accept-language": "de"}).content.decode()
    assert "Mühlen" in listed and "Eine mit Motor." in listed
    page = client.get("/products/duo/").content.decode()
    assert "Third series." in page and "Unplug it." in page and "Mühlen" not in page and "Delivers to Germany" in page


def test_ratings_are_named_in_the_readers_language(client: Client, alice: User, told: Product) -> None:
    review = factories.a_review(alice, told, secondary={"noise": 4, "build": 5})
    german = {"accept-language": "de"}
    page = client.get(review.get_absolute_url(), headers=german).content.decode()
    assert "Laufruhe" in page and "Build" in page and "Quietness" not in page
    client.force_login(factories.a_person("carla"))
    form = client.get("/reviews/write/duo/", headers=german).content.decode()
    assert "Laufruhe" in form and 'name="rating_noise"' in form


def test_an_owner_hears_of_a_recall_in_their_language(told: Product, ravi: User) -> None:
    services.change_product(told, ravi)
    alert = OwnerAlert.objects.get(product=told)
    assert alert.title == "Recall of the lid"
    assert alert.told == ("Recall of the lid", ["Stop.", "Unplug it."])
    with override("de"):
        assert alert.told == ("Rückruf", ["Halt.", "Stecker raus."])
        services.change_product(told, ravi)
    alert.refresh_from_db()
    assert alert.text == "Stop.\nUnplug it.", "what is stored does not follow the language of who saves it"


def test_what_is_empty_or_not_known_is_not_kept() -> None:
    words = {"de": {"name": "Mühlen", "intro": "", "slug": "x"}, "fr": {"name": "Moulins"}, "en": {"name": "Mills"}}
    assert spoken.kept(Family, words) == {"de": {"name": "Mühlen"}}


def test_a_file_that_says_nothing_in_german_any_more_takes_it_back(db: None) -> None:
    data = {"slug": "korn", "name": "Korn", "note": "Rare"}
    assert services.save_shop({**data, "said": {"de": {"note": "Selten"}}}).translations == {"de": {"note": "Selten"}}
    assert services.save_shop(data).translations == {}


def test_an_editor_writes_it_in_the_admin(client: Client, editor: User, told: Product) -> None:  # noqa: F811
    family = told.family
    address = reverse("wagtailsnippets_products_family:edit", args=[family.pk])
    page = client.get(address).content.decode()
    assert "noise: Quietness" in page and "noise: Laufruhe" in page and "Mühlen" in page
    sent = {
        "name": "Grinders", "slug": family.slug, "position": 0, "intro": "", "secondary_ratings": "noise: Quiet\nDust",
        "said_de_name": "Mahlwerke", "said_de_intro": "", "said_de_secondary_ratings": "noise: Leise",
    }  # fmt: skip
    assert client.post(address, sent).status_code == 302
    family.refresh_from_db()
    assert family.secondary_ratings == [{"slug": "noise", "name": "Quiet"}, {"slug": "dust", "name": "Dust"}]
    assert family.translations == {
        "de": {"name": "Mahlwerke", "secondary_ratings": [{"slug": "noise", "name": "Leise"}]}
    }
    for wrong in ("a: One\na: Two", ": nothing", "\n".join(f"r{n}: R" for n in range(9)), "x: " + "y" * 61):
        response = client.post(address, {**sent, "secondary_ratings": wrong})
        assert response.status_code == 200 and response.context["form"].errors.keys() == {"secondary_ratings"}, wrong
    shop = Shop.objects.get(slug="korn")
    sent = {"name": "Korn", "slug": "korn", "position": 0, "delivers": "Germany", "said_de_note": "Nur samstags"}
    address = reverse("wagtailsnippets_products_shop:edit", args=[shop.pk])
    assert client.post(address, sent).status_code == 302
    shop.refresh_from_db()
    assert shop.translations == {"de": {"note": "Nur samstags"}}


def test_a_recall_is_written_and_previewed_in_both(client: Client, editor: User, told: Product) -> None:  # noqa: F811
    address = reverse("wagtailsnippets_products_product:edit", args=[told.pk])
    sent = {
        "name": told.name, "short_name": "", "slug": told.slug, "family": told.family_id, "position": 0, "what": "",
        "lifecycle": "current", "recall_title": "Recall of the lid", "recall_note": "Stop.", "gtin": "",
        "said_de_recall_title": "Rückruf des Deckels", "said_de_recall_note": "Nicht mehr benutzen.",
    }  # fmt: skip
    assert client.post(address, sent).status_code == 302
    told.refresh_from_db()
    assert told.translations == {"de": {"recall_title": "Rückruf des Deckels", "recall_note": "Nicht mehr benutzen."}}
    assert dict(told.preview_modes).keys() == {"", "de"}
    shown = told.make_preview_request(preview_mode="de").content.decode()
    assert "Rückruf des Deckels" in shown and "Nicht mehr benutzen." in shown
    assert "Stop." in told.make_preview_request().content.decode()

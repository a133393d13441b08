"""Editors' words on plain rows in every language of the site."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils.translation import override
from wagtail.models import Locale

from community.accounts.models import Department, User
from community.core import outbox, spoken
from community.core.errors import Conflict, NotAllowed
from community.escalation.incidents import open_incident
from community.events.models import Event
from community.notifications.delivery import announce_due
from community.pages import services as pages
from products import services
from products.models import Family, OwnerAlert, Product, Responsibility, Shop
from products.shelf import alerts
from reviews import services as reviews
from tests import factories
from tests.pages.test_admin import editor  # noqa: F401 - a fixture
from tests.products.pages import a_product_page

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(duo: Product, tmp_path: Path, support: Department) -> Product:
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
    Responsibility.objects.create(
        product=duo, subject="repair", department=support, translations={"de": {"subject": "Reparatur"}}
    )
    a_product_page(tmp_path, duo, where_to_buy=["korn"])
    return Product.objects.get(pk=duo.pk)


def test_a_page_says_it_in_the_readers_language_and_else_in_the_sites(client: Client, told: Product) -> None:
    page = client.get("/products/duo/", headers={"accept-language": "de"}).content.decode()
    for word in ("Mühlen", "Dritte Serie.", "Rückruf", "Stecker raus.", "Deutschland", "Reparatur"):
        assert word in page, word
    assert "All of them." in page  # nobody has said that in German
    assert "Third series." not in page and "Unplug it." not in page
    german = Locale.objects.get_or_create(language_code="de")[0]
    pages.ensure_tree(locale=german)  # with a catalogue page of its own
    listed = client.get("/products/", headers={"accept-language": "de"}).content.decode()
    assert "<h1><span>Produkte</span></h1>" in listed
    assert "<h1><span>Products</span></h1>" in client.get("/products/").content.decode()
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


def test_a_known_issue_is_said_in_the_readers_language(
    client: Client, told: Product, alice: User, dana: User, enrol: Callable[[User], None]
) -> None:
    services.add_to_shelf(told, alice)
    User.objects.filter(pk=alice.pk).update(language="de")
    german = {"title": "Es brummt", "text": "Stell sie auf Kork."}
    alert = alerts.issue(told, dana, title="It hums", body="Put it on cork.", said={"de": german})
    announce_due()
    outbox.deliver_due()
    (sent,) = mail.outbox
    assert "Es brummt" in sent.subject and "Stell sie auf Kork." in sent.body
    reader = {"accept-language": "de"}
    for address in ("/products/duo/", "/questions/ask/?product=duo"):
        page = client.get(address, headers=reader).content.decode()
        assert "Es brummt" in page and "Stell sie auf Kork." in page and "It hums" not in page, address
    assert "It hums" in client.get("/products/duo/").content.decode()
    client.force_login(alice)
    assert "Es brummt" in client.get("/settings/shelf/", headers=reader).content.decode()
    # An agent mends the words; nobody is told anew, and what lacks German is marked as English.
    enrol(dana)
    client.force_login(dana)
    screen = reverse("shelves:issue", args=[alert.pk])
    assert "Stell sie auf Kork." in client.get(screen).content.decode()
    words = {"title": "It hums a little", "text": "Put it on cork.", "url": "", "said_de_title": "Es brummt leise"}
    assert client.post(screen, {**words, "text": ""}).status_code == 422
    assert client.post(screen, {**words, "said_de_text": "x" * 2001}).context["form"].errors.keys() == {"said_de_text"}
    assert client.post(screen, words).status_code == 303
    announce_due()
    assert len(mail.outbox) == 1 and Event.objects.filter(kind="alert.reworded").count() == 1
    client.logout()
    page = client.get("/products/duo/", headers=reader).content.decode()
    assert "Es brummt leise" in page and '<p class="s" lang="en">Put it on cork.</p>' in page


def test_who_may_reword_a_known_issue_and_when(told: Product, dana: User, charlie: User) -> None:
    alert = alerts.issue(told, dana, title="It hums", body="Use cork.")
    alerts.issue(told, dana, title="It whistles", body="Wait.")
    with pytest.raises(NotAllowed):
        alerts.reword(alert, charlie, title="It sings", body="Use cork.")
    with pytest.raises(ValidationError) as refused:
        alerts.reword(alert, dana, title="It whistles", body="Use cork.", url="https://evil.example")
    assert refused.value.message_dict.keys() == {"title", "url"}
    for _twice in range(2):
        alerts.reword(alert, dana, title="It sings", body="Use cork.")
    assert Event.objects.filter(kind="alert.reworded").count() == 1
    alerts.end(alert, dana)
    with pytest.raises(Conflict):
        alerts.reword(alert, dana, title="It hums again", body="Use cork.")


def test_an_incident_is_called_what_its_banner_says(told: Product, dana: User) -> None:
    incident = open_incident(told, dana, title="It hums", body="Use cork.")
    alerts.reword(incident.alert, dana, title="It sings", body="Use felt.")
    incident.refresh_from_db()
    assert (incident.title, incident.text) == ("It sings", "Use felt.")


def test_a_department_is_called_as_the_readers_language_has_it(
    client: Client, told: Product, support: Department
) -> None:
    support.translations = {"de": {"name": "Kundendienst", "hours_text": "Mo bis Fr"}}
    support.hours_text = "Mon to Fri"
    support.save()
    page = client.get("/products/duo/", headers={"accept-language": "de"}).content.decode()
    assert page.count("Kundendienst") == 2 and "Mo bis Fr" in page, "who answers for what, and the foot"
    with override("en"):
        assert str(support) == "Customer support"
    with override("de"):
        assert str(support) == "Kundendienst"


def test_what_falls_back_says_its_language(client: Client, told: Product) -> None:
    """For ears and hyphens: a screen reader speaks English words as English (decision 0244)."""
    page = client.get("/products/duo/", headers={"accept-language": "de"}).content.decode()
    assert '<html lang="de">' in page
    assert '<span lang="en">All of them.</span>' in page and "<ol><li>Halt.</li>" in page
    assert '<h1 lang="en">' in page and '<p class="product__lede" lang="en">' in page
    listed = client.get("/products/", headers={"accept-language": "de"}).content.decode()
    assert '<a href="/products/duo/" lang="en">' in listed and '<p class="soft" lang="en">' in listed
    compared = client.get("/products/compare/?p=duo", headers={"accept-language": "de"}).content.decode()
    assert 'href="/products/duo/" lang="en"' in compared
    english = client.get("/products/duo/").content.decode()
    content = english[english.index("<main") : english.index("</main>")]
    assert " lang=" not in re.sub("<img[^>]*>", "", content)


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


def test_a_department_that_has_no_name_in_the_readers_language_is_marked(
    client: Client, alice: User, dana: User, duo: Product, support: Department
) -> None:
    """For whoever hears the page read aloud; so is what it said, in the language of the review."""
    review = factories.a_review(alice, duo, language="en")
    reviews.respond(review, dana, support, "The spring is a new one.")
    german = {"accept-language": "de"}
    for address in (review.get_absolute_url(), f"/reviews/{review.pk}/history/{review.responses.get().pk}/"):
        assert f'<span lang="en">{support.name}</span>' in client.get(address, headers=german).content.decode()
        assert '<span lang="en">' not in client.get(address).content.decode()
    assert '<div lang="en"><p>The spring' in client.get(review.get_absolute_url(), headers=german).content.decode()
    support.translations = {"de": {"name": "Kundendienst"}}
    support.save()
    page = client.get(review.get_absolute_url(), headers=german).content.decode()
    assert "Kundendienst" in page and support.name not in page

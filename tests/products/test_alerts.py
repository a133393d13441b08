"""Recalls and known issues reach exactly the owners, each once."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail, signing
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from community.accounts.models import User
from community.core import outbox
from community.core.errors import NotAllowed
from community.notifications import services as notices
from community.notifications.delivery import STOP_SALT, announce_due
from community.notifications.models import Notification
from products import services
from products.models import OwnerAlert, Product, Version
from products.services import change_product
from products.shelf import alerts
from tests.factories import a_person, a_product

pytestmark = pytest.mark.django_db


@pytest.fixture
def steam(db: None) -> Product:
    return a_product("steam", name="Steam")


@pytest.fixture
def first(steam: Product) -> Version:
    return Version.objects.create(product=steam, name="Series 1")


@pytest.fixture
def second(steam: Product) -> Version:
    Version.objects.create(product=a_product("uno"), name="Other")
    return Version.objects.create(product=steam, name="Series 2")


def owner(name: str, product: Product, version: Version | None = None) -> User:
    person = a_person(name)
    services.add_to_shelf(product, by=person, version=version)
    return person


def heard(*people: User) -> list[int]:
    announce_due()
    return [
        Notification.objects.filter(recipient=person, kind__in=["recall", "known_issue"]).count() for person in people
    ]


def test_a_recall_reaches_the_owners_of_its_series_once(
    steam: Product, first: Version, second: Version, hanna: User, charlie: User
) -> None:
    mine, newer, unsaid = owner("mine", steam, first), owner("newer", steam, second), owner("unsaid", steam)
    owner("uno-owner", Product.objects.get(slug="uno"))
    steam.recall_title, steam.recall_note = "The lid can open", "Unplug it.\nWrite to us."
    for _twice in range(2):
        change_product(steam, hanna, [first])
    assert heard(mine, unsaid, newer, charlie) == [1, 1, 0, 0]
    assert OwnerAlert.objects.get().text == "Unplug it.\nWrite to us."
    outbox.deliver_due()
    by_name = {one.to[0].split("@")[0]: one for one in mail.outbox}
    assert sorted(by_name) == ["mine", "unsaid"]
    assert by_name["mine"].subject == "Please stop using your Steam: The lid can open"
    assert "You have not said which one yours is" in by_name["unsaid"].body
    assert "You have not said" not in by_name["mine"].body
    # It turns out to hold for the second series, too: nobody hears twice.
    change_product(steam, hanna, [first, second])
    assert heard(mine, unsaid, newer) == [1, 1, 1]
    # Over and begun again is a recall of its own.
    steam.recall_note = ""
    change_product(steam, hanna)
    assert OwnerAlert.objects.open().count() == 0
    assert heard(mine, newer) == [1, 1]


def test_a_recall_cannot_be_switched_off_and_a_known_issue_can(
    steam: Product, dana: User, hanna: User, client: Client
) -> None:
    quiet = owner("quiet", steam)
    assert "recall" not in [kind.slug for kind in notices.kinds_for(quiet)]
    with pytest.raises(ValidationError):
        notices.prefer(quiet, "recall", mail=False)
    notices.prefer(quiet, "known_issue", mail=False, in_app=False)
    alerts.issue(steam, dana, title="It hums", body="Put it on the cork mat.")
    steam.recall_note = "Unplug it."
    change_product(steam, hanna)
    assert heard(quiet) == [1]
    outbox.deliver_due()
    (sent,) = mail.outbox
    assert "List-Unsubscribe" not in sent.extra_headers
    assert "/notifications/stop/" not in sent.body + sent.alternatives[0][0]
    token = signing.dumps([quiet.pk, "recall"], salt=STOP_SALT)
    assert client.post(reverse("notices:stop", args=[token])).status_code == 404


def test_a_known_issue_reaches_who_said_theirs_is_one_of_those(
    steam: Product, first: Version, second: Version, dana: User, charlie: User, client: Client
) -> None:
    mine, newer, unsaid = owner("mine", steam, first), owner("newer", steam, second), owner("unsaid", steam)
    for _twice in range(2):
        alert = alerts.issue(steam, dana, title="It hums", body="Put it on the cork mat.", versions=[first])
    assert heard(mine, newer, unsaid, charlie) == [1, 0, 0, 0]
    with pytest.raises(NotAllowed):
        alerts.issue(steam, charlie, title="It hums", body="No.")
    with pytest.raises(NotAllowed):
        alerts.end(alert, charlie)
    # Whoever puts it on the shelf later sees the banner, and hears nothing.
    late = owner("late", steam, first)
    client.force_login(late)
    assert "It hums" in client.get("/settings/shelf/").content.decode()
    assert heard(late) == [0]
    client.force_login(unsaid)
    shown = client.get("/settings/shelf/").content.decode()
    assert "It concerns: Series 1" in shown
    client.force_login(newer)
    assert "It hums" not in client.get("/settings/shelf/").content.decode()
    steam.refresh_from_db()
    assert [known["title"] for known in steam.known_issues] == ["It hums"]
    for _twice in range(2):
        alerts.end(alert, dana)
    assert heard(mine, newer) == [2, 0], "that it is solved is told to those it concerned"
    steam.refresh_from_db()
    assert steam.known_issues == []


def test_a_mail_that_is_no_longer_true_is_not_sent(steam: Product, dana: User) -> None:
    gone, stays = owner("gone", steam), owner("stays", steam)
    alert = alerts.issue(steam, dana, title="It hums", body="Put it on the cork mat.")
    announce_due()
    services.remove_from_shelf(steam, gone)
    outbox.deliver_due()
    assert [one.to for one in mail.outbox] == [[stays.email]]
    mail.outbox.clear()
    alerts.issue(steam, dana, title="It whistles", body="Wait a little.")
    announce_due()
    alerts.end(OwnerAlert.objects.get(title="It whistles"), dana)
    outbox.deliver_due()
    assert mail.outbox == []
    assert alert.ended_at is None


def test_what_is_written_is_checked(steam: Product, second: Version, dana: User) -> None:
    other = Version.objects.get(name="Other")
    with pytest.raises(ValidationError) as refused:
        alerts.issue(steam, dana, title="", body=" ", url="https://evil.example", versions=[other])
    assert sorted(refused.value.message_dict) == ["text", "title", "url", "versions"]


def test_an_agent_tells_owners_from_the_admin(
    client: Client, dana: User, steam: Product, first: Version, enrol: Callable[[User], None]
) -> None:
    enrol(dana)
    client.force_login(dana)
    page = reverse("shelves:issues")
    given: dict[str, Any] = {"product": "steam", "versions": [first.pk], "title": "It hums", "text": "Use the mat."}
    assert client.post(page, {**given, "text": ""}).status_code == 422
    assert client.post(page, given).status_code == 303
    alert = OwnerAlert.objects.get()
    assert "It hums" in client.get(page).content.decode()
    assert client.get(reverse("shelves:end_issue")).status_code == 405
    for _twice in range(2):
        client.post(reverse("shelves:end_issue"), {"alert": alert.pk})
    alert.refresh_from_db()
    assert alert.ended_at is not None


def test_an_editor_chooses_among_the_products_own_series(
    client: Client, hanna: User, steam: Product, first: Version, second: Version, enrol: Callable[[User], None]
) -> None:
    enrol(hanna)
    client.force_login(hanna)
    page = reverse("wagtailsnippets_products_product:edit", args=[steam.pk])
    shown = client.get(page).content.decode()
    assert "Series 1" in shown
    assert ">Other<" not in shown
    given = {
        "name": "Steam", "slug": "steam", "family": steam.family_id, "position": 0, "lifecycle": "current",
        "recall_title": "The lid can open", "recall_note": "Unplug it.", "recall_versions": [first.pk],
    }  # fmt: skip
    assert client.post(page, given).status_code == 302
    assert list(OwnerAlert.objects.get().versions.all()) == [first]
    assert list(steam.recall_versions.all()) == [first]


def test_a_known_issue_stands_where_people_ask_and_the_form_knows_the_owners_machine(
    steam: Product, first: Version, dana: User, client: Client
) -> None:
    mine = owner("mine", steam, first)
    services.change_on_shelf(steam, mine, version=first, bought_on=None, serial="ST1-4711")
    alerts.issue(steam, dana, title="It hums & hums", body="Put it on the cork mat.", versions=[first])
    shown = client.get("/questions/ask/?product=steam").content.decode()
    assert "It hums &amp; hums" in shown
    assert "It concerns: Series 1" in shown
    assert "ST1-4711" not in shown
    client.force_login(mine)
    shown = client.get("/questions/ask/").content.decode()  # who owns one thing asks about that one
    assert 'name="serial" value="ST1-4711"' in shown
    assert 'value="Series 1"' in shown


def test_what_a_recall_names_is_not_deleted_and_stays_with_its_product(
    steam: Product, first: Version, second: Version, hanna: User, client: Client, enrol: Callable[[User], None]
) -> None:
    """Without its version an alert would be for every owner."""
    hanna.is_superuser = True
    hanna.save()
    enrol(hanna)
    client.force_login(hanna)
    alert = alerts.issue(steam, hanna, title="It hums", body="Put it on the cork mat.", versions=[first])
    one = reverse("wagtailsnippets_products_version:delete", args=[first.pk])
    many = reverse("wagtail_bulk_action", args=["products", "version", "delete"]) + f"?id={first.pk}&id={second.pk}"
    for address in (one, many):
        for response in (client.get(address, follow=True), client.post(address, follow=True)):
            assert "“Series 1” of the Steam is named by a recall or a known issue." in response.content.decode()
    assert list(alert.versions.all()) == [first] and Version.objects.filter(pk=second.pk).exists()
    listed = client.get(reverse("wagtailsnippets_products_version:list")).content.decode()
    assert "<title>Series and firmware" in " ".join(listed.split()).replace("> ", ">") and "Versions" not in listed
    uno = Product.objects.get(slug="uno")
    edit = reverse("wagtailsnippets_products_version:edit", args=[first.pk])
    client.post(edit, {"product": uno.pk, "name": "First series", "position": 0, "gtin": ""})
    first.refresh_from_db()
    assert (first.product, first.name) == (steam, "First series")
    alerts.end(alert, hanna)
    assert client.post(one).status_code == 302
    assert not Version.objects.filter(pk=first.pk).exists()

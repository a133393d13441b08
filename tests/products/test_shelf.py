"""My Shelf: who owns what, how we know it, and who may see it."""

import csv
import io
import json
from collections.abc import Callable
from datetime import date, timedelta
from io import StringIO
from pathlib import Path

import pytest
from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from wagtail.models import ModelLogEntry

from community.accounts.models import Profile, User
from community.core import clock
from community.core.errors import NotAllowed
from community.core.models import Numbers
from community.events.models import Event
from products import services
from products.models import OrderLine, Ownership, Product, ReceiptCode, Version
from products.pictures import THUMB
from products.shelf import alerts, codes, orders
from tests import factories
from tests.factories import a_confirmed_address, a_person, a_product, a_review
from tests.products.pages import a_product_page
from tests.races import at_once

pytestmark = pytest.mark.django_db
Bring = Callable[..., str]
DAY = date(2026, 10, 20)


@pytest.fixture
def bring(tmp_path: Path, duo: Product) -> Bring:
    """Write a shop's table and import it; returns what the command said."""

    def act(rows: str | bytes, *more: str, name: str = "orders.csv", what: str = "orders") -> str:
        path = tmp_path / name
        path.write_bytes(rows if isinstance(rows, bytes) else rows.encode())
        out = StringIO()
        call_command(f"import_{what}", str(path), "--source", "shop.example.com", *more, stdout=out)
        return out.getvalue()

    return act


HEAD = "order,email,product,bought_on\n"
ALICES = HEAD + "B-1,Alice@Example.org,duo,2026-10-20\n"


def verified(person: User) -> list[tuple[str, str]]:
    return list(person.shelf.order_by("pk").values_list("product__slug", "verified"))


# --- the page


def test_an_owner_keeps_a_shelf(client: Client, alice: User, duo: Product, wednesday: object) -> None:
    series = Version.objects.create(product=duo, name="Series 2")
    other = Version.objects.create(product=a_product("steam"), name="ST1")
    client.force_login(alice)
    assert "Your shelf is empty" in client.get("/settings/shelf/").content.decode()
    added = client.post("/settings/shelf/add/", {"product": "duo", "bought_on": "2026-10-20", "verified": "order"})
    assert added["Location"] == "/settings/shelf/of/duo/", "which version is asked next"
    unit = "/settings/shelf/of/duo/"
    given = {"version": series.pk, "bought_on": "2026-10-19", "serial": " D2-17 \n", "verified": "staff"}
    assert client.post(unit, given)["Location"] == "/settings/shelf/"
    row = Ownership.objects.get()
    assert (row.version, row.bought_on, row.serial, row.verified) == (series, date(2026, 10, 19), "D2-17", "")
    refused = client.post(unit, {"version": other.pk, "bought_on": "2027-01-01", "serial": "D2-18"})
    assert (refused.status_code, "D2-18" in refused.content.decode()) == (422, True)
    late = client.post(unit, {"version": series.pk, "bought_on": "2027-01-01"})
    assert "This day is still to come." in late.content.decode()
    page = client.get("/settings/shelf/")
    assert page["Cache-Control"] == "private, no-store"
    for words in ("Series 2", "D2-17", "Only you see it", "/questions/ask/?product=duo", "/reviews/write/duo/"):
        assert words in page.content.decode()
    assert client.get("/settings/shelf/of/duo/remove/").status_code == 405
    for _twice in range(2):
        assert client.post("/settings/shelf/of/duo/remove/").status_code == 302
    assert not alice.shelf.exists()
    kinds = list(Event.objects.filter(kind__startswith="ownership").order_by("pk").values_list("kind", flat=True))
    assert kinds == ["ownership.added", "ownership.changed", "ownership.removed"]


def test_the_page_asks_the_same_number_of_questions_of_any_shelf(
    client: Client, alice: User, dana: User, django_assert_max_num_queries: Callable
) -> None:
    """Six are the frame's (session, person, site, brand, notices, footer; three of them kept for a minute), four its
    own."""
    for number in range(6):
        row = services.add_to_shelf(a_product(f"thing{number}"), by=alice)
        alerts.issue(row.product, dana, title="It hums", body="Use the mat.")
    client.force_login(alice)
    review = factories.a_review(alice, row.product)
    with django_assert_max_num_queries(10):
        html = client.get("/settings/shelf/").content.decode()
    assert html.count("It hums") == 6 and html.count(review.get_absolute_url()) == 1
    assert html.count("/reviews/write/") == 5


def test_a_product_without_a_drawing_shows_its_first_picture(
    client: Client, alice: User, tmp_path: Path, django_assert_max_num_queries: Callable
) -> None:
    """Line drawings are the demo's; a brand of one's own has photographs. No query more for it."""
    product = a_product("toaster")
    page = a_product_page(tmp_path, product)
    services.add_to_shelf(product, by=alice)
    client.force_login(alice)
    assert "myshelf__photo" not in client.get("/settings/shelf/").content.decode(), "the worker has made none yet"
    thumb = page.pictures()[0].image.get_rendition(THUMB)
    with django_assert_max_num_queries(10):
        html = client.get("/settings/shelf/").content.decode()
    assert f'<img class="myshelf__photo" src="{thumb.url}"' in html


def test_nobody_changes_the_shelf_of_another(client: Client, alice: User, charlie: User, duo: Product) -> None:
    services.add_to_shelf(duo, by=alice)
    client.force_login(charlie)
    assert client.get("/settings/shelf/of/duo/").status_code == 404
    assert client.post("/settings/shelf/of/duo/", {"serial": "X"}).status_code == 404
    client.post("/settings/shelf/of/duo/remove/")
    assert alice.shelf.exists()
    client.logout()
    for address in ("/settings/shelf/", "/settings/shelf/of/duo/"):
        assert client.get(address).status_code == 302


def test_a_shelf_is_private_in_every_format(
    client: Client, alice: User, bob: User, charlie: User, wednesday: object
) -> None:
    """Neither what stands there nor anything about it: profile, product, threads, feeds, search, JSON-LD."""
    rare = a_product("rare", name="Rarissima")
    version = Version.objects.create(product=rare, name="Zeta-Series")
    services.add_to_shelf(rare, by=alice, bought_on=date(2011, 3, 4))
    services.change_on_shelf(rare, alice, version=version, bought_on=date(2011, 3, 4), serial="SER-4711")
    for viewer in (None, charlie):
        client.logout()
        if viewer is not None:
            client.force_login(viewer)
        for address in (
            f"/people/{alice.username}/", "/search/?q=Rarissima", "/search/?q=SER-4711", "/questions/", "/reviews/",
            "/reviews/google.xml", "/feeds/questions.atom", "/feeds/questions.json", "/sitemap.xml", "/advocates/",
        ):  # fmt: skip
            answer = client.get(address)
            body = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]
            secrets = [b"Zeta-Series", b"SER-4711", b"since 2011"]
            if address.startswith("/people/"):
                secrets.append(b"Rarissima")  # filters elsewhere offer every product's name
            for secret in secrets:
                typed = secret.decode() in address  # and stands in the search field again
                assert typed or secret not in body, (address, secret)
    # Shown by its owner: the product and the year, no more.
    Profile.objects.filter(user=alice).update(show_shelf=True)
    page = client.get(f"/people/{alice.username}/").content.decode()
    assert "Rarissima" in page
    assert "2011" in page
    assert "SER-4711" not in page
    assert "Zeta-Series" not in page


# --- receipt codes


def test_a_code_proves_one_purchase_once(client: Client, dana: User, alice: User, charlie: User, duo: Product) -> None:
    review = a_review(alice, duo)
    batch, (first, second) = codes.make_batch(duo, dana, count=2, note="Autumn")
    assert not ReceiptCode.objects.filter(digest__in=[first, codes.plain(first)]).exists(), "hashed only"
    client.force_login(alice)
    typed = first.lower().replace("-", " ")
    for _twice in range(2):
        assert client.post("/settings/shelf/code/", {"code": typed})["Location"] == "/settings/shelf/"
    assert verified(alice) == [("duo", "receipt")]
    review.refresh_from_db()
    assert review.verified == "receipt", "the review says so, too"
    client.force_login(charlie)
    used, wrong = (client.post("/settings/shelf/code/", {"code": one}) for one in (first, "AAAA-BBBB-CCCC"))
    for refused in (used, wrong):
        assert refused.status_code == 422
        assert "This code is not right, or somebody has used it" in refused.content.decode()
    assert (verified(charlie), batch.codes.filter(used_at=None).count()) == ([], 1)
    assert client.get("/settings/shelf/code/").status_code == 405
    assert codes.redeem(second, charlie).verified == "receipt"


def test_tries_are_counted_by_person_and_by_address(client: Client, alice: User, charlie: User, duo: Product) -> None:
    client.force_login(alice)
    said = [client.post("/settings/shelf/code/", {"code": f"AAAA-BBBB-CC{n}"}).status_code for n in range(6)]
    assert said == [422] * 5 + [429]
    client.force_login(charlie)  # another account, the same place
    assert client.post("/settings/shelf/code/", {"code": "AAAA-BBBB-CCCC"}).status_code == 429


def test_codes_outlive_a_new_secret_key(dana: User, alice: User, duo: Product, settings: object) -> None:
    _batch, (code,) = codes.make_batch(duo, dana, count=1)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "n" * 60  # type: ignore[attr-defined]
    assert codes.redeem(code, alice).verified == "receipt"


def test_codes_taken_over_again_under_a_new_key_stay_one(
    bring: Bring, alice: User, charlie: User, settings: object
) -> None:
    table = "code;product\nDUO-7788-XYZW;duo\n"
    bring(table, what="codes")
    codes.redeem("DUO-7788-XYZW", alice)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "n" * 60  # type: ignore[attr-defined]
    assert "0 added" in bring(table, what="codes")
    with pytest.raises(ValidationError):
        codes.redeem("DUO-7788-XYZW", charlie)


def test_a_mark_that_was_taken_back_does_not_come_back_with_the_code(dana: User, alice: User, duo: Product) -> None:
    _batch, (code,) = codes.make_batch(duo, dana, count=1)
    codes.redeem(code, alice)
    services.verify_for(alice, duo, dana, verified=False, reason="The box was photographed in a shop.")
    with pytest.raises(ValidationError):
        codes.redeem(code, alice)
    assert verified(alice) == [("duo", "")]


def test_only_agents_make_codes(alice: User, dana: User, duo: Product) -> None:
    with pytest.raises(NotAllowed):
        codes.make_batch(duo, alice, count=1)
    for wrong in (0, codes.MOST + 1):
        with pytest.raises(ValidationError):
            codes.make_batch(duo, dana, count=wrong)


@pytest.mark.django_db(transaction=True)
def test_two_at_once_with_one_code(dana: User, alice: User, charlie: User, duo: Product) -> None:
    _batch, (code,) = codes.make_batch(duo, dana, count=1)
    problems = at_once([lambda: codes.redeem(code, alice), lambda: codes.redeem(code, charlie)])
    assert [type(problem) for problem in problems] == [ValidationError]
    assert Ownership.objects.filter(verified="receipt").count() == 1


def test_printed_codes_are_taken_over(bring: Bring, alice: User, duo: Product) -> None:
    table = "code;product\nDUO-7788-XYZW;duo\nduo 7788 abcd;duo\n"
    assert "2 added" in bring(table, what="codes")
    assert "0 added" in bring(table, what="codes")
    assert codes.redeem("duo7788xyzw", alice).verified == "receipt"
    with pytest.raises(CommandError, match="3 rows are wrong"):
        bring("code,product\nabc,duo\nABCD-EFGH-JK,nothing\nPQRS-TUVW-XY,duo\npqrstuvwxy,duo\n", what="codes")
    assert ReceiptCode.objects.count() == 2


# --- orders


def test_an_order_finds_its_buyer_by_the_confirmed_address_alone(
    bring: Bring, alice: User, charlie: User, wednesday: object
) -> None:
    assert "1 added" in bring(ALICES)
    assert verified(alice) == [], "the account has this address, but nobody confirmed it"
    line = OrderLine.objects.get()
    assert "alice" not in json.dumps([line.address, line.key, line.source])
    address = a_confirmed_address(alice)
    email_confirmed.send(EmailAddress, request=None, email_address=address)
    assert verified(alice) == [("duo", "order")]
    line.refresh_from_db()
    assert (line.address, line.matched_at is not None, alice.shelf.get().bought_on) == ("", True, DAY)
    # The address goes to somebody else: what was bought stays where it is.
    address.delete()
    email_confirmed.send(EmailAddress, request=None, email_address=a_confirmed_address(charlie, "alice@example.org"))
    bring(ALICES)
    assert (verified(alice), verified(charlie)) == ([("duo", "order")], [])


def test_who_confirmed_before_is_found_at_once_and_once(bring: Bring, alice: User, duo: Product) -> None:
    a_confirmed_address(alice)
    review = a_review(alice, duo)
    bring(ALICES)
    review.refresh_from_db()
    assert (verified(alice), review.verified) == ([("duo", "order")], "order")
    services.remove_from_shelf(duo, alice)
    assert "0 added, 0 changed, 0 withdrawn." in bring(ALICES)
    assert verified(alice) == [], "what its owner took off stays off"


def test_what_the_owner_said_stays_and_there_is_one_row(bring: Bring, alice: User, duo: Product) -> None:
    mine = Version.objects.create(product=duo, name="Series 1")
    Version.objects.create(product=duo, name="Series 2")
    a_confirmed_address(alice)
    services.add_to_shelf(duo, by=alice, version=mine, bought_on=date(2026, 1, 1))
    bring(
        "order,email,product,bought_on,version\nB-1,alice@example.org,duo,2026-10-20,series 2\n"
        "B-2,alice@example.org,duo,2026-11-01,\n"
    )
    row = alice.shelf.get()
    assert (row.version, row.bought_on, row.verified) == (mine, DAY, "order")


def test_signing_in_finds_what_waits(client: Client, bring: Bring, duo: Product, settings: object) -> None:
    """Another site confirmed the address: no signal of a confirmation, but one of signing in."""
    bring(ALICES)
    person = a_person("alice", password="a long enough pass")
    a_confirmed_address(person)
    client.post(reverse("account_login"), {"login": "alice", "password": "a long enough pass"})
    assert verified(person) == [("duo", "order")]


def test_a_suspended_person_gets_nothing(bring: Bring, alice: User) -> None:
    a_confirmed_address(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    bring(ALICES)
    assert (verified(alice), OrderLine.objects.waiting().count()) == ([], 1)


def test_wrong_rows_are_named_and_nothing_is_half_written(bring: Bring, tmp_path: Path) -> None:
    report = tmp_path / "report.csv"
    table = (
        HEAD + "B-1,bob@example.org,duo,2026-10-20\n,bob@example.org,duo,2026-10-20\nB-3,no address,duo,2026-10-20\n"
        "B-4,bob@example.org,uno,2026-10-20\nB-5,bob@example.org,duo,next week\nB-6,bob@example.org,duo,2036-10-20\n"
        "B-7,bob@example.org,duo\nB-1,carol@example.org,duo,2026-10-20\nB-1,bob@example.org,duo,2026-10-20\n"
    )
    with pytest.raises(CommandError, match="7 rows are wrong, so nothing was written"):
        bring(table, "--report", str(report))
    assert not OrderLine.objects.exists()
    rows = list(csv.reader(report.open()))
    assert [(row, what) for row, what, _why in rows[1:]].count(("9", "left out")) == 1
    assert {int(row) for row, what, _why in rows[1:] if what == "error"} == {2, 3, 4, 5, 6, 7, 8}
    assert "bob@" not in report.read_text()
    assert "no address" not in report.read_text()
    assert "1 added" in bring(table, "--skip-bad-rows")
    with pytest.raises(CommandError, match="no column is named for email"):
        bring("order,product,bought_on\nB-1,duo,2026-10-20\n")


def test_a_mapping_an_encoding_and_a_dry_run(bring: Bring, tmp_path: Path, duo: Product, alice: User) -> None:
    a_confirmed_address(alice)
    mapping = tmp_path / "shop.yaml"
    mapping.write_text(
        "delimiter: ';'\nencoding: cp1252\nzone: Europe/Berlin\nproducts: {Größe 2: duo}\n"
        'fields: {order: Beleg, email: E-Mail, product: Gerät, bought_on: {column: Tag, format: "%d.%m.%Y"}}\n',
        encoding="utf-8",
    )
    table = "Beleg;E-Mail;Gerät;Tag\n7;ALICE@example.org;Größe 2;20.10.2026\n".encode("cp1252")
    dry = bring(table, "--mapping", str(mapping), "--dry-run")
    assert "Nothing was written. It would be: 2 added" in dry, "an order, and an owner found"
    assert (OrderLine.objects.count(), verified(alice)) == (0, [])
    bring(table, "--mapping", str(mapping))
    assert alice.shelf.get().bought_on == DAY


def test_a_waiting_line_follows_the_shop_and_is_erased_when_its_time_is_up(bring: Bring, duo: Product) -> None:
    bring(ALICES)
    assert "1 changed" in bring(ALICES.replace("10-20", "10-21"))
    assert OrderLine.objects.get().bought_on == date(2026, 10, 21)
    numbers = Numbers.load()
    numbers.orders_kept_days = 30
    numbers.save()
    now = clock.now()
    with clock.travel(now + timedelta(days=29)):
        assert orders.erase_old() == 0
    with clock.travel(now + timedelta(days=31)):
        assert (orders.erase_old(), orders.erase_old()) == (1, 0)
        said = bring(ALICES)  # the shop's next table has all it ever sold
        assert "1 rows were left out" in said and "orders are kept no longer" in said
        assert not OrderLine.objects.exists(), "what was erased stays erased"


# --- staff


def test_an_agent_confirms_with_a_reason_that_stands_in_the_log(
    client: Client, alice: User, dana: User, charlie: User, duo: Product, enrol: Callable[[User], None]
) -> None:
    review = a_review(alice, duo)
    enrol(dana)
    client.force_login(dana)
    a_confirmed_address(alice)
    found = client.get("/admin/shelves/", {"q": "ALICE@example.org"})
    place = f"/admin/shelves/of/{alice.pk}/"
    assert found["Location"] == place
    assert client.post(place, {"product": "duo", "verified": "1", "reason": " "}).status_code == 422
    assert client.post(place, {"product": "duo", "verified": "1", "reason": "Saw the invoice."}).status_code == 303
    review.refresh_from_db()
    assert (verified(alice), review.verified) == ([("duo", "staff")], "staff")
    event = Event.objects.get(kind="ownership.verified")
    assert (event.actor, event.data["owner"], event.note.text) == (dana, alice.pk, "Saw the invoice.")
    assert client.post(place, {"product": "duo", "reason": "It was another invoice."}).status_code == 303
    review.refresh_from_db()
    assert (verified(alice), review.verified) == ([("duo", "")], "")
    with pytest.raises(NotAllowed, match="Somebody else"):
        services.verify_for(dana, duo, dana, verified=True, reason="Mine")
    with pytest.raises(NotAllowed):
        services.verify_for(charlie, duo, charlie, verified=True, reason="Mine")
    actions = ModelLogEntry.objects.values_list("action", flat=True)
    assert {"shelf.viewed", "shelf.verified", "shelf.unverified"} <= set(actions)


def test_the_screens_are_for_agents(
    client: Client, dana: User, alice: User, ravi: User, duo: Product, enrol: Callable[[User], None], bring: Bring
) -> None:
    bring(ALICES)
    pages = [reverse(f"shelves:{name}") for name in ("people", "codes", "orders", "issues")]
    enrol(ravi)
    client.force_login(ravi)  # a moderator comes into the admin, but not here
    assert {client.get(page).status_code for page in [*pages, f"/admin/shelves/of/{alice.pk}/"]} == {403}
    enrol(dana)
    client.force_login(dana)
    shown = [client.get(page).content.decode() for page in pages]
    assert "shop.example.com" in shown[2]
    assert "alice" not in shown[2].lower()
    made = client.post(pages[1], {"product": "duo", "count": "3", "note": "=Autumn"})
    assert made["Content-Type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(made.content.decode())))
    assert (len(rows), len(rows[1][0]), "no-store" in made["Cache-Control"]) == (4, 14, True)
    assert rows[1][0] not in client.get(pages[1]).content.decode(), "shown once"
    assert client.post(pages[1], {"product": "duo", "count": "0"}).status_code == 422
    services.add_to_shelf(duo, by=dana)
    assert "/reviews/write/" not in client.get("/settings/shelf/").content.decode(), "staff don't review"

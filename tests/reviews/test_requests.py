"""Asking owners for reviews by mail: when, how often, whom not, and what a link in it may do."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.test import Client

from community.accounts import services as accounts
from community.accounts.models import Standing, User
from community.core import clock, outbox
from community.core.models import Delivery, Numbers
from community.notifications import services as notices
from community.notifications.delivery import announce_due
from products import services as shelf
from products.models import Product
from reviews import asking
from reviews.models import RequestMail, Review, ReviewRequest
from reviews.services import write_review
from tests.factories import a_confirmed_address, a_product, a_review
from tests.races import at_once

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 18)  # the frozen Wednesday, 9:00


@pytest.fixture
def alice(alice: User) -> User:
    a_confirmed_address(alice)
    return alice


def bought(person: User, product: Product, days_ago: int) -> ReviewRequest:
    shelf.add_to_shelf(product, by=person, bought_on=TODAY - timedelta(days=days_ago))
    return ReviewRequest.objects.get(person=person, product=product)


def on_day(days: float) -> Any:
    """That many days after Wednesday."""
    return clock.travel(datetime(2026, 11, 18, 9, tzinfo=UTC) + timedelta(days=days))


def asked(person: User) -> list[list[str]]:
    """The products of each mail, oldest mail first."""
    mails = RequestMail.objects.filter(person=person).order_by("pk")
    rows = ReviewRequest.objects.select_related("product").order_by("bought_on", "pk")
    return [[row.product.slug for row in rows if one.pk in (row.asked_in_id, row.reminded_in_id)] for one in mails]


class TestWhen:
    def test_from_the_14th_day_on_and_not_before(self, alice: User, duo: Product, wednesday: object) -> None:
        row = bought(alice, duo, 13)
        assert row.due_at == datetime(2026, 11, 19, 8, tzinfo=UTC)
        assert asking.sweep() == 0
        with on_day(1):
            assert (asking.sweep(), asking.sweep()) == (1, 0)
        assert asked(alice) == [["duo"]]

    @pytest.mark.parametrize(("days", "mails"), [(180, 1), (181, 0)])
    def test_to_the_180th_day(self, alice: User, duo: Product, wednesday: object, days: int, mails: int) -> None:
        row = bought(alice, duo, days)
        assert asking.sweep() == mails
        row.refresh_from_db()
        assert row.due_at is None or days + 7 <= 187
        with on_day(8):
            assert asking.sweep() == 0, "and no reminder after it either"
        assert not ReviewRequest.objects.filter(due_at__isnull=False).exists()

    def test_one_reminder_after_seven_days_and_no_second(self, alice: User, duo: Product, wednesday: object) -> None:
        bought(alice, duo, 20)
        for day, sent in ((0, 1), (6.9, 0), (7, 1), (8, 0), (15, 0), (40, 0)):
            with on_day(day):
                assert asking.sweep() == sent, day
        assert asked(alice) == [["duo"], ["duo"]]

    def test_a_younger_purchase_joins_up_to_the_21st_day(self, alice: User, duo: Product, wednesday: object) -> None:
        bought(alice, duo, 14)
        bought(alice, a_product("mill"), 9)  # ripe on the older one's 19th day
        bought(alice, a_product("scale"), 5)  # on its 23rd: too long to wait for
        assert asking.sweep() == 0
        with on_day(5):
            asking.sweep()
        assert asked(alice) == [["duo", "mill"]]

    def test_five_products_a_mail_and_five_mails_in_30_days(self, alice: User, wednesday: object) -> None:
        for number in range(7):
            bought(alice, a_product(f"thing{number}"), 30)
        assert (asking.sweep(), asking.sweep()) == (1, 0)
        with on_day(1):
            asking.sweep()
        assert [len(products) for products in asked(alice)] == [5, 2]
        RequestMail.objects.bulk_create(RequestMail(person=alice, at=clock.now()) for _n in range(3))
        with on_day(29):
            assert asking.sweep() == 0, "five are enough, reminders among them"
        with on_day(31):
            assert asking.sweep() == 1

    def test_the_numbers_are_the_managers(self, alice: User, duo: Product, wednesday: object) -> None:
        numbers = Numbers.load()
        numbers.review_request_after_days, numbers.review_requests = 3, False
        numbers.save()
        bought(alice, duo, 4)
        assert asking.sweep() == 0
        numbers.review_requests = True
        numbers.save()
        assert asking.sweep() == 1


class TestWhom:
    def test_nobody_without_a_day_of_purchase(self, alice: User, duo: Product) -> None:
        shelf.add_to_shelf(duo, by=alice)
        assert not ReviewRequest.objects.exists()
        shelf.change_on_shelf(duo, alice, version=None, bought_on=TODAY, serial="")
        assert ReviewRequest.objects.get().bought_on == TODAY
        shelf.change_on_shelf(duo, alice, version=None, bought_on=None, serial="")
        assert not ReviewRequest.objects.exists()

    def test_not_what_was_reviewed_or_is_gone(self, alice: User, bob: User, duo: Product, wednesday: object) -> None:
        a_confirmed_address(bob)
        row = bought(alice, duo, 20)
        a_review(alice, duo)
        row.refresh_from_db()
        assert (row.due_at, row.reviewed_at) == (None, clock.now())
        bought(bob, duo, 20)
        shelf.remove_from_shelf(duo, bob)
        assert asking.sweep() == 0

    def test_a_review_ends_the_reminder(self, alice: User, duo: Product, wednesday: object) -> None:
        bought(alice, duo, 20)
        asking.sweep()
        a_review(alice, duo)
        with on_day(8):
            assert asking.sweep() == 0

    def test_not_the_suspended_the_erased_the_staff_or_the_unconfirmed(
        self, alice: User, bob: User, dana: User, ravi: User, duo: Product, wednesday: object
    ) -> None:
        for person in (bob, dana):
            bought(person, duo, 20)
        a_confirmed_address(dana)
        bought(alice, duo, 20)
        accounts.suspend(alice, ravi, reason="Spam")
        assert asking.sweep() == 0
        assert ReviewRequest.objects.filter(due_at=clock.now() + asking.REST).count() == 3, "looked at again in a week"
        accounts.lift_suspension(alice, ravi)
        User.objects.filter(pk=bob.pk).update(standing=Standing.ERASED)
        with on_day(7):
            assert asking.sweep() == 1

    def test_an_imported_order_asks_members_and_keeps_no_address_of_others(
        self, alice: User, duo: Product, wednesday: object, tmp_path: Any
    ) -> None:
        table = tmp_path / "orders.csv"
        table.write_text(
            "order,email,product,bought_on\n1,alice@example.org,duo,2026-11-01\n2,nobody@example.org,duo,2026-11-01\n"
        )
        call_command("import_orders", str(table), "--source", "shop", verbosity=0)
        assert asking.sweep() == 1
        announce_due()
        outbox.deliver_due()
        assert [one.to for one in mail.outbox] == [["alice@example.org"]]


def the_mail(person: User) -> Any:
    asking.sweep()
    announce_due()
    mail.outbox.clear()
    outbox.deliver_due()
    return mail.outbox[0] if mail.outbox else None


class TestMail:
    def test_it_has_a_star_to_press_and_a_way_to_stop(
        self, alice: User, duo: Product, wednesday: object, client: Client
    ) -> None:
        bought(alice, duo, 21)
        sent = the_mail(alice)
        assert (sent.to, sent.subject) == (["alice@example.org"], "How is the Brindle Duo, after 3 weeks?")
        stars = re.findall(r"http\S+/reviews/asked/\S+\?stars=(\d)", sent.body)
        assert stars == ["1", "2", "3", "4", "5"]
        html = sent.alternatives[0][0]
        assert html.count("/reviews/asked/") == 5
        assert "kind=problem" in html
        stop = sent.extra_headers["List-Unsubscribe"].strip("<>")
        assert sent.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        path = stop[stop.index("/notifications/") :]
        assert "button" in client.get(path).content.decode()
        assert notices.wants_to_be_asked(alice), "a GET stops nothing"
        strict = Client(enforce_csrf_checks=True)
        assert strict.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
        assert not notices.wants_to_be_asked(alice)
        with on_day(7):
            assert the_mail(alice) is None, "no reminder"
        assert RequestMail.objects.count() == 1

    def test_it_speaks_the_persons_language(self, alice: User, duo: Product, wednesday: object) -> None:
        User.objects.filter(pk=alice.pk).update(language="de")
        bought(alice, duo, 21)
        assert 'lang="de"' in the_mail(alice).alternatives[0][0]

    def test_what_was_reviewed_meanwhile_is_not_sent(self, alice: User, duo: Product, wednesday: object) -> None:
        bought(alice, duo, 21)
        asking.sweep()
        announce_due()
        a_review(alice, duo)
        outbox.deliver_due()
        assert list(Delivery.objects.filter(kind="notice").values_list("state", flat=True)) == ["dropped"]

    def test_several_in_one(self, alice: User, duo: Product, wednesday: object) -> None:
        bought(alice, duo, 21)
        bought(alice, a_product("mill", name="Mill 54"), 20)
        sent = the_mail(alice)
        assert sent.subject == "How do you like them? Brindle Duo, Mill 54"
        assert sent.body.count("/reviews/asked/") == 10


class TestLink:
    @pytest.fixture
    def link(self, alice: User, duo: Product, wednesday: object) -> str:
        row = bought(alice, duo, 21)
        return f"/reviews/asked/{asking.token_for(row)}/"

    def test_a_get_shows_the_form_with_the_star_and_writes_nothing(
        self, link: str, client: Client, django_assert_max_num_queries: Any
    ) -> None:
        before = ReviewRequest.objects.values().get()
        with django_assert_max_num_queries(8) as queries:
            page = client.get(f"{link}?stars=4")
        assert not [q["sql"] for q in queries if not q["sql"].startswith("SELECT")]
        shown = page.content.decode()
        assert re.search(r'name="stars" value="4"[^>]*checked', shown)
        assert "Brindle Duo" in shown
        assert "alice" not in shown.lower()
        assert f'hx-post="{link}opened/?stars=4"' in shown
        assert page["Cache-Control"] == "private, no-store"
        assert ReviewRequest.objects.values().get() == before
        assert not re.search(r'name="stars"[^>]*checked', client.get(f"{link}?stars=9").content.decode())
        assert client.get("/reviews/asked/forged/").status_code == 404

    def test_the_form_says_that_it_was_opened(self, link: str, client: Client) -> None:
        strict = Client(enforce_csrf_checks=True)
        assert client.get(f"{link}opened/").status_code == 405
        for stars in (4, 1):
            assert strict.post(f"{link}opened/?stars={stars}").status_code == 204
        assert ReviewRequest.objects.get().opened_stars == 4, "the first time counts"

    def test_what_a_visitor_writes_waits_for_the_sign_in(self, link: str, client: Client, alice: User) -> None:
        page = client.get(f"{link}?stars=2").content.decode()
        started = re.search(r'name="started" value="([^"]+)"', page)
        assert started is not None
        words = {
            "stars": "2", "title": "It drips", "body": "It has dripped since the first week, and still does.",
            "disclosure": "bought", "started": started[1],
        }  # fmt: skip
        assert client.post(link, {**words, "title": ""}).status_code == 422
        with on_day(0.01):
            answer = client.post(link, words)
        assert answer["Location"] == "/accounts/login/?next=/reviews/write/duo/"
        assert not Review.objects.exists()
        client.force_login(alice)
        shown = client.get("/reviews/write/duo/").content.decode()
        assert "It has dripped since the first week" in shown
        assert re.search(r'name="stars" value="2"[^>]*checked', shown)
        assert not Review.objects.exists()

    def test_whoever_is_signed_in_goes_to_the_form(self, link: str, client: Client, alice: User, duo: Product) -> None:
        client.force_login(alice)
        answer = client.get(f"{link}?stars=5")
        assert answer["Location"].startswith("/reviews/write/duo/?asked=")
        shown = client.get(answer["Location"]).content.decode()
        assert re.search(r'name="stars" value="5"[^>]*checked', shown)
        assert f'hx-post="{link}opened/?stars=5"' in shown
        write_review(alice, duo, stars=5, title="Good", body="It does all that I wanted of it.")
        assert client.get(answer["Location"]).status_code == 302
        client.logout()
        used = client.get(f"{link}?stars=5", follow=True)
        assert used.redirect_chain[0][0] == "/accounts/login/?next=/reviews/write/duo/"
        assert "You have reviewed this already." in used.content.decode()


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_ask_once(alice: User, duo: Product) -> None:
    shelf.add_to_shelf(duo, by=alice, bought_on=clock.now().date() - timedelta(days=20))
    assert at_once([asking.sweep, asking.sweep]) == []
    assert RequestMail.objects.count() == 1


def test_a_sweep_costs_what_is_due(alice: User, wednesday: object, django_assert_num_queries: Any) -> None:
    for number in range(5):
        bought(alice, a_product(f"thing{number}"), 3)
    Numbers.load()
    with django_assert_num_queries(2):  # the numbers, and nobody is due
        assert asking.sweep() == 0


def test_staff_see_how_many_were_asked_opened_and_reviewed(
    client: Client, alice: User, dana: User, ravi: User, duo: Product, wednesday: object, enrol: Any
) -> None:
    row = bought(alice, duo, 20)
    bought(alice, a_product("mill", name="Mill 54"), 21)
    asking.sweep()
    asking.note_opened(row, 4)
    a_review(alice, duo)
    enrol(dana)
    client.force_login(dana)
    page = client.get("/admin/review-requests/").content.decode()
    figures = re.findall(r"<b>(\d+)</b>", page)
    assert figures == ["1", "2", "1", "1", "0"]
    assert "Mill 54" in page
    assert client.get("/admin/review-requests/?days=7").status_code == 404
    enrol(ravi)
    client.force_login(ravi)
    assert client.get("/admin/review-requests/").status_code == 403

import datetime

import pytest
from django.contrib.auth.models import AnonymousUser

from community.accounts.models import User
from community.core.errors import NotAllowed
from community.events.models import Event
from products import services
from products.models import Ownership, Product, Responsibility, Version


def events(kind: str) -> list[Event]:
    return list(Event.objects.filter(kind=kind))


def test_a_product_goes_on_the_shelf_once(alice: User, duo: Product) -> None:
    services.add_to_shelf(duo, alice)
    services.add_to_shelf(duo, alice)
    assert Ownership.objects.get(owner=alice).product == duo
    assert len(events("ownership.added")) == 1


def test_saying_more_about_it_keeps_what_was_said(alice: User, duo: Product) -> None:
    day = datetime.date(2026, 1, 5)
    services.add_to_shelf(duo, alice, bought_on=day)
    services.add_to_shelf(duo, alice, verified="order")
    row = Ownership.objects.get(owner=alice)
    assert (row.bought_on, row.verified) == (day, "order")
    assert [event.data["verified"] for event in events("ownership.added")] == ["", "order"]


def test_verified_stays_verified(alice: User, duo: Product) -> None:
    services.add_to_shelf(duo, alice, verified="order")
    services.add_to_shelf(duo, alice, verified="receipt")
    assert Ownership.objects.get(owner=alice).verified == "order"


def test_taking_it_off_twice_is_harmless(alice: User, duo: Product) -> None:
    services.add_to_shelf(duo, alice)
    services.remove_from_shelf(duo, alice)
    services.remove_from_shelf(duo, alice)
    assert not Ownership.objects.exists()
    assert len(events("ownership.removed")) == 1


def test_a_stranger_has_no_shelf(duo: Product, db: None) -> None:
    with pytest.raises(NotAllowed):
        services.add_to_shelf(duo, AnonymousUser())  # type: ignore[arg-type]


def test_a_product_is_saved_as_the_file_says(support: object) -> None:
    services.save_family({"slug": "espresso", "name": "Espresso"})
    data = {
        "slug": "duo",
        "name": "Duo",
        "family": "espresso",
        "lifecycle": {
            "state": "discontinued",
            "launched_days_ago": 10,
            "series": 2,
            "recall": {"title": "Lid", "what_to_do": ["Stop.", "Look."], "since_days_ago": 3},
        },
        "departments": {"faults": "support"},
    }
    product = services.save_product(data, today=datetime.date(2026, 11, 18))
    assert product.launched_on == datetime.date(2026, 11, 8)
    assert product.is_recalled and product.recall_steps == ["Stop.", "Look."]
    assert Version.objects.filter(product=product).count() == 2
    assert Responsibility.objects.get(product=product).subject == "faults"


def test_saving_again_writes_nothing_and_moves_no_day(support: object) -> None:
    services.save_family({"slug": "espresso", "name": "Espresso"})
    data = {"slug": "duo", "name": "Duo", "family": "espresso", "lifecycle": {"since_days_ago": 10}}
    first = services.save_product(data, today=datetime.date(2026, 11, 18))
    again = services.save_product(data, today=datetime.date(2026, 12, 18))
    assert first.launched_on == again.launched_on == datetime.date(2026, 11, 8)
    assert not services.keep(again, name="Duo")


def test_changing_a_product_is_recorded(alice: User, duo: Product) -> None:
    duo.lifecycle = Product.Lifecycle.RECALLED
    services.change_product(duo, by=alice)
    assert events("product.changed")[0].data["lifecycle"] == "recalled"

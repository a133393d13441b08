"""One engine, for `bench.insights`: fills the database that DATABASE_URL names, measures, prints JSON."""

import json
import random
import statistics
import time
from datetime import date, timedelta
from itertools import islice
from typing import Any

import django

django.setup()

from allauth.mfa.models import Authenticator  # noqa: E402
from django.contrib.contenttypes.models import ContentType  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django.urls import reverse  # noqa: E402

from community.accounts.models import Department, User  # noqa: E402
from community.accounts.services import join, set_role  # noqa: E402
from community.audit import reading  # noqa: E402
from community.core import clock  # noqa: E402
from community.events.models import Event, EventNote  # noqa: E402
from community.insights import report  # noqa: E402
from community.insights.metrics import DEFINITIONS  # noqa: E402
from community.insights.models import DailyFigure, Month  # noqa: E402
from products.models import Family, Product  # noqa: E402

from . import throwaway  # noqa: E402

DAYS, DEPARTMENTS, PRODUCTS, ACTS, TURNS = 730, 8, 20, 300_000, 15


def rows(departments: list[Department], products: list[Product], today: date) -> Any:
    dice = random.Random(7)
    for back in range(DAYS):
        day = today - timedelta(days=back)
        for department in departments:
            for product in dice.sample(products, 5):
                for figure, said in DEFINITIONS.items():
                    part = dice.choice(said.parts)[0] if said.parts else ""
                    yield DailyFigure(
                        day=day, figure=figure, part=part, value=0 if part else dice.choice((30, 60, 240, 1200)),
                        department=department, product=product, kind="problem", count=dice.randint(1, 9),
                    )  # fmt: skip


def fill() -> tuple[User, list[Department]]:
    call_command("migrate", verbosity=0, interactive=False)
    family = Family.objects.create(name="All", slug="all")
    products = [Product.objects.create(name=f"P {n}", slug=f"p-{n}", family=family) for n in range(PRODUCTS)]
    departments = [
        Department.objects.create(name=f"D {n}", slug=f"d-{n}", hours={"0": [["08:00", "17:00"]]})
        for n in range(DEPARTMENTS)
    ]
    today = clock.now().date()
    made = rows(departments, products, today)
    with transaction.atomic():
        while some := list(islice(made, 5000)):
            DailyFigure.objects.bulk_create(some, ignore_conflicts=True)
        first = today.replace(day=1)
        for _month in range(24):
            Month.objects.create(first=first, through=first, counted_at=clock.now())
            first = (first - timedelta(days=1)).replace(day=1)
    manager = join("manager", "Manager", email="m@example.org")
    set_role(manager, None, "community-manager")
    Authenticator.objects.create(user=manager, type=Authenticator.Type.TOTP, data={"secret": "JBSWY3DPEHPK3PXP"})
    person, now = ContentType.objects.get_for_model(User), clock.now()
    for start in range(0, ACTS, 5000):
        with transaction.atomic():
            events = Event.objects.bulk_create(
                Event(
                    kind="person.silenced" if n % 3 else "personal.viewed", actor=manager, subject_type=person,
                    subject_id=manager.pk, data={"what": "account"}, occurred_at=now - timedelta(minutes=ACTS - n),
                    act=True, whom=manager,
                )
                for n in range(start, start + 5000)
            )  # fmt: skip
            EventNote.objects.bulk_create(
                EventNote(event=one, text="Spam") for one in events if one.kind != "personal.viewed"
            )
    EventNote.objects.filter(event=events[0]).update(text="A rare word: quince")
    return User.objects.get(pk=manager.pk), departments


def timed(client: Client, address: str) -> float:
    assert client.get(address).status_code == 200, address  # noqa: S101
    took = []
    for _turn in range(TURNS):
        begun = time.perf_counter()
        client.get(address)
        took.append((time.perf_counter() - begun) * 1000)
    return statistics.quantiles(took, n=20)[-1]


def main() -> None:
    throwaway.say("Filling the database …")
    manager, departments = fill()
    client = Client(SERVER_NAME="localhost")
    client.force_login(manager)
    page, audit = reverse("insights:figures"), reverse("audit:audit")
    deep = Event.objects.acts().newest_first()[ACTS // 2]
    asked = [
        ("figures, all departments", page),
        ("figures, one department", f"{page}?department={departments[0].slug}"),
        ("audit, first page", audit),
        ("audit, page 3,000", f"{audit}?after={reading.cursor_of(deep)}"),
        ("audit, a word in 200,000 reasons", f"{audit}?q=quince"),
    ]
    own = []
    month = clock.now().date().replace(day=1)
    for department in (None, departments[0].pk):
        with CaptureQueriesContext(connection) as found:
            report.sections(report.Scope(department), month, list(DEFINITIONS))
        own.append(len(found))
    print(
        json.dumps(
            {
                "figures": DailyFigure.objects.count(),
                "acts": Event.objects.acts().count(),
                "pages": [(name, timed(client, address)) for name, address in asked],
                "own": own,
            }
        )
    )


if __name__ == "__main__":
    main()

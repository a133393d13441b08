"""`bench.desk` on the database that the environment names; prints JSON."""

import json
import os
import time
from datetime import timedelta
from typing import Any

from .badges_on import _copies, _first
from .clocks_on import _with_cases
from .speed_on import time_each
from .throwaway import ANSWERS, say

THREADS = int(os.environ.get("THREADS", 1_000_000))
ASKERS = 10_000
STAFF, OWNERS = 2, 18  # of a hundred cases: with staff, with owners; the others are settled


def load() -> tuple[Any, Any, Any]:
    """The case that is opened, an agent, and a lead."""
    from allauth.mfa.models import Authenticator

    from community.accounts.models import Department, User
    from community.accounts.services import join, set_role
    from community.core import clock
    from community.escalation import handoffs, promises, replies, services
    from community.escalation.models import Channel, Escalation, SavedReply
    from community.posts import services as posts
    from community.questions import services as questions
    from community.questions.models import Thread
    from products.models import Family, Product
    from products.services import add_to_shelf

    now = clock.now()
    hours = {str(day): [["08:00", "18:00"]] for day in range(7)}
    department = Department.objects.create(slug="support", name="Support", hours=hours)
    for number in range(5):
        Department.objects.create(slug=f"other-{number}", name=f"Department {number}", hours=hours)
    asker, helper, agent, lead, boss = (
        join(name, name.title(), email=f"{name}@example.org", trust=3)
        for name in ("asker", "helper", "agent", "lead", "boss")
    )
    set_role(agent, None, "agent", department)
    set_role(lead, None, "agent", department, lead=True)
    set_role(boss, None, "community-manager")
    for person in (agent, boss):
        secret = {"secret": "JBSWY3DPEHPK3PXP"}
        Authenticator.objects.create(user=person, type=Authenticator.Type.TOTP, data=secret)
    agent, lead, boss = (User.objects.get(pk=person.pk) for person in (agent, lead, boss))
    product = Product.objects.create(slug="mill", name="Mill", family=Family.objects.create(slug="mills", name="Mills"))
    add_to_shelf(product, asker)

    def one(kind: str, ago: float, **more: Any) -> Thread:
        with clock.travel(now - timedelta(hours=ago)):
            return questions.post_thread(
                asker, kind=kind, title=f"Why does the mill stop after {ago:g} hours, {kind}", product=product,
                body=f"It did not in May, and nothing has changed since for {ago:g} hours. Three beeps, then silence.",
                **more,
            )  # fmt: skip

    say("The case …")
    opened = one("problem", 30, private={"serial": "M54-0388", "phone": "030 1234"})
    with clock.travel(now - timedelta(hours=29)):
        for number in range(ANSWERS):
            by = join(f"person{number}", f"Person {number}", email=f"person{number}@example.org", trust=3)
            answer = questions.post_answer(opened, by, body=f"Brush it, and let it rest for {number + 10} minutes.")
            posts.comment(answer, helper, body=f"That took me {number + 12} minutes, and it holds since May.")
        services.acknowledge(opened, agent)
        services.pause(opened, agent, "workshop")
    with clock.travel(now - timedelta(hours=20)):
        services.resume(opened, agent)
        for number in range(5):
            services.add_note(opened, agent, f"Rang them {number + 1} times.")
        promises.make(opened, agent, text="A new board by Friday", due_at=now + timedelta(days=2))
        channel = handoffs.save_channel(Channel(slug="phone", name="a call back", kind="call"), boss)
        handoffs.hand_off(opened, agent, channel, note="After five.")
        for number in range(10):
            body = "Thank you, {first_name}. The part of your {product} is ours to mend."
            replies.save(SavedReply(slug=f"mend-{number}", title=f"Ours to mend {number}", body=body), boss)
    settled, owners, taken = one("question", 100), one("idea", 1), one("problem", 40)
    with clock.travel(now - timedelta(hours=90)):
        services.resolve(settled, agent, Escalation.Cause.NOTHING)
    with clock.travel(now - timedelta(hours=2)):
        services.assign(taken, agent, lead)
        services.acknowledge(taken, agent)
    say(f"{THREADS:,} threads with cases …")
    _copies(
        User, ASKERS, helper, username="'asker' || n", username_key="'asker' || n", email="'a' || n || '@example.org'",
        external_id="t.external_id",
    )  # fmt: skip
    someone = _first(User, helper)
    for thread, part in ((settled, 100 - STAFF - OWNERS), (owners, OWNERS), (taken, STAFF)):
        _with_cases(thread, THREADS * part // 100)
    with_words(someone)
    return opened, agent, boss


def with_words(someone: int) -> None:
    """Other askers and days for the copies, and due times that differ, as they would be."""
    from django.db import connection

    say("Askers, days and due times …")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE questions_thread SET author_id = %s + id %% %s, created_at = created_at - id %% 700 * interval "
            "'1 day', active_at = active_at - id %% 700 * interval '1 day', title = title || ' ' || id "
            "WHERE id > (SELECT min(id) + 3 FROM questions_thread)",
            [someone, ASKERS],
        )
        cursor.execute(
            "UPDATE escalation_escalation SET resolve_due_at = resolve_due_at + id % 9000 * interval '1 minute', "
            "next_due_at = next_due_at + id % 9000 * interval '1 minute' WHERE state = 'open'"
        )
        cursor.execute("VACUUM ANALYZE")


def measure() -> dict[str, Any]:
    import django

    django.setup()
    from django.core.management import call_command
    from django.test import Client
    from django.urls import reverse

    from community.escalation.models import Escalation
    from community.questions.models import Thread

    say("Making the database …")
    call_command("migrate", verbosity=0, interactive=False)
    call_command("createcachetable", verbosity=0)
    began = time.perf_counter()
    opened, agent, boss = load()
    made = time.perf_counter() - began
    say("Measuring …")
    clients = {}
    for person in (agent, boss):
        clients[person] = Client(SERVER_NAME="localhost")
        clients[person].force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    desk = reverse("escalation:desk")
    pages = {
        "a case": reverse("escalation:case", args=[opened.pk]),
        "the desk": desk,
        "what is late": f"{desk}?queue=late",
        "what is done": f"{desk}?queue=done",
        "numbers beside queues": reverse("escalation:counts"),
        "who is next": reverse("escalation:who"),
    }
    figures = {name: time_each(clients[agent].get, [path] * 30) for name, path in pages.items()}
    figures["the desk, all departments"] = time_each(clients[boss].get, [f"{desk}?department=all"] * 30)
    return {
        "threads": Thread.objects.count(), "open": Escalation.objects.open().count(),
        "staff": Escalation.objects.with_staff().count(), "made": made, "pages": figures,
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(measure()))

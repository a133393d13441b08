"""`bench.clocks` on the database that the environment names; prints JSON."""

import json
import os
import time
from datetime import datetime, timedelta
from typing import Any

from .badges_on import _copies
from .throwaway import say

THREADS = int(os.environ.get("THREADS", 1_000_000))
DUE = 1_000
OPEN = 20  # of a hundred


def _with_cases(thread: Any, number: int, **changed: str) -> None:
    """So many copies of a thread and of its case."""
    from django.db import connection

    from community.escalation.models import Escalation
    from community.questions.models import Thread

    last = Thread.objects.order_by("-pk").values_list("pk", flat=True)[0]
    _copies(Thread, number, thread, external_id="t.external_id")
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(id) - 1 FROM questions_thread WHERE id > %s", [last])
        first = cursor.fetchone()[0]
    _copies(Escalation, number, Escalation.objects.get(thread=thread), thread_id=f"({first} + n)", **changed)


def load(now: datetime, threads: int) -> None:
    """Settled cases, open ones that are due some day, and four kinds that are due now."""
    from community.accounts.models import User
    from community.accounts.services import join, set_role
    from community.core import clock
    from community.escalation import services
    from community.escalation.models import Escalation
    from community.questions import services as questions

    asker = User.objects.filter(username="asker").first() or join("asker", "Asker", email="asker@example.org")
    User.objects.filter(pk=asker.pk).update(trust=3)  # newcomers may post three times on their first day
    asker.refresh_from_db()
    agent = User.objects.get(username="agent") if User.objects.filter(username="agent").exists() else None
    if agent is None:
        from community.accounts.models import Department

        hours = {str(day): [["08:00", "18:00"]] for day in range(7)}
        department = Department.objects.create(slug="support", name="Support", hours=hours)
        agent = join("agent", "Agent", email="agent@example.org")
        set_role(agent, None, "agent", department, lead=True)
        boss = join("boss", "Boss", email="boss@example.org")
        set_role(boss, None, "community-manager")

    def one(kind: str, ago: float) -> Any:
        with clock.travel(now - timedelta(hours=ago)):
            return questions.post_thread(
                asker,
                kind=kind,
                title=f"Why does the water run slowly after {ago} hours, {kind} of {threads}",
                body=f"It did not in May, and nothing has changed since for {ago} hours. Said for {threads}, {kind}.",
            )

    waits = one("idea", 1)
    settled = one("problem", 100)
    with clock.travel(now - timedelta(hours=90)):
        services.resolve(settled, agent, Escalation.Cause.NOTHING)
    told = one("idea", 72.5)  # its department is told
    taken = one("problem", 100)  # late, and so its lead is told
    with clock.travel(now - timedelta(hours=99)):
        services.acknowledge(taken, agent)
    plain = one("question", 4.5)  # no advocate is there, so the department is told at once
    praised = one("praise", 24.5)
    for thread, number in ((settled, threads * (100 - OPEN) // 100), (waits, threads * OPEN // 100)):
        _with_cases(thread, number)
    for thread in (told, taken, plain, praised):
        _with_cases(thread, DUE // 4 - 1)


def measure() -> dict[str, Any]:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from community.core import clock
    from community.escalation.models import Escalation
    from community.escalation.sweep import sweep
    from community.questions.models import Thread

    say("Making the database …")
    call_command("migrate", verbosity=0, interactive=False)
    call_command("createcachetable", verbosity=0)
    now = clock.now()

    def run(moment: datetime) -> tuple[int, float, dict[str, int]]:
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        due = Escalation.objects.due(moment).count()
        began = time.perf_counter()
        fired = sweep(moment)
        return due, time.perf_counter() - began, dict(fired)

    found: dict[str, Any] = {}
    for name, threads in (("small", THREADS // 10), ("sweep", THREADS)):
        say(f"{threads:,} threads …")
        load(now, threads if name == "small" else threads - THREADS // 10)
        found["due"], found[name], found["fired"] = run(now)
    found["threads"], found["open"] = Thread.objects.count(), Escalation.objects.open().count()
    began = time.perf_counter()
    sweep(now)
    return {**found, "idle": time.perf_counter() - began}


if __name__ == "__main__":
    print(json.dumps(measure()))

"""`bench.clocks` on the database that the environment names; prints JSON."""

import json
import os
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from .badges_on import _copies
from .speed_on import _scheduled
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
    taken = one("problem", 101)  # late, and so its lead is told
    with clock.travel(now - timedelta(hours=100)):
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

    def load_and_sweep(threads: int) -> dict[str, Any]:
        say(f"{threads:,} threads …")
        load(now, threads)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        due = Escalation.objects.due(now).count()
        say("The sweep …")
        return {"due": due, **_timed(lambda: dict(sweep(now)))}

    small = load_and_sweep(THREADS // 10)
    large = load_and_sweep(THREADS - THREADS // 10)
    return {
        "threads": Thread.objects.count(), "open": Escalation.objects.open().count(),
        "small": small, "sweep": large, "idle": _timed(lambda: dict(sweep(now))),
    }  # fmt: skip


def _timed(do: Callable[[], dict[str, int]]) -> dict[str, Any]:
    """What it fired, and the seconds it took: by the clock, `alone` (docs/decisions/0184), of this process, of the
    database's; and its queries."""
    from django.db import connection

    counted = 0

    def count(execute: Any, *args: Any) -> Any:
        nonlocal counted
        counted += 1
        return execute(*args)

    connection.ensure_connection()
    server = getattr(getattr(connection.connection, "info", None), "backend_pid", 0)
    before = _scheduled("thread-self"), _scheduled(server)
    began, worked = time.perf_counter(), time.process_time()
    with connection.execute_wrapper(count):
        fired = do()
    taken, worked = time.perf_counter() - began, time.process_time() - worked
    after = _scheduled("thread-self"), _scheduled(server)
    waited = sum(later[1] - earlier[1] for earlier, later in zip(before, after, strict=True)) / 1000
    base = (after[1][0] - before[1][0]) / 1000
    # Both may wait at the same moment, so that more waiting is counted than went by: never less than the work itself.
    alone = max(taken - waited, worked + base)
    return {"fired": fired, "clock": taken, "alone": alone, "busy": worked, "base": base, "queries": counted}


if __name__ == "__main__":
    print(json.dumps(measure()))

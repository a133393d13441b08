"""`bench.speed` on the engine that the environment names; prints JSON."""

import itertools
import json
import random
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from .search import SEED, sample
from .throwaway import load, say
from .titles import titles

WARM = 10
SHORTEST = 10  # characters from which the ask form looks


def typed() -> list[str]:
    """100 titles of each kind of change, each at some moment of being typed."""
    chance = random.Random(SEED)
    return [
        changed[: chance.randint(SHORTEST, max(SHORTEST, len(changed)))] for _k, _t, changed in sample(titles(), 100)
    ]


def time_each(get: Callable[[Any], Any], asked: Iterable[Any]) -> dict[str, float]:
    """Milliseconds of half and of 95 % of these requests, of the processor's time for 95 %, and the most queries.

    `alone` are those of 95 % without the time that this process and the database's, on this machine, stood ready and
    waited for a processor that somebody else had, and never less than what both of them worked; `base` is the
    processor's time of the database's process.
    """
    from django.db import connection

    from community.core.memory import settle

    settle()  # as each process of the server does
    taken, busy, alone, base, queries = [], [], [], [], 0
    connection.ensure_connection()
    server = getattr(getattr(connection.connection, "info", None), "backend_pid", 0)
    for number, one in enumerate(asked):
        counted = 0

        def count(execute: Any, *args: Any) -> Any:
            nonlocal counted
            counted += 1
            return execute(*args)

        here, there = _scheduled("thread-self"), _scheduled(server)
        started, began = time.perf_counter(), time.process_time()
        with connection.execute_wrapper(count):
            answer = get(one)
        if answer.status_code != 200:
            raise SystemExit(f"{answer.status_code} for {one}")
        if number >= WARM:
            taken.append((time.perf_counter() - started) * 1000)
            busy.append((time.process_time() - began) * 1000)
            here_now, there_now = _scheduled("thread-self"), _scheduled(server)
            base.append(there_now[0] - there[0])
            # The two may wait at the same moment, which would be taken off twice.
            waited = (here_now[1] - here[1]) + (there_now[1] - there[1])
            alone.append(max(taken[-1] - waited, busy[-1] + base[-1]))
            queries = max(queries, counted)
    for figures in (taken, busy, alone, base):
        figures.sort()
    most = int(len(taken) * 0.95)
    return {
        "requests": len(taken),
        "p50": taken[len(taken) // 2],
        "p95": taken[most],
        "busy": busy[most],
        "alone": alone[most],
        "base": base[most],
        "queries": queries,
    }


def _scheduled(process: int | str) -> tuple[float, float]:
    """Milliseconds that a process ran, and that it waited for a processor: Linux counts both. Nothing is known of one
    on another machine."""
    try:
        ran, waited, _times = Path(f"/proc/{process}/schedstat").read_text().split()
    except (OSError, ValueError):
        return 0.0, 0.0
    return int(ran) / 1e6, int(waited) / 1e6


def addresses() -> Iterator[str]:
    """Of visitors who come one after the other; the rows of a limit are made at the first of some requests of each."""
    for number in itertools.count():
        yield from [f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"] * 10


def measure() -> dict[str, dict[str, float]]:
    from django.test import Client
    from django.urls import reverse

    from community.accounts.models import User
    from community.questions.models import Thread

    first = Thread.objects.order_by("pk").first()
    visitor, members = Client(SERVER_NAME="localhost"), []
    for user in User.objects.filter(username__startswith="person"):
        members.append(Client(SERVER_NAME="localhost"))
        members[-1].force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    # Each in turn, and each visitor from another address: limits are not what is measured.
    turn, address = itertools.cycle(members), addresses()

    def as_visitor(path: str, name: str = "") -> Callable[[Any], Any]:
        return lambda value: visitor.get(path, {name: value} if name else {}, REMOTE_ADDR=next(address))

    def as_member(path: str, name: str = "") -> Callable[[Any], Any]:
        return lambda value: next(turn).get(path, {name: value} if name else {})

    matches, results, lists = reverse("search:matches"), reverse("search:results"), reverse("questions:list")
    words = typed()
    phrases = [" ".join(title.split()[-3:]) for _k, title, _c in sample(titles(), 30)][:110]
    page = first.get_absolute_url()
    return {
        "live matches, visitor": time_each(as_visitor(matches, "title"), words),
        "live matches, member": time_each(as_member(matches, "title"), words),
        "thread with 20 answers, visitor": time_each(as_visitor(page), range(60)),
        "thread with 20 answers, member": time_each(as_member(page), range(60)),
        "list of questions, visitor": time_each(as_visitor(lists), range(60)),
        "list of questions, member": time_each(as_member(lists), range(60)),
        "search for three words": time_each(as_visitor(results, "q"), phrases),
        "search for “chicken”": time_each(as_visitor(results, "q"), ["chicken"] * 40),
    }


if __name__ == "__main__":
    load(titles())
    say("Measuring …")
    print(json.dumps(measure()))

"""`bench.ledger` on the engine that the environment names; prints JSON."""

import json
import os
import random
import threading
import time
from collections import Counter
from datetime import timedelta
from typing import Any

from .throwaway import say

ACTS = int(os.environ.get("ACTS", "10000"))
WRITERS = int(os.environ.get("WRITERS", "8"))
SEED = int(os.environ.get("SEED", "5"))


def one_after_another(wrapper: Any) -> None:
    """Writers on SQLite stand in a line for their transactions, and are woken.

    One transaction writes at a time there in any case. Who finds it taken asks again after a sleep of up to 100 ms, and
    eight who do so sleep for four fifths of the run. The acts mix as before: each is free to look, and to be overtaken,
    until its own transaction begins.
    """
    line, held = threading.Lock(), threading.local()
    begin, turn = wrapper._start_transaction_under_autocommit, wrapper.set_autocommit

    def leave() -> None:
        if getattr(held, "line", False):
            held.line = False
            line.release()

    def begins(self: Any) -> None:
        line.acquire()
        held.line = True
        try:
            begin(self)
        except BaseException:
            leave()
            raise

    def turns(self: Any, autocommit: bool, *args: Any, **options: Any) -> None:
        try:
            turn(self, autocommit, *args, **options)
        finally:
            if autocommit:
                leave()

    wrapper._start_transaction_under_autocommit, wrapper.set_autocommit = begins, turns


def prove() -> dict[str, Any]:
    """Let the writers loose and compare. What services refuse is no failure; an error of the database is."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from advocates import rebuild
    from advocates.models import ReputationEntry
    from community.core import clock

    from . import ledger_acts as acts

    if connection.vendor == "sqlite":
        from django.db.backends.sqlite3.base import DatabaseWrapper

        one_after_another(DatabaseWrapper)
    say("Making the database …")
    call_command("migrate", verbosity=0, interactive=False)
    call_command("createcachetable", verbosity=0)
    world = acts.new_world(40)
    start = clock.now() - timedelta(days=60)
    for number in range(40):
        acts.perform(acts.ask if number < 15 else acts.answer, world, number, start)
    done, failed, lock = Counter[str](), Counter[str](), threading.Lock()

    def write(writer: int) -> None:
        dice = random.Random(SEED * 1000 + writer)
        for number in range(ACTS // WRITERS):
            act = dice.choice(acts.ACTS)
            if act is acts.look_for_rings and dice.random() < 0.95:
                continue  # a nightly job, not every minute's
            at = start + timedelta(minutes=1 + number * 5)
            try:
                went = acts.perform(act, world, dice.randrange(2**30), at)
            except Exception as error:  # noqa: BLE001 - counted and told
                with lock:
                    failed[f"{act.__name__}: {type(error).__name__} {str(error)[:80]}"] += 1
                continue
            with lock:
                done[act.__name__ if went else "refused"] += 1
        connection.close()

    say(f"{ACTS:,} acts by {WRITERS} writers …")
    began = time.monotonic()
    writers = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    took = time.monotonic() - began
    say("Comparing with a rebuild …")
    report = rebuild.rebuild(write=False)
    return {
        "acts": sum(done.values()),
        "done": dict(done.most_common()),
        "failed": dict(failed),
        "seconds": round(took),
        "lines": ReputationEntry.objects.count(),
        "events": report.events,
        "differences": report.differences,
    }


if __name__ == "__main__":
    print(json.dumps(prove()))

"""Several people at the same moment, each with a database connection of their own."""

import threading
from collections.abc import Callable

from django.db import connections


def at_once(jobs: list[Callable[[], object]]) -> list[BaseException]:
    """Run all at the same moment; returns what went wrong. One that never ends is wrong, too."""
    start = threading.Barrier(len(jobs))
    problems: list[BaseException] = []

    def run(job: Callable[[], object]) -> None:
        try:
            start.wait(30)
            job()
        except BaseException as problem:  # noqa: BLE001 - handed to the test
            problems.append(problem)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[job], daemon=True) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        if thread.is_alive():
            problems.append(TimeoutError("One of them waits for ever."))
    return problems

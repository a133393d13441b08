"""Long work beside people who write: on SQLite one transaction writes at a time, and the others wait for it.

    while todo:
        turn = turns.Turn()
        with transaction.atomic():
            while todo and not turn.is_over:
                take(todo.popleft())
        turns.pause()

Who waits looks again every tenth of a second at most. Without a pause the next transaction of the same loop would have
begun by then, each time, until the waiting ends with "database is locked" after `timeout` seconds (settings/base.py).
On PostgreSQL rows are locked, not tables: there a turn is never over, and nothing pauses.
"""

import time

from django.db import connection

LONGEST = 0.5  # seconds of writing at a stretch: so long a visitor's post may take without seeming lost
PAUSE = 0.06  # more than half of what one who waits sleeps between two looks


class Turn:
    """A stretch of writing that began now."""

    def __init__(self) -> None:
        self.ends = time.monotonic() + LONGEST

    @property
    def is_over(self) -> bool:
        return connection.vendor == "sqlite" and time.monotonic() >= self.ends


def pause() -> None:
    """Between two transactions: let those write who wait. Does nothing inside of a transaction."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        time.sleep(PAUSE)

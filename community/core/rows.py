"""Holding a row while a decision is made on it."""

import random
import time
from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection, models, transaction

Row = TypeVar("Row", bound=models.Model)
P = ParamSpec("P")
T = TypeVar("T")


def locked(row: Row) -> Row:
    """The row as it is now, held until the transaction ends.

    Whoever writes a row that points here need not wait: two posts of one person would, each for the other, when both
    then look at the person. On SQLite the immediate transaction itself is the lock. Raises DoesNotExist when it has
    gone meanwhile.
    """
    model: type[Row] = row._meta.model  # type: ignore[assignment]  # `type()` of request.user is a lazy wrapper
    return model._base_manager.select_for_update(of=("self",), no_key=True).get(pk=row.pk)


def in_line(what: str, key: int) -> None:
    """Wait for whoever stands in the same line (`what` and an id), until the transaction ends.

    For two presses of one person at once, without holding the person's row: whoever gives them points or a badge
    meanwhile need not wait, nor wait in a circle (docs/decisions/0214). On SQLite the immediate transaction itself is
    the line.
    """
    if connection.vendor == "postgresql":
        number = int.from_bytes(sha256(f"{what}:{key}".encode()).digest()[:8], "big", signed=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


# PostgreSQL's words for "you two waited for each other" and "somebody else changed it first".
LOST_RACES = ("40P01", "40001")
TRIES = 5


def retried(service: Callable[P, T]) -> Callable[P, T]:
    """A service in one transaction that is told once more when the database ends it for the sake of another.

    Two who wait for each other's rows can't both go on: PostgreSQL ends one of them, and nothing of it is written.
    That one begins anew; nobody notices but the clock. Inside a transaction of somebody else's only the outermost can
    begin anew, so here it is a plain savepoint. Raises the last OperationalError after `TRIES` (five in a row is no
    accident). The service must not keep what it changed on its arguments before it failed, and what it is given to go
    through must be there twice: a list, no generator.
    """

    @wraps(service)
    def told(*args: P.args, **kwargs: P.kwargs) -> T:
        nested = transaction.get_connection().in_atomic_block
        for turn in range(1, TRIES + 1):
            try:
                with transaction.atomic():
                    return service(*args, **kwargs)
            except OperationalError as error:
                lost = getattr(error.__cause__, "sqlstate", "") in LOST_RACES
                if nested or not lost or turn == TRIES:
                    raise
                # Not both at the same moment again.
                time.sleep(random.uniform(0.01, 0.05) * turn)  # noqa: S311 - no secret hangs on it
        raise AssertionError("unreachable")

    return told

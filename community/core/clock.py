"""What time it is. Everybody asks here, nobody calls `timezone.now()`.

    clock.now()                       # an aware moment in UTC
    with clock.travel(wednesday):     # this block, and what it calls, lives on that Wednesday
        ...

Replays (demo, imports) and tests travel. The moment of `travel` belongs to the context it was set in: blocks
nest, async code started inside follows, and other requests of the same process notice nothing. A *thread* started
inside begins in the present, as threads start with an empty context: hand it over with
`contextvars.copy_context().run`.

`set_now` moves the whole process, all its threads, and is there for tests that drive a live server. A `travel`
wins over it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_here: ContextVar[datetime | None] = ContextVar("clock_here", default=None)
_everywhere: datetime | None = None


def now() -> datetime:
    """The moment, aware, in UTC."""
    return _here.get() or _everywhere or datetime.now(UTC)


@contextmanager
def travel(to: datetime) -> Iterator[datetime]:
    """Inside the block `now()` is `to`; time stands still until the next `travel`."""
    moment = _aware(to)
    token = _here.set(moment)
    try:
        yield moment
    finally:
        _here.reset(token)


def set_now(moment: datetime | None) -> None:
    """Stop the clock of this process at `moment`; None lets it run again. For tests."""
    global _everywhere
    _everywhere = None if moment is None else _aware(moment)


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("The clock needs an aware datetime: which zone is this in?")
    return moment.astimezone(UTC)

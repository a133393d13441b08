"""Recording what happened, and hearing of it (DESIGN.md, "The house").

A service calls `record()` inside its transaction. Listeners run at once, in the same transaction, so that
what they write is true exactly when the event is. Slow work is enqueued by them as rows or tasks.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction

from community.core import clock, gathering

from . import acting, acts
from .kinds import KINDS
from .models import Event, EventNote

Listener = Callable[[Event], None]

_listeners: dict[str, list[tuple[Listener, bool]]] = defaultdict(list)
_holders: dict[str, list[Listener]] = defaultdict(list)
_origin: ContextVar[str] = ContextVar("origin", default=Event.Origin.LIVE)


def listen(*kinds: str, live_only: bool = False) -> Callable[[Listener], Listener]:
    """Decorate a function `(event) -> None` to hear each event of `kinds`, in the recorder's transaction.

    `live_only` listeners stay silent during a replay (demo, imports): notices, mail, anything that leaves
    the house. Raises KeyError at import when a kind isn't in `kinds.KINDS`.
    """
    for kind in kinds:
        KINDS[kind]

    def register(listener: Listener) -> Listener:
        for kind in kinds:
            if all(known is not listener for known, _ in _listeners[kind]):
                _listeners[kind].append((listener, live_only))
        return listener

    return register


def hold_before(*kinds: str) -> Callable[[Listener], Listener]:
    """Decorate a function `(event) -> None` that locks whom each event of `kinds` concerns, before it has its number.

    Numbers are given out in the order in which they are asked for, and what an event finds is what stood when its rows
    were locked. Whoever asked for a number first and then waited for a row would find what an event with a higher
    number had changed, and nobody who reads the log could know (docs/decisions/0272).
    """
    for kind in kinds:
        KINDS[kind]

    def register(holder: Listener) -> Listener:
        for kind in kinds:
            if holder not in _holders[kind]:
                _holders[kind].append(holder)
        return holder

    return register


def listeners_of(kind: str) -> list[Listener]:
    return [listener for listener, _ in _listeners[kind]]


def record(
    kind: str,
    /,
    *,
    actor: AbstractBaseUser | None,
    subject: models.Model | None,
    note: str = "",
    changes: Any = None,
    **data: Any,
) -> Event:
    """Append one event and let everybody who listens act on it.

    `data` holds ids, numbers and enumerations, JSON only. `note` is the reason in words, `changes` how settings read
    before and after ({"field": [before, after]}); both are kept apart and can be erased. `subject` is None for what
    a command did. Where rows are gathered (`core.gathering`), the event is written and heard of with the others.
    Must run inside the transaction of the change: raises TransactionManagementError if not.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError(f"record({kind!r}) outside of a transaction")
    KINDS[kind]
    whom = acts.whom(subject, data)
    act = acts.is_act(kind, actor, whom, data)
    event = Event(
        kind=kind,
        actor=actor,
        subject_type=None if subject is None else ContentType.objects.get_for_model(subject),
        subject_id=None if subject is None else subject.pk,
        data=data,
        occurred_at=clock.now(),
        origin=_origin.get(),
        act=act,
        whom_id=whom if act else None,
    )
    # Listeners work on the very rows the service has in hand, not on stale copies.
    if subject is not None:
        event.subject = subject
    for hold in _holders[kind]:
        hold(event)
    gathering.put(event)
    if act:
        acting.note((event.subject_type_id, event.subject_id))
    if note or changes:
        gathering.put(EventNote(event=event, text=note, changes=changes or {}))
    if _listeners[kind]:
        gathering.after(partial(_tell, event))
    return event


def _tell(event: Event) -> None:
    for listener, live_only in _listeners[event.kind]:
        if not live_only or event.origin == Event.Origin.LIVE:
            listener(event)


def record_past(
    kind: str, people: type[AbstractBaseUser], /, happened: Iterable[tuple[int, datetime, dict[str, Any]]]
) -> None:
    """Append what long ago came to be, many at a time: id of the person (actor and subject), moment, data.

    Nobody is told of it: only kinds that live listeners alone hear can be recorded like this. Raises ValueError for
    others, TransactionManagementError outside of a transaction.
    """
    _unheard_at_once(kind)
    subject_type, origin = ContentType.objects.get_for_model(people).pk, _origin.get()
    rows = [
        Event(
            kind=kind,
            actor_id=pk,
            subject_type_id=subject_type,
            subject_id=pk,
            data=data,
            occurred_at=at,
            origin=origin,
        )
        for pk, at, data in happened
    ]
    Event.objects.bulk_create(rows, batch_size=1000)


def record_past_of(kind: str, people: type[AbstractBaseUser], /, happened: models.QuerySet[Any]) -> None:
    """As `record_past`, without reading what happened: `happened` has whom, at and data of each, as `values()`."""
    _unheard_at_once(kind)
    connection = transaction.get_connection()
    now = connection.ops.adapt_datetimefield_value(clock.now())
    subject_type = ContentType.objects.get_for_model(people).pk
    sql, params = happened.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {connection.ops.quote_name(Event._meta.db_table)} "  # noqa: S608
            "(kind, actor_id, subject_type_id, subject_id, data, occurred_at, recorded_at, origin, act) "
            f"SELECT %s, h.whom, %s, h.whom, h.data, h.at, %s, %s, %s FROM ({sql}) h",
            [kind, subject_type, now, _origin.get(), False, *params],
        )


def _unheard_at_once(kind: str) -> None:
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError(f"{kind!r} recorded as past outside of a transaction")
    KINDS[kind]
    if not all(live_only for _listener, live_only in _listeners[kind]):
        raise ValueError(f"{kind} is heard at once, so each has to be recorded by itself")


def looked_at(person: AbstractBaseUser, by: AbstractBaseUser, what: str, /, **data: Any) -> None:
    """Write down that staff saw personal data of somebody: `what` is private_details, email, shelf or application.

    One's own isn't looked at. Each look is an entry of its own.
    """
    if person.pk != by.pk:
        with transaction.atomic():
            record("personal.viewed", actor=by, subject=person, what=what, **data)


def record_run(command: str, **data: Any) -> None:
    """Write down that a command changed data: how many rows, of which source. Nobody is its actor."""
    with transaction.atomic():
        record("command.run", actor=None, subject=None, command=command, **data)


@contextmanager
def replay(origin: str, at: datetime | None = None) -> Iterator[None]:
    """Run services as if their things happened elsewhere or earlier (RULINGS 9).

    Reputation, badges, counters and clocks run; notices, mail and sweeps stay silent; `limited()` gates of
    pace and trust are open. `at` sets the clock for the block.
    """
    token = _origin.set(origin)
    try:
        if at is None:
            yield
        else:
            with clock.travel(at):
                yield
    finally:
        _origin.reset(token)


def is_replaying() -> bool:
    """True while a demo or an import is being told; gates of pace and trust let it through."""
    return _origin.get() != Event.Origin.LIVE

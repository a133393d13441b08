"""Rows that are written together: what one deed after the other leaves behind costs a query a table, not a query a row.

    with transaction.atomic(), gathering():
        for case in cases:
            ...                     # services call put(), keep(), after() and once() here, and need not know

Outside of such a block each of them acts at once. Inside, whoever reads what a deed before it wrote calls `write()`
first. An error leaves nothing written: the transaction around the block is undone by whoever began it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from django.db import models


@dataclass
class Gathered:
    new: dict[type[models.Model], list[models.Model]] = field(default_factory=dict)
    changed: dict[type[models.Model], dict[int, models.Model]] = field(default_factory=dict)
    then: list[Callable[[], object]] = field(default_factory=list)
    at_last: list[Callable[[], object]] = field(default_factory=list)


_now: ContextVar[Gathered | None] = ContextVar("gathering", default=None)


@contextmanager
def gathering() -> Iterator[None]:
    """Inside, rows wait for its end. Must be in a transaction; inside another such block it is part of that one."""
    if _now.get() is not None:
        yield
        return
    gathered = Gathered()
    token = _now.set(gathered)
    try:
        yield
        write()
        for do in gathered.at_last:
            do()
    finally:
        _now.reset(token)


def put(row: models.Model) -> None:
    """Insert a row. In a block it has its id when the block ends, or after `write()`; rows that name it get it, too."""
    gathered = _now.get()
    if gathered is None:
        row.save(force_insert=True)
    else:
        gathered.new.setdefault(type(row), []).append(row)


def keep(row: models.Model) -> None:
    """Save a row that exists and that the transaction holds."""
    gathered = _now.get()
    if gathered is None:
        row.save()
    else:
        gathered.changed.setdefault(type(row), {})[row.pk] = row


def after(do: Callable[[], object]) -> None:
    """Do it when the rows that were put before stand."""
    gathered = _now.get()
    if gathered is None:
        do()
    else:
        gathered.then.append(do)


def once(do: Callable[[], object]) -> None:
    """Do it, in a block at its end and a single time, however often it was asked for."""
    gathered = _now.get()
    if gathered is None:
        do()
    elif do not in gathered.at_last:
        gathered.at_last.append(do)


def write() -> None:
    """Write what has been gathered so far: changed rows, then new ones in the order in which their tables came up."""
    gathered = _now.get()
    if gathered is None:
        return
    while gathered.changed or gathered.new or gathered.then:
        changed, gathered.changed = gathered.changed, {}
        new, gathered.new = gathered.new, {}
        then, gathered.then = gathered.then, []
        for model, rows in changed.items():
            # All of them exist and are held: it is the quickest way to say "update these, each with its own values".
            names = [each.name for each in model._meta.concrete_fields if not each.primary_key]
            model._base_manager.bulk_create(
                rows.values(), update_conflicts=True, unique_fields=["pk"], update_fields=names
            )
        for model, added in new.items():
            model._base_manager.bulk_create(added)
        for do in then:
            do()

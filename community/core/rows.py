"""Holding a row while a decision is made on it."""

from typing import TypeVar

from django.db import models

Row = TypeVar("Row", bound=models.Model)


def locked(row: Row) -> Row:
    """The row as it is now, held until the transaction ends.

    Whoever writes a row that points here need not wait: two posts of one person would, each for the other, when both
    then look at the person. On SQLite the immediate transaction itself is the lock. Raises DoesNotExist when it has
    gone meanwhile.
    """
    model: type[Row] = row._meta.model  # type: ignore[assignment]  # `type()` of request.user is a lazy wrapper
    return model._base_manager.select_for_update(of=("self",), no_key=True).get(pk=row.pk)

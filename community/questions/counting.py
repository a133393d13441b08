"""How many there are of each choice, in one query that costs the same in a community of any size.

Each number is counted up to `MOST` and no further: a choice with many threads is found full after a few pages of its
index, one with few has an index of its own or is few (docs/decisions/0106).
"""

from collections.abc import Mapping
from typing import Any

from django.core.cache import cache
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

MOST = 999
KEPT = 60  # seconds for which an exact number beyond MOST is kept


def count_up_to(wanted: Mapping[str, QuerySet]) -> dict[str, int]:
    """How many rows each queryset has; `MOST + 1` means "more than MOST"."""
    found = dict.fromkeys(wanted, 0)
    columns: list[str] = []
    names: list[str] = []
    params: list[Any] = []
    for name, rows in wanted.items():
        try:
            sql, given = rows.order_by().values("pk")[: MOST + 1].query.sql_with_params()
        except EmptyResultSet:
            continue
        columns.append(f"(SELECT COUNT(*) FROM ({sql}) AS counted)")  # noqa: S608 - its values are parameters
        params += given
        names.append(name)
    if columns:
        with connection.cursor() as cursor:
            cursor.execute("SELECT " + ", ".join(columns), params)
            found.update(zip(names, cursor.fetchone(), strict=True))
    return found


def exact(key: str, rows: QuerySet, counted: int) -> int:
    """The number in full: what was counted, or, beyond MOST, what it was within the last minute."""
    if counted <= MOST:
        return counted
    name = f"counted:{key}"
    known: Any = cache.get(name)
    if known is None:
        known = rows.order_by().count()
        cache.set(name, known, KEPT)
    return int(known)

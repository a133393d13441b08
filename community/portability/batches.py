"""A piece of an import: one transaction, with everything that follows from it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import reset_queries, transaction

from advocates import totals
from community.core import turns
from community.events.log import replay


@contextmanager
def in_one(*, dry_run: bool, forget: Callable[[], None]) -> Iterator[None]:
    """Nothing is left of it in a dry run; `forget` drops what was remembered of rows that are gone then."""
    with transaction.atomic():
        with replay("import"), totals.later():
            yield
        if dry_run:
            transaction.set_rollback(True)
    if dry_run:
        forget()
    reset_queries()  # with DEBUG, Django remembers them
    turns.pause()

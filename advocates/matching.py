"""Who could answer this: advocates who know the product and have not been asked too often (FEATURES F)."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import transaction

from community.accounts.models import User
from community.core import clock
from community.core.models import Numbers
from community.events.log import is_replaying
from community.questions.models import Thread

from .models import Ask
from .ranking import Field

_field: ContextVar[Field | None] = ContextVar("field", default=None)


@contextmanager
def looked_up(threads: Sequence[Thread]) -> Iterator[None]:
    """Inside, whom to ask about these threads is found with the queries of one; who is asked counts for the next."""
    token = _field.set(Field(threads) if threads else None)
    try:
        yield
    finally:
        _field.reset(token)


def _looked_up(thread: Thread) -> Field | None:
    field = _field.get()
    return field if field is not None and thread.pk in field.asked else None


def matching_advocates(thread: Thread, limit: int | None = None) -> list[User]:
    """Whom to ask quietly about a thread: the first of `ranking.rank` who are here and under their weekly limit.

    They know its product; a thread without a product goes to those asked least of late. Never the asker, nobody who
    has answered or was asked about it before. `limit` is the number of the settings unless given.
    """
    field = _looked_up(thread) or Field([thread])
    limit = field.numbers.asked_at_most if limit is None else limit
    return [row.member.user for row in field.of(thread) if not row.out][:limit]


@transaction.atomic(savepoint=False)
def asked(thread: Thread, people: Iterable[User]) -> list[User]:
    """Note that people are asked about a thread. Returns those who were not before: twice is harmless.

    A question has so many places as the settings say (three); whoever comes later is not asked. The story of a demo
    or an import asks whom it asked. Two who ask at once get a place once: the database holds one row a place.
    """
    wanted = list({person.pk: person for person in people}.values())
    if not wanted:
        return []
    field = _looked_up(thread)
    rows = list(Ask.objects.filter(thread=thread).values_list("person", "place"))
    known, taken = {person for person, _place in rows}, {place for _person, place in rows if place}
    most = len(wanted) + len(taken) if is_replaying() else (field.numbers if field else Numbers.load()).asked_at_most
    free = [place for place in range(1, most + 1) if place not in taken]
    new = [person for person in wanted if person.pk not in known][: len(free)]
    Ask.objects.bulk_create(
        [
            Ask(person=person, thread=thread, at=clock.now(), place=place)
            for person, place in zip(new, free, strict=False)
        ],
        ignore_conflicts=True,
    )
    made = set(Ask.objects.filter(thread=thread, person__in=new).values_list("person", flat=True)) if new else set()
    if field is not None:
        field.note(thread, made)
    return [person for person in new if person.pk in made]

"""Who acts in this request, and what the log has of it so far."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from .acts import is_staff

About = tuple[int | None, int | None]  # content type, id


@dataclass
class Acting:
    """`who` is asked only when something has to be written down: pages for visitors cost no query."""

    who: Callable[[], Any]
    acts: list[About] = field(default_factory=list)
    only_looked: bool = False

    @property
    def staff(self) -> Any:
        """The person of the staff who acts, or None."""
        user = self.who()
        return user if is_staff(user) else None


_now: ContextVar[Acting | None] = ContextVar("acting", default=None)


def now() -> Acting | None:
    return _now.get()


def note(about: About) -> None:
    """An act was recorded."""
    if acting := _now.get():
        acting.acts.append(about)


def only_looked() -> None:
    """Said by a screen that answers a form and changed nothing worth an entry: a preview, a sign of life."""
    if acting := _now.get():
        acting.only_looked = True


@contextmanager
def by(who: Callable[[], Any]) -> Iterator[Acting]:
    """Inside, changes of watched rows are those of `who()`."""
    acting = Acting(who)
    token = _now.set(acting)
    try:
        yield acting
    finally:
        _now.reset(token)

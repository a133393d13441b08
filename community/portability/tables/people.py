"""Who wrote the rows: a name, and nothing else. They can't sign in until they claim the account (decision 0085)."""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime

from community.accounts.models import User
from community.accounts.services import join, stands_for
from community.core import text
from community.events.log import replay
from community.portability.usernames import free_username

REMEMBERED = 2_000  # more than a batch has rows


def key_of(person: str, name: str, row_key: str) -> str:
    """How somebody is known there: by an id, by the name alone, or, without either, by what they wrote."""
    if person:
        return person if len(person) <= 80 else f"id:{hashlib.sha256(person.encode()).hexdigest()}"
    if name:
        return f"name:{name}" if len(name) <= 70 else f"name:{hashlib.sha256(name.encode()).hexdigest()}"
    return f"row:{row_key}"[:80]


class People:
    """Finds or makes the person behind a row. Keeps the last ones in mind, never all."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._known: OrderedDict[str, User] = OrderedDict()

    def forget(self) -> None:
        """After a rollback: who was made is not there."""
        self._known.clear()

    def look_up(self, keys: Iterable[str]) -> None:
        """Fetch those of a batch in one query."""
        wanted = set()
        for key in keys:
            if key in self._known:
                self._known.move_to_end(key)  # nobody of this batch is forgotten in the middle of it
            else:
                wanted.add(key)
        for person in User.objects.filter(source=self.source, external_id__in=wanted):
            self._keep(person.external_id, stands_for(person))

    def of(self, key: str, name: str, joined: datetime) -> tuple[User, bool]:
        """The person, and whether they are new here. Call `look_up` before: who isn't known then is made."""
        person = self._known.get(key)
        if person is not None:
            return person, False
        shown = text.clean_line(name)[:80] or f"A customer of {self.source}"[:80]
        with replay("import", joined):
            person = join(free_username(shown, key), shown, source=self.source, external_id=key)
        self._keep(key, person)
        return person, True

    def _keep(self, key: str, person: User) -> None:
        self._known[key] = person
        self._known.move_to_end(key)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

"""The people of a dump: whoever wrote something that is taken over, with a name, a date and an address there.

Nothing else about them comes along: no text about themselves, no place, no site, no picture (docs/decisions/0085).
They have neither e-mail address nor password, so nobody can sign in as them until they claim their account.
"""

import hashlib
import sqlite3
from collections import OrderedDict
from datetime import datetime

from community.accounts.models import Standing, User
from community.accounts.services import edit_profile, join, stands_for
from community.core import clock, text
from community.events.log import replay
from community.portability.tally import Tally
from community.portability.usernames import free_username

from .staging import Staging

COMMUNITY = -1  # the system account of every site
REMEMBERED = 1_000


class People:
    """Finds or makes the person behind an id or a name of the site. Keeps the last ones in mind, never all."""

    def __init__(self, staging: Staging, site: str) -> None:
        self.staging, self.site = staging, site
        self._known: OrderedDict[str, User] = OrderedDict()
        self.seen = 0  # how many of the site's accounts are of use

    def forget(self) -> None:
        """After a rollback: who was made is not there."""
        self._known.clear()

    def of(self, user_id: int | None, name: str = "") -> User:
        """The person with this id there; or, when the account is gone, who bears the name that was left."""
        return self._person(*self._who(user_id, name))

    def maybe(self, user_id: int | None, name: str = "") -> User | None:
        return self.of(user_id, name) if user_id is not None or name else None

    def if_here(self, user_id: int) -> User | None:
        """The person with this id there, when they are here for something they wrote, now or in an earlier dump."""
        if self.staging.is_author(user_id):
            return self.of(user_id)
        return User.objects.filter(source=self.site, external_id=user_id).first()

    def new_or_renamed(self, authors: list[sqlite3.Row]) -> list[sqlite3.Row]:
        """Those of some authors who are not here yet, or bear another name now."""
        who = [self._who(row["owner"], row["owner_name"]) for row in authors]
        self.seen += sum(_is_account(key) for key, _name in who)
        found = User.objects.filter(source=self.site, external_id__in={key for key, _name in who})
        here = {person.external_id: person for person in found}
        return [
            row
            for row, (key, name) in zip(authors, who, strict=True)
            if key not in here or (follows(here[key], self.site) and here[key].name != name)
        ]

    def take(self, user_id: int | None, name: str, first: datetime, tally: Tally) -> None:
        """Make somebody, or follow a change of their name."""
        key, shown = self._who(user_id, name)
        person = self._find(key)
        if person is None:
            with clock.travel(first):
                self._person(key, shown)
            tally.add("people")
            return
        self._keep(key, person)
        if follows(person, self.site) and person.name != shown:
            edit_profile(person, name=shown, about=person.profile.about, city=person.city)
            tally.add("people", "changed")

    def _who(self, user_id: int | None, name: str) -> tuple[str, str]:
        """External id and name of somebody."""
        row = self.staging.user(user_id) if user_id is not None else None
        if row is not None:
            shown = text.clean_line(row["name"])[:80] or f"user{user_id}"
            return str(user_id), f"{shown} ({self.site})"[:80] if user_id == COMMUNITY else shown
        shown = text.clean_line(name)[:80]
        if shown:
            return f"name:{shown}" if len(shown) <= 70 else f"name:{hashlib.sha256(shown.encode()).hexdigest()}", shown
        return "former", f"Former member of {self.site}"[:80]

    def _person(self, key: str, name: str) -> User:
        person = self._known.get(key) or self._find(key)
        if person is None:
            person = self._make(key, name)
        self._keep(key, person)
        return person

    def _find(self, key: str) -> User | None:
        person = User.objects.filter(source=self.site, external_id=key).first()
        return None if person is None else stands_for(person)

    def _keep(self, key: str, person: User) -> None:
        self._known[key] = person
        self._known.move_to_end(key)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    def _make(self, key: str, name: str) -> User:
        has_page = _is_account(key)
        row = self.staging.user(int(key)) if has_page else None
        joined = datetime.fromisoformat(row["created"]) if row is not None else clock.now()
        with replay("import", joined):
            return join(
                free_username(name, key), name, source=self.site, external_id=key,
                source_url=f"https://{self.site}/users/{key}" if has_page else "",
            )  # fmt: skip


def _is_account(key: str) -> bool:
    return key.lstrip("-").isdigit()


def follows(person: User, site: str) -> bool:
    """Whether somebody still is who they are there: not after they took the account over, were erased, or had it joined
    to one of their own."""
    return person.source == site and person.claimed_at is None and person.standing != Standing.ERASED

"""What moderators do."""

from __future__ import annotations

from collections.abc import Sequence

from allauth.account.models import EmailAddress

from community.accounts import services as accounts
from community.accounts.models import Standing, User
from community.events.log import record
from community.moderation import penalties
from community.moderation import services as moderation
from community.moderation.models import Flag, PenaltyAppeal
from community.questions import services as questions

from ..rows import Row
from .ground import Rows


class Moderation(Rows):
    def flag(self, key: str, row: Row) -> Flag:
        return moderation.flag(
            self.row(key), self.person(row["by"]), reason=row["reason"].replace(" ", "_"), note=row.get("note", "")
        )

    def decide(self, key: str, by: str, uphold: bool) -> None:
        moderation.decide_flag(self.row(key), self.person(by), uphold=uphold)

    def hide(self, key: str, row: Row) -> None:
        moderation.hide(self.row(key), self.person(row["by"]), reason=row.get("note") or row["reason"])

    def move_comment(self, key: str, said: str, action: Row) -> None:
        questions.move_posts(
            self.row(key), self.row(f"thread:{action['into']}"), self.person(action["by"]), comments=[self.row(said)],
            reason=action["note"],
        )  # fmt: skip

    def split(self, key: str, said: str, along: Sequence[str], action: Row) -> None:
        thread = self.row(key)
        questions.split_thread(
            thread, self.person(action["by"]), question=self.row(said), answers=[self.row(one) for one in along],
            title=action["title"], kind=action["kind"], product=thread.product, tags=action.get("tags", []),
            reason=action["note"],
        )  # fmt: skip
        for one in (said, *along):
            self._rows.pop(one, None)  # it is elsewhere now

    def warn(self, name: str, action: Row) -> None:
        accounts.warn(self.person(name), self.person(action["by"]), reason=action["note"])

    def silence(self, name: str, action: Row) -> None:
        accounts.silence(self.person(name), self.person(action["by"]), hours=action["hours"], reason=action["reason"])
        self._people.pop(name)

    def appeal(self, name: str, action: Row) -> None:
        person = self.person(name)
        penalties.appeal_penalty(person.penalties.latest("at"), person, action["note"])

    def decide_appeal(self, name: str, row: Row) -> None:
        waits = PenaltyAppeal.objects.filter(author__username=name, granted=None).latest("created_at")
        penalties.decide_penalty_appeal(waits, self.person(row["by"]), granted=row["granted"], answer=row["note"])

    def close_account(self, name: str, action: Row) -> None:
        accounts.suspend(self.person(name), self.person(action["by"]), reason=action["reason"])
        User.objects.filter(username=name).update(standing=Standing.ERASED, name="former member")
        EmailAddress.objects.filter(user__username=name).delete()
        left = User.objects.get(username=name)
        record("person.erased", actor=left, subject=left, words="stay")
        self._people.pop(name)

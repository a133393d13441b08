"""A fact, the story that gathers facts, and the dice that say when what the files leave open happened."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ..models import Told
from ..rows import Content, Row
from ..world import World

Act = Callable[[World], Any]


@dataclass(slots=True)
class Fact:
    """One thing that happened."""

    at: datetime
    key: str
    where: str
    act: Act
    who: tuple[str, ...] = ()
    thread: str = ""  # the thread whose clocks must have run up to this moment
    digest: str = ""

    @property
    def kind(self) -> str:
        return self.key.partition(":")[0]


def rng(*names: object) -> random.Random:
    """The same dice for the same names, on every machine."""
    return random.Random(":".join(str(name) for name in names))  # noqa: S311  (a story, not a secret)


def digest(*said: Any) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


@dataclass
class Story:
    """What the files say, when they are told, and the facts made of them; `told` are the facts told before."""

    content: Content
    now: datetime
    told: Mapping[str, Told] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)

    def ago(self, days: float) -> datetime:
        return self.now - timedelta(days=days)

    def base(self, key: str, days_ago: float) -> datetime:
        """When a thing happened: as it was told, or so many days ago."""
        known = self.told.get(key)
        return known.at if known else self.ago(days_ago)

    def add(self, at: datetime, key: str, row: Row, act: Act, *, who: Iterable[str] = (), thread: str = "") -> None:
        self.facts.append(Fact(at, key, row.where, act, tuple(who), thread))

    def somewhen(self, start: datetime, *names: object, days: float = 12) -> datetime:
        """Some moment after `start`: soon more often than late."""
        longest = min(timedelta(days=days), (self.now - start) * 0.95)
        return start + timedelta(minutes=5) + longest * rng(*names).random() ** 2

    def moments(self, start: datetime, count: int, *names: object) -> list[datetime]:
        """So many moments between `start` and now, in order; the first weeks are the busiest."""
        dice, span = rng(*names), self.now - start
        return sorted(start + span * (0.002 + 0.99 * dice.random() ** 1.6) for _ in range(count))

    def tally(
        self, start: datetime, yes: int, no: int, name: str, row: Row,
        act: Callable[[World, int, int, Sequence[datetime]], Any], thread: str = "",
    ) -> None:  # fmt: skip
        """A count of people who are not here, told in a few portions over the time it took."""
        said_yes = self.moments(start, yes, name, "yes")
        said_no = self.moments(start, no, name, "no")
        everything = sorted([*said_yes, *said_no])
        portions = min(6, len(everything))
        for portion in range(1, portions + 1):
            until = everything[len(everything) * portion // portions - 1]
            ups, downs = [at for at in said_yes if at <= until], [at for at in said_no if at <= until]

            def tell(world: World, ups: list[datetime] = ups, downs: list[datetime] = downs) -> Any:
                return act(world, len(ups), len(downs), [*ups, *downs])

            self.add(until, f"{name}:{len(ups)}-{len(downs)}", row, tell)

    def some_people(self, count: int, but: Iterable[str], *names: object) -> list[str]:
        """So many of the cast, never those in `but`."""
        out = set(but)
        cast = [
            row["username"]
            for row in self.content.people
            if row["username"] not in out and not row.get("role", "member").startswith(("staff", "erased"))
        ]
        return rng(*names).sample(cast, min(count, len(cast)))

    def named(self, given: Any, but: Iterable[str], *names: object) -> list[str]:
        return list(given or []) if not isinstance(given, int) else self.some_people(given, but, *names)


def reports(story: Story, row: Row, key: str, at: datetime) -> None:
    """Flags that nobody has decided about: the moderators find them in their queue."""
    for flag in row.get("flags") or []:
        story.add(
            at + timedelta(days=flag["days_after"]), f"flag:{key}:{flag['by']}", flag,
            lambda world, key=key, flag=flag: world.flag(key, flag), who=[flag["by"]],
        )  # fmt: skip

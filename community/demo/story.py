"""From what the files say to what happened when: one timeline of facts.

A fact has a moment, a key that names it for ever, and a function that makes it so. Days count back from the moment of
the first telling; what belongs to a thing that has been told already counts from there, so that a later release of the
files adds to a story and doesn't shift it.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from .models import Told
from .rows import Content, Row
from .world import World

Act = Callable[[World], Any]
LETTERS = 3  # months with letters
THINKS = timedelta(minutes=55)  # until somebody who was asked passes
THANKFUL = 0.4  # of those an advocate helped
OPEN_BEFORE = timedelta(days=45)  # the house is set up before the first guest


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
    """All that the files tell, as facts in order of time; `told` are the facts told before."""

    content: Content
    now: datetime
    told: Mapping[str, Told] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)

    def timeline(self) -> list[Fact]:
        """Every fact up to now, in order. What lies ahead is told by a later run."""
        self._reviews()
        self._threads()
        self._recipes()
        self._tips()
        self._articles()
        self._programme()
        self._incidents()
        self._releases()
        self._desk()
        opened = self._opened()
        self._people(opened)
        self._shelves(opened)
        house = self._house(opened)
        facts = [*house, *sorted(self.facts, key=lambda fact: fact.at)]
        facts.sort(key=lambda fact: fact.at)
        return [fact for fact in facts if fact.at <= self.now]

    # Helpers

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

    # The house

    def _opened(self) -> datetime:
        if known := self.told.get("house:brand"):
            return known.at
        return min((fact.at for fact in self.facts), default=self.now) - OPEN_BEFORE

    def _house(self, opened: datetime) -> list[Fact]:
        """What must be there first. Told again when the words of the files change, and then as of now."""
        content, facts = self.content, list[Fact]()

        def put(key: str, said: Any, act: Act, where: str) -> None:
            known, mark = self.told.get(f"house:{key}"), digest(said)
            at = self.now if known and known.digest != mark else opened
            facts.append(Fact(at, f"house:{key}", where, act, digest=mark))

        put("brand", content.brand, lambda world: world.set_brand(content.brand), "brand.yaml:1")
        for row in content.brand["departments"]:
            more = content.policies.get("departments", {}).get(row["slug"], {})
            holidays = content.policies.get("holidays", {}).get(row["slug"], [])
            put(
                f"department:{row['slug']}", [row, more, holidays],
                lambda world, row=row, more=more, holidays=holidays: world.set_department(row, more, holidays),
                row.where,
            )  # fmt: skip
        put("ranks", content.ranks, lambda world: world.set_ranks(content.ranks), "ranks.yaml:1")
        for place, row in enumerate(content.badges):
            put(
                f"badge:{row['slug']}", [row, place],
                lambda world, row=row, place=place: world.set_badge(row, place), row.where,
            )  # fmt: skip
        for place, row in enumerate(content.products["families"]):
            put(
                f"family:{row['slug']}", [row, place],
                lambda world, row=row, place=place: world.set_family(row, place), row.where,
            )  # fmt: skip
        for place, row in enumerate(content.products.get("shops", [])):
            put(
                f"shop:{row['slug']}", [row, place],
                lambda world, row=row, place=place: world.set_shop(row, place), row.where,
            )  # fmt: skip
        for place, row in enumerate(content.products["products"]):
            put(
                f"product:{row['slug']}", [row, place],
                lambda world, row=row, place=place: world.set_product(row, place, self.now.date()), row.where,
            )  # fmt: skip
        for row in content.topics:
            put(f"topic:{row['slug']}", row, lambda world, row=row: world.set_topic(row), row.where)
        for place, row in enumerate(content.policies["policies"]):
            put(
                f"policy:{row['slug']}", [row, place],
                lambda world, row=row, place=place: world.set_policy(row, place), row.where,
            )  # fmt: skip
        for place, row in enumerate(content.replies):
            put(
                f"reply:{row['slug']}", [row, place],
                lambda world, row=row, place=place: world.set_reply(row, place), row.where,
            )  # fmt: skip
        for row in content.channels:
            put(f"channel:{row['slug']}", row, lambda world, row=row: world.set_channel(row), row.where)
        put("insights", content.insights, lambda world: world.set_insights(content.insights), "insights.yaml:1")
        home = content.pages["home"]
        put(
            "home", [home, content.release_notes], lambda world: world.set_home(home, content.release_notes), home.where
        )
        for row in content.pages.get("pages", []):
            put(f"page:{row['slug']}", row, lambda world, row=row: world.set_page(row), row.where)
        return facts

    # People

    def _people(self, opened: datetime) -> None:
        first: dict[str, datetime] = {}
        for fact in self.facts:
            for name in fact.who:
                first[name] = min(first.get(name, fact.at), fact.at)
        reviews = {(row["author"], row["product"]): row for row in self.content.reviews}
        for row in self.content.people:
            name, role = row["username"], row.get("role", "member")
            dice = rng("joined", name)
            if role.startswith("staff"):
                joined = opened + timedelta(days=1)
            else:
                joined = max(
                    opened + timedelta(days=2), first.get(name, self.ago(90)) - timedelta(days=dice.uniform(2, 35))
                )
            joined = min(joined, first.get(name, joined) - timedelta(minutes=10))
            joined = self.told[f"person:{name}"].at if f"person:{name}" in self.told else joined
            self.add(joined, f"person:{name}", row, lambda world, row=row: world.join(row))
            owned = set(row.get("owns", []))
            owned |= {slug for who, slug in reviews if who == name and reviews[who, slug]["verified"] != "none"}
            for slug in sorted(owned):
                review = reviews.get((name, slug))
                self.add(
                    joined + timedelta(minutes=5), f"shelf:{name}:{slug}", row,
                    lambda world, name=name, slug=slug, review=review: world.own(name, slug, review),
                )  # fmt: skip

    def _shelves(self, opened: datetime) -> None:
        """What the shop and the owners say of things, and what owners are told: nothing before the house is open."""
        soonest = opened + timedelta(days=2)

        def when(key: str, row: Row) -> datetime:
            return max(soonest, self.base(key, row["days_ago"]))

        shelf = self.content.shelf
        for row in shelf.get("orders", []):
            key = f"order:{row['order']}"
            self.add(when(key, row), key, row, lambda world, row=row: world.order(row))
        for row in shelf.get("codes", []):
            key = f"codes:{row['note']}"
            self.add(when(key, row), key, row, lambda world, row=row: world.print_codes(row))
        for row in shelf.get("recalls", []):
            key = f"recall:{row['product']}"
            self.add(when(key, row), key, row, lambda world, row=row: world.recall(row))
        for row in shelf.get("known_issues", []):
            key = f"known_issue:{row['title']}"
            self.add(when(key, row), key, row, lambda world, row=row: world.know_issue(row))
        for row in shelf.get("units", []):
            key = f"unit:{row['person']}:{row['product']}"
            self.add(self.base(key, 0), key, row, lambda world, row=row: world.describe(row))
        for name in shelf.get("asked", []):
            key = f"asked:{name}"
            self.add(self.base(key, 0), key, shelf, lambda world, name=name: world.plan_to_ask(name))

    def _programme(self) -> None:
        """Advocates: since when, for what, with which ties; who is away, who would like to be one."""
        for row in self.content.people:
            role, name = row.get("role", ""), row["username"]
            if not role.startswith("advocate"):
                continue
            since = self.base(f"advocate:{name}", row.get("advocate_days_ago", 365))
            self.add(since, f"advocate:{name}", row, lambda world, row=row: world.advocate(row), who=[name])
            for tie in row.get("interests", []):
                at = max(since, self.ago(tie["days_ago"])) if f"advocate:{name}" not in self.told else since
                self.add(
                    at, f"tie:{name}:{tie['line'][:60]}", row,
                    lambda world, name=name, tie=tie: world.declare(name, tie), who=[name],
                )  # fmt: skip
            if away := row.get("away"):
                at = self.base(f"away:{name}", away["days_ago"])
                back = self.now + timedelta(days=away["back_in_days"])
                self.add(
                    at, f"away:{name}", row,
                    lambda world, name=name, away=away, back=back: world.go_away(
                        name, back, away.get("note", ""), away.get("stand_in", "")
                    ),
                    who=[name],
                )  # fmt: skip

        self._ways_in()
        self._ring()
        self._letters_and_thanks()

    def _desk(self) -> None:
        """Agents: when they work, who is away and who stands in, the filters they keep."""
        for row in self.content.people:
            name = row["username"]
            if not row.get("role", "").startswith("staff:"):
                continue
            if works := row.get("works"):
                at = self.base(f"works:{name}", 60)
                self.add(
                    at, f"works:{name}", row, lambda world, name=name, works=works: world.work(name, works), who=[name]
                )  # fmt: skip
            if away := row.get("away"):
                at = self.base(f"off:{name}", away["days_ago"])
                back = self.now + timedelta(days=away["back_in_days"])
                self.add(
                    at, f"off:{name}", row,
                    lambda world, name=name, away=away, back=back: world.be_off(name, back, away.get("stand_in", "")),
                    who=[name, *filter(None, [away.get("stand_in")])],
                )  # fmt: skip
            for kept in row.get("filters", []):
                at = self.base(f"filter:{name}:{kept['name']}", kept["days_ago"])
                self.add(
                    at, f"filter:{name}:{kept['name']}", row,
                    lambda world, name=name, kept=kept: world.keep_filter(name, kept), who=[name],
                )  # fmt: skip

    def _incidents(self) -> None:
        """Known faults: gathered threads, lines for everybody, what solved it; each after what it builds on."""
        begun, recalls = {fact.key: fact.at for fact in self.facts}, self.content.shelf.get("recalls", [])
        for row in self.content.incidents:
            slug, opened, banner = row["slug"], row["opened"], row["banner"]
            key, lead = f"incident:{slug}", f"thread:{row['lead_thread']}"
            soonest = begun[lead]
            if row["kind"] == "recall":
                told = [one["days_ago"] for one in recalls if one["product"] in row["products"]]
                soonest = max([soonest, *(self.base(f"recall:{row['products'][0]}", days) for days in told)])
            start = max(self.base(key, opened["days_ago"]), soonest + timedelta(minutes=1))

            def when(days_ago: float, name: str, start: datetime = start) -> datetime:
                return max(self.base(name, days_ago), start)

            self.add(
                start, key, row,
                lambda world, row=row, banner=banner: world.open_incident(row, banner), who=[opened["by"]],
            )  # fmt: skip
            for place, line in enumerate(row.get("timeline", [])):
                name = f"incident-line:{slug}:{place}"
                at = when(line["days_ago"], name) + timedelta(seconds=place + 1)
                self.add(at, name, row, lambda world, key=key, line=line: world.say(key, line), who=[line["by"]])
            for one in row["threads"]:
                name = f"incident-thread:{one['slug']}"
                at = max(when(one["days_ago"], name), begun[f"thread:{one['slug']}"]) + timedelta(seconds=30)
                self.add(at, name, row, lambda world, key=key, one=one: world.gather(key, one), who=[one["by"]])
            if solved := row.get("solved"):
                name = f"incident-solved:{slug}"
                at = when(solved["days_ago"], name) + timedelta(minutes=1)
                self.add(
                    at, name, row, lambda world, key=key, solved=solved: world.solve(key, solved), who=[solved["by"]]
                )

    def _ways_in(self) -> None:
        """The code of conduct, applications with their trials, who left with honours."""
        told = self.content.programme
        if code := told.get("code"):
            at = self.base("code", code["days_ago"])
            self.add(at, "code", code, lambda world: world.publish_code(code["body"], code["what_changed"]))
            for row in self.content.people:
                name = row["username"]
                if row.get("role") == "advocate" and name not in code.get("not_yet", []):
                    accepted = self.somewhen(at, "code", name)
                    key = f"code-accepted:{name}"
                    self.add(accepted, key, code, lambda world, name=name: world.accept_code(name), who=[name])
        for row in told.get("applications", []):
            name = row["username"]
            at = self.base(f"applied:{name}", row["days_ago"])
            if by := row.get("invited_by"):
                self.add(
                    at - timedelta(days=1), f"invited:{name}", row,
                    lambda world, row=row, by=by: world.invite(row["username"], by, row["products"]), who=[name],
                )  # fmt: skip
            self.add(at, f"applied:{name}", row, lambda world, row=row: world.apply(row["username"], row), who=[name])
            if answers := row.get("answers"):
                self.add(
                    at + timedelta(hours=5), f"trial:{name}", row,
                    lambda world, name=name, answers=answers: world.answer_trial(name, answers), who=[name],
                )  # fmt: skip
            for said in row.get("judged", []):
                self.add(
                    at + timedelta(days=said["days_after"]), f"judged:{name}:{said['place']}", row,
                    lambda world, name=name, said=said: world.judge(name, said["place"], said["helps"], said["note"]),
                )  # fmt: skip
            if decided := row.get("decided"):
                self.add(
                    at + timedelta(days=decided["days_after"]), f"decided:{name}", row,
                    lambda world, name=name, to=decided: world.decide_application(name, to["by"], to["reason"]),
                )  # fmt: skip
        for row in told.get("former", []):
            name = row["username"]
            joined = self.base(f"advocate:{name}", row["joined_days_ago"])
            was = Row({**row, "role": "advocate", "expertise": row["products"]})
            was.file, was.line = row.file, row.line
            self.add(joined, f"advocate:{name}", was, lambda world, was=was: world.advocate(was), who=[name])
            self.add(
                self.base(f"left:{name}", row["left_days_ago"]), f"left:{name}", row,
                lambda world, row=row: world.leave(row["username"], row["by"], row.get("farewell", "")),
            )  # fmt: skip

    def _ring(self) -> None:
        """Some who vote for a person and not for posts, an evening each; and the look the night after."""
        row, told = self.content.programme.get("ring"), self.content.programme
        if not row:
            return
        for place, name in enumerate(row["voters"]):
            self.add(
                self.base(f"ring:{name}", row["days_ago"] - place), f"ring:{name}", told,
                lambda world, name=name: world.cheer_on(name, row["for"], row["votes"]), who=[name, row["for"]],
            )  # fmt: skip
        at = self.base("ring-look", row["days_ago"] - len(row["voters"]))
        self.add(at, "ring-look", told, lambda world: world.look_for_rings())

    def _letters_and_thanks(self) -> None:
        """The letters of the last months, and a line from some who were helped by an advocate.

        Letters are written at the end, as of their day: readings by day are told then, too (`_Thread.readings`).
        """
        lines = self.content.programme.get("thanks", [])
        if not lines:
            return
        first = self.now.replace(day=1, hour=6, minute=0, second=0, microsecond=0)
        days = [first]
        while len(days) < LETTERS:
            days.append((days[-1] - timedelta(days=2)).replace(day=1))
        for begins in reversed(days):
            before = (begins - timedelta(days=2)).date().replace(day=1)
            key = f"letters:{before:%Y-%m}"
            self.add(
                self.base(key, 0), key, self.content.programme,
                lambda world, month=before, at=begins: world.letters(month, at),
            )  # fmt: skip
        advocates = {row["username"] for row in self.content.people if row.get("role") == "advocate"}
        for row in self.content.threads:
            for answer in row.get("answers") or []:
                name, slug = answer["author"], row["slug"]
                if not (answer.get("accepted") and name in advocates and name != row["author"]):
                    continue
                if row.get("hidden") or answer.get("hidden") or rng("thanks", slug).random() > THANKFUL:
                    continue
                start = self.base(f"thread:{slug}", row["days_ago"])
                at = start + timedelta(minutes=answer["accepted"], hours=3)
                words = rng("thanks", slug, "words").choice(lines)
                self.add(
                    at, f"thanks:{slug}", row,
                    lambda world, key=f"answer:{slug}:{name}", words=words: world.thank(key, {"words": words}),
                    who=[row["author"]],
                )  # fmt: skip

    # You said, we did

    def _releases(self) -> None:
        """After everything that asked for them has been said."""
        reviews = {(row["product"], row["author"]): f"review:{row['key']}" for row in self.content.reviews}
        when = {fact.key: fact.at for fact in self.facts}
        for row in self.content.release_notes:
            asked = row["from"]
            keys = [f"thread:{slug}" for slug in [*asked.get("ideas", []), *asked.get("threads", [])]]
            keys += [reviews[one["product"], one["author"]] for one in asked.get("reviews", [])]
            key = f"release:{row['slug']}"
            last = max((when[one] for one in keys), default=self.now)
            at = max(self.base(key, row["days_ago"]), last + timedelta(hours=2))
            self.add(at, key, row, lambda world, row=row, keys=keys: world.release(row, keys), who=[row["by"]])
            if helped := row.get("did_it_help"):
                then = max(self.ago(helped["days_ago"]), at + timedelta(days=60))
                self.add(
                    then, f"release_helped:{row['slug']}", helped,
                    lambda world, row=row, then=then: world.release_helped(row, then),
                )  # fmt: skip

    # Reviews

    def _reviews(self) -> None:
        for row in self.content.reviews:
            key = f"review:{row['key']}"
            at = self.base(key, row["days_ago"])

            def later(days_ago: float, at: datetime = at, row: Row = row) -> datetime:
                return at + timedelta(days=row["days_ago"] - days_ago)

            self.add(at, key, row, lambda world, row=row: world.review(row), who=[row["author"]])
            for chapter in row.get("chapters", []):
                self.add(
                    later(chapter["days_ago"]), f"chapter:{row['key']}:{chapter['months']}", chapter,
                    lambda world, key=key, chapter=chapter: world.chapter(key, chapter),
                )  # fmt: skip
            for response in row.get("response", []):
                self.add(
                    at + timedelta(days=response["days_after"]), f"response:{row['key']}:{response['department']}",
                    response, lambda world, key=key, response=response: world.respond(key, response),
                )  # fmt: skip
            look = row.get("moderation")
            if look and look["state"] == "refused":
                self.add(
                    at + timedelta(hours=look["hours"]), f"refusal:{row['key']}", look,
                    lambda world, key=key, look=look: world.refuse(key, look),
                )  # fmt: skip
            if look and look.get("offer"):
                self.add(
                    at + timedelta(hours=look["hours"]), f"offer:{row['key']}", look,
                    lambda world, key=key, look=look: world.offer_thread(key, look),
                )  # fmt: skip
            if "bridge" in row:
                self._bridge(row, key, at)
            self._reports(row, key, at)
            if not look:
                helpful = row.get("helpful", {})
                self.tally(
                    at, helpful.get("yes", 0), helpful.get("no", 0), f"helpful:{row['key']}", row,
                    lambda world, yes, no, moments, key=key: world.found_helpful(key, yes, no, moments),
                )  # fmt: skip

    def _bridge(self, row: Row, key: str, at: datetime) -> None:
        """Its author and a thread about the same, so long before that was solved as is told."""
        thread = next(thread for thread in self.content.threads if thread["slug"] == row["bridge"])
        start = self.base(f"thread:{thread['slug']}", thread["days_ago"])
        outcome = row.get("bridge_outcome") or {}
        solved = [answer["accepted"] for answer in thread.get("answers") or [] if answer.get("accepted")]
        raised = max(at, start) + timedelta(hours=1)
        if solved and "solved_after_days" in outcome:
            raised = max(raised, start + timedelta(minutes=min(solved)) - timedelta(days=outcome["solved_after_days"]))
        self.add(
            raised, f"bridge:{row['key']}", row,
            lambda world: world.bridge(key, row["bridge"], bool(outcome.get("author_agrees"))),
        )  # fmt: skip

    # Threads

    def _threads(self) -> None:
        for row in self.content.threads:
            _Telling(self, row).all()

    # Recipes and tips

    def _recipes(self) -> None:
        for row in self.content.recipes:
            key = f"recipe:{row['slug']}"
            at = self.base(key, row["days_ago"])
            self.add(at, key, row, lambda world, row=row: world.recipe(row), who=[row["author"]])
            for made in row.get("made_it") or []:
                self.add(
                    at + timedelta(days=made["days_after"], minutes=7), f"made:{row['slug']}:{made['author']}", made,
                    lambda world, key=key, made=made: world.made(key, made), who=[made["author"]],
                )  # fmt: skip
            self._remarks(row, key, at)

    def _tips(self) -> None:
        for row in self.content.tips:
            key = f"tip:{row['slug']}"
            at = self.base(key, row["days_ago"])
            self.add(at, key, row, lambda world, row=row: world.tip(row), who=[row["author"]])
            worked = row.get("worked") or {}
            self.tally(
                at, worked.get("yes", 0), worked.get("no", 0), f"worked:{row['slug']}", row,
                lambda world, yes, no, moments, key=key: world.worked(key, yes, no, moments),
            )  # fmt: skip
            self._remarks(row, key, at)

    def _reports(self, row: Row, key: str, at: datetime) -> None:
        """Flags that nobody has decided about: the moderators find them in their queue."""
        for flag in row.get("flags") or []:
            self.add(
                at + timedelta(days=flag["days_after"]), f"flag:{key}:{flag['by']}", flag,
                lambda world, key=key, flag=flag: world.flag(key, flag), who=[flag["by"]],
            )  # fmt: skip

    def _remarks(self, row: Row, key: str, at: datetime) -> None:
        self._reports(row, key, at)
        for place, comment in enumerate(row.get("comments") or []):
            self.add(
                at + timedelta(days=comment["days_after"], minutes=11 * (place + 1)),
                f"comment:{key}:{place}:{comment['author']}", comment,
                lambda world, key=key, comment=comment: world.comment(key, comment["author"], comment["text"]),
                who=[comment["author"]],
            )  # fmt: skip
        if featured := row.get("featured"):
            self.add(
                at + timedelta(days=row["days_ago"] - featured["days_ago"]), f"featured:{key}", featured,
                lambda world, key=key, featured=featured: world.feature(key, featured),
            )  # fmt: skip

    # Help

    def _articles(self) -> None:
        for row in self.content.articles:
            key = f"article:{row['slug']}"
            known, mark = self.told.get(key), digest(row)
            changed = known is not None and known.digest != mark
            at = self.now if changed else self.base(key, row["days_ago"])
            act = lambda world, row=row: world.article(row)  # noqa: E731
            self.facts.append(Fact(at, key, row.where, act, digest=mark))
        related = {row["slug"]: list(row.get("related") or []) for row in self.content.articles}
        newest = max((fact.at for fact in self.facts if fact.kind == "article"), default=self.now)
        # Together and last: an article can be tied to a younger one only when both are there.
        self.facts.append(
            Fact(newest, "related-articles", "help", lambda world: world.relate(related), digest=digest(related))
        )


class _Telling:
    """One thread: what its file says, as facts."""

    def __init__(self, story: Story, row: Row) -> None:
        self.story, self.row, self.slug = story, row, row["slug"]
        self.key = f"thread:{self.slug}"
        self.start = story.base(self.key, row["days_ago"])

    def at(self, row: Row) -> datetime:
        return self.start + timedelta(minutes=row["minutes_after"])

    def add(self, at: datetime, key: str, row: Row, act: Act, *, who: Iterable[str] = (), moves: bool = True) -> None:
        self.story.add(at, key, row, act, who=who, thread=self.slug if moves else "")

    def all(self) -> None:
        row = self.row
        self.add(self.start, self.key, row, lambda world: world.thread(row), who=[row["author"]], moves=False)
        for answer in row.get("answers") or []:
            self.answer(answer)
        for place, comment in enumerate(row.get("comments") or []):
            self.comment(self.key, place, comment)
        self.settling()
        self.state()
        self.reconcile()
        self.judging()
        self.moderation()
        self.idea()
        self.readings()
        for place, step in enumerate(row.get("escalation") or []):
            at, until = self.at(step), step.get("until_minutes")
            end = self.start + timedelta(minutes=until) if until else None
            self.add(
                at, f"step:{self.slug}:{place}:{step['step']}", step,
                lambda world, step=step, at=at, end=end: world.step(self.key, step, at, end),
            )  # fmt: skip
            for name, why in (step.get("passed") or {}).items():
                self.add(
                    at + THINKS, f"passed:{self.slug}:{name}", step,
                    lambda world, name=name, why=why: world.pass_on(self.key, name, why), who=[name], moves=False,
                )  # fmt: skip

    def answer(self, answer: Row) -> None:
        slug, author = self.slug, answer["author"]
        key = f"answer:{slug}:{author}"
        versions = [answer["body"]]
        for edit in reversed(answer.get("edited") or []):
            before = versions[0]
            for now, was in edit["was"]:
                before = before.replace(now, was, 1)
            versions.insert(0, before)
        at = self.at(answer)
        look = self.next_look(answer, at)
        self.add(at, key, answer, lambda world: world.answer(self.key, answer, versions[0], look), who=[author])
        for edit, body in zip(answer.get("edited") or [], versions[1:], strict=True):
            self.add(
                self.at(edit), f"edit:{slug}:{author}:{edit['minutes_after']}", edit,
                lambda world, edit=edit, body=body: world.edit_answer(key, author, body, edit["summary"]),
            )  # fmt: skip
        up = self.story.named(answer.get("votes_up"), [author], slug, author, "up")
        down = self.story.named(answer.get("votes_down"), [author, *up], slug, author, "down")
        for value, voters in ((1, up), (-1, down)):
            for name in voters:
                self.add(
                    self.story.somewhen(at, slug, author, name), f"vote:{slug}:{author}:{name}", answer,
                    lambda world, name=name, value=value: world.vote_answer(key, name, value),
                    who=[name], moves=False,
                )  # fmt: skip
        self.works(answer, key, at)
        for place, comment in enumerate(answer.get("comments") or []):
            self.comment(key, place, comment)
        if hidden := answer.get("hidden"):
            self.add(self.at(hidden), f"hidden:{slug}:{author}", hidden, lambda world: world.hide(key, hidden))

    def next_look(self, answer: Row, at: datetime) -> date | None:
        """The day on which its department looks again. Days that are past went by without news."""
        days = answer.get("recheck_in_days")
        if not days:
            return None
        passed = (self.story.now - at).days // days
        return (at + timedelta(days=days * (passed + 1))).date()

    def works(self, answer: Row, key: str, at: datetime) -> None:
        works = answer.get("works_for_mine") or {}
        versions = works.get("by_version") or ({"": works} if works else {})
        for version, counts in versions.items():
            for word, value in (("yes", True), ("no", False)):
                count = counts.get(word, 0)
                if not count:
                    continue
                moments = self.story.moments(at, count, key, version, word)
                rows = [(f"{version}:{word}:{place}", moment) for place, moment in enumerate(moments)]
                self.add(
                    moments[-1], f"works:{key}:{version}:{word}:{count}"[:200], answer,
                    lambda world, value=value, rows=rows, version=version: world.works(key, value, rows, version),
                    moves=False,
                )  # fmt: skip

    def comment(self, target: str, place: int, comment: Row) -> None:
        self.add(
            self.at(comment), f"comment:{target}:{place}:{comment['author']}", comment,
            lambda world: world.comment(target, comment["author"], comment["body"]), who=[comment["author"]],
        )  # fmt: skip

    def settling(self) -> None:
        row, slug = self.row, self.slug
        accepted = sorted(
            (answer for answer in row.get("answers") or [] if answer.get("accepted")),
            key=lambda answer: (not answer.get("lead"), answer["accepted"]),
        )
        for answer in accepted:
            key = f"answer:{slug}:{answer['author']}"
            leads = True if answer.get("lead") else None
            self.add(
                self.start + timedelta(minutes=answer["accepted"]), f"accepted:{slug}:{answer['author']}", answer,
                lambda world, key=key, leads=leads: world.accept(key, row["author"], leads),
            )  # fmt: skip
        if later := row.get("follow_up"):
            key = f"answer:{slug}:{accepted[0]['author']}"
            self.add(
                self.at(later), f"follow-up:{slug}", later, lambda world: world.follow_up(key, row["author"], later)
            )

    def state(self) -> None:
        row, detail = self.row, self.row.get("state_detail")
        follow_up = row.get("follow_up") or {}
        if not detail:
            return
        if row["state"] == "reopened" and follow_up.get("answer") == "no":
            return  # the follow-up opened it
        self.add(
            self.at(detail), f"state:{self.slug}:{row['state']}", detail,
            lambda world: world.state(self.key, row["state"], detail),
        )  # fmt: skip

    def readings(self) -> None:
        """Who read it, over the time since; told at the end, when it is known when it was settled."""
        count, key = self.row.get("views", 0), f"readings:{self.slug}"
        if count:
            at = self.story.base(key, 0)
            moments = self.story.moments(self.start, count, self.slug, "readings")
            self.add(at, key, self.row, lambda world: world.readings(self.key, moments), moves=False)

    def reconcile(self) -> None:
        told = self.row.get("reconcile")
        if not told:
            return
        self.add(
            self.at(told["opened"]), f"recheck:{self.slug}", told,
            lambda world: world.say_they_disagree(self.key, told["by"], told["opened"]["reason"]),
        )  # fmt: skip
        if settled := told.get("settled"):
            self.add(
                self.at(settled), f"recheck-settled:{self.slug}", settled,
                lambda world: world.reconcile(self.key, told["by"], settled["outcome"], settled["text"]),
            )  # fmt: skip

    def judging(self) -> None:
        row, slug, author, story = self.row, self.slug, self.row["author"], self.story
        votes = row.get("votes") or {}
        up = story.named(votes.get("up"), [author], slug, "up")
        down = story.named(votes.get("down"), [author, *up], slug, "down")
        for value, voters in ((1, up), (-1, down)):
            for name in voters:
                self.add(
                    story.somewhen(self.start, slug, name), f"vote:{slug}:{name}", row,
                    lambda world, name=name, value=value: world.vote_thread(self.key, name, value),
                    who=[name], moves=False,
                )  # fmt: skip
        for place, name in enumerate(story.named(row.get("me_too"), [author], slug, "me too")):
            # Those who have the same find each other early: policies count them.
            at = self.start + min(timedelta(minutes=60 * (place + 1)), (story.now - self.start) * 0.9)
            self.add(
                at, f"me-too:{slug}:{name}", row, lambda world, name=name: world.me_too(self.key, name), who=[name]
            )
        for name in story.named(row.get("followers"), [author], slug, "follow"):
            self.add(
                story.somewhen(self.start, slug, "follow", name), f"follow:{slug}:{name}", row,
                lambda world, name=name: world.follow(self.key, name), who=[name], moves=False,
            )  # fmt: skip

    def moderation(self) -> None:
        row, slug = self.row, self.slug
        hidden = {"thread": row.get("hidden")} | {
            f"answer by {answer['author']}": answer.get("hidden") for answer in row.get("answers") or []
        }
        for flag in row.get("flags") or []:
            target = (
                self.key if flag["target"] == "thread" else f"answer:{slug}:{flag['target'].removeprefix('answer by ')}"
            )
            key = f"flag:{target}:{flag['by']}"
            self.add(
                self.at(flag), key, flag, lambda world, target=target, flag=flag: world.flag(target, flag),
                who=[flag["by"]], moves=False,
            )  # fmt: skip
            upheld = hidden.get(flag["target"])
            declined = re.fullmatch(r"declined by (.+)", flag.get("outcome", ""))
            if upheld or declined:
                by = upheld["by"] if upheld else declined.group(1)  # type: ignore[union-attr]
                at = self.at(upheld) + timedelta(seconds=30) if upheld else self.at(flag) + timedelta(minutes=5)
                self.add(
                    at, f"decided:{key}", flag,
                    lambda world, key=key, by=by, upheld=bool(upheld): world.decide(key, by, upheld), moves=False,
                )  # fmt: skip
        if row.get("hidden"):
            self.add(
                self.at(row["hidden"]), f"hidden:{slug}", row["hidden"],
                lambda world: world.hide(self.key, row["hidden"]),
            )  # fmt: skip
        for action in row.get("moderation") or []:
            self._measure(action)

    def _measure(self, action: Row) -> None:
        at, who, key = self.at(action), action["target"], f"measure:{self.slug}:{action['minutes_after']}"
        if action["action"] == "hide comment":
            comments = [
                f"comment:answer:{self.slug}:{answer['author']}:{place}:{who}"
                for answer in self.row.get("answers") or []
                for place, comment in enumerate(answer.get("comments") or [])
                if comment["author"] == who and comment["minutes_after"] < action["minutes_after"]
            ]
            self.add(at, key, action, lambda world: world.hide(comments[-1], action), moves=False)
        elif action["action"] == "move comment":
            comments = self.row.get("comments") or []
            place = next(place for place, comment in enumerate(comments) if comment["author"] == who)
            said = f"comment:{self.key}:{place}:{who}"
            self.add(at, key, action, lambda world: world.move_comment(self.key, said, action), moves=False)
        elif action["action"] == "split":
            comments = self.row.get("comments") or []
            place = next(place for place, comment in enumerate(comments) if comment["author"] == who)
            said = f"comment:{self.key}:{place}:{who}"
            along = [f"answer:{self.slug}:{name}" for name in action.get("along", [])]
            self.add(at, key, action, lambda world: world.split(self.key, said, along, action), moves=False)
        elif action["action"] == "appeal":
            self.add(at, key, action, lambda world: world.appeal(who, action), moves=False)
            if decided := action.get("decided"):
                self.add(
                    self.at(decided), f"{key}:decided", decided, lambda world: world.decide_appeal(who, decided),
                    moves=False,
                )  # fmt: skip
        elif action["action"] == "warn":
            self.add(at, key, action, lambda world: world.warn(who, action), moves=False)
        elif action["action"] == "silence":
            self.add(at, key, action, lambda world: world.silence(who, action), moves=False)
        elif action["action"] == "delete spammer":
            self.add(at, key, action, lambda world: world.close_account(who, action), moves=False)

    def idea(self) -> None:
        for status in (self.row.get("idea") or {}).get("history", []):
            if status["minutes_after"]:
                self.add(
                    self.at(status), f"idea:{self.slug}:{status['minutes_after']}", status,
                    lambda world, status=status: world.idea_status(self.key, status),
                )  # fmt: skip

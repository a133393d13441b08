"""Threads: what one file says, as facts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from ..rows import Row
from .ground import Act, Story

THINKS = timedelta(minutes=55)  # until somebody who was asked passes


def tell_threads(story: Story) -> None:
    for row in story.content.threads:
        _Telling(story, row).all()


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

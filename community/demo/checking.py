"""What is wrong with the story's files, found before a word is told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from advocates.models import Ask
from community.moderation.models import Flag
from community.questions.models import FollowUp, IdeaStatus, Kind, Reconciled
from products.models import Product
from reviews.models import Disclosure, RefusalCode

from .rows import Content, Problem, Row

STATES = {
    "no reply", "replied", "solved", "solved another way", "needs info", "duplicate", "closed", "locked", "reopened",
}  # fmt: skip
STEPS = {
    "advocates notified", "department notified", "acknowledged", "assigned", "routed", "paused", "resumed",
    "handed off", "outcome posted", "promise made", "promise kept", "promise late", "lead notified",
    "community manager notified", "late", "resolved", "reopened",
}  # fmt: skip
ROLES = {
    "staff:community-manager", "staff:editor", "staff:moderator", "advocate", "advocate-away", "advocate-candidate",
    "member", "erased",
}  # fmt: skip
IDEA_WORDS = {
    "New": IdeaStatus.NEW,
    "In review": IdeaStatus.IN_REVIEW,
    "Planned": IdeaStatus.PLANNED,
    "In progress": IdeaStatus.IN_PROGRESS,
    "Shipped": IdeaStatus.SHIPPED,
    "Needs info": IdeaStatus.NEEDS_INFO,
    "Future consideration": IdeaStatus.FUTURE,
    "Declined": IdeaStatus.DECLINED,
    "Already exists": IdeaStatus.EXISTS,
}


class Check:
    """Every name that a row uses is one that the files define; every number is one."""

    def __init__(self, content: Content) -> None:
        self.content = content
        self.people = {row.get("username") for row in content.people}
        self.products = {row.get("slug") for row in content.products.get("products", [])}
        self.departments = {row.get("slug") for row in content.brand.get("departments", [])}
        self.threads = {row.get("slug") for row in content.threads}
        self.pictures = {path.stem for path in (content.folder / "art").glob("*.webp")}

    def bad(self, row: Row, reason: str) -> None:
        self.content.problems.append(Problem(row.file, row.line, reason))

    def keys(self, row: Row, *names: str) -> bool:
        missing = [name for name in names if row.get(name) is None]
        if missing:
            self.bad(row, f"{', '.join(repr(name) for name in missing)} missing")
        return not missing

    def known(self, row: Row, key: str, among: Iterable[Any], what: str) -> None:
        value = row.get(key)
        for one in value if isinstance(value, list) else [value]:
            if one is not None and one not in among:
                self.bad(row, f"{key}: there is no {what} {one!r}")

    def number(self, row: Row, key: str, least: float | None = 0) -> None:
        value = row.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or (least is not None and value < least):
            self.bad(row, f"{key}: {value!r} is no number" + ("" if least is None else f" from {least:g} up"))

    def unique(self, rows: Sequence[Row], key: str) -> None:
        seen: set[Any] = set()
        for row in rows:
            if row.get(key) in seen:
                self.bad(row, f"{key}: {row.get(key)!r} is there twice")
            seen.add(row.get(key))

    def shelf(self, shelf: Row) -> None:
        for name in ("units", "orders", "codes", "recalls", "known_issues"):
            for row in shelf.get(name, []):
                self.keys(row, "product")
                self.known(row, "product", self.products, "product")
                self.known(row, "by", self.people, "person")
                self.known(row, "person", self.people, "person")
        for person in shelf.get("asked", []):
            if person not in self.people:
                self.bad(shelf, f"asked: there is no person {person!r}")

    def all(self) -> None:
        content = self.content
        self.unique(content.people, "username")
        for rows, key in (
            (content.threads, "slug"), (content.recipes, "slug"), (content.tips, "slug"), (content.articles, "slug"),
            (content.reviews, "key"), (content.badges, "slug"), (content.ranks, "slug"), (content.topics, "slug"),
        ):  # fmt: skip
            self.unique(rows, key)
        for row in content.people:
            self.person(row)
        self.shelf(content.shelf)
        for row in content.products.get("products", []):
            self.product(row)
        for row in content.reviews:
            self.review(row)
        for row in content.threads:
            self.thread(row)
        for row in content.recipes:
            self.recipe(row)
        for row in content.tips:
            self.tip(row)
        for row in content.articles:
            if self.keys(row, "title", "slug", "owner", "summary", "days_ago", "body"):
                self.number(row, "days_ago")
                self.known(row, "owner", self.people, "person")
                self.known(row, "credit", self.people, "person")
                self.known(row, "products", self.products, "product")
                self.known(row, "department", self.departments, "department")
                self.known(row, "from_thread", self.threads, "thread")
                self.known(row, "related_threads", self.threads, "thread")
        for row in content.incidents:
            self.incident(row)
        for row in content.topics:
            self.known(row, "department", self.departments, "department")
        for row in content.programme.get("applications", []):
            if self.keys(row, "username", "products", "motivation", "days_ago"):
                self.number(row, "days_ago")
                self.known(row, "username", self.people, "person")
                self.known(row, "invited_by", self.people, "person")
                self.known(row, "products", self.products, "product")
        if ring := content.programme.get("ring"):
            self.known(ring, "voters", self.people, "person")
            self.known(ring, "for", self.people, "person")
        for row in content.programme.get("former", []):
            if self.keys(row, "username", "products", "joined_days_ago", "left_days_ago", "by"):
                self.known(row, "username", self.people, "person")
                self.known(row, "by", self.people, "person")
                self.known(row, "products", self.products, "product")

    def incident(self, row: Row) -> None:
        if not self.keys(row, "slug", "kind", "title", "products", "opened", "departments", "lead_thread", "banner"):
            return
        self.known(row, "products", self.products, "product")
        self.known(row, "departments", self.departments, "department")
        self.known(row, "lead_thread", self.threads, "thread")
        for one in (*row.get("timeline", []), *row["threads"], row["opened"], *filter(None, [row.get("solved")])):
            self.number(one, "days_ago")
            self.known(one, "by", self.people, "person")
        for one in row["threads"]:
            self.known(one, "slug", self.threads, "thread")
        texts = [line["text"] for line in row.get("timeline", [])]
        for name, number in (row.get("reached") or {}).items():
            if name != "days_ago" and not any(f"{number:,}" in words for words in texts):
                self.bad(row, f"reached: no line of its history says {number:,} ({name})")
        if note := row.get("release_note"):
            asked: Any = next((one["from"] for one in self.content.release_notes if one["slug"] == note), {})
            if asked.get("incident") != row["slug"]:
                self.bad(row, f"release_note: {note!r} does not name this issue")
            elif not {one["slug"] for one in row["threads"]} & {*asked.get("threads", [])}:
                self.bad(row, f"release_note: {note!r} names none of its threads")
        if len(row["banner"].get("text", "")) > 2000 or any(len(words) > 500 for words in texts):
            self.bad(row, "a line of its history has 500 characters at most, its banner 2,000")

    def person(self, row: Row) -> None:
        if not self.keys(row, "username", "name"):
            return
        role = row.get("role", "member")
        parts = role.split(":")
        if role not in ROLES and not (parts[0] == "staff" and len(parts) > 1 and parts[1] in self.departments):
            self.bad(row, f"role: {role!r} is not known")
        self.known(row, "owns", self.products, "product")
        self.known(row, "expertise", self.products, "product")
        self.known(row, "picture", self.pictures, "picture")

    def product(self, row: Row) -> None:
        if not self.keys(row, "slug", "name", "family", "tagline", "lifecycle"):
            return
        self.known(row, "family", {family["slug"] for family in self.content.products["families"]}, "family")
        if row["lifecycle"].get("state") not in Product.Lifecycle.values:
            self.bad(row["lifecycle"], f"state: {row['lifecycle'].get('state')!r} is no lifecycle")
        others = row.get("translations", {}).values()
        for picture in [one for page in (row, *others) for one in page.get("gallery", [])]:
            if Path(picture["file"]).stem not in self.pictures:
                self.bad(picture, f"file: {picture['file']} has not been rendered")

    def review(self, row: Row) -> None:
        if not self.keys(row, "key", "product", "author", "stars", "title", "text", "days_ago", "disclosure"):
            return
        self.known(row, "product", self.products, "product")
        self.known(row, "author", self.people, "person")
        self.known(row, "disclosure", Disclosure.values, "way to come by it")
        self.number(row, "days_ago")
        if row["stars"] not in range(1, 6):
            self.bad(row, f"stars: {row['stars']!r} is none of 1 to 5")
        for chapter in row.get("chapters", []):
            if self.keys(chapter, "months", "stars", "days_ago", "text") and chapter["days_ago"] > row["days_ago"]:
                self.bad(chapter, "a chapter comes after its review")
        for response in row.get("response", []):
            self.known(response, "department", self.departments, "department")
            self.known(response, "by", self.people, "person")
        self.flags(row)
        if "bridge" in row:
            self.known(row, "bridge", {thread["slug"] for thread in self.content.threads}, "thread")
        if look := row.get("moderation"):
            if look.get("offer"):
                self.known(look, "route", self.departments, "department")
            self.known(look, "by", self.people, "person")
            self.known(look, "code", {code.replace("_", "-") for code in RefusalCode.values}, "code")
            words = " ".join(f"{row['title']} {row['text']}".split())
            if " ".join(look["passage"].split()) not in words:
                self.bad(look, "passage: these words don't stand in the review")

    def flag_reason(self, flag: Row) -> None:
        if flag.get("reason", "").replace(" ", "_") not in Flag.Reason.values:
            self.bad(flag, f"reason: there is no {flag.get('reason')!r}")

    def flags(self, row: Row) -> None:
        """Flags on reviews, recipes and tips, in days after they were written."""
        for flag in row.get("flags") or []:
            if self.keys(flag, "by", "reason", "days_after"):
                self.known(flag, "by", self.people, "person")
                self.number(flag, "days_after")
                self.flag_reason(flag)

    def minutes(self, row: Row, thread: Row) -> None:
        self.number(row, "minutes_after")
        if isinstance(row.get("minutes_after"), int | float) and row["minutes_after"] > thread["days_ago"] * 1440:
            self.bad(row, "minutes_after: this lies in the future")

    def thread(self, row: Row) -> None:
        if not self.keys(row, "slug", "kind", "title", "author", "days_ago", "body", "state"):
            return
        self.number(row, "days_ago")
        if not isinstance(row["days_ago"], int | float):
            return
        self.known(row, "kind", Kind.values, "kind")
        self.known(row, "state", STATES, "state")
        self.known(row, "product", self.products, "product")
        self.known(row, "author", self.people, "person")
        self.known(row, "followers", self.people, "person") if isinstance(row.get("followers"), list) else None
        self.known(row, "me_too", self.people, "person") if isinstance(row.get("me_too"), list) else None
        for side in ("up", "down"):
            if isinstance(row.get("votes", {}).get(side), list):
                self.known(row["votes"], side, self.people, "person")
        authors: set[str] = set()
        for answer in row.get("answers") or []:
            self.answer(answer, row)
            if answer.get("author") in authors:
                self.bad(answer, f"{answer['author']} has answered already")
            authors.add(answer.get("author"))
        for comment in row.get("comments") or []:
            self.comment(comment, row)
        for step in row.get("escalation") or []:
            self.minutes(step, row)
            self.known(step, "step", STEPS, "step")
            self.known(step, "department", self.departments, "department")
            for key in ("by", "to", "asked"):
                self.known(step, key, self.people, "person")
            for name, why in (step.get("passed") or {}).items():
                if name not in (step.get("asked") or []) or why not in Ask.Why.values:
                    self.bad(step, f"passed: {name}: {why}: who was asked, and one of {', '.join(Ask.Why.values)}")
        if detail := row.get("state_detail"):
            self.minutes(detail, row)
            self.known(detail, "by", self.people, "person")
            self.known(detail, "of", self.threads, "thread")
        self.moderation(row)
        for flag in row.get("flags") or []:
            self.minutes(flag, row)
            self.known(flag, "by", self.people, "person")
            about = flag.get("target", "").removeprefix("answer by ")
            for answer in row.get("answers") or []:
                if answer.get("author") == about:
                    self.after(flag, answer)
            self.flag_reason(flag)
        if row.get("kind") == Kind.IDEA and (row.get("votes") or {}).get("down"):
            self.bad(row, "votes: ideas are voted for, never against")
        for status in (row.get("idea") or {}).get("history", []):
            self.minutes(status, row)
            if status.get("status") not in IDEA_WORDS:
                self.bad(status, f"status: there is no {status.get('status')!r}")
        if settled := (row.get("reconcile") or {}).get("settled"):
            self.minutes(settled, row)
            if settled.get("outcome") not in Reconciled.values:
                self.bad(settled, f"outcome: {settled.get('outcome')!r} is not accepted, official or both")
        if later := row.get("follow_up"):
            self.minutes(later, row)
            if str(later.get("answer", "")).replace(" ", "_") not in FollowUp.Outcome.values:
                self.bad(later, f"answer: {later.get('answer')!r} is not yes, worked at first or no")
            if not any(answer.get("accepted") for answer in row.get("answers") or []):
                self.bad(later, "a follow-up needs an accepted answer")

    def moderation(self, thread: Row) -> None:
        for action in thread.get("moderation") or []:
            self.minutes(action, thread)
            self.known(action, "by", self.people, "person")
            if action.get("action") == "split" and self.keys(action, "target", "title", "kind", "note"):
                self.known(action, "along", {answer.get("author") for answer in thread.get("answers") or []}, "answer")
                said = [comment for comment in thread.get("comments") or [] if comment["author"] == action["target"]]
                if not said:
                    self.bad(action, f"target: {action['target']} has not commented on the question")
                else:
                    self.after(action, said[0])
            elif action.get("action") == "appeal" and self.keys(action, "target", "note"):
                self.known(action, "target", self.people, "person")
                if (decided := action.get("decided")) and self.keys(decided, "by", "granted", "note"):
                    self.minutes(decided, thread)
                    self.known(decided, "by", self.people, "person")
                    self.after(decided, action)

    def answer(self, row: Row, thread: Row) -> None:
        if not self.keys(row, "author", "minutes_after", "body"):
            return
        self.minutes(row, thread)
        self.known(row, "author", self.people, "person")
        self.known(row, "official_for", self.departments, "department")
        for side in ("votes_up", "votes_down"):
            if isinstance(row.get(side), list):
                self.known(row, side, self.people, "person")
        body = row["body"]
        for edit in reversed(row.get("edited") or []):
            self.minutes(edit, thread)
            if not edit.get("was"):
                self.bad(edit, "was: say how the text was before")
            for now, before in edit.get("was") or []:
                if now not in body:
                    self.bad(edit, f"was: {now[:60]!r} is not in the text")
                body = body.replace(now, before, 1)
        for comment in row.get("comments") or []:
            self.comment(comment, thread)
            self.after(comment, row)
        for later in (*(row.get("edited") or []), row.get("hidden")):
            if later:
                self.after(later, row)

    def after(self, row: Row, earlier: Row) -> None:
        if (row.get("minutes_after") or 0) < (earlier.get("minutes_after") or 0):
            self.bad(row, "minutes_after: this comes before what it is about")

    def comment(self, row: Row, thread: Row) -> None:
        if self.keys(row, "author", "minutes_after", "body"):
            self.minutes(row, thread)
            self.known(row, "author", self.people, "person")

    def recipe(self, row: Row) -> None:
        if not self.keys(row, "title", "slug", "author", "days_ago", "yields", "ingredients", "steps"):
            return
        self.number(row, "days_ago")
        self.known(row, "author", self.people, "person")
        self.known(row, "remix_of", {other["slug"] for other in self.content.recipes}, "recipe")
        for used in row.get("products") or []:
            self.known(used, "slug", self.products, "product")
        for step in row["steps"]:
            self.known(step, "product", self.products, "product")
        for made in row.get("made_it") or []:
            self.known(made, "author", self.people, "person")
            self.number(made, "days_after")
        self.remarks(row)
        if row.get("illustration") not in (None, "none") and f"recipe-{row['illustration']}" not in self.pictures:
            self.bad(row, f"illustration: recipe-{row['illustration']} has not been rendered")

    def tip(self, row: Row) -> None:
        if self.keys(row, "title", "slug", "author", "days_ago", "body"):
            self.number(row, "days_ago")
            self.known(row, "author", self.people, "person")
            self.known(row, "product", self.products, "product")
            self.remarks(row)

    def remarks(self, row: Row) -> None:
        self.flags(row)
        for comment in row.get("comments") or []:
            self.known(comment, "author", self.people, "person")
            self.number(comment, "days_after")
        if featured := row.get("featured"):
            self.known(featured, "by", self.people, "person")

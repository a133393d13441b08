"""Threads and answers, what people make of them, and who reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime

from community.core import clock
from community.posts import services as posts
from community.posts.models import Comment
from community.questions import reading
from community.questions import services as questions
from community.questions.models import Answer, FollowUp, Thread
from community.search.services import record_deflection

from ..checking import IDEA_WORDS
from ..rows import Row
from .ground import SOURCE, Rows


class Threads(Rows):
    READINGS_A_SPARED_QUESTION = 150  # of so many who read a settled thread, one was about to ask

    def thread(self, row: Row) -> Thread:
        details = row.get("private_details") or {}
        notes = [str(details[key]) for key in ("note", "payment") if details.get(key)]
        private = {
            "order_number": details.get("order", ""), "serial": details.get("serial", ""), "note": "\n".join(notes),
        }  # fmt: skip
        thread = questions.post_thread(
            self.person(row["author"]), kind=row["kind"], title=row["title"], body=row["body"].strip(),
            product=self.product(row.get("product")), model_version=row.get("model_version") or "",
            tags=row.get("tags") or [], private=private if details else None, language=row.get("language", "en"),
        )  # fmt: skip
        thread.view_count = row.get("views", 0)
        thread.save(update_fields=["view_count"])
        return thread

    def answer(self, key: str, row: Row, body: str, recheck_on: date | None) -> Answer:
        official = row.get("official_for")
        return questions.post_answer(
            self.row(key), self.person(row["author"]), body=body.strip(), disclosure=row.get("disclosure", ""),
            official_for=self.department(official) if official else None, sources=row.get("sources") or [],
            recheck_on=recheck_on,
        )  # fmt: skip

    def edit_answer(self, key: str, author: str, body: str, summary: str) -> None:
        questions.edit_answer(self.row(key), self.person(author), body=body.strip(), summary=summary)

    def vote_answer(self, key: str, name: str, value: int) -> None:
        questions.vote_answer(self.row(key), self.person(name), value)

    def vote_thread(self, key: str, name: str, value: int) -> None:
        questions.vote_thread(self.row(key), self.person(name), value)

    def me_too(self, key: str, name: str) -> None:
        questions.set_me_too(self.row(key), self.person(name), on=True)

    def follow(self, key: str, name: str) -> None:
        posts.follow(self.row(key), self.person(name))

    def works(self, key: str, works: bool, rows: Sequence[tuple[str, datetime]], version: str) -> None:
        questions.add_works_rows(self.row(key), works=works, rows=rows, source=SOURCE, model_version=version)

    def comment(self, key: str, name: str, body: str) -> Comment:
        return posts.comment(self.row(key), self.person(name), body=body)

    def accept(self, key: str, asker: str, leads: bool | None) -> None:
        questions.accept_answer(self.row(key), self.person(asker), leading=leads)

    def follow_up(self, key: str, asker: str, row: Row) -> None:
        outcome = FollowUp.Outcome(row["answer"].replace(" ", "_"))
        questions.answer_follow_up(self.row(key), self.person(asker), outcome, row.get("note", ""))

    def state(self, key: str, state: str, detail: Row) -> None:
        thread, by = self.row(key), self.person(detail["by"])
        words = detail.get("note") or detail.get("reason") or ""
        if state == "needs info":
            questions.ask_for_info(thread, by, words)
        elif state == "duplicate":
            questions.mark_duplicate(thread, by, self.row(f"thread:{detail['of']}"))
        elif state == "closed":
            questions.close_thread(thread, by, words)
        elif state == "locked":
            questions.lock_thread(thread, by, True, words)
        elif state == "solved another way":
            questions.solve_another_way(thread, by, words)
        elif state == "reopened":
            questions.reopen_thread(thread, by, words)

    def say_they_disagree(self, key: str, by: str, reason: str) -> None:
        questions.say_they_disagree(self.row(key), self.person(by), reason)

    def reconcile(self, key: str, by: str, outcome: str, words: str) -> None:
        questions.reconcile(self.row(key), self.person(by), outcome, words)

    def idea_status(self, key: str, row: Row) -> None:
        status = IDEA_WORDS[row["status"]]
        link = row.get("link", "")
        if link.startswith("thread:"):
            link = self.row(link).get_absolute_url()
        questions.set_idea_status(
            self.row(key), self.person(row["by"]), status, row.get("reason") or row["status"], link
        )

    def readings(self, key: str, moments: Sequence[datetime]) -> None:
        """By day, before and after it was settled; some who were about to ask found it then."""
        thread = Thread.objects.get(pk=self.row(key).pk)
        settled = min((at for at in (thread.solved_at, thread.official_at) if at), default=None)
        read = Counter((at.date(), thread.pk, settled is not None and at > settled) for at in moments)
        reading.write_days(read)
        after = [at for at in moments if settled is not None and at > settled]
        for at in after[:: self.READINGS_A_SPARED_QUESTION]:
            with clock.travel(at):
                record_deflection(thread, thread.title, ask=f"demo:{at.timestamp():.3f}"[:32])

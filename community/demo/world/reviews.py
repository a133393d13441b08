"""Reviews, and what was done because somebody said so."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from community.bridges import releases
from community.bridges import services as bridges
from community.bridges.models import ReleaseNote
from community.questions.models import Thread
from reviews import services as reviews
from reviews.models import Review

from ..rows import Row
from .ground import SOURCE, Rows
from .people import months_of


class Reviews(Rows):
    def review(self, row: Row) -> Review:
        product = self.the_product(row["product"])
        return reviews.write_review(
            self.person(row["author"]), product, stars=row["stars"], title=row["title"], body=row["text"],
            did_well=row.get("did_well", ""), could_be_better=row.get("could_be_better", ""),
            would_recommend=row.get("would_recommend"), secondary=row.get("secondary"),
            disclosure=row["disclosure"], owned_months=months_of(row.get("owned_for", "")),
            language=row.get("lang", "en"), hold="moderation" in row,
        )  # fmt: skip

    def chapter(self, key: str, row: Row) -> None:
        review = self.row(key)
        reviews.add_chapter(
            review, review.author, stars=row["stars"], body=row["text"], months_owned=row["months"],
            still_in_use=row.get("still_in_use"),
        )  # fmt: skip

    def respond(self, key: str, row: Row) -> None:
        reviews.respond(self.row(key), self.person(row["by"]), self.department(row["department"]), row["text"])

    def refuse(self, key: str, row: Row) -> None:
        reviews.refuse_review(
            self.row(key), self.person(row["by"]), code=row["code"].replace("-", "_"), passage=row["passage"],
            note=row.get("note", ""),
        )  # fmt: skip

    def offer_thread(self, key: str, row: Row) -> None:
        bridges.propose_thread(
            self.row(key), self.person(row["by"]), passage=row["passage"], department=self.department(row["route"]),
            note=row.get("note", ""),
        )  # fmt: skip

    def bridge(self, key: str, slug: str, show_outcome: bool) -> None:
        review = self.row(key)
        thread = self.row(f"thread:{slug}")
        bridges.start_thread(review, review.author, show_outcome=show_outcome, thread=thread)

    def found_helpful(self, key: str, yes: int, no: int, moments: Sequence[datetime]) -> None:
        reviews.add_helpful_rows(self.row(key), yes=yes, no=no, source=SOURCE, at=moments)

    def release(self, row: Row, keys: Sequence[str]) -> ReleaseNote:
        """A release note, tied to the threads and reviews that asked for it."""
        asked = [self.row(key) for key in keys]
        threads = [one for one in asked if isinstance(one, Thread)]
        wrote = [one for one in asked if isinstance(one, Review)]
        helped = row.get("did_it_help") or {}
        return releases.publish_release(
            self.person(row["by"]), self.the_product(row["product"]), body=row["body"], threads=threads, reviews=wrote,
            title=row["title"], version=row.get("version", ""), you_said=row["you_said"], we_did=row["we_did"],
            finding=helped.get("note", ""),
        )  # fmt: skip

    def release_helped(self, row: Row, at: datetime) -> None:
        helped = row["did_it_help"]
        counts = {said: helped[said] for said in ("yes", "partly", "no")}
        releases.tell_help(self.row(f"release:{row['slug']}"), at, helped["asked"], counts, source="demo")

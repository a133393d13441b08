"""Reviews, and what was done because somebody said so."""

from __future__ import annotations

from datetime import datetime, timedelta

from ..rows import Row
from .ground import Story, reports


def tell_releases(story: Story) -> None:
    """After everything that asked for them has been said."""
    reviews = {(row["product"], row["author"]): f"review:{row['key']}" for row in story.content.reviews}
    when = {fact.key: fact.at for fact in story.facts}
    for row in story.content.release_notes:
        asked = row["from"]
        keys = [f"thread:{slug}" for slug in [*asked.get("ideas", []), *asked.get("threads", [])]]
        keys += [reviews[one["product"], one["author"]] for one in asked.get("reviews", [])]
        key = f"release:{row['slug']}"
        last = max((when[one] for one in keys), default=story.now)
        at = max(story.base(key, row["days_ago"]), last + timedelta(hours=2))
        story.add(at, key, row, lambda world, row=row, keys=keys: world.release(row, keys), who=[row["by"]])
        if helped := row.get("did_it_help"):
            then = max(story.ago(helped["days_ago"]), at + timedelta(days=60))
            story.add(
                then, f"release_helped:{row['slug']}", helped,
                lambda world, row=row, then=then: world.release_helped(row, then),
            )  # fmt: skip


def tell_reviews(story: Story) -> None:
    for row in story.content.reviews:
        key = f"review:{row['key']}"
        at = story.base(key, row["days_ago"])

        def later(days_ago: float, at: datetime = at, row: Row = row) -> datetime:
            return at + timedelta(days=row["days_ago"] - days_ago)

        story.add(at, key, row, lambda world, row=row: world.review(row), who=[row["author"]])
        for chapter in row.get("chapters", []):
            story.add(
                later(chapter["days_ago"]), f"chapter:{row['key']}:{chapter['months']}", chapter,
                lambda world, key=key, chapter=chapter: world.chapter(key, chapter),
            )  # fmt: skip
        for response in row.get("response", []):
            story.add(
                at + timedelta(days=response["days_after"]), f"response:{row['key']}:{response['department']}",
                response, lambda world, key=key, response=response: world.respond(key, response),
            )  # fmt: skip
        look = row.get("moderation")
        if look and look["state"] == "refused":
            story.add(
                at + timedelta(hours=look["hours"]), f"refusal:{row['key']}", look,
                lambda world, key=key, look=look: world.refuse(key, look),
            )  # fmt: skip
        if look and look.get("offer"):
            story.add(
                at + timedelta(hours=look["hours"]), f"offer:{row['key']}", look,
                lambda world, key=key, look=look: world.offer_thread(key, look),
            )  # fmt: skip
        if "bridge" in row:
            _bridge(story, row, key, at)
        reports(story, row, key, at)
        if not look:
            helpful = row.get("helpful", {})
            story.tally(
                at, helpful.get("yes", 0), helpful.get("no", 0), f"helpful:{row['key']}", row,
                lambda world, yes, no, moments, key=key: world.found_helpful(key, yes, no, moments),
            )  # fmt: skip


def _bridge(story: Story, row: Row, key: str, at: datetime) -> None:
    """Its author and a thread about the same, so long before that was solved as is told."""
    thread = next(thread for thread in story.content.threads if thread["slug"] == row["bridge"])
    start = story.base(f"thread:{thread['slug']}", thread["days_ago"])
    outcome = row.get("bridge_outcome") or {}
    solved = [answer["accepted"] for answer in thread.get("answers") or [] if answer.get("accepted")]
    raised = max(at, start) + timedelta(hours=1)
    if solved and "solved_after_days" in outcome:
        raised = max(raised, start + timedelta(minutes=min(solved)) - timedelta(days=outcome["solved_after_days"]))
    story.add(
        raised, f"bridge:{row['key']}", row,
        lambda world: world.bridge(key, row["bridge"], bool(outcome.get("author_agrees"))),
    )  # fmt: skip

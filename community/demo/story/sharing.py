"""Recipes, tips and help."""

from __future__ import annotations

from datetime import datetime, timedelta

from ..rows import Row
from .ground import Fact, Story, digest, reports


def tell_recipes(story: Story) -> None:
    for row in story.content.recipes:
        key = f"recipe:{row['slug']}"
        at = story.base(key, row["days_ago"])
        story.add(at, key, row, lambda world, row=row: world.recipe(row), who=[row["author"]])
        for made in row.get("made_it") or []:
            story.add(
                at + timedelta(days=made["days_after"], minutes=7), f"made:{row['slug']}:{made['author']}", made,
                lambda world, key=key, made=made: world.made(key, made), who=[made["author"]],
            )  # fmt: skip
        _remarks(story, row, key, at)


def tell_tips(story: Story) -> None:
    for row in story.content.tips:
        key = f"tip:{row['slug']}"
        at = story.base(key, row["days_ago"])
        story.add(at, key, row, lambda world, row=row: world.tip(row), who=[row["author"]])
        worked = row.get("worked") or {}
        story.tally(
            at, worked.get("yes", 0), worked.get("no", 0), f"worked:{row['slug']}", row,
            lambda world, yes, no, moments, key=key: world.worked(key, yes, no, moments),
        )  # fmt: skip
        _remarks(story, row, key, at)


def _remarks(story: Story, row: Row, key: str, at: datetime) -> None:
    reports(story, row, key, at)
    for place, comment in enumerate(row.get("comments") or []):
        story.add(
            at + timedelta(days=comment["days_after"], minutes=11 * (place + 1)),
            f"comment:{key}:{place}:{comment['author']}", comment,
            lambda world, key=key, comment=comment: world.comment(key, comment["author"], comment["text"]),
            who=[comment["author"]],
        )  # fmt: skip
    if featured := row.get("featured"):
        story.add(
            at + timedelta(days=row["days_ago"] - featured["days_ago"]), f"featured:{key}", featured,
            lambda world, key=key, featured=featured: world.feature(key, featured),
        )  # fmt: skip


def tell_articles(story: Story) -> None:
    for row in story.content.articles:
        key = f"article:{row['slug']}"
        known, mark = story.told.get(key), digest(row)
        changed = known is not None and known.digest != mark
        at = story.now if changed else story.base(key, row["days_ago"])
        act = lambda world, row=row: world.article(row)  # noqa: E731
        story.facts.append(Fact(at, key, row.where, act, digest=mark))
    related = {row["slug"]: list(row.get("related") or []) for row in story.content.articles}
    newest = max((fact.at for fact in story.facts if fact.kind == "article"), default=story.now)
    # Together and last: an article can be tied to a younger one only when both are there.
    story.facts.append(
        Fact(newest, "related-articles", "help", lambda world: world.relate(related), digest=digest(related))
    )

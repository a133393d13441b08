"""When people join, what they own, and what their shelves are told."""

from __future__ import annotations

from datetime import datetime, timedelta

from ..rows import Row
from .ground import Story, rng


def tell_people(story: Story, opened: datetime) -> None:
    first: dict[str, datetime] = {}
    for fact in story.facts:
        for name in fact.who:
            first[name] = min(first.get(name, fact.at), fact.at)
    reviews = {(row["author"], row["product"]): row for row in story.content.reviews}
    for row in story.content.people:
        name, role = row["username"], row.get("role", "member")
        dice = rng("joined", name)
        if role.startswith("staff"):
            joined = opened + timedelta(days=1)
        else:
            joined = max(
                opened + timedelta(days=2), first.get(name, story.ago(90)) - timedelta(days=dice.uniform(2, 35))
            )
        joined = min(joined, first.get(name, joined) - timedelta(minutes=10))
        joined = story.told[f"person:{name}"].at if f"person:{name}" in story.told else joined
        story.add(joined, f"person:{name}", row, lambda world, row=row: world.join(row))
        owned = set(row.get("owns", []))
        owned |= {slug for who, slug in reviews if who == name and reviews[who, slug]["verified"] != "none"}
        for slug in sorted(owned):
            review = reviews.get((name, slug))
            story.add(
                joined + timedelta(minutes=5), f"shelf:{name}:{slug}", row,
                lambda world, name=name, slug=slug, review=review: world.own(name, slug, review),
            )  # fmt: skip


def tell_shelves(story: Story, opened: datetime) -> None:
    """What the shop and the owners say of things, and what owners are told: nothing before the house is open."""
    soonest = opened + timedelta(days=2)

    def when(key: str, row: Row) -> datetime:
        return max(soonest, story.base(key, row["days_ago"]))

    shelf = story.content.shelf
    for row in shelf.get("orders", []):
        key = f"order:{row['order']}"
        story.add(when(key, row), key, row, lambda world, row=row: world.order(row))
    for row in shelf.get("codes", []):
        key = f"codes:{row['note']}"
        story.add(when(key, row), key, row, lambda world, row=row: world.print_codes(row))
    for row in shelf.get("recalls", []):
        key = f"recall:{row['product']}"
        story.add(when(key, row), key, row, lambda world, row=row: world.recall(row))
    for row in shelf.get("known_issues", []):
        key = f"known_issue:{row['title']}"
        story.add(when(key, row), key, row, lambda world, row=row: world.know_issue(row))
    for row in shelf.get("units", []):
        key = f"unit:{row['person']}:{row['product']}"
        story.add(story.base(key, 0), key, row, lambda world, row=row: world.describe(row))
    for name in shelf.get("asked", []):
        key = f"asked:{name}"
        story.add(story.base(key, 0), key, shelf, lambda world, name=name: world.plan_to_ask(name))

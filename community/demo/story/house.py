"""What must be there before the first guest: brand, departments, products, policies, pages."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from .ground import Act, Fact, Story, digest

OPEN_BEFORE = timedelta(days=45)  # the house is set up before the first guest


def when_opened(story: Story) -> datetime:
    if known := story.told.get("house:brand"):
        return known.at
    return min((fact.at for fact in story.facts), default=story.now) - OPEN_BEFORE


def set_up(story: Story, opened: datetime) -> list[Fact]:
    """What must be there first. Told again when the words of the files change, and then as of now."""
    content, facts = story.content, list[Fact]()

    def put(key: str, said: Any, act: Act, where: str) -> None:
        known, mark = story.told.get(f"house:{key}"), digest(said)
        at = story.now if known and known.digest != mark else opened
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
            lambda world, row=row, place=place: world.set_product(row, place, story.now.date()), row.where,
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
    put("home", [home, content.release_notes], lambda world: world.set_home(home, content.release_notes), home.where)
    for row in content.pages.get("pages", []):
        put(f"page:{row['slug']}", row, lambda world, row=row: world.set_page(row), row.where)
    return facts

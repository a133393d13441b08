"""The desk: when agents work, and known issues."""

from __future__ import annotations

from datetime import datetime, timedelta

from .ground import Story


def tell_desk(story: Story) -> None:
    """Agents: when they work, who is away and who stands in, the filters they keep."""
    for row in story.content.people:
        name = row["username"]
        if not row.get("role", "").startswith("staff:"):
            continue
        if works := row.get("works"):
            at = story.base(f"works:{name}", 60)
            story.add(
                at, f"works:{name}", row, lambda world, name=name, works=works: world.work(name, works), who=[name]
            )  # fmt: skip
        if away := row.get("away"):
            at = story.base(f"off:{name}", away["days_ago"])
            back = story.now + timedelta(days=away["back_in_days"])
            story.add(
                at, f"off:{name}", row,
                lambda world, name=name, away=away, back=back: world.be_off(name, back, away.get("stand_in", "")),
                who=[name, *filter(None, [away.get("stand_in")])],
            )  # fmt: skip
        for kept in row.get("filters", []):
            at = story.base(f"filter:{name}:{kept['name']}", kept["days_ago"])
            story.add(
                at, f"filter:{name}:{kept['name']}", row,
                lambda world, name=name, kept=kept: world.keep_filter(name, kept), who=[name],
            )  # fmt: skip


def tell_incidents(story: Story) -> None:
    """Known faults: gathered threads, lines for everybody, what solved it; each after what it builds on."""
    begun, recalls = {fact.key: fact.at for fact in story.facts}, story.content.shelf.get("recalls", [])
    for row in story.content.incidents:
        slug, opened, banner = row["slug"], row["opened"], row["banner"]
        key, lead = f"incident:{slug}", f"thread:{row['lead_thread']}"
        soonest = begun[lead]
        if row["kind"] == "recall":
            told = [one["days_ago"] for one in recalls if one["product"] in row["products"]]
            soonest = max([soonest, *(story.base(f"recall:{row['products'][0]}", days) for days in told)])
        start = max(story.base(key, opened["days_ago"]), soonest + timedelta(minutes=1))

        def when(days_ago: float, name: str, start: datetime = start) -> datetime:
            return max(story.base(name, days_ago), start)

        story.add(
            start, key, row,
            lambda world, row=row, banner=banner: world.open_incident(row, banner), who=[opened["by"]],
        )  # fmt: skip
        for place, line in enumerate(row.get("timeline", [])):
            name = f"incident-line:{slug}:{place}"
            at = when(line["days_ago"], name) + timedelta(seconds=place + 1)
            story.add(at, name, row, lambda world, key=key, line=line: world.say(key, line), who=[line["by"]])
        for one in row["threads"]:
            name = f"incident-thread:{one['slug']}"
            at = max(when(one["days_ago"], name), begun[f"thread:{one['slug']}"]) + timedelta(seconds=30)
            story.add(at, name, row, lambda world, key=key, one=one: world.gather(key, one), who=[one["by"]])
        if solved := row.get("solved"):
            name = f"incident-solved:{slug}"
            at = when(solved["days_ago"], name) + timedelta(minutes=1)
            story.add(at, name, row, lambda world, key=key, solved=solved: world.solve(key, solved), who=[solved["by"]])

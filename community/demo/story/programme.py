"""Advocates: since when, for what, with which ties; ways in and out; letters, thanks, a ring of votes."""

from __future__ import annotations

from datetime import timedelta

from ..rows import Row
from .ground import Story, rng

LETTERS = 3  # months with letters
THANKFUL = 0.4  # of those an advocate helped


def tell_programme(story: Story) -> None:
    """Advocates: since when, for what, with which ties; who is away, who would like to be one."""
    for row in story.content.people:
        role, name = row.get("role", ""), row["username"]
        if not role.startswith("advocate"):
            continue
        since = story.base(f"advocate:{name}", row.get("advocate_days_ago", 365))
        story.add(since, f"advocate:{name}", row, lambda world, row=row: world.advocate(row), who=[name])
        for tie in row.get("interests", []):
            at = max(since, story.ago(tie["days_ago"])) if f"advocate:{name}" not in story.told else since
            story.add(
                at, f"tie:{name}:{tie['line'][:60]}", row,
                lambda world, name=name, tie=tie: world.declare(name, tie), who=[name],
            )  # fmt: skip
        if away := row.get("away"):
            at = story.base(f"away:{name}", away["days_ago"])
            back = story.now + timedelta(days=away["back_in_days"])
            story.add(
                at, f"away:{name}", row,
                lambda world, name=name, away=away, back=back: world.go_away(
                    name, back, away.get("note", ""), away.get("stand_in", "")
                ),
                who=[name],
            )  # fmt: skip

    _ways_in(story)
    _ring(story)
    _letters_and_thanks(story)


def _ways_in(story: Story) -> None:
    """The code of conduct, applications with their trials, who left with honours."""
    told = story.content.programme
    if code := told.get("code"):
        at = story.base("code", code["days_ago"])
        story.add(at, "code", code, lambda world: world.publish_code(code["body"], code["what_changed"]))
        for row in story.content.people:
            name = row["username"]
            if row.get("role") == "advocate" and name not in code.get("not_yet", []):
                accepted = story.somewhen(at, "code", name)
                key = f"code-accepted:{name}"
                story.add(accepted, key, code, lambda world, name=name: world.accept_code(name), who=[name])
    for row in told.get("applications", []):
        name = row["username"]
        at = story.base(f"applied:{name}", row["days_ago"])
        if by := row.get("invited_by"):
            story.add(
                at - timedelta(days=1), f"invited:{name}", row,
                lambda world, row=row, by=by: world.invite(row["username"], by, row["products"]), who=[name],
            )  # fmt: skip
        story.add(at, f"applied:{name}", row, lambda world, row=row: world.apply(row["username"], row), who=[name])
        if answers := row.get("answers"):
            story.add(
                at + timedelta(hours=5), f"trial:{name}", row,
                lambda world, name=name, answers=answers: world.answer_trial(name, answers), who=[name],
            )  # fmt: skip
        for said in row.get("judged", []):
            story.add(
                at + timedelta(days=said["days_after"]), f"judged:{name}:{said['place']}", row,
                lambda world, name=name, said=said: world.judge(name, said["place"], said["helps"], said["note"]),
            )  # fmt: skip
        if decided := row.get("decided"):
            story.add(
                at + timedelta(days=decided["days_after"]), f"decided:{name}", row,
                lambda world, name=name, to=decided: world.decide_application(name, to["by"], to["reason"]),
            )  # fmt: skip
    for row in told.get("former", []):
        name = row["username"]
        joined = story.base(f"advocate:{name}", row["joined_days_ago"])
        was = Row({**row, "role": "advocate", "expertise": row["products"]})
        was.file, was.line = row.file, row.line
        story.add(joined, f"advocate:{name}", was, lambda world, was=was: world.advocate(was), who=[name])
        story.add(
            story.base(f"left:{name}", row["left_days_ago"]), f"left:{name}", row,
            lambda world, row=row: world.leave(row["username"], row["by"], row.get("farewell", "")),
        )  # fmt: skip


def _ring(story: Story) -> None:
    """Some who vote for a person and not for posts, an evening each; and the look the night after."""
    row, told = story.content.programme.get("ring"), story.content.programme
    if not row:
        return
    for place, name in enumerate(row["voters"]):
        story.add(
            story.base(f"ring:{name}", row["days_ago"] - place), f"ring:{name}", told,
            lambda world, name=name: world.cheer_on(name, row["for"], row["votes"]), who=[name, row["for"]],
        )  # fmt: skip
    at = story.base("ring-look", row["days_ago"] - len(row["voters"]))
    story.add(at, "ring-look", told, lambda world: world.look_for_rings())


def _letters_and_thanks(story: Story) -> None:
    """The letters of the last months, and a line from some who were helped by an advocate.

    Letters are written at the end, as of their day: readings by day are told then, too (`_Thread.readings`).
    """
    lines = story.content.programme.get("thanks", [])
    if not lines:
        return
    first = story.now.replace(day=1, hour=6, minute=0, second=0, microsecond=0)
    days = [first]
    while len(days) < LETTERS:
        days.append((days[-1] - timedelta(days=2)).replace(day=1))
    for begins in reversed(days):
        before = (begins - timedelta(days=2)).date().replace(day=1)
        key = f"letters:{before:%Y-%m}"
        story.add(
            story.base(key, 0), key, story.content.programme,
            lambda world, month=before, at=begins: world.letters(month, at),
        )  # fmt: skip
    advocates = {row["username"] for row in story.content.people if row.get("role") == "advocate"}
    for row in story.content.threads:
        for answer in row.get("answers") or []:
            name, slug = answer["author"], row["slug"]
            if not (answer.get("accepted") and name in advocates and name != row["author"]):
                continue
            if row.get("hidden") or answer.get("hidden") or rng("thanks", slug).random() > THANKFUL:
                continue
            start = story.base(f"thread:{slug}", row["days_ago"])
            at = start + timedelta(minutes=answer["accepted"], hours=3)
            words = rng("thanks", slug, "words").choice(lines)
            story.add(
                at, f"thanks:{slug}", row,
                lambda world, key=f"answer:{slug}:{name}", words=words: world.thank(key, {"words": words}),
                who=[row["author"]],
            )  # fmt: skip

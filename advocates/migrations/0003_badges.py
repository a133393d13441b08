"""Badges to begin with; the brand changes them and adds its own in the admin."""

from django.db import migrations


def rule(event, to="author", count="things", when=(), threshold=1):
    return {
        "event": event,
        "to": to,
        "count": count,
        "when": [list(one) for one in when],
        "threshold": threshold,
        "window_days": None,
    }


SCORED = (("answer.score", ">=", 1),)
UP = (("vote.value", "is", 1),)
BADGES = [
    (
        "first-question",
        "First Question",
        "bronze",
        "asking",
        "You asked a question that somebody else found worth a vote.",
        rule("thread.voted", when=(("thread.kind", "is", "question"), ("thread.score", ">=", 1))),
        "",
    ),
    (
        "good-question",
        "Good Question",
        "bronze",
        "asking",
        "One of your questions was voted up by 10 people.",
        rule("thread.voted", count="people", when=UP, threshold=10),
        "thread",
    ),
    (
        "first-answer",
        "First Answer",
        "bronze",
        "answering",
        "You gave an answer that somebody else voted up.",
        rule("answer.voted", when=SCORED),
        "",
    ),
    (
        "five-answers",
        "Five Answers",
        "bronze",
        "answering",
        "Five of your answers were each voted up.",
        rule("answer.voted", when=SCORED, threshold=5),
        "",
    ),
    (
        "good-answer",
        "Good Answer",
        "bronze",
        "answering",
        "One of your answers was voted up by 10 people.",
        rule("answer.voted", count="people", when=UP, threshold=10),
        "answer",
    ),
    (
        "solved-it",
        "Solved It",
        "bronze",
        "answering",
        "An answer of yours was accepted by the person who asked.",
        rule("answer.accepted", when=(("accepted_by", "is", "asker"), ("asker", "is not", "author"))),
        "",
    ),
    (
        "it-held",
        "It Held",
        "silver",
        "lasting",
        "Ten of your fixes were confirmed as still working after three days.",
        rule("follow_up.answered", when=(("follow_up.answer", "is", "yes"),), threshold=10),
        "",
    ),
    (
        "good-review",
        "Good Review",
        "bronze",
        "reviews",
        "One of your reviews was found helpful by 10 people.",
        rule("review.found_helpful", count="people", when=(("helpful", "is", True),), threshold=10),
        "review",
    ),
    (
        "cook",
        "Cook",
        "bronze",
        "kitchen",
        "Somebody else made a recipe of yours.",
        rule("recipe.made", count="people"),
        "",
    ),
    (
        "handy",
        "Handy",
        "bronze",
        "kitchen",
        "A tip of yours worked for 10 people.",
        rule("tip.worked", count="people", when=(("worked", "is", True),), threshold=10),
        "tip",
    ),
    (
        "scout",
        "Scout",
        "bronze",
        "care",
        "Five of your flags were confirmed by a moderator.",
        rule("flag.upheld", to="actor", threshold=5),
        "",
    ),
]


def add_badges(apps, schema_editor):
    badge = apps.get_model("advocates", "Badge")
    for position, (slug, name, level, area, sentence, award, per) in enumerate(BADGES):
        badge.objects.get_or_create(
            slug=slug,
            defaults={
                "name": name,
                "level": level,
                "area": area,
                "rule": sentence,
                "award": award,
                "event": award["event"],
                "awarded": "many" if per else "once",
                "per": per,
                "position": position,
            },
        )


class Migration(migrations.Migration):
    dependencies = [("advocates", "0002_ranks")]
    operations = [migrations.RunPython(add_badges, migrations.RunPython.noop)]

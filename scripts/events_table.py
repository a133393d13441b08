"""Writes the table of events in docs/architecture.md from what is really registered."""

import os
import re
import sys
from pathlib import Path

import django

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- events -->", "<!-- /events -->"
# Which room records the kinds that begin so.
RECORDED_BY = {
    "person": "accounts", "department": "accounts",
    "thread": "questions", "answer": "questions", "follow_up": "questions",
    "idea": "questions", "edit": "questions", "comment": "posts", "follow": "posts", "flag": "moderation",
    "look": "moderation", "appeal": "moderation", "queue": "moderation", "spammer": "moderation",
    "penalty": "accounts", "word": "moderation", "profile": "moderation",
    "share": "posts", "tag": "posts",
    "review": "reviews", "recipe": "sharing", "tip": "sharing", "product": "products", "ownership": "products",
    "alert": "products",
    "help_article": "pages", "advocate": "advocates", "badge": "advocates",
    "votes": "advocates", "escalation": "escalation",
    "incident": "escalation", "bridge": "bridges",
    "letter": "advocates", "thanks": "advocates",
    "insights": "insights", "settings": "audit", "admin": "audit", "personal": "any room", "data": "events",
    "command": "any room", "moderation": "moderation", "policy": "escalation", "release": "bridges",
}  # fmt: skip


def table() -> str:
    """The table as Markdown: kind, what happened, who records it, who hears it."""
    from community.events.kinds import KINDS
    from community.events.log import listeners_of

    lines = ["| kind | what happened | recorded by | heard by |", "|---|---|---|---|"]
    for kind, what in KINDS.items():
        rooms = {listener.__module__.removeprefix("community.").split(".")[0] for listener in listeners_of(kind)}
        recorder = (
            "moderation" if kind.endswith((".hidden", ".restored", ".deleted")) else RECORDED_BY[kind.split(".")[0]]
        )
        lines.append(f"| `{kind}` | {what} | {recorder} | {', '.join(sorted(rooms))} |")
    return "\n".join(lines)


def written(page: str) -> str:
    """The page with today's table between its marks."""
    return re.sub(f"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n{table()}\n{END}", page, flags=re.DOTALL)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "community.settings.test")
    django.setup()
    PAGE.write_text(written(PAGE.read_text()))

"""What ties an author to the brand, as it stands beside what they wrote: on pages, in feeds, for machines, in mails."""

import re
from typing import Any


def beside(author: Any, at: Any, disclosure: str = "") -> list[str]:
    """What tied somebody to the brand when they wrote something, each said once: what stands with the post, then what
    else they declared for that day. No query: the ties are copied to the person (`User.ties`)."""
    interests = author.ties_on(at) if author is not None and not author.is_erased else ""
    said = _same(disclosure)
    further = [line for line in re.split(r"(?<=[.!?])\s+", interests or "") if line and _same(line) not in said]
    return [line for line in (disclosure, " ".join(further)) if line]


def in_a_line(author: Any, at: Any, disclosure: str = "") -> str:
    """The same as one text, for feeds, machines and mails."""
    return " ".join(line if line[-1] in ".!?" else f"{line}." for line in beside(author, at, disclosure))


def known_of(author: Any, at: Any, disclosure: str = "") -> dict[str, str]:
    """What stands beside the name of an author in structured data: schema.org has no word for a tie to a brand."""
    line = in_a_line(author, at, disclosure)
    return {"description": line} if line else {}


def _same(words: str) -> str:
    return " ".join((words or "").lower().split()).rstrip(".!?")

"""From what the files say to what happened when: one timeline of facts.

A fact has a moment, a key that names it for ever, and a function that makes it so. Days count back from the moment of
the first telling; what belongs to a thing that has been told already counts from there, so that a later release of the
files adds to a story and doesn't shift it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ..models import Told
from ..rows import Content
from .desk import tell_desk, tell_incidents
from .ground import Fact, Story
from .house import set_up, when_opened
from .people import tell_people, tell_shelves
from .programme import tell_programme
from .reviews import tell_releases, tell_reviews
from .sharing import tell_articles, tell_recipes, tell_tips
from .threads import tell_threads

__all__ = ["Fact", "timeline"]


def timeline(content: Content, now: datetime, told: Mapping[str, Told] | None = None) -> list[Fact]:
    """All that the files tell, up to now, in order; `told` are the facts told before. What lies ahead is told by a
    later run."""
    story = Story(content, now, told or {})
    tell_reviews(story)
    tell_threads(story)
    tell_recipes(story)
    tell_tips(story)
    tell_articles(story)
    tell_programme(story)
    tell_incidents(story)
    tell_releases(story)
    tell_desk(story)
    opened = when_opened(story)
    tell_people(story, opened)
    tell_shelves(story, opened)
    house = set_up(story, opened)
    facts = [*house, *sorted(story.facts, key=lambda fact: fact.at)]
    facts.sort(key=lambda fact: fact.at)
    return [fact for fact in facts if fact.at <= now]

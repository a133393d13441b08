"""Badges: rules as data, judged on what stands now.

A rule counts **standing facts**: votes that were not undone, on posts that are still shown. So a badge is a function
of the rows: when its ground falls away it is taken back, a rebuild gives the same, and nobody misses one for having
been early. The events only say when to look again, and at whom.

The language (demo/badges.yaml explains it to people):

    event        kind of event that makes us look again; also names what is counted (SOURCES below)
    to           author: of the thing judged; actor: who did it
    count        things: different posts; people: different others; events: everything
    when         [field, operator, value]s that must all hold; is, is not, >=, >, <=, <
    threshold    how many
    window_days  within how many days, or null
    people       optional: who the different people are, when not those who judged: author of a thread

Kinds of rooms above this one have no rows here: the log itself is counted then, with the person named by `author`
(or `actor`) in the event's data.

A badge says whether it is `kept`: those for what others think of a post go when that falls; those for what somebody did
and others confirmed stay, whatever becomes of the post.

    sources    what is counted                 judging   who has grounds
    language   what a rule may say             giving    giving and taking
    listening  when to look, and at whom       sweep     over the whole history, in steps
    reading    who would get one, who is near  drawings  how it looks
"""

from .drawings import GLYPHS, OF_AREA
from .giving import award_badges, copy_counts, look, recount_all
from .judging import grounds
from .language import BY_HAND, MOST_BY_HAND, OPERATORS, SHORTEST_REASON, check_award
from .listening import forget, hear, people_of
from .reading import Preview, Progress, TooSlow, nearest, preview, progress
from .sources import HEARD, SOURCES
from .sweep import dry_run, sweep

__all__ = [
    "BY_HAND", "GLYPHS", "HEARD", "MOST_BY_HAND", "OF_AREA", "OPERATORS", "SHORTEST_REASON", "SOURCES", "Preview",
    "Progress", "TooSlow", "award_badges", "check_award", "copy_counts", "dry_run", "forget", "grounds", "hear", "look",
    "nearest", "people_of", "preview", "progress", "recount_all", "sweep",
]  # fmt: skip

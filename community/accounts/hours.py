"""A department's business hours in words, as the foot of every page shows them (docs/decisions/0275)."""

import re
from collections.abc import Mapping, Sequence

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _

Hours = Mapping[str, Sequence[Sequence[str]]]
NO_WORD = re.compile(r"[\W_]+")


def in_words(hours: Hours, time_zone: str) -> str:
    """`Mon–Fri 08:00–18:00; Sat 09:00–13:00 (Berlin)` in the reader's language: neighbouring days that keep the same
    hours together, with the city of the zone in which they count. Empty without hours."""
    runs: list[tuple[int, int, str]] = []
    for day in range(7):
        spans = ", ".join(f"{opens}–{closes}" for opens, closes in sorted(map(tuple, hours.get(str(day), ()))))
        if runs and runs[-1][1] == day - 1 and runs[-1][2] == spans:
            runs[-1] = (runs[-1][0], day, spans)
        elif spans:
            runs.append((day, day, spans))
    words = "; ".join(f"{_days(first, last)} {spans}" for first, last, spans in runs)
    city = time_zone.rpartition("/")[2].replace("_", " ")
    return _("%(hours)s (%(city)s)") % {"hours": words, "city": city} if words and city else words


def _days(first: int, last: int) -> str:
    return f"{WEEKDAYS_ABBR[first]}–{WEEKDAYS_ABBR[last]}" if last > first else str(WEEKDAYS_ABBR[first])


def is_the_same(words: str, hours: Hours) -> bool:
    """Whether an editor's words only repeat the hours, whatever stands between them."""
    return _bare(words) == _bare(in_words(hours, ""))


def _bare(words: str) -> str:
    return NO_WORD.sub("", words).casefold()

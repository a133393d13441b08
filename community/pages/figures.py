"""Figures on the front page: counted every hour from the rows of the threads, kept in one row, said with how.

What the insights of a manager say in depth stands elsewhere; these are the few that anybody may hold us to.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from django.db.models import Exists, F, OuterRef, Q

from community.core import clock
from community.escalation.models import Escalation, PauseCause
from community.questions.models import Kind, Thread

from .models import PublicFigures

DAYS = 365
FEWEST = 10  # a share of fewer says nothing


@dataclass(frozen=True)
class Counted:
    """Of the questions and problems asked here in the last 12 months, imported ones and second askings left out."""

    asked: int
    answered: int
    first_reply_seconds: int | None
    solved: int
    settled_at_once: int


def count(now: datetime) -> Counted:
    """Three counts and the times to the first reply.

    *Answered*: somebody other than the asker has. *First reply*: from the question to that answer, the middle one of
    all. *Settled at once*: of those solved in the period, the first answer was the solution, and nobody reopened it.
    """
    since = now - timedelta(days=DAYS)
    mine = Thread.objects.visible().filter(kind__in=[Kind.QUESTION, Kind.PROBLEM], source="", duplicate_of=None)
    asked = mine.filter(created_at__gt=since, created_at__lte=now)
    replies = list(asked.exclude(first_reply_at=None).values_list("created_at", "first_reply_at").iterator())
    solved = mine.filter(solved_at__gt=since, solved_at__lte=now)
    at_once = solved.filter(reopened_at=None, leading_solution__created_at__lte=F("first_reply_at"))
    seconds = [int((replied - posted).total_seconds()) for posted, replied in replies]
    return Counted(
        asked=asked.count(),
        answered=len(replies),
        first_reply_seconds=int(median(seconds)) if seconds else None,
        solved=solved.count(),
        settled_at_once=at_once.count(),
    )


def recount() -> None:
    """Sweep: put the figures of this hour in the place of the last."""
    now = clock.now()
    found = {"counted_at": now, "open_since": open_longest(), **vars(count(now))}
    PublicFigures.objects.update_or_create(pk=1, defaults=found)


def open_longest() -> datetime | None:
    """Since when the oldest question or problem has been open that waits for us, and not for whoever asked.

    It waits for us while nobody has answered; when the asker wrote last, or opened it again since the last reply; and
    while staff have it in hand. After an answer that somebody only has to judge it waits for them, however long.
    """
    ours = Q(first_reply_at=None) | Q(asker_spoke_at__gt=F("replied_at")) | Q(reopened_at__gt=F("replied_at"))
    case = Escalation.objects.open().filter(thread=OuterRef("pk"))
    in_hand = case.filter(acknowledged_at__isnull=False).exclude(pause_cause=PauseCause.CUSTOMER)
    return (
        Thread.objects.visible()
        .filter(kind__in=[Kind.QUESTION, Kind.PROBLEM], source="", duplicate_of=None, needs_info_since=None)
        .filter(Q(official_at=None) | Exists(case))  # a word of the asker's opens it again (decision 0235)
        .filter(solved_at=None, closed_at=None, locked_at=None)
        .filter(ours | Exists(in_hand))
        .order_by("created_at")
        .values_list("created_at", flat=True)
        .first()
    )

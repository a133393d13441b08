"""What came of a problem that a review tells of: read from the facts of its thread, copied onto the review.

The review's page and every list show the copy (`Review.outcome`), so that a hundred reviews cost no query. Whoever
changes it holds the thread's row first and the review's after: a thread that is solved at the same moment as its author
agrees to show it leaves the right words, whoever comes first.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.urls import reverse

from community.questions.models import Thread
from reviews.models import Review

from .models import Bridge

MOST_HOPS = 5  # a duplicate of a duplicate; nobody needs more, and a circle must end


def where_it_stands(thread: Thread) -> Thread:
    """The thread that deals with it now: the original of a duplicate, what it was merged into."""
    for _hop in range(MOST_HOPS):
        further = thread.merged_into or thread.duplicate_of
        if further is None:
            break
        thread = further
    return thread


def told(bridge: Bridge) -> dict[str, Any]:
    """What the review may say: nothing unless its author agreed and everybody can read the thread."""
    if bridge.state != Bridge.State.AGREED or not bridge.show_outcome or bridge.thread is None:
        return {}
    thread = where_it_stands(bridge.thread)
    if not thread.is_visible:
        return {}
    found: dict[str, Any] = {"url": reverse("questions:short", args=[thread.pk]), "state": _state(thread)}
    if found["state"] == "solved":
        found |= {"days": _days(bridge.decided_at, thread.solved_at), "recheck": thread.recheck_at is not None}
    return found


def _state(thread: Thread) -> str:
    if thread.solved_at:
        return "solved"
    if thread.closed_at:
        return "closed"
    return "reopened" if thread.reopened_at else "open"


def _days(raised: datetime | None, solved: datetime | None) -> int | None:
    """Days from raising to solving, to the nearest; none when it was solved before."""
    if raised is None or solved is None or solved < raised:
        return None
    spent = (solved - raised) / timedelta(days=1)
    return 0 if spent < 1 else round(spent)


def tell(thread: Thread) -> None:
    """Bring the reviews tied to a thread in line with it. Runs in the transaction of the change."""
    bridges = Bridge.objects.filter(
        Q(thread=thread.pk)
        | Q(thread__merged_into=thread.pk)
        | Q(thread__duplicate_of=thread.pk)
        | Q(thread__merged_into__duplicate_of=thread.pk),
        state=Bridge.State.AGREED,
    ).select_related("thread__merged_into", "thread__duplicate_of")
    for bridge in bridges.order_by("review_id"):
        tell_review(bridge)


def tell_review(bridge: Bridge) -> None:
    now = told(bridge)
    Review.objects.filter(pk=bridge.review_id).exclude(outcome=now).update(outcome=now)

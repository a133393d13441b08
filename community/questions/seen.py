"""When somebody was last in a thread, so that a list and its page can say what is new (docs/decisions/0107).

A view is not worth a write: a row is written when somebody comes for the first time, and later only when something
came since they were there. What is new stays marked for the length of a visit, through votes and reloads.
"""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Count, Q, Subquery, Value
from django.db.models.functions import Coalesce

from community.core import clock
from community.posts.models import Comment

from .models import Answer, Seen, Thread

VISIT = timedelta(minutes=30)
KEPT = timedelta(days=400)  # a thread nobody came back to for so long is as good as never seen


def visit(thread: Thread, user: Any) -> datetime | None:
    """Note that somebody is here now. Returns since when things are new to them, None on a first visit.

    `thread` comes from `seen_by(user)`.
    """
    if not user.is_authenticated:
        return None
    now, at = clock.now(), thread.my_seen  # type: ignore[attr-defined]
    if at is None:
        _write(user, thread, now, None)
        return None
    still_here = now - at < VISIT
    since = (thread.my_seen_before or at) if still_here else at  # type: ignore[attr-defined]
    if thread.active_at > at:
        _write(user, thread, now, since)
    return since


def _write(user: Any, thread: Thread, at: datetime, before: datetime | None) -> None:
    Seen.objects.bulk_create(
        [Seen(user=user, thread=thread, at=at, before=before)],
        update_conflicts=True,
        unique_fields=["user", "thread"],
        update_fields=["at", "before"],
    )


def with_new(rows: Any, thread: Thread, since: datetime | None, user: Any) -> Any:
    """The answers of a page (or its comments, where there is no answer), each with `new_count` and `first_new` of the
    answers of the whole thread, and `new_comments` and `first_new_comment`: no query of their own. As they are when
    nothing is new."""
    if since is None or thread.active_at <= since:
        return rows
    new = Answer.objects.filter(thread=thread).visible().since(since).exclude(author=user)
    of_thread, of_answer = (ContentType.objects.get_for_model(model) for model in (Thread, Answer))
    answers = Answer.objects.filter(thread=thread).visible().values("pk")
    said = (
        Comment.objects.visible()
        .filter(
            Q(target_type=of_thread, target_id=thread.pk) | Q(target_type=of_answer, target_id__in=answers),
        )
        .exclude(author=user)
        .annotate(all=Value(1), online_at=Coalesce("published_at", "created_at"))
        .filter(online_at__gt=since)
    )
    return rows.annotate(
        new_count=Coalesce(Subquery(_number(new, "thread")), 0),
        first_new=Subquery(new.order_by("came_at", "pk").values("pk")[:1]),
        new_comments=Coalesce(Subquery(_number(said, "all")), 0),
        first_new_comment=Subquery(said.order_by("online_at", "pk").values("pk")[:1]),
    )


def _number(rows: Any, alike: str) -> Any:
    """How many rows there are, all of them alike in one column, as a part of another query."""
    return rows.order_by().values(alike).annotate(n=Count("pk")).values("n")


def sweep() -> int:
    """Forget old visits; returns how many."""
    gone, _kinds = Seen.objects.filter(at__lt=clock.now() - KEPT).delete()
    return gone

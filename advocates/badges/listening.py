"""Hearing what happened: at whom to look again, and at which badges."""

import time
from typing import Any

from community.accounts.models import User
from community.events.models import Event
from community.moderation.models import Flag
from community.posts.models import Revision
from community.questions.models import Answer, AnswerVote, FollowUp, Thread, WorksForMine
from products.models import Ownership
from reviews.models import Chapter

from .. import totals
from ..models import Badge
from .giving import look
from .judging import people_in_log
from .sources import LATER_ROOMS, RELATED

# Badges change a few times a year and events come a thousand times a minute, so each process remembers them for some
# seconds. A badge made elsewhere meanwhile is judged over the whole history anyway, and again every night.
REMEMBERED_FOR = 10.0
_remembered: tuple[float, list[Badge]] | None = None


def forget() -> None:
    """A badge was made, changed or retired: read them anew."""
    global _remembered
    _remembered = None


def listening_to(kind: str) -> list[Badge]:
    """The badges an event of this kind can make or break. Without a query most of the time."""
    global _remembered
    known = _remembered
    if known is None or time.monotonic() - known[0] > REMEMBERED_FOR:
        known = _remembered = (time.monotonic(), list(Badge.objects.filter(by_hand=False)))
    kinds = {kind, *RELATED.get(kind, ())}
    return [badge for badge in known[1] if badge.event in kinds]


def hear(event: Event) -> None:
    """Look again at whoever an event concerns, and at the badges that it can make or break."""
    running = totals.batch()
    if running is not None:
        running.jobs["badges"].update(people_of(event))
        return
    badges = listening_to(event.kind)
    if badges:
        people = getattr(event, "held", None)
        chosen = sorted(people_of(event) if people is None else people)
        look(badges, chosen, gains_only=_only_gains(event), held=people is not None)


def _only_gains(event: Event) -> bool:
    if event.kind.endswith(".voted"):
        return event.data.get("value", 0) > 0
    return event.kind == "thread.me_too" and event.data.get("on") is True


def people_of(event: Event) -> set[int]:
    """Whose badges an event can change."""
    if event.kind in LATER_ROOMS:
        return {*people_in_log(event, "author"), *people_in_log(event, "actor")}
    subject: Any = event.subject
    found: set[int | None] = {event.actor_id}
    if isinstance(subject, Thread):
        found.add(subject.author_id)
        if event.kind.partition(".")[2] in ("hidden", "restored", "deleted", "reopened"):
            found.update(Answer._base_manager.filter(thread=subject).values_list("author", flat=True))
        if event.kind == "thread.merged":
            # Rows moved: whose posts they are about, and who cast those that fell away.
            found.add(subject.merged_into.author_id)  # type: ignore[union-attr]
            found.update(Answer._base_manager.filter(thread=subject.merged_into_id).values_list("author", flat=True))
            for name in ("votes", "votes_dropped", "me_toos", "me_toos_dropped"):
                found.update(event.data[name])
            for model in (AnswerVote, WorksForMine):
                found.update(model.objects.filter(target__in=event.data["answers"]).values_list("voter", flat=True))
    elif isinstance(subject, Answer):
        found |= {subject.author_id, subject.thread.author_id}
    elif isinstance(subject, Flag):
        found = {subject.reporter_id}
    elif isinstance(subject, Ownership):
        found = set(
            WorksForMine.objects.filter(voter=subject.owner_id, target__thread__product=subject.product_id).values_list(
                "target__author", flat=True
            )
        )
    elif isinstance(subject, Revision):  # a suggested edit was taken over
        found.add(subject.editor_id)
    elif isinstance(subject, User):  # who shared the link somebody came by
        found.add(subject.pk)
    elif isinstance(subject, Chapter | FollowUp):
        found.add(subject.review.author_id if isinstance(subject, Chapter) else subject.answer.author_id)
    else:
        found.add(getattr(subject, "author_id", None))
    return {person for person in found if person is not None}

"""What this room hears: judgement becomes points, points become ranks and boards, conduct becomes trust.

All of it in the transaction of the cause, in replays too. Points come first: badges and trust read the ledger.
"""

from typing import Any

from community.accounts.models import Standing, TrustLevel, User
from community.events.log import hold_before, listen, record
from community.events.models import Event

from . import badges, boards, queue, reputation, services, totals, trust
from .models import Award


@hold_before(*sorted({*reputation.HEARD, *badges.HEARD}))
def hold_everybody(event: Event) -> None:
    """Lock all whose points or badges an event can change, in id order and before anything else: two who vote for
    each other would otherwise hold one and wait for the other."""
    if totals.batch() is None:  # nobody competes with a batch
        people = badges.people_of(event) | reputation.people_of(event)
        event.held = totals.hold(people)  # type: ignore[attr-defined]


@listen(*reputation.HEARD)
def count_points(event: Event) -> None:
    reputation.hear(event)


@listen(*badges.HEARD)
def look_at_badges(event: Event) -> None:
    badges.hear(event)


@listen("person.joined")
def begin_at_the_first_rank(event: Event) -> None:
    person: Any = event.subject
    running = totals.batch()
    if running is not None:
        running.people.add(person.pk)
    else:
        totals.rename_by_rank([person.pk])
        person.refresh_from_db(fields=["rank_name", "rank_picture"])


@listen("person.role_changed")
def change_sides(event: Event) -> None:
    """Staff hold no rank, no badges and no place; somebody who leaves the brand comes back to their own."""
    person: Any = event.subject
    if event.data.get("role") and services.end_membership(person):
        record("advocate.left", actor=event.actor, subject=person)
    totals.forget(person.pk)
    running = totals.batch()
    if running is not None:
        running.people.add(person.pk)
        running.jobs["badges"].add(person.pk)
        return
    boards.relist(person)
    totals.rename_by_rank([person.pk])
    badges.award_badges([person.pk])


@listen("person.erased", "person.merged")
def end_an_account(event: Event) -> None:
    """Who has left, or is somebody else now, has no rank, no badges and no place. Runs after the ledger has heard."""
    gone, kept = event.subject_id, event.data.get("into")
    totals.forget(gone)
    people = {gone} if kept is None else {gone, kept, *reputation.judged_by(kept)}
    running = totals.batch()
    if running is not None:
        running.people |= {gone, kept} - {None}
        running.jobs["badges"] |= people
        return
    person: Any = event.subject
    boards.relist(person)
    totals.rename_by_rank({gone, kept} - {None})
    if kept is None:
        Award.objects.filter(person=gone).delete()  # those by hand, too
    badges.award_badges(sorted(people))
    badges.copy_counts({gone, kept} - {None})
    if kept is not None:
        trust.evaluate(User.objects.get(pk=kept))


@listen("person.suspended", "person.restored", "person.silenced", "person.listing_changed")
def leave_or_join_boards(event: Event) -> None:
    person: Any = event.subject
    totals.forget(person.pk)
    running = totals.batch()
    if running is not None:
        running.people.add(person.pk)
        return
    boards.relist(person)
    if event.kind == "person.silenced":
        trust.evaluate(person)


@listen(
    "thread.posted",
    "answer.posted",
    "comment.posted",
    "review.published",
    "recipe.published",
    "tip.published",
    "thread.voted",
    "answer.voted",
    "answer.accepted",
    "review.found_helpful",
)
def newcomers_grow(event: Event) -> None:
    """Newcomers are looked at as they go; everybody else once a day."""
    subject: Any = event.subject
    _evaluate(subject.author_id, below=TrustLevel.MEMBER)


@listen("flag.upheld")
def trouble_counts(event: Event) -> None:
    subject: Any = event.subject
    author = getattr(subject.target, "author_id", None)
    if author is not None:
        _evaluate(author)


def _evaluate(person_id: int, below: int | None = None) -> None:
    running = totals.batch()
    if running is not None:
        running.jobs["trust"].add(person_id)
        return
    people = User.objects.filter(pk=person_id)
    if below is not None:
        people = people.filter(trust__lt=below)
    person = people.first()
    if person is not None:
        trust.evaluate(person)


@totals.at_end_of_batch
def _evaluate_batch(batch: totals.Batch) -> None:
    people = User.objects.filter(pk__in=batch.jobs.pop("trust", set())).order_by("pk")
    trust.evaluate_all(people)


@listen("answer.posted")
def what_was_asked_is_done(event: Event) -> None:
    """Of an advocate: who asked them knows, what a pass taught is forgotten, their rhythm is kept."""
    answer: Any = event.subject
    if answer.author.standing == Standing.ADVOCATE:
        queue.answered(answer.thread, answer.author_id, event.occurred_at)

"""Taking back what somebody judged when they leave, or had two accounts. No gate asks them: they aren't there."""

from typing import Any

from community.accounts.models import User
from community.core.rows import locked, retried
from community.events.log import record

from ..models import Answer, AnswerVote, MeToo, Thread, ThreadVote, WorksForMine
from .judging import _cast, _count_works, _facts_of, _held, _kind_of


@retried
def take_judgements_back(voter: User) -> int:
    """All votes, me-toos and "works for mine" of somebody; scores, counts and points follow. Returns how many."""
    taken = 0
    for model in (ThreadVote, AnswerVote):
        for vote in model.objects.filter(voter=voter).select_related("target").order_by("target"):
            row = _held(vote.target)
            _cast(row, row.votes, voter, 0, _kind_of(row), **_facts_of(row))
            taken += 1
    for me_too in MeToo.objects.filter(voter=voter).select_related("target").order_by("target"):
        taken += take_me_too_out(me_too.target, voter, voter)
    for said in WorksForMine.objects.filter(voter=voter).select_related("target__thread").order_by("target"):
        taken += take_works_out(said.target, voter, voter)
    return taken


@retried
def take_me_too_out(thread: Thread, voter: User, by: User) -> bool:
    """False when there is none."""
    row = locked(thread)
    gone, _each = MeToo.objects.filter(target=row, voter=voter).delete()
    if not gone:
        return False
    row.me_too_count -= 1
    row.save(update_fields=["me_too_count"])
    record("thread.me_too", actor=voter, subject=row, on=False, kind=row.kind, **_taken_out(voter, by))
    return True


@retried
def take_works_out(answer: Answer, voter: User, by: User) -> bool:
    """False when there is nothing they said about it."""
    row = locked(answer)
    said = WorksForMine.objects.filter(target=row, voter=voter).first()
    if said is None:
        return False
    said.delete()
    _count_works(row)
    record(
        "answer.works_for_mine", actor=voter, subject=row, works=None, previous=said.works, thread=row.thread_id,
        owner=True, **_taken_out(voter, by),
    )  # fmt: skip
    return True


def _taken_out(voter: User, by: User) -> dict[str, Any]:
    return {} if by == voter else {"taken_out_by": by.pk}

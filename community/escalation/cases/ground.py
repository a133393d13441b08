"""What every verb needs: holding a case, its rungs, its history, what others hear of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from community.accounts.models import User
from community.core import clock, gathering
from community.events.log import record
from community.questions.models import Kind, Thread

from .. import stage
from ..models import (
    Escalation,
    EscalationStep,
    Reach,
)

Cause, Phase, State = Escalation.Cause, Escalation.Phase, Escalation.State
SOLVABLE = (Kind.QUESTION, Kind.PROBLEM)
Rung = tuple[float, str, str, str]  # hours, kind, note, channel
OWN = Reach.OWN.value


def held(thread: Thread | int) -> Escalation | None:
    """The case of a thread, held until the transaction ends; None when it has none."""
    pk = thread if isinstance(thread, int) else thread.pk
    if (played := stage.here()) is not None:
        return played.case if played.case is not None and played.case.thread_id == pk else None
    return (
        Escalation.objects.select_for_update(of=("self",), no_key=True)
        .select_related("thread", "department", "policy", "assignee")
        .filter(thread=pk)
        .first()
    )


def keep(case: Escalation) -> None:
    if stage.here() is None:
        gathering.keep(case)


def due_of(row: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(row["due"])


def waiting(case: Escalation) -> list[dict[str, Any]]:
    """Rungs that have not fired, in the order in which they will."""
    return sorted((row for row in case.ladder if not row["fired"]), key=lambda row: (row["due"], row["position"]))


def next_kind(case: Escalation) -> str:
    """What the rung whose turn it is does; empty when none waits."""
    return next((str(row["kind"]) for row in waiting(case)), "")


def announce(case: Escalation, kind: str, by: User | None = None, note: str = "", **data: Any) -> None:
    """Record an event about the case. Its subject is the thread, which everybody below knows."""
    if stage.here() is not None:
        return
    record(
        f"escalation.{kind}", actor=by, subject=case.thread, note=note, thread=case.thread_id,
        case=case.pk, round=case.round, **data,
    )  # fmt: skip


def note_down(case: Escalation, kind: str, *, nobody: bool = False, **fields: Any) -> EscalationStep:
    """Add a line to the history of the case; `nobody` when it is a rung that reached nobody."""
    fields.setdefault("fired_at", clock.now())
    fields["note"] = str(fields.get("note", ""))[:500]
    if (played := stage.here()) is not None:
        played.note(case, kind, fields, nobody=nobody)
        return EscalationStep(escalation=case, round=case.round, kind=kind, **fields)
    step = EscalationStep(escalation=case, round=case.round, kind=kind, **fields)
    gathering.put(step)
    return step

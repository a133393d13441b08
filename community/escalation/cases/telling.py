"""What a demo or an import tells of the past."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from community.accounts.models import Department, User
from community.core import clock

from ..models import (
    Escalation,
    EscalationStep,
    PauseCause,
    StepKind,
    as_row,
)
from .firing import _EFFECTS, fire_next
from .ground import Cause, announce, keep, note_down
from .ladder import schedule
from .opening import new_round
from .pausing import pause, resume
from .settling import settle
from .working import acknowledge, promise, route

TOLD = {
    "advocates notified": StepKind.ADVOCATES,
    "department notified": StepKind.DEPARTMENT,
    "assigned": StepKind.ASSIGNED,
    "lead notified": StepKind.LEAD,
    "community manager notified": StepKind.MANAGER,
    "late": StepKind.LATE,
}
PAUSES = {
    "part": PauseCause.PART, "workshop": PauseCause.WORKSHOP, "supplier": PauseCause.SUPPLIER,
    "bank": PauseCause.SUPPLIER, "department": PauseCause.DEPARTMENT,
}  # fmt: skip


def tell(case: Escalation, step: str, *, by: User | None = None, to: User | None = None,
         department: Department | None = None, note: str = "", reason: str = "", reference: str = "",
         until: datetime | None = None, people: Iterable[User] = ()) -> None:  # fmt: skip
    """Take one line of a history over, at the clock's moment. Told twice is told once."""
    now, words = clock.now(), note or reason
    kind = TOLD[step].value if step in TOLD else step.replace(" ", "_")
    if EscalationStep.objects.filter(escalation=case, kind=kind, fired_at=now).exists():
        return
    if step in TOLD:
        told = {"by": by, "to": to, "department": department, "note": words, "people": list(people)}
        if not fire_next(case, told=told, kind=kind):
            # Called in by a person, out of the ladder's turn.
            row = {**as_row(0, 0, kind, now), "target": ""}
            _EFFECTS[StepKind(kind)](case, row, {"position": None, "due": None}, {**told, "told": True})
            schedule(case)
            keep(case)
    elif step == "acknowledged" and by is not None:
        if department is not None and case.told_at is None:
            case.department = department
        if case.acknowledged_at is None or case.acknowledged_by_id != by.pk:
            acknowledge(case, by, note=words)
    elif step == "routed" and department is not None:
        route(case, department, by, note=words)
    elif step == "paused":
        cause = next((value for word, value in PAUSES.items() if word in words), PauseCause.CUSTOMER)
        pause(case, cause, by, note=words)
    elif step == "resumed":
        resume(case, by, note=words)
    elif step == "resolved":
        asker = by is not None and by.pk == case.thread.author_id
        settle(case, Cause.ACCEPTED if asker else Cause.ANOTHER_WAY, by, note=words)
    elif step == "reopened":
        new_round(case, by, note=words, one_level_up=True)
    else:
        if step == "promise made" and until is not None:
            if case.is_open and case.acknowledged_at is None and by is not None and by.speaks_for_brand:
                acknowledge(case, by)  # whoever names a day has read it
            promise(case, until)
        note_down(case, kind, by=by, department=department, note=words, reference=reference, due_at=until)
        announce(case, kind, by, **({"reference": reference} if reference else {}))

"""A stage on which a case is played through once more, by the same rules, without a trace.

While a stage is set, `cases` keeps nothing, tells nobody and takes its policies from here; what it would have written
into the history lands in `lines`. `simulation` sets the stage and plays what happened to each thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from community.accounts.models import Department, User
    from community.questions.models import Thread

    from .models import Escalation, EscalationPolicy


@dataclass(frozen=True)
class Line:
    """What the history would say. `position` is None for what people did; `nobody` for a rung that reached nobody."""

    thread: int
    round: int
    position: int | None
    kind: str
    at: datetime
    due: datetime | None
    department: int | None
    people: tuple[int, ...]
    nobody: bool
    policy: str


@dataclass
class Stage:
    """Policies in use, in order, and what cannot be known afterwards: whom a rung found when it fired in truth."""

    policies: list[EscalationPolicy]
    found: dict[tuple[int, int, str], list[int]] = field(default_factory=dict)  # (thread, round, kind): people
    managers: list[User] = field(default_factory=list)
    anybody: dict[int, User | None] = field(default_factory=dict)  # of each department, for the fair rotation
    known: dict[Any, Any] = field(default_factory=dict)  # what was asked of the database before
    case: Escalation | None = None
    lines: list[Line] = field(default_factory=list)

    def note(self, case: Escalation, kind: str, fields: dict[str, Any], *, nobody: bool) -> None:
        department: Department | None = fields.get("department")
        self.lines.append(
            Line(
                thread=case.thread_id,
                round=case.round,
                position=fields.get("position"),
                kind=str(kind),
                at=fields["fired_at"],
                due=fields.get("due_at"),
                department=department.pk if department else None,
                people=tuple(fields.get("people", ())),
                nobody=nobody,
                policy=case.policy.slug,
            )  # fmt: skip
        )

    def remember(self, key: Any, ask: Any) -> Any:
        if key not in self.known:
            self.known[key] = ask()
        return self.known[key]

    def advocates(self, thread: Thread, round_: int) -> list[int] | None:
        """Whom the rung found in truth; None when it never fired, so that nobody can know."""
        return self.found.get((thread.pk, round_, "advocates_notified"))


_here: ContextVar[Stage | None] = ContextVar("stage", default=None)


def here() -> Stage | None:
    return _here.get()


def required() -> Stage:
    """The stage that is set; raises LookupError without one."""
    if (played := _here.get()) is None:
        raise LookupError("no stage is set")
    return played


@contextmanager
def on(stage: Stage) -> Iterator[Stage]:
    token = _here.set(stage)
    try:
        yield stage
    finally:
        _here.reset(token)

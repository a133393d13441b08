"""What the sweep does: the rung whose turn it is."""

from __future__ import annotations

from typing import Any

from advocates.matching import asked, matching_advocates
from community.core import clock, gathering
from community.events.acts import is_staff

from .. import mailing, rotation, routing, stage
from ..models import (
    Escalation,
    Reach,
    StepKind,
)
from ..permissions import works_cases
from .ground import Cause, announce, due_of, keep, note_down, waiting
from .ladder import reached_staff, schedule
from .settling import settle
from .working import assign


def fire_next(case: Escalation, *, told: dict[str, Any] | None = None, kind: str = "") -> str:
    """Fire the rung whose turn it is and say which. `kind` picks one; `told` holds what a demo knows of it.

    The line in the history is unique per round and position: were a rung ever fired twice, the database would
    undo the second with all that it did.
    """
    rows = [row for row in waiting(case) if not kind or row["kind"] == kind]
    if not rows:
        return ""
    row, now = rows[0], clock.now()
    row["fired"] = now.isoformat()
    fields = {"position": row["position"], "due": due_of(row)}
    done = _EFFECTS[row["kind"]](case, row, fields, told or {})
    if not done and told is None:
        # Nobody is there whom this rung would reach: the next one is due at once.
        row["nobody"] = True
        following = [later for later in waiting(case) if not later["target"]]
        if following and due_of(following[0]) > now:
            following[0]["due"] = now.isoformat()
        note_down(
            case, row["kind"], position=row["position"], due_at=due_of(row), department=case.department, nobody=True
        )  # fmt: skip
    elif told is None and row.get("channel") == Reach.MAIL:
        mailing.to_mailbox(case, row)
    elif told is None and row.get("channel") == Reach.WEBHOOK and stage.here() is None:
        mailing.to_webhooks(case, row)
    schedule(case)
    keep(case)
    return str(row["kind"])


def _fire_advocates(case: Escalation, row: dict[str, Any], at: dict[str, Any], told: dict[str, Any]) -> bool:
    if told:
        people = list(told.get("people", []))
        asked(case.thread, people)
    elif case.thread.first_reply_at and case.round == 1:
        # Owners answer already; nobody need be asked to.
        note_down(case, row["kind"], position=at["position"], due_at=at["due"])
        return True
    elif (played := stage.here()) is not None:
        # Whom it found in truth. Where it never fired nobody can know: it is taken to find somebody.
        found = played.advocates(case.thread, case.round)
        if found == []:
            return False
        note_down(case, row["kind"], position=at["position"], due_at=at["due"], people=found or [])
        return True
    else:
        people = asked(case.thread, matching_advocates(case.thread))  # none are left when three were asked before
        if not people:
            return False
    ids = [person.pk for person in people]
    row["people"] = len(ids)
    note_down(case, row["kind"], position=at["position"], due_at=at["due"], people=ids, note=told.get("note", ""))
    announce(case, "advocates_notified", people=ids)
    return True


def _fire_department(case: Escalation, row: dict[str, Any], at: dict[str, Any], told: dict[str, Any]) -> bool:
    case.department = told.get("department") or case.department or routing.department_for(case.thread, case.policy)
    if case.department is None:
        return False
    reached = (row.get("channel") == Reach.MAIL and bool(case.department.mailbox)) or (
        row.get("channel") == Reach.WEBHOOK and bool(mailing.webhooks(case.department_id))
    )
    if not told and not reached and not routing.is_staffed(case.department):
        return False
    reached_staff(case, clock.now())
    note_down(
        case, row["kind"], position=at["position"], due_at=at["due"], department=case.department,
        note=told.get("note", ""),
    )  # fmt: skip
    announce(case, "department_notified", department=case.department_id)
    return True


def _fire_assigned(case: Escalation, row: dict[str, Any], at: dict[str, Any], told: dict[str, Any]) -> bool:
    case.department = told.get("department") or case.department
    to = told.get("to")
    if to is None:
        if case.assignee is not None and case.assignee.is_active and works_cases(case.assignee):
            note_down(case, row["kind"], position=at["position"], due_at=at["due"], people=[case.assignee_id])
            return True
        if case.department is None:
            return False
        not_to = routing.last_closer(case.pk) if case.round > 1 else set()
        if (played := stage.here()) is not None:
            to = played.anybody.get(case.department.pk)
        else:
            gathering.write()  # the cases given out before this one count
            to = rotation.next_assignee(case.department, not_to=not_to)
        if to is None:
            return False
    assign(case, to, told.get("by"), note=told.get("note", ""), position=at["position"], due=at["due"])
    return True


def _fire_lead(case: Escalation, row: dict[str, Any], at: dict[str, Any], told: dict[str, Any]) -> bool:
    case.department = told.get("department") or case.department
    lead = told.get("to") or told.get("by") or (case.department.lead if case.department else None)
    if lead is None or not lead.is_active or not is_staff(lead):
        return False
    reached_staff(case, clock.now())
    row["people"] = 1
    note_down(
        case, row["kind"], position=at["position"], due_at=at["due"], department=case.department, people=[lead.pk],
        note=told.get("note", ""),
    )  # fmt: skip
    announce(case, "lead_notified", people=[lead.pk], department=case.department_id)
    return True


def _fire_manager(case: Escalation, row: dict[str, Any], at: dict[str, Any], told: dict[str, Any]) -> bool:
    people = [told["to"].pk] if told.get("to") else [person.pk for person in routing.managers()]
    reached_staff(
        case, clock.now()
    )  # nobody is above: where there is no manager either, the desk shows it as with staff
    if not people and not told:
        return False
    note_down(
        case, row["kind"], position=at["position"], due_at=at["due"], people=people, note=told.get("note", ""),
        department=case.department,
    )  # fmt: skip
    announce(case, "manager_notified", people=people, department=case.department_id)
    return True


def _fire_late(case: Escalation, row: dict[str, Any], at: dict[str, Any], told: dict[str, Any]) -> bool:
    case.late_at = case.late_at or clock.now()
    note_down(
        case, row["kind"], position=at["position"], due_at=at["due"], department=case.department,
        cause=row.get("target", ""), note=told.get("note", ""),
    )  # fmt: skip
    announce(
        case, "late", target=row.get("target") or "ladder", department=case.department_id, assignee=case.assignee_id,
    )  # fmt: skip
    return True


def _fire_reminder(case: Escalation, row: dict[str, Any], at: dict[str, Any], told: dict[str, Any]) -> bool:
    """Ladders that were written down before threads reminded their askers themselves still have such rungs."""
    return True


def _fire_silent(case: Escalation, row: dict[str, Any], at: dict[str, Any], told: dict[str, Any]) -> bool:
    settle(case, Cause.SILENT, None, position=at["position"], due=at["due"])
    return True


_EFFECTS = {
    StepKind.ADVOCATES: _fire_advocates,
    StepKind.DEPARTMENT: _fire_department,
    StepKind.ASSIGNED: _fire_assigned,
    StepKind.LEAD: _fire_lead,
    StepKind.MANAGER: _fire_manager,
    StepKind.LATE: _fire_late,
    StepKind.REMINDED: _fire_reminder,
    StepKind.SILENT: _fire_silent,
}

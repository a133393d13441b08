"""Who is away and when agents work; handing open cases over at the end of a shift; filters agents keep."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from community.accounts.models import Department, User
from community.core import clock, text
from community.core.errors import NotAllowed, require
from community.core.rows import locked, retried
from community.events.log import record

from . import cases, queues
from .models import Absence, AgentHours, DeskFilter, Escalation, HandOver
from .permissions import why_not_keep_hours_of, why_not_work, works_cases
from .rotation import today_of

LONGEST = 366  # days of an absence; who is away for longer has left the desk


# Absence


@retried
def be_away(user: User, by: User, since: date, until: date, stand_in: User | None = None) -> Absence:
    """Nothing new for an agent from one day to another, both included, with somebody who sees to the open cases.

    The agent, a lead of the agent's department and community managers may. The same days twice is one absence.
    Raises NotAllowed, ValidationError by field.
    """
    require(why_not_keep_hours_of(by, user))
    if until < since:
        raise ValidationError({"until": _("The last day comes before the first.")})
    if until < today_of(user.department, clock.now()):
        raise ValidationError({"until": _("That is over already.")})
    if (until - since).days > LONGEST:
        raise ValidationError({"until": _("An absence is a year at most.")})
    if stand_in is not None:
        if stand_in.pk == user.pk:
            raise ValidationError({"stand_in": _("Somebody else must stand in.")})
        if not works_cases(stand_in):
            raise ValidationError({"stand_in": _("%(name)s does not work cases.") % {"name": stand_in}})
    locked(User(pk=user.pk))
    over = Absence.objects.filter(user=user, since__lte=until, until__gte=since).first()
    if over is not None and (over.since, over.until) == (since, until):
        over.stand_in = stand_in
        over.save(update_fields=["stand_in"])
        return over
    if over is not None:
        raise ValidationError({"since": _("These days overlap with another absence. Take that one back first.")})
    return Absence.objects.create(
        user=user, since=since, until=until, stand_in=stand_in, made_by=by, created_at=clock.now()
    )


@retried
def be_back(absence: Absence, by: User) -> None:
    """Take an absence back, also one that has begun. Twice is harmless."""
    row = Absence.objects.select_for_update(of=("self",), no_key=True).select_related("user").filter(pk=absence.pk)
    if (held := row.first()) is None:
        return
    require(why_not_keep_hours_of(by, held.user))
    held.delete()


@transaction.atomic
def keep_hours(user: User, by: User, hours: Mapping[str, Any]) -> None:
    """When an agent works, as weekday ("0" is Monday) to spans; an empty one means whenever the department is open.

    Raises NotAllowed, ValidationError at `hours`.
    """
    require(why_not_keep_hours_of(by, user))
    kept = {str(day): [list(span) for span in spans] for day, spans in hours.items() if spans}
    for day, spans in kept.items():
        last = ""
        for opens, closes in spans:
            if day not in "0123456" or not _is_time(opens) or not _is_time(closes) or not last <= opens < closes:
                raise ValidationError({"hours": _("Write times as 09:00 to 13:00, the earlier one first.")})
            last = closes
    if not kept:
        AgentHours.objects.filter(user=user).delete()
        return
    AgentHours.objects.update_or_create(user=user, defaults={"hours": kept})


def _is_time(value: str) -> bool:
    hour, colon, minute = value.partition(":")
    fits = len(value) == 5 and bool(colon) and hour.isdecimal() and minute.isdecimal()
    return fits and (int(hour) < 24 and int(minute) < 60 or value == "24:00")


# Hand-over


def open_cases(user: User) -> Any:
    """What somebody would hand over: their open cases, what is due first on top."""
    found = Escalation.objects.open().of(user).filter(thread__visibility="visible")
    return found.for_desk().in_due_order()


@retried
def hand_over(
    giver: User,
    by: User,
    to: User | None,
    threads: Iterable[int],
    *,
    note: str = "",
    notes: Mapping[int, str] | None = None,
) -> tuple[HandOver | None, list[int]]:
    """Give open cases of `giver` to a colleague, or with `to` None back to their departments, in one act.

    `note` goes with every case, `notes` with single ones, by thread. The promises to customers and the clocks stay.
    Returns the hand-over (None when no case was left to give) and the threads that were not the giver's any more.
    Raises NotAllowed, ValidationError at `to` or `note`.
    """
    require(why_not_work(by))
    if by.pk != giver.pk:
        require(why_not_keep_hours_of(by, giver))
    if to is not None:
        if to.pk == giver.pk:
            raise ValidationError({"to": _("Choose somebody else.")})
        if not works_cases(to):
            raise ValidationError({"to": _("%(name)s does not work cases.") % {"name": to}})
    notes = notes or {}
    if any(len(words) > 500 for words in (note, *notes.values())):
        raise ValidationError({"note": _("A note has at most 500 characters.")})
    wanted = sorted(set(threads))
    if not wanted:
        raise ValidationError({"to": _("Choose at least one case.")})
    rows = (
        Escalation.objects.select_for_update(of=("self",), no_key=True)
        .filter(thread__in=wanted, assignee=giver, state=Escalation.State.OPEN)
        .select_related("thread", "department")
        .order_by("pk")
    )
    given = list(rows)
    missing = sorted(set(wanted) - {case.thread_id for case in given})
    if not given:
        return None, missing
    return _give(given, giver, by, to, note, notes), missing


def give_back(giver: User, by: User | None) -> HandOver | None:
    """All open cases of somebody who works none any more go back to their departments. None when there were none."""
    rows = (
        Escalation.objects.select_for_update(of=("self",), no_key=True)
        .filter(assignee=giver, state=Escalation.State.OPEN)
        .select_related("thread", "department")
        .order_by("pk")
    )
    given = list(rows)
    return _give(given, giver, by or giver, None, "", {}) if given else None


def _give(
    given: list[Escalation], giver: User, by: User, to: User | None, note: str, notes: Mapping[int, str]
) -> HandOver:
    """Cases that are held change hands, in one act that is told once."""
    now = clock.now()
    act = HandOver.objects.create(by=by, giver=giver, to=to, at=now, note=note.strip())
    act.cases.add(*given)
    for case in given:
        words = "\n".join(filter(None, [note.strip(), notes.get(case.thread_id, "").strip()]))
        case.assignee = to
        case.save(update_fields=["assignee"])
        cases.note_down(
            case, "handed_over" if to else "given_back", by=by, department=case.department,
            people=[to.pk] if to else [], note=words, fired_at=now,
        )  # fmt: skip
    departments = sorted({case.department_id for case in given if case.department_id})
    record(
        "escalation.handed_over", actor=by, subject=act, giver=giver.pk, to=to.pk if to else None,
        cases=[case.pk for case in given], departments=departments,
    )  # fmt: skip
    return act


# Filters


def filters_of(user: User) -> list[DeskFilter]:
    """One's own, and those that are shared with one's department."""
    found = Q(owner=user)
    if user.department_id:
        found |= Q(department=user.department_id)
    return list(DeskFilter.objects.filter(found).select_related("owner"))


@transaction.atomic
def keep_filter(by: User, name: str, query: str, *, shared: bool = False) -> DeskFilter:
    """Keep a queue as it is narrowed down, for oneself or for the own department. A name again is the same filter.

    Raises NotAllowed, ValidationError at `name`.
    """
    require(why_not_work(by))
    name, query = text.clean_line(name), queues.query_of(query.lstrip("?"))
    if not name:
        raise ValidationError({"name": _("Give it a name.")})
    if len(name) > 40:
        raise ValidationError({"name": _("A name has at most 40 characters.")})
    if not query:
        raise ValidationError({"name": _("Choose a filter first; then it can be kept.")})
    if len(query) > DeskFilter.LONGEST:
        raise ValidationError({"name": _("These words are too many to be kept. Use fewer.")})
    department: Department | None = by.department if shared else None
    if shared and department is None:
        raise ValidationError({"name": _("You are in no department to share it with.")})
    person = locked(User(pk=by.pk))  # so that two at once don't make twenty-one
    known = DeskFilter.objects.filter(owner=person, name=name).first()
    if known is None and DeskFilter.objects.filter(owner=person).count() >= DeskFilter.MOST:
        raise ValidationError(
            {"name": _("You keep %(most)d filters already. Take one away first.") % {"most": DeskFilter.MOST}}
        )
    known = known or DeskFilter(owner=person, name=name, created_at=clock.now())
    known.query, known.department = query, department
    known.save()
    return known


@transaction.atomic
def drop_filter(kept: DeskFilter, by: User) -> None:
    """Take a filter away: one's own, or as a lead one of the department's. Twice is harmless."""
    leads = kept.department is not None and kept.department.lead_id == by.pk
    if kept.owner_id != by.pk and not leads:
        raise NotAllowed(_("This filter is somebody else's."))
    DeskFilter.objects.filter(pk=kept.pk).delete()

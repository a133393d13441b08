"""Incidents: one fault, many threads. The banner is the product's alert, which owners hear of (decision 0146); the
threads are gathered here, and answered together when the fault is solved.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from community.accounts.models import Department, User
from community.core import clock, text
from community.core.errors import Conflict, require
from community.core.models import Numbers
from community.core.rows import locked, retried
from community.events.log import is_replaying, record
from community.questions import services as questions
from community.questions.models import Answer, Thread
from community.questions.permissions import departments_of
from products.models import OwnerAlert, Product, Version
from products.shelf import alerts

from . import clusters
from .models import ClusterThread, Incident, IncidentThread, IncidentUpdate
from .permissions import why_not_manage_incidents

LONGEST_UPDATE = 500


@retried
def open_incident(
    product: Product,
    by: User,
    *,
    title: str,
    body: str,
    first: Thread | None = None,
    department: Department | None = None,
    versions: Iterable[Version] = (),
    recall: OwnerAlert | None = None,
) -> Incident:
    """Say that a fault is known: a banner on the product's page and the ask form, and owners are told.

    `first` is the thread that reported it. The same headline twice is one incident. With `recall`, the open recall of
    the product, that is its banner: nobody is told anew, and it stands until the product says otherwise.
    Raises NotAllowed, ValidationError by field (title, text, versions).
    """
    if not is_replaying():
        require(why_not_manage_incidents(by))
    url = first.get_absolute_url() if first is not None else ""
    alert = recall or alerts.issue(product, by, title=title, body=body, url=url, versions=versions)
    known = Incident.objects.filter(alert=alert).first()
    if known is not None:
        return known
    made = Incident.objects.create(
        product=product, title=text.clean_line(title)[: alerts.LONGEST_TITLE], text=text.clean_source(body).strip(),
        alert=alert, first_thread=first,
        department=department or by.department, opened_at=clock.now(), opened_by=by,
    )  # fmt: skip
    told: dict[str, Any] = (
        {"thread": first.pk, "author": first.author_id, "is_first_report": True} if first is not None else {}
    )
    record("incident.opened", actor=by, subject=made, product=product.pk, **told)
    if first is not None:
        gather(made, first, by)
    return made


@retried
def gather(incident: Incident, thread: Thread, by: User, *, note: str = "") -> IncidentThread:
    """This thread is about it. Twice is harmless; a thread of another incident is refused with Conflict."""
    if not is_replaying():
        require(why_not_manage_incidents(by))
    row = locked(incident)
    if not row.is_open and not is_replaying():
        raise Conflict(_("This incident is solved. If the thread is about something new, open another."))
    try:
        with transaction.atomic():
            found, new = IncidentThread.objects.get_or_create(
                thread=thread,
                defaults={
                    "incident": row,
                    "added_by": by,
                    "added_at": clock.now(),
                    "note": text.clean_line(note)[:300],
                },
            )
            if new:
                record("incident.gathered", actor=by, subject=row, thread=thread.pk, note=note.strip()[:300])
    except IntegrityError:
        found = IncidentThread.objects.get(thread=thread)
    if found.incident_id != row.pk:
        raise Conflict(_("This thread is about another incident already: %(title)s") % {"title": found.incident.title})
    return found


@retried
def let_go(incident: Incident, thread: Thread, by: User) -> None:
    """It is about something else after all. Twice is harmless."""
    require(why_not_manage_incidents(by))
    if IncidentThread.objects.filter(incident=incident, thread=thread).delete()[0]:
        record("incident.let_go", actor=by, subject=incident, thread=thread.pk)


@retried
def say(incident: Incident, by: User, words: str) -> IncidentUpdate:
    """A line for everybody who waits: in the incident's history, and at its banner while that stands."""
    if not is_replaying():
        require(why_not_manage_incidents(by))
    words = text.clean_line(words)
    if not words or len(words) > LONGEST_UPDATE:
        raise ValidationError({"text": _("Say it in at most %(most)d characters.") % {"most": LONGEST_UPDATE}})
    record("incident.told", actor=by, subject=incident)
    if incident.alert is not None and incident.alert.ended_at is None:
        alerts.add_news(incident.alert, words)
    return IncidentUpdate.objects.create(incident=incident, by=by, text=words, at=clock.now())


@retried
def solve(incident: Incident, by: User, *, solution: str, department: Department | None = None) -> Incident:
    """It is solved: the banner goes, owners who were told hear so, and every gathered thread gets the solution.

    Threads that are open get it as an official answer, each asker a notice; who asked or has the same in one that
    is settled already hears of the incident itself. Twice is harmless. Raises NotAllowed, ValidationError by field.
    """
    if not is_replaying():
        require(why_not_manage_incidents(by))
    solution = text.clean_source(solution).strip()
    if not solution or len(solution) > 8000:
        raise ValidationError({"solution": _("Say what solves it, in at most 8,000 characters.")})
    lead = _first_open(incident, _to_answer(_gathered(incident), by))
    if lead is not None:
        lead = locked(lead)  # threads before incidents and alerts, as everybody who holds both
    row = locked(incident)
    if not row.is_open:
        return row
    # Whoever was gathered while we waited for the incident hears of it like the others; nobody is gathered after this.
    threads = _gathered(incident)
    open_ones = _to_answer(threads, by)
    lead = lead or _first_open(incident, open_ones)
    row.state, row.solved_at, row.solved_by, row.solution = Incident.State.SOLVED, clock.now(), by, solution
    row.save(update_fields=["state", "solved_at", "solved_by", "solution"])
    if row.alert is not None and row.alert.kind == alerts.Kind.KNOWN_ISSUE:
        alerts.end(row.alert, by)
    speaks_for = department or _speaks_for(row, by)
    answered: list[int] = []
    if lead is not None and speaks_for is not None and not is_replaying():
        answer = questions.post_answer(lead, by, body=solution, official_for=speaks_for)
        others = [thread for thread in open_ones if thread.pk != lead.pk]
        answered = [lead.pk, *(thread.pk for thread in others)]
        if others:
            clusters.spread(answer, by, speaks_for, others)
    record(
        "incident.closed", actor=by, subject=row, incident=row.pk, product=row.product_id,
        threads=[thread.pk for thread in threads], answered=answered,
    )  # fmt: skip
    return row


def _speaks_for(incident: Incident, by: User) -> Department | None:
    """The incident's department, where somebody may speak for it; else their own."""
    theirs = incident.department
    if is_replaying() or (theirs is not None and departments_of(by).filter(pk=theirs.pk).exists()):
        return theirs or by.department
    return by.department


def _gathered(incident: Incident) -> list[Thread]:
    return list(Thread.objects.visible().filter(in_incident__incident=incident).order_by("created_at", "pk"))


def _to_answer(threads: list[Thread], by: User) -> list[Thread]:
    """Those that are open to an answer of this person's; of the others nobody is kept waiting."""
    said: set[int] = set()
    if Numbers.load().one_answer_per_person:
        mine = Answer.objects.filter(thread__in=threads, author=by).exclude(visibility__in=("deleted", "hidden"))
        said = set(mine.values_list("thread", flat=True))
    return [
        thread for thread in threads
        if thread.kind in clusters.SOLVABLE and thread.pk not in said and thread.is_open
        and not (thread.solved_at or thread.official_at or thread.duplicate_of_id)
    ]  # fmt: skip


def left_open(incident: Incident, threads: Iterable[Thread]) -> set[int]:
    """Of a solved one's threads, the ids of those in which the solution neither stands as an answer nor is about to:
    whoever solved it had answered there already, or it was left out. Who asked was told; the case stays open."""
    found = {
        thread.pk for thread in threads
        if thread.kind in clusters.SOLVABLE and not thread.closed_at
        and not (thread.solved_at or thread.official_at or thread.duplicate_of_id)
    }  # fmt: skip
    if incident.is_open or not found:
        return set()
    coming = ClusterThread.objects.filter(thread__in=found, state=ClusterThread.State.WAITING)
    return found - set(coming.values_list("thread", flat=True))


def _first_open(incident: Incident, found: list[Thread]) -> Thread | None:
    """The first report, while it is open; else the oldest that is."""
    return next((thread for thread in found if thread.pk == incident.first_thread_id), found[0] if found else None)


def go_along(thread: Thread, into: Thread) -> None:
    """What was merged is about the incident where it went, unless that is about one already."""
    row = IncidentThread.objects.filter(thread=thread).first()
    if row is not None and not IncidentThread.objects.filter(thread=into).exists():
        row.thread = into
        row.save(update_fields=["thread"])

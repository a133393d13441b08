"""Who hears of cases: whoever asked, and staff."""

from datetime import timedelta

from django.db import models

from community.accounts.models import Department, User
from community.accounts.roles import ROLES
from community.escalation.rotation import away_ids, with_stand_ins
from community.events.acts import is_staff
from community.events.models import Event
from community.questions.models import Thread

from .ground import Heard, add, finders, heard_by


@heard_by("escalation.acknowledged")
def _acknowledged(event: Event) -> Heard:
    thread: Thread = event.subject
    spoken = models.Q(author=event.actor_id) | models.Q(official_by=event.actor_id)
    if thread.needs_info_since or thread.answers.filter(spoken).exists():
        return {}  # the question or the answer itself says it, and never two notices for one post
    just_now = (event.occurred_at - timedelta(minutes=1), event.occurred_at)
    if thread.is_idea and thread.idea_steps.filter(by=event.actor_id, at__range=just_now).exists():
        return {}  # so does the status
    return {thread.author_id: "acknowledged"}


@heard_by("escalation.department_notified", "escalation.routed")
def _department(event: Event) -> Heard:
    department = Department.objects.filter(pk=event.data.get("department")).first()
    if department is None:
        return {}
    return _but_for_who_hears_more(event, dict.fromkeys(_present(department, event), "case_department"))


def _present(department: Department, event: Event) -> list[int]:
    """Who of a department is there; where nobody is, all of them: somebody must hear of it."""
    rows = department.memberships.filter(models.Q(away_until=None) | models.Q(away_until__lt=event.occurred_at))
    people = list(rows.order_by("user").values_list("user", flat=True))
    gone = away_ids(department, event.occurred_at)
    return [pk for pk in people if pk not in gone] or people


@heard_by("escalation.handed_over")
def _cases_handed_over(event: Event) -> Heard:
    """Once, whoever gets them; what went back to a department is told to those who are there."""
    if event.data.get("to"):
        return {event.data["to"]: "cases_handed"}
    heard: Heard = {}
    for department in Department.objects.filter(pk__in=event.data.get("departments", ())):
        add(heard, [pk for pk in _present(department, event) if pk != event.data.get("giver")], "cases_handed")
    return heard


@heard_by("escalation.assigned")
def _assigned(event: Event) -> Heard:
    heard: Heard = {}
    add(heard, with_stand_ins([event.data.get("assignee")], event.occurred_at), "case_assigned")
    return _but_for_who_hears_more(event, heard)


@heard_by("escalation.lead_notified")
def _lead(event: Event) -> Heard:
    heard = dict.fromkeys(event.data.get("people", ()), "case_lead") or managers()
    return _but_for_who_hears_more(event, heard)


@heard_by("escalation.manager_notified")
def _manager(event: Event) -> Heard:
    return dict.fromkeys(event.data.get("people", ()), "case_lead") or managers()


@heard_by("escalation.late")
def _late(event: Event) -> Heard:
    people = with_stand_ins([event.data.get("assignee")], event.occurred_at)
    people += Department.objects.filter(pk=event.data.get("department")).values_list("lead", flat=True)
    heard: Heard = {}
    add(heard, people, "case_late")
    return _but_for_who_hears_more(event, heard)


# What may be told of a case in one go, as when its time runs out at the hour of a rung, or after the worker stood
# still: of these one person hears the first.
RUNGS = (
    "escalation.manager_notified", "escalation.lead_notified", "escalation.assigned", "escalation.late",
    "escalation.department_notified",
)  # fmt: skip


def _but_for_who_hears_more(event: Event, heard: Heard) -> Heard:
    """Without those whom another event of the same minute tells more about the same case: one notice each."""
    above = RUNGS[: RUNGS.index(event.kind)] if event.kind in RUNGS else ()
    around = (event.occurred_at - timedelta(minutes=1), event.occurred_at + timedelta(minutes=1))
    found = Event.objects.about(event.subject).filter(kind__in=above, occurred_at__range=around) if heard else ()
    told: set[int] = set()
    for other in found:
        told |= finders[other.kind](other).keys() - {other.actor_id}
    return {person: kind for person, kind in heard.items() if person not in told}


@heard_by("escalation.pause_over")
def _pause_over(event: Event) -> Heard:
    """Whoever has the case; else who is there of its department, and the managers when it has none."""
    heard: Heard = {}
    if event.data.get("assignee"):
        add(heard, with_stand_ins([event.data["assignee"]], event.occurred_at), "case_assigned")
    elif department := Department.objects.filter(pk=event.data.get("department")).first():
        add(heard, _present(department, event), "case_assigned")
    return heard or managers()


@heard_by("escalation.promise_late")
def _promise_late(event: Event) -> Heard:
    heard = dict.fromkeys(event.data.get("people", ()), "case_late")
    there = User.objects.active().filter(pk__in=heard)
    return heard if any(is_staff(person) for person in there) else managers()  # who made it may have left


@heard_by("escalation.outcome_awaited")
def _outcome_awaited(event: Event) -> Heard:
    """Whoever handed it over, else whose case it is, else the lead; the managers where none of them is left."""
    heard: Heard = {}
    add(heard, with_stand_ins(event.data.get("people", ()), event.occurred_at), "case_late")
    return heard or managers()


@heard_by("escalation.hand_off_failed", "escalation.outcome_not_posted")
def _hand_off_failed(event: Event) -> Heard:
    return {event.data["by"]: "case_lead", **managers()}


def managers() -> Heard:
    group = ROLES["community-manager"].group
    people = User.objects.active().filter(groups__name=group).values_list("pk", flat=True)
    return dict.fromkeys(people, "case_lead")

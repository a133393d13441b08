"""The log holds ids and enumerations and stays whole; the reasons in words can be erased (RULINGS 28)."""

from django.contrib.contenttypes.models import ContentType
from django.db.models import Q

from community.core.personal import STAYS, Leaving, before_leaving, tie

from .models import EventNote

tie("events.Event.actor", left=STAYS, joined=STAYS, copy="kind occurred_at data note__text")
tie("events.Event.whom", left=STAYS, joined=STAYS)


@before_leaving
def forget_reasons(leaving: Leaving) -> None:
    """What they gave as a reason, and what others gave as a reason about them. What they did as staff, once, stays in
    the audit with its reasons."""
    person = leaving.person
    about = Q(event__subject_type=ContentType.objects.get_for_model(person), event__subject_id=person.pk)
    EventNote.objects.filter(Q(event__actor=person, event__act=False) | about | Q(event__whom=person)).delete()

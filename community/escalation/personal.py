"""What staff did about cases: they have handed them over, and hold no role any more, when they leave. And what was
handed to other systems about an asker."""

from community.core.models import Delivery
from community.core.personal import CUT, GONE, MOVES, STAYS, Leaving, before_leaving, tie

from . import handoffs
from .models import Alarm, HandOff

tie("escalation.Escalation.assignee", left=CUT, joined=MOVES)
tie("escalation.Escalation.acknowledged_by", left=STAYS, joined=MOVES)
tie("escalation.Escalation.resolved_by", left=STAYS, joined=MOVES)
tie("escalation.EscalationStep.by", left=STAYS, joined=MOVES)
tie("escalation.Pause.by", left=STAYS, joined=MOVES)
tie("escalation.InternalNote.author", left=STAYS, joined=MOVES)
tie("escalation.HandOver.by", left=STAYS, joined=MOVES)
tie("escalation.HandOver.giver", left=STAYS, joined=MOVES)
tie("escalation.HandOver.to", left=STAYS, joined=MOVES)
tie("escalation.Absence.user", left=GONE, joined=GONE, copy="since until")
tie("escalation.Absence.stand_in", left=CUT, joined=MOVES)
tie("escalation.Absence.made_by", left=CUT, joined=MOVES)
tie("escalation.AgentHours.user", left=GONE, joined=GONE, copy="hours")
tie("escalation.DeskFilter.owner", left=GONE, joined=MOVES, copy="department__name name query")
tie("escalation.Claim.holder", left=GONE, joined=GONE)
tie("escalation.HandOff.by", left=STAYS, joined=MOVES)
tie("escalation.HandOff.outcome_by", left=STAYS, joined=MOVES)
tie("escalation.Incident.opened_by", left=STAYS, joined=MOVES)
tie("escalation.Incident.solved_by", left=STAYS, joined=MOVES)
tie("escalation.IncidentThread.added_by", left=STAYS, joined=MOVES)
tie("escalation.IncidentUpdate.by", left=STAYS, joined=MOVES)
tie("escalation.Cluster.by", left=STAYS, joined=MOVES)
tie("escalation.Promise.made_by", left=STAYS, joined=MOVES)
tie("escalation.Promise.ended_by", left=STAYS, joined=MOVES)
tie("escalation.SavedReply.changed_by", left=STAYS, joined=MOVES)
tie("escalation.PolicyVersion.by", left=STAYS, joined=MOVES)
tie("escalation.Simulation.by", left=STAYS, joined=MOVES)


@before_leaving
def forget_what_was_handed_off(leaving: Leaving) -> None:
    """Names, orders and serials that a hand-off carried, and what still waits to be sent; what the other system keeps
    is its operator's to erase."""
    Alarm.objects.filter(escalation__thread__author=leaving.person).delete()
    rows = HandOff.objects.filter(escalation__thread__author=leaving.person)
    Delivery.objects.filter(key__in=[handoffs.mail_key(pk) for pk in rows.values_list("pk", flat=True)]).delete()
    rows.filter(state__in=[HandOff.State.WAITING, HandOff.State.FAILED]).update(state=HandOff.State.WITHDRAWN)
    rows.update(payload="", note="", outcome_note="", next_try_at=None)

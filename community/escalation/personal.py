"""What staff did about cases: they have handed them over, and hold no role any more, when they leave."""

from community.core.personal import CUT, GONE, MOVES, STAYS, tie

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

"""What staff did about cases: they have handed them over, and hold no role any more, when they leave."""

from community.core.personal import CUT, MOVES, STAYS, tie

tie("escalation.Escalation.assignee", left=CUT, joined=MOVES)
tie("escalation.Escalation.acknowledged_by", left=STAYS, joined=MOVES)
tie("escalation.Escalation.resolved_by", left=STAYS, joined=MOVES)
tie("escalation.EscalationStep.by", left=STAYS, joined=MOVES)
tie("escalation.Pause.by", left=STAYS, joined=MOVES)
tie("escalation.InternalNote.author", left=STAYS, joined=MOVES)

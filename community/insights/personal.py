"""Figures are counts; only who changed an assumption is named."""

from community.core.personal import MOVES, STAYS, tie

tie("insights.Input.changed_by", left=STAYS, joined=MOVES)

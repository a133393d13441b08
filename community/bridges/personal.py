"""Who of the staff offered to deal with a review."""

from community.core.personal import MOVES, STAYS, tie

tie("bridges.Bridge.offered_by", left=STAYS, joined=MOVES)

"""Who of the staff offered to deal with a review or wrote a release note; who said that a change helped."""

from community.core.personal import GONE, MOVES, STAYS, tie

tie("bridges.Bridge.offered_by", left=STAYS, joined=MOVES)
tie("bridges.ReleaseNote.by", left=STAYS, joined=MOVES)
tie("bridges.ReleaseHelp.voter", left=GONE, joined=MOVES, copy="target__title said created_at")

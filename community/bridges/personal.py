"""Who of the staff offered to deal with a review or wrote a release note; who said that a change helped."""

from community.core.personal import GONE, MOVES, STAYS, Leaving, before_leaving, tie

from .models import Bridge

tie("bridges.Bridge.offered_by", left=STAYS, joined=MOVES)
tie("bridges.ReleaseNote.by", left=STAYS, joined=MOVES)
tie("bridges.ReleaseHelp.voter", left=GONE, joined=MOVES, copy="target__title said created_at")


@before_leaving
def take_along(leaving: Leaving) -> None:
    """An offer quotes the review it is about, and answers it."""
    if leaving.words_go:
        Bridge.objects.filter(review__author=leaving.person).update(passage="", note="")

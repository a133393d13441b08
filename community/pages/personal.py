"""Help articles: who judged them, and whose answers they were written from."""

from community.core.personal import CUT, GONE, MOVES, STAYS, Leaving, before_leaving, tie

from .models import HelpVote

tie("pages.HelpArticlePage.keeper", left=CUT, joined=MOVES)
tie("pages.HelpChange.by", left=CUT, joined=MOVES)
tie("pages.HelpCredit.person", left=GONE, joined=MOVES, copy="page__title")
tie("pages.HelpVote.voter", left=STAYS, joined=MOVES, copy="target__title helpful created_at")


@before_leaving
def take_along(leaving: Leaving) -> None:
    if leaving.words_go:
        HelpVote.objects.filter(voter=leaving.person).delete()

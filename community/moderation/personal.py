"""A flag stays as a flag: what it was about was judged by it."""

from community.core.personal import GONE, MOVES, STAYS, tie

tie(
    "moderation.Flag.reporter",
    left=STAYS,
    joined=MOVES,
    copy="target_type__model target_id reason note state created_at",
    blank="note",
    doubled=STAYS,
)
tie("moderation.Flag.decided_by", left=STAYS, joined=MOVES)
tie("moderation.Look.decided_by", left=STAYS, joined=MOVES)
tie("moderation.Print.person", left=GONE, joined=MOVES)
tie("moderation.WatchedWord.added_by", left=STAYS, joined=MOVES)
tie("moderation.Claim.by", left=GONE, joined=MOVES)
tie(
    "moderation.Appeal.author",
    left=STAYS,
    joined=MOVES,
    copy="target_type__model target_id words created_at granted answer",
    blank="words",
)
tie("moderation.Appeal.hidden_by", left=STAYS, joined=MOVES)
tie("moderation.Appeal.decided_by", left=STAYS, joined=MOVES)
tie("moderation.PenaltyAppeal.author", left=STAYS, joined=MOVES, copy="words created_at granted answer", blank="words")
tie("moderation.PenaltyAppeal.decided_by", left=STAYS, joined=MOVES)
tie("moderation.SpamAct.person", left=STAYS, joined=MOVES)
tie("moderation.SpamAct.by", left=STAYS, joined=MOVES)
tie("moderation.SpamAct.undone_by", left=STAYS, joined=MOVES)
tie("moderation.ProfileReport.person", left=GONE, joined=MOVES)
tie(
    "moderation.ProfileReport.reporter",
    left=STAYS,
    joined=MOVES,
    copy="person_id reason note created_at upheld",
    blank="note",
    doubled=GONE,
)
tie("moderation.ProfileReport.settled_by", left=STAYS, joined=MOVES)

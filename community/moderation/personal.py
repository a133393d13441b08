"""A flag stays as a flag: what it was about was judged by it."""

from community.core.personal import MOVES, STAYS, tie

tie(
    "moderation.Flag.reporter",
    left=STAYS,
    joined=MOVES,
    copy="target_type__model target_id reason note state created_at",
    blank="note",
)
tie("moderation.Flag.decided_by", left=STAYS, joined=MOVES)

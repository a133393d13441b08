"""What a thread's facts look like: signs of state (a shape, a colour, a word), the first one first."""

from typing import NamedTuple

from django.utils.translation import gettext, pgettext

from .models import IdeaStatus, Kind, State, Thread

# The shape for each idea status; its word is the status' own.
IDEA_SHAPES = {
    IdeaStatus.NEW: "none",
    IdeaStatus.IN_REVIEW: "replied",
    IdeaStatus.PLANNED: "replied",
    IdeaStatus.IN_PROGRESS: "replied",
    IdeaStatus.SHIPPED: "solved",
    IdeaStatus.NEEDS_INFO: "info",
    IdeaStatus.FUTURE: "paused",
    IdeaStatus.DECLINED: "closed",
    IdeaStatus.EXISTS: "closed",
}


class Sign(NamedTuple):
    key: str  # of the shape, see core's template tag `state`
    word: str = ""  # instead of the shape's own


def signs(thread: Thread) -> list[Sign]:
    """Several things may be true at once; each gets its sign (RULINGS 11). Praise that just stands there has none."""
    found: list[Sign] = []
    if thread.visibility != Thread.Visibility.VISIBLE:
        found.append(Sign("pending" if thread.visibility == Thread.Visibility.PENDING else "hidden"))
    if thread.duplicate_of_id:
        found.append(Sign("duplicate", str(State.DUPLICATE.label)))
    elif thread.closed_at:
        found.append(Sign("closed"))
    if thread.kind == Kind.IDEA:
        status = IdeaStatus(thread.idea_status or IdeaStatus.NEW)
        found.append(Sign(IDEA_SHAPES[status], str(status.label)))
    elif thread.solved_at:
        found.append(Sign("solved", str(State.SOLVED_ANOTHER_WAY.label) if thread.solved_note else ""))
    if thread.official_at:
        found.append(Sign("official"))
    if thread.recheck_at:
        found.append(Sign("recheck"))
    if thread.needs_info_since and not (thread.solved_at or thread.closed_at):
        found.append(Sign("info"))
    if thread.locked_at:
        found.append(Sign("locked"))
    if not found and thread.kind != Kind.PRAISE:
        if thread.reopened_at:
            found.append(Sign("recheck", pgettext("state", "Open again")))
        else:
            found.append(Sign("replied" if thread.first_reply_at else "none"))
    return found


def sentence(thread: Thread) -> str:
    """What the state means for a reader, where no notice of its own says it (needs info, closed, asked before …)."""
    if thread.kind in (Kind.IDEA, Kind.PRAISE) or not thread.is_visible:
        return ""
    if thread.recheck_at:
        return gettext("Somebody looks again at what settled it, whether it still holds.")
    return {
        State.NO_REPLY: gettext("Nobody has replied yet."),
        State.REPLIED: gettext("There is a reply; nobody has said yet whether it settles the matter."),
        State.REOPENED: gettext("It was settled once and is open again."),
        State.SOLVED: gettext("An answer settled it."),
    }.get(State(thread.state), "")


def main_sign(thread: Thread) -> Sign | None:
    """The one sign of a row in a list: what is in doubt or waiting before what is settled."""
    found = signs(thread)
    urgent = [sign for sign in found if sign.key in ("pending", "hidden", "duplicate", "closed", "recheck", "info")]
    return (urgent or found or [None])[0]

"""What is done with ranks, badges and the programme: a verb each, for the desk, the loader and pages alike."""

from .badges import give_badge, retire_badge, save_badge, take_back_badge
from .ground import SHORTEST_REASON, require_manager
from .interests import copy_all_interests, copy_interests, declare_interest, end_interest, interests_on
from .membership import (
    admit,
    begin_rhythms,
    bring_back,
    copy_standing,
    end_membership,
    leave,
    note_candidate,
    reason_of_removal,
    remove,
    set_away,
    set_expertise,
    thank_at_parting,
    why_not_member,
)
from .ranks import delete_rank, save_rank, save_ranks

__all__ = [
    "SHORTEST_REASON",
    "admit",
    "begin_rhythms",
    "bring_back",
    "copy_all_interests",
    "copy_interests",
    "copy_standing",
    "declare_interest",
    "delete_rank",
    "end_interest",
    "end_membership",
    "give_badge",
    "interests_on",
    "leave",
    "note_candidate",
    "reason_of_removal",
    "remove",
    "require_manager",
    "retire_badge",
    "save_badge",
    "save_rank",
    "save_ranks",
    "set_away",
    "set_expertise",
    "take_back_badge",
    "thank_at_parting",
    "why_not_member",
]

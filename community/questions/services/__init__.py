"""What people do with threads and answers: a verb each. Every door (page, desk, API, import) goes through here."""

from ..ideas import NoVotesLeft
from .answering import edit_answer, post_answer
from .asking import edit_thread, post_thread, post_thread_once
from .checks import LONGEST_TITLE, SHORTEST_BODY, SHORTEST_TITLE
from .filters import delete_filter, save_filter
from .ideas import set_idea_status
from .judging import (
    NEAR,
    add_me_too_rows,
    add_vote_rows,
    add_works_rows,
    say_works_for_mine,
    set_me_too,
    vote_answer,
    vote_thread,
    votes_a_day,
    votes_left,
    withdraw_vote_rows,
)
from .merging import end_of, merge_thread, plan_merge, why_not_merge
from .private import give_private_details, view_private_details
from .settling import (
    FOLLOW_UP_AFTER,
    accept_answer,
    answer_follow_up,
    make_official,
    open_recheck,
    reconcile,
    say_no_longer_works,
    say_they_disagree,
    settle_recheck,
    solve_another_way,
    withdraw_acceptance,
    withdraw_official,
)
from .states import (
    ask_for_info,
    close_thread,
    end_needs_info,
    lock_thread,
    mark_duplicate,
    move_thread,
    reopen_thread,
)

__all__ = [
    "FOLLOW_UP_AFTER",
    "LONGEST_TITLE",
    "NEAR",
    "NoVotesLeft",
    "SHORTEST_BODY",
    "SHORTEST_TITLE",
    "accept_answer",
    "add_me_too_rows",
    "add_vote_rows",
    "add_works_rows",
    "answer_follow_up",
    "ask_for_info",
    "close_thread",
    "delete_filter",
    "edit_answer",
    "edit_thread",
    "end_needs_info",
    "end_of",
    "give_private_details",
    "lock_thread",
    "make_official",
    "mark_duplicate",
    "merge_thread",
    "move_thread",
    "open_recheck",
    "plan_merge",
    "post_answer",
    "post_thread",
    "post_thread_once",
    "reconcile",
    "reopen_thread",
    "save_filter",
    "say_no_longer_works",
    "say_they_disagree",
    "say_works_for_mine",
    "set_idea_status",
    "set_me_too",
    "settle_recheck",
    "solve_another_way",
    "view_private_details",
    "vote_answer",
    "vote_thread",
    "why_not_merge",
    "votes_a_day",
    "votes_left",
    "withdraw_acceptance",
    "withdraw_official",
    "withdraw_vote_rows",
]

"""How a case moves: opened, climbing its ladder, paused, in staff's hands, settled, open again.

Who calls (listeners, services, the sweep, the demo) has checked what people may, is in a transaction and, where a
case exists, holds its row. A ladder is written down with its due times when it begins: changing a policy changes
what is promised next time, never what was promised (docs/decisions/0070).
"""

from .firing import fire_next
from .ground import (
    OWN,
    SOLVABLE,
    Cause,
    Phase,
    Rung,
    State,
    announce,
    due_of,
    held,
    keep,
    next_kind,
    note_down,
    waiting,
)
from .hearing import (
    UNSAID,
    asker_reminded,
    asker_spoke,
    asker_stays_silent,
    begin_at_department,
    reply_arrived,
)
from .ladder import (
    PLANNED,
    REACHES_STAFF,
    add_target,
    climb,
    from_department_on,
    hurry,
    one_level_higher,
    promised_hours,
    reached_staff,
    rests,
    rungs_of,
    schedule,
    wake,
)
from .opening import new_round, open_case, rematch, replies_gone, sounds_like
from .pausing import PAUSE_DAYS, end_pause, look_on, pause, pause_is_over, resume
from .settling import open_for, settle, worked_on
from .telling import PAUSES, TOLD, tell
from .working import acknowledge, assign, promise, route

__all__ = [
    "Cause",
    "OWN",
    "PAUSES",
    "PAUSE_DAYS",
    "PLANNED",
    "Phase",
    "REACHES_STAFF",
    "Rung",
    "SOLVABLE",
    "State",
    "TOLD",
    "UNSAID",
    "acknowledge",
    "add_target",
    "announce",
    "asker_reminded",
    "begin_at_department",
    "asker_spoke",
    "asker_stays_silent",
    "assign",
    "climb",
    "due_of",
    "end_pause",
    "fire_next",
    "from_department_on",
    "held",
    "hurry",
    "keep",
    "look_on",
    "new_round",
    "next_kind",
    "note_down",
    "one_level_higher",
    "open_case",
    "open_for",
    "pause",
    "pause_is_over",
    "promise",
    "promised_hours",
    "reached_staff",
    "rematch",
    "replies_gone",
    "reply_arrived",
    "rests",
    "resume",
    "route",
    "rungs_of",
    "schedule",
    "settle",
    "sounds_like",
    "tell",
    "waiting",
    "wake",
    "worked_on",
]

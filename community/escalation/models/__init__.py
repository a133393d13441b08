"""The tables of the desk, a file per subject."""

from .base import (
    DeskSettings,
    Escalation,
    EscalationPolicy,
    EscalationStep,
    InternalNote,
    Pause,
    PauseCause,
    PolicyStep,
    StepKind,
    as_row,
)
from .shifts import Absence, AgentHours, DeskCheck, DeskFilter, HandOver

__all__ = [
    "Absence",
    "AgentHours",
    "DeskCheck",
    "DeskFilter",
    "HandOver",
    "DeskSettings",
    "Escalation",
    "EscalationPolicy",
    "EscalationStep",
    "InternalNote",
    "Pause",
    "PauseCause",
    "PolicyStep",
    "StepKind",
    "as_row",
]

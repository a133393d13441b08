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

__all__ = [
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

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
    PolicyVersion,
    Reach,
    Simulation,
    StepKind,
    as_row,
)
from .claims import Claim
from .handoffs import Alarm, Channel, HandOff, ReceivedOutcome
from .incidents import (
    Cluster,
    ClusterThread,
    Incident,
    IncidentThread,
    IncidentUpdate,
)
from .promises import Promise
from .replies import SavedReply
from .shifts import Absence, AgentHours, DeskCheck, DeskFilter, HandOver
from .suggestions import RoutingModel

__all__ = [
    "Absence",
    "AgentHours",
    "Alarm",
    "Channel",
    "Claim",
    "Cluster",
    "ClusterThread",
    "DeskCheck",
    "DeskFilter",
    "DeskSettings",
    "Escalation",
    "EscalationPolicy",
    "EscalationStep",
    "HandOff",
    "HandOver",
    "Incident",
    "IncidentThread",
    "IncidentUpdate",
    "InternalNote",
    "Pause",
    "PauseCause",
    "PolicyStep",
    "PolicyVersion",
    "Promise",
    "ReceivedOutcome",
    "Reach",
    "RoutingModel",
    "SavedReply",
    "Simulation",
    "StepKind",
    "as_row",
]

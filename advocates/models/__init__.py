"""What people earn by others' judgement, and the programme of those who help most (FEATURES F)."""

from .asking import Ask, Claim, Lesson, Rhythm
from .badges import Award, Badge, BadgeSweep, Rank
from .boards import BoardAbsence, BoardBucket, BoardScore, Help, Period
from .findings import VoteFinding, VoteTakenOut
from .ledger import Competence, DayTotal, Reason, ReputationEntry
from .members import AdvocateMembership, Expertise, Interest
from .thanks import Letter, Thanks
from .trials import Application, AppliedProduct, CodeAcceptance, CodeOfConduct, Judge, Judgement, TrialItem

__all__ = [
    "AdvocateMembership",
    "Application",
    "AppliedProduct",
    "Ask",
    "Award",
    "Badge",
    "BadgeSweep",
    "BoardAbsence",
    "BoardBucket",
    "BoardScore",
    "Claim",
    "CodeAcceptance",
    "CodeOfConduct",
    "Competence",
    "DayTotal",
    "Expertise",
    "Help",
    "Interest",
    "Judge",
    "Judgement",
    "Lesson",
    "Letter",
    "Period",
    "Rank",
    "Reason",
    "ReputationEntry",
    "Rhythm",
    "Thanks",
    "TrialItem",
    "VoteFinding",
    "VoteTakenOut",
]

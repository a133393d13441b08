"""Where an answer stands among others: what settles first, then by votes, and by what its author is known to know.

This room counts votes. A room above that knows who is good at a product says so with `lead_by`: an expression by how
many votes the answers of such people stand higher. It becomes a part of the page's own query (decision 0157).
"""

from collections.abc import Callable
from typing import Any

from django.db.models import F, Value
from django.db.models.functions import Coalesce

from .models import Thread

Lead = Callable[[Thread], Any]
_leads: list[Lead] = []


def lead_by(lead: Lead) -> Lead:
    """Register what else than votes lets an answer stand higher. Twice is harmless."""
    if lead not in _leads:
        _leads.append(lead)
    return lead


def worth(thread: Thread) -> Any:
    """An answer's votes, and what is known of its author."""
    value: Any = F("score")
    for lead in _leads:
        value = value + Coalesce(lead(thread), Value(0))
    return value

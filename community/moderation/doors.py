"""A room whose posts are judged by rules of their own says so here; the generic doors obey, without knowing the room.

    class ReviewDoor(doors.Door):                               # reviews/doors.py
        def why_not(self, by, target, act): ...

    doors.register(Review, ReviewDoor())                        # reviews/apps.py, ready()

The services ask before they change anything, so that the pages, the queue and whatever comes keep the same rule.
"""

from typing import Any

from .models import Moderated


class Door:
    """How posts are judged unless their room says otherwise: by any moderator, and hidden by enough flags."""

    hidden_by_flags = True

    def why_not(self, by: Any, target: Any, act: str) -> str:
        """The reason against an act (approve, hide, restore, delete) of a moderator, or nothing."""
        return ""

    def hide_at(self, target: Any) -> str:
        """The page where it is taken out of sight instead; empty for the usual way."""
        return ""

    def take_spam(self, target: Any, by: Any, reason: str) -> bool:
        """Take it out of sight in the room's own way when its author is a spammer; False for the usual way."""
        return False

    def before_publishing(self, target: Any) -> None:
        """What the room tidies up when a moderator lets a waiting post through; the row is locked."""


USUAL = Door()
_doors: dict[type[Moderated], Door] = {}


def register(model: type[Moderated], door: Door) -> None:
    _doors[model] = door


def of(target: Moderated) -> Door:
    return _doors.get(type(target), USUAL)

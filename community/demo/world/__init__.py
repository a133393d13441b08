"""Making the facts of the story so: each through the service that people use, at its own moment.

Rows are found again by what was told of them (`Told.object_id`), so that a later run can add to them.
"""

from .desk import Desk
from .ground import SLACK
from .house import House, hours_of
from .moderation import Moderation
from .people import People, months_of
from .programme import Programme
from .reviews import Reviews
from .sharing import Sharing
from .threads import Threads

__all__ = ["SLACK", "World", "hours_of", "months_of"]


class World(House, People, Programme, Desk, Moderation, Reviews, Threads, Sharing):
    """The rows of the story, and what happens to them."""

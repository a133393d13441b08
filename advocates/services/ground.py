"""What the managers' acts share: who may, and how long a reason is at least."""

from community.accounts.models import User
from community.core.errors import require
from community.events.log import is_replaying

from .. import permissions

SHORTEST_REASON = 20


def require_manager(by: User | None) -> None:
    """`by` is None for migrations' and loaders' own data only."""
    if by is not None and not is_replaying():
        require(permissions.why_not_manage(by))

"""What a service says when it won't."""

from django.core.exceptions import PermissionDenied


class NotAllowed(PermissionDenied):
    """Somebody may not do this; `reason` is shown to them on the 403 page or beside the button."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = str(reason)


class Conflict(Exception):
    """The thing isn't in a state for it, or somebody else was quicker; answered with 409, the text is kept."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = str(reason)


def require(reason: str) -> None:
    """Raise NotAllowed when there is a reason against it; pass on an empty one."""
    if reason:
        raise NotAllowed(reason)

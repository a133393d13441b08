from community.events.log import listen
from community.events.models import Event

from .models import Announcement
from .recipients import announced_kinds
from .tasks import announce


@listen(*announced_kinds(), live_only=True)
def announce_it(event: Event) -> None:
    """Keep, in the same transaction, that people must hear of it; the queue is only nudged."""
    Announcement.objects.create(event=event, due_at=event.occurred_at)
    announce.enqueue()

from django.contrib.contenttypes.models import ContentType

from community.events.log import listen
from community.events.models import Event

from .models import Announcement, Notification
from .recipients import announced_kinds
from .tasks import announce


@listen(*announced_kinds(), live_only=True)
def announce_it(event: Event) -> None:
    """Keep, in the same transaction, that people must hear of it; the queue is only nudged."""
    Announcement.objects.create(event=event, due_at=event.occurred_at)
    announce.enqueue()


@listen("thread.merged")
def follow_to_the_thread_that_stands(event: Event) -> None:
    """Notices about what was merged are about the thread that stands, now: they lead there, in its group."""
    thread = event.subject
    content_type, label = ContentType.objects.get_for_model(thread), thread._meta.label_lower
    Notification.objects.filter(target_content_type=content_type, target_object_id=str(thread.pk)).update(
        target_object_id=str(thread.merged_into_id), group_key=f"{label}:{thread.merged_into_id}"
    )

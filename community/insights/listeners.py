"""What moves figures of days that were counted already: a thread taken away, shown again, merged or moved."""

from community.events.log import listen
from community.events.models import Event

from .models import Stale


@listen(
    "thread.hidden", "thread.restored", "thread.deleted", "thread.merged", "thread.split", "thread.posts_moved",
    "thread.moved",
)  # fmt: skip
def count_again(event: Event) -> None:
    Stale.objects.create(thread_id=event.subject_id)


@listen("thread.edited")
def count_again_when_moved(event: Event) -> None:
    if event.data.get("previous_product") != event.data.get("product"):
        count_again(event)

"""What bridges hear: a thread moved on, and the review says so; a review came back for not being about the product."""

from community.events.log import listen
from community.events.models import Event
from community.questions.models import Answer, Thread
from reviews.models import RefusalCode

from . import outcome, services


@listen(
    "thread.posted", "thread.solved", "thread.solved_another_way", "thread.reopened", "thread.closed",
    "thread.recheck_opened", "thread.recheck_settled", "thread.hidden", "thread.restored", "thread.deleted",
    "answer.accepted", "answer.unaccepted", "answer.hidden", "answer.restored", "answer.deleted",
)  # fmt: skip
def tell_reviews(event: Event) -> None:
    """In the same transaction: the line under a review is never older than its thread."""
    thread = event.subject.thread if isinstance(event.subject, Answer) else event.subject
    if thread.has_ties:
        outcome.tell(thread)


@listen("thread.marked_duplicate", "thread.merged")
def follow_thread(event: Event) -> None:
    """It is dealt with elsewhere now: that thread tells of it from here on."""
    thread: Thread = event.subject
    if not thread.has_ties:
        return
    row = Thread.objects.select_related("merged_into__duplicate_of", "duplicate_of__merged_into").get(pk=thread.pk)
    end = outcome.where_it_stands(row)
    Thread.objects.filter(pk=end.pk).update(has_ties=True)
    outcome.tell(end)  # what pointed here points there by now
    if end.pk != row.pk:
        outcome.tell(row)


@listen("review.refused")
def offer_thread(event: Event) -> None:
    if event.data.get("code") == RefusalCode.DELIVERY and not event.data.get("agreed") and event.actor is not None:
        services.offer_with_refusal(event.subject, event.actor)

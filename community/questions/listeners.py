"""What threads learn from what happens to their answers and comments, in the same transaction."""

from django.db.models import Count, Q

from community.core.rows import locked
from community.events.log import listen
from community.events.models import Event
from community.posts.models import Comment
from products.models import Product

from . import asking_back, facts, services
from .models import Answer, Thread


@listen("answer.posted")
def count_answer(event: Event) -> None:
    """A new answer is a word of its author's, and a reply when somebody else's."""
    answer: Answer = event.subject
    thread = answer.thread = locked(answer.thread)
    thread.active_at = max(thread.active_at, answer.created_at)
    if answer.author_id == thread.author_id:
        services.end_needs_info(thread, event.actor)
    facts.refresh(thread)
    if answer.author_id != thread.author_id and event.origin != Event.Origin.IMPORT:
        asking_back.plan_reminder(thread, answer.created_at)


@listen("answer.accepted")
def ask_in_three_days(event: Event) -> None:
    """Imported threads were settled elsewhere and long ago; nobody is asked about them now."""
    if event.origin != Event.Origin.IMPORT:
        asking_back.plan_follow_up(event.subject)


@listen("answer.hidden", "answer.restored", "answer.deleted")
def recount_answers(event: Event) -> None:
    answer: Answer = event.subject
    thread = answer.thread = locked(answer.thread)
    facts.refresh(thread)
    if thread.product_id:
        _count_threads(thread.product_id)


@listen("answer.unaccepted", "answer.restored")
def ask_again_whether_it_helps(event: Event) -> None:
    """Open once more, with answers to choose from: the asker's silence counts from now."""
    thread: Thread = event.subject.thread
    if thread.first_reply_at is not None and event.origin != Event.Origin.IMPORT:
        asking_back.plan_reminder(thread, event.occurred_at)


@listen("thread.merged")
def ask_about_what_came(event: Event) -> None:
    """Answers that came along are news to the asker they came to."""
    target = locked(Thread(pk=event.data["into"]))
    if event.data["answers"] and target.first_reply_at is not None and event.origin != Event.Origin.IMPORT:
        asking_back.plan_reminder(target, event.occurred_at)


@listen("comment.posted")
def note_comment(event: Event) -> None:
    """A comment is a word, not a reply (RULINGS 12)."""
    comment: Comment = event.subject
    target = comment.target
    if isinstance(target, Answer):
        thread = target.thread = locked(target.thread)
    elif isinstance(target, Thread):
        thread = target
    else:
        return
    thread.active_at = max(thread.active_at, comment.created_at)
    if comment.author_id == thread.author_id:
        thread.asker_spoke_at = facts.latest(thread.asker_spoke_at, comment.created_at)
        services.end_needs_info(thread, event.actor)
    else:
        thread.replied_at = facts.latest(thread.replied_at, comment.created_at)
    thread.state = facts.derive_state(thread)
    thread.save(update_fields=["active_at", "asker_spoke_at", "replied_at", "state"])


@listen(
    "thread.posted", "thread.hidden", "thread.restored", "thread.deleted", "thread.solved",
    "thread.solved_another_way", "thread.reopened", "thread.edited", "thread.moved", "answer.unaccepted",
)  # fmt: skip
def count_on_product(event: Event) -> None:
    """Keep the product's numbers of threads and of solved ones."""
    thread = event.subject.thread if isinstance(event.subject, Answer) else event.subject
    for product in {thread.product_id, event.data.get("previous_product")} - {None}:
        _count_threads(product)


@listen("thread.merged")
def count_on_both_products(event: Event) -> None:
    thread: Thread = event.subject
    for product in {thread.product_id, thread.merged_into.product_id} - {None}:
        _count_threads(product)
    if event.data["answers"]:
        asking_back.plan_reminder(thread.merged_into, event.occurred_at)


def _count_threads(product_id: int) -> None:
    counted = Thread.objects.filter(product=product_id).visible().aggregate(
        threads=Count("pk"), solved=Count("pk", filter=Q(solved_at__isnull=False))
    )  # fmt: skip
    Product.objects.filter(pk=product_id).update(thread_count=counted["threads"], solved_count=counted["solved"])

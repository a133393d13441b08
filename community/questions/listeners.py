"""What threads learn from what happens to their answers and comments, in the same transaction."""

from django.db.models import F

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
    online_at = answer.published_at or answer.created_at  # later than it was written, when it waited for a look
    thread.active_at = max(thread.active_at, online_at)
    if answer.author_id == thread.author_id:
        services.end_needs_info(thread, event.actor)
    facts.refresh(thread)
    if answer.author_id != thread.author_id and event.origin != Event.Origin.IMPORT:
        asking_back.plan_reminder(thread, online_at)


@listen("thread.needs_info")
def remind_of_what_was_asked(event: Event) -> None:
    """Whoever does not reply to a request is reminded of it; a replayed story tells itself what came of it."""
    if event.origin == Event.Origin.LIVE:
        asking_back.plan_reminder(event.subject, event.occurred_at)


@listen("answer.accepted")
def ask_in_three_days(event: Event) -> None:
    """Imported threads were settled elsewhere and long ago; nobody is asked about them now."""
    if event.origin != Event.Origin.IMPORT:
        asking_back.plan_follow_up(event.subject)


@listen("answer.hidden", "answer.restored", "answer.deleted")
def recount_answers(event: Event) -> None:
    answer: Answer = event.subject
    thread = answer.thread = locked(answer.thread)
    facts.read_words(thread)
    facts.refresh(thread)
    tally(thread)


@listen("comment.hidden", "comment.restored", "comment.deleted")
def recount_words(event: Event) -> None:
    """Who spoke last is read from what readers see: spam that was taken away answered nobody."""
    target = event.subject.target
    if isinstance(target, Answer):
        target = target.thread
    if isinstance(target, Thread):
        thread = locked(target)
        facts.read_words(thread)
        facts.refresh(thread)


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
    online_at = comment.published_at or comment.created_at  # later than it was written, when it waited for a look
    thread.active_at = max(thread.active_at, online_at)
    if comment.author_id == thread.author_id:
        thread.asker_spoke_at = facts.latest(thread.asker_spoke_at, online_at)
        services.end_needs_info(thread, event.actor)
    else:
        thread.replied_at = facts.latest(thread.replied_at, online_at)
    thread.state = facts.derive_state(thread)
    thread.save(update_fields=["active_at", "asker_spoke_at", "replied_at", "state"])


@listen(
    "thread.posted", "thread.hidden", "thread.restored", "thread.deleted", "thread.solved",
    "thread.solved_another_way", "thread.reopened", "thread.edited", "thread.moved", "answer.unaccepted",
)  # fmt: skip
def count_on_product(event: Event) -> None:
    """Keep the product's numbers of threads and of solved ones."""
    tally(event.subject.thread if isinstance(event.subject, Answer) else event.subject)


@listen("thread.merged")
def count_on_both_products(event: Event) -> None:
    """The one that went, and the one that may be solved by what it brought."""
    for thread in sorted((event.subject, event.subject.merged_into), key=lambda one: one.pk):
        tally(thread)
    if event.data["answers"]:
        asking_back.plan_reminder(event.subject.merged_into, event.occurred_at)


@listen("thread.split", "thread.posts_moved")
def count_both_parts(event: Event) -> None:
    """The thread it was, and the one where it went on; whoever asks there has answers to judge."""
    new = locked(Thread(pk=event.data["into"]))
    for thread in (event.subject, new):
        tally(thread)
    if new.first_reply_at is not None and event.origin != Event.Origin.IMPORT:
        asking_back.plan_reminder(new, event.occurred_at)


def tally(thread: Thread) -> None:
    """Add to the numbers of products what changed about a thread since it was counted last.

    The row remembers what it adds, and is held: however many threads a product has, a change costs two updates, and
    two changes at once add up (docs/decisions/0112). Twice is harmless.
    """
    row = locked(thread)
    product = row.product_id if row.is_visible else None
    now = (product, product is not None and row.solved_at is not None)
    before = (row.counted_on_id, row.counted_solved)
    if now == before:
        return
    changes: dict[int, list[int]] = {}
    for sign, (counted_on, solved) in ((-1, before), (1, now)):
        if counted_on is not None:
            change = changes.setdefault(counted_on, [0, 0])
            change[0] += sign
            change[1] += sign * solved
    for pk, (threads, settled) in sorted(changes.items()):
        Product.objects.filter(pk=pk).update(
            thread_count=F("thread_count") + threads, solved_count=F("solved_count") + settled
        )
    thread.counted_on_id, thread.counted_solved = now
    Thread.objects.filter(pk=row.pk).update(counted_on=now[0], counted_solved=now[1])


@listen("person.role_changed", "person.suspended", "person.restored", "person.erased")
def ask_somebody_else(event: Event) -> None:
    """Whoever was to settle a disagreement can't any more, or somebody is there again who can."""
    services.name_other_reconcilers()

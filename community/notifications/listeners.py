from django.contrib.contenttypes.models import ContentType
from django.db.models import Q

from community.core import gathering
from community.events.log import listen
from community.events.models import Event
from community.posts.models import Comment
from community.questions.models import Answer, Thread

from .models import Announcement, Notification
from .recipients import announced_kinds
from .tasks import announce


@listen(*announced_kinds(), live_only=True)
def announce_it(event: Event) -> None:
    """Keep, in the same transaction, that people must hear of it; the queue is only nudged."""
    gathering.put(Announcement(event=event, due_at=event.occurred_at))
    gathering.once(announce.enqueue)


@listen("thread.split", "thread.posts_moved")
def follow_what_moved(event: Event) -> None:
    """Notices about a post that moved are about the new thread, in its group."""
    answer, comment, thread = (ContentType.objects.get_for_model(model) for model in (Answer, Comment, Thread))
    answers = event.data["answers"]
    remarks = Comment.objects.filter(
        Q(pk__in=event.data["comments"]) | Q(target_type=answer, target_id__in=answers)
        | Q(target_type=thread, target_id=event.data["into"])
    )  # fmt: skip
    about = Event.objects.filter(
        Q(subject_type=answer, subject_id__in=answers)
        | Q(subject_type=comment, subject_id__in=remarks.values("pk"))
        | Q(subject_type=comment, subject_id=_comment_that_asks(event))
    )
    label, into = Thread._meta.label_lower, event.data["into"]
    Notification.objects.filter(
        target_content_type=thread,
        target_object_id=str(event.subject_id),
        dedupe_key__in=[f"event:{pk}" for pk in about.values_list("pk", flat=True)],
    ).update(target_object_id=str(into), group_key=f"{label}:{into}")


def _comment_that_asks(event: Event) -> int | None:
    noun, _dash, pk = event.data["question"].partition("-")
    return int(pk) if noun == "comment" else None


@listen("thread.merged")
def follow_to_the_thread_that_stands(event: Event) -> None:
    """Notices about what was merged are about the thread that stands, now: they lead there, in its group."""
    thread = event.subject
    content_type, label = ContentType.objects.get_for_model(thread), thread._meta.label_lower
    Notification.objects.filter(target_content_type=content_type, target_object_id=str(thread.pk)).update(
        target_object_id=str(thread.merged_into_id), group_key=f"{label}:{thread.merged_into_id}"
    )

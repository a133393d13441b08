"""People around a thread: who speaks in it, and who is meant by the first letters of a name."""

from collections.abc import Iterable

from django.contrib.contenttypes.models import ContentType
from django.db.models import Q

from community.accounts.models import Standing, User
from community.core import clock
from community.posts.models import Comment
from products.models import Ownership

from .models import Answer, Thread

OFFERED = 6
SHORTEST = 2  # letters before anybody is offered


def speakers(thread: Thread) -> set[int]:
    """Ids of those who wrote something in a thread that everybody can read."""
    answers = thread.answers.visible()
    of_thread, of_answer = (ContentType.objects.get_for_model(model) for model in (Thread, Answer))
    comments = Comment.objects.visible().filter(
        Q(target_type=of_thread, target_id=thread.pk)
        | Q(target_type=of_answer, target_id__in=answers.order_by().values("pk"))
    )
    wrote = answers.order_by().values_list("author").union(comments.order_by().values_list("author"))
    return {thread.author_id, *(row[0] for row in wrote)}


def named(words: str, *, besides: Iterable[int | None] = (), first: Iterable[int] = ()) -> list[User]:
    """At most six people whose name or user name begins so: those of `first` before others, then by reputation.

    Others than `first` are found by the beginning of their user name, which has an index; nobody who has left.
    """
    words = words.strip().lstrip("@").lower()[:40]
    if len(words) < SHORTEST:
        return []
    people = User.objects.active().exclude(standing=Standing.ERASED).exclude(pk__in=[pk for pk in besides if pk])
    begins = Q(username__gte=words, username__lt=words + "\U0010ffff")
    near = list(first)
    found = list(
        people.filter(pk__in=near)
        .filter(begins | Q(name__istartswith=words) | Q(name__icontains=f" {words}"))
        .order_by("-reputation", "pk")[:OFFERED]
    )
    if len(found) < OFFERED:
        others = people.filter(begins).exclude(pk__in=near).order_by("-reputation", "pk")
        found += others[: OFFERED - len(found)]
    return found


def owners(thread: Thread, by: User) -> list[User]:
    """Members who own the thread's product, show it, and could be asked: those with the most points first."""
    if thread.product_id is None:
        return []
    return list(
        User.objects.members()
        .filter(
            invitable=True, is_away=False, profile__show_shelf=True,
            pk__in=Ownership.objects.filter(product=thread.product_id).values("owner"),
        )
        .exclude(standing=Standing.ADVOCATE)  # those who know it are named apart
        .exclude(pk__in=[by.pk, thread.author_id])
        .exclude(silenced_until__gt=clock.now())
        .exclude(pk__in=thread.answers.order_by().values("author"))
        .exclude(pk__in=thread.invitations.order_by().values("person"))
        .order_by("-reputation", "pk")[:OFFERED]
    )  # fmt: skip

"""Who could answer this: advocates who know the product and have not been asked too often (FEATURES F)."""

from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.db.models import Count, Q

from community.accounts.models import Standing, User
from community.core import clock
from community.core.models import Numbers
from community.questions.models import Answer, Thread

from . import competence
from .models import AdvocateMembership, Ask

WEEK = timedelta(days=7)


def matching_advocates(thread: Thread, limit: int | None = None) -> list[User]:
    """Whom to ask quietly about a thread: the most competent who are here and under their weekly limit.

    They know its product; a thread without a product goes to those asked least of late. Never the asker, nobody who
    has answered or was asked about it before. `limit` is the number of the settings unless given.
    """
    numbers = Numbers.load()
    limit = numbers.advocates_asked if limit is None else limit
    now = clock.now()
    members = (
        AdvocateMembership.objects.filter(
            state=AdvocateMembership.State.ACTIVE, user__is_active=True, user__standing=Standing.ADVOCATE
        )
        .exclude(user=thread.author_id)
        .exclude(user__silenced_until__gt=now)
        .exclude(user__in=Answer._base_manager.filter(thread=thread).values("author"))
        .exclude(user__in=Ask.objects.filter(thread=thread).values("person"))
        .annotate(asked=Count("user__asks", filter=Q(user__asks__at__gt=now - WEEK), distinct=True))
        .filter(asked__lt=numbers.asks_per_advocate_a_week)
        .select_related("user")
    )
    if thread.product_id is not None:
        members = members.filter(expertise__product=thread.product_id)
    chosen = list(members)
    tags = [thread.topic] if thread.topic_id is not None else []
    known = competence.of([member.user_id for member in chosen], thread.product_id, tags)  # type: ignore[list-item]
    chosen.sort(key=lambda member: (-known.get(member.user_id, 0.0), member.asked, -member.user.reputation, member.pk))
    return [member.user for member in chosen[:limit]]


@transaction.atomic
def asked(thread: Thread, people: Iterable[User]) -> list[User]:
    """Note that people are asked about a thread. Returns those who were not before: twice is harmless."""
    wanted = list(people)
    known = set(Ask.objects.filter(thread=thread, person__in=wanted).values_list("person", flat=True))
    new = [person for person in wanted if person.pk not in known]
    Ask.objects.bulk_create(
        [Ask(person=person, thread=thread, at=clock.now()) for person in new], ignore_conflicts=True
    )
    return new

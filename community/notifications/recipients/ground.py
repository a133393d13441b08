"""The register of who hears of which event, and what finding them shares."""

from collections.abc import Callable, Iterable
from datetime import timedelta

from django.contrib.contenttypes.models import ContentType
from django.db import models

from community.events.models import Event
from community.posts.models import Comment, Follow, Revision
from community.questions.models import Answer, EditSuggestion, Thread

Heard = dict[int, str]  # person's id -> kind of notice; the first kind given stays
finders: dict[str, Callable[[Event], Heard]] = {}


def heard_by(*kinds: str) -> Callable[[Callable[[Event], Heard]], Callable[[Event], Heard]]:
    def register(finder: Callable[[Event], Heard]) -> Callable[[Event], Heard]:
        for kind in kinds:
            finders[kind] = finder
        return finder

    return register


def followers(things: Iterable[models.Model], levels: tuple[str, ...] = ("watching", "tracking")) -> list[int]:
    found: list[int] = []
    for thing in things:
        content_type = ContentType.objects.get_for_model(thing)
        found += Follow.objects.filter(target_type=content_type, target_id=thing.pk, level__in=levels).values_list(
            "user", flat=True
        )
    return found


def just_said(event: Event, about: models.Model, kind: str) -> bool:
    """Whether another event of the same minute tells the same people of the same thing: never two notices for one."""
    around = (event.occurred_at - timedelta(minutes=1), event.occurred_at + timedelta(minutes=1))
    return Event.objects.about(about).filter(kind=kind, occurred_at__range=around).exists()


def muting(thing: models.Model) -> set[int]:
    return set(followers([thing], ("muted",)))


def add(heard: Heard, people: Iterable[int | None], kind: str, without: set[int] = frozenset()) -> None:  # type: ignore[assignment]
    for person in people:
        if person is not None and person not in without:
            heard.setdefault(person, kind)


def thread_of(subject: models.Model) -> Thread | None:
    """The thread an event is about, if it is about one."""
    if isinstance(subject, Thread):
        return subject
    if isinstance(subject, Answer):
        return subject.thread
    if isinstance(subject, EditSuggestion):
        return thread_of(subject.post)
    if isinstance(subject, (Comment, Revision)):
        return thread_of(subject.target) if subject.target is not None else None
    return None

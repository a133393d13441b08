"""Who hears of products, and of what is written about them: releases, reviews, recalls, known issues."""

from collections.abc import Iterable

from django.contrib.contenttypes.models import ContentType

from community.bridges import releases
from community.escalation.models import Incident
from community.events.models import Event
from community.questions.models import MeToo, Thread
from products.models import OwnerAlert
from products.shelf import alerts

from .ground import Heard, add, followers, heard_by


@heard_by("release.published")
def _release(event: Event) -> Heard:
    return dict.fromkeys(releases.who_asked(event.subject), "release")


@heard_by("release.help_asked")
def _release_helped(event: Event) -> Heard:
    """Everybody who asked for it, but for those who have said it already."""
    said = set(event.subject.helps.filter(voter__isnull=False).values_list("voter", flat=True))
    return dict.fromkeys(releases.who_asked(event.subject).keys() - said, "release_helped")


@heard_by("review.published", "review.refused", "review.answered", "bridge.offered")
def _review(event: Event) -> Heard:
    if event.data.get("agreed") or event.data.get("with_refusal") or event.data.get("edited"):
        return {}  # its author just said so; the refusal tells of the offer; an answer is news once
    return {event.subject.author_id: "review"}


@heard_by("review.requested")
def _review_requested(event: Event) -> Heard:
    return {event.subject.person_id: "review_request"}


@heard_by("alert.issued", "alert.widened", "alert.ended")
def _alert(event: Event) -> Heard:
    """The owners it concerns, as the shelves are now; those who were told of it before don't hear it again."""
    alert: OwnerAlert = event.subject
    if event.kind == "alert.ended" and alert.kind == OwnerAlert.Kind.RECALL:
        return {}
    owners = alerts.owners_told(
        alert.kind, event.data["product"], event.data["versions"], before=event.data.get("before")
    )
    told = _told_by_incident(alert) if alert.ended_at is not None else set()  # over before they were told of it, too
    return dict.fromkeys((pk for pk in owners if pk not in told), str(alert.kind))


@heard_by("recipe.made", "tip.worked")
def _shared(event: Event) -> Heard:
    kept = event.data.get("on", event.data.get("worked") is True)
    return {event.subject.author_id: "shared"} if kept else {}


@heard_by("incident.closed")
def _incident_closed(event: Event) -> Heard:
    """Whoever asked about it or has the same, once, with the solution. In threads that were answered now the answer
    itself tells the asker and who follows; owners who asked nothing hear from their product that it is over."""
    threads = list(Thread.objects.visible().filter(pk__in=event.data["threads"]))
    same = MeToo.objects.filter(target__in=threads, voter__isnull=False).values_list("voter", flat=True)
    heard: Heard = {}
    add(heard, [*(thread.author_id for thread in threads), *same], "incident", _of_the_answer(event))
    return heard


def _of_the_answer(closed: Event, *, without: Iterable[int] = ()) -> set[int]:
    """Who asked or follows where the solution was posted as an answer, but for these threads."""
    left_out = set(without)
    threads = list(Thread.objects.visible().filter(pk__in=set(closed.data["answered"]) - left_out))
    return {*followers(threads), *(thread.author_id for thread in threads)}


@heard_by("incident.passed_on")
def _passed_on(event: Event) -> Heard:
    """Whoever asked or follows where the solution could not be posted, unless they hear of it elsewhere."""
    earlier = Event.objects.about(event.subject).order_by("pk")
    passed = [one for one in earlier.filter(kind="incident.passed_on") if one.pk <= event.pk]
    closed = earlier.filter(kind="incident.closed").last()
    told: set[int] = set()
    if closed is not None:
        told = _incident_closed(closed).keys() | _of_the_answer(closed, without=[one.data["thread"] for one in passed])
    threads = {thread.pk: thread for thread in Thread.objects.filter(pk__in=[one.data["thread"] for one in passed])}
    for one in passed:
        people = [threads[one.data["thread"]].author_id, *followers([threads[one.data["thread"]]])]
        if one.pk == event.pk:
            heard: Heard = {}
            add(heard, people, "incident", told)
            return heard
        told.update(people)
    return {}


def _told_by_incident(alert: OwnerAlert) -> set[int]:
    """Owners who hear of the end of a known issue by its solution, since they asked about it."""
    about = ContentType.objects.get_for_model(Incident)
    incidents = Incident.objects.filter(alert=alert).values("pk")
    closed = Event.objects.filter(kind="incident.closed", subject_type=about, subject_id__in=incidents).last()
    return set() if closed is None else _incident_closed(closed).keys() | _of_the_answer(closed)

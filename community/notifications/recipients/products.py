"""Who hears of products, and of what is written about them: releases, reviews, recalls, known issues."""

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
    return dict.fromkeys(owners, str(alert.kind))


@heard_by("recipe.made", "tip.worked")
def _shared(event: Event) -> Heard:
    kept = event.data.get("on", event.data.get("worked") is True)
    return {event.subject.author_id: "shared"} if kept else {}


@heard_by("incident.closed")
def _incident_closed(event: Event) -> Heard:
    """Whoever asked about it or has the same. One notice each: in threads that were answered now the answer itself
    tells the asker and who follows, and owners who were told of the issue hear from their product that it is over."""
    incident: Incident = event.subject
    threads = list(Thread.objects.visible().filter(pk__in=event.data["threads"]))
    answered = set(event.data["answered"])
    told = set(followers([thread for thread in threads if thread.pk in answered]))
    told.update(thread.author_id for thread in threads if thread.pk in answered)
    if incident.alert is not None:
        versions = list(incident.alert.versions.values_list("pk", flat=True))
        told.update(alerts.owners_told(incident.alert.kind, incident.product_id, versions))
    heard: Heard = {}
    same = MeToo.objects.filter(target__in=threads, voter__isnull=False).values_list("voter", flat=True)
    add(heard, [*(thread.author_id for thread in threads), *same], "incident", told)
    return heard

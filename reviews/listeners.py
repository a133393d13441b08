"""What reviews hear: whatever changes which reviews are seen, or who owns what, changes a product's numbers."""

from community.accounts.models import User
from community.core import clock
from community.events.log import listen
from community.events.models import Event

from . import asking, hints, ratings, services


@listen(
    "review.published",
    "review.submitted",
    "review.refused",
    "review.edited",
    "review.chapter_added",
    "review.hidden",
    "review.restored",
    "review.deleted",
)
def recount_product(event: Event) -> None:
    ratings.settle_all_by(event.subject)


@listen("review.restored", "review.published")
def settle_refusal(event: Event) -> None:
    """A moderator who shows a refused review, again or for the first time, has overruled the refusal."""
    event.subject.refusals.filter(resubmitted_at=None).update(resubmitted_at=clock.now())
    event.subject.refusals.filter(appealed_at__isnull=False, granted=None).update(granted=True)


@listen("review.published", "review.submitted", "review.edited", "review.chapter_added", live_only=True)
def look_over(event: Event) -> None:
    """A sweep looks for copies, bursts and the like; what a replay tells is history."""
    hints.ask(event.subject)


@listen("ownership.added", "ownership.removed", "ownership.verified")
def mark_verified(event: Event) -> None:
    """The owner did it, or staff did it for an owner that the event names."""
    owner = User.objects.get(pk=event.data["owner"]) if "owner" in event.data else event.actor
    if owner is not None:
        services.copy_verification(owner, event.subject)


@listen("ownership.added", "ownership.changed", "ownership.removed")
def plan_request(event: Event) -> None:
    """What the demo tells is nobody's purchase; what an import tells is one."""
    if event.actor is not None and event.origin != Event.Origin.DEMO:
        asking.plan(event.actor, event.subject)


@listen("review.published", "review.submitted")
def end_request(event: Event) -> None:
    asking.note_review(event.subject)

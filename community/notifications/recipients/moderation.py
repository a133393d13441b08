"""Who hears of what moderators did, and of a queue that waits for them."""

from django.contrib.auth.models import Permission
from django.db import models

from community.accounts.models import User
from community.events.models import Event
from community.moderation.models import Flag, Look, ProfileReport

from .ground import Heard, heard_by, just_said


@heard_by(
    "thread.hidden", "answer.hidden", "comment.hidden", "review.hidden", "recipe.hidden", "tip.hidden",
    "thanks.hidden", "thanks.restored",
    "thread.restored", "answer.restored", "comment.restored", "review.restored", "recipe.restored", "tip.restored",
    "person.silenced", "person.warned", "person.restored", "penalty.lifted",
)  # fmt: skip
def _moderated(event: Event) -> Heard:
    person = event.subject.pk if isinstance(event.subject, User) else event.subject.author_id
    return {person: "moderation"}


@heard_by("thread.deleted", "answer.deleted", "comment.deleted", "recipe.deleted", "tip.deleted")
def _taken_away(event: Event) -> Heard:
    """Its author, unless it was theirs to take away."""
    by_others = event.actor_id is not None and not event.data.get("own")
    return {event.subject.author_id: "moderation"} if by_others else {}


@heard_by("thread.moved", "thread.locked")
def _put_in_order(event: Event) -> Heard:
    """Its author: title, product or tags are others now, nobody may write on, or everybody may again."""
    return {event.subject.author_id: "moderation"}


@heard_by("look.decided")
def _let_through(event: Event) -> Heard:
    """What is hidden says so itself, and so does what was online before and is shown again."""
    look: Look = event.subject
    target = look.target
    if target is None or not (look.held and look.kept) or just_said(event, target, f"{target.noun}.restored"):
        return {}
    return {target.author_id: "moderation"}


@heard_by("appeal.decided")
def _appeal_decided(event: Event) -> Heard:
    return {event.subject.author_id: "moderation"} if not event.data["granted"] else {}  # restoring says so


@heard_by("queue.late")
def _queue_late(event: Event) -> Heard:
    return dict.fromkeys(moderators(), "queue_late")


@heard_by("votes.taken_out", "votes.given_back")
def _votes(event: Event) -> Heard:
    return dict.fromkeys(event.data["people"], "moderation")


@heard_by("flag.upheld", "flag.declined")
def _flag(event: Event) -> Heard:
    flag: Flag = event.subject
    return {flag.reporter_id: "moderation"}


@heard_by("profile.report_settled")
def _report(event: Event) -> Heard:
    """Whoever reported the page. The person hears nothing here: what was done about it says so itself."""
    rows = ProfileReport.objects.filter(pk__in=event.data["reports"])
    return dict.fromkeys(rows.values_list("reporter", flat=True), "moderation")


def moderators() -> list[int]:
    perms = Permission.objects.filter(codename="moderate", content_type__app_label="moderation")
    may = models.Q(groups__permissions__in=perms) | models.Q(user_permissions__in=perms)
    return sorted(set(User.objects.active().filter(may).values_list("pk", flat=True)))

"""Who hears of the advocates' programme; badges and thanks beside it."""

from community.accounts.models import User
from community.events.models import Event

from .ground import Heard, heard_by


@heard_by("badge.awarded", "badge.given_by_hand", "badge.revoked")
def _badge(event: Event) -> Heard:
    if event.kind == "badge.revoked" and event.actor_id is None:
        return {}  # its ground fell away by itself
    person = event.subject if isinstance(event.subject, User) else getattr(event.subject, "person", None)
    return {person.pk: "badge"} if person is not None else {}


@heard_by("escalation.advocates_notified")
def _advocates(event: Event) -> Heard:
    return dict.fromkeys(event.data.get("people", ()), "asked_to_help")


@heard_by("advocate.handed_over")
def _handed_over(event: Event) -> Heard:
    return {event.data["to"]: "asked_to_help"}


@heard_by("advocate.removed")
def _role_removed(event: Event) -> Heard:
    return {event.subject.pk: "programme"}


@heard_by("advocate.invited", "advocate.decided")
def _application(event: Event) -> Heard:
    return {event.subject.person_id: "programme"}


@heard_by("advocate.judge_asked")
def _judge(event: Event) -> Heard:
    return {event.subject.person_id: "judge"} if event.subject is not None else {}  # replaced meanwhile


@heard_by("letter.written")
def _letter(event: Event) -> Heard:
    return {event.subject.person_id: "impact_letter"}


@heard_by("thanks.given")
def _thanks(event: Event) -> Heard:
    return {event.subject.answer.author_id: "thanked"} if event.subject.is_visible else {}

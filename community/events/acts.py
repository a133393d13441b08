"""Which events are acts of staff: what the audit shows, decided once, when the event is recorded.

Whatever somebody of the staff does is an act, unless every member does it too (`EVERYDAY`) or does it with what is
their own (`WITH_ONES_OWN`). So a kind nobody thought of here stands in the audit, rather than not.
"""

from typing import Any

STAFF = "staff"  # accounts.Standing; the log lies below accounts

EVERYDAY = frozenset(
    "person.joined person.listing_changed person.renamed person.trust_changed "
    "thread.posted thread.voted thread.me_too thread.info_given thread.private_given thread.invited "
    "thread.asker_reminded thread.asker_silent answer.posted answer.voted answer.works_for_mine "
    "follow_up.asked follow_up.answered "
    "edit.suggested edit.withdrawn comment.posted share.credited follow.changed flag.raised profile.reported "
    "review.submitted review.published review.chapter_added review.found_helpful review.requested "
    "bridge.agreed bridge.declined bridge.outcome "
    "recipe.published recipe.made tip.published tip.worked help_article.judged "
    "ownership.added ownership.changed ownership.removed "
    "advocate.applied advocate.withdrew advocate.trial_answered advocate.trial_judged advocate.code_accepted "
    "release.help_asked release.helped thanks.given letter.written badge.awarded badge.revoked".split()
)

# Members do these with what they wrote; staff who do them with what somebody else wrote, act.
WITH_ONES_OWN = frozenset(
    "thread.edited thread.deleted thread.reopened thread.solved thread.solved_another_way "
    "answer.edited answer.deleted comment.edited comment.deleted "
    "review.edited review.deleted recipe.edited recipe.deleted tip.edited tip.deleted thanks.deleted".split()
)

# No person did them at a screen, or it doesn't matter who: a role given by a command is an act, too.
ALWAYS = frozenset(("person.role_changed", "personal.viewed", "data.exported", "command.run"))


def is_staff(user: Any) -> bool:
    """Whether somebody acts with the powers of staff: the standing, or a superuser without it (`createsuperuser`)."""
    return getattr(user, "standing", "") == STAFF or bool(getattr(user, "is_superuser", False))


def is_act(kind: str, actor: Any, whom: int | None, data: dict[str, Any]) -> bool:
    """Whether the audit shows it."""
    if kind in ALWAYS:
        return True
    if not is_staff(actor) or kind in EVERYDAY:
        return False
    if kind in WITH_ONES_OWN:
        return whom != actor.pk
    if kind in ("answer.accepted", "answer.unaccepted"):
        return data.get("accepted_by") != "asker" and data.get("asker") != actor.pk
    return True


# Where a subject, or the data of an event, says whom it concerns.
OWNERS = ("author_id", "user_id", "person_id", "owner_id", "recipient_id")
NAMED = ("target_author", "owner", "person", "post_author")


def whom(subject: Any, data: dict[str, Any]) -> int | None:
    """The person a subject belongs to, if it belongs to one."""
    if subject is not None and subject._meta.label == "accounts.User":
        return subject.pk
    found = [getattr(subject, name, None) for name in OWNERS]
    found += [data.get(name) for name in NAMED]
    return next((pk for pk in found if isinstance(pk, int) and not isinstance(pk, bool)), None)

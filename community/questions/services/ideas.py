"""The way of an idea, and the votes on it."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core import addresses, clock, text
from community.core.errors import Conflict, NotAllowed, require
from community.core.rows import locked, retried
from community.events.log import is_replaying, record

from .. import facts, ideas, permissions
from ..models import (
    IdeaStatus,
    IdeaStep,
    Thread,
)
from .checks import copy_facts

LONGEST_REASON = 500


@retried
def set_idea_status(
    thread: Thread, by: User, status: str, reason: str, link: str = "", *, release: int | None = None
) -> None:
    """Staff say what becomes of an idea, and why; the author, voters and followers are told by the worker. With a
    `release` note, that note tells them, and the status by itself only those who follow.

    Shipped needs the address of its release note, Already exists that of the thread or page that has it. The status
    it has already, given once more by the same person, mends the reason and the link and tells nobody. Raises
    NotAllowed, Conflict and ValidationError by field (status, reason, link).
    """
    row = locked(thread)
    if not is_replaying():
        require(permissions.why_not_moderate_thread(by))
        facts.check_transition(row, "idea_status")
    if status not in IdeaStatus.values:
        raise ValidationError({"status": _("Choose a status.")})
    reason, link = text.clean_line(reason)[:LONGEST_REASON], link.strip()
    if not is_replaying() and (why := ideas.why_not_become(row, status)):
        raise Conflict(why)
    if errors := _what_is_missing(status, reason, link, ours=release is not None):
        raise ValidationError(errors)
    link = addresses.checked(link) if link and release is None and not is_replaying() else link
    previous = ideas.status_of(row)
    if previous == status:
        _mend(row, by, reason, link)
        copy_facts(thread, row)
        return
    row.idea_status, row.idea_reason, row.idea_link, row.active_at = status, reason, link, clock.now()
    row.save(update_fields=["idea_status", "idea_reason", "idea_link", "active_at"])
    step = IdeaStep.objects.create(
        thread=row, status=status, previous=previous, by=by, at=clock.now(), reason=reason, link=link
    )
    copy_facts(thread, row)
    more = {} if release is None else {"release": release}
    record(
        "idea.status_changed", actor=by, subject=row, note=reason, status=status, previous=previous, step=step.pk,
        **more,
    )  # fmt: skip


def _what_is_missing(status: str, reason: str, link: str, *, ours: bool = False) -> dict[str, str]:
    """What a status asks for. Told and imported stories bring the reasons they bring."""
    if is_replaying():
        return {}
    errors: dict[str, str] = {}
    if not reason and status != IdeaStatus.NEW:
        errors["reason"] = {
            IdeaStatus.DECLINED: _("Say why it is declined; everybody who voted will read it."),
            IdeaStatus.NEEDS_INFO: _("Say what you need to know; its author and everybody who voted will read it."),
        }.get(IdeaStatus(status), _("Say why; everybody who voted will read it."))
    if status == IdeaStatus.SHIPPED and not link:
        errors["link"] = _("Give the address of the release note, or of the page that shows it.")
    elif status == IdeaStatus.EXISTS and not link:
        errors["link"] = _("Give the address of the thread or the page that has it already.")
    elif link and status not in ideas.LINKED:
        errors["link"] = _("Only an idea that shipped or exists already leads elsewhere.")
    elif link and not ours:
        try:
            addresses.checked(link)
        except ValidationError as error:
            errors["link"] = error.messages[0]
    return errors


def _mend(row: Thread, by: User, reason: str, link: str) -> None:
    """Reason and link of the last step, changed by who took it."""
    if (row.idea_reason, row.idea_link) == (reason, link):
        return
    step = row.idea_steps.order_by("-at", "-pk").first()
    if step is None or step.by_id != by.pk:
        raise Conflict(_("It has this status already, given by somebody else. Choose another, or leave it."))
    step.reason, step.link = row.idea_reason, row.idea_link = reason, link
    step.save(update_fields=["reason", "link"])
    row.save(update_fields=["idea_reason", "idea_link"])


def spend_a_vote(row: Thread, by: User) -> None:
    """Before a vote on an open idea whose row is held: raise NoVotesLeft when all of somebody's are out.

    Two votes at once stand in line at the voter's own row, so that one left is given once. Thread first, then
    person, as everywhere.
    """
    holder = locked(by)
    if row.votes.filter(voter=by, value=1).exists():
        return
    if why := ideas.why_no_vote_left(ideas.purse_of(holder)):
        raise ideas.NoVotesLeft(why)


def check_idea_vote(row: Thread, by: User, value: int) -> None:
    """What holds for votes on ideas beside what holds for all votes. Raises NotAllowed."""
    if value < 0:
        raise NotAllowed(_("Ideas are voted for, never against. A comment can say what speaks against one."))
    if not is_replaying() and value > 0:
        spend_a_vote(row, by)

"""Whoever was warned, silenced or suspended asks somebody else to look, once (docs/decisions/0240)."""

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.utils import translation
from django.utils.translation import gettext as _

from community.accounts import services as accounts
from community.accounts.models import Penalty, User
from community.core import clock, outbox
from community.core.errors import Conflict, require
from community.core.rows import locked, retried
from community.events.log import record
from community.events.models import Event

from . import permissions, spam
from .models import PenaltyAppeal, SpamAct
from .services import LONGEST_APPEAL, SHORTEST_APPEAL

APPEAL_WITHIN = timedelta(days=30)  # after that only what still stands can be appealed


def why_not_appeal(by: User | None, penalty: Penalty) -> str:
    """The reason against an appeal; silenced or suspended is none."""
    if by is None or penalty.person_id != by.pk or by.is_erased:
        return _("Only the person it is about can appeal.")
    if penalty.lifted_at is not None and penalty.lifted_by_id is not None:
        return _("This was undone already, so there is nothing to appeal against.")
    over = penalty.lifted_at is not None or not penalty.stands or penalty.step == Penalty.Step.WARN
    if over and penalty.at + APPEAL_WITHIN < clock.now():
        return _("This can be appealed for %(days)d days.") % {"days": APPEAL_WITHIN.days}
    return ""


@retried
def appeal_penalty(penalty: Penalty, by: User, words: str) -> PenaltyAppeal:
    """Say why a warning, silence or suspension is wrong. Twice is harmless: the first words stand.

    Raises NotAllowed, ValidationError at `words`.
    """
    require(why_not_appeal(by, penalty))
    row = locked(penalty)
    if known := PenaltyAppeal.objects.filter(penalty=row).first():
        return known
    require(why_not_appeal(by, row))
    words = words.replace("\0", "").strip()
    if not SHORTEST_APPEAL <= len(words) <= LONGEST_APPEAL:
        raise ValidationError(
            {
                "words": _("Say why it is wrong, in %(least)d to %(most)d characters.")
                % {"least": SHORTEST_APPEAL, "most": LONGEST_APPEAL}
            }
        )
    new = PenaltyAppeal.objects.create(penalty=row, author=by, words=words, created_at=clock.now())
    record("appeal.made", actor=by, subject=new, penalty=row.pk, step=row.step)
    return new


def why_not_decide(by: User, appeal: PenaltyAppeal) -> str:
    """Never whoever decided first, and nobody about themselves."""
    if reason := permissions.why_not_moderate(by):
        return reason
    if by.pk == appeal.penalty.by_id:
        return _("You decided this. Somebody else decides about the appeal.")
    if by.pk == appeal.author_id:
        return _("Somebody else decides about your appeal.")
    return accounts.why_not_discipline(by, appeal.author)


@retried
def decide_penalty_appeal(appeal: PenaltyAppeal, by: User, *, granted: bool, answer: str = "") -> None:
    """Granting undoes the penalty, and all of it when it was for spam. Twice is harmless.

    Raises NotAllowed, ValidationError at `answer`, Conflict for an account that is gone, or when a colleague decided.
    """
    require(why_not_decide(by, appeal))
    answer = answer.strip()[:500]
    if not granted and not answer:
        raise ValidationError({"answer": _("Say why; they will read it.")})
    person = locked(appeal.author)
    row = locked(appeal)
    if row.granted is not None:
        if row.decided_by_id != by.pk:
            raise Conflict(_("Somebody else has decided about this meanwhile."))
        return
    if person.is_erased:
        raise Conflict(_("This account is gone."))
    row.granted, row.decided_at, row.decided_by, row.answer = granted, clock.now(), by, answer
    row.save(update_fields=["granted", "decided_at", "decided_by", "answer"])
    penalty = row.penalty
    if granted:
        if act := _spam_act_of(penalty):
            spam.undo(act, by, reason=answer)
        accounts.lift(penalty, by, reason=answer)
    record(
        "appeal.decided", actor=by, subject=row, note=answer, granted=granted, penalty=penalty.pk, step=penalty.step,
        decided_first=penalty.by_id,
    )  # fmt: skip
    if not granted and not person.is_active and person.email:
        _tell(person, row)
    appeal.granted, appeal.answer = row.granted, row.answer


def _spam_act_of(penalty: Penalty) -> SpamAct | None:
    """What hid all they wrote, when this suspension came of it."""
    made = Event.objects.filter(kind="spammer.deleted", data__penalty=penalty.pk).first()
    return SpamAct.objects.filter(pk=made.data["act"], undone_at=None).first() if made else None


def _tell(person: User, row: PenaltyAppeal) -> None:
    """By mail: whoever is suspended reads no notices."""
    with translation.override(person.language or None):
        lines = [_("Somebody else than who decided has looked, and your account stays suspended."), row.answer]
        outbox.queue(
            kind=outbox.TRANSACTIONAL, user=person, subject=_("Your appeal was not granted"), text="\n\n".join(lines),
            key=f"penalty-appeal:{row.pk}",
        )  # fmt: skip

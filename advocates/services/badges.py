"""What a manager does with badges: writing them, giving them by hand, taking those back."""

import hashlib
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from community.accounts.models import Standing, User
from community.core import clock, text
from community.core.errors import Conflict
from community.core.rows import retried
from community.events.log import is_replaying, record

from .. import badges as judging
from .. import tasks, totals
from ..models import Award, Badge
from .ground import require_manager


def _badges_changed() -> None:
    """Now for what follows in this transaction; and when it is over, whatever others read meanwhile."""
    judging.forget()
    transaction.on_commit(judging.forget)


@transaction.atomic
def save_badge(by: User | None, data: dict[str, Any], *, position: int | None = None) -> Badge:
    """Add or change a badge, from the words of demo/badges.yaml. Idempotent; raises ValidationError by field.

    A new or changed rule is judged over the whole history: in the background, in a replay by `award_badges`.
    """
    require_manager(by)
    rule = dict(data["award"]) if isinstance(data.get("award"), dict) else data.get("award")
    by_hand = data.get("by_hand") or False
    hand_given = bool(by_hand) or (isinstance(rule, dict) and rule.get("event") == judging.BY_HAND)
    awarded, per = data.get("awarded", Badge.Awarded.ONCE), data.get("per") or ""
    errors: dict[str, Any] = {}
    try:
        judging.check_award(rule, awarded=awarded, per=per, by_hand=hand_given)
    except ValidationError as error:
        errors.update(error.message_dict)
    area = data.get("area") or (Badge.Area.THANKS if hand_given else Badge.Area.ANSWERING)
    if area not in Badge.Area.values:
        errors["area"] = _("Choose an area.")
    if data.get("glyph") and data["glyph"] not in judging.GLYPHS:
        errors["glyph"] = _("Choose a drawing.")
    if data.get("level") not in Badge.Level.values:
        errors["level"] = _("Choose bronze, silver or gold.")
    if awarded not in Badge.Awarded.values:
        errors["awarded"] = _("Once or many.")
    if not text.clean_line(data.get("name", "")):
        errors["name"] = _("Give it a name.")
    if errors:
        raise ValidationError(errors)
    limits = by_hand if isinstance(by_hand, dict) else {}
    wanted = {
        "name": text.clean_line(data["name"])[:60],
        "level": data["level"],
        "area": area,
        "rule": text.clean_line(data.get("rule", ""))[:300],
        "award": rule,
        "event": rule["event"],
        "awarded": awarded,
        "per": per,
        "by_hand": hand_given,
        "at_most_people": limits.get("at_most_people", judging.MOST_BY_HAND),
        # Whoever says nothing about these leaves them as they are.
        **{name: data[name] for name in ("glyph", "kept", "words") if name in data},
    }
    if position is not None:
        wanted["position"] = position
    known = Badge.objects.filter(slug=data["slug"]).first()
    if known and known.retired_at is None and all(getattr(known, field) == value for field, value in wanted.items()):
        return known
    judged = ("award", "awarded", "per")
    rejudge = known is None or known.retired_at or any(getattr(known, field) != wanted[field] for field in judged)
    badge, _new = Badge.objects.update_or_create(slug=data["slug"], defaults={**wanted, "retired_at": None})
    _badges_changed()
    if rejudge and not hand_given and not is_replaying() and by is not None:
        tasks.judge_badge.enqueue(badge.slug)
    return badge


@transaction.atomic
def retire_badge(badge: Badge, by: User | None) -> None:
    """Give a badge no more. Who has it keeps it as long as its ground holds."""
    require_manager(by)
    if badge.retired_at is None:
        badge.retired_at = clock.now()
        badge.save(update_fields=["retired_at"])
        _badges_changed()


@retried
def give_badge(badge: Badge, people: Iterable[User], by: User, *, reason: str) -> list[Award]:
    """Thank people by hand, with a reason that everybody reads. The same reason twice is harmless."""
    require_manager(by)
    chosen = list(people)
    reason = text.clean_line(reason)[:500]
    if not badge.by_hand:
        raise Conflict(_("This badge is given by its rule alone."))
    if len(reason) < judging.SHORTEST_REASON:
        raise ValidationError({"reason": _("Say what for, in 20 characters or more; everybody will read it.")})
    if len(chosen) > badge.at_most_people:
        raise ValidationError(
            {
                "people": ngettext(
                    "At most %(most)d person at once.", "At most %(most)d people at once.", badge.at_most_people
                )
                % {"most": badge.at_most_people}
            }
        )
    key = hashlib.sha256(reason.encode()).hexdigest()[:16]
    given = []
    totals.hold({person.pk for person in chosen})  # two who give at once would each count without the other's
    for person in chosen:
        if person.standing in (Standing.STAFF, Standing.ERASED):
            raise ValidationError({"people": _("Staff get no badges.")})
        award, new = Award.objects.get_or_create(
            badge=badge, person=person, per_key=key, defaults={"at": clock.now(), "reason": reason, "given_by": by}
        )
        if new:
            judging.copy_counts([person.pk])
            record(judging.BY_HAND, actor=by, subject=person, note=reason, badge=badge.slug, per=key, given_by="staff")
        given.append(award)
    return given


@retried
def take_back_badge(award: Award, by: User, *, reason: str) -> None:
    """Take a badge given by hand back, and say why. Twice is harmless."""
    require_manager(by)
    if not award.badge.by_hand:
        raise Conflict(_("This badge follows its rule; it goes when its ground goes."))
    reason = text.clean_line(reason)[:500]
    if not reason:
        raise ValidationError({"reason": _("Say why; they will read it.")})
    totals.hold({award.person_id})
    gone, _details = Award.objects.filter(pk=award.pk).delete()
    if gone:
        judging.copy_counts([award.person_id])
        record("badge.revoked", actor=by, subject=award.person, note=reason, badge=award.badge.slug, per=award.per_key)

"""What others say: that they made it, whether it worked; taken back, taken out of the count, told from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Count, Q, Sum
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core import clock, text
from community.core.errors import Conflict, require
from community.core.rows import locked, retried
from community.events.log import record
from community.moderation import screening
from community.moderation.permissions import why_not_moderate

from .. import permissions
from ..models import Made, Recipe, Tip, Worked
from .ground import Visibility, copy_back


@retried
def set_made(
    recipe: Recipe, by: User, *, on: bool = True, stars: int | None = None, note: str = "", variation: str = ""
) -> Recipe:
    """Say that one made it, with stars and words if one likes; saying it again changes them, `on=False` takes it back.

    Not on one's own. Twice is harmless.
    """
    require(permissions.why_not_judge_use(by, recipe))
    row = locked(recipe)
    if row.visibility != Visibility.VISIBLE:
        raise Conflict(_("This recipe is not online at the moment."))
    errors: dict[str, str] = {}
    if stars is not None and stars not in range(1, 6):
        errors["stars"] = _("Choose one to five stars, or none.")
    note, variation = text.clean_source(note).strip(), text.clean_line(variation)
    if len(note) > 600:
        errors["note"] = _("At most %(most)d characters here.") % {"most": 600}
    if len(variation) > 300:
        errors["variation"] = _("At most %(most)d characters here.") % {"most": 300}
    if errors:
        raise ValidationError(errors)
    if on:
        screening.check_line(by, "note", note)
        screening.check_line(by, "variation", variation)
    made = Made.objects.filter(target=row, voter=by).first()
    if not on:
        if made is not None:
            made.delete()
            _recount_made(row)
            record("recipe.made", actor=by, subject=row, on=False, stars=None)
    elif made is None:
        Made.objects.create(target=row, voter=by, stars=stars, note=note, variation=variation, created_at=clock.now())
        _recount_made(row)
        record("recipe.made", actor=by, subject=row, on=True, stars=stars)
    elif (made.stars, made.note, made.variation) != (stars, note, variation):
        # No second event: it was made once, its points are given.
        made.stars, made.note, made.variation = stars, note, variation
        made.save(update_fields=["stars", "note", "variation"])
        _recount_made(row)
    copy_back(row, recipe, "made_count", "stars_sum", "stars_count")
    return recipe


@retried
def add_made_rows(
    recipe: Recipe, *, stars: Sequence[int | None], source: str, at: datetime | Sequence[datetime] | None = None
) -> int:
    """Dated rows of people who made it elsewhere (RULINGS 21): one for each entry of `stars`, None for no stars.

    Told twice adds nothing; returns how many were new.
    """
    moments = _moments(at)
    row = locked(recipe)
    known = set(Made.objects.filter(target=row, voter=None, source=source).values_list("external_id", flat=True))
    new = [
        Made(target=row, source=source, external_id=str(n), stars=given, created_at=moments[n % len(moments)])
        for n, given in enumerate(stars)
        if str(n) not in known
    ]
    Made.objects.bulk_create(new)
    if new:
        _recount_made(row)
    for made in sorted(new, key=lambda made: made.created_at):
        with clock.travel(made.created_at):
            record("recipe.made", actor=None, subject=row, on=True, stars=made.stars, voter_source=True)
    copy_back(row, recipe, "made_count", "stars_sum", "stars_count")
    return len(new)


@retried
def say_worked(tip: Tip, by: User, worked: bool | None) -> Tip:
    """Say whether a tip worked: True, False, or None to take it back. One per person, not on one's own."""
    require(permissions.why_not_judge_use(by, tip))
    row = locked(tip)
    if row.visibility != Visibility.VISIBLE:
        raise Conflict(_("This tip is not online at the moment."))
    _say_worked(row, by, worked)
    copy_back(row, tip, "worked_yes", "worked_no")
    return tip


def _say_worked(row: Tip, by: User, worked: bool | None, **told: Any) -> None:
    """Set somebody's judgement on a tip whose row is held."""
    vote = Worked.objects.filter(target=row, voter=by).first()
    previous = vote.worked if vote else None
    if previous == worked:
        return
    if vote is None:
        Worked.objects.create(target=row, voter=by, worked=worked, created_at=clock.now())
    elif worked is None:
        vote.delete()
    else:
        vote.worked, vote.created_at = worked, clock.now()
        vote.save(update_fields=["worked", "created_at"])
    _recount_worked(row)
    record("tip.worked", actor=by, subject=row, worked=worked, previous=previous, **told)


@retried
def take_judgement_out(thing: Recipe | Tip, voter: User, by: User) -> dict[str, Any] | None:
    """A moderator takes a "made it" or "worked for me" out of the count. Returns what it takes to give it back; None
    if there is none."""
    require(why_not_moderate(by))
    return _unsay(thing, voter, taken_out_by=by.pk)


@retried
def unsay(thing: Recipe | Tip, voter: User) -> None:
    """Somebody leaves and takes along what they said of a thing. Twice is harmless."""
    _unsay(thing, voter)


def _unsay(thing: Recipe | Tip, voter: User, **told: Any) -> dict[str, Any] | None:
    row = locked(thing)
    if isinstance(row, Tip):
        said = Worked.objects.filter(target=row, voter=voter).first()
        if said is None:
            return None
        _say_worked(row, voter, None, **told)
        return {"worked": said.worked, "at": said.created_at.isoformat()}
    made = Made.objects.filter(target=row, voter=voter).first()
    if made is None:
        return None
    made.delete()
    _recount_made(row)
    record("recipe.made", actor=voter, subject=row, on=False, stars=None, **told)
    return {"stars": made.stars, "note": made.note, "variation": made.variation, "at": made.created_at.isoformat()}


@retried
def give_judgement_back(thing: Recipe | Tip, voter: User, by: User, kept: dict[str, Any]) -> bool:
    """Undo it, from the moment it was said. False if they have said something since."""
    require(why_not_moderate(by))
    row = locked(thing)
    at = datetime.fromisoformat(kept["at"])
    with clock.travel(at):
        if isinstance(row, Tip):
            if Worked.objects.filter(target=row, voter=voter).exists():
                return False
            _say_worked(row, voter, kept["worked"], given_back_by=by.pk)
            return True
        if Made.objects.filter(target=row, voter=voter).exists():
            return False
        words = {field: kept[field] for field in ("stars", "note", "variation")}
        Made.objects.create(target=row, voter=voter, created_at=at, **words)
        _recount_made(row)
        record("recipe.made", actor=voter, subject=row, on=True, stars=kept["stars"], given_back_by=by.pk)
    return True


@retried
def add_worked_rows(
    tip: Tip, *, yes: int = 0, no: int = 0, source: str, at: datetime | Sequence[datetime] | None = None
) -> int:
    """Dated rows without a voter, from a tally (RULINGS 21). Told twice adds nothing; returns how many were new."""
    moments = _moments(at)
    row = locked(tip)
    known = set(Worked.objects.filter(target=row, voter=None, source=source).values_list("external_id", flat=True))
    wanted = [(f"yes-{n}", True) for n in range(yes)] + [(f"no-{n}", False) for n in range(no)]
    new = [
        Worked(target=row, source=source, external_id=name, worked=worked, created_at=moments[n % len(moments)])
        for n, (name, worked) in enumerate(wanted)
        if name not in known
    ]
    Worked.objects.bulk_create(new)
    if new:
        _recount_worked(row)
    for vote in sorted(new, key=lambda vote: vote.created_at):
        with clock.travel(vote.created_at):
            record("tip.worked", actor=None, subject=row, worked=vote.worked, previous=None, voter_source=True)
    copy_back(row, tip, "worked_yes", "worked_no")
    return len(new)


def _recount_made(row: Recipe) -> None:
    totals = row.made.aggregate(people=Count("pk"), rated=Count("stars"), total=Sum("stars", default=0))
    row.made_count, row.stars_count, row.stars_sum = totals["people"], totals["rated"], totals["total"]
    row.save(update_fields=["made_count", "stars_count", "stars_sum"])


def _recount_worked(row: Tip) -> None:
    totals = row.worked.aggregate(yes=Count("pk", filter=Q(worked=True)), no=Count("pk", filter=Q(worked=False)))
    row.worked_yes, row.worked_no = totals["yes"], totals["no"]
    row.save(update_fields=["worked_yes", "worked_no"])


def _moments(at: datetime | Sequence[datetime] | None) -> list[datetime]:
    return [clock.now()] if at is None else [at] if isinstance(at, datetime) else list(at)

"""The ladder of ranks: what a manager does with it."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from wagtail.images.exceptions import InvalidFilterSpecError
from wagtail.images.models import SourceImageIOError

from community.accounts.models import User
from community.core import text
from community.core.errors import Conflict
from community.core.models import CommunityImage
from community.events.log import is_replaying

from .. import tasks, totals
from ..models import Rank
from .ground import require_manager


def _ranks_changed() -> None:
    """Everybody's rank is a copy: at once in a replay or a loader, in the background on a living site."""
    if is_replaying():
        totals.rename_by_rank()
    else:
        tasks.rename_by_rank.enqueue()


def _drawing_of_step(step: int) -> str:
    """What the n-th rank of a ladder looks like unless somebody chooses: from the seed up."""
    return Rank.Drawing.values[min(step, len(Rank.Drawing.values) - 1)]


def _shown(drawing: str, picture: CommunityImage | None) -> str:
    """What is copied beside names: the address of the own picture, or the name of a drawing."""
    if picture is None:
        return drawing
    try:
        return str(picture.get_rendition("fill-80x80|format-webp").url)
    except (SourceImageIOError, InvalidFilterSpecError, OSError):
        return drawing  # its file is gone


@transaction.atomic
def save_rank(
    by: User | None,
    *,
    slug: str,
    name: str,
    threshold: int,
    line: str = "",
    drawing: str = "",
    picture: CommunityImage | None = None,
    alt: str = "",
) -> Rank:
    """Add or change a rank. Without a drawing it keeps its own, or gets that of its step. Raises ValidationError by
    field."""
    require_manager(by)
    name = text.clean_line(name)[:60]
    alt = text.clean_line(alt)[:200] or (picture.alt if picture is not None else "")[:200]
    errors: dict[str, str] = {}
    if not name:
        errors["name"] = _("Give it a name.")
    if threshold < 0:
        errors["threshold"] = _("Points start at 0.")
    if Rank.objects.filter(threshold=threshold).exclude(slug=slug).exists():
        errors["threshold"] = _("Another rank begins at so many points.")
    known = Rank.objects.filter(slug=slug).first()
    if known and known.threshold == 0 and threshold > 0:
        errors["threshold"] = _("Somebody who begins needs a rank, too: the first one stays at 0.")
    if drawing and drawing not in Rank.Drawing.values:
        errors["drawing"] = _("Choose one of the drawings.")
    if picture is not None and not alt:
        errors["alt"] = _("Say what the picture shows, for those who can't see it.")
    if errors:
        raise ValidationError(errors)
    below = Rank.objects.filter(threshold__lt=threshold).exclude(slug=slug).count()
    drawing = drawing or (known.drawing if known else _drawing_of_step(below))
    wanted = {
        "name": name,
        "threshold": threshold,
        "line": text.clean_line(line)[:200],
        "drawing": drawing,
        "picture": picture,
        "alt": alt,
        "shown": _shown(drawing, picture),
    }
    if known and all(getattr(known, field) == value for field, value in wanted.items()):
        return known
    rank, _new = Rank.objects.update_or_create(slug=slug, defaults=wanted)
    _ranks_changed()
    return rank


@transaction.atomic
def save_ranks(by: User | None, ranks: Sequence[dict[str, Any]]) -> list[Rank]:
    """Set the whole ladder: these ranks and no others. The first begins at 0. Pictures of ranks that stay, stay."""
    require_manager(by)
    thresholds = [rank["threshold"] for rank in ranks]
    if not thresholds or min(thresholds) != 0 or len(set(thresholds)) != len(thresholds):
        raise ValidationError(_("Ranks begin at 0, and each at another number of points."))
    known = {row.slug: row for row in Rank.objects.select_related("picture")}
    wanted = []
    for step, rank in enumerate(sorted(ranks, key=lambda rank: rank["threshold"])):
        drawing = rank.get("drawing") or _drawing_of_step(step)
        before = known.get(rank["slug"])
        picture = before.picture if before else None
        wanted.append(
            Rank(
                slug=rank["slug"],
                name=text.clean_line(rank["name"])[:60],
                threshold=rank["threshold"],
                line=text.clean_line(rank.get("line", ""))[:200],
                drawing=drawing,
                picture=picture,
                alt=before.alt if before else "",
                shown=_shown(drawing, picture),
            )
        )
    fields = ("slug", "name", "threshold", "line", "drawing", "shown")
    if {tuple(getattr(row, field) for field in fields) for row in wanted} != {
        tuple(getattr(row, field) for field in fields) for row in known.values()
    }:
        Rank.objects.all().delete()
        Rank.objects.bulk_create(wanted)
        _ranks_changed()
    return list(Rank.objects.all())


@transaction.atomic
def delete_rank(rank: Rank, by: User | None) -> None:
    """Take a rank out; its people move to the one below."""
    require_manager(by)
    if rank.threshold == 0:
        raise Conflict(_("Somebody who begins needs a rank, too: rename it instead."))
    rank.delete()
    _ranks_changed()

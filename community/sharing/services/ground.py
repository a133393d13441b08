"""What sharing a recipe and sharing a tip have in common: who may, what is checked, what follows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core import text
from community.core.body import write_body
from community.core.errors import Conflict, require
from community.core.models import Body
from community.core.rows import locked
from community.events.log import is_replaying, record
from community.moderation import screening
from community.moderation import services as moderation
from community.moderation.models import Moderated
from community.moderation.permissions import why_not_write
from community.posts import gates
from community.posts import services as posts
from community.posts.models import Upload

from .. import permissions
from ..models import Recipe, Tip

Visibility = Moderated.Visibility

SHORTEST_TITLE, LONGEST_TITLE = 3, 150
MOST_INGREDIENTS, MOST_STEPS, MOST_PHOTOS = 60, 40, 6
LONGEST_STEP = 2000
LONGEST_MINUTES = 60 * 24 * 60  # two months: things are cured and aged


def require_may_share(by: User) -> None:
    if not is_replaying():
        require(why_not_write(by))


def shared_by(by: User) -> list[Any]:
    """A newcomer's first recipe or tip may be looked at first; one that was let through opens the door to both."""
    return [Recipe.objects.filter(author=by), Tip.objects.filter(author=by)]


def said_in(*lists: Iterable[Mapping[str, Any]]) -> list[str]:
    """The words of steps and ingredients, the small ones, too."""
    kinds = ("text", "name", "note", "unit", "group")
    return [str(row[kind]) for rows in lists for row in rows for kind in kinds if row.get(kind)]


def beside(thing: Recipe | Tip) -> list[str]:
    """What is shown of it besides title, text, ingredients and steps."""
    if isinstance(thing, Recipe):
        return [thing.yield_unit, thing.remix_note]
    return [thing.goal, thing.safety, thing.model_version]


def write_words(thing: Body, body: str, source_format: str, by: User) -> None:
    body = text.clean_source(body).strip()
    try:
        write_body(thing, body, source_format, limit=None if is_replaying() else text.MAX_POST_BYTES)
    except text.TooLong as problem:
        raise ValidationError({"body": problem.messages}) from problem
    gates.check_newcomer(thing, by)


def check_title(title: str, errors: dict[str, str]) -> str:
    title = text.clean_line(title)
    if not title or (not is_replaying() and len(title) < SHORTEST_TITLE):
        errors["title"] = _("Give it a title.")
    elif len(title) > LONGEST_TITLE:
        errors["title"] = _("A title has at most %(most)d characters.") % {"most": LONGEST_TITLE}
    return title


def check_steps(steps: Sequence[Mapping[str, Any]], errors: dict[str, str]) -> None:
    if len(steps) > MOST_STEPS:
        errors["steps"] = _("At most %(most)d steps.") % {"most": MOST_STEPS}
    for step in steps:
        if not str(step.get("text", "")).strip():
            errors["steps"] = _("A step needs words.")
        elif len(str(step["text"])) > LONGEST_STEP:
            errors["steps"] = _("A step has at most %(most)d characters.") % {"most": LONGEST_STEP}
        if (minutes := step.get("timer_minutes")) and not 0 < minutes <= LONGEST_MINUTES:
            errors["steps"] = _("A timer runs for at least a minute, and for two months at most.")


def finish_sharing(
    thing: Recipe | Tip, by: User, photos: Sequence[Upload], waits: bool, looked: screening.Looked
) -> None:
    posts.set_photos(thing, by, photos, MOST_PHOTOS)
    posts.attach_uploads(thing, by)
    _keep_version(thing, by)
    screening.keep(looked, thing)
    if not waits:
        moderation.publish(thing, by)


def row_to_edit(thing: Any, by: User, seen_revision: int | None) -> Any:
    require(permissions.why_not_edit(by, thing))
    row = locked(thing)
    if row.visibility == Visibility.DELETED:
        raise Conflict(_("This has been deleted."))
    if seen_revision is not None and seen_revision != posts.latest_revision(row):
        raise Conflict(_("This was changed in another window meanwhile."))
    return row


def finish_edit(
    row: Recipe | Tip, by: User, photos: Sequence[Upload] | None, summary: str, *, before: Sequence[int],
    waits: bool,
) -> None:  # fmt: skip
    if photos is not None:
        posts.set_photos(row, by, photos, MOST_PHOTOS)
    posts.attach_uploads(row, by)
    moderation.mended(row, by, waits=waits)
    version = _keep_version(row, by, summary)
    record(
        f"{moderation.noun(row)}.edited",
        actor=by,
        subject=row,
        revision=version,
        products=row.product_ids,
        products_before=list(before),
    )


def _keep_version(thing: Recipe | Tip, by: User, summary: str = "") -> int:
    return posts.add_revision(
        thing,
        by,
        title=thing.title,
        body_source=thing.body_source,
        source_format=thing.source_format,
        tags=" ".join(tag.slug for tag in thing.tags.all()),
        summary=summary,
    ).number


def copy_back(row: Any, thing: Any, *fields: str) -> None:
    """What changed on the locked row, onto the one the caller holds."""
    for field in fields:
        setattr(thing, field, getattr(row, field))

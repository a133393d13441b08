"""Sharing a tip, and changing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core import clock, text
from community.core.body import BODY_FIELDS
from community.core.models import Body
from community.core.rows import retried
from community.moderation import screening
from community.posts import gates
from community.posts import services as posts
from community.posts.models import Upload
from products.models import Product

from ..models import Tip, TipStep
from .ground import (
    Visibility,
    beside,
    check_steps,
    check_title,
    finish_edit,
    finish_sharing,
    require_may_share,
    row_to_edit,
    said_in,
    shared_by,
    write_words,
)


@retried
def share_tip(
    by: User,
    *,
    title: str,
    body: str,
    steps: Sequence[Mapping[str, Any]] = (),
    product: Product | None = None,
    model_version: str = "",
    goal: str = "",
    safety: str = "",
    tags: Sequence[str] = (),
    language: str = "",
    photos: Sequence[Upload] = (),
    hold: bool = False,
    source_format: str = Body.Format.MARKDOWN,
    **sourced: str,
) -> Tip:
    """Share a tip: what it is good for, the steps, and why it works. Raises ValidationError by field."""
    require_may_share(by)
    fields = _checked_tip(title, body, steps, model_version, goal, safety)
    tip = Tip(
        author=by,
        product=product,
        language=(language or by.language or "en")[:10],
        created_at=clock.now(),
        visibility=Visibility.DRAFT,
        **fields,
        **sourced,
    )
    write_words(tip, body, source_format, by)
    words = (tip.title, *beside(tip), *said_in(steps), *posts.words_beside(photos))
    looked = gates.look(tip, by, "shared", *words, published=shared_by(by))
    waits = hold or looked.waits
    if waits:
        tip.visibility = Visibility.PENDING
    found = posts.tags_named(list(tags), by)
    tip.save(force_insert=True)
    tip.tags.set(found)
    _set_tip_steps(tip, steps)
    finish_sharing(tip, by, photos, waits, looked)
    return tip


@retried
def edit_tip(
    tip: Tip,
    by: User,
    *,
    title: str,
    body: str,
    steps: Sequence[Mapping[str, Any]] = (),
    product: Product | None = None,
    model_version: str = "",
    goal: str = "",
    safety: str = "",
    tags: Sequence[str] = (),
    photos: Sequence[Upload] | None = None,
    summary: str = "",
    seen_revision: int | None = None,
) -> Tip:
    """Change one's own tip; every version of its words is kept."""
    row = row_to_edit(tip, by, seen_revision)
    fields = _checked_tip(title, body, steps, model_version, goal, safety)
    before = row.product_ids
    for field, value in fields.items():
        setattr(row, field, value)
    row.product = product
    write_words(row, body, Body.Format.MARKDOWN, by)
    words = (row.title, *beside(row), *said_in(steps), *posts.words_beside(photos))
    looked = gates.look_again(row, by, "shared", *words)
    row.edited_at = clock.now()
    row.save(update_fields=[*fields, *BODY_FIELDS, "product", "edited_at"])
    screening.keep_change(looked, row)
    row.tags.set(posts.tags_named(list(tags), by))
    row.steps.all().delete()
    _set_tip_steps(row, steps)
    finish_edit(row, by, photos, summary, before=before, waits=looked.waits)
    tip.refresh_from_db()
    return tip


def _checked_tip(
    title: str, body: str, steps: Sequence[Mapping[str, Any]], model_version: str, goal: str, safety: str
) -> dict[str, Any]:
    errors: dict[str, str] = {}
    title = check_title(title, errors)
    check_steps(steps, errors)
    if not steps and not body.strip():
        errors["body"] = _("Tell how it is done: in steps, or here.")
    lines = {
        "model_version": (text.clean_line(model_version), 120),
        "goal": (text.clean_line(goal), 200),
        "safety": (text.clean_line(safety), 400),
    }
    for field, (words, most) in lines.items():
        if len(words) > most:
            errors[field] = _("At most %(most)d characters here.") % {"most": most}
    if errors:
        raise ValidationError(errors)
    return {"title": title, **{field: words for field, (words, _most) in lines.items()}}


def _set_tip_steps(tip: Tip, steps: Sequence[Mapping[str, Any]]) -> None:
    TipStep.objects.bulk_create(
        TipStep(
            tip=tip,
            number=number,
            text=text.clean_source(str(step["text"])).strip(),
            timer_minutes=step.get("timer_minutes") or None,
        )
        for number, step in enumerate(steps, start=1)
    )

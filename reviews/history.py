"""Every version of a review, and what changed from one to the next: words, stars, and all that it says beside."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from community.events.models import Event
from community.posts.changes import Piece, changes
from community.posts.models import Revision, Upload

from .models import Disclosure, Review

MOST = 50
WORDS = ("did_well", "could_be_better")
SAID = ("stars", "would_recommend", "disclosure", "owned_months", "secondary", *WORDS)


def beside(review: Review) -> dict[str, Any]:
    """What a version keeps beside title and text."""
    of_reviews = ContentType.objects.get_for_model(review)
    photos = Upload.objects.filter(target_type=of_reviews, target_id=review.pk) if review.photo_count else []
    return {
        **{field: getattr(review, field) for field in SAID},
        "photos": [[photo.pk, photo.caption or photo.alt] for photo in photos],
    }


def versions(review: Review, revisions: Iterable[Revision]) -> list[dict[str, Any]]:
    """The newest ones first, each with what changed since the one before: `stars` (was, now), `title` and `body` in
    pieces, and `rows` of (what, pieces) for all the rest. `revisions` are given newest first."""
    shown = list(revisions)
    stars = _stars_told(review)
    found = []
    for revision, old in zip(shown, [*shown[1:], *shown[-1:]], strict=True):
        was, now = old.more.get("stars"), revision.more.get("stars")
        if was is None or now is None:  # from before versions kept them
            was, now = stars.get(revision.number, (None, None))
        found.append(
            {
                "revision": revision,
                "first": revision.number == 1,
                "stars": (was, now) if was != now else None,
                "title": changes(old.title, revision.title) if old.title != revision.title else [],
                "body": changes(old.body_source, revision.body_source),
                "rows": list(_rows(review, old.more, revision.more)) if old.more and revision.more else [],
            }
        )
    return found


def of_text(revisions: Iterable[Revision]) -> list[dict[str, Any]]:
    """The same of a text alone, such as what a department said. `revisions` are given newest first."""
    shown = list(revisions)
    return [
        {"revision": now, "first": now.number == 1, "body": changes(old.body_source, now.body_source)}
        for now, old in zip(shown, [*shown[1:], *shown[-1:]], strict=True)
    ]


def _stars_told(review: Review) -> dict[int, tuple[int, int]]:
    events = Event.objects.about(review).filter(kind="review.edited")
    return {event.data["revision"]: (event.data["was"], event.data["stars"]) for event in events if "was" in event.data}


def _rows(review: Review, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[Piece]]]:
    for field in WORDS:
        if old.get(field) != new.get(field):
            yield _named(field), changes(old.get(field) or "", new.get(field) or "")
    for field in ("would_recommend", "disclosure", "owned_months"):
        if old.get(field) != new.get(field):
            yield _named(field), _instead(_shown(field, old.get(field)), _shown(field, new.get(field)))
    names = {rating["slug"]: rating["name"] for rating in review.product.family.ratings}
    before, after = old.get("secondary") or {}, new.get("secondary") or {}
    for slug in [*names, *sorted({*before, *after} - names.keys())]:
        if before.get(slug) != after.get(slug):
            yield names.get(slug, slug), _instead(_of_five(before.get(slug)), _of_five(after.get(slug)))
    if old.get("photos") != new.get("photos"):
        yield _("Photos"), _photos(old.get("photos") or [], new.get("photos") or [])


def _named(field: str) -> str:
    return capfirst(str(Review._meta.get_field(field).verbose_name))  # type: ignore[union-attr]


def _shown(field: str, value: Any) -> str:
    if value is None:
        return _("not said")
    if field == "would_recommend":
        return _("yes") if value else _("no")
    if field == "disclosure":
        return str(dict(Disclosure.choices).get(value, value))
    return str(value)


def _of_five(value: int | None) -> str:
    return _("not said") if value is None else _("%(n)d of 5") % {"n": value}


def _instead(before: str, after: str) -> list[Piece]:
    return [Piece("gone", before), Piece("", " "), Piece("added", after)]


def _photos(before: Sequence[Sequence[Any]], after: Sequence[Sequence[Any]]) -> list[Piece]:
    """Photos by their captions: those that went, those that came, or the same in another order or with other words."""
    there, here = {pk for pk, _words in before}, {pk for pk, _words in after}
    pieces = [Piece("gone", words or _("a photo")) for pk, words in before if pk not in here]
    pieces += [Piece("added", words or _("a photo")) for pk, words in after if pk not in there]
    return pieces or [Piece("", _("in another order, or with other words"))]

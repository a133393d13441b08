"""Sizes of editors' pictures are made by the worker, before anybody looks.

A page that shows a picture in a size that isn't there makes it in the request, which takes seconds for a new page. A
room names the pictures it shows and the sizes its templates ask for:

    pictures.show("products.gallery", in_galleries, "width-480|format-webp", "fill-200x200|format-webp")

What is missing is read from the rows (which picture has which rendition), so a lost nudge costs minutes and not a
picture, and a size that a template newly asks for is made for all.
"""

import logging
from collections.abc import Callable

from django.db.models import Exists, OuterRef, QuerySet

from . import schedule
from .models import CommunityImage, CommunityRendition

logger = logging.getLogger(__name__)

AT_ONCE = (
    12  # pictures in one go of the worker, a few seconds, so that mail and the index need not wait for a catalogue
)
EVERY = 5 * 60

Which = Callable[[], QuerySet[CommunityImage]]
_shown: dict[str, tuple[Which, tuple[str, ...]]] = {}
_failed: set[int] = set()  # not tried again by this process, so that they stand in the way of no other


def show(name: str, which: Which, *sizes: str) -> None:
    """`which()` are pictures that pages show in these sizes, written as in `{% image %}` with a bar between."""
    _shown[name] = (which, sizes)


def missing(most: int) -> dict[int, tuple[CommunityImage, set[str]]]:
    """Pictures that lack a size, with the sizes, at most so many pictures. A query for each place and size."""
    found: dict[int, tuple[CommunityImage, set[str]]] = {}
    for which, sizes in _shown.values():
        for size in sizes:
            have = CommunityRendition.objects.filter(image=OuterRef("pk"), filter_spec=size)
            for image in which().filter(~Exists(have)).exclude(pk__in=_failed).order_by("-pk").distinct()[:most]:
                if image.pk in found or len(found) < most:
                    found.setdefault(image.pk, (image, set()))[1].add(size)
    return found


def have(image: CommunityImage, made: list[CommunityRendition]) -> None:
    """Tell a picture the sizes it has, from a query that read them with it: asking for one of them asks nobody."""
    known = image.renditions.all()  # type: ignore[attr-defined]
    known._result_cache, known._prefetch_done = made, True
    image._prefetched_objects_cache = {"renditions": known}  # type: ignore[attr-defined]


def make_missing(most: int = AT_ONCE) -> int:
    """Make the sizes that are missing; returns of how many pictures. One that can't be read is logged and left."""
    made = 0
    for image, sizes in missing(most).values():
        try:
            image.get_renditions(*sorted(sizes))
            made += 1
        except Exception:  # the file has gone, isn't a picture any longer, or is a trap: one must not stop the rest
            _failed.add(image.pk)
            logger.exception("The sizes of picture %s could not be made", image.pk)
    return made


def nudge() -> None:
    """Ask the worker to look, in the transaction that put a picture on a page."""
    from .tasks import make_pictures

    make_pictures.enqueue()


def register() -> None:
    schedule.every(EVERY, "core.pictures")(make_missing)

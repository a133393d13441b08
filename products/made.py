"""What is drawn for a product page, kept until the page says something else: the shared picture and the leaflet.

A file bears a mark of all that it is made of. The worker makes what is missing or out of date; whoever asks first in
between makes it, and everybody else meanwhile gets the one before (docs/decisions/0141).
"""

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.core.cache import cache
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.utils import translation
from wagtail.models import Site

from community.core import brand as brands
from community.core import schedule
from community.core.models import BrandSettings

from . import leaflet, preview

if TYPE_CHECKING:
    from .models import Drawn
    from .pages import ProductPage

logger = logging.getLogger(__name__)

EVERY = 10 * 60
AT_ONCE = 20  # in one go of the worker: a few seconds
ALONE = 20  # seconds that one who makes a file is waited for


@dataclass(frozen=True)
class Kind:
    name: str
    ending: str
    content_type: str
    told: "Callable[[ProductPage, BrandSettings], dict[str, Any]]"
    draw: "Callable[[ProductPage, BrandSettings], bytes]"


PICTURE = Kind("picture", "jpg", "image/jpeg", preview.told, preview.draw)
LEAFLET = Kind("leaflet", "pdf", "application/pdf", leaflet.told, leaflet.draw)


def version(kind: Kind, page: "ProductPage", brand: BrandSettings) -> str:
    """A mark that changes with anything the file shows."""
    told = json.dumps(kind.told(page, brand), sort_keys=True, default=str)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def fresh(kind: Kind, page: "ProductPage", brand: BrandSettings) -> bytes:
    """Draw it now, in the page's language, and keep nothing."""
    with translation.override(page.language):
        return kind.draw(page, brand)


def content(kind: Kind, page: "ProductPage", brand: BrandSettings) -> bytes:
    """The file as the page is now; made when it isn't there, or the one before while somebody else makes it."""
    from .models import Drawn

    row = Drawn.objects.filter(page=page, kind=kind.name).first()
    wanted = version(kind, page, brand)
    kept = _read(row) if row is not None else None
    if kept is not None and row is not None and row.version == wanted:
        return kept
    key = f"drawn:{page.pk}:{kind.name}:{wanted}"
    if kept is not None and not cache.add(key, 1, ALONE):
        return kept
    made = fresh(kind, page, brand)
    _keep(kind, page, wanted, made)
    cache.delete(key)
    return made


def _read(row: "Drawn") -> bytes | None:
    try:
        with row.file.open() as file:
            data: bytes = file.read()
            return data
    except (OSError, ValueError):
        return None


def _keep(kind: Kind, page: "ProductPage", wanted: str, data: bytes) -> None:
    from .models import Drawn

    file = ContentFile(data, name=f"{page.product.slug}-{page.language}-{kind.name}-{wanted}.{kind.ending}")
    row = Drawn.objects.filter(page=page, kind=kind.name).first() or Drawn(page=page, kind=kind.name)
    old = row.file.name
    row.version, row.file = wanted, file  # type: ignore[assignment]
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        row.file.storage.delete(row.file.name)  # somebody else was quicker, or the page has gone
        return
    if old and old != row.file.name:
        row.file.storage.delete(old)


def make_missing(most: int = AT_ONCE) -> int:
    """Make what is missing or out of date for pages online, so many at most; returns how many."""
    from .models import Drawn
    from .pages import ProductPage, give_pictures

    site = Site.objects.filter(is_default_site=True).first()
    brand = brands.of_site(site)
    known = {(row.page_id, row.kind): row.version for row in Drawn.objects.only("page_id", "kind", "version")}
    made = 0
    pages = ProductPage.objects.live().select_related("product__family", "locale").order_by("pk")
    rows = iter(pages.iterator(200))
    while made < most and (chunk := list(islice(rows, 200))):
        for page in give_pictures(chunk):
            for kind in (PICTURE, LEAFLET):
                wanted = version(kind, page, brand)
                if known.get((page.pk, kind.name)) == wanted or made >= most:
                    continue
                try:
                    _keep(kind, page, wanted, fresh(kind, page, brand))
                    made += 1
                except Exception:  # one that can't be drawn must not stop the rest
                    logger.exception("The %s of product page %s could not be drawn", kind.name, page.pk)
    return made


def register() -> None:
    schedule.every(EVERY, "products.drawn")(make_missing)

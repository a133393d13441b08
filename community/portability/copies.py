"""A copy of one's data: a ZIP with one JSON file and the pictures, made by a worker, kept for a week.

What it holds is what each room says in its `personal.py` (`copy=`). Only its owner can fetch it.
"""

import json
import logging
import secrets
import tempfile
import zipfile
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.files import File
from django.core.files.storage import default_storage
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core import clock, outbox, personal
from community.core.errors import Conflict
from community.core.rows import locked

from .models import DataCopy

logger = logging.getLogger(__name__)

KEPT = timedelta(days=7)
AGAIN_AFTER = timedelta(days=1)
BEING_MADE = 60 * 60  # seconds: longer than a copy takes, and the wait before a failed one is tried again
AT_ONCE = 20
OF_ACCOUNT = (
    "username", "name", "avatar", "email", "city", "language", "time_zone", "date_joined", "last_login", "standing",
    "trust", "reputation", "rank_name", "interests_text", "expertise_text", "hide_from_boards", "shortcuts",
    "invitable", "silenced_until", "source", "source_url",
)  # fmt: skip


def latest(user: User) -> DataCopy | None:
    """The newest copy that is being made, or can still be fetched."""
    alive = models.Q(expires_at=None) | models.Q(expires_at__gt=clock.now())
    return DataCopy.objects.filter(alive, person=user).order_by("-asked_at").first()


@transaction.atomic
def ask_for_copy(user: User) -> DataCopy:
    """Have a copy made. Raises Conflict when one is being made, or was made within a day."""
    from .tasks import make_copies

    row = locked(user)
    known = latest(row)
    if known is not None and (known.ready_at is None or known.asked_at > clock.now() - AGAIN_AFTER):
        raise Conflict(_("There is a copy already, or one is being made. You can ask for another after a day."))
    copy = DataCopy.objects.create(person=row, asked_at=clock.now())
    make_copies.enqueue()
    return copy


def make_waiting() -> int:
    """Make what was asked for; by the worker, and by a sweep for what a lost nudge left. Returns how many.

    One that can't be made keeps nobody else waiting, and is tried again after a while.
    """
    made = 0
    for pk in list(DataCopy.objects.filter(ready_at=None).order_by("asked_at").values_list("pk", flat=True)):
        if made == AT_ONCE:
            break
        if not cache.add(f"data-copy:{pk}", True, BEING_MADE):
            continue  # by another, or it failed a while ago
        try:
            made += _make(pk)
        except Exception:
            logger.exception("Copy %s could not be made", pk)
        else:
            cache.delete(f"data-copy:{pk}")
    return made


def _make(pk: int) -> bool:
    """Nothing is held while it is written. False when another was quicker, or the person has gone: then its file goes,
    too."""
    copy = DataCopy.objects.filter(pk=pk, ready_at=None).select_related("person").first()
    if copy is None:
        return False
    with tempfile.TemporaryFile() as file:
        write(copy.person, file)
        file.seek(0)
        name = default_storage.save(f"copies/{secrets.token_urlsafe(32)}.zip", File(file))
    kept = False
    try:
        with transaction.atomic():
            now = clock.now()
            waiting = DataCopy.objects.filter(pk=pk, ready_at=None)
            kept = bool(waiting.update(file=name, ready_at=now, expires_at=now + KEPT))
            if kept and copy.person.email:
                _tell(copy.person)
    except Exception:
        kept = False
        raise
    finally:
        if not kept:
            default_storage.delete(name)
    return kept


def _tell(person: User) -> None:
    with translation.override(person.language or settings.LANGUAGE_CODE):
        said = _("The copy of your data is ready. Sign in and fetch it within 7 days: %(url)s")
        outbox.queue(
            kind=outbox.TRANSACTIONAL,
            user=person,
            subject=_("A copy of your data"),
            text=said % {"url": settings.BASE_URL.rstrip("/") + reverse("portability:data")},
        )


def write(person: User, file: Any) -> None:
    """The archive itself: `data.json`, and `files/` with what it names."""
    told = gather(person)
    names = {name for rows in told["rooms"].values() for row in rows for name in _files(row)}
    names |= set(_files(told["account"]))
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.json", json.dumps(told, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1))
        for name in sorted(names):
            if default_storage.exists(name):
                with default_storage.open(name) as source:
                    archive.writestr(f"files/{name}", source.read())


def gather(person: User) -> dict[str, Any]:
    """All that each room says belongs into somebody's own copy."""
    rooms: dict[str, list[dict[str, Any]]] = {}
    for tie in personal.copied():
        model = tie.label.rpartition(".")[0]
        rows = tie.rows(person).order_by("pk").values(*tie.copy)
        rooms[tie.label if model in rooms else model] = list(rows)
    return {
        "format": "personal-data",
        "version": 1,
        "made_at": clock.now(),
        "account": User.objects.values(*OF_ACCOUNT).get(pk=person.pk),
        "rooms": rooms,
    }


def _files(row: dict[str, Any]) -> list[str]:
    """Names of files in a row: pictures are told of by where they lie."""
    return [row[field] for field in ("file", "avatar") if row.get(field)]


def tidy() -> int:
    """Sweep: what is older than a week goes, file and row. Returns how many."""
    old = list(DataCopy.objects.filter(expires_at__lte=clock.now()))
    for copy in old:
        drop(copy)
    return len(old)


def drop(copy: DataCopy) -> None:
    name = copy.file.name
    copy.delete()
    if name:
        transaction.on_commit(lambda: default_storage.delete(name))

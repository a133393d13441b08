"""The photos of a form: new files with their words, and those that are kept. Works without a script.

A file that arrived is kept as an Upload even when the form fails elsewhere, so that nobody has to choose it again;
what no post uses in the end is swept away after 48 hours.
"""

from collections.abc import Iterable
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core import clock, limits, text
from community.core.uploads import reencode

from .models import Upload

ROWS = 3


class Photos:
    """`take()` reads the request; then `uploads` are the photos, `errors` what is wrong with them.

    Template: components `posts/_photos.html` with `photos`.
    """

    rows = range(ROWS)

    def __init__(self, owner: User, target: models.Model | None = None) -> None:
        self.owner, self.target = owner, target
        self.errors: list[str] = []
        self.uploads: list[Upload] = []
        if target is not None:
            content_type = ContentType.objects.get_for_model(target)
            self.uploads = list(Upload.objects.filter(target_type=content_type, target_id=target.pk, owner=owner))

    def take(self, request: HttpRequest) -> list[Upload]:
        """The photos as the form wants them, in order. What is wrong stands in `errors`."""
        post = request.POST
        dropped = set(post.getlist("photo-drop"))
        kept = [pk for pk in post.getlist("photo-kept") if pk.isdecimal() and len(pk) < 18 and pk not in dropped]
        self.uploads = [
            self._reworded(upload, post.get(f"photo-alt-{upload.pk}", ""), post.get(f"photo-caption-{upload.pk}", ""))
            for upload in self._own(kept)
        ]
        for row in self.rows:
            file = request.FILES.get(f"photo-file-{row}")
            if file is None:
                continue
            limits.spend("upload", self.owner)
            try:
                content, _width, _height = reencode(file)
            except ValidationError as problem:
                self.errors += problem.messages
                continue
            upload = Upload(
                owner=self.owner,
                alt=_line(post.get(f"photo-alt-new-{row}", "")),
                caption=_line(post.get(f"photo-caption-new-{row}", "")),
                created_at=clock.now(),
            )
            upload.file.save(content.name, content, save=False)
            upload.save()
            self.uploads.append(upload)
        if any(not upload.alt for upload in self.uploads):
            self.errors.append(_("Describe each photo in a sentence, for those who cannot see it."))
        return self.uploads

    def _own(self, ids: Iterable[str]) -> list[Upload]:
        wanted = list(ids)
        found = {str(upload.pk): upload for upload in Upload.objects.filter(pk__in=wanted, owner=self.owner)}
        return [found[pk] for pk in dict.fromkeys(wanted) if pk in found and self._is_free(found[pk])]

    def _is_free(self, upload: Upload) -> bool:
        if upload.target_id is None:
            return True
        if self.target is None:
            return False
        content_type = ContentType.objects.get_for_model(self.target)
        return (upload.target_type_id, upload.target_id) == (content_type.pk, self.target.pk)

    def _reworded(self, upload: Upload, alt: str, caption: str) -> Upload:
        alt, caption = _line(alt), _line(caption)
        if (upload.alt, upload.caption) != (alt, caption):
            upload.alt, upload.caption = alt, caption
            upload.save(update_fields=["alt", "caption"])
        return upload


def photos_of(things: Iterable[Any]) -> dict[int, list[Upload]]:
    """The photos of many things of one kind, by the thing's id, in one query."""
    things = list(things)
    found: dict[int, list[Upload]] = {thing.pk: [] for thing in things}
    if things:
        content_type = ContentType.objects.get_for_model(things[0])
        for upload in Upload.objects.filter(target_type=content_type, target_id__in=list(found)):
            found[upload.target_id].append(upload)
    return found


def _line(words: str) -> str:
    return text.clean_line(words)[:300]

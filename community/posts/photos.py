"""The photos of a form: new files with their words, and those that are kept. Works without a script.

A file that arrived is kept as an Upload even when the form fails elsewhere, so that nobody has to choose it again;
what no post uses in the end is swept away after 48 hours.
"""

import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core import clock, limits, numbers, text
from community.core.uploads import reencode

from . import gates, kept
from .models import Upload

ROWS = 3
SENT = "photos."  # in the session, with the name of the form: the photos that have arrived
NAME = re.compile(r"k?[0-9]{1,17}")  # of a photo that a form has already; with a k when it is sealed
BRACKETS = re.compile(r"[\[\]\\`<>\n]+")  # would end or change the words of a picture in Markdown


class Photos:
    """`take()` reads the request; then `uploads` are the photos, `errors` what is wrong with them.

    Template: components `posts/_photos.html` with `photos`.
    """

    captions = True

    def __init__(self, owner: User, target: models.Model | None = None) -> None:
        self.owner, self.target = owner, target
        self.errors: list[str] = []
        self.refused: list[dict[str, str]] = []
        self.uploads: list[Any] = []
        self.most = _most_rows(owner)
        if target is not None:
            content_type = ContentType.objects.get_for_model(target)
            self.uploads = list(Upload.objects.filter(target_type=content_type, target_id=target.pk, owner=owner))

    @property
    def rows(self) -> range:
        """Rows for new photos; one at least, since one may go as another comes."""
        return range(ROWS if self.most >= ROWS else min(self.most, max(1, self.most - len(self.uploads))))

    @property
    def about_all(self) -> list[str]:
        """What is wrong and stands at no row of its own."""
        at_rows = [row["error"] for row in self.refused]
        return [error for error in self.errors if error not in at_rows]

    @property
    def new(self) -> list[dict[str, Any]]:
        """The rows: each with a `number`, those of a refused file with its `alt`, `caption` and the `error`."""
        count = max(len(self.rows), len(self.refused))
        return [{"number": n, **(self.refused[n] if n < len(self.refused) else {})} for n in range(count)]

    def take(self, request: HttpRequest) -> list[Any]:
        """The photos as the form wants them, in order. What is wrong stands in `errors`."""
        post = request.POST
        dropped = set(post.getlist("photo-drop"))
        kept = [name for name in post.getlist("photo-kept") if NAME.fullmatch(name) and name not in dropped]
        self.uploads = self._kept(kept, post)
        for row in self.rows:
            file = request.FILES.get(f"photo-file-{row}")
            if file is None:
                continue
            self._spend()
            alt, caption = (_line(post.get(f"photo-{words}-new-{row}", "")) for words in ("alt", "caption"))
            try:
                content, _width, _height = reencode(file)
            except ValidationError as problem:
                self.refused.append({"alt": alt, "caption": caption, "error": " ".join(problem.messages)})
                self.errors += problem.messages
                continue
            self.uploads += self._new(content, alt, caption)
        if any(not upload.alt for upload in self.uploads):
            self.errors.append(_("Describe each photo in a sentence, for those who cannot see it."))
        return self.uploads

    def find_again(self, request: HttpRequest, key: str) -> None:
        """Those that arrived with an earlier try at the form `key`, for who comes back to it."""
        self.uploads = self._own(request.session.get(f"{SENT}{key}", []))

    def remember(self, request: HttpRequest, key: str) -> None:
        """Keep in the session which photos have arrived, until `forget`: the form may fail, or its answer be lost."""
        sent = [str(upload.pk) for upload in self.uploads]
        if sent or f"{SENT}{key}" in request.session:
            request.session[f"{SENT}{key}"] = sent

    def forget(self, request: HttpRequest, key: str) -> None:
        request.session.pop(f"{SENT}{key}", None)

    def _spend(self) -> None:
        limits.spend("upload", self.owner)

    def _kept(self, names: list[str], post: Any) -> list[Any]:
        return [
            self._reworded(upload, post.get(f"photo-alt-{upload.pk}", ""), post.get(f"photo-caption-{upload.pk}", ""))
            for upload in self._own(names)
        ]

    def _new(self, content: ContentFile, alt: str, caption: str) -> list[Any]:
        return [store(self.owner, content, alt, caption)]

    def _own(self, ids: Iterable[str]) -> list[Upload]:
        wanted = [pk for pk in ids if pk.isdecimal()]
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
        """With other words. Those of a photo in a post are its service's to write, when the form is good."""
        alt, caption = _line(alt), _line(caption)
        if (upload.alt, upload.caption) != (alt, caption):
            upload.alt, upload.caption = alt, caption
            if upload.target_id is None:
                upload.save(update_fields=["alt", "caption"])
        return upload


@dataclass
class SealedPhoto:
    """A photo that waits with a visitor's text, as the form shows it."""

    pk: str
    alt: str
    url: str
    caption: str = ""


class AskersPhotos(Photos):
    """The photos of a form that visitors fill in, too: theirs wait, sealed, with what they wrote (`kept.py`), and
    become uploads of theirs once they have joined. `begin` keeps the text and returns the token, when there is none;
    `place` is the address of a sealed picture. A newcomer sees as many rows as pictures are allowed."""

    captions = False

    def __init__(self, request: HttpRequest, token: str, begin: Callable[[], str], place: Callable[[int], str]) -> None:
        user: Any = request.user
        self.owner = user if user.is_authenticated else None  # type: ignore[assignment]
        self.target, self.errors, self.refused = None, [], []
        self.request, self.token, self.begin, self.place = request, token, begin, place
        self.uploads = list(self._sealed())
        self.most = _most_rows(self.owner)

    @property
    def rows(self) -> range:
        return range(max(0, self.most - len(self.uploads)))

    def _sealed(self) -> list[SealedPhoto]:
        return [
            SealedPhoto(f"k{shot.pk}", shot.alt, self.place(shot.pk))
            for shot in (kept.pictures(self.token) if self.token else [])
        ]

    def _spend(self) -> None:
        limits.spend_for("upload" if self.owner else "upload_first", self.request)

    def _kept(self, names: list[str], post: Any) -> list[Any]:
        found: list[Any] = super()._kept(names, post) if self.owner else []
        for photo in self._sealed():
            pk = int(photo.pk[1:])
            if photo.pk not in names:
                kept.drop_picture(self.token, pk)
                continue
            photo.alt = _line(post.get(f"photo-alt-{photo.pk}", ""))
            if self.owner is None:
                kept.describe(self.token, pk, photo.alt)
                found.append(photo)
            elif content := kept.picture(self.token, pk):
                found.append(store(self.owner, named(content), photo.alt))
                kept.drop_picture(self.token, pk)
        return found

    def _new(self, content: ContentFile, alt: str, caption: str) -> list[Any]:
        if self.owner:
            return super()._new(content, alt, caption)
        if not self.token or not kept.is_kept(self.token):
            self.token = self.begin()
        shot = kept.add_picture(self.token, content.read(), alt)
        return [SealedPhoto(f"k{shot.pk}", shot.alt, self.place(shot.pk))] if shot else []


def adopt(token: str, owner: User) -> list[Upload]:
    """The pictures kept under a token as uploads of whoever has joined. Runs in the transaction that posts the text;
    when that fails, `discard` takes the files away again."""
    return [
        store(owner, named(content), shot.alt)
        for shot in kept.pictures(token)
        if (content := kept.picture(token, shot.pk))
    ]


def discard(uploads: Iterable[Upload]) -> None:
    """Away with the files of uploads whose rows a transaction took back."""
    for upload in uploads:
        default_storage.delete(upload.file.name)


def store(owner: User, content: ContentFile, alt: str, caption: str = "") -> Upload:
    """Keep a picture that `reencode` made as an upload that no post shows yet."""
    upload = Upload(owner=owner, alt=alt, caption=caption, created_at=clock.now())
    upload.file.save(content.name, content, save=False)
    upload.save()
    return upload


def named(content: bytes) -> ContentFile:
    return ContentFile(content, name=f"{secrets.token_urlsafe(16)}.webp")


def with_pictures(body: str, uploads: Iterable[Upload]) -> str:
    """A Markdown text with these pictures beneath."""
    shown = [f"![{BRACKETS.sub(' ', upload.alt)}]({upload.file.url})" for upload in uploads]
    return "\n\n".join([body.rstrip(), *shown])


def photos_of(things: Iterable[Any]) -> dict[int, list[Upload]]:
    """The photos of many things of one kind, by the thing's id, in one query."""
    things = list(things)
    found: dict[int, list[Upload]] = {thing.pk: [] for thing in things}
    if things:
        content_type = ContentType.objects.get_for_model(things[0])
        for upload in Upload.objects.filter(target_type=content_type, target_id__in=list(found)):
            found[upload.target_id].append(upload)
    return found


def _most_rows(owner: User | None) -> int:
    """As many as one may have: newcomers have fewer pictures."""
    new = owner is None or gates.is_newcomer(owner)
    return min(ROWS, numbers.remembered().newcomer_images) if new else ROWS


def _line(words: str) -> str:
    return text.clean_line(words)[:300]

"""What people do with every kind of content: comment, follow, keep drafts, attach pictures."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.db import IntegrityError, models, transaction
from django.db.models import Exists, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from community.accounts.models import User
from community.core import clock
from community.core.body import BODY_FIELDS, write_body
from community.core.errors import Conflict, NotAllowed, require
from community.core.models import Body, Numbers
from community.core.rows import locked, retried
from community.events.log import is_replaying, record
from community.moderation import screening
from community.moderation.models import Moderated
from community.moderation.permissions import why_not_mend, why_not_write
from community.moderation.services import held, mended

from . import gates
from .models import Comment, Draft, Follow, Revision, Tag, Upload
from .tagging import check_tags, main_words, named

DRAFT_BYTES = 60_000
UNUSED = timedelta(hours=48)


@retried
def comment(
    target: Moderated,
    by: User,
    *,
    body: str,
    source_format: str = Body.Format.PLAIN,
    **sourced: str,
) -> Comment:
    """Say something short under a post; it may wait for a look.

    Raises ValidationError at `body`, NotAllowed, Conflict.
    """
    if isinstance(target, Comment):
        raise Conflict(_("A comment has no comments of its own. Say it under the post."))
    row = held(target)
    if not is_replaying():
        require(why_not_write(by))
        if not type(target).objects.visible_to(by).filter(pk=target.pk).exists():  # type: ignore[attr-defined]
            raise NotAllowed(_("This post is not open to you."))
        if closed := row.why_closed_to_words():
            raise Conflict(closed)
    body = body.strip()
    if not body:
        raise ValidationError({"body": _("Write something first.")})
    if not is_replaying() and len(body) > Comment.LONGEST:
        raise ValidationError({"body": _("A comment has at most %(most)d characters.") % {"most": Comment.LONGEST}})
    people = gates.mentioned(body, by)
    new = Comment(target=row, author=by, created_at=clock.now(), visibility=Comment.Visibility.DRAFT, **sourced)
    write_body(new, body, source_format, known_users=people, limit=None)
    gates.check_newcomer(new, by)
    looked = gates.look(new, by, "comments", published=[by.comments])
    new.visibility = Comment.Visibility.PENDING
    if not looked.waits:
        new.visibility, new.published_at = Comment.Visibility.VISIBLE, new.created_at
    new.save(force_insert=True)
    new.target = row
    screening.keep(looked, new)
    if looked.waits:
        return new
    kind, data = new.published_event()
    record(kind, actor=by, subject=new, mentions=list(people.values()), **data)
    return new


@retried
def edit_comment(comment: Comment, by: User, *, body: str) -> Comment:
    """Change one's own comment. Mentions in an edit call nobody (CHECKS 25)."""
    told = is_replaying()
    if not told:
        require(why_not_write(by))
    row = locked(comment)
    if row.author_id != by.pk:
        raise NotAllowed(_("Only its author can edit a comment."))
    hidden = row.visibility == Comment.Visibility.HIDDEN
    if not told:
        require(why_not_mend(by, row))
    if not told and not hidden and not row.is_editable:
        raise Conflict(
            _("A comment can be changed for an hour after it was written. You can delete it, or add another.")
        )
    if not told and row.visibility == Comment.Visibility.DELETED:
        raise Conflict(_("This comment has been taken down."))
    body = body.strip()
    if not body:
        raise ValidationError({"body": _("Write something first.")})
    if not told and len(body) > Comment.LONGEST:
        raise ValidationError({"body": _("A comment has at most %(most)d characters.") % {"most": Comment.LONGEST}})
    if body == row.body_source:
        return row
    write_body(row, body, Body.Format.PLAIN, known_users=gates.mentioned(body, by), limit=None)
    gates.check_newcomer(row, by)
    looked = gates.look_again(row, by, "comments")
    row.edited_at = clock.now()
    row.save(update_fields=[*BODY_FIELDS, "edited_at"])
    screening.keep_change(looked, row)
    mended(row, by, waits=looked.waits)
    record("comment.edited", actor=by, subject=row)
    return row


@transaction.atomic
def follow(
    target: models.Model, by: User, level: str = Follow.Level.WATCHING, *, because_of_a_post: bool = False
) -> Follow:
    """Hear of a thing at a level. Following twice changes the level; taking part never lowers a chosen one."""
    if level not in Follow.Level.values:
        raise ValidationError({"level": _("Choose a level.")})
    content_type = ContentType.objects.get_for_model(target)
    row, new = Follow.objects.get_or_create(
        user=by, target_type=content_type, target_id=target.pk, defaults={"level": level, "created_at": clock.now()}
    )
    if because_of_a_post:
        return row
    if new or row.level != level:
        row.level = level
        row.save(update_fields=["level"])
        record("follow.changed", actor=by, subject=target, on=True, level=level)
    return row


@transaction.atomic
def unfollow(target: models.Model, by: User) -> None:
    """Hear of it no longer. Twice is harmless."""
    content_type = ContentType.objects.get_for_model(target)
    gone, _rows = Follow.objects.filter(user=by, target_type=content_type, target_id=target.pk).delete()
    if gone:
        record("follow.changed", actor=by, subject=target, on=False)


def is_following(target: models.Model, user: Any) -> bool:
    return user.is_authenticated and _follows(type(target), user, target.pk).exists()


def following(kind: type[models.Model], user: Any, target_id: Any) -> Exists:
    """The same as an expression, for a query that reads the thing; `target_id` is an `OuterRef`."""
    return Exists(_follows(kind, user, target_id))


def _follows(kind: type[models.Model], user: Any, target_id: Any) -> "models.QuerySet[Follow]":
    content_type = ContentType.objects.get_for_model(kind)
    return Follow.objects.filter(user=user, target_type=content_type, target_id=target_id).exclude(
        level=Follow.Level.MUTED
    )


def add_revision(
    target: models.Model,
    by: User | None,
    *,
    body_source: str,
    source_format: str = Body.Format.MARKDOWN,
    title: str = "",
    tags: str = "",
    summary: str = "",
    more: Mapping[str, Any] | None = None,
    number: int | None = None,
    retitled: bool = False,
    **sourced: str,
) -> Revision:
    """Keep a version of a text, and what `more` stood beside it. The caller holds the row's lock, so that numbers
    follow one another."""
    content_type = ContentType.objects.get_for_model(target)
    if number is None:
        number = latest_revision(target) + 1
    return Revision.objects.create(
        target_type=content_type,
        target_id=target.pk,
        number=number,
        editor=by,
        title=title,
        body_source=body_source,
        source_format=source_format,
        tags=tags[:300],
        summary=summary.strip()[:300],
        more=dict(more or {}),
        retitled=retitled,
        created_at=clock.now(),
        **sourced,
    )


def latest_revision(target: models.Model) -> int:
    """Number of the newest version of a text; 0 when none was kept."""
    content_type = ContentType.objects.get_for_model(target)
    newest = Revision.objects.filter(target_type=content_type, target_id=target.pk).aggregate(models.Max("number"))
    return newest["number__max"] or 0


def tags_named(names: list[str] | tuple[str, ...], by: User) -> list[Tag]:
    """The tags of these names, made where the person may make tags; another word for a tag is that tag.

    Raises ValidationError at `tags` for too many, and for new ones by somebody who can't make them yet.
    """
    check_tags(names, by)
    wanted = main_words(named(names))
    known = {tag.slug: tag for tag in Tag.objects.filter(slug__in=wanted)}
    for slug in [slug for slug in wanted if slug not in known]:
        try:
            with transaction.atomic():
                known[slug] = Tag.objects.create(slug=slug, name=wanted[slug])
        except IntegrityError:
            known[slug] = Tag.objects.get(slug=slug)
    return [known[slug] for slug in wanted]


def save_draft(by: User, key: str, data: dict[str, Any]) -> Draft:
    """Keep what somebody is writing. Raises ValidationError beyond 60 kB."""
    if len(str(data)) > DRAFT_BYTES:
        raise ValidationError({"body": _("This text is too long to be kept as a draft.")})
    draft, _new = Draft.objects.update_or_create(
        user=by, key=key[:120], defaults={"data": data, "updated_at": clock.now()}
    )
    return draft


def draft_of(by: Any, key: str) -> dict[str, Any]:
    """What was kept under this key, or nothing."""
    if not by.is_authenticated:
        return {}
    return Draft.objects.filter(user=by, key=key).values_list("data", flat=True).first() or {}


def drop_draft(by: User, key: str) -> None:
    Draft.objects.filter(user=by, key=key).delete()


def attach_uploads(target: Body, by: User) -> None:
    """Tie the pictures a text shows to it, so that they stay, and are as visible as it is."""
    paths = [upload_path(address) for address in text_images(target.body_html)]
    if not paths:
        return
    content_type = ContentType.objects.get_for_model(target)
    Upload.objects.filter(owner=by, file__in=paths, target_id__isnull=True).update(
        target_type=content_type, target_id=target.pk
    )


def set_photos(post: Body, by: User, photos: Iterable[Upload], most: int) -> None:
    """Exactly these pictures beside a text, in this order and with these words. Only one's own, and only such as
    nothing else uses.

    Newcomers have fewer than `most`. Raises ValidationError at `photos`. The objects given stay as they are, so that
    the service may be run again (docs/decisions/0099).
    """
    wanted = {photo.pk: photo for photo in photos}
    if gates.is_newcomer(by) and not is_replaying():
        most = Numbers.load().newcomer_images
    if len(wanted) > most:
        raise ValidationError(
            {"photos": ngettext("At most %(most)d photo.", "At most %(most)d photos.", most) % {"most": most}}
        )
    content_type = ContentType.objects.get_for_model(post)
    here = Q(target_type=content_type, target_id=post.pk)
    rows = Upload.objects.filter(Q(target_id__isnull=True) | here, pk__in=wanted, owner=by)
    if rows.count() != len(wanted):
        raise ValidationError({"photos": _("This photo can't be used here.")})
    shown = {upload_path(address) for address in text_images(post.body_html)}
    Upload.objects.filter(here).exclude(pk__in=wanted).exclude(file__in=shown).update(target_type=None, target_id=None)
    for position, photo in enumerate(wanted.values()):
        Upload.objects.filter(pk=photo.pk).update(
            target_type=content_type, target_id=post.pk, position=position, alt=photo.alt, caption=photo.caption
        )


def words_beside(photos: Iterable[Upload] | None) -> list[str]:
    """What stands under photos and in their place, for the rules to look at with the text."""
    return [words for photo in photos or () for words in (photo.alt, photo.caption) if words]


Words = Callable[[Any], Iterable[tuple[int, str]]]  # of a query for ids of people: (person, what they are writing)
_unfinished: list[Words] = []


def shows_uploads(words: Words) -> Words:
    """Register where else somebody's free pictures may be shown: texts that are not a post yet."""
    if words not in _unfinished:
        _unfinished.append(words)
    return words


@shows_uploads
def _drafts(owners: Any) -> Iterable[tuple[int, str]]:
    found = Draft.objects.filter(user__in=owners).values_list("user_id", "data")
    return [(owner, json.dumps(data)) for owner, data in found]


def sweep_uploads() -> int:
    """Take away pictures that no post has used for 48 hours and no draft or suggestion shows. Returns how many.

    A post that takes one meanwhile wins: only a row that is still free is deleted, and its file after it.
    """
    free = Upload.objects.filter(target_id__isnull=True, created_at__lt=clock.now() - UNUSED)
    uploads = list(free)
    drafts: dict[int, str] = defaultdict(str)
    for words in _unfinished if uploads else ():
        for owner, written in words(free.values("owner")):
            drafts[owner] += written
    swept = 0
    for upload in uploads:
        name = upload.file.name
        if name in drafts[upload.owner_id]:
            continue
        with transaction.atomic():
            gone, _each = Upload.objects.filter(pk=upload.pk, target_id__isnull=True).delete()
            if gone:
                transaction.on_commit(partial(default_storage.delete, name))
        swept += bool(gone)
    return swept


def text_images(html: str) -> list[str]:
    """Addresses of the pictures in safe HTML."""
    return [piece.split('"', 1)[0] for piece in html.split('src="')[1:]]


def upload_path(address: str) -> str:
    """Storage name of a picture served under MEDIA_URL."""
    return address.split("/media/", 1)[-1]

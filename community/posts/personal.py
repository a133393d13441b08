"""What people wrote under posts, kept for themselves, followed and shared."""

from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext

from community.core.body import write_body
from community.core.models import Body
from community.core.personal import GONE, MOVES, STAYS, Joining, Leaving, before_joining, before_leaving, tie
from community.moderation import services as moderation

from .models import Comment, Revision, ShareCredit, Upload

tie(
    "posts.Comment.author", left=STAYS, joined=MOVES,
    copy="target_type__model target_id body_source visibility created_at edited_at",
)  # fmt: skip
tie("posts.Comment.hidden_by", left=STAYS, joined=STAYS)
tie(
    "posts.Revision.editor", left=STAYS, joined=MOVES,
    copy="target_type__model target_id number title body_source tags summary created_at",
)  # fmt: skip
tie("posts.Draft.user", left=GONE, joined=MOVES, copy="key data updated_at")
tie("posts.Upload.owner", left=STAYS, joined=MOVES, copy="file alt caption target_type__model target_id created_at")
tie("posts.Follow.user", left=GONE, joined=MOVES, copy="target_type__model target_id level created_at")
tie("posts.ShareCredit.sharer", left=STAYS, joined=MOVES, copy="target_type__model target_id outcome created_at")
tie("posts.ShareCredit.newcomer", left=STAYS, joined=MOVES, copy="target_type__model target_id outcome created_at")


def taken_along(language: str) -> str:
    """What stands where somebody took their words along."""
    with translation.override(language or None):
        return gettext("Its author has left and taken these words along.")


def take_away(posts: Any, person: Any, *, empty: Any) -> None:
    """Delete somebody's posts of one kind, hidden ones too, and empty them, their earlier versions and pictures.
    What others built on stays in its place, without its words. `empty(post)` clears what else the kind has of words.
    """
    model = posts.model
    for post in posts.exclude(visibility=model.Visibility.DELETED).order_by("pk"):
        if getattr(post, "why_author_cannot_delete", str)():
            continue
        moderation.delete(post, person)
    for post in posts.order_by("pk"):
        words = taken_along(getattr(post, "language", ""))
        empty(post)
        write_body(post, words, Body.Format.PLAIN, limit=None)
        post.save()
        empty_versions(post, words)


def empty_versions(post: Any, words: str) -> None:
    """Earlier versions hold the words, too; pictures go with their files."""
    of = {"target_type": ContentType.objects.get_for_model(post), "target_id": post.pk}
    Revision.objects.filter(**of).update(
        title=getattr(post, "title", ""), body_source=words, source_format=Body.Format.PLAIN, summary="", more={}
    )
    for upload in Upload.objects.filter(**of):
        drop(upload)


def drop(upload: Upload) -> None:
    file = upload.file
    upload.delete()
    transaction.on_commit(lambda: file.storage.delete(file.name))


@before_leaving
def leave_no_pictures(leaving: Leaving) -> None:
    """Pictures no post shows go in any case."""
    for upload in Upload.objects.filter(owner=leaving.person, target_id=None):
        drop(upload)


@before_leaving
def take_comments_along(leaving: Leaving) -> None:
    if leaving.words_go:
        take_away(Comment.objects.filter(author=leaving.person), leaving.person, empty=lambda _comment: None)


@before_joining
def nobody_brought_themselves(joining: Joining) -> None:
    both = [joining.gone, joining.kept]
    ShareCredit.objects.filter(sharer__in=both, newcomer__in=both).delete()

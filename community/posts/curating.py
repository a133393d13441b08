"""Tags and their other words, as moderators keep them: made, renamed, merged. Every old word leads on for good."""

from collections.abc import Iterable
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core.errors import Conflict, require
from community.core.rows import locked, retried
from community.events.log import record
from community.moderation.permissions import why_not_moderate

from .models import Follow, Tag, TagSynonym
from .tagging import VOCABULARY, named, tag_and_slug


def save_tag(tag: Tag, by: User, *, synonyms: Iterable[str] = ()) -> Tag:
    """Make a tag or change it, with all its other words. When its name changes, the old one becomes another word.

    Raises NotAllowed, and ValidationError at `name` or `synonyms`.
    """
    return _save_tag(tag, by, list(synonyms), new=tag.pk is None)


@retried
def _save_tag(tag: Tag, by: User, synonyms: list[str], *, new: bool) -> Tag:
    require(why_not_moderate(by))
    if new:
        tag.pk, tag._state.adding = None, True  # an earlier turn, undone, may have given it a number
    old = None if new else locked(tag)
    name, slug = tag_and_slug(tag.name)
    if not slug:
        raise ValidationError({"name": _("Give it a name.")})
    if Tag.objects.filter(slug=slug).exclude(pk=tag.pk).exists():
        raise ValidationError({"name": _("There is a tag of this name. Merge the two instead.")})
    if taken := TagSynonym.objects.filter(slug=slug).exclude(tag=tag.pk).select_related("tag").first():
        raise ValidationError({"name": _("This is another word for “%(tag)s” already.") % {"tag": taken.tag.name}})
    words = named(synonyms)
    if old is not None and old.slug != slug:
        words.setdefault(old.slug, old.name)
    words.pop(slug, None)
    _check_words(words, tag)
    tag.name, tag.slug = name, slug
    try:
        with transaction.atomic():
            tag.save()
            tag.synonyms.exclude(slug__in=words).delete()
            for other, written in words.items():
                TagSynonym.objects.update_or_create(slug=other, defaults={"name": written, "tag": tag})
    except IntegrityError:
        raise ValidationError({"name": _("Somebody made this tag a moment ago. Please look again.")}) from None
    _say(tag, by, "made" if old is None else "changed")
    return tag


def _check_words(words: dict[str, str], tag: Tag) -> None:
    for other in Tag.objects.filter(slug__in=words).exclude(pk=tag.pk).order_by("slug"):
        raise ValidationError(
            {"synonyms": _("“%(tag)s” is a tag of its own. Merge it into this one instead.") % {"tag": other.name}}
        )
    taken = TagSynonym.objects.filter(slug__in=words).exclude(tag=tag.pk).select_related("tag")
    for word in taken:
        raise ValidationError(
            {"synonyms": _("“%(word)s” is another word for “%(tag)s” already.")
             % {"word": word.name, "tag": word.tag.name}}
        )  # fmt: skip


@retried
def merge_tag(tag: Tag, into: Tag, by: User) -> Tag:
    """Everything under a tag stands under another one, once each; its name is another word for that from now on.

    Raises NotAllowed, ValidationError at `into`, and Conflict when either was merged meanwhile.
    """
    require(why_not_moderate(by))
    if tag.pk == into.pk:
        raise ValidationError({"into": _("A tag can't be merged with itself.")})
    try:
        held = {pk: locked(Tag(pk=pk)) for pk in sorted((tag.pk, into.pk))}
    except Tag.DoesNotExist:
        raise Conflict(_("Somebody merged one of these a moment ago. Please look again.")) from None
    row, target = held[tag.pk], held[into.pk]
    _move_uses(row, target)
    _move_follows(row, target)
    row.synonyms.update(tag=target)
    merged = row.pk
    TagSynonym.objects.create(slug=row.slug, name=row.name, tag=target)
    row.delete()
    _say(target, by, "merged", merged=merged)
    return target


def _move_uses(row: Tag, target: Tag) -> None:
    """Whatever rooms hang on a tag: threads, recipes, tips."""
    for relation in Tag._meta.related_objects:
        if not relation.many_to_many:
            continue
        rows = relation.through._base_manager  # type: ignore[attr-defined]
        to_tag, owner = relation.field.m2m_reverse_field_name(), relation.field.m2m_field_name()  # type: ignore[attr-defined]
        there = rows.filter(**{to_tag: target}).values(owner)
        rows.filter(**{to_tag: row}).exclude(**{f"{owner}__in": there}).update(**{to_tag: target})


def _move_follows(row: Tag, target: Tag) -> None:
    """Whoever followed one follows the other; a choice somebody made there stays."""
    of_tag = ContentType.objects.get_for_model(Tag)
    here = Follow.objects.filter(target_type=of_tag, target_id=row.pk)
    there = Follow.objects.filter(target_type=of_tag, target_id=target.pk)
    here.exclude(user__in=list(there.values_list("user", flat=True))).update(target_id=target.pk)
    here.all().delete()


def uses(tag: Tag) -> int:
    """How many posts carry a tag."""
    return sum(
        relation.through._base_manager.filter(**{relation.field.m2m_reverse_field_name(): tag}).count()  # type: ignore[attr-defined]
        for relation in Tag._meta.related_objects
        if relation.many_to_many
    )


def _say(tag: Tag, by: User, what: str, **more: Any) -> None:
    record("tag.changed", actor=by, subject=tag, what=what, **more)
    transaction.on_commit(lambda: cache.delete(VOCABULARY))

"""Lists that people come back to, under names of their own."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core import clock, text
from community.core.errors import NotAllowed
from community.core.rows import locked

from ..models import SavedFilter


@transaction.atomic
def save_filter(by: User, name: str, query: str) -> SavedFilter:
    """Keep what stands in a list's address under a name; a name somebody has already is given to this one.

    Raises ValidationError at `name`.
    """
    name, query = text.clean_line(name), query.lstrip("?")
    if not name:
        raise ValidationError({"name": _("Give it a name.")})
    if len(name) > 40:
        raise ValidationError({"name": _("A name has at most 40 characters.")})
    if not query or len(query) > 500:
        raise ValidationError({"name": _("Choose a filter first; then it can be kept.")})
    person = locked(User(pk=by.pk))  # so that two at once don't make twenty-one
    known = SavedFilter.objects.filter(user=person, name=name).first()
    if known is None and SavedFilter.objects.filter(user=person).count() >= SavedFilter.MOST:
        raise ValidationError(
            {"name": _("You keep %(most)d filters already. Take one away first.") % {"most": SavedFilter.MOST}}
        )
    if known is not None:
        known.query = query
        known.save(update_fields=["query"])
        return known
    return SavedFilter.objects.create(user=person, name=name, query=query, created_at=clock.now())


@transaction.atomic
def delete_filter(saved: SavedFilter, by: User) -> None:
    """Take one of one's own filters away. Twice is harmless."""
    if saved.user_id != by.pk:
        raise NotAllowed(_("This filter is somebody else's."))
    SavedFilter.objects.filter(pk=saved.pk).delete()

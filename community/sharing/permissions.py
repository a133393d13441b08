"""Who may change and feature what is shared. Each question answers with the reason against it, or with nothing."""

from typing import Any

from django.utils.translation import gettext as _

from community.moderation.models import Moderated
from community.moderation.permissions import why_not_mend, why_not_write

from .models import Recipe, Tip


def why_not_edit(user: Any, thing: Recipe | Tip) -> str:
    if reason := why_not_write(user):
        return reason
    if thing.author_id != user.pk:
        return _("Only its author can change this.")
    return why_not_mend(user, thing)


def why_not_judge_use(user: Any, thing: Recipe | Tip) -> str:
    """Saying that one made it, or that it worked."""
    if reason := why_not_write(user):
        return reason
    return _("This is your own; others say how it went.") if thing.author_id == user.pk else ""


def why_not_feature(user: Any) -> str:
    if user.is_authenticated and user.speaks_for_brand and user.has_perm("wagtailadmin.access_admin"):
        return ""
    return _("Only staff can put something into the window.")


def can_edit(user: Any, thing: Recipe | Tip) -> bool:
    return (
        bool(user and user.is_authenticated)
        and thing.visibility != Moderated.Visibility.DELETED
        and not why_not_edit(user, thing)
    )


def can_feature(user: Any) -> bool:
    return bool(user and user.is_authenticated) and not why_not_feature(user)

"""Who may judge what others write. Each question answers with the reason against it, or with nothing."""

from typing import Any

from django.utils.translation import gettext as _

from community.accounts.permissions import why_not_write

__all__ = ["is_moderator", "why_not_delete", "why_not_flag", "why_not_moderate", "why_not_write"]


def is_moderator(user: Any) -> bool:
    return bool(user and user.is_authenticated and user.has_perm("moderation.moderate"))


def why_not_moderate(user: Any) -> str:
    return "" if is_moderator(user) else _("Only moderators can do this.")


def why_not_flag(user: Any, target: Any) -> str:
    if reason := why_not_write(user):
        return reason
    if target.author_id == user.pk:
        return _("You can't flag what you wrote yourself; you can edit or delete it.")
    return ""


def why_not_delete(user: Any, target: Any) -> str:
    if is_moderator(user) or (user and user.is_authenticated and target.author_id == user.pk):
        return ""
    return _("Only its author or a moderator can delete this.")

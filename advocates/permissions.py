"""Who may run the programme. Each question answers with the reason against it, or with nothing."""

from typing import Any

from django.utils.translation import gettext as _


def can_manage(user: Any) -> bool:
    return bool(user and user.is_authenticated and user.has_perm("advocates.manage_advocates"))


def why_not_manage(user: Any) -> str:
    return "" if can_manage(user) else _("Only community managers can do this.")


def why_not_change_own(user: Any, person: Any) -> str:
    """For what an advocate may do for themselves: going away, leaving, declaring a tie."""
    if user is not None and user.is_authenticated and (user.pk == person.pk or can_manage(user)):
        return ""
    return _("Only the advocate or a community manager can do this.")


def why_not_edit_code(user: Any) -> str:
    """The code of conduct is editors' and managers' to word."""
    if (
        user is not None
        and user.is_authenticated
        and (can_manage(user) or user.has_perm("advocates.change_codeofconduct"))
    ):
        return ""
    return _("Only editors and community managers can do this.")

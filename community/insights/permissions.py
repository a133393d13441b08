"""Who may see which figures. Each question answers with the reason against it, or with nothing."""

from typing import Any

from django.utils.translation import gettext as _

from community.escalation.permissions import works_cases


def sees_all(user: Any) -> bool:
    """Community managers, and whoever leads a department."""
    if not (user and user.is_authenticated and user.is_active):
        return False
    return user.has_perm("insights.view_figures") or (works_cases(user) and user.leads.exists())


def why_not_see(user: Any, department: int | None) -> str:
    """The reason against figures of a department; None is all of them."""
    if sees_all(user):
        return ""
    if not works_cases(user):
        return _("Figures are for community managers, leads and agents of a department.")
    if user.department_id is None:
        return _("You belong to no department yet. A community manager can change that.")
    if department != user.department_id:
        return _("You see the figures of your own department. Those of others are for leads and community managers.")
    return ""


def why_not_change_inputs(user: Any) -> str:
    if user and user.is_authenticated and user.has_perm("insights.change_inputs"):
        return ""
    return _("Only community managers change what cost and return are reckoned with.")

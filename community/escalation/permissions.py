"""Who may work cases. Each question answers with the reason against it, or with nothing."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _


def works_cases(user: Any) -> bool:
    return bool(user and user.is_authenticated and user.is_active and user.has_perm("escalation.work_cases"))


def why_not_work(user: Any) -> str:
    return (
        "" if works_cases(user) else _("Only agents of a department work cases. A community manager can make you one.")
    )


def why_not_manage_policies(user: Any) -> str:
    if user and user.is_authenticated and user.has_perm("escalation.manage_policies"):
        return ""
    return _("Only community managers change escalation policies.")


def why_not_keep_hours_of(user: Any, person: Any) -> str:
    """Of whose absence, hours and open cases somebody disposes: one's own, as a lead those of the department's."""
    if reason := why_not_work(user):
        return reason
    if user.pk == person.pk or user.has_perm("escalation.manage_policies"):
        return ""
    if user.leads.filter(memberships__user=person.pk).exists():
        return ""
    return _("Only %(name)s, the department's lead and community managers may do that.") % {"name": person}


def keeps_hours_of(user: Any, people: Iterable[Any]) -> set[int]:
    """Of which of these people, by id, somebody disposes so: one query, however many they are."""
    ids = {person.pk for person in people}
    if why_not_work(user):
        return set()
    if user.has_perm("escalation.manage_policies"):
        return ids
    led = user.leads.filter(memberships__user__in=ids).values_list("memberships__user", flat=True)
    return ids & {user.pk, *led}


def why_not_write_replies(user: Any) -> str:
    """Saved replies speak for the brand: community managers and the leads of departments write them."""
    if works_cases(user) and (user.has_perm("escalation.manage_policies") or user.leads.exists()):
        return ""
    return _("Only community managers and leads of departments change saved replies.")


def why_not_manage_channels(user: Any) -> str:
    if user and user.is_authenticated and user.is_active and user.has_perm("escalation.manage_policies"):
        return ""
    return _("Only community managers change where cases can be handed to.")


def why_not_manage_incidents(user: Any) -> str:
    return "" if works_cases(user) else _("Only agents open and solve incidents.")

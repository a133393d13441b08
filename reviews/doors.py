"""How reviews are moderated: given back with a code and the passage, never hidden for being low (decision 0120)."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from community.moderation.doors import Door

from . import permissions, services
from .models import Review


class ReviewDoor(Door):
    hidden_by_flags = False  # a crowd could press a low review out of the average

    def why_not(self, by: Any, target: Review, act: str) -> str:
        if reason := permissions.why_not_judge(by, target):
            return reason
        if act in ("hide", "delete"):
            return _("A review goes back to its author, with a reason from the list and the words it is about.")
        return ""

    def hide_at(self, target: Review) -> str:
        return reverse("reviews:refuse", args=[target.pk])

    def take_spam(self, target: Review, by: Any, reason: str) -> bool:
        services.refuse_as_spam(target, by, note=reason)
        return True

    def before_publishing(self, target: Review) -> None:
        target.due_at = None
        target.save(update_fields=["due_at"])

from typing import Any, Self

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q


class ModeratedQuerySet(models.QuerySet):
    """The one place that says what may be seen. A child's queryset overrides `_visible_q` to join its parent."""

    parent = ""  # e.g. "thread": a child is visible only where its parent is (RULINGS 15)

    def _visible_q(self) -> Q:
        condition = Q(visibility="visible")
        if self.parent:
            condition &= Q(**{f"{self.parent}__visibility": "visible"})
        return condition

    def visible(self) -> Self:
        """What the public sees."""
        return self.filter(self._visible_q())

    def visible_to(self, user: Any) -> Self:
        """What the public sees, plus one's own hidden and waiting things, plus what moderators see."""
        if user is None or isinstance(user, AnonymousUser) or not user.is_authenticated:
            return self.visible()
        if user.has_perm("moderation.moderate"):
            return self.exclude(visibility__in=("deleted", "draft"))
        own = Q(author=user) & ~Q(visibility="deleted")
        if self.parent:
            own &= Q(**{f"{self.parent}__visibility": "visible"}) | (
                Q(**{f"{self.parent}__author": user}) & ~Q(**{f"{self.parent}__visibility": "deleted"})
            )
        return self.filter(self._visible_q() | own)

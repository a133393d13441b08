from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Self

from django.db import models
from django.db.models import Case, DateTimeField, IntegerField, Q, Value, When
from django.db.models.functions import Coalesce

FAR = datetime(9999, 1, 1, tzinfo=UTC)  # sorts behind every due time
REACHED = Q(told_at__isnull=False) | Q(acknowledged_at__isnull=False) | Q(late_at__isnull=False)
STAFF_HAVE_IT = Q(state="open") & REACHED & ~Q(phase="remind")  # what the desk shows first
RANK = Case(
    When(paused_since__isnull=False, then=2), When(late_at__isnull=False, then=0), default=1,
    output_field=IntegerField(),
)  # fmt: skip
DESK_DUE = Case(
    When(acknowledged_at__isnull=False, then=Coalesce("resolve_due_at", "next_due_at", Value(FAR))),
    default=Coalesce("acknowledge_due_at", "next_due_at", Value(FAR)),
    output_field=DateTimeField(),
)


class Joined(models.Aggregate):
    """The values of a group in one text, parted by a comma and a blank."""

    function = "GROUP_CONCAT"
    template = "%(function)s(%(expressions)s, ', ')"
    output_field = models.TextField()

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return super().as_sql(compiler, connection, function="STRING_AGG", **extra)


class EscalationQuerySet(models.QuerySet):
    """The queues of the desk, each a named read."""

    def open(self) -> Self:
        return self.filter(state="open")

    def due(self, now: datetime) -> Self:
        """Rungs and targets that the sweep has to look at, the longest overdue first."""
        return self.filter(next_due_at__lte=now).order_by("next_due_at", "id")

    def with_staff(self) -> Self:
        """What has reached staff: told, taken, or late."""
        return self.open().filter(REACHED)

    def of(self, user: Any) -> Self:
        return self.filter(assignee=user)

    def late(self) -> Self:
        return self.open().filter(late_at__isnull=False)

    def paused(self) -> Self:
        return self.open().filter(paused_since__isnull=False)

    def running(self) -> Self:
        return self.open().filter(paused_since__isnull=True)

    def in_due_order(self) -> Self:
        """Late first, then by what was promised; paused ones last. An index holds staff's in this order."""
        return self.order_by(RANK, DESK_DUE, "id")

    def for_desk(self) -> Self:
        """Everything a row of the desk shows."""
        return self.select_related("thread", "thread__author", "thread__product", "department", "assignee", "policy")

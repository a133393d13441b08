from typing import Self

from django.contrib.contenttypes.models import ContentType
from django.db import models


class EventQuerySet(models.QuerySet):
    """Reads of the log. Rows are never changed: there is no update and no delete."""

    def about(self, subject: models.Model) -> Self:
        content_type = ContentType.objects.get_for_model(subject)
        return self.filter(subject_type=content_type, subject_id=subject.pk)

    def in_order(self) -> Self:
        """As things happened; the id settles what happened at the same moment."""
        return self.order_by("occurred_at", "id")

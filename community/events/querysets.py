from typing import Any, NoReturn, Self

from django.contrib.contenttypes.models import ContentType
from django.db import models


class AppendOnly(TypeError):
    """Somebody tried to change or delete what happened."""

    def __init__(self) -> None:
        super().__init__("The log is append-only: record another event instead.")


class EventQuerySet(models.QuerySet):
    """Reads of the log. Rows are never changed: there is no update and no delete (guard.py keeps raw SQL from it)."""

    def update(self, **kwargs: Any) -> NoReturn:  # type: ignore[override]
        raise AppendOnly

    def delete(self) -> NoReturn:  # type: ignore[override]
        raise AppendOnly

    def about(self, subject: models.Model) -> Self:
        content_type = ContentType.objects.get_for_model(subject)
        return self.filter(subject_type=content_type, subject_id=subject.pk)

    def in_order(self) -> Self:
        """As things happened; the id settles what happened at the same moment."""
        return self.order_by("occurred_at", "id")

    def acts(self) -> Self:
        """What staff did as staff."""
        return self.filter(act=True)

    def newest_first(self) -> Self:
        return self.order_by("-occurred_at", "-id")

    def looks_at(self, person: models.Model) -> Self:
        """Each time staff saw personal data of somebody."""
        return self.acts().filter(kind="personal.viewed", whom=person)

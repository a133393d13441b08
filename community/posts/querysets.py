from typing import Self

from django.contrib.contenttypes.models import ContentType
from django.db import models

from community.moderation.querysets import ModeratedQuerySet


class CommentQuerySet(ModeratedQuerySet):
    """Visibility of a comment's target is the page's to check: the target is generic, so it can't be joined here."""

    def on(self, *targets: models.Model) -> Self:
        """Comments under any of these things of one kind."""
        if not targets:
            return self.none()
        content_type = ContentType.objects.get_for_model(targets[0])
        return self.filter(target_type=content_type, target_id__in=[target.pk for target in targets])

    def for_listing(self) -> Self:
        return self.select_related("author", "author__department")

"""What has been told of the demo's story, so that telling it again adds only what is new."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from community.core import clock


class Told(models.Model):
    """One fact of the story; written in the transaction of the fact itself."""

    key = models.CharField(max_length=200, unique=True)
    at = models.DateTimeField(help_text=_("When it happened in the story; later facts count from here."))
    object_id = models.BigIntegerField(null=True, blank=True, help_text=_("The row it made, where others refer to it."))
    digest = models.CharField(
        max_length=64, blank=True, default="", help_text=_("Of definitions: told again when the words change.")
    )
    told_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name_plural = "told"

    def __str__(self) -> str:
        return self.key

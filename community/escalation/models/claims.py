"""Who is at a case just now, so that two don't write the same answer."""

from datetime import datetime

from django.conf import settings
from django.db import models

from community.core import clock

from .base import Escalation


class Claim(models.Model):
    """An agent is at a case until some moment; nobody has to end it. One a case, the row is used again."""

    escalation = models.OneToOneField(Escalation, on_delete=models.CASCADE, related_name="claim")
    holder = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField(default=clock.now)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"case {self.escalation_id} by {self.holder_id} until {self.until}"

    def runs(self, at: datetime | None = None) -> bool:
        return self.until > (at or clock.now())

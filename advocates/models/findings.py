"""Votes that look as if they were for a person."""

from typing import Any

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from community.core import clock

PERSON = settings.AUTH_USER_MODEL


class VoteFinding(models.Model):
    """Votes that look as if they were for a person, not for posts: found at night, decided by a moderator."""

    class Kind(models.TextChoices):
        SERIAL = "serial", _("Many votes for one person within a day")
        SHARE = "share", _("Most votes of one person go to another")
        MUTUAL = "mutual", _("Two people vote for each other")
        GROUP = "group", _("A few people vote for each other and hardly for anybody else")

    class State(models.TextChoices):
        OPEN = "open", _("To be decided")
        TAKEN_OUT = "taken_out", _("Votes taken out")
        LEFT = "left", _("Left as they are")
        GIVEN_BACK = "given_back", _("Taken out, and given back")

    kind = models.CharField(max_length=10, choices=Kind)
    mark = models.CharField(max_length=120, help_text=_("Kind and ids of the people: one open finding for each."))
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    people: Any = models.ManyToManyField(PERSON, related_name="+")
    evidence = models.JSONField(default=list, help_text=_("For each pair: giver, author, votes, of, share, days."))
    since = models.DateTimeField(help_text=_("The first vote of it."))
    until = models.DateTimeField(help_text=_("The last vote of it."))
    found_at = models.DateTimeField(default=clock.now)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(PERSON, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        ordering = ["-found_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["mark"], condition=Q(state="open"), name="finding_open_once")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.mark})"

    def get_absolute_url(self) -> str:
        return reverse("vote_findings:finding", args=[self.pk])

    @property
    def found_votes(self) -> int:
        return sum(pair["votes"] for pair in self.evidence)


class VoteTakenOut(models.Model):
    """A vote that no longer counts, with what it takes to give it back."""

    finding = models.ForeignKey(VoteFinding, on_delete=models.CASCADE, related_name="votes")
    voter = models.ForeignKey(PERSON, on_delete=models.CASCADE, related_name="+")
    target_type = models.ForeignKey(ContentType, on_delete=models.PROTECT, related_name="+")
    target_id = models.BigIntegerField()
    target = GenericForeignKey("target_type", "target_id")
    kept = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["finding", "voter", "target_type", "target_id"], name="taken_out_once")
        ]

    def __str__(self) -> str:
        return f"vote of {self.voter_id} on {self.target_type_id}:{self.target_id}"

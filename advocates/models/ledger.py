"""The ledger, and what is added up from it."""

from typing import Any

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from community.events.models import Event
from community.posts.models import Topic
from products.models import Product

from ..querysets import EntryQuerySet

PERSON = settings.AUTH_USER_MODEL


class Reason(models.TextChoices):
    """Why an entry stands in the ledger. The points are in `reputation.RULES`."""

    THREAD_UP = "thread_up", _("Your question was voted up")
    ANSWER_UP = "answer_up", _("Your answer was voted up")
    THREAD_DOWN = "thread_down", _("Your question was voted down")
    ANSWER_DOWN = "answer_down", _("Your answer was voted down")
    DOWNVOTING = "downvoting", _("You voted an answer down")
    ACCEPTED = "accepted", _("Your answer was accepted")
    ACCEPTING = "accepting", _("You accepted somebody's answer")
    HELPFUL = "helpful", _("Your review was found helpful")
    MADE = "made", _("Somebody made your recipe")
    WORKED = "worked", _("Your tip worked for somebody")
    HELD = "held", _("Your fix still worked after three days")
    EDIT = "edit", _("Your suggested edit was taken over")
    SPAM = "spam", _("A post of yours was confirmed as spam")
    OWNER = "owner", _("An owner says that your answer works for theirs")


class ReputationEntry(models.Model):
    """One line of the ledger. Append-only: what falls away is reversed by a line that points at it (RULINGS 23)."""

    person = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="reputation_entries")
    day = models.DateField(help_text=_("In UTC; of a reversal, the day of what it reverses."))
    points = models.SmallIntegerField()
    reason = models.CharField(max_length=20, choices=Reason)
    rule_version = models.PositiveSmallIntegerField()
    exempt = models.BooleanField(default=False, help_text=_("Not under the daily cap."))
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="+")
    reverses = models.OneToOneField("self", null=True, blank=True, on_delete=models.PROTECT, related_name="reversed_by")
    takes_back = models.BooleanField(default=False, help_text=_("It reverses; a reversed reversal gives again."))
    target_type = models.ForeignKey(ContentType, on_delete=models.PROTECT, related_name="+")
    target_id = models.BigIntegerField()
    target = GenericForeignKey("target_type", "target_id")
    giver = models.ForeignKey(
        PERSON, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text=_("Who judged, if known.")
    )
    product = models.ForeignKey(Product, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    topic = models.ForeignKey(Topic, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    weighs = models.SmallIntegerField(default=0, help_text=_("How much it says about knowing the product and topic."))
    at = models.DateTimeField()

    objects = EntryQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "reputation entries"
        constraints = [
            models.UniqueConstraint(
                fields=["person", "reason", "event"], condition=Q(reverses__isnull=True), name="entry_once_per_cause"
            )
        ]
        indexes = [
            models.Index(fields=["person", "-at", "-id"], name="entry_person"),
            models.Index(fields=["target_type", "target_id", "reason"], name="entry_target"),
            models.Index(fields=["product", "person", "day"], name="entry_product"),
            models.Index(fields=["event"], name="entry_event"),
        ]

    def __str__(self) -> str:
        return f"{self.points:+d} {self.reason} for {self.person_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("The ledger is append-only: reverse the entry instead.")
        super().save(*args, **kwargs)


class DayTotal(models.Model):
    """What a day came to: `min(cap, capped) + exempt`. The cap is that of the day, not of today."""

    person = models.ForeignKey(PERSON, on_delete=models.CASCADE, related_name="reputation_days")
    day = models.DateField()
    capped = models.IntegerField(default=0, help_text=_("Gains less losses under the cap."))
    exempt = models.IntegerField(default=0)
    cap = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "day"], name="day_total_unique")]

    def __str__(self) -> str:
        return f"{self.person_id} on {self.day}: {self.value}"

    @property
    def value(self) -> int:
        return min(self.cap, self.capped) + self.exempt


class Competence(models.Model):
    """What somebody knows of a product or a topic, by what others found of it; `competence.py` has the sums."""

    class Kind(models.TextChoices):
        PRODUCT = "product", _("Product")
        TOPIC = "topic", _("Topic")

    person = models.ForeignKey(PERSON, on_delete=models.CASCADE, related_name="competence")
    kind = models.CharField(max_length=7, choices=Kind)
    key = models.BigIntegerField(help_text=_("Id of the product or the topic."))
    score = models.BigIntegerField(default=0, help_text=_("In the worth of 2020; what it is worth today is less."))

    class Meta:
        verbose_name_plural = "competence"
        constraints = [models.UniqueConstraint(fields=["kind", "key", "person"], name="competence_unique")]
        indexes = [
            models.Index(fields=["kind", "key", "-score"], name="competence_order"),
            models.Index(fields=["person", "-score"], name="competence_person"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.kind} {self.key}: {self.score}"

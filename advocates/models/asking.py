"""Whom of the advocates a question is offered to."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from community.core import clock

from .ledger import Competence

PERSON = settings.AUTH_USER_MODEL


class Ask(models.Model):
    """An advocate was asked to look at a thread: what the weekly limit counts. At most three have a place."""

    class Why(models.TextChoices):
        NOT_MY_PRODUCT = "not_my_product", _("Not my product")
        NO_TIME = "no_time", _("No time now")
        DONT_KNOW = "dont_know", _("I don't know")

    person = models.ForeignKey(PERSON, on_delete=models.CASCADE, related_name="asks")
    thread = models.ForeignKey("questions.Thread", on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(default=clock.now)
    place = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text=_("First, second or third; empty for who stands in, or found it alone.")
    )
    by_choice = models.BooleanField(default=False, help_text=_("Found in their queue; nobody asked them."))
    answered_at = models.DateTimeField(null=True, blank=True)
    passed_at = models.DateTimeField(null=True, blank=True)
    why = models.CharField(max_length=20, choices=Why, blank=True, default="")
    handed_to = models.ForeignKey(PERSON, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "thread"], name="ask_once_per_thread"),
            models.UniqueConstraint(fields=["thread", "place"], name="ask_one_per_place"),
        ]
        indexes = [models.Index(fields=["person", "at"], name="ask_person"), models.Index(fields=["at"], name="ask_at")]

    def __str__(self) -> str:
        return f"{self.person_id} about {self.thread_id}"


class Claim(models.Model):
    """An advocate is writing an answer: for ten minutes no other advocate begins one. Everybody else may."""

    thread = models.OneToOneField("questions.Thread", on_delete=models.CASCADE, related_name="claim")
    person = models.ForeignKey(PERSON, on_delete=models.CASCADE, related_name="+")
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.person_id} on {self.thread_id}"


class Lesson(models.Model):
    """What a pass taught about whom to ask: a factor on what somebody knows of a thing (`ranking.py`)."""

    person = models.ForeignKey(PERSON, on_delete=models.CASCADE, related_name="lessons")
    kind = models.CharField(max_length=7, choices=Competence.Kind)
    key = models.BigIntegerField(help_text=_("Id of the product or the topic."))
    factor = models.FloatField(default=1)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "kind", "key"], name="lesson_unique")]

    def __str__(self) -> str:
        return f"{self.person_id} {self.kind} {self.key}: {self.factor}"


class Rhythm(models.Model):
    """When in the week an advocate answers, for routing alone: shown to nobody (`rhythm.py`)."""

    person = models.OneToOneField(PERSON, on_delete=models.CASCADE, related_name="rhythm")
    hours = models.JSONField(default=list, help_text=_("168 weights, from Monday 0 h UTC."))
    since = models.DateTimeField(default=clock.now)
    at = models.DateTimeField(default=clock.now, help_text=_("As of when the weights are."))

    def __str__(self) -> str:
        return f"rhythm of {self.person_id}"

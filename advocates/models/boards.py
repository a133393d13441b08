"""Who stands where, in which time."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ..querysets import BoardScoreQuerySet

PERSON = settings.AUTH_USER_MODEL


class Period(models.TextChoices):
    WEEK = "week", _("Week")
    MONTH = "month", _("Month")
    QUARTER = "quarter", _("Quarter")
    YEAR = "year", _("Year")
    ALL = "all", _("All time")


class Help(models.TextChoices):
    """Kinds of help that have boards of their own; which points count on which is in `boards.HELP_OF`."""

    ASKING = "asking", _("Good questions")
    ANSWERING = "answering", _("Answers")
    REVIEWING = "reviewing", _("Reviews")
    COOKING = "cooking", _("Recipes")
    TIPS = "tips", _("Tips")
    EDITING = "editing", _("Edits")


class BoardScore(models.Model):
    """Somebody's points on one board (`boards.py` names them) in one period."""

    person = models.ForeignKey(PERSON, on_delete=models.CASCADE, related_name="board_scores")
    period = models.CharField(max_length=7, choices=Period)
    start = models.DateField()
    board = models.CharField(max_length=32, default="all", help_text=_("all, product:7, topic:3 or help:answering."))
    points = models.IntegerField(default=0)
    listed = models.BooleanField(default=True, help_text=_("Counted in the places; not staff, opted out, silenced."))

    objects = BoardScoreQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "period", "start", "board"], name="board_score_unique")
        ]
        indexes = [
            models.Index(
                fields=["period", "start", "board", "-points", "person"],
                condition=Q(listed=True),
                name="board_order",
            )
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.period} {self.start} {self.board}: {self.points}"


class BoardBucket(models.Model):
    """How many people of a board have exactly so many points: the dense rank is a count of buckets above."""

    period = models.CharField(max_length=7, choices=Period)
    start = models.DateField()
    board = models.CharField(max_length=32, default="all")
    points = models.IntegerField()
    people = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["period", "start", "board", "points"], name="board_bucket_unique")
        ]
        indexes = [
            models.Index(fields=["period", "start", "board", "points"], condition=Q(people__gt=0), name="board_places")
        ]

    def __str__(self) -> str:
        return f"{self.period} {self.start} {self.board} {self.points}: {self.people}"


class BoardAbsence(models.Model):
    """Somebody is off the boards until a moment that comes by itself: a silence ends without an event."""

    person = models.OneToOneField(PERSON, primary_key=True, on_delete=models.CASCADE, related_name="+")
    until = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.person_id} until {self.until}"

"""Figures as they are kept: what was counted, how much of it a day, and which months stand for good."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from community.accounts.models import Department
from community.core import clock
from community.questions.models import Kind, Thread
from products.models import Product

from .querysets import DailyFigureQuerySet, FactQuerySet


class Figure(models.TextChoices):
    """What days are counted by. `metrics.py` says what each means."""

    ACKNOWLEDGED = "acknowledged", _("Acknowledged in time")
    RESOLUTION = "resolution", _("Time to resolution")
    FIRST_CONTACT = "first_contact", _("Settled at first contact")
    HOLDS = "holds", _("Fix holds after 30 days")
    SETTLED_BY = "settled_by", _("Who settles it")
    DEFLECTION = "deflection", _("Contacts spared")
    CONTACT = "contact", _("Contact by staff")  # counted for others, no figure of its own


class Counted(models.Model):
    """By what figures are told apart."""

    day = models.DateField(_("day"), help_text=_("UTC."))
    figure = models.CharField(_("figure"), max_length=20, choices=Figure)
    part = models.CharField(_("outcome"), max_length=12, blank=True, default="")
    value = models.PositiveIntegerField(_("minutes"), default=0, help_text=_("Of a time, to three digits."))
    department = models.ForeignKey(
        Department, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("department")
    )
    product = models.ForeignKey(
        Product, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("product")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    count = models.PositiveIntegerField(_("how often"), default=1)

    class Meta:
        abstract = True


class Fact(Counted):
    """A row behind a figure: one thing that was counted, with what was known of it when its day was counted last."""

    key = models.CharField(max_length=60, help_text=_("What it comes from: an event, a look at the matches, a day."))
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()
    counts = models.BooleanField(default=True, help_text=_("False while its thread is taken away."))

    objects = FactQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["figure", "-day", "-id"], name="fact_figure_day"),
            models.Index(fields=["day"], name="fact_day"),
            models.Index(fields=["thread", "figure", "at"], name="fact_thread"),
        ]
        constraints = [models.UniqueConstraint(fields=["figure", "key"], name="fact_once")]

    def __str__(self) -> str:
        return f"{self.figure} {self.part or self.value} on {self.day}"


class DailyFigure(Counted):
    """How often something happened on a day, for one department, product and kind. Pages read nothing else."""

    objects = DailyFigureQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "day", "figure", "part", "value", "kind",
                Coalesce("department", Value(0)), Coalesce("product", Value(0)), name="daily_figure_once",
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.count} × {self.figure} {self.part or self.value} on {self.day}"


class Month(models.Model):
    """How far a month is counted, and since when it stands as it was."""

    first = models.DateField(unique=True)
    through = models.DateField(null=True, blank=True, help_text=_("The last day that was counted."))
    counted_at = models.DateTimeField(null=True, blank=True)
    frozen_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}"


class Stale(models.Model):
    """Something about a thread changed that its counted days depend on. One row a change, so that none is lost."""

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return f"thread {self.thread_id}"


class LateChange(models.Model):
    """What would be different in a frozen month, were it counted again."""

    month = models.ForeignKey(Month, on_delete=models.CASCADE, related_name="late_changes")
    figure = models.CharField(max_length=20, choices=Figure)
    part = models.CharField(max_length=12, blank=True, default="")
    stands = models.PositiveIntegerField()
    would_be = models.PositiveIntegerField()
    noted_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["month", "figure", "part"], name="late_change_once")]

    def __str__(self) -> str:
        return f"{self.figure} in {self.month}: {self.stands}, now {self.would_be}"


class Baseline(models.Model):
    """What a figure was before there was a community, and who says so."""

    series = models.CharField(_("figure"), max_length=30)
    first = models.DateField(_("from"))
    last = models.DateField(_("to"))
    value = models.DecimalField(_("value"), max_digits=9, decimal_places=2, help_text=_("Per cent, or hours."))
    source = models.CharField(_("source"), max_length=200)
    imported_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["first", "id"]
        constraints = [
            models.UniqueConstraint(fields=["series", "first", "last", "source"], name="baseline_once"),
            models.CheckConstraint(condition=models.Q(first__lte=models.F("last")), name="baseline_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.series} {self.first} to {self.last}: {self.value}"


class Input(models.Model):
    """A number that goes into cost and return, as it was typed: its digits say how exact it is."""

    name = models.CharField(max_length=30, unique=True)
    value = models.CharField(_("value"), max_length=20)
    source = models.CharField(_("where it comes from"), max_length=200)
    changed_at = models.DateTimeField(default=clock.now)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        permissions = [
            ("view_figures", "Can see the figures of all departments"),
            ("change_inputs", "Can change what cost and return are reckoned with"),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.value}"

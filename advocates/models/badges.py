"""Ranks and badges: what somebody reached, and did."""

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from community.core import clock

from ..querysets import AwardQuerySet

PERSON = settings.AUTH_USER_MODEL


class Rank(models.Model):
    """A name for a range of reputation, and nothing more: it opens no door."""

    class Drawing(models.TextChoices):
        """Our own, in the icon sheet."""

        SEED = "rank-1", _("Seed")
        SPROUT = "rank-2", _("Sprout")
        LEAVES = "rank-3", _("Two leaves")
        TWIG = "rank-4", _("Twig")
        BLOSSOM = "rank-5", _("Blossom")
        FRUIT = "rank-6", _("Fruit")
        TREE = "rank-7", _("Tree")
        MOUNTAIN = "rank-8", _("Mountain")

    slug = models.SlugField(unique=True)
    name = models.CharField(_("name"), max_length=60)
    threshold = models.PositiveIntegerField(_("from how many points"), unique=True)
    line = models.CharField(_("one line about it"), max_length=200, blank=True, default="")
    drawing = models.CharField(
        _("drawing"), max_length=10, choices=Drawing, default=Drawing.SEED, help_text=_("Shown beside the name.")
    )
    picture = models.ForeignKey(
        "core.CommunityImage",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("picture of your own"),
        help_text=_("Instead of the drawing, cut to a circle. A plain shape is best: it is as small as a letter."),
    )
    alt = models.CharField(
        _("alt text"), max_length=200, blank=True, default="", help_text=_("What the picture shows, for the ladder.")
    )
    shown = models.CharField(max_length=250, editable=False, default=Drawing.SEED)

    class Meta:
        ordering = ["threshold"]

    def __str__(self) -> str:
        return self.name


class Badge(models.Model):
    """What somebody did, said in a sentence to people and as data to the machine (`badges/`)."""

    class Area(models.TextChoices):
        ASKING = "asking", _("Asking")
        ANSWERING = "answering", _("Answering")
        REVIEWING = "reviewing", _("Reviewing")
        COOKING = "cooking", _("Cooking")
        TESTING = "testing", _("Testing")
        EDITING = "editing", _("Editing")
        MODERATING = "moderating", _("Moderating")
        WELCOMING = "welcoming", _("Welcoming")
        THANKS = "thanks", _("Thanks")

    class Level(models.TextChoices):
        BRONZE = "bronze", _("Bronze")
        SILVER = "silver", _("Silver")
        GOLD = "gold", _("Gold")

    class Awarded(models.TextChoices):
        ONCE = "once", _("Once in a life")
        MANY = "many", _("Once for each thing")

    slug = models.SlugField(unique=True)
    name = models.CharField(_("name"), max_length=60)
    level = models.CharField(_("level"), max_length=10, choices=Level, default=Level.BRONZE)
    area = models.CharField(_("area"), max_length=30, choices=Area, default=Area.ANSWERING)
    glyph = models.CharField(_("drawing"), max_length=20, blank=True, default="")
    rule = models.CharField(_("what it is for"), max_length=300, help_text=_("One sentence, shown with the badge."))
    words = models.JSONField(
        _("in other languages"), default=dict, blank=True, help_text='{"de": {"name": "…", "rule": "…"}}'
    )
    award = models.JSONField(
        _("rule"),
        help_text=_("event, to, count, when, threshold, window_days; docs/badges.md says what each may be."),
    )
    event = models.CharField(max_length=60, editable=False, db_index=True, help_text=_("Copied from the rule."))
    awarded = models.CharField(_("how often"), max_length=5, choices=Awarded, default=Awarded.ONCE)
    per = models.CharField(_("for each"), max_length=20, blank=True, default="")
    kept = models.BooleanField(
        _("kept when its ground falls"),
        default=False,
        help_text=_("For what somebody did and others confirmed. What others think of a post goes when that changes."),
    )
    by_hand = models.BooleanField(_("given by hand"), default=False)
    at_most_people = models.PositiveSmallIntegerField(_("people at once, by hand"), default=50)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    retired_at = models.DateTimeField(null=True, blank=True, help_text=_("Kept by those who have it, given no more."))

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("badges:badge", args=[self.slug])

    def _word(self, field: str) -> str:
        language = (get_language() or "").partition("-")[0]
        return self.words.get(language, {}).get(field) or getattr(self, field)

    @property
    def label(self) -> str:
        """Its name in the language of the page."""
        return self._word("name")

    @property
    def sentence(self) -> str:
        """What it is for, in the language of the page."""
        return self._word("rule")

    @property
    def drawing(self) -> str:
        return self.glyph or self.area


class BadgeSweep(models.Model):
    """How far judging badges over the whole history has come, so that it goes on where it was stopped."""

    key = models.CharField(max_length=500, unique=True, help_text=_("Which badges: their slugs, or all."))
    after = models.BigIntegerField(default=0, help_text=_("Everybody up to this id is done."))
    given = models.PositiveIntegerField(default=0)
    taken = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.key} up to {self.after}"


class Award(models.Model):
    """A badge somebody has. `per_key` says for which thing, where there is one for each."""

    badge = models.ForeignKey(Badge, on_delete=models.CASCADE, related_name="awards")
    person = models.ForeignKey(PERSON, on_delete=models.CASCADE, related_name="awards")
    per_key = models.CharField(max_length=40, blank=True, default="")
    at = models.DateTimeField(default=clock.now)
    reason = models.CharField(_("what for"), max_length=500, blank=True, default="")
    given_by = models.ForeignKey(PERSON, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    objects = AwardQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["badge", "person", "per_key"], name="award_unique")]
        indexes = [
            models.Index(fields=["badge", "-at"], name="award_badge"),
            models.Index(fields=["person", "-at"], name="award_person"),
        ]

    def __str__(self) -> str:
        return f"{self.badge_id} for {self.person_id} {self.per_key}".strip()

"""What owners share for use: recipes and tips."""

from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from community.core import clock
from community.core.models import Body, CommunityImage, Sourced, Vote, one_per_source, vote_constraints
from community.core.slugs import slug_of
from community.moderation.models import Moderated
from community.posts.models import Tag
from products.models import Product

from .querysets import RecipeQuerySet, TipQuerySet


class Shared(Body, Moderated, Sourced):
    """What recipes and tips have in common. The body is the introduction, respectively why it works."""

    title = models.CharField(_("title"), max_length=150)
    language = models.CharField(max_length=10, default="en")
    created_at = models.DateTimeField(default=clock.now)
    edited_at = models.DateTimeField(null=True, blank=True)
    featured_at = models.DateTimeField(null=True, blank=True)
    featured_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    featured_reason = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.title

    def mend_url(self) -> str:
        return reverse(f"{self._meta.model_name}s:edit", args=[self.pk])

    def published_event(self) -> tuple[str, dict[str, Any]]:
        return f"{self._meta.model_name}.published", {"products": self.product_ids}

    @property
    def product_ids(self) -> list[int]:
        """The products it is about."""
        raise NotImplementedError

    @property
    def slug(self) -> str:
        return slug_of(self.title)


class Difficulty(models.TextChoices):
    EASY = "easy", _("Easy")
    MEDIUM = "medium", _("Medium")
    HARD = "hard", _("Takes practice")


class Recipe(Shared):
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="recipes")
    picture = models.ForeignKey(
        CommunityImage,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text=_("The brand's picture; members' photos are uploads of the recipe."),
    )
    remix_of = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="remixes")
    remix_note = models.CharField(_("what you changed"), max_length=300, blank=True, default="")
    yield_amount = models.DecimalField(_("makes"), max_digits=7, decimal_places=2, default=1)
    yield_unit = models.CharField(_("of what"), max_length=40, default="cup")
    prep_minutes = models.PositiveIntegerField(_("minutes of preparation"), default=0)
    cook_minutes = models.PositiveIntegerField(_("minutes of cooking"), default=0)
    rest_minutes = models.PositiveIntegerField(_("minutes of waiting"), default=0)
    difficulty = models.CharField(_("difficulty"), max_length=10, choices=Difficulty, default=Difficulty.EASY)
    tags = models.ManyToManyField(Tag, blank=True, related_name="recipes")
    products = models.ManyToManyField(Product, through="RecipeProduct", related_name="recipes")
    made_count = models.PositiveIntegerField(default=0)
    stars_sum = models.PositiveIntegerField(default=0)
    stars_count = models.PositiveIntegerField(default=0)

    objects = RecipeQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["-created_at"], condition=Q(visibility="visible"), name="recipe_newest"),
            models.Index(fields=["-made_count", "-id"], condition=Q(visibility="visible"), name="recipe_made"),
            models.Index(fields=["author", "-created_at"], name="recipe_author"),
        ]
        constraints = [one_per_source("recipe_one_per_source")]

    def get_absolute_url(self) -> str:
        return reverse("recipes:recipe", args=[self.pk, self.slug])

    @property
    def product_ids(self) -> list[int]:
        return list(self.uses.order_by("product_id").values_list("product_id", flat=True))

    @property
    def total_minutes(self) -> int:
        return self.prep_minutes + self.cook_minutes + self.rest_minutes

    @property
    def stars_mean(self) -> float | None:
        return self.stars_sum / self.stars_count if self.stars_count else None


class Ingredient(models.Model):
    recipe = models.ForeignKey(Recipe, on_delete=models.CASCADE, related_name="ingredients")
    group = models.CharField(max_length=80, blank=True, default="")
    amount = models.CharField(_("amount"), max_length=30, blank=True, default="")
    unit = models.CharField(_("unit"), max_length=30, blank=True, default="")
    name = models.CharField(_("ingredient"), max_length=120)
    note = models.CharField(_("note"), max_length=200, blank=True, default="")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return f"{self.amount} {self.unit} {self.name}".strip()


class RecipeStep(models.Model):
    recipe = models.ForeignKey(Recipe, on_delete=models.CASCADE, related_name="steps")
    number = models.PositiveSmallIntegerField()
    text = models.TextField(_("step"))
    timer_minutes = models.PositiveIntegerField(null=True, blank=True)
    product = models.ForeignKey(Product, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["recipe", "number"], name="recipe_step_unique")]

    def __str__(self) -> str:
        return f"{self.number}. {self.text[:60]}"


class RecipeProduct(models.Model):
    recipe = models.ForeignKey(Recipe, on_delete=models.CASCADE, related_name="uses")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="used_in")
    steps = models.JSONField(default=list, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["recipe", "product"], name="recipe_product_unique")]

    def __str__(self) -> str:
        return f"{self.product} in {self.recipe}"


class Made(Vote):
    """Somebody made it: stars, a note, what was different."""

    target = models.ForeignKey(Recipe, on_delete=models.CASCADE, related_name="made")
    stars = models.PositiveSmallIntegerField(
        _("stars"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    note = models.CharField(_("how it went"), max_length=600, blank=True, default="")
    variation = models.CharField(_("what you changed"), max_length=300, blank=True, default="")

    class Meta:
        verbose_name_plural = "made"
        constraints = [
            *vote_constraints("made"),
            models.CheckConstraint(condition=Q(stars__isnull=True) | Q(stars__range=(1, 5)), name="made_stars"),
        ]

    def __str__(self) -> str:
        return f"made {self.target_id}"


class Tip(Shared):
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="tips")
    product = models.ForeignKey(
        Product,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="tips",
        verbose_name=_("product"),
    )
    model_version = models.CharField(_("version"), max_length=120, blank=True, default="")
    goal = models.CharField(_("what it is good for"), max_length=200, blank=True, default="")
    safety = models.CharField(_("safety"), max_length=400, blank=True, default="")
    tags = models.ManyToManyField(Tag, blank=True, related_name="tips")
    worked_yes = models.PositiveIntegerField(default=0)
    worked_no = models.PositiveIntegerField(default=0)

    objects = TipQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["-created_at"], condition=Q(visibility="visible"), name="tip_newest"),
            models.Index(fields=["product", "-worked_yes"], condition=Q(visibility="visible"), name="tip_product"),
            models.Index(fields=["author", "-created_at"], name="tip_author"),
        ]
        constraints = [one_per_source("tip_one_per_source")]

    def get_absolute_url(self) -> str:
        return reverse("tips:tip", args=[self.pk, self.slug])

    @property
    def product_ids(self) -> list[int]:
        return [self.product_id] if self.product_id else []

    @property
    def worked_total(self) -> int:
        return self.worked_yes + self.worked_no


class TipStep(models.Model):
    tip = models.ForeignKey(Tip, on_delete=models.CASCADE, related_name="steps")
    number = models.PositiveSmallIntegerField()
    text = models.TextField(_("step"))
    timer_minutes = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["tip", "number"], name="tip_step_unique")]

    def __str__(self) -> str:
        return f"{self.number}. {self.text[:60]}"


class Worked(Vote):
    """It worked for somebody, or it didn't."""

    target = models.ForeignKey(Tip, on_delete=models.CASCADE, related_name="worked")
    worked = models.BooleanField()

    class Meta:
        verbose_name_plural = "worked"
        constraints = vote_constraints("worked")

    def __str__(self) -> str:
        return f"{'worked' if self.worked else 'did not work'}: tip {self.target_id}"

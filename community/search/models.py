"""What can be found (RULINGS 5): one plain row per thing that is public, whatever its kind."""

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.search import index

from community.core import clock
from community.questions.models import Thread
from products.models import Product


class Document(index.Indexed, models.Model):
    """One thing as search sees it. Exists only while the thing is public; results are checked again when read."""

    class Kind(models.TextChoices):
        QUESTION = "question", _("Questions")
        PROBLEM = "problem", _("Problems")
        IDEA = "idea", _("Ideas")
        PRAISE = "praise", _("Praise")
        HELP = "help", _("Help articles")
        TIP = "tip", _("Tips")
        RECIPE = "recipe", _("Recipes")
        REVIEW = "review", _("Reviews")
        PRODUCT = "product", _("Products")

    target_type = models.ForeignKey(ContentType, on_delete=models.CASCADE, related_name="+")
    target_id = models.BigIntegerField()
    target = GenericForeignKey("target_type", "target_id")
    kind = models.CharField(max_length=10, choices=Kind)
    product = models.ForeignKey(Product, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    product_slug = models.CharField(max_length=80, blank=True, default="")
    title = models.CharField(max_length=300)
    text = models.TextField(blank=True, default="")
    best_answer = models.TextField(blank=True, default="")
    state = models.CharField(max_length=20, blank=True, default="")
    solved = models.BooleanField(default=False)
    official = models.BooleanField(default=False)
    language = models.CharField(max_length=10, blank=True, default="")
    stars = models.PositiveSmallIntegerField(null=True, blank=True)
    url = models.CharField(max_length=500)
    said = models.CharField(max_length=200, blank=True, default="", help_text=_("A short line on who and how good."))
    created_at = models.DateTimeField()
    active_at = models.DateTimeField()

    search_auto_update = False  # documents.py writes row and index together; a second queue would only lag behind
    search_fields = [
        index.SearchField("title", boost=3),
        index.SearchField("text"),
        index.SearchField("best_answer"),
        index.AutocompleteField("title"),
        index.FilterField("kind"),
        index.FilterField("product_slug"),
        index.FilterField("state"),
        index.FilterField("solved"),
        index.FilterField("official"),
        index.FilterField("language"),
        index.FilterField("active_at"),
    ]

    class Meta:
        constraints = [models.UniqueConstraint(fields=["target_type", "target_id"], name="document_once")]
        indexes = [models.Index(fields=["kind", "-active_at"], name="document_kind")]

    def __str__(self) -> str:
        return self.title


class IndexChange(models.Model):
    """A thing changed and must be indexed again. Written with the change; the queue is only nudged (RULINGS 29)."""

    target_type = models.ForeignKey(ContentType, on_delete=models.CASCADE, related_name="+")
    target_id = models.BigIntegerField()
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["target_type", "target_id"], name="index_change_once")]

    def __str__(self) -> str:
        return f"{self.target_type}#{self.target_id}"


class Deflection(models.Model):
    """Somebody who was about to ask found the answer instead: what was typed, and which thread it was.

    The words are erased after 30 days; no person is kept at all.
    """

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="deflections")
    typed = models.CharField(max_length=200, blank=True, default="")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["at"], name="deflection_at")]

    def __str__(self) -> str:
        return f"deflected to {self.thread_id}"

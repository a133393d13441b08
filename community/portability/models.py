"""What was taken over from elsewhere, and as what."""

from django.db import models

from community.core.models import Sourced, one_per_source
from products.models import Product


class SourceState(models.Model):
    """What another site said of a post when it was last taken over.

    What it says now is compared with this, not with our rows: a title that a moderator changed here is not a change
    over there, and stays.
    """

    source = models.CharField(max_length=80)
    external_id = models.CharField(max_length=80)
    digest = models.CharField(
        max_length=64, blank=True, default="", help_text="Of a question with all that hangs on it: equal is unchanged."
    )
    title = models.CharField(max_length=16, blank=True, default="", help_text="Hash of the title.")
    tags = models.CharField(max_length=16, blank=True, default="", help_text="Hash of the tags.")
    body = models.CharField(max_length=16, blank=True, default="", help_text="Hash of the text.")
    views = models.PositiveIntegerField(default=0)
    accepted = models.CharField(max_length=80, blank=True, default="", help_text="Id of the accepted answer there.")
    closed = models.BooleanField(default=False)
    official = models.SlugField(blank=True, default="", help_text="Department the answer was taken over for.")
    duplicate_of = models.CharField(max_length=80, blank=True, default="", help_text="Id of the original there.")
    followers = models.JSONField(default=list, blank=True, help_text="Ids of the people there who follow it.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "external_id"], name="source_state_unique")]

    def __str__(self) -> str:
        return f"{self.external_id} of {self.source}"


class SourceProduct(Sourced):
    """A product as another catalogue knows it: its id there, and what was said of it when it was last taken over."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    said = models.JSONField(default=dict, blank=True, help_text="Fields as imported: what an editor changed stays.")

    class Meta:
        constraints = [one_per_source("source_product_unique")]

    def __str__(self) -> str:
        return f"{self.external_id} of {self.source}"

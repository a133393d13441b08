"""What was taken over from elsewhere, and as what; and what people asked of their own data."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from community.core import clock
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


class Departure(models.Model):
    """Somebody asked us to erase their account. They can think again until it is done (`leaving.py`)."""

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="departure"
    )
    asked_at = models.DateTimeField(default=clock.now)
    due_at = models.DateTimeField(db_index=True)
    words_go = models.BooleanField(_("what I wrote goes, too"), default=False)

    def __str__(self) -> str:
        return f"{self.person_id} leaves on {self.due_at:%Y-%m-%d}"


class DataCopy(models.Model):
    """A copy of somebody's data that they asked for (`copies.py`)."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="data_copies")
    asked_at = models.DateTimeField(default=clock.now)
    ready_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True, db_index=True)
    file = models.FileField(upload_to="copies/", blank=True, default="")

    class Meta:
        verbose_name_plural = "data copies"
        indexes = [models.Index(fields=["asked_at"], condition=models.Q(ready_at=None), name="data_copy_waiting")]

    def __str__(self) -> str:
        return f"copy for {self.person_id}"

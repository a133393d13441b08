"""What ties neighbours: a review, and the thread in which somebody deals with what it says (RULINGS 1)."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from community.accounts.models import Department
from community.core import clock
from community.questions.models import Thread
from reviews.models import Review


class Bridge(models.Model):
    """An offer to deal with what a review says in a thread, and what its author made of it."""

    class Kind(models.TextChoices):
        DELIVERY = "delivery", _("Not about the product: it becomes a thread")
        FIX = "fix", _("Let us fix this: the review stays")

    class State(models.TextChoices):
        OFFERED = "offered", _("Waits for the author")
        AGREED = "agreed", _("There is a thread")
        DECLINED = "declined", _("The author said no")

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="bridges")
    thread = models.ForeignKey(
        Thread, null=True, blank=True, on_delete=models.PROTECT, related_name="bridges",
        help_text=_("With an offer: an open thread about the same. Once agreed: the one that deals with it."),
    )  # fmt: skip
    kind = models.CharField(max_length=10, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.OFFERED)
    joined = models.BooleanField(default=False, help_text=_("The thread was there before."))
    department = models.ForeignKey(
        Department, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text=_("Who deals with it.")
    )
    passage = models.TextField(blank=True, default="", help_text=_("The words that are not about the product."))
    note = models.TextField(_("note to the author"), max_length=2000, blank=True, default="")
    offered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        help_text=_("Empty when the author asked for it."),
    )  # fmt: skip
    offered_at = models.DateTimeField(default=clock.now)
    decided_at = models.DateTimeField(null=True, blank=True)
    show_outcome = models.BooleanField(
        default=False, help_text=_("Its author lets the review say what came of the problem.")
    )

    class Meta:
        ordering = ["offered_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["review"], condition=~Q(state="declined"), name="bridge_one_per_review"),
            models.CheckConstraint(condition=~Q(state="agreed") | Q(thread__isnull=False), name="bridge_has_a_thread"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: review {self.review_id}"
